"""Videos of users: read within limits, written without loss, with the sound as it was."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from clips import RATE, numbered, numbers, read_clip, write_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import noise
from PIL import Image

from iicnet_jax.errors import UserError
from iicnet_jax.media import video_file
from iicnet_jax.media.video_file import Limits, examine, read_frames, write_video
from tests import mp4


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4), st.fractions("1/100", 240))
def test_frames_come_back_to_the_bit(tmp_path_factory, height, width, count, rate):
    rate = rate.limit_denominator(1001)
    path = tmp_path_factory.mktemp("video") / "a.mkv"
    frames = [noise(height, width, seed=i) for i in range(count)]
    write_video(path, frames, (height, width), rate)
    video = examine(path)
    np.testing.assert_array_equal(list(read_frames(video)), frames)
    assert (video.size, video.frames, video.sound) == ((height, width), count, False)
    assert abs(video.rate / rate - 1) < 1e-6


def test_large_frames_come_back_to_the_bit(tmp_path):
    """High-definition videos have another matrix from YUV to RGB; there is none here."""
    frame = noise(720, 1280)
    write_video(tmp_path / "a.mkv", [frame], (720, 1280), Fraction(25))
    (read,) = read_frames(examine(tmp_path / "a.mkv"))
    np.testing.assert_array_equal(read, frame)


@pytest.mark.parametrize("rate", [25, 24, "24000/1001", "30000/1001", "60000/1001", "10/3", "1/2"])
@pytest.mark.parametrize("container", [".mkv", ".mp4"])
def test_common_rates_are_exact(tmp_path, rate, container):
    path = tmp_path / f"a{container}"
    write_video(path, numbered(8), (16, 16), Fraction(rate), container=container)
    assert examine(path).rate == Fraction(rate)
    assert examine(path).notes == ()


@pytest.mark.parametrize("size", [(48, 64), (720, 1280)])
def test_colours_of_an_mp4_are_those_that_went_in(tmp_path, size):
    colours = np.uint8([(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)])
    frames = [np.broadcast_to(colour, (*size, 3)).copy() for colour in colours]
    write_video(tmp_path / "a.mp4", frames, size, RATE, container=".mp4")
    read = np.array([frame.mean(axis=(0, 1)) for frame in read_frames(examine(tmp_path / "a.mp4"))])
    np.testing.assert_allclose(read, colours, atol=3)


def test_a_cover_is_no_video(tmp_path):
    cover = tmp_path / "cover.png"
    Image.fromarray(noise(30, 20)).save(cover)
    for name, codec in [("video.mkv", "libx264rgb"), ("nothing.mkv", None)]:
        with av.open(str(tmp_path / name), "w") as output:
            output.add_attachment("cover.png", "image/png", cover.read_bytes())
            stream = output.add_stream(codec or "libopus", rate=None if codec else 48000)
            if codec:
                stream.pix_fmt, stream.height, stream.width = "rgb24", 16, 16
                frame = av.VideoFrame.from_ndarray(noise(16, 16), format="rgb24")
            else:
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "stereo")
                frame.sample_rate = 48000
            output.mux([*stream.encode(frame), *stream.encode(None)])
    assert examine(tmp_path / "video.mkv").size == (16, 16)
    with pytest.raises(UserError, match=r"nothing\.mkv holds no video: name another file"):
        examine(tmp_path / "nothing.mkv")


@pytest.mark.parametrize(
    ("size", "matrix"), [((576, 720), Colorspace.ITU601), ((720, 1280), Colorspace.ITU709)]
)
def test_colours_of_videos_that_do_not_say_their_matrix(tmp_path, size, matrix):
    """They mean what players take them for, which depends on their size."""
    colour = np.uint8([30, 200, 30])
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.pix_fmt, (stream.height, stream.width) = "yuv420p", size
        frame = av.VideoFrame.from_ndarray(np.broadcast_to(colour, (*size, 3)).copy(), "rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2
        output.mux([*stream.encode(frame), *stream.encode(None)])
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).colorspace == 2
    (read,) = read_frames(examine(path))
    np.testing.assert_allclose(read.mean(axis=(0, 1)), colour, atol=3)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi"])
def test_every_allowed_format_is_read(tmp_path, suffix):
    path = write_clip(tmp_path / f"a.{suffix}", numbered(7), codec="libx264rgb")
    video = examine(path)
    assert numbers(read_frames(video)) == list(range(7))
    assert (video.frames, video.rate) == (7, RATE)


def test_other_formats_are_refused_even_if_ffmpeg_knows_them(tmp_path):
    target = write_clip(tmp_path / "secret.mp4", numbered(2))
    playlist = tmp_path / "a.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {target.name}\n")
    flv = write_clip(tmp_path / "a.flv", numbered(2), codec="flv", bf="0")
    for path in (playlist, flv):
        with pytest.raises(UserError, match=r"cannot be read as a video .*to one of MP4"):
            examine(path)


def test_names_are_files_and_never_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mkv", numbered(2)).rename("concat:b.mkv")
    assert examine(Path("concat:b.mkv")).frames == 2
    write_video(Path("pipe:c.mkv"), numbered(2), (16, 16), RATE)
    assert (tmp_path / "pipe:c.mkv").stat().st_size > 0


def test_files_that_are_no_videos_are_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no file .*nothing\.mp4"):
        examine(tmp_path / "nothing.mp4")
    with pytest.raises(UserError, match="cannot be opened: Is a directory"):
        examine(tmp_path)
    (tmp_path / "a.mp4").write_text("hello")
    with pytest.raises(UserError, match=r"a\.mp4 cannot be read as a video"):
        examine(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "sound.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate = 48000
        output.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(UserError, match=r"sound\.mp4 holds no video: name another file"):
        examine(tmp_path / "sound.mp4")


def test_half_an_mp4_is_refused_and_half_an_mkv_is_shorter(tmp_path):
    """An MKV is written so that it can be read up to any point."""
    for suffix in ("mp4", "mkv"):
        path = write_clip(tmp_path / f"a.{suffix}", [noise(16, 16, seed=i) for i in range(20)])
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    assert 5 < len(list(read_frames(examine(tmp_path / "a.mkv")))) < 15
    with pytest.raises(UserError, match="replace the file"):
        examine(tmp_path / "a.mp4")


def test_a_cut_mp4_with_its_index_in_front_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    detailed = [noise(16, 16, seed=i) for i in range(20)]
    mp4.write_video(path, detailed, container={"movflags": "faststart"})
    assert examine(path).frames == 20
    with av.open(str(path)) as container:
        last = max(packet.pos for packet in container.demux(video=0) if packet.size)
    data = path.read_bytes()
    for end, message in [(last, "ends too early"), (last + 9, "is damaged")]:
        path.write_bytes(data[:end])
        with pytest.raises(UserError, match=rf"a\.mp4 {message}: replace the file"):
            examine(path)


def test_limits_are_checked_before_frames_are_decoded(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mkv", numbered(10), rate=1)
    assert examine(path, Limits(256, 10, 10)).frames == 10
    monkeypatch.setattr(video_file, "_decoded", lambda *_: pytest.fail("a frame was decoded"))
    for limits, message in [
        (Limits(pixels=255), "more than 0.000255 megapixels: .*--max-pixels"),
        (Limits(frames=9), "has more than 9 frames: .*--max-frames"),
        (Limits(seconds=9.5), "lasts 10 seconds, and at most 9.5 are read: .*--max-seconds"),
    ]:
        with pytest.raises(UserError, match=message):
            examine(path, limits)


def test_sides_are_limited_too(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mkv", numbered(2, 16, 18))
    monkeypatch.setattr(video_file, "MAX_SIDE", 17)
    with pytest.raises(UserError, match="has frames of 18x16 pixels, and at most 17 a side"):
        examine(path)


def test_frames_beyond_what_the_file_counts_are_not_read(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mkv", numbered(10))
    video = examine(path)
    monkeypatch.setattr(video_file, "_too_many", lambda limits: f"too many: {limits.frames}")
    object.__setattr__(video, "limits", Limits(frames=4))
    frames = read_frames(video)
    assert numbers([next(frames) for _ in range(4)]) == [0, 1, 2, 3]
    with pytest.raises(UserError, match="too many: 4"):
        next(frames)


def test_uneven_times_are_evened_out_with_a_note(tmp_path):
    times = [0, 1, 2, 3, 10, 20, 21, 22]
    path = write_clip(tmp_path / "a.mp4", numbered(8), rate=10, times=times)
    video = examine(path)
    assert numbers(read_frames(video)) == list(range(8))
    assert video.rate == Fraction(7 * 10, 22)
    assert video.notes == ("has frames at uneven times: they are shown evenly, 3.18182 a second",)


def test_what_is_not_kept_is_told(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.pix_fmt, stream.height, stream.width = "yuva420p10le", 16, 16
        frame = av.VideoFrame.from_ndarray(noise(16, 16), format="rgb24").reformat(
            format="yuva420p10le"
        )
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    notes = " ".join(examine(path).notes)
    assert "has 10 bits a channel, and is reduced to 8" in notes
    assert "has transparency" in notes


def test_pixels_that_are_not_square_are_told(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.pix_fmt, stream.height, stream.width = "yuv420p", 16, 16
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(noise(16, 16), format="rgb24")))
        output.mux(stream.encode(None))
    assert "not square" in examine(path).notes[0]


@pytest.mark.parametrize(("suffix", "sound"), [("mp4", "aac"), ("mkv", "libopus"), ("mkv", "flac")])
def test_sound_is_copied_packet_by_packet(tmp_path, suffix, sound):
    source = write_clip(tmp_path / f"a.{suffix}", numbered(20), sound=sound)
    before = read_clip(source)
    assert len(before.sound_packets) > 5
    for container in (".mkv", ".mp4"):
        path = tmp_path / f"b{container}"
        video = examine(source)
        notes = write_video(path, numbered(4), (16, 16), RATE / 5, container=container, sound=video)
        after = read_clip(path)
        assert (after.sound, after.sound_packets) == (before.sound, before.sound_packets)
        assert notes == ()
        assert abs(after.seconds - before.seconds) < 0.1


def first_times(path):
    """Seconds at which sound and pictures begin."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        return [
            min(packet.pts * packet.time_base for packet in packets if packet.stream.type == kind)
            for kind in ("audio", "video")
        ]


