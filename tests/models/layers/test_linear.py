"""The affine map of the last axis: a Dense layer of Keras, quicker."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.models.layers.linear import Linear
from tests.models.layer_harness import check_layer


@pytest.fixture
def values():
    return np.random.default_rng(1).standard_normal((2, 3, 5)).astype(np.float32)


def test_layer_contract(values):
    check_layer(lambda **kwargs: Linear(4, **kwargs), {"inputs": values}, values.shape)


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
def test_axes_of_unknown_size_are_what_they_turn_out_to_be(known):
    layer = Linear(4)
    layer.build((None, None, 5))
    call = tf.function(layer, input_signature=[tf.TensorSpec([*known, 5], tf.float32)])
    for rows in (0, 2):
        size = 3 if known[1] is None else known[1]
        values = np.ones([2 if known[0] else rows, size, 5], np.float32)
        np.testing.assert_allclose(call(values), layer(values), rtol=1e-6)


def test_what_keras_can_set_of_a_dense_layer_is_done(values):
    layer = Linear(4, activation="relu", use_bias=False)
    expected = np.maximum(values @ layer_kernel(layer, values), 0.0)
    np.testing.assert_allclose(layer(values), expected, rtol=1e-5, atol=1e-5)
    assert len(layer.weights) == 1


def layer_kernel(layer, values):
    layer.build(values.shape)
    return layer.kernel.numpy()


def test_lora_leaves_the_outputs_and_trains_two_thin_matrices(values, tmp_path):
    inputs = keras.Input([None, 5])
    layer = Linear(4)
    model = keras.Model(inputs, layer(inputs))
    before, kernel = model(values).numpy(), layer.kernel.numpy()
    layer.enable_lora(2)
    np.testing.assert_array_equal(model(values), before)
    shapes = {tuple(weight.shape) for weight in layer.trainable_weights}
    assert shapes == {(4,), (5, 2), (2, 4)}
    model.compile("sgd", "mse")
    model.fit(values, before + 1.0, epochs=2, verbose=0)
    assert np.abs(layer.kernel.numpy() - kernel).max() > 1e-4
    # Keras writes the kernel with what was learned in it.
    model.save_weights(tmp_path / "x.weights.h5")
    again = Linear(4)
    plain = keras.Model(inputs, again(inputs))
    plain.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_allclose(plain(values), model(values), atol=1e-6)


def test_quantization_is_refused(values):
    layer = Linear(4)
    layer.build(values.shape)
    with pytest.raises(NotImplementedError, match="a Linear"):
        layer.quantize("int8")
