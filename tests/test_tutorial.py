"""The tutorial's code as it stands there."""

import os
import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iicnet_jax.experiment import build, registry, run
from iicnet_jax.inference.tiling import Tiled
from iicnet_jax.models.bijection import Bijection
from iicnet_jax.weights.model_dir import read_model, save_model
from tests.media.pictures import noise, save
from tests.program import ROOT

TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"Save as\s`(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL))
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The reader's: pictures, and the files that are to be saved."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for seed, name in enumerate("ab"):
        save(tmp_path / f"{name}.jpg", noise(16, 24, seed=seed))
    yield tmp_path
    sys.modules.pop("additive", None)


def test_there_is_a_block_of_every_kind():
    assert FILES.keys() == {"small.py", "additive.py"}
    assert len(BLOCKS) == 4 and COMMANDS.count("python -m") == 3


def test_embedding_and_restoring(capsys):
    exec(BLOCKS[0], {})
    assert 0 < float(capsys.readouterr().out.split(":")[1]) < 128


def test_configurations_are_valid():
    config = run.load_config(
        ["--config=small.py", "--config.steps=2", "--config.data.root=pictures"]
    )
    build.create_optimizer(config)
    assert build.create_model(config).num_images == 2
    config = run.load_config(["--config=additive.py", "--config.loss.restoration=3"])
    assert config.model.to_dict() == {"num_images": 2, "num_blocks": 4, "growth": 32}
    assert build.create_loss(config).restoration == 3


def test_the_method_keeps_the_contracts(random_network, folder):
    import additive

    coupling = random_network(lambda: additive.AdditiveCoupling(5, 2, 4, nnx.Rngs(0)))
    assert isinstance(coupling, Bijection)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 6, 7, 5)), jnp.float32)
    y = coupling.forward(x)
    assert float(jnp.abs(y - x).max()) > 0.1
    np.testing.assert_allclose(coupling.inverse(y), x, atol=1e-5)

    fields = {"num_images": 2, "num_blocks": 1, "growth": 4}
    network = random_network(lambda: additive.Additive(**fields, rngs=nnx.Rngs(0)), scale=0.15)
    frames = np.random.default_rng(0).integers(0, 256, (2, 95, 61, 3), np.uint8)
    whole, tiled = Tiled(network), Tiled(network, tile=64)
    embedding = whole.embed(frames, np.uint8)
    difference = tiled.embed(frames, np.uint8).astype(int) - embedding
    assert np.ptp(embedding) > 100 and abs(difference).max() <= 1
    restored = whole.restore(embedding, (95, 61))
    assert abs(tiled.restore(embedding, (95, 61)).astype(int) - restored).max() <= 1

    batch = {"frames": jnp.asarray(frames[None] / 255, jnp.float32)}
    batch["reference"] = batch["frames"][:, 0]
    arguments = {"key": jax.random.key(0), "step": jnp.int32(0)}
    terms = additive.AdditiveLoss(restoration=0.0)(network, batch, lambda y: y, **arguments)
    assert float(terms["embedding"]) > 0 == float(terms["restoration"])

    save_model(folder / "runs" / "additive", nnx.state(network, nnx.Param), fields, {}, "additive")
    assert type(read_model(folder / "runs" / "additive").network) is additive.Additive
    names: dict = {}
    exec(BLOCKS[3], names)
    np.testing.assert_array_equal(names["codec"].embed(list(frames)), embedding)


def test_methods_that_cannot_be_added_say_why():
    import additive

    for name in ("irn", "low_bits"):
        with pytest.raises(ValueError, match=f"there is a method '{name}' already: choose another"):
            registry.add_method(name, additive.Additive, additive.AdditiveLoss)
    with pytest.raises(
        ValueError, match="the argument channels of AdditiveCoupling needs a default"
    ):
        registry.add_method("coupling", additive.AdditiveCoupling, additive.AdditiveLoss)
    registry.add_method("additive", additive.Additive, additive.AdditiveLoss)  # once more


@pytest.mark.nightly
def test_the_commands(folder):
    for group in range(4):
        for image in range(2):
            path = folder / "pictures" / f"{group}" / f"{image}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save(path, noise(64, 80, seed=10 * group + image))
    script = re.sub("STEPS=.*", "STEPS=2", COMMANDS)
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    # Compiled for speed, as a reader's are: whole pictures are evaluated.
    environment = {**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}", "XLA_FLAGS": ""}
    ended = subprocess.run(
        ["bash", "-e", "-c", script], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    table = (folder / "runs" / "methods" / "methods_hiding.csv").read_text()
    assert "additive,8 bits," in table and "IICNet,8 bits," in table
    assert (folder / "report.html").stat().st_size > 10_000
    assert len(list((folder / "restored").iterdir())) == 2
