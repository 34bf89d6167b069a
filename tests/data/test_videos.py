"""Frames of video files: counting, random access, and what may be wrong with a file."""

import struct

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from iicnet_jax.core.errors import UserError
from iicnet_jax.data import videos
from tests.mp4 import grey, with_edits, write_video

FRAMES = 40
# The ways in which frames can depend on one another. With an open group of pictures, frames that
# are shown before a key frame are stored behind it and depend on frames before it.
CODINGS = {
    "every frame a key frame": {"codec": "libx264", "g": "1"},
    "no B-frames": {"codec": "libx264", "bf": "0"},
    "B-frames": {"codec": "libx264", "bf": "3"},
    "open": {
        "codec": "libx264",
        "x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=10:min-keyint=5:scenecut=0",
    },
    "open, key frames close together": {
        "codec": "libx264",
        "x264-params": "open-gop=1:bframes=7:b-adapt=0:keyint=4:min-keyint=2:scenecut=0",
    },
    "MPEG-4": {"codec": "mpeg4", "bf": "2"},
    "in fragments": {"codec": "libx264", "bf": "2", "container": {"movflags": "frag_keyframe"}},
}


def moving(count=FRAMES, height=48, width=64):
    """Noise that moves and becomes brighter: no two frames are alike."""
    noise = np.random.default_rng(0).integers(0, 128, (height, width, 3), dtype=np.uint8)
    return [np.roll(noise, 2 * number, axis=1) + np.uint8(3 * number) for number in range(count)]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """To be read only."""
    return write_video(tmp_path_factory.mktemp("video") / "walk.mp4", moving(), bf="3")


def packets(path):
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.pts is not None]


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
@pytest.mark.parametrize("times", ["even", "uneven"])
def test_every_frame_by_itself_is_that_of_the_whole_video(tmp_path, coding, times):
    if coding["codec"] not in av.codecs_available:
        pytest.skip(f"the wheel of PyAV has no {coding['codec']}")
    steps = (
        np.random.default_rng(1).integers(1, 4, FRAMES) if times == "uneven" else np.ones(FRAMES)
    )
    times = np.cumsum(steps).astype(int).tolist()
    path = write_video(tmp_path / "walk.mp4", moving(), times, **coding)
    assert sum(packet.is_keyframe for packet in packets(path)) > 3
    sequence = list(videos.read_frames(path))
    assert videos.count_frames(path) == len(sequence) == FRAMES
    # Backwards, so that nothing depends on the frames that were read before.
    for number in reversed(range(FRAMES)):
        np.testing.assert_array_equal(videos.read_frame(path, number), sequence[number])


def test_frames_are_8_bit_rgb_in_time_order(tmp_path):
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)]
    frames = [np.broadcast_to(np.uint8(colour), (32, 48, 3)).copy() for colour in colours]
    path = write_video(tmp_path / "colours.mp4", frames, bf="2")
    for number, colour in enumerate(colours):
        frame = videos.read_frame(path, number)
        assert frame.dtype == np.uint8 and frame.shape == (32, 48, 3)
        np.testing.assert_allclose(frame.mean(axis=(0, 1)), colour, atol=6)
    assert videos.size(path) == (32, 48)


def test_frames_that_the_file_cuts_are_not_counted(tmp_path):
    """What lies before time 0 is there for the decoder alone."""
    path = write_video(tmp_path / "cut.mp4", moving(), list(range(-7, FRAMES - 7)), bf="3")
    assert len(packets(path)) == FRAMES
    sequence = list(videos.read_frames(path))
    assert videos.count_frames(path) == len(sequence) == FRAMES - 7
    np.testing.assert_array_equal(videos.read_frame(path, 0), sequence[0])
    np.testing.assert_array_equal(videos.read_frame(path, FRAMES - 8), sequence[-1])


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((0, -1, 1, 0), np.rot90),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda image: np.rot90(image, 2).swapaxes(0, 1)),
    ],
)
def test_frames_are_shown_as_the_display_matrix_says(tmp_path, video, matrix, shown):
    """The matrix in the track's header, as the ISO base media file format defines it."""
    a, b, c, d = (value * 65536 for value in matrix)
    content = bytearray(video.read_bytes())
    place = content.index(b"tkhd") + 44
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(content)
    for number in (0, 17):
        upright = shown(videos.read_frame(video, number))
        np.testing.assert_array_equal(videos.read_frame(turned, number), upright)
    np.testing.assert_array_equal(next(videos.read_frames(turned))[..., 0].shape, upright.shape[:2])
    assert videos.size(turned) == upright.shape[:2]


