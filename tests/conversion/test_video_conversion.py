"""Videos into smaller, slower ones and back."""

import contextlib
import hashlib
import json
import resource
import signal
from fractions import Fraction

import av
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from iicnet_jax.conversion.videos import embed_video, restore_video
from iicnet_jax.core.errors import UserError
from iicnet_jax.imaging import video_reader
from iicnet_jax.imaging.picture_reader import read_picture
from iicnet_jax.imaging.video_reader import Limits, examine, read_frames
from iicnet_jax.inference.codec import Codec, load
from iicnet_jax.inference.tiling import WHOLE, Tiled, to_uint8
from iicnet_jax.media import embedding_video, video_file
from iicnet_jax.media.embedding_file import pixel_fingerprint
from iicnet_jax.media.embedding_video import HASHES, RECORD
from iicnet_jax.media.embedding_video import examine as examined
from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests.media.clips import RATE, columns, numbered, numbers, read_clip, write_clip
from tests.media.pictures import MODEL, noise


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.mp4", numbered(10), sound="aac")


@pytest.fixture
def embedded(tmp_path, clip):
    return embed_video(columns(), clip, tmp_path / "embedding.mkv").path


def restore_path(codec, path, output, **options):
    return restore_video(codec, examined(path), output, **options)


def test_a_video_becomes_smaller_and_slower_and_comes_back(tmp_path, clip):
    before = read_clip(clip)
    result = embed_video(columns(), clip, tmp_path / "new" / "e.mkv")
    assert (result.frames, result.embeddings, result.rate) == (10, 4, RATE / 3)
    assert result.notes == ()

    embedding = read_clip(result.path)
    assert [frame.shape for frame in embedding.frames] == [(8, 8, 3)] * 4
    assert embedding.rate == RATE / 3
    assert abs(embedding.seconds - before.seconds) < 3 / RATE  # the last block is filled up
    assert (embedding.sound, embedding.sound_packets) == ("aac", before.sound_packets)

    restored = restore_video(columns(), examined(result.path), tmp_path / "r.mkv")
    assert restored == (type(restored))((tmp_path / "r.mkv",), ())
    after = read_clip(tmp_path / "r.mkv")
    assert numbers(after.frames) == list(range(10))
    assert after.rate == before.rate
    assert (after.sound, after.sound_packets) == ("aac", before.sound_packets)
    assert abs(after.seconds - before.seconds) < 0.05
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["clip.mp4", "e.mkv", "r.mkv"]


def test_a_real_network_from_video_to_video(tmp_path, random_network):
    fields = {"num_images": 3, "relation": True, "downscaling": "haar", "num_blocks": 1}
    model = random_network(lambda: IICNet(**fields, rngs=nnx.Rngs(0)))
    params = nnx.state(model, nnx.Param)
    save_model(tmp_path / "model", params, fields, {"task": "video"})
    loaded = load(tmp_path / "model")
    frames = [noise(15, 18, seed=i) for i in range(4)]
    clip = write_clip(tmp_path / "clip.mkv", frames, codec="ffv1", g="1")

    record = embed_video(loaded, clip, tmp_path / "e.mkv").record
    assert (record.task, record.size, record.images) == ("video", (15, 18), 3)
    restore_video(loaded, examined(tmp_path / "e.mkv"), tmp_path / "r.mkv")

    whole = Tiled(model, tile=WHOLE)
    for first, order in [(0, [1, 0, 2]), (3, [0, 0, 0])]:
        group = np.stack([frames[first + i] for i in order])
        images = whole.restore(to_uint8(whole.embed(group)), (15, 18))
        expected = dict(zip(order, images, strict=True)) if first == 0 else {0: images[1]}
        read = list(read_frames(examine(tmp_path / "r.mkv")))
        assert len(read) == 4
        for number, image in expected.items():
            difference = np.abs(read[first + number].astype(int) - image)
            assert difference.max() <= 1
            assert np.ptp(image) > 20


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(1, 12), st.fractions(1, 120), st.sampled_from([1, 3]))
def test_any_number_of_frames_comes_back(tmp_path_factory, length, count, rate, channels):
    folder, rate = tmp_path_factory.mktemp("video"), rate.limit_denominator(1001)
    clip = write_clip(folder / "a.mkv", numbered(count), rate=rate)
    stated = examine(clip).rate
    result = embed_video(columns(length, channels), clip, folder / "e.mkv")
    assert result.record.about == {
        "grouping": "blocks",
        "frames": count,
        "rate": [stated.numerator, stated.denominator],
    }
    restore_video(columns(length, channels), examined(folder / "e.mkv"), folder / "frames")
    frames = [read_picture(path).pixels for path in sorted((folder / "frames").iterdir())]
    assert numbers(frames) == list(range(count))


