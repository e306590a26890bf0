"""An initialiser: a bias that starts at given values."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("aline_tf")
class ConstantVector(keras.initializers.Initializer):
    """Initialises a vector with the given values.

    Args:
        values: as many numbers as the vector has.

    Raises:
        ValueError: when called for another shape.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import MLP, ConstantVector
        >>> MLP(2, output_bias=ConstantVector([1.0, 2.0]))(np.zeros([1, 1])).numpy().tolist()
        [[1.0, 2.0]]
    """

    def __init__(self, values):
        self.values = list(values)

    def __call__(self, shape, dtype=None, **kwargs):
        """The vector.

        Args:
            shape: (n,), as many as there are values.
            dtype: float32 when None.

        Raises:
            ValueError: another shape.
        """
        if tuple(shape) != (len(self.values),):
            raise ValueError(f"Expected a vector of {len(self.values)}. Received: shape={shape}")
        return tf.constant(self.values, dtype or "float32", shape=shape)

    def get_config(self):
        return {"values": self.values}
