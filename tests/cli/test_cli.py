"""The iicnet command: called in this process, and started where that shows more."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from flax import nnx
from PIL import Image

from iicnet_jax.models import IICNet
from iicnet_jax.weights.model_dir import save_model
from tests import mp4, program
from tests.program import iicnet

COMMAND = Path(sys.executable).with_name("iicnet")
CUSTOM = ("--config=configs/custom_folder.py", "--config.model.num_images=2")


@pytest.fixture
def groups(tmp_path):
    """Twenty groups of two images of noise."""
    for group in range(20):
        for image in range(2):
            pixels = np.random.default_rng(2 * group + image).integers(0, 256, (20, 30, 3))
            path = tmp_path / f"groups/{group:02d}/{image}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    return tmp_path / "groups"


def test_check_counts_samples_and_lists_every_problem_once(groups):
    command = ("data", "check", *CUSTOM, f"--config.data.root={groups}", "--config.data.crop=16")
    status, stdout, stderr = iicnet(*command)
    assert (status, stderr) == (0, "")
    assert stdout.splitlines() == [
        "train: 16 samples",
        "validation: 2 samples",
        "test: 2 samples",
        "Nothing is wrong.",
    ]
    (groups / "03/1.png").write_bytes((groups / "03/1.png").read_bytes()[:700])
    Image.new("RGB", (30, 21)).save(groups / "19/1.png")
    status, stdout, stderr = iicnet(*command)
    assert status == 1 and "Nothing is wrong" not in stdout
    broken, unequal, summary = stderr.splitlines()
    assert "03/1.png is damaged" in broken
    assert "19/1.png (21x30) is not of the size of 19/0.png (20x30)" in unequal
    assert summary == f"error: 2 problems in {groups}"


def test_check_finds_crops_that_do_not_fit(groups):
    status, _, stderr = iicnet("data", "check", *CUSTOM, f"--config.data.root={groups}")
    assert status == 1
    assert stderr.splitlines()[0].startswith("an image of 20x30 is smaller than the crop")
    assert len(stderr.splitlines()) == 2, "one problem, not one a sample"


def test_a_prepared_dataset_is_used_like_the_folder(groups, tmp_path):
    command = (*CUSTOM, "--config.data.crop=16")
    root = f"--config.data.root={groups}"
    status, stdout, stderr = iicnet("data", "prepare", *command, root, "--out", tmp_path / "out")
    assert (status, stderr) == (0, "")
    prepared = stdout.split("use it with ")[1].strip()
    status, stdout, stderr = iicnet("data", "check", *command, prepared)
    assert (status, stderr) == (0, "")
    assert stdout.splitlines()[0] == "train: 16 samples"
    status, _, stderr = iicnet("data", "prepare", *command, prepared, "--out", tmp_path / "again")
    assert status == 1 and "is already prepared" in stderr


def test_nothing_incomplete_is_prepared(groups, tmp_path):
    (groups / "07/0.png").unlink()
    root = f"--config.data.root={groups}"
    status, _, stderr = iicnet("data", "prepare", *CUSTOM, root, "--out", tmp_path / "out")
    assert status == 1 and stderr.startswith("error: 07 has 1 images instead of 2")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["data"], 2, "the following arguments are required: COMMAND"),
        (["data", "check"], 1, "error: flag --config=None: Flag --config must have a value"),
        (["data", "check", *CUSTOM, "more"], 1, "error: unexpected argument 'more'"),
        (["data", "check", *CUSTOM, "--config.data.rot=x"], 1, "error: config.data.rot is unknown"),
        (["data", "check", "--config=no.py"], 1, "error: there is no configuration file no.py"),
        (["data", "check", *CUSTOM], 1, "error: config.data.root is not set"),
        (["data", "prepare", *CUSTOM], 2, "the following arguments are required: --out"),
        (["data", "prepare", *CUSTOM, "--out=x", "--tile=0"], 2, "at least 1, not '0'"),
        (["data", "sample", "--out=x", "--config=y"], 1, "error: unexpected argument '--config=y'"),
    ],
)
def test_mistakes_end_in_one_message(arguments, status, message):
    found, _, stderr = iicnet(*arguments)
    assert found == status
    assert message in stderr
    assert "Traceback" not in stderr


def test_the_module_is_the_same_command():
    help_of_both = [
        subprocess.run(
            [*command, "data", "--help"], cwd=program.ROOT, capture_output=True, text=True
        ).stdout
        for command in ([COMMAND], [sys.executable, "-m", "iicnet_jax"])
    ]
    assert help_of_both[0] == help_of_both[1]
    assert "prepare" in help_of_both[0]


@pytest.fixture(scope="module")
def model(tmp_path_factory, random_network):
    """A network for two images, of half their size."""
    fields = {
        "num_images": 2,
        "relation": False,
        "downscaling": "squeeze",
        "split": "prop",
        "num_blocks": 1,
    }
    network = random_network(lambda: IICNet(**fields, rngs=nnx.Rngs(0)))
    folder = tmp_path_factory.mktemp("run") / "model"
    save_model(folder, nnx.state(network, nnx.Param), fields, {"task": "custom_folder"})
    return folder


def test_pictures_go_into_one_and_come_back(groups, model, tmp_path):
    """The workdir of a run is a model, too."""
    pictures = [groups / "00/0.png", groups / "00/1.png"]
    embedding = tmp_path / "embedding.png"
    status, stdout, stderr = iicnet("embed", "--model", model.parent, *pictures, "-o", embedding)
    assert (status, stderr) == (0, "")
    assert stdout == f"{embedding}: 2 pictures in one\n"
    status, stdout, _ = iicnet("inspect", embedding, "--json")
    [found] = json.loads(stdout)
    assert status == 0 and found["intact"] and found["record"]["task"] == "custom_folder"
    assert found["record"]["size"] == [20, 30] and (found["height"], found["width"]) == (10, 15)
    status, stdout, stderr = iicnet("restore", "--model", model, embedding, "-o", tmp_path / "back")
    assert (status, stderr) == (0, "")
    assert stdout == f"{embedding}: {tmp_path}/back/00.png, {tmp_path}/back/01.png\n"
    with Image.open(tmp_path / "back/01.png") as image:
        assert image.size == (30, 20)


def test_folders_of_pictures_go_into_a_folder_of_embeddings_and_come_back(groups, model, tmp_path):
    folders = [groups / "01", groups / "02"]
    arguments = ("embed", "--model", model, *folders, "-o", tmp_path / "out")
    status, stdout, stderr = iicnet(*arguments)
    assert (status, stderr) == (0, "")
    assert stdout.count("2 pictures in one") == 2
    status, stdout, _ = iicnet("inspect", tmp_path / "out")
    assert status == 0
    assert [line.split(":")[0] for line in stdout.splitlines()] == [
        f"{tmp_path}/out/01.png",
        f"{tmp_path}/out/02.png",
    ]
    assert stdout.count("PNG, 15x10: 2 pictures of 30x20 (task custom_folder") == 2
    assert stdout.count("intact") == 2
    arguments = ("restore", "--model", model, tmp_path / "out", "-o", tmp_path / "back", "--json")
    status, stdout, _ = iicnet(*arguments)
    assert status == 0
    assert json.loads(stdout)[1]["pictures"] == [f"{tmp_path}/back/02/0{i}.png" for i in (0, 1)]
    status, _, stderr = iicnet(*arguments)
    assert status == 1 and "already holds 00.png, 01.png: name another folder" in stderr
    assert iicnet(*arguments, "--overwrite")[0] == 0


def test_evaluate_says_what_is_lost(groups, model):
    status, stdout, _ = iicnet("evaluate", "--model", model, groups / "05", groups / "06", "--json")
    assert status == 0
    for item in json.loads(stdout):
        assert item["embedding"]["psnr"] > 0, "against the reference of half the size"
        mean = np.mean([frame["psnr"] for frame in item["frames"]])
        assert item["restored"]["psnr"] == pytest.approx(mean)
        assert len(item["frames"]) == 2
    status, stdout, _ = iicnet(
        "evaluate", "--model", model, groups / "05/0.png", groups / "05/1.png"
    )
    assert stdout.startswith(f"{groups}/05/0.png: restored ") and stdout.endswith(" dB)\n") is False


def test_evaluate_measures_through_files_of_other_formats(groups, model):
    arguments = ("evaluate", "--model", model, groups / "05", "--carrier", "jpeg50")
    status, stdout, _ = iicnet(*arguments, "--carrier=png", "--json")
    assert status == 0
    [item] = json.loads(stdout)
    jpeg, png = item["carriers"]["jpeg50"], item["carriers"]["png"]
    assert png["frames"] == item["frames"] and jpeg["frames"] != item["frames"]
    assert png["without_network"].keys() == {"restored", "restored_without_reference", "frames"}
    assert item["restored_without_reference"] == item["frames"][1]
    status, stdout, _ = iicnet(*arguments)
    assert status == 0 and "\n  jpeg50: restored " in stdout
    status, _, stderr = iicnet(*arguments, "--carrier=gif")
    assert status == 2 and "'gif' is no format of png, jpeg, webp, avif" in stderr


def test_a_changed_embedding_is_refused_unless_forced(groups, model, tmp_path):
    embedding = tmp_path / "embedding.png"
    iicnet("embed", "--model", model, groups / "00/0.png", groups / "00/1.png", "-o", embedding)
    with Image.open(embedding) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(
            tmp_path / "changed.webp", lossless=True
        )
    arguments = ("restore", "--model", model, tmp_path / "changed.webp", "-o", tmp_path / "back")
    status, _, stderr = iicnet(*arguments)
    assert status == 1 and "(--force restores what can be restored)" in stderr
    assert not (tmp_path / "back").exists()
    status, _, stderr = iicnet(*arguments, "--force")
    assert status == 0 and stderr.startswith("note: ")
    assert len(list((tmp_path / "back").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["embed", "GROUP/0.png", "-o", "OUT"], 1, "embeds 2 pictures, but 1 is given"),
        (["embed", "GROUP", "GROUP/0.png", "-o", "OUT"], 1, "pictures or folders of pictures"),
        (["embed", "EMPTY", "-o", "OUT"], 1, "holds no pictures"),
        (["embed", "GROUP/0.png", "GROUP/2.png", "-o", "OUT"], 1, "there is no file"),
        (["restore", "GROUP/0.png", "-o", "OUT"], 1, "has no record"),
        (["restore", "GROUP/0.png", "-o", "OUT", "--size", "4"], 2, "WIDTHxHEIGHT"),
        (["evaluate", "GROUP", "--tile=x"], 2, "whole number of at least 1, not 'x'"),
        (["inspect", "EMPTY"], 1, "holds no pictures"),
    ],
)
def test_mistakes_with_pictures_end_in_one_message(
    groups, model, tmp_path, arguments, status, message
):
    (tmp_path / "empty").mkdir()
    places = {"GROUP": groups / "00", "EMPTY": tmp_path / "empty", "OUT": tmp_path / "out.png"}
    for name, place in places.items():
        arguments = [argument.replace(name, str(place)) for argument in arguments]
    if arguments[0] != "inspect":
        arguments += ["--model", str(model)]
    found, _, stderr = iicnet(*arguments)
    assert found == status, stderr
    assert message in stderr
    assert "Traceback" not in stderr
    assert not (tmp_path / "out.png").exists()


def test_official_weights_become_a_model_that_restores_what_the_authors_code_does(tmp_path):
    weights = program.ROOT / "tests/golden/official_n3.pth"
    status, stdout, stderr = iicnet("import-weights", weights, "-o", tmp_path / "model")
    assert (status, stderr) == (0, "")
    assert "num_images 3" in stdout
    golden = np.load(weights.with_suffix(".npz"))
    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    for path, pixels in zip(pictures, golden["frames_rgb"], strict=True):
        Image.fromarray(pixels).save(path)
    chosen = ("--model", tmp_path / "model")
    assert iicnet("embed", *chosen, *pictures, "-o", tmp_path / "embedding.png")[0] == 0
    assert iicnet("restore", *chosen, tmp_path / "embedding.png", "-o", tmp_path)[0] == 0
    restored = [tmp_path / f"{number:02d}.png" for number in range(3)]
    for paths, expected in (
        ([tmp_path / "embedding.png"], golden["embedding_rgb"][None]),
        (restored, golden["restored_rgb"]),
    ):
        found = np.stack([np.asarray(Image.open(path)) for path in paths])
        difference = np.abs(found.astype(int) - expected)
        assert difference.max() <= 1 and (difference > 0).mean() <= 0.001


def test_weights_of_something_else_are_refused(model, tmp_path):
    file = model / "model.safetensors"
    status, _, stderr = iicnet("import-weights", file, "-o", tmp_path / "new")
    assert status == 1 and str(file) in stderr and "Traceback" not in stderr
    assert not (tmp_path / "new").exists()
    status, _, stderr = iicnet("import-weights", "x.pth", "-o", model)
    assert status == 1 and "already holds a model: name another folder" in stderr


def test_a_run_is_exported(tmp_path):
    workdir = tmp_path / "run"
    arguments = program.command(workdir, mode="train", steps=2)
    status, _, stderr = program.call_main(arguments)
    assert status == 0, stderr
    status, stdout, stderr = iicnet("export-weights", workdir, "-o", tmp_path / "model")
    assert status == 0 and "has measured nothing" in stderr and len(stderr.splitlines()) == 1
    assert stdout.endswith(f"the network of {workdir} after step 2\n")
    for name in ("model.safetensors", "config.json"):
        exported, trained = (f / name for f in (tmp_path / "model", workdir / "model"))
        assert exported.read_bytes() == trained.read_bytes()
    status, _, stderr = iicnet("export-weights", tmp_path / "none", "-o", tmp_path / "other")
    assert status == 1 and "holds no run" in stderr


def test_a_video_goes_into_a_slower_one_and_comes_back(model, tmp_path):
    frames = [np.full((20, 30, 3), 20 * number, np.uint8) for number in range(5)]
    mp4.write_video(tmp_path / "in.mp4", frames)
    chosen = ("--model", model)
    status, stdout, _ = iicnet(
        "video", "embed", tmp_path / "in.mp4", *chosen, "-o", tmp_path / "e.mkv"
    )
    assert (status, stdout) == (0, f"{tmp_path}/e.mkv: 5 frames in 3\n")
    status, stdout, _ = iicnet("inspect", tmp_path / "e.mkv", "--json")
    [found] = json.loads(stdout)
    assert status == 0 and found["intact"] and found["frames"] == 3
    status, stdout, _ = iicnet(
        "video", "restore", tmp_path / "e.mkv", *chosen, "-o", tmp_path / "back", "--json"
    )
    assert status == 0
    assert len(json.loads(stdout)["restored"]) == len(list((tmp_path / "back").iterdir())) == 5


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_leaves_nothing(model, tmp_path, number, status):
    frames = [np.full((64, 96, 3), number % 256, np.uint8) for number in range(3000)]
    mp4.write_video(tmp_path / "in.mp4", frames)
    process = subprocess.Popen(
        [COMMAND, "video", "embed", "in.mp4", "--model", model, "-o", "out/e.mkv"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None and not list(tmp_path.glob("out/.iicnet.*/pictures.mkv")):
            time.sleep(0.01)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    assert (process.returncode, stdout) == (status, "")
    assert "Traceback" not in stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_gif_goes_into_a_still_picture_and_comes_back(model, groups, tmp_path):
    first, second = (Image.open(groups / f"00/{number}.png") for number in (0, 1))
    first.save(tmp_path / "in.gif", save_all=True, append_images=[second], duration=[100, 300])
    chosen = ("--model", model)
    gif, still, back = (tmp_path / name for name in ("in.gif", "still.png", "back.gif"))
    status, stdout, _ = iicnet("gif", "embed", gif, *chosen, "-o", still)
    assert (status, stdout) == (0, f"{still}: 2 pictures in one\n")
    status, stdout, stderr = iicnet("gif", "restore", still, *chosen, "-o", back)
    assert status == 0 and stderr.startswith("note: ") and "256 colours" in stderr
    with Image.open(back) as animation:
        assert animation.n_frames == 2


def test_a_stereo_pair_goes_into_one_view_and_comes_back(model, groups, tmp_path):
    views = [groups / "00/0.png", groups / "00/1.png"]
    chosen = ("--model", model)
    status, _, _ = iicnet("stereo", "embed", *views, *chosen, "-o", tmp_path / "e.png")
    assert status == 0
    status, stdout, _ = iicnet(
        "stereo", "restore", tmp_path / "e.png", *chosen, "-o", tmp_path / "views"
    )
    assert status == 0
    assert stdout.strip().endswith(f"{tmp_path}/views/left.png, {tmp_path}/views/right.png")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["video", "embed", "x.mp4", "-o", "OUT"], 1, "x.mp4"),
        (["gif", "embed", "GROUP/0.png", "-o", "OUT"], 1, "GIF"),
        (
            ["stereo", "embed", "GROUP/0.png", "GROUP/1.png", "GROUP/0.png", "-o", "OUT"],
            1,
            "3 files",
        ),
        (["demo", "--port=x"], 2, "whole number of at least 1, not 'x'"),
    ],
)
def test_mistakes_with_other_files_end_in_one_message(
    groups, model, tmp_path, arguments, status, message
):
    out = tmp_path / ("out.mkv" if arguments[0] == "video" else "out.png")
    for name, place in {"GROUP": groups / "00", "OUT": out}.items():
        arguments = [argument.replace(name, str(place)) for argument in arguments]
    found, _, stderr = iicnet(*arguments, "--model", model)
    assert found == status, stderr
    assert message in stderr
    assert len(stderr.strip().splitlines()) == 1 or status == 2
    assert not out.exists()