def test_an_mp4_and_a_folder_of_pictures(tmp_path, embedded):
    restored = restore_video(columns(), examined(embedded), tmp_path / "r.mp4")
    assert restored.notes == (
        f"{tmp_path / 'r.mp4'} is compressed with a little loss: .mkv keeps the pixels as restored",
    )
    clip = read_clip(tmp_path / "r.mp4")
    assert (numbers(clip.frames), clip.rate, clip.sound) == (list(range(10)), RATE, "aac")

    restored = restore_video(columns(), examined(embedded), tmp_path / "frames")
    assert [path.name for path in restored.paths] == [f"{i:06d}.png" for i in range(10)]
    assert "has no sound: a folder of pictures cannot hold it" in restored.notes[0]


def test_the_sound_may_be_left_out(tmp_path, clip, embedded):
    restore_video(columns(), examined(embedded), tmp_path / "r.mkv", sound=False)
    assert read_clip(tmp_path / "r.mkv").sound is None
    embed_video(columns(), clip, tmp_path / "e.mkv", sound=False)
    assert read_clip(tmp_path / "e.mkv").sound is None


def test_memory_holds_one_block(tmp_path, monkeypatch):
    """What is read runs one block ahead of what is written, and is not kept."""
    clip = write_clip(tmp_path / "clip.mkv", numbered(40))
    events = []
    read, embed = video_reader.read_frames, columns().tiled.embed

    def reading(video):
        for frame in read(video):
            events.append("read")
            yield frame

    def embedding(*arguments):
        events.append("embed")
        return embed(*arguments)

    monkeypatch.setattr(video_reader, "read_frames", reading)
    loaded = columns()
    loaded.tiled.embed = embedding
    embed_video(loaded, clip, tmp_path / "e.mkv")
    assert events[:12] == ["read", "read", "read", "embed"] * 3


def test_progress_is_shown_in_groups(tmp_path, clip):
    seen = []

    def progress(groups, total):
        for group in groups:
            seen.append(total)
            yield group

    embed_video(columns(), clip, tmp_path / "e.mkv", progress=progress)
    assert seen == [4] * 4
    restore_video(
        columns(),
        examined(tmp_path / "e.mkv"),
        tmp_path / "r.mkv",
        progress=progress,
    )
    assert seen == [4] * 8


def test_what_the_file_says_of_itself(embedded, tmp_path):
    with av.open(str(embedded)) as container:
        assert container.streams.video[0].codec_context.name == "ffv1"
        attached = {stream.name: stream.data for stream in container.streams.attachments}
    fields = json.loads(attached[RECORD])
    frames = list(read_frames(examine(embedded)))
    lines = attached[HASHES].decode().splitlines()
    assert lines == [pixel_fingerprint(frame) for frame in frames]
    assert fields == {
        "format": 1,
        "task": "video",
        "images": 3,
        "size": [16, 16],
        "channels": 3,
        "model": MODEL,
        "pixels": hashlib.sha256(attached[HASHES]).hexdigest(),
        "about": {"grouping": "blocks", "frames": 10, "rate": [30000, 1001]},
    }
    facts = json.loads(json.dumps(embedding_video.inspect(embedded)))
    assert fields.pop("format") == 1
    assert facts == {
        "file": str(embedded),
        "format": "VIDEO",
        "height": 8,
        "width": 8,
        "frames": 4,
        "rate": [10000, 1001],
        "sound": True,
        "record": fields,
        "intact": True,
        "problem": None,
    }