@pytest.mark.parametrize(
    ("size", "matrix"), [((576, 720), Colorspace.ITU601), ((720, 1280), Colorspace.ITU709)]
)
def test_colours_of_videos_that_do_not_say_their_matrix(tmp_path, size, matrix):
    """They mean what players take them for, which depends on their size."""
    colour, path = np.uint8([30, 200, 30]), tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.pix_fmt, (stream.height, stream.width) = "yuv420p", size
        frame = av.VideoFrame.from_ndarray(np.broadcast_to(colour, (*size, 3)).copy(), "rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2
        output.mux([*stream.encode(frame), *stream.encode(None)])
    for read in (videos.read_frame(path, 0), next(videos.read_frames(path))):
        np.testing.assert_allclose(read.mean(axis=(0, 1)), colour, atol=3)


@pytest.mark.parametrize(
    "edits", [[(13, 20)], [(5, 6), (20, 7)], [(20, 7), (5, 6)], [(5, 6), (5, 6)]]
)
def test_frames_are_those_that_an_edit_list_shows(tmp_path, edits):
    """Trimmed, cut out, exchanged, repeated."""
    path = write_video(tmp_path / "whole.mp4", moving(), bf="3")
    whole = list(videos.read_frames(path))
    expected = [whole[number] for first, count in edits for number in range(first, first + count)]
    edited = with_edits(path.rename(tmp_path / "edited.mp4"), edits, 25)
    assert videos.count_frames(edited) == len(expected)
    np.testing.assert_array_equal(list(videos.read_frames(edited)), expected)
    for number, frame in enumerate(expected):
        np.testing.assert_array_equal(videos.read_frame(edited, number), frame)


@pytest.mark.parametrize("number", [-1, FRAMES])
def test_a_frame_out_of_range_is_an_error(video, number):
    with pytest.raises(UserError, match=rf"walk\.mp4 has 40 frames, no number {number}"):
        videos.read_frame(video, number)


@pytest.mark.parametrize(
    "read",
    [
        videos.count_frames,
        videos.size,
        lambda path: videos.read_frame(path, 0),
        lambda path: list(videos.read_frames(path)),
    ],
)
class TestWrongFiles:
    def test_a_missing_file_is_named(self, tmp_path, read):
        with pytest.raises(UserError, match=r"there is no file .*none\.mp4"):
            read(tmp_path / "none.mp4")

    @pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
    def test_a_file_that_is_no_video_is_named(self, tmp_path, read, content):
        (tmp_path / "text.mp4").write_bytes(content)
        with pytest.raises(UserError, match=r"text\.mp4 cannot be read as a video"):
            read(tmp_path / "text.mp4")

    def test_a_folder_is_no_video(self, tmp_path, read):
        with pytest.raises(UserError, match="cannot be opened: Is a directory"):
            read(tmp_path)

    def test_a_file_with_sound_alone_is_named(self, tmp_path, read):
        with av.open(str(tmp_path / "sound.mp4"), "w") as output:
            stream = output.add_stream("aac", rate=44_100, layout="mono")
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44_100, 0
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        with pytest.raises(UserError, match=r"sound\.mp4 holds no video"):
            read(tmp_path / "sound.mp4")

    def test_a_file_cut_before_its_index_is_named(self, tmp_path, video, read):
        content = video.read_bytes()
        (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
        with pytest.raises(UserError, match=r"cut\.mp4 cannot be read as a video"):
            read(tmp_path / "cut.mp4")


@pytest.mark.parametrize("part", [0.3, 0.99])
def test_a_file_cut_behind_its_index_is_named(tmp_path, part):
    path = write_video(tmp_path / "whole.mp4", moving(), container={"movflags": "faststart"})
    content = path.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: int(len(content) * part)])
    with pytest.raises(UserError, match=r"cut\.mp4 (ends too early|is damaged): replace the file"):
        videos.count_frames(tmp_path / "cut.mp4")


@pytest.mark.parametrize("length", [40, 4000])
def test_damaged_frames_are_an_error(tmp_path, video, length):
    """As far as the decoder finds out: what it patches up, and what it cannot decode."""
    message = "(has damaged frames|cannot be read as a video)"
    content = bytearray(video.read_bytes())
    place = content.index(b"mdat") + 3200
    content[place : place + length] = bytes(length)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"damaged\.mp4 {message}"):
        list(videos.read_frames(path))
    with pytest.raises(UserError, match=rf"damaged\.mp4 {message}"):
        _ = [videos.read_frame(path, number) for number in range(FRAMES)]


def test_a_video_of_one_frame(tmp_path):
    path = write_video(tmp_path / "one.mp4", [grey(90, 32, 32)])
    assert videos.count_frames(path) == 1
    np.testing.assert_allclose(videos.read_frame(path, 0), 90, atol=3)
