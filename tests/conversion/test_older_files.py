"""Embeddings that an older version wrote with the bundled models come back as it restored them.

`older/NAME-1.png`, `NAME-2.png`, ... were made by the models that were replaced first, second, ...,
of pictures of scikit-image at 48x32 pixels (47x31 for rescaling; 47x29 for `hiding-3`, when
embeddings were cut to the pictures' size), with `iicnet embed`, `iicnet stereo embed` and `iicnet
gif embed`; beside each stands what `restore` then gave.
"""

from pathlib import Path

import numpy as np
import pytest

import iicnet_jax
from iicnet_jax import bundled
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.media.embedding_file import examine

OLDER = Path(__file__).with_name("older")
NAMES = sorted(path.stem for path in OLDER.glob("*-[0-9].png"))


def test_every_replaced_model_has_an_older_embedding():
    assert sorted(bundled.earlier()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_older_embeddings_are_restored_as_before(name):
    before = [read_picture(path).pixels for path in sorted(OLDER.glob(f"{name}_*.png"))]
    model = bundled.for_record(OLDER, examine(OLDER / f"{name}.png").record)
    assert model == bundled.find(name)
    restored = iicnet_jax.load(model).read(OLDER / f"{name}.png")
    task = name.rpartition("-")[0].removesuffix("_robust")
    count = {"hiding": 2, "hiding3": 3, "hiding4": 4, "stereo": 2, "video": 5}.get(task, 1)
    assert len(before) == len(restored) == count
    # Tests are compiled with other options than programs: a sum may round the other way.
    difference = np.abs(restored.astype(int) - np.stack(before))
    assert difference.max() <= 1 and (difference > 0).mean() <= 0.001
