"""The package without the repository around it: what a wheel holds, and what it says is missing."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import numpy as np
import pytest
from PIL import Image

from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import configuration, run
from tests.program import ROOT

SOURCES = ["iicnet_jax", "configs", "experiments", "setup.cfg", "pyproject.toml", "README.md"]


@pytest.fixture
def no_configs(monkeypatch):
    """As where only the wheel is installed."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "configs"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "configs", None)


@pytest.mark.usefixtures("no_configs")
@pytest.mark.parametrize("file", ["configs/dual_x4.py", "nowhere.py"])
def test_without_configurations_the_user_is_told_where_they_are(file, capsys, monkeypatch):
    """Whether the file, which imports `configs`, is there or not."""
    monkeypatch.chdir(ROOT)
    with pytest.raises((UserError, SystemExit)) as ended:
        run.load_config([f"--config={file}"])
    message = f"{ended.value}" if ended.type is UserError else capsys.readouterr().err
    assert "configs and experiments come with the repository" in message
    assert "clone it with git and start from its root" in message


def test_what_is_missing_to_the_configurations_themselves_is_no_mistake_of_the_user(monkeypatch):
    monkeypatch.delitem(sys.modules, "configs.base", raising=False)
    monkeypatch.setitem(sys.modules, "ml_collections", None)
    with pytest.raises(ModuleNotFoundError, match="ml_collections"):
        configuration.from_repository("configs.base")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, because setuptools keeps files of earlier builds beside the sources.

    pip fetches setuptools.
    """
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            skip = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / "sources" / name, ignore=skip)
        else:
            shutil.copy(source, folder / "sources" / name)
    shutil.copy(ROOT / "LICENSE", folder / "sources")
    _pip("wheel", "--no-deps", f"--wheel-dir={folder}", folder / "sources")
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Where an environment has its programs: with the wheel, but without the repository."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    # The packages of this environment. The .pth files among them, of which one leads to the
    # repository, are not read.
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    _pip(f"--python={folder / 'bin/python'}", "install", "--no-deps", "--no-index", wheel)
    return folder / "bin"


def _pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.nightly
def test_a_wheel_holds_the_package_and_its_models_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"iicnet_jax"}
    models = [name for name in names if name.endswith("model.safetensors")]
    assert len(models) == len(list((ROOT / "iicnet_jax/bundled/models").iterdir()))


@pytest.mark.nightly
def test_an_installed_wheel_works_without_the_repository(installed, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def call(program, *arguments):
        command = [installed / program, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        return done.returncode, done.stdout, done.stderr

    found = "import iicnet_jax; print(iicnet_jax.__file__)"
    assert call("python", "-c", found)[1].startswith(str(installed.parent))
    for name in ("configs", "experiments"):
        assert f"No module named '{name}'" in call("python", "-c", f"import {name}")[2]

    status, stdout, stderr = call("iicnet", "models")
    assert (status, stderr) == (0, "") and "rescaling" in stdout
    pixels = np.random.default_rng(0).integers(60, 200, (2, 16, 20, 3), np.uint8)
    for name, image in zip("ab", pixels, strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    status, _, stderr = call("iicnet", "embed", "a.png", "b.png", "-o", "embedding.png")
    assert status == 0, stderr
    status, _, stderr = call("iicnet", "restore", "embedding.png", "-o", "restored")
    assert status == 0, stderr
    assert sorted(path.name for path in (tmp_path / "restored").iterdir()) == ["00.png", "01.png"]

    for name, image in zip("ab", pixels, strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.jpg")
    _, snippet = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")
    assert call("python", "-c", snippet.partition("```")[0]) == (0, "", "")
    assert (tmp_path / "holiday.png").is_file()

    file = "--config=configs/dual_x4.py"
    for command in (
        ("python", "-m", "iicnet_jax.main", file, "--workdir=run"),
        ("iicnet", "data", "check", file),
    ):
        status, _, stderr = call(*command)
        assert status == 1 and stderr.startswith("error: configs is missing")
