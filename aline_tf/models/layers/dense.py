"""Small layers with explicit `build`, shared by the embedder, the encoder and the heads."""

from __future__ import annotations

import keras
import tensorflow as tf


def _flatten(tensor):
    """[..., inputs] -> [rows, inputs]."""
    return tensor if tensor.shape.rank == 2 else tf.reshape(tensor, [-1, tensor.shape[-1]])


def leading_sizes(tensor) -> list:
    """All axes but the last, to reshape to: numbers, -1 for the only one that is unknown; several
    are looked up, and one beside an empty axis. On one example at a time the number of operations
    is what costs, and looking up takes four."""
    sizes = tensor.shape.as_list()[:-1]
    if None not in sizes:
        return sizes
    if sizes.count(None) == 1 and 0 not in sizes:
        return [-1 if size is None else size for size in sizes]
    return tf.unstack(tf.shape(tensor))[:-1]


def _unflatten(rows, like):
    """[rows, units] -> [..., units], the leading axes being those of `like`."""
    if like.shape.rank == 2:
        return rows
    return tf.reshape(rows, [*leading_sizes(like), rows.shape[-1]])


@keras.saving.register_keras_serializable("aline_tf")
class Linear(keras.layers.Layer):
    """y = x W + b on the last axis, [..., inputs] -> [..., units].

    The leading axes are flattened before the product: the gradient of a product with a broadcast
    kernel is many times slower on a CPU.

    Args:
        units: size of the output's last axis.
        kernel_initializer, bias_initializer: Keras initialisers (names, configs or objects).
    """

    def __init__(
        self, units, kernel_initializer="glorot_uniform", bias_initializer="zeros", **kwargs
    ):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer=self.bias_initializer
        )
        self.built = True

    def call(self, inputs):
        inputs = tf.cast(inputs, self.compute_dtype)
        return _unflatten(self.of_rows(_flatten(inputs)), inputs)

    def of_rows(self, rows):
        """The same for a matrix [rows, inputs] of the compute dtype."""
        kernel = tf.cast(tf.convert_to_tensor(self.kernel), self.compute_dtype)
        bias = tf.cast(tf.convert_to_tensor(self.bias), self.compute_dtype)
        return tf.nn.bias_add(tf.matmul(rows, kernel), bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@keras.saving.register_keras_serializable("aline_tf")
class LayerNormalization(keras.layers.LayerNormalization):
    """Keras's layer normalisation of the last axis, in half as many operations."""

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(epsilon=epsilon, **kwargs)

    def call(self, inputs):
        inputs = tf.cast(inputs, tf.float32)
        away = inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(away), axis=-1, keepdims=True)
        gamma, beta = (
            tf.cast(tf.convert_to_tensor(weight), tf.float32) for weight in (self.gamma, self.beta)
        )
        normed = away * tf.math.rsqrt(variance + self.epsilon) * gamma + beta
        return tf.cast(normed, self.compute_dtype)


@keras.saving.register_keras_serializable("aline_tf")
class MLP(keras.layers.Layer):
    """Linear-ReLU-Linear, [..., inputs] -> [..., units].

    Args:
        units: size of the output's last axis.
        intermediate_dim: width of the hidden layer.
        output_bias: initialiser of the last bias.
    """

    def __init__(self, units, intermediate_dim=128, output_bias="zeros", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.intermediate_dim = intermediate_dim
        self.output_bias = keras.initializers.get(output_bias)
        self.inner = Linear(
            intermediate_dim, kernel_initializer="he_normal", dtype=self.dtype_policy
        )
        self.outer = Linear(units, bias_initializer=self.output_bias, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.outer.build((*input_shape[:-1], self.intermediate_dim))
        self.built = True

    def call(self, inputs):
        inputs = tf.cast(inputs, self.compute_dtype)
        # One matrix all the way: no shape is worked out between the two products.
        hidden = tf.nn.relu(self.inner.of_rows(_flatten(inputs)))
        return _unflatten(self.outer.of_rows(hidden), inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "intermediate_dim": self.intermediate_dim,
            "output_bias": keras.initializers.serialize(self.output_bias),
        }
