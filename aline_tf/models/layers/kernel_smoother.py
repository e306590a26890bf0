"""Predictions said as corrections of what was measured nearby.

    c = sum_h g_h sum_s a_hs y_s        a: attention of head h over the context
    w = exp(u)                          u and the gates g are read from the target's token

A mixture component of raw location m and raw spread s stands at c + w m with spread w softplus(s).
A smooth function is then interpolated by weighing its neighbours (the gates may be negative, so an
interpolation of higher order can be learned too), and the network's few digits are spent on what
is left over. The start token has y = 0, the middle of the prior.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.dense import Linear

_HIDDEN_SCORE = -1e9


@keras.saving.register_keras_serializable("aline_tf")
class KernelSmoother(keras.layers.Layer):
    """Centre and width of every predictive target.

    Args:
        hidden_dim: E.
        num_heads: attention heads, each a weighted mean of outcomes.
    """

    def __init__(self, hidden_dim=32, num_heads=4, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        policy = self.dtype_policy
        self.query = Linear(hidden_dim * num_heads, dtype=policy)
        self.key = Linear(hidden_dim, dtype=policy)
        self.gates = Linear(num_heads, bias_initializer="zeros", dtype=policy)
        self.log_width = Linear(1, kernel_initializer="zeros", dtype=policy)

    def build(self, input_shape=None):
        for layer in (self.query, self.key, self.gates, self.log_width):
            layer.build((None, None, self.hidden_dim))
        self.built = True

    def call(self, targets, context, value, readable, bias):
        """Centre [B, M, 1] and width [B, M, 1], float32, in standardised outcomes.

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
        center = tf.reduce_sum(gates * means, axis=-1, keepdims=True)
        log_width = tf.cast(self.log_width(targets), tf.float32)
        return center, tf.exp(tf.clip_by_value(log_width, -7.0, 3.0))

    def get_config(self):
        return super().get_config() | {"hidden_dim": self.hidden_dim, "num_heads": self.num_heads}
