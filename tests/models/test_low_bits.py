"""An image codec's bytes in the lowest bits: the bits, what is stored, and what damage does."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from iicnet_jax.core.errors import Destroyed, UserError
from iicnet_jax.evaluation.metrics import psnr
from iicnet_jax.imaging import compression
from iicnet_jax.imaging.colour import luma
from iicnet_jax.imaging.resizing import half_size, imresize
from iicnet_jax.models.baselines import low_bits
from iicnet_jax.models.baselines.low_bits import LowBits, find_header, read_header
from tests.media.pictures import smooth

HEIGHT, WIDTH = 61, 75
FRAMES = np.stack([smooth(HEIGHT, WIDTH, seed=seed) for seed in range(4)])
KINDS = {
    "hiding": {},
    "two bits": {"bits": 2},
    "three bits": {"num_images": 4, "bits": 3, "codec": "avif"},
    "grayscale": {"num_images": 1, "embedding_channels": 1, "bits": 2},
    "rescaling": {"num_images": 1, "downscaling": "bicubic", "bits": 3, "codec": "jpeg2000"},
    "grey video": {"num_images": 3, "embedding_channels": 1, "bits": 3, "codec": "jpeg2000"},
    "smaller video": {"num_images": 3, "downscaling": "mean", "bits": 3, "codec": "jpeg2000"},
    "small and grey": {
        "num_images": 1,
        "embedding_channels": 1,
        "downscaling": "mean",
        "bits": 3,
        "codec": "jpeg2000",
    },
}


@pytest.fixture(params=KINDS, ids=list(KINDS))
def kind(request):
    """A method and the images for it."""
    method = LowBits(**KINDS[request.param])
    return method, FRAMES[: method.num_images]


def test_embeddings_look_like_the_reference_and_images_come_back(kind):
    method, frames = kind
    embedding = method.embed(frames, np.uint8)
    reference = frames[0]
    if method.scale == 2:
        reference = half_size(reference, bicubic=method.downscaling == "bicubic")
    if method.embedding_channels == 1:
        reference = luma(reference)
    assert (
        embedding.shape
        == reference.shape
        == (*method.embedding_size(HEIGHT, WIDTH), method.embedding_channels)
    )
    header = read_header(embedding)
    moved = np.abs(embedding.astype(int) - reference)
    assert 0 < moved.max() <= 2**header.bits // 2, "no sample is near 0 or 255"
    restored = method.restore(embedding, (HEIGHT, WIDTH))
    assert restored.shape == frames.shape and restored.dtype == np.uint8
    for image, target in zip(restored, frames, strict=True):
        assert psnr(image, target) > 30
    # From floats, as networks compute them; and without being told what was embedded.
    np.testing.assert_array_equal(method.embed(frames), embedding.astype(np.float32))
    noisy = embedding + np.float32(1e-4)
    np.testing.assert_array_equal(method.restore(noisy, (HEIGHT, WIDTH)), restored)
    colours = np.repeat(embedding, 3 // embedding.shape[2], axis=2)
    found = LowBits().for_embedding(colours)
    assert (found.num_images, found.scale) == (method.num_images, method.scale)
    assert found.embedding_channels == method.embedding_channels
    assert found.images_size(*embedding.shape[:2]) == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(found.restore(embedding, (HEIGHT, WIDTH)), restored)


def test_restoring_is_exact_for_what_the_codec_kept(kind, monkeypatch):
    method, frames = kind
    made = []

    def compress(pictures, limit, codec):
        made.append(compression.compress(pictures, limit, codec))
        return made[-1]

    monkeypatch.setattr(low_bits, "compress", compress)
    embedding = method.embed(frames, np.uint8)
    codec = read_header(embedding).codec
    data = made[method.codecs.index(codec)]
    parts = 1 if method.scale == 2 else 2 * (method.embedding_channels == 1)
    count = parts + len(frames) - 1
    kept = compression.decompress(data, codec, (count, HEIGHT, WIDTH))
    first, *others = method.restore(embedding, (HEIGHT, WIDTH))
    for image, hidden in zip(others, kept[parts:], strict=True):
        np.testing.assert_array_equal(image, hidden)
    if method.scale == 2:
        grey = np.repeat(embedding, 3 // embedding.shape[2], axis=2)
        enlarged = imresize(grey, HEIGHT + 1, WIDTH + 1)[:HEIGHT, :WIDTH]
        np.testing.assert_array_equal(first, np.clip(enlarged + kept[0].astype(int) - 128, 0, 255))
    elif method.embedding_channels == 1:
        planes = [embedding[..., 0], kept[0, ..., 0], kept[1, ..., 0]]
        ours = Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes]).convert("RGB")
        assert np.abs(first.astype(int) - np.asarray(ours)).max() <= 1
    else:
        np.testing.assert_array_equal(first, embedding)


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_samples_move_to_the_nearest_that_has_the_bits(bits):
    step = 2**bits
    samples = np.repeat(np.arange(256, dtype=np.uint8), step)
    lowest = np.tile(np.arange(step), 256)
    stream = (lowest[:, None] >> np.arange(bits)[::-1]) & 1
    data = np.packbits(stream).tobytes()
    moved = samples.copy()
    low_bits._write(moved, data, bits)
    np.testing.assert_array_equal(moved % step, lowest)
    levels = np.arange(256)
    for before, after, rest in zip(samples.astype(int), moved.astype(int), lowest, strict=True):
        assert abs(after - before) == np.abs(levels[levels % step == rest] - before).min()
    inside = (samples >= step) & (samples < 256 - step)
    difference = moved.astype(int) - samples
    assert np.abs(difference[inside]).max() == step // 2
    assert abs(difference[inside].mean()) < 0.01, "brightness stays"


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("length", [0, 1, 7, 250])
def test_bytes_come_back_from_samples_all_over_the_picture(bits, length):
    rng = np.random.default_rng(length)
    before = rng.integers(8, 248, 2111, np.uint8)
    data = rng.integers(0, 256, length, np.uint8).tobytes()
    after = before.copy()
    low_bits._write(after, data, bits)
    assert low_bits._read(after, length, bits) == data
    (places,) = np.nonzero(before != after)
    if length == 250:
        share = np.histogram(places, 10, (0, len(before)))[0] / len(places)
        assert np.abs(share - 0.1).max() < 0.05


def test_the_format_is_the_documented_one():
    """Read by the words of docs/formats.md."""
    embedding = LowBits(3, bits=3, codec="jpeg2000").embed(FRAMES[:3], np.uint8)
    samples = [int(value) for value in embedding.reshape(-1)]
    text = "".join(str(value % 2) for value in samples[:208])
    header = int(text, 2).to_bytes(26, "big")
    fields = struct.unpack(">4sBBBBHIIII", header)
    magic, version, bits, codec, scale, images, height, width, length, checksum = fields
    assert (magic, version, codec, scale) == (b"LowB", 1, 2, 1)
    assert (images, height, width) == (3, HEIGHT, WIDTH)
    rest = samples[208:]
    assert checksum == zlib.crc32(header[:22] + bytes(4) + bytes(rest))
    groups = -(-8 * length // bits)
    read = "".join(f"{rest[i * len(rest) // groups] % 2**bits:0{bits}b}" for i in range(groups))
    data = int(read[: 8 * length], 2).to_bytes(length, "big")
    with Image.open(io.BytesIO(data)) as stack:
        assert (stack.format, stack.size) == ("JPEG2000", (WIDTH, 2 * HEIGHT))
        hidden = np.asarray(stack).reshape(2, HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(LowBits(3).restore(embedding, (HEIGHT, WIDTH))[1:], hidden)


def test_no_more_bits_are_used_than_the_codec_can_make_use_of():
    flat = np.full((2, 64, 64, 3), 90, np.uint8)
    assert read_header(LowBits(bits=3).embed(flat, np.uint8)).bits == 1
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    used = [read_header(LowBits(bits=bits).embed(noise, np.uint8)).bits for bits in (1, 2, 3)]
    assert used == [1, 2, 3]


def test_the_better_codec_is_taken():
    found = {
        codec: LowBits(bits=1, codec=codec).restore(
            LowBits(bits=1, codec=codec).embed(FRAMES[:2], np.uint8), (HEIGHT, WIDTH)
        )
        for codec in ("avif", "jpeg2000", "best")
    }
    quality = {codec: psnr(images[1], FRAMES[1]) for codec, images in found.items()}
    assert quality["avif"] != quality["jpeg2000"]
    assert quality["best"] == max(quality.values())


def jpeg(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=95, subsampling=0)
    return np.asarray(Image.open(stream))


def one_level(pixels, place):
    changed = pixels.copy()
    changed.reshape(-1)[place] += 1
    return changed


@pytest.mark.parametrize(
    "change",
    [
        jpeg,
        lambda pixels: pixels[:-1],
        lambda pixels: pixels.transpose(1, 0, 2),
        lambda pixels: pixels.reshape(WIDTH, HEIGHT, 3),
        lambda pixels: np.clip(pixels, 0, 247) + np.uint8(8),  # the lowest bits stay
        lambda pixels: one_level(pixels, 7),
        lambda pixels: one_level(pixels, 150),  # in the header's numbers
        lambda pixels: one_level(pixels, -1),
        lambda pixels: pixels[:8, :8],
    ],
)
def test_what_was_changed_gives_a_message_and_no_picture(change):
    embedding = change(LowBits(bits=3).embed(FRAMES[:2], np.uint8))
    for read in (read_header, LowBits().for_embedding):
        with pytest.raises(Destroyed, match="the embedding .* look for the original|Look for"):
            read(embedding)
    with pytest.raises(Destroyed):
        LowBits().restore(embedding, (HEIGHT, WIDTH))
    assert find_header(embedding) is None


def test_a_later_format_and_other_images_are_refused():
    embedding = LowBits().embed(FRAMES[:2], np.uint8)
    message = "holds 2 images of 75x61 .*, not 3 of 75x61 .*: use --model low_bits:images=2"
    with pytest.raises(UserError, match=message):
        LowBits(3).restore(embedding, (HEIGHT, WIDTH))
    with pytest.raises(UserError, match="not 2 of 70x61"):
        LowBits().restore(embedding, (HEIGHT, 70))
    later = embedding.copy()
    later.reshape(-1)[38] ^= 1  # the version's second lowest bit
    with pytest.raises(Destroyed, match="the format 3 of low_bits, and this version reads 1: use"):
        read_header(later)


@pytest.mark.parametrize("side", [1, 8, 12])
def test_images_that_are_too_small_are_refused(side):
    with pytest.raises(UserError, match=rf"images of {side}x{side} pixels are too small to hide"):
        LowBits(bits=3).embed(FRAMES[:2, :side, :side], np.uint8)


def test_names_have_options():
    method, task = low_bits.from_name("low_bits")
    assert (method.num_images, method.bits, task) == (2, 1, "hiding")
    method, task = low_bits.from_name("low_bits:video,bits=2,codec=avif,images=7")
    assert (method.num_images, method.bits, method.codecs, task) == (7, 2, ("avif",), "video")
    assert low_bits.from_name("low_bits:rescaling")[0].scale == 2
    assert low_bits.from_name("low_bits:grayscale")[0].embedding_channels == 1
    assert not low_bits.is_name("low_bits_of_mine")
    for wrong, message in {
        "vide": "'vide' is unknown; options, .* are a task",
        "bits=0": "bits must be one of 1, 2, 3, not 0",
        "bits=x": "'bits=x' is unknown",
        "images=1001": "num_images is 1001",
        "codec=png": "codec must be one of 'best', 'avif', 'jpeg2000', not 'png'",
    }.items():
        with pytest.raises(UserError, match=f"low_bits:{wrong}: {message}"):
            low_bits.from_name(f"low_bits:{wrong}")