def test_sound_and_pictures_stay_together(tmp_path):
    """A video whose pictures begin a second after its sound, as cut ones do."""
    source = write_clip(
        tmp_path / "a.mkv", numbered(20), rate=10, times=range(10, 30), sound="libopus"
    )
    sound, pictures = first_times(source)
    assert 0.9 < pictures - sound < 1.1
    write_video(tmp_path / "b.mkv", numbered(20), (16, 16), Fraction(10), sound=examine(source))
    copied_sound, copied_pictures = first_times(tmp_path / "b.mkv")
    assert abs((copied_pictures - copied_sound) - (pictures - sound)) < 0.002


def test_packets_of_less_than_a_millisecond_are_copied_to_an_mkv(tmp_path):
    source = write_clip(tmp_path / "a.mkv", numbered(3), sound="pcm_s16le", chunk=24)
    write_video(tmp_path / "b.mkv", numbered(3), (16, 16), RATE, sound=examine(source))
    before, after = read_clip(source), read_clip(tmp_path / "b.mkv")
    assert len(after.sound_packets) > 150
    assert after.sound_packets == before.sound_packets
    with pytest.raises(UserError, match=r"a\.mkv has no usable times in its audio .*--no-sound"):
        write_video(
            tmp_path / "b.mp4",
            numbered(3),
            (16, 16),
            RATE,
            container=".mp4",
            sound=examine(source),
        )


