"""Videos of users: read within limits, written without loss, with the sound as it was."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging import video_reader
from iicnet_jax.imaging.video_reader import Limits, examine, read_frames
from iicnet_jax.media.video_file import write_video
from tests import mp4
from tests.media.clips import RATE, numbered, numbers, read_clip, write_clip
from tests.media.pictures import noise

FILES = Path(__file__).parent / "videos"  # of other programs


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


@pytest.mark.parametrize(("first", "count"), [(0, 30), (0, 17), (13, 17), (8, 5), (29, 1)])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_frames_that_an_edit_list_leaves_out_are_not_read(tmp_path, codec, first, count):
    """As trimming without coding anew leaves them."""
    frames = [noise(16, 16, seed=i) for i in range(30)]
    path = write_clip(tmp_path / "a.mp4", frames, rate=15, codec=codec, bf="2", g="12", sound="aac")
    whole = list(read_frames(examine(path)))
    video = examine(mp4.with_edits(path, [(first, count)], 15))
    assert (video.frames, video.start, video.notes) == (count, 0, ())
    np.testing.assert_array_equal(list(read_frames(video)), whole[first : first + count])
    # What is missing of a file that was cut may also be sound.
    data = path.read_bytes()
    place = data.index(b"mdat") - 4
    size = int.from_bytes(data[place : place + 4], "big")
    front = with_index_in_front(data, place, size)
    path.write_bytes(front)
    assert len(list(read_frames(examine(path)))) == count
    for part in (0.5, 0.9, 0.999):
        path.write_bytes(front[: int(len(front) * part)])
        with pytest.raises(UserError, match=r"(ends too early|is damaged): replace the file"):
            examine(path)


def with_index_in_front(data, place, size):
    """An MP4 whose frames come last."""
    index = bytearray(data[place + size :])
    at = 0
    while (at := index.find(b"stco", at + 1)) >= 0:
        for entry in range(int.from_bytes(index[at + 8 : at + 12], "big")):
            offset = at + 12 + 4 * entry
            moved = int.from_bytes(index[offset : offset + 4], "big") + len(index)
            index[offset : offset + 4] = moved.to_bytes(4, "big")
    return data[:place] + bytes(index) + data[place : place + size]


@pytest.mark.parametrize("times", [[0, 1, 2, 5, 6, 7], [0, 1, 2, 3, 4, 9]])
def test_an_avi_with_dropped_frames_is_read(tmp_path, times):
    """Empty slots are counted by the header, and are no frames."""
    path = write_clip(tmp_path / "a.avi", numbered(6), rate=10, times=times)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames > 6
    video = examine(path)
    assert video.frames == 6
    assert numbers(read_frames(video)) == list(range(6))
    assert "uneven times" in video.notes[0]


@pytest.mark.parametrize("sound", [None, "pcm_s16le", "wmav2", "libmp3lame"])
def test_an_avi_whose_header_counts_too_many_is_read_unless_it_was_cut(tmp_path, sound):
    frames = [noise(16, 16, seed=i) for i in range(20)]
    path = write_clip(tmp_path / "a.avi", frames, codec="mpeg4", sound=sound, bf="0")
    data = bytearray(path.read_bytes())
    count = data.index(b"strh") + 40
    data[count : count + 4] = (int.from_bytes(data[count : count + 4], "little") + 1).to_bytes(
        4, "little"
    )
    path.write_bytes(data)
    assert len(list(read_frames(examine(path)))) == 20
    for part in (0.5, 0.9, 0.99):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(UserError, match="replace the file"):
            examine(path)


def test_limits_are_checked_before_frames_are_decoded(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mkv", numbered(10), rate=1)
    assert examine(path, Limits(256, 10, 10)).frames == 10
    monkeypatch.setattr(video_reader, "decoded", lambda *_: pytest.fail("a frame was decoded"))
    for limits, message in [
        (Limits(pixels=255), "more than 0.000255 megapixels: .*--max-pixels"),
        (Limits(frames=9), "has more than 9 frames: .*--max-frames"),
        (Limits(seconds=9.5), "lasts 10 seconds, and at most 9.5 are read: .*--max-seconds"),
    ]:
        with pytest.raises(UserError, match=message):
            examine(path, limits)


def test_sides_are_limited_too(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mkv", numbered(2, 16, 18))
    monkeypatch.setattr(video_reader, "MAX_SIDE", 17)
    with pytest.raises(UserError, match="has frames of 18x16 pixels, and at most 17 a side"):
        examine(path)


def test_frames_beyond_what_the_file_counts_are_not_read(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mkv", numbered(10))
    video = examine(path)
    monkeypatch.setattr(video_reader, "_too_many", lambda limits: f"too many: {limits.frames}")
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


def test_transparency_that_is_kept_beside_the_frames_is_told():
    assert examine(FILES / "alpha.webm").notes == ("has transparency, which is left out",)


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


def heard_before_seen(path):
    """Seconds from the first sample that is heard to the first frame that is shown."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        seen = frame.pts * frame.time_base
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = av.AudioResampler("fltp", "mono").resample(frame)[0].to_ndarray()[0]
            loud = np.flatnonzero(np.abs(samples) > 0.05)
            if len(loud):
                return float(seen - frame.pts * frame.time_base) - loud[0] / frame.sample_rate
    raise AssertionError("nothing is heard")


