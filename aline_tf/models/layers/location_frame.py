"""Frames of location parameters: where on the design axes to look for each, and in which units.

A parameter that is a position on a design axis (a source, a threshold) is known far more finely
towards the end than at the beginning. A head that speaks in units of the whole axis would need
many digits; here it speaks in a frame of its own,

    a_s = attention of the parameter's token over the context
    c   = sum_s a_s x_s                          v_s > 0 predicted from token s; the start token
    w^2 = sum_s a_s ((x_s - c)^2 / D + v_s)      stands at the middle of the space with v = 1

and a mixture component of raw location m and spread s stands at c + w m with spread w s. The
second iteration reads the context again in units of w, so nearby observations are told apart.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from aline_tf.models.layers.layer_normalization import LayerNormalization
from aline_tf.models.layers.linear import Linear
from aline_tf.models.layers.mlp import MLP
from aline_tf.models.layers.relative_position_bias import RelativePositionBias

_HIDDEN_SCORE = -1e9
_NARROWEST = 1e-3
#: Starting value of log sqrt(v): a tenth of the half-width of the axis.
_FIRST_SPREAD = math.log(0.1)


@keras.saving.register_keras_serializable("aline_tf")
class LocationFrame(keras.layers.Layer):
    """The frame of every parameter's token, and the token after reading the context in it.

    Args:
        hidden_dim: E.
        dims: D.
        relative_position_dim: R of each reading.
        num_iterations: how often the frame is found, read and found again.
        intermediate_dim: width of hidden layers.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import LocationFrame
        >>> tokens, context = np.ones([1, 2, 8], "float32"), np.ones([1, 4, 8], "float32")
        >>> everything = np.ones([1, 4], bool)
        >>> tokens, center, width = LocationFrame(8, dims=1)(
        ...     tokens, context, np.zeros([1, 4, 1], "float32"), everything, everything
        ... )
        >>> center.shape, width.shape
        (TensorShape([1, 2, 1]), TensorShape([1, 2, 1]))
    """

    def __init__(
        self,
        hidden_dim=32,
        dims=1,
        relative_position_dim=32,
        num_iterations=2,
        intermediate_dim=128,
        **kwargs,
    ):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = hidden_dim
        self.dims = dims
        self.relative_position_dim = relative_position_dim
        self.num_iterations = num_iterations
        self.intermediate_dim = intermediate_dim
        policy = self.dtype_policy
        steps = range(num_iterations)
        self.queries = [Linear(hidden_dim, dtype=policy, name=f"query_{i}") for i in steps]
        self.keys = Linear(hidden_dim, dtype=policy, name="keys")
        self.spread = MLP(1, intermediate_dim, dtype=policy, name="spread")
        self.relative_position_biases = [
            RelativePositionBias(
                hidden_dim,
                dims,
                relative_position_dim,
                dtype=policy,
                name=f"relative_position_bias_{i}",
            )
            for i in steps
        ]
        self.updates = [
            MLP(hidden_dim, intermediate_dim, dtype=policy, name=f"update_{i}") for i in steps
        ]
        self.norm = LayerNormalization(dtype=policy, name="norm")

    def build(self, input_shape=None):
        for layer in (*self.queries, self.keys, self.norm):
            layer.build((None, None, self.hidden_dim))
        self.spread.build((None, self.hidden_dim))
        for messages, update in zip(self.relative_position_biases, self.updates, strict=True):
            messages.build()
            update.build((None, self.hidden_dim + self.dims + 1))
        self.built = True

    def call(self, tokens, context, position, visible, placed):
        """Tokens [B, P, E] after reading; centre [B, P, D] and width w [B, P, 1] of the frames,
        float32, in designs scaled to [-1, 1].

        Args:
            tokens: [B, P, E] of the parameters.
            context: [B, S, E], the first of them the start token; `position` [B, S, D] float32.
            visible, placed: bool [B, S], what may be read and what of it stands somewhere.
        """
        tokens = tf.cast(tokens, self.compute_dtype)
        readable = placed | (tf.range(tf.shape(placed)[1]) == 0)
        hidden = tf.where(visible & readable, 0.0, _HIDDEN_SCORE)[:, None]
        keys = self.keys(context)
        first = tf.cast(tf.range(tf.shape(placed)[1]) == 0, tf.float32)
        log_spread = tf.cast(self.spread(context)[..., 0], tf.float32) + _FIRST_SPREAD
        own = tf.exp(2.0 * tf.clip_by_value(log_spread * (1.0 - first), -7.0, 1.0))
        for query, messages, update in zip(
            self.queries, self.relative_position_biases, self.updates, strict=True
        ):
            scores = tf.matmul(query(self.norm(tokens)), keys, transpose_b=True)
            attention = tf.nn.softmax(tf.cast(scores, tf.float32) * self.hidden_dim**-0.5 + hidden)
            center = tf.matmul(attention, position)
            away = position[:, None] - center[:, :, None]
            second = tf.reduce_mean(tf.square(away), axis=-1) + own[:, None]
            width = tf.sqrt(tf.reduce_sum(attention * second, axis=-1, keepdims=True))
            width = tf.maximum(width, _NARROWEST)
            message, *_ = messages(
                self.norm(tokens),
                center,
                context,
                position,
                tf.ones([1, 1], tf.bool),
                visible & placed,
                zoom=width,
            )
            frame = tf.cast(tf.concat([center, tf.math.log(width)], -1), message.dtype)
            seen = tokens + message
            tokens = seen + update(tf.concat([self.norm(seen), frame], -1))
        return tokens, center, width

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "dims": self.dims,
            "relative_position_dim": self.relative_position_dim,
            "num_iterations": self.num_iterations,
            "intermediate_dim": self.intermediate_dim,
        }
