"""A perceptron with one hidden layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.models.layers.mlp import MLP
from tests.models.layer_harness import check_layer


@pytest.fixture
def values():
    return np.random.default_rng(1).standard_normal((2, 3, 5)).astype(np.float32)


def test_layer_contract(values):
    check_layer(
        lambda **kwargs: MLP(4, intermediate_dim=7, **kwargs), {"inputs": values}, values.shape
    )


@pytest.mark.parametrize("known", [(None, 3), (2, None), (None, None), (None, 0), (None, 1)])
def test_axes_of_unknown_size_are_what_they_turn_out_to_be(known):
    layer = MLP(4)
    layer.build((None, None, 5))
    call = tf.function(layer, input_signature=[tf.TensorSpec([*known, 5], tf.float32)])
    for rows in (0, 2):
        size = 3 if known[1] is None else known[1]
        values = np.ones([2 if known[0] else rows, size, 5], np.float32)
        np.testing.assert_allclose(call(values), layer(values), rtol=1e-6)


def test_mlp_is_two_linears_around_a_relu(values):
    layer = MLP(4, intermediate_dim=7)
    inner = np.maximum(values @ layer_weight(layer, values, "inner"), 0.0)
    expected = inner @ layer.outer.kernel.numpy()
    np.testing.assert_allclose(layer(values), expected, rtol=1e-5, atol=1e-5)


def layer_weight(layer, values, name):
    layer.build(values.shape)
    return getattr(layer, name).kernel.numpy()


def test_output_bias_is_where_the_mlp_starts():
    layer = MLP(3, intermediate_dim=7, output_bias=keras.initializers.Constant(2.5))
    np.testing.assert_allclose(layer(np.zeros([1, 5], np.float32)), np.full([1, 3], 2.5))
