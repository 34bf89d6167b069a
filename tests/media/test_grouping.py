"""Frames into groups and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iicnet_jax.core.errors import UserError
from iicnet_jax.media.grouping import Blocks, SideBySide
from tests.media.clips import numbered


def values(frames):
    return [int(frame[0, 0, 0]) // 4 - 1 for frame in frames]


@pytest.mark.parametrize(
    ("length", "order"), [(1, [0]), (2, [1, 0]), (3, [1, 0, 2]), (5, [2, 0, 1, 3, 4])]
)
def test_the_middle_frame_is_the_reference_as_in_training(length, order):
    ((group, real),) = Blocks(length).gather(numbered(length, 2, 3))
    assert values(group) == order
    assert real == length


def test_the_last_block_is_filled_with_its_last_frame():
    groups = list(Blocks(3).gather(numbered(5, 2, 3)))
    assert [values(group) for group, _ in groups] == [[1, 0, 2], [4, 3, 4]]
    assert [real for _, real in groups] == [3, 2]


@given(st.integers(1, 9), st.integers(0, 30))
def test_blocks_come_apart_as_they_were_put_together(length, count):
    blocks, frames = Blocks(length), numbered(count, 1, 1)
    groups = list(blocks.gather(iter(frames)))
    assert len(groups) == -(-count // length)
    assert sum(real for _, real in groups) == count
    spread = [frame for group, _ in groups for frame in blocks.spread(group)]
    assert values(spread[:count]) == list(range(count))
    assert values(spread[count:]) == [count - 1] * (len(spread) - count)


def test_no_more_than_one_block_is_read_ahead():
    read = []

    def frames():
        for frame in numbered(9, 1, 1):
            read.append(frame)
            yield frame

    groups = Blocks(3).gather(frames())
    for count in (3, 6, 9):
        next(groups)
        assert len(read) == count


def test_two_views_of_a_frame_come_together_again():
    frame = np.arange(2 * 6 * 3, dtype=np.uint8).reshape(2, 6, 3)
    views = SideBySide()
    ((group, real),) = views.gather([frame])
    np.testing.assert_array_equal(group[0], frame[:, :3])
    np.testing.assert_array_equal(group[1], frame[:, 3:])
    (back,) = views.spread(group)
    np.testing.assert_array_equal(back, frame)
    assert real == 1
    assert views.frame_size(*views.image_size(2, 6)) == (2, 6)


def test_what_does_not_split_is_refused():
    with pytest.raises(UserError, match="has 7 columns, which are no two views"):
        SideBySide().image_size(2, 7)
    with pytest.raises(UserError, match="embeds 3 images, but two views need one that embeds 2"):
        SideBySide(3)
