"""Layer normalisation of the last axis."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("aline_tf")
class LayerNormalization(keras.layers.LayerNormalization):
    """y = (x - mean x) / sqrt(var x + epsilon) gamma + beta, over the last axis [..., E].

    Keras's own, in half as many operations.

    Args:
        epsilon: added to the variance.
        **kwargs: as of `keras.layers.LayerNormalization`.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import LayerNormalization
        >>> LayerNormalization()(np.array([[1.0, 3.0]])).numpy().round(3).tolist()
        [[-1.0, 1.0]]
    """

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
