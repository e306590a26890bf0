"""Kernel smoother of the observations: a location and a scale for every prediction.

    loc   = sum_h g_h sum_s a_hs y_s    a: attention of head h over the context
    scale = exp(u)                      u and the gates g are read from the target's token

A mixture component of raw location m and raw spread s stands at loc + scale m with spread
scale softplus(s).
A smooth function is then interpolated by weighing its neighbours (the gates may be negative, so an
interpolation of higher order can be learned too), and the model's few digits are spent on what
is left over. The start token has y = 0, the middle of the prior.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.linear import Linear

_HIDDEN_SCORE = -1e9


@keras.saving.register_keras_serializable("aline_tf")
class KernelSmoother(keras.layers.Layer):
    """Location and scale of every predictive target, by attention over observed outcomes.

    Args:
        hidden_dim: E.
        num_heads: attention heads, each a weighted mean of outcomes.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import KernelSmoother
        >>> targets, context = np.ones([1, 3, 8], "float32"), np.ones([1, 2, 8], "float32")
        >>> loc, scale = KernelSmoother(8, num_heads=2)(
        ...     targets, context, value=np.array([[1.0, 3.0]], "float32"),
        ...     readable=np.array([[True, True]]), bias=np.zeros([2, 1, 3, 2], "float32")
        ... )
        >>> loc.shape, scale.shape
        (TensorShape([1, 3, 1]), TensorShape([1, 3, 1]))
    """

    def __init__(self, hidden_dim=32, num_heads=4, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        policy = self.dtype_policy
        self.query = Linear(hidden_dim * num_heads, dtype=policy, name="query")
        self.key = Linear(hidden_dim, dtype=policy, name="key")
        self.gates = Linear(num_heads, bias_initializer="zeros", dtype=policy, name="gates")
        self.log_scale = Linear(1, kernel_initializer="zeros", dtype=policy, name="log_scale")

    def build(self, input_shape=None):
        for layer in (self.query, self.key, self.gates, self.log_scale):
            layer.build((None, None, self.hidden_dim))
        self.built = True

    def call(self, targets, context, value, readable, bias):
        """Location [B, M, 1] and scale [B, M, 1], float32, in standardised outcomes.

        Args:
            targets: [B, M, E].
            context: [B, S, E].
            value: [B, S] float32, standardised outcomes; 0 where there is none.
            readable: bool [B, S], tokens whose value means something.
            bias: [heads, B, M, S], of the attention scores.
        """
        shape = tf.shape(targets)
        queries = tf.reshape(
            self.query(targets), [shape[0], shape[1] * self.num_heads, self.hidden_dim]
        )
        scores = tf.matmul(queries, self.key(context), transpose_b=True) * self.hidden_dim**-0.5
        scores = tf.reshape(scores, [shape[0], shape[1], self.num_heads, tf.shape(context)[1]])
        scores = tf.cast(scores, tf.float32)
        scores += tf.cast(tf.transpose(bias, [1, 2, 0, 3]), tf.float32)
        scores += tf.where(readable, 0.0, _HIDDEN_SCORE)[:, None, None]
        means = tf.linalg.matvec(tf.nn.softmax(scores), value[:, None])
        gates = tf.cast(self.gates(targets), tf.float32) + 1.0 / self.num_heads
        loc = tf.reduce_sum(gates * means, axis=-1, keepdims=True)
        log_scale = tf.cast(self.log_scale(targets), tf.float32)
        return loc, tf.exp(tf.clip_by_value(log_scale, -7.0, 3.0))

    def get_config(self):
        return super().get_config() | {"hidden_dim": self.hidden_dim, "num_heads": self.num_heads}
