"""The benchmarks of speed run, write what they print, and compare like with like."""

import importlib.util
import json
import sys
from importlib import import_module

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks import convolution, dense_block, inference, programs, roofline, timing, train_step
from benchmarks.torch_reference import authors
from experiments.datasets import write_sample
from iicnet_jax.experiment import build
from iicnet_jax.models.abstract import abstract_network
from iicnet_jax.models.dense_block import DenseBlock
from iicnet_jax.models.layers import parameter_shapes

NETWORK = {"num_images": 2, "num_blocks": 1, "relation": False, "relation_features": 4}
SETTINGS = {"network": NETWORK, "batch_size": 1, "height": 4, "width": 4, "what": "train"}


def run(monkeypatch, benchmark, tmp_path, *arguments):
    """The rows and settings in the JSON file of a benchmark's main function."""
    out = tmp_path / "results.json"
    monkeypatch.setattr(sys, "argv", [benchmark.__name__, *arguments, f"--out={out}"])
    benchmark.main()
    return json.loads(out.read_text())


def test_train_step_measures_noise_and_real_data(monkeypatch, tmp_path, capsys):
    write_sample(tmp_path, ["flickr1024"])
    small = ["--config=stereo_no_relation", "--blocks=1", "--crop=12", "--batch_sizes", "2"]
    data = ["--real_data", "--on_device", f"--data={tmp_path}"]
    calls = ["--steps=4", "--steps_per_call", "2"]
    results = run(monkeypatch, train_step, tmp_path, *small, *data, *calls, "--repeats=3")
    noise, *real = results["rows"]
    assert [row["program"] for row in (noise, *real)] == [
        "iicnet_jax, 2 steps a call",
        "iicnet_jax, 2 steps a call, real data",
        "iicnet_jax, 2 steps a call, data on the device",
    ]
    assert 0 < noise["min"] <= noise["median"] <= noise["max"] and noise["GB"] > 0
    for row in real:
        assert row["synthetic"] == pytest.approx(row["median"] / noise["median"])
    assert results["settings"]["device"] == "cpu"
    assert "| iicnet_jax, 2 steps a call, real data " in capsys.readouterr().out


def test_steps_a_call_divide_the_steps_of_a_repetition(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, train_step, tmp_path, "--steps=5", "--steps_per_call", "1", "2")
    assert "--steps_per_call: 2 does not divide --steps=5" in capsys.readouterr().err


def test_inference_measures_whole_images_and_tiles(monkeypatch, tmp_path):
    small = ["--config=stereo_no_relation", "--blocks=1", "--tile=24", "--repeats=1"]
    sizes = ["--sizes", "30x26", "14x10", "--whole_limit=0.0005"]
    rows = run(monkeypatch, inference, tmp_path, *small, *sizes)["rows"]
    assert [(row["size"], row["program"]) for row in rows] == [
        ("14x10", "whole"),
        ("14x10", "tiled"),
        ("30x26", "tiled"),
    ]
    for row in rows:
        width, height = map(int, row["size"].split("x"))
        assert row["megapixels/s"] == pytest.approx(width * height / 1e6 / row["median"])
        assert 0.05 < row["GB"] < 100


def test_programs_are_measured_in_turns():
    calls = []
    programs = {name: lambda name=name: calls.append(name) or len(calls) for name in "ab"}
    assert timing.interleaved(programs, 2) == {"a": [1, 3], "b": [2, 4]}
    assert calls == ["a", "b"] * 2


@pytest.mark.parametrize("experiment", ["video_n3_down", "rescale_x2"])
def test_the_calculation_counts_the_convolutions_of_the_network(experiment):
    config = import_module(f"configs.{experiment}").get_config()
    config.model.update(num_blocks=1, relation_features=4)
    model = abstract_network(build.create_model, config)

    def weights(*modules):
        shapes = parameter_shapes(nnx.state(modules)).values()
        return sum(np.prod(shape) for shape in shapes if len(shape) != 1)

    relation = [] if model.relation is None else [model.relation]
    expected = weights(*relation) + 2 * weights(model.blocks, model.down)
    convolutions = list(roofline.network_convolutions(config))
    assert sum(c.size**2 * c.inputs * c.outputs for c in convolutions) == expected


def test_the_train_step_of_more_blocks_has_as_many_operations():
    def operations(num_blocks):
        config = programs.paper_config(2, num_blocks, memory_saving="reversible", loop="scan")
        config.model.relation = False
        return programs.lower_train_step(config).as_text().count(" = ")

    assert operations(2) == operations(3) > 1000


@pytest.mark.nightly  # as tests/models/test_execution.py has it of the blocks alone
def test_more_blocks_need_memory_for_their_parameters_only():
    def temporaries(num_blocks):
        config = programs.paper_config(2, num_blocks, memory_saving="reversible", loop="scan")
        config.data.update(batch_size=1, crop=96)
        memory = programs.lower_train_step(config).compile().memory_analysis()
        return memory.temp_size_in_bytes

    assert temporaries(6) == pytest.approx(temporaries(2), rel=0.01)


def test_a_missing_checkout_is_named(tmp_path):
    with pytest.raises(RuntimeError, match=f"{tmp_path} holds no codes/models/InvNet.py"):
        authors(tmp_path, sys.executable, SETTINGS)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_a_python_without_pytorch_is_named(tmp_path):
    (tmp_path / "codes" / "models").mkdir(parents=True)
    (tmp_path / "codes" / "models" / "InvNet.py").touch()
    with pytest.raises(RuntimeError, match=f"{sys.executable} cannot import torch"):
        authors(tmp_path, sys.executable, SETTINGS)


def test_passes_of_a_convolution_are_timed_beside_another_program(monkeypatch, tmp_path):
    answers = [
        "print('{}', flush=True)".format(json.dumps({"device": "cpu"})),
        "import sys",
        "for _ in sys.stdin: print(1e9, flush=True)",
    ]
    (tmp_path / "slow.py").write_text("\n".join(answers))
    monkeypatch.setattr(convolution, "TORCH", tmp_path / "slow.py")
    monkeypatch.setattr(convolution, "SHAPES", [(1, 4, 2, 3)])
    small = ["--repeats=1", f"--torch_python={sys.executable}"]
    rows = run(monkeypatch, convolution, tmp_path, *small)["rows"]
    assert [row["pass"] for row in rows] == list(convolution.PASSES)
    for row in rows:
        assert 0 < row["iicnet_jax"] < row["PyTorch"] == 1e12
        assert row["speed"] == pytest.approx(row["PyTorch"] / row["iicnet_jax"])


@pytest.mark.parametrize("form", ["scattered", "merged"])
def test_other_forms_of_dense_blocks_compute_the_same(random_network, form):
    block = lambda: DenseBlock(2, 3, growth=4, rngs=nnx.Rngs(0))  # noqa: E731
    pair = [random_network(block, scale) for scale in (0.2, 0.3)]
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 6, 5, 2)), jnp.float32)
    expected = dense_block.concatenated(pair, x)
    assert float(abs(expected[0] - expected[1]).max()) > 0.1
    for value, other in zip(dense_block.FORMS[form](pair, x), expected, strict=True):
        np.testing.assert_allclose(value, other, atol=1e-5)
