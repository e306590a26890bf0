"""A bias that starts at given values."""

import keras
import numpy as np
import pytest

from aline_tf.models.layers.constant_vector import ConstantVector
from aline_tf.models.layers.mlp import MLP


def test_a_layer_starts_there_and_round_trips():
    layer = MLP(3, intermediate_dim=7, output_bias=ConstantVector([1.0, 2.0, 3.0]))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    for made in (layer, again):
        np.testing.assert_allclose(made(np.zeros([1, 5], np.float32)), [[1.0, 2.0, 3.0]])


def test_another_length_is_refused():
    with pytest.raises(ValueError, match="vector of 1"):
        MLP(2, output_bias=ConstantVector([1.0]))(np.zeros([1, 5], np.float32))
