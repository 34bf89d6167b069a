"""Training that starts from weights: where they are taken from, and what does not fit."""

import json
import shutil

import jax
import numpy as np
import pytest
from flax import nnx

from iicnet_jax import bundled
from iicnet_jax.core.errors import UserError
from iicnet_jax.experiment import build, initial_weights, run
from iicnet_jax.models.layers import parameter_arrays
from iicnet_jax.training.checkpoints import Checkpoints
from iicnet_jax.training.step import create_state
from iicnet_jax.weights.model_dir import read_model, save_model
from tests import program


def load_config(*fields):
    arguments = [word for word in program.command("unused") if word.startswith("--config")]
    return run.load_config([*arguments, *(f"--config.{field}" for field in fields)])


@pytest.fixture(scope="module")
def params(random_network):
    config = load_config()
    return nnx.state(random_network(lambda: build.create_model(config, nnx.Rngs(0))), nnx.Param)


@pytest.fixture
def model(params, tmp_path):
    """A model directory for which the tiny configuration is made."""
    save_model(tmp_path / "model", params, load_config().model.to_dict(), {"task": "video"})
    return tmp_path / "model"


def equal(a, b):
    a, b = map(parameter_arrays, (a, b))
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_model_directory_or_the_workdir_of_a_finished_run_gives_its_weights(model, params):
    assert equal(initial_weights.load(load_config(f"init_from={model}")), params)
    assert equal(initial_weights.load(load_config(f"init_from={model.parent}")), params)


def test_the_workdir_of_an_unfinished_run_gives_its_newest_checkpoint(params, tmp_path):
    config = load_config()
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    optimizer, _ = build.create_optimizer(config)
    _, state = create_state(build.create_model(config), optimizer)
    with Checkpoints(tmp_path) as kept:
        kept.save(state.replace(params=params))
    assert equal(initial_weights.load(load_config(f"init_from={tmp_path}")), params)


def test_a_bundled_model_is_named_and_the_message_says_how_to_train_that_network():
    with pytest.raises(UserError, match="is another network") as error:
        initial_weights.load(load_config("init_from=stereo"))
    message = str(error.value)
    assert "config.model.num_blocks: 3 there, 1 now" in message
    flags = message.partition("train that network: --config.")[2].rstrip(".").split(" --config.")
    assert "model.downscaling=haar" in flags
    network = initial_weights.load(load_config("init_from=stereo", *flags))
    assert equal(network, nnx.state(read_model(bundled.find("stereo")).network, nnx.Param))


def test_the_command_in_the_documentation_fits_the_bundled_model():
    text = (program.ROOT / "docs/data.md").read_text(encoding="utf-8")
    [command] = [
        paragraph.replace("\\\n", " ")
        for paragraph in text.split("\n\n")
        if "--config.init_from=" in paragraph
    ]
    flags = [word for word in command.split() if word.startswith("--config")]
    assert "--config.init_from=hiding" in flags
    initial_weights.load(run.load_config(flags))


@pytest.mark.parametrize(
    "sizes", [{"growth": 7}, {"num_blocks": 3}, {"growth": 5, "num_blocks": 2}]
)
def test_a_larger_network_computes_what_the_smaller_one_does(random_network, tmp_path, sizes):
    small = load_config("model.relation=True")
    network = random_network(lambda: build.create_model(small, nnx.Rngs(0)))
    save_model(tmp_path, nnx.state(network, nnx.Param), small.model.to_dict(), {})
    fields = ("relation=True", *(f"{name}={size}" for name, size in sizes.items()))
    config = load_config(f"init_from={tmp_path}", *(f"model.{field}" for field in fields))
    larger = build.create_model(config)
    fresh = parameter_arrays(nnx.state(larger, nnx.Param))
    nnx.update(larger, initial_weights.load(config))

    frames = jax.random.uniform(jax.random.key(1), (1, 2, 12, 16, 3), maxval=255.0)
    image = network.embed(frames)
    np.testing.assert_allclose(larger.embed(frames), image, atol=1e-2)
    restored = network.restore(image, (12, 16))
    np.testing.assert_allclose(larger.restore(image, (12, 16)), restored, atol=1e-2)
    # What the new channels of a dense block compute is as drawn, so that they learn.
    weights = parameter_arrays(nnx.state(larger, nnx.Param))
    kernel = "relation/embed_network/heads/0/growing/1/kernel"
    assert np.array_equal(weights[kernel][..., 4:], fresh[kernel][..., 4:])


@pytest.mark.parametrize(
    ("method", "changes", "remedy"),
    [
        # Of the same shapes.
        ("iicnet", {"downscaling": "haar"}, "--config.model.downscaling=haar"),
        ("iicnet", {"colour_order": "bgr"}, "can be used, but not trained"),
        ("irn", None, "Take a configuration of the method irn"),
    ],
)
def test_another_network_is_refused_with_the_remedy(model, method, changes, remedy):
    path = model / "config.json"
    stored = json.loads(path.read_text())
    fields = {"num_blocks": 1} if changes is None else stored["model"] | changes
    network = build.NETWORKS[method](**fields, rngs=nnx.Rngs(0))
    save_model(model, nnx.state(network, nnx.Param), fields, {}, method)
    with pytest.raises(UserError, match=remedy):
        initial_weights.load(load_config(f"init_from={model}"))


def test_weights_that_are_not_there_are_named_before_anything_is_written(tmp_path):
    arguments = program.command(tmp_path / "run", init_from="nowhere")
    status, _, stderr = program.call_main(arguments)
    assert status == 1 and "error: config.init_from: there is no model nowhere" in stderr
    assert not (tmp_path / "run").exists()


def test_a_run_starts_from_the_weights_and_reads_them_once(model, params, tmp_path):
    """Of steps that change next to nothing, what comes out is what went in."""
    fields = {"steps": 1, "optimizer__learning_rate": 1e-12, "evaluation__untrained": True}
    arguments = program.command(tmp_path / "run", init_from=model, **fields)
    status, _, stderr = program.call_main(arguments)
    assert status == 0, stderr
    trained = parameter_arrays(nnx.state(read_model(tmp_path / "run/model").network, nnx.Param))
    for name, array in parameter_arrays(params).items():
        np.testing.assert_allclose(trained[name], array, atol=1e-9)
    means = json.loads((tmp_path / "run/results.json").read_text())["networks"]
    assert means["untrained"]["rounded"]["restored"] == means["trained"]["rounded"]["restored"]
    about = json.loads((tmp_path / "run/model/config.json").read_text())["about"]
    assert about["init_from"] == "model"

    shutil.rmtree(model)
    again = program.command(tmp_path / "run", mode="train", init_from=model, **fields)
    status, _, stderr = program.call_main(again)
    assert status == 0, stderr
