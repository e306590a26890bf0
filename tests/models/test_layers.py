"""Linear and MLP."""

import keras
import numpy as np
import pytest

from aline_tf.models.layers import MLP, Linear
from tests.models.layer_harness import check_layer


@pytest.fixture
def values():
    return np.random.default_rng(1).standard_normal((2, 3, 5)).astype(np.float32)


@pytest.mark.parametrize("kind", [Linear, MLP])
def test_layer_contract(kind, values):
    options = {"hidden": 7} if kind is MLP else {}
    check_layer(lambda **kwargs: kind(4, **options, **kwargs), {"inputs": values}, values.shape)


def test_linear_is_the_affine_map_of_its_weights(values):
    layer = Linear(4, bias_initializer="random_normal")
    output = layer(values)
    expected = values @ layer.kernel.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)


def test_linear_takes_any_rank_and_an_empty_axis():
    layer = Linear(4)
    assert layer(np.zeros([5], np.float32)).shape == (4,)
    assert layer(np.zeros([2, 1, 3, 5], np.float32)).shape == (2, 1, 3, 4)
    assert layer(np.zeros([2, 0, 5], np.float32)).shape == (2, 0, 4)


def test_mlp_is_two_linears_around_a_relu(values):
    layer = MLP(4, hidden=7)
    inner = np.maximum(values @ layer_weight(layer, values, "inner"), 0.0)
    expected = inner @ layer.outer.kernel.numpy()
    np.testing.assert_allclose(layer(values), expected, rtol=1e-5, atol=1e-5)


def layer_weight(layer, values, name):
    layer.build(values.shape)
    return getattr(layer, name).kernel.numpy()


def test_output_bias_is_where_the_mlp_starts():
    layer = MLP(3, hidden=7, output_bias=keras.initializers.Constant(2.5))
    np.testing.assert_allclose(layer(np.zeros([1, 5], np.float32)), np.full([1, 3], 2.5))
