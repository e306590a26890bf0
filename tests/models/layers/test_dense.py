"""Linear, MLP and layer normalisation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.models.layers.dense import MLP, LayerNormalization, Linear
from tests.models.layer_harness import check_layer


@pytest.fixture
def values():
    return np.random.default_rng(1).standard_normal((2, 3, 5)).astype(np.float32)


@pytest.mark.parametrize("kind", [Linear, MLP])
def test_layer_contract(kind, values):
    options = {"intermediate_dim": 7} if kind is MLP else {}
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


@pytest.mark.parametrize("known", [(None, 3), (2, None), (None, None), (None, 0), (None, 1)])
@pytest.mark.parametrize("kind", [Linear, MLP])
def test_axes_of_unknown_size_are_what_they_turn_out_to_be(kind, known):
    layer = kind(4)
    layer.build((None, None, 5))
    call = tf.function(layer, input_signature=[tf.TensorSpec([*known, 5], tf.float32)])
    for rows in (0, 2):
        size = 3 if known[1] is None else known[1]
        values = np.ones([2 if known[0] else rows, size, 5], np.float32)
        np.testing.assert_allclose(call(values), layer(values), rtol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_layer_normalization_is_that_of_keras(policy, values):
    ours, theirs = (
        LayerNormalization(dtype=policy),
        keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy),
    )
    rng = np.random.default_rng(2)
    weights = [rng.standard_normal(5).astype(np.float32) for _ in range(2)]
    found = []
    for layer in (ours, theirs):
        layer.build(values.shape)
        layer.set_weights(weights)
        found.append(layer(100.0 + 3.0 * values))
    assert found[0].dtype == found[1].dtype
    tolerance = 1e-4 if policy == "float32" else 0.1
    np.testing.assert_allclose(*(tf.cast(f, tf.float32) for f in found), atol=tolerance)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert type(again) is LayerNormalization and again.epsilon == 1e-5


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
