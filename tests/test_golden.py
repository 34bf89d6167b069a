"""The network and its training against the authors' PyTorch code (see golden/README.md)."""

import functools

import numpy as np
import pytest

from tests import golden_networks
from tests.golden_networks import FILES, STAGES, STEPS, TERMS, golden_of

# Trained with every change: with and without relation module, frequency loss and down-scaling,
# each kind of that, and both splits.
TRAINED = ("n2_no_frequency", "n3_haar_prop", "n3_relation", "n3_squeeze_ref")
every_network = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
every_training = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in TRAINED else pytest.mark.nightly)
        for path in FILES
    ],
)


@pytest.fixture
def golden(path):
    return golden_of(path)


@functools.cache
def stage_outputs(path):
    golden = golden_of(path)
    return golden_networks.stage_outputs(golden, golden.network())


@functools.cache
def training_run(path):
    golden = golden_of(path)
    return golden_networks.training_run(golden, golden.network())


@every_network
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_the_authors(path, golden, stage):
    np.testing.assert_allclose(stage_outputs(path)[stage], golden.stage(stage), rtol=0, atol=2e-5)


@every_training
@pytest.mark.parametrize("step", range(STEPS))
def test_every_loss_term_is_the_authors_at_every_step(path, golden, step):
    reports, _, _ = training_run(path)
    ours = [reports[step][f"loss_{term}"] for term in TERMS]
    np.testing.assert_allclose(ours, golden.arrays["losses"][step], rtol=1e-4)


@every_training
def test_every_gradient_norm_is_the_authors(path, golden):
    _, gradient, _ = training_run(path)
    recorded = golden.entries("grad_norm/")
    assert gradient.keys() == recorded.keys()
    ours = [np.linalg.norm(gradient[name]) for name in recorded]
    # The smallest norms are what remains of large terms that cancel; how these are rounded depends
    # on the processor.
    rounding = 3e-8 * golden.arrays["grad_norm_total"]
    np.testing.assert_allclose(ours, list(recorded.values()), rtol=1e-3, atol=rounding)


@every_training
def test_reported_gradient_norm_is_the_authors(path, golden):
    reports, _, _ = training_run(path)
    total = golden.arrays["grad_norm_total"]
    np.testing.assert_allclose(reports[0]["gradient_norm"], total, rtol=1e-3)


@every_training
def test_three_optimiser_steps_change_the_parameters_by_as_much(path, golden):
    _, _, change = training_run(path)
    ours = np.sqrt(sum(np.sum(c.astype(np.float64) ** 2) for c in change.values()))
    np.testing.assert_allclose(ours, golden.arrays["param_delta_norm"], rtol=1e-3)


@every_training
def test_three_optimiser_steps_change_single_parameters_alike(path, golden):
    _, _, change = training_run(path)
    for name, after in golden.entries("params_after/").items():
        expected = after - golden.parameters[name]
        error = np.linalg.norm(change[name] - expected) / np.linalg.norm(expected)
        assert error < 1e-3, name


def test_there_are_golden_files():
    assert len(FILES) == 8
