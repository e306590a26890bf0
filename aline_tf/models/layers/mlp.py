"""A perceptron with one hidden layer."""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.linear import Linear, flatten, unflatten


@keras.saving.register_keras_serializable("aline_tf")
class MLP(keras.layers.Layer):
    """y = W' relu(W x + b) + b' on the last axis, [..., inputs] -> [..., units].

    Args:
        units: size of the output's last axis.
        intermediate_dim: width of the hidden layer.
        output_bias: initialiser of b'.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import MLP
        >>> MLP(2, intermediate_dim=8)(np.ones([1, 3])).shape
        TensorShape([1, 2])
    """

    def __init__(self, units, intermediate_dim=128, output_bias="zeros", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.intermediate_dim = intermediate_dim
        self.output_bias = keras.initializers.get(output_bias)
        policy = self.dtype_policy
        self.inner = Linear(
            intermediate_dim, kernel_initializer="he_normal", dtype=policy, name="inner"
        )
        self.outer = Linear(units, bias_initializer=self.output_bias, dtype=policy, name="outer")

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.outer.build((*input_shape[:-1], self.intermediate_dim))
        self.built = True

    def call(self, inputs):
        inputs = tf.cast(inputs, self.compute_dtype)
        # One matrix all the way: no shape is worked out between the two products.
        hidden = tf.nn.relu(self.inner.of_rows(flatten(inputs)))
        return unflatten(self.outer.of_rows(hidden), inputs)

    def compute_output_shape(self, input_shape):
        """(..., units) for an `input_shape` of (..., inputs)."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "intermediate_dim": self.intermediate_dim,
            "output_bias": keras.initializers.serialize(self.output_bias),
        }