@pytest.mark.parametrize("container", [".mkv", ".mp4"])
@pytest.mark.parametrize(("first_frame", "first_sound"), [(7, 0), (3, 0.05), (0, 0.7)])
@pytest.mark.parametrize(
    ("suffix", "sound"),
    [("mkv", "libopus"), ("mp4", "aac"), ("mov", "pcm_s16be"), ("mkv", "pcm_s16le")],
)
def test_sound_and_pictures_stay_together(
    tmp_path, suffix, sound, first_frame, first_sound, container
):
    """Cut videos often begin with one of them; MP4 cuts what has a negative time."""
    source = write_clip(
        tmp_path / f"a.{suffix}",
        numbered(10),
        rate=10,
        times=range(first_frame, first_frame + 10),
        sound=sound,
        sound_start=first_sound,
    )
    before = heard_before_seen(source)
    assert abs(before - (first_frame / 10 - first_sound)) < 0.03
    path = tmp_path / f"b{container}"
    write_video(
        path, numbered(10), (16, 16), Fraction(10), container=container, sound=examine(source)
    )
    assert abs(heard_before_seen(path) - before) < 0.004
    assert examine(path).rate == 10
    assert abs(read_clip(path).seconds - read_clip(source).seconds) < 0.1


# By codec: the container that can hold it. Not PCM in its many widths.
SOUNDS = {
    "aac": "mp4", "ac3": "mkv", "adpcm_ima_qt": "mov", "adpcm_ima_wav": "avi", "adpcm_ms": "avi",
    "adpcm_swf": "avi", "adpcm_yamaha": "avi", "alac": "mp4", "dfpwm": "avi", "eac3": "mkv",
    "flac": "mkv", "g722": "avi", "libmp3lame": "avi", "libopus": "mkv", "mp2": "mkv",
    "pcm_alaw": "mov", "pcm_f32be": "mov", "pcm_f32le": "mkv", "pcm_f64le": "avi",
    "pcm_mulaw": "avi", "pcm_s16be": "mov", "pcm_s16le": "avi", "pcm_s24le": "mkv",
    "pcm_s32be": "mov", "pcm_s64le": "avi", "pcm_s8": "mov", "pcm_u8": "mkv", "tta": "mkv",
    "wavpack": "mkv", "wmav1": "avi", "wmav2": "avi",
}  # fmt: skip


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize(("codec", "suffix"), SOUNDS.items(), ids=SOUNDS)
def test_every_sound_is_kept(tmp_path, codec, suffix, layout):
    """Copied, or coded anew with a note."""
    if codec not in av.codecs_available:
        pytest.skip(f"the wheel of PyAV has no {codec}")
    rate = 44_100 if codec == "adpcm_swf" else 48_000
    channels = "mono" if codec == "g722" else layout
    source = write_clip(
        tmp_path / f"a.{suffix}",
        numbered(10),
        rate=25,
        codec="mpeg4",
        sound=codec,
        sound_rate=rate,
        layout=channels,
    )
    video = examine(source)
    for container, other in ((".mkv", "flac"), (".mp4", "aac")):
        path = tmp_path / f"b{container}"
        notes = write_video(
            path, numbered(10), (16, 16), Fraction(25), container=container, sound=video
        )
        assert_tone(path, 440, 0.4)
        if notes:
            kept = f"has its sound as {other.upper()}, {channels}: {container} does not take"
            assert notes[0].startswith(kept) and read_clip(path).sound == other
        else:
            assert read_clip(path).sound_packets == read_clip(source).sound_packets


