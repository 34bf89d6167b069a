"""Strict JAX, two devices and checked shapes for every test; how tests make networks."""

import json
import os
from pathlib import Path

# In the environment, so that programs that tests start compute the same.
# Tests compile much and compute little.
os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0 "
    "--xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false"
)

# What one test has compiled is there for the others, for the programs that tests start, and for
# the next run: one folder, which CI keeps.
COMPILED = Path(__file__).parent.parent / ".pytest_cache" / "compiled"
os.environ["JAX_COMPILATION_CACHE_DIR"] = os.environ.setdefault("IICNET_TEST_CACHE", f"{COMPILED}")
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
os.environ["JAX_NUM_CPU_DEVICES"] = "2"
os.environ["JAX_DEFAULT_PRNG_IMPL"] = "rbg"  # compiles faster than threefry

import jax  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")

import jaxtyping  # noqa: E402

# Before the first import of these.
CHECKED = [
    *("models", "training.losses", "weights", "imaging", "data", "media"),
    *("inference", "evaluation", "conversion"),
]
jaxtyping.install_import_hook([f"iicnet_jax.{name}" for name in CHECKED], "beartype.beartype")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from flax import nnx  # noqa: E402

from iicnet_jax.models.abstract import ConstantRngs  # noqa: E402


def pytest_collection_modifyitems(items):
    """The files that take longest go first, one to each process."""
    items.sort(key=lambda item: not item.path.stem.startswith("test_every_"))


@pytest.fixture
def strict_dtypes():
    """Mixing dtypes is an error. Not for all tests: optax and clu divide floats by counts."""
    with jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture(scope="session")
def random_network():
    """Makes a network with random parameters, without the slow compilation of its initialisers.

    A fresh network is the identity in most places, so that a round trip through it shows nothing.
    Matrices become orthogonal, all other parameters normal with standard deviation `scale`.
    """

    def shapes_of(make):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nnx, "Rngs", ConstantRngs)
            return nnx.eval_shape(make)

    def build(make, scale=0.04):
        graph, params = nnx.split(shapes_of(make), nnx.Param)
        random = np.random.RandomState(0)
        for path, parameter in nnx.to_flat_state(params):
            value = random.normal(size=parameter.shape)
            # So the invertible 1x1 convolution calls its matrix, and no other layer any parameter.
            value = np.linalg.qr(value)[0] if path[-1] == "weight" else scale * value
            parameter.set_value(jnp.asarray(value, jnp.float32))
        return nnx.merge(graph, params)

    return build


@pytest.fixture
def call(capsys):
    """Runs a command; gives what it prints, which is JSON with --json."""

    def call(*arguments):
        from iicnet_jax import cli

        cli.main([*map(str, arguments)])
        stdout, _ = capsys.readouterr()
        return json.loads(stdout) if "--json" in arguments else stdout

    return call


@pytest.fixture
def refused(call, capsys):
    """The message of a command that fails."""

    def refused(*arguments):
        with pytest.raises(SystemExit) as ended:
            call(*arguments)
        assert ended.value.code == 1
        return capsys.readouterr().err

    return refused
