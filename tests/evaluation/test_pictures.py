"""Pictures of results."""

import numpy as np
from PIL import Image

from iicnet_jax.evaluation import pictures


def sample(embedding_channels=3, scale=1):
    frames = np.random.default_rng(0).integers(0, 200, (2, 16, 12, 3), dtype=np.uint8)
    reference = frames[0, ::scale, ::scale, :embedding_channels]
    return {"frames": frames, "reference": reference}, reference + np.uint8(1), frames + np.uint8(3)


def test_the_error_is_amplified_and_clipped():
    a, b = np.array([[[0, 10, 200]]], np.uint8), np.array([[[3, 10, 100]]], np.uint8)
    assert pictures.error_map(a, b).ravel().tolist() == [30, 0, 255]


def test_an_overview_shows_inputs_embedding_restored_and_error():
    group, embedding, restored = sample()
    picture = pictures.overview(group, embedding, restored)
    top = pictures.TITLE_HEIGHT
    columns = [slice(i * (12 + pictures.GAP), i * (12 + pictures.GAP) + 12) for i in range(4)]
    first, second = slice(top, top + 16), slice(top + 16 + pictures.GAP, None)
    np.testing.assert_array_equal(picture[first, columns[0]], group["frames"][0])
    np.testing.assert_array_equal(picture[second, columns[0]], group["frames"][1])
    np.testing.assert_array_equal(picture[first, columns[1]], embedding)
    assert (picture[second, columns[1]] == 1 * pictures.AMPLIFICATION).all()
    np.testing.assert_array_equal(picture[second, columns[2]], restored[1])
    assert (picture[first, columns[3]] == 3 * pictures.AMPLIFICATION).all()


def test_grey_and_small_embeddings_have_their_place():
    group, embedding, restored = sample(embedding_channels=1, scale=2)
    picture = pictures.overview(group, embedding, restored)
    assert picture.shape == (
        pictures.TITLE_HEIGHT + 2 * 16 + pictures.GAP,
        3 * 12 + 6 + 3 * pictures.GAP,
        3,
    )
    left = 12 + pictures.GAP
    shown = picture[pictures.TITLE_HEIGHT :][:8, left : left + 6]
    np.testing.assert_array_equal(shown, embedding.repeat(3, axis=2))


def test_samples_are_saved_without_loss(tmp_path):
    group, embedding, restored = sample()
    pictures.save_sample(tmp_path / "cat", group, embedding, restored)
    names = sorted(path.name for path in (tmp_path / "cat").iterdir())
    assert names == [
        "embedding.png",
        "input_00.png",
        "input_01.png",
        "reference.png",
        "restored_00.png",
        "restored_01.png",
    ]
    with Image.open(tmp_path / "cat" / "restored_01.png") as image:
        np.testing.assert_array_equal(np.asarray(image), restored[1])
