"""An affine map of the last axis, quick on any number of leading axes."""

from __future__ import annotations

import keras
import tensorflow as tf


def flatten(tensor):
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


def unflatten(rows, like):
    """[rows, units] -> [..., units], the leading axes being those of `like`."""
    if like.shape.rank == 2:
        return rows
    return tf.reshape(rows, [*leading_sizes(like), rows.shape[-1]])


@keras.saving.register_keras_serializable("aline_tf")
class Linear(keras.layers.Dense):
    """y = x W + b on the last axis, [..., inputs] -> [..., units].

    A `keras.layers.Dense`, `enable_lora` included, whose leading axes are flattened before the
    product: the gradient of a product with a broadcast kernel is many times slower on a CPU.

    Args:
        units: size of the output's last axis.
        **kwargs: as of `keras.layers.Dense`.

    Raises:
        NotImplementedError: by `quantize`: the layers around it read its kernel as it is.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import Linear
        >>> layer = Linear(2, name="query")
        >>> layer(np.ones([1, 1, 3])).shape
        TensorShape([1, 1, 2])
        >>> layer.enable_lora(1)
        >>> sum(weight.trainable for weight in layer.weights)  # the bias and two thin matrices
        3
    """

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.input_spec = None

    def build(self, input_shape):
        super().build(input_shape)
        # Any rank will do, and on one example at a time a check of every input costs too.
        self.input_spec = None

    def call(self, inputs):
        inputs = tf.cast(inputs, self.compute_dtype)
        return unflatten(self.of_rows(flatten(inputs)), inputs)

    def of_rows(self, rows):
        """The same for a matrix [rows, inputs] of the compute dtype."""
        product = tf.matmul(rows, tf.cast(tf.convert_to_tensor(self.kernel), self.compute_dtype))
        if self.bias is not None:
            bias = tf.cast(tf.convert_to_tensor(self.bias), self.compute_dtype)
            product = tf.nn.bias_add(product, bias)
        return product if self.activation is None else self.activation(product)

    def quantize(self, *args, **kwargs):
        raise NotImplementedError(f"Expected a layer to quantize. Received: {self.name}, a Linear")
