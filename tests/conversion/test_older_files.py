"""Embeddings that an older version wrote with the bundled models come back as it restored them.

Those in `older` were made before there was a `Codec`, of pictures of scikit-image at 48x32 pixels
(47x31 for rescaling), with `iicnet embed` and `iicnet stereo embed`; beside each stands what
`restore` then gave.
"""

from pathlib import Path

import numpy as np
import pytest

import iicnet_jax
from iicnet_jax.imaging.picture_reader import read_picture

OLDER = Path(__file__).with_name("older")


@pytest.mark.parametrize("name", ["hiding", "grayscale", "rescaling", "stereo"])
def test_older_embeddings_are_restored_as_before(name):
    before = [read_picture(path).pixels for path in sorted(OLDER.glob(f"{name}_*.png"))]
    restored = iicnet_jax.load(name).read(OLDER / f"{name}.png")
    assert len(before) == len(restored) == (2 if name in ("hiding", "stereo") else 1)
    # Tests are compiled with other options than programs: a sum may round the other way.
    difference = np.abs(restored.astype(int) - np.stack(before))
    assert difference.max() <= 1 and (difference > 0).mean() <= 0.001
