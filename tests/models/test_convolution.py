"""The convolution with matrix products as its kernel's gradient is the library's convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec

from iicnet_jax.models.convolution import convolve
from iicnet_jax.models.dense_block import DenseBlock

LAYOUT = ("NHWC", "HWIO", "NHWC")


def normal(shape, seed=0, dtype=jnp.float32):
    return jnp.asarray(np.random.RandomState(seed).normal(size=shape), dtype)


def value_and_gradients(convolution, x, kernel, dy):
    def function(x, kernel):
        return convolution(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT)

    y, pullback = jax.vjp(function, x, kernel)
    return y, *pullback(dy)


@pytest.mark.parametrize(
    ("shape", "size", "features"),
    [
        ((2, 7, 5, 3), 3, 32),  # x is moved
        ((2, 7, 5, 35), 3, 32),  # dy is moved
        ((2, 40, 64, 3), 3, 4),  # three strips, the last one shorter
        ((1, 3, 2100, 4), 5, 3),  # a row is more than a strip should have
        ((1, 1, 2, 131), 3, 3),
        ((2, 4, 3, 8), 1, 8),
        ((1, 6, 9, 4), 5, 2),
    ],
)
@pytest.mark.parametrize(("dtype", "rounding"), [(jnp.float32, 1e-5), (jnp.bfloat16, 2e-2)])
def test_values_and_gradients_are_the_library_s(shape, size, features, dtype, rounding):
    x, dy = normal(shape, dtype=dtype), normal((*shape[:3], features), 1, dtype)
    kernel = normal((size, size, shape[-1], features), 2, dtype)
    ours = value_and_gradients(convolve, x, kernel, dy)
    expected = value_and_gradients(lax.conv_general_dilated, x, kernel, dy)
    for a, b in zip(ours, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
        np.testing.assert_allclose(a, b, rtol=0, atol=rounding * np.abs(b).max())


def test_gradients_survive_scan_rematerialisation_and_sharding():
    kernels, x = normal((3, 3, 3, 4, 4)) / 6, normal((2, 8, 6, 4), 1)

    def loss(convolution, kernels, x):
        @jax.checkpoint
        def layer(x, kernel):
            return convolution(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT), None

        return jnp.sum(lax.scan(layer, x, kernels)[0] ** 2)

    mesh = jax.make_mesh((2,), ("data",), (jax.sharding.AxisType.Auto,))
    split = jax.device_put(x, NamedSharding(mesh, PartitionSpec("data")))
    ours = jax.jit(jax.grad(lambda k, x: loss(convolve, k, x)))(kernels, split)
    expected = jax.jit(jax.grad(lambda k, x: loss(lax.conv_general_dilated, k, x)))(kernels, x)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("backend", "products"), [("cpu", 5), ("gpu", 0)])
def test_networks_use_matrix_products_on_cpus_alone(monkeypatch, backend, products):
    graph, params = nnx.split(nnx.eval_shape(lambda: DenseBlock(3, 3, rngs=nnx.Rngs(0))))
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    gradient = jax.grad(lambda params, x: nnx.merge(graph, params)(x).sum())
    x = jax.ShapeDtypeStruct((1, 4, 5, 3), jnp.float32)
    assert str(jax.make_jaxpr(gradient)(params, x)).count("dot_general[") == products  # one a layer