def test_sound_that_the_format_cannot_hold_is_left_out_with_a_note(tmp_path):
    source = write_clip(tmp_path / "a.mkv", numbered(20), sound="tta")
    notes = write_video(
        tmp_path / "b.mp4", numbered(4), (16, 16), RATE, container=".mp4", sound=examine(source)
    )
    assert notes == ("has no sound: .mp4 cannot hold tta",)
    assert read_clip(tmp_path / "b.mp4").sound is None
    write_video(tmp_path / "b.mkv", numbered(4), (16, 16), RATE, sound=examine(source))
    assert read_clip(tmp_path / "b.mkv").sound == "tta"


def test_sound_that_cannot_be_copied_is_named(tmp_path):
    """A damaged description of its coding, which survives one copy."""
    source = write_clip(tmp_path / "original.mkv", numbered(3), sound="aac")
    data = bytearray(source.read_bytes())
    private = data.index(b"A_AAC")
    data[data.index(b"\x63\xa2\x85", private) + 3] = 0x7E
    source.write_bytes(data)
    write_video(tmp_path / "a.mkv", numbered(3), (16, 16), RATE, sound=examine(source))
    source = tmp_path / "a.mkv"
    message = r"a\.mkv has sound that cannot be copied \(Invalid .*: leave it out with --no-sound"
    with pytest.raises(UserError, match=message):
        write_video(tmp_path / "b.mkv", numbered(3), (16, 16), RATE, sound=examine(source))


def test_a_filmed_rotation_is_undone(tmp_path):
    """As phones write it: the frames lie on their side."""
    path = tmp_path / "a.mp4"
    write_clip(path, [np.repeat(np.uint8([[[250, 0, 0]], [[0, 0, 250]]]), 16, 0).repeat(48, 1)])
    data = bytearray(path.read_bytes())
    # The matrix in the track's header: a quarter turn instead of the identity.
    upright = bytes.fromhex("00010000 00000000 00000000 00000000 00010000 00000000 00000000")
    turned = bytes.fromhex("00000000 00010000 00000000 ffff0000 00000000 00000000 00000000")
    start = data.index(upright, data.index(b"tkhd"))
    data[start : start + len(turned)] = turned
    path.write_bytes(data)
    video = examine(path)
    assert video.size == (48, 32)
    assert "is turned upright" in video.notes[0]
    (frame,) = read_frames(video)
    # Turned clockwise, the upper half comes to the right.
    assert frame[24, 30, 0] > 200 and frame[24, 1, 2] > 200