def assert_tone(path, hertz, seconds):
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        frames = [*container.decode(audio=0), None]
        heard = np.concatenate(
            [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
        )
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert abs(spectrum.argmax() * 48_000 / len(heard) - hertz) < 4
    assert abs(len(heard) / 48_000 - seconds) < 0.07


def test_packets_of_less_than_a_millisecond_are_copied_to_an_mkv(tmp_path):
    source = write_clip(tmp_path / "a.mkv", numbered(3), sound="pcm_s16le", chunk=24)
    write_video(tmp_path / "b.mkv", numbered(3), (16, 16), RATE, sound=examine(source))
    before, after = read_clip(source), read_clip(tmp_path / "b.mkv")
    assert len(after.sound_packets) > 150
    assert after.sound_packets == before.sound_packets
    # Two packets cannot have the same time there.
    notes = write_video(
        tmp_path / "b.mp4", numbered(3), (16, 16), RATE, container=".mp4", sound=examine(source)
    )
    assert "as AAC, mono" in notes[0]
    assert_tone(tmp_path / "b.mp4", 440, 0.1)


def test_sound_that_can_be_neither_copied_nor_decoded_is_left_out_with_a_note(tmp_path):
    """A damaged description of its coding, which survives one copy."""
    source = write_clip(tmp_path / "original.mkv", numbered(3), sound="aac")
    data = bytearray(source.read_bytes())
    private = data.index(b"A_AAC")
    data[data.index(b"\x63\xa2\x85", private) + 3] = 0x7E
    source.write_bytes(data)
    write_video(tmp_path / "a.mkv", numbered(3), (16, 16), RATE, sound=examine(source))
    for container in (".mkv", ".mp4"):
        path = tmp_path / f"b{container}"
        notes = write_video(
            path,
            numbered(3),
            (16, 16),
            RATE,
            container=container,
            sound=examine(tmp_path / "a.mkv"),
        )
        assert notes == (f"has no sound: aac can neither be copied to {container} nor decoded",)
        assert read_clip(path).sound is None


def test_surround_sound_keeps_its_channels(tmp_path):
    source = write_clip(tmp_path / "a.mkv", numbered(10), sound="pcm_s16le", layout="5.1")
    notes = write_video(
        tmp_path / "b.mp4", numbered(10), (16, 16), RATE, container=".mp4", sound=examine(source)
    )
    assert "as AAC, 5.1" in notes[0]


# a, b, c, d of a display matrix, and the clause of the note.
ORIENTATIONS = {
    "as it is": ((1, 0, 0, 1), None),
    "mirrored left to right": ((-1, 0, 0, 1), "is mirrored"),
    "mirrored top to bottom": ((1, 0, 0, -1), "is mirrored"),
    "half a turn": ((-1, 0, 0, -1), "is turned upright"),
    "a quarter turn clockwise": ((0, 1, -1, 0), "is turned upright"),
    "a quarter turn anticlockwise": ((0, -1, 1, 0), "is turned upright"),
    "rows as columns": ((0, 1, 1, 0), "is mirrored"),
    "rows as columns, from the end": ((0, -1, -1, 0), "is mirrored"),
}


def shown(image, matrix):
    """Pixel by pixel, as the ISO base media file format defines it: (x, y) times the matrix."""
    a, b, c, d = matrix
    places = {}
    for y, x in np.ndindex(image.shape[:2]):
        places[b * x + d * y, a * x + c * y] = image[y, x]
    rows, columns = (sorted({place[axis] for place in places}) for axis in (0, 1))
    return np.array([[places[row, column] for column in columns] for row in rows])


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize(("matrix", "note"), ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_frames_are_shown_as_the_display_matrix_says(tmp_path, matrix, note, suffix):
    frames = [noise(10, 14, seed=i) for i in range(3)]
    path = write_clip(tmp_path / f"a.{suffix}", frames, matrix=matrix)
    video = examine(path)
    expected = [shown(frame, matrix) for frame in frames]
    assert video.size == expected[0].shape[:2]
    np.testing.assert_array_equal(list(read_frames(video)), expected)
    assert [text.split(",")[0] for text in video.notes] == ([note] if note else [])


def test_videos_of_another_program_are_shown_as_players_do():
    base, flipped, turned = (
        next(read_frames(examine(FILES / f"{name}.mp4"))) for name in ("base", "vflip", "rot180")
    )
    np.testing.assert_array_equal(flipped, base[::-1])
    np.testing.assert_array_equal(turned, base[::-1, ::-1])


@pytest.mark.parametrize(
    ("degrees", "turns", "noted"), [(89.7, 1, False), (80, 1, True), (30, 0, True)]
)
def test_angles_become_the_nearest_quarter_turn(tmp_path, degrees, turns, noted):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    frame = noise(10, 14)
    video = examine(write_clip(tmp_path / "a.mp4", [frame], matrix=(c, s, -s, c)))
    np.testing.assert_array_equal(next(read_frames(video)), np.rot90(frame, -turns))
    assert any("nearest quarter turn" in note for note in video.notes) == noted


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_as_frames_are_shown_as_their_exif_data_says(tmp_path, orientation):
    """As some cameras write motion JPEG."""
    path, file, exif = tmp_path / "a.avi", BytesIO(), Image.Exif()
    exif[0x112] = orientation
    smooth = np.add.outer(np.arange(24) * 4, np.arange(32) * 3)[..., None].repeat(3, 2)
    Image.fromarray(smooth.astype(np.uint8)).save(file, "JPEG", exif=exif, quality=95)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=10)
        stream.pix_fmt, stream.height, stream.width = "yuvj420p", 24, 32
        packet = av.Packet(file.getvalue())
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 10)
        output.mux(packet)
    with Image.open(file) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    (frame,) = read_frames(examine(path))
    np.testing.assert_allclose(frame.astype(int), upright, atol=4)