def changed(path, output, change, codec="ffv1", keep=lambda name, data: data):
    """Another video of changed frames, with the old record, as careful programs write it."""
    video = examine(path)
    frames = change(list(read_frames(video)))
    write_clip(output.with_name("pictures.mkv"), frames, rate=video.rate, codec=codec, g="1")
    attachments = {name: keep(name, data) for name, data in video.attachments.items()}
    video_file.copy_video(
        output,
        examine(output.with_name("pictures.mkv")),
        attachments={name: data for name, data in attachments.items() if data is not None},
    )
    return output


def edited(frames):
    frames[2][3, 4, 1] ^= 1
    return frames


CHANGES = {
    "one bit": (edited, "frame 2", "edited, or recompressed and coded without loss again"),
    "lossy": (lambda frames: frames, "frame 0", r"recompressed \(mpeg4\)"),
    "cut": (lambda frames: frames[:3], "no frame 3", r"cut \(3 of 4 frames are there\)"),
    "longer": (
        lambda frames: [*frames, frames[0]],
        "frame 4",
        r"lengthened \(5 frames instead of 4",
    ),
    "reordered": (lambda frames: frames[::-1], "frame 0", "edited"),
    "scaled": (
        lambda frames: [frame[::2, ::4] for frame in frames],
        "frame 0",
        r"resized or cropped \(2x4 pixels, of images of 16x16\)",
    ),
}


@pytest.mark.parametrize(("change", "what", "looks"), CHANGES.values(), ids=CHANGES)
def test_changed_pixels_need_force(tmp_path, embedded, change, what, looks, request):
    lossy = "lossy" in request.node.callspec.id
    path = changed(embedded, tmp_path / "c.mkv", change, "mpeg4" if lossy else "ffv1")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(
        UserError, match=rf"c\.mkv has been changed .*\({what}\): it looks {looks}.*\(--force"
    ):
        restore_video(columns(), examined(path), tmp_path / "r.mkv")
    assert sorted(tmp_path.iterdir()) == before
    assert embedding_video.inspect(path)["intact"] is False

    restored = restore_video(columns(), examined(path), tmp_path / "r.mkv", force=True)
    assert "has been changed" in restored.notes[-1] and what in restored.notes[-1]
    assert len(read_clip(tmp_path / "r.mkv").frames) in (9, 10)


def test_the_same_pixels_in_another_coding_are_intact(tmp_path, embedded):
    video = examine(embedded)
    write_clip(tmp_path / "same.mkv", list(read_frames(video)), rate=video.rate)
    video_file.copy_video(
        tmp_path / "d.mkv", examine(tmp_path / "same.mkv"), attachments=video.attachments
    )
    restore_video(columns(), examined(tmp_path / "d.mkv"), tmp_path / "r.mkv")
    assert numbers(read_clip(tmp_path / "r.mkv").frames) == list(range(10))


def test_a_wrong_model_is_named(tmp_path, embedded):
    other = columns(2, task="hiding", fingerprint="f" * 64)
    with pytest.raises(UserError) as caught:
        restore_video(other, examined(embedded), tmp_path / "r.mkv")
    assert "another model: 0123456789ab (task video, 3 images)" in str(caught.value)
    assert "and this is ffffffffffff (task hiding, 2 images)" in str(caught.value)
    assert not (tmp_path / "r.mkv").exists()
    restored = restore_video(other, examined(embedded), tmp_path / "r.mkv", force=True)
    assert "another model" in restored.notes[0]
    clip = read_clip(tmp_path / "r.mkv")
    assert (len(clip.frames), clip.rate) == (8, RATE / 3 * 2)


