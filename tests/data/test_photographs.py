"""Camera pans over photographs."""

import numpy as np
import pytest

from iicnet_jax.data.photographs import FILES, Photographs
from iicnet_jax.errors import UserError

RAMP = np.stack(np.broadcast_arrays(*np.indices((40, 50)), 0), axis=-1).astype(np.uint8)


def test_no_photograph_is_in_two_splits():
    names = [name for split in FILES.values() for name in split]
    assert len(names) == len(set(names))


def test_evaluation_pans_to_the_right_with_the_middle_image_first():
    group = Photographs(num_images=3, crop=8, pan=4).evaluation_group((RAMP,))
    columns = [int(image[0, 0, 1]) for image in group["frames"]]
    assert columns == [4, 0, 8]
    assert group["frames"].shape == (3, 40, 42, 3)
    np.testing.assert_array_equal(group["reference"], group["frames"][0])


def test_training_pans_in_all_four_directions():
    regime = Photographs(num_images=3, crop=8, pan=2)
    rng = np.random.default_rng(0)
    ways = set()
    for _ in range(50):
        frames = regime.training_group((RAMP,), rng)["frames"].astype(int)
        assert frames.shape == (3, 8, 8, 3)
        middle, first, last = frames[:, 0, 0, :2]
        np.testing.assert_array_equal(middle - first, last - middle)
        ways.add(tuple((middle - first).tolist()))
    assert ways == {(0, 2), (0, -2), (2, 0), (-2, 0)}


def test_the_reference_of_a_downscaling_network_is_half_the_size():
    view = np.full((41, 51, 3), 90, np.uint8)
    group = Photographs(num_images=2, crop=8, pan=2, scale=2).evaluation_group((view,))
    assert group["frames"].shape == (2, 40, 48, 3)
    assert group["reference"].shape == (20, 24, 3)
    assert (group["reference"] == 90).all()


def test_a_pan_that_does_not_fit_is_an_error():
    with pytest.raises(UserError, match="60 pixels does not fit on a photograph of 40x50"):
        Photographs(num_images=3, crop=8, pan=30).evaluation_group((RAMP,))
    with pytest.raises(UserError, match="smaller than the crop"):
        Photographs(num_images=3, crop=45, pan=2).training_group((RAMP,), np.random.default_rng(0))


def test_the_photographs_are_in_the_installed_package():
    regime = Photographs(num_images=2, crop=8, pan=2)
    for split, files in FILES.items():
        assert len(regime.names(split)) == len(files)
        assert regime.load(split, 0)[0].shape[-1] == 3
