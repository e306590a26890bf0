"""Layer normalisation: that of Keras, in fewer operations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from aline_tf.models.layers.layer_normalization import LayerNormalization
from tests.models.layer_harness import check_layer


@pytest.fixture
def values():
    return np.random.default_rng(1).standard_normal((2, 3, 5)).astype(np.float32)


def test_layer_contract(values):
    check_layer(lambda **kwargs: LayerNormalization(**kwargs), {"inputs": values}, values.shape)


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