def test_a_file_without_a_record_needs_force_and_may_be_given_a_size(tmp_path):
    path = write_clip(tmp_path / "a.mkv", numbered(4, 8, 8), rate=10)
    with pytest.raises(UserError, match="has no record of what was embedded: .*--force"):
        restore_video(columns(), examined(path), tmp_path / "r.mkv")
    for size, shape in [(None, (16, 16, 3)), ((15, 16), (15, 16, 3))]:
        output = tmp_path / f"{shape[0]}.mkv"
        restored = restore_video(columns(), examined(path), output, force=True, size=size)
        assert "has no record" in restored.notes[0]
        clip = read_clip(output)
        assert clip.frames[0].shape == shape
        assert (len(clip.frames), clip.rate) == (12, 30)
    message = r"pictures of 9x9 pixels do not embed into .*a\.mkv, which has 8x8"
    with pytest.raises(UserError, match=message):
        restore_video(columns(), examined(path), tmp_path / "r.mkv", force=True, size=(9, 9))
    quick = write_clip(tmp_path / "q.mkv", numbered(4, 8, 8), rate=500)
    with pytest.raises(UserError, match="would be restored to 1500 frames a second"):
        restore_video(columns(), examined(quick), tmp_path / "r.mkv", force=True)


def with_fields(**fields):
    def keep(name, data):
        if name != RECORD:
            return data
        return json.dumps({**json.loads(data), **fields}).encode()

    return keep


def with_about(**fields):
    about = {"grouping": "blocks", "frames": 10, "rate": [30000, 1001]}
    return with_fields(about={**about, **fields})


BAD_RECORDS = {
    "no JSON": (lambda name, data: b"{" if name == RECORD else data, "it is no JSON"),
    "later": (with_fields(format=2), "it has the format 2"),
    "pixels": (with_fields(pixels="0" * 64), "iicnet.sha256 does not belong to it"),
    "no hashes": (lambda name, data: data if name == RECORD else None, "iicnet.sha256 is missing"),
    "bad hashes": (lambda name, data: data if name == RECORD else data[:-1], "missing or damaged"),
    "grouping": (with_about(grouping="x\x1b"), r"its grouping cannot be 'x\\x1b'"),
    "grouping's type": (with_about(grouping=["blocks"]), "its grouping cannot be"),
    "too many frames": (with_about(frames=13), "4 embeddings cannot hold 13 frames"),
    "too few frames": (with_about(frames=9), "4 embeddings cannot hold 9 frames"),
    "frames' type": (with_about(frames="10"), "cannot hold '10' frames"),
    "rate": (with_about(rate=[0, 1]), r"its rate cannot be \[0, 1\]"),
    "rate's length": (with_about(rate=[1]), "its rate cannot be"),
    "rate's type": (with_about(rate=25), "its rate cannot be 25"),
    "slow": (with_about(rate=[1, 1001]), "its rate cannot be"),
    "fast": (with_about(rate=[1001, 1]), "its rate cannot be"),
}


@pytest.mark.parametrize(("keep", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_an_unusable_record_is_named(tmp_path, embedded, keep, message):
    path = changed(embedded, tmp_path / "c.mkv", lambda frames: frames, keep=keep)
    with pytest.raises(UserError, match=f"has a record that cannot be used: .*{message}"):
        restore_video(columns(), examined(path), tmp_path / "r.mkv")
    restored = restore_video(columns(), examined(path), tmp_path / "r.mkv", force=True)
    assert "record that cannot be used" in restored.notes[0]
    assert len(read_clip(tmp_path / "r.mkv").frames) == 12


def test_outputs_are_replaced_only_on_request(tmp_path, clip, embedded):
    with pytest.raises(UserError, match=r"e\.mp4 must end in \.mkv"):
        embed_video(columns(), clip, tmp_path / "e.mp4")
    with pytest.raises(UserError, match=r"must end in \.mkv or \.mp4 or no suffix, for a folder"):
        restore_video(columns(), examined(embedded), tmp_path / "r.avi")
    with pytest.raises(UserError, match=r"embedding\.mkv exists: name another file, or pass --"):
        embed_video(columns(), clip, embedded)
    embed_video(columns(), clip, embedded, overwrite=True)
    folder = tmp_path / "folder"
    folder.mkdir()
    restore_video(columns(), examined(embedded), folder)
    with pytest.raises(
        UserError, match=r"folder already holds 000000\.png, 000001\.png, 000002\.png: name"
    ):
        restore_video(columns(), examined(embedded), folder)
    restore_video(columns(), examined(embedded), folder, overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file is a file: name a folder"):
        restore_video(columns(), examined(embedded), tmp_path / "file", overwrite=True)
    (tmp_path / "d.mkv").mkdir()
    with pytest.raises(UserError, match=r"d\.mkv is a folder: name a file"):
        embed_video(columns(), clip, tmp_path / "d.mkv", overwrite=True)


def test_odd_sizes_are_no_mp4(tmp_path):
    clip = write_clip(tmp_path / "clip.mkv", numbered(3, 15, 16))
    embed_video(columns(), clip, tmp_path / "e.mkv")
    with pytest.raises(UserError, match=r"16x15 pixels, and \.mp4 takes even sizes only: write"):
        restore_video(columns(), examined(tmp_path / "e.mkv"), tmp_path / "r.mp4")
    restore_video(columns(), examined(tmp_path / "e.mkv"), tmp_path / "r.mkv")
    assert read_clip(tmp_path / "r.mkv").frames[0].shape == (15, 16, 3)


@contextlib.contextmanager
def full_disk(size):
    """No file grows beyond `size` bytes."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("size", [0, 500, 3000])
def test_a_full_disk_leaves_nothing(tmp_path, clip, embedded, size):
    before = sorted(tmp_path.rglob("*"))
    for name, operation, source in [
        ("e2.mkv", embed_video, clip),
        ("r.mkv", restore_path, embedded),
        ("r.mp4", restore_path, embedded),
        ("frames", restore_path, embedded),
    ]:
        if name == "frames" and size > 100:
            continue  # each picture is smaller
        message = f"{name} cannot be written: File too large"
        with full_disk(size), pytest.raises(UserError, match=message):
            operation(columns(), source, tmp_path / name)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["r.mkv", "r.mp4", "frames"])
def test_an_interruption_leaves_nothing(tmp_path, clip, embedded, name):
    class Interrupted(type(columns().tiled)):
        def embed(self, frames, dtype):
            return self.step(super().embed(frames, dtype))

        def restore(self, embedding, size):
            return self.step(super().restore(embedding, size))

        def step(self, result):
            self.count = getattr(self, "count", 0) + 1
            if self.count == 3:
                raise KeyboardInterrupt
            return result

    before = sorted(tmp_path.rglob("*"))
    for operation, source, output in [
        (embed_video, clip, "e2.mkv"),
        (restore_path, embedded, name),
    ]:
        with pytest.raises(KeyboardInterrupt):
            operation(Codec(Interrupted(3, 3), "video", MODEL), source, tmp_path / output)
        assert sorted(tmp_path.rglob("*")) == before


def test_what_was_written_is_read_back(tmp_path, clip, monkeypatch):
    """A carriage that loses a bit is noticed before success is reported."""
    copy = video_file.copy_video

    def damaging(path, pictures, *, sound, attachments):
        frames = [frame ^ np.uint8(i == 2) for i, frame in enumerate(read_frames(pictures))]
        write_clip(tmp_path / "other.mkv", frames, rate=pictures.rate)
        notes = copy(path, examine(tmp_path / "other.mkv"), sound=sound, attachments=attachments)
        (tmp_path / "other.mkv").unlink()
        return notes

    monkeypatch.setattr(embedding_video.video_file, "copy_video", damaging)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"e\.mkv was read back, and differs from what was written"):
        embed_video(columns(), clip, tmp_path / "e.mkv")
    assert sorted(tmp_path.rglob("*")) == before


def test_limits_hold_for_both_directions(tmp_path, clip, embedded):
    for limits, flag in [
        (Limits(pixels=63), "--max-pixels"),
        (Limits(frames=3), "--max-frames"),
        (Limits(seconds=0.3), "--max-seconds"),
    ]:
        with pytest.raises(UserError, match=flag):
            embed_video(columns(), clip, tmp_path / "o.mkv", limits=limits)
        with pytest.raises(UserError, match=flag):
            examined(embedded, limits)
    assert not (tmp_path / "o.mkv").exists()


def test_a_grey_model_embeds_into_a_grey_video(tmp_path, clip):
    grey = columns(channels=1)
    path = embed_video(grey, clip, tmp_path / "e.mkv").path
    for frame in read_frames(examine(path)):
        assert (frame == frame[..., :1]).all()
    restore_video(grey, examined(path), tmp_path / "r.mkv")
    assert numbers(read_clip(tmp_path / "r.mkv").frames) == list(range(10))
    colours = write_clip(tmp_path / "c.mkv", [noise(8, 8)])
    with pytest.raises(UserError, match="has colours, but this model embeds into a grey picture"):
        restore_video(grey, examined(colours), tmp_path / "r2.mkv", force=True)


def side_by_side(count):
    """The left view as `numbered`, the right one 100 brighter."""
    return [np.concatenate([frame, frame + np.uint8(100)], axis=1) for frame in numbered(count)]


def test_a_stereo_video_goes_into_its_left_view_frame_by_frame(tmp_path):
    frames = side_by_side(5)
    clip = write_clip(tmp_path / "clip.mp4", frames, sound="aac")
    result = embed_video(columns(2), clip, tmp_path / "e.mkv", side_by_side=True)
    assert (result.frames, result.embeddings, result.rate) == (5, 5, RATE)
    assert result.record.about["grouping"] == "side-by-side"
    assert result.record.size == (16, 16)
    embedding = read_clip(result.path)
    assert embedding.frames[0].shape == (8, 8, 3) and embedding.sound == "aac"

    restore_video(
        columns(2), examined(result.path), tmp_path / "r.mkv"
    )  # the record says the grouping
    after = read_clip(tmp_path / "r.mkv")
    np.testing.assert_array_equal(after.frames, frames)
    assert (after.rate, after.sound) == (RATE, "aac")

    changed(result.path, tmp_path / "plain.mkv", lambda frames: frames, keep=lambda *_: None)
    restore_video(
        columns(2),
        examined(tmp_path / "plain.mkv"),
        tmp_path / "p.mkv",
        side_by_side=True,
        force=True,
    )
    np.testing.assert_array_equal(read_clip(tmp_path / "p.mkv").frames, frames)


def test_a_stereo_video_needs_two_views_and_a_model_of_two(tmp_path, clip):
    with pytest.raises(UserError, match="embeds 3 images, but two views need one that embeds 2"):
        embed_video(columns(3), clip, tmp_path / "e.mkv", side_by_side=True)
    odd = write_clip(tmp_path / "odd.mkv", numbered(2, 16, 17))
    with pytest.raises(UserError, match=r"odd\.mkv has 17 columns, which are no two views"):
        embed_video(columns(2), odd, tmp_path / "e.mkv", side_by_side=True)


def test_notes_name_their_files(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", numbered(4), rate=10, times=[0, 1, 5, 20], sound="aac")
    result = embed_video(columns(), clip, tmp_path / "e.mkv")
    assert len(result.notes) == 1
    assert result.notes[0].startswith(f"{clip} has frames at uneven times")
    assert Fraction(*result.record.about["rate"]) == Fraction(30, 20)
