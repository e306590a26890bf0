"""Relative-position messages and attention biases between queries and context.

    e_qs  = relu(W phi(x_q - x_s) + U h_s + V h_q + b)            reader q, context token s
    phi(r) = (r, log(r_d^2 + eps) for each dimension d, log(|r|^2 + eps))
    message_q = M sum_s e_qs          bias_lhqs = (B e_qs + b)_lh     layer l, head h

A sum, because evidence adds up: with h_s carrying the outcome, sum_s of a network of (x_q - x_s,
y_s) can be the log-likelihood of a hypothesis that stands at x_q. The bias lets every attention
head choose by distance, as a kernel does. Distances enter as logarithms, so a thousandth of the
design space is as visible as half of it.

Source: translation-equivariant attention is that of Ashman et al., "Translation Equivariant
Transformer Neural Processes", ICML 2024; the sum is ours.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.linear import Linear

#: Squared distance, in designs scaled to [-1, 1], below which two points count as one.
CLOSEST = 1e-5
_NOWHERE = -1e4


def log_distances(differences) -> list:
    """log(r_d^2 + eps) of each dimension and, when there are several, of all together.

    Args:
        differences: D tensors [B, Q, S], one for each dimension.
    """
    squares = [tf.square(difference) for difference in differences]
    if len(squares) > 1:
        squares.append(tf.add_n(squares))
    # Logarithms run from -11.5 to about 1: brought to the size of the differences.
    return [0.25 * tf.math.log(square + CLOSEST) + 1.0 for square in squares]


def relative_size(dims: int) -> int:
    """Number of features that `place` reads in D dimensions."""
    return 2 * dims + (1 if dims > 1 else 0)


@keras.saving.register_keras_serializable("aline_tf")
class RelativePositionBias(keras.layers.Layer):
    """Messages and attention biases from relative positions.

    Args:
        hidden_dim: E of the tokens.
        dims: D of the positions.
        relative_position_dim: R, the width of e.
        num_biases: how many attention biases (layers times heads); 0 for messages alone.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import RelativePositionBias
        >>> tokens, position = np.ones([1, 3, 8], "float32"), np.zeros([1, 3, 2], "float32")
        >>> message, bias, _ = RelativePositionBias(8, dims=2, num_biases=4)(
        ...     tokens, position, tokens, position, np.array([[True]]), np.ones([1, 3], bool)
        ... )
        >>> message.shape, bias.shape
        (TensorShape([1, 3, 8]), TensorShape([4, 1, 3, 3]))
    """

    def __init__(self, hidden_dim=32, dims=1, relative_position_dim=16, num_biases=0, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = hidden_dim
        self.dims = dims
        self.relative_position_dim = relative_position_dim
        self.num_biases = num_biases
        policy = self.dtype_policy
        self.place = Linear(
            relative_position_dim, kernel_initializer="he_normal", dtype=policy, name="place"
        )
        self.key = Linear(relative_position_dim, dtype=policy, name="key")
        self.query = Linear(relative_position_dim, dtype=policy, name="query")
        self.message = Linear(hidden_dim, dtype=policy, name="message")
        self.bias = Linear(num_biases, dtype=policy, name="bias") if num_biases else None

    def build(self, input_shape=None):
        self.place.build((None, relative_size(self.dims)))
        self.key.build((None, self.hidden_dim))
        self.query.build((None, self.hidden_dim))
        self.message.build((None, self.relative_position_dim))
        if self.bias is not None:
            self.bias.build((None, self.relative_position_dim))
        self.built = True

    def call(self, tokens, position, keys, key_position, stands, placed, zoom=None, first=None):
        """Messages [B, Q, E]; B e [biases, B, Q, S], 0 for what is no pair; b [biases], left to the
        caller because a constant in all scores does nothing. The last two are None without biases.

        Everything between is laid out [R, B, Q, S]: one matrix product for all pairs of all rows is
        several times quicker than one a row, and the biases of a layer are neighbours.

        Args:
            tokens: [B, Q, E] of the readers, at `position` [B, Q, D] float32.
            keys: [B, S, E] of what is read, at `key_position` [B, S, D] float32.
            stands: bool, broadcast to [B, Q]: readers that stand somewhere.
            placed: bool [B, S]: what of the keys stands somewhere.
            zoom: [B, Q, 1], divides the differences; None for 1.
            first: how many of the biases to work out; None for all.
        """
        weights = tf.cast(tf.convert_to_tensor(self.place.kernel), self.compute_dtype)
        key_term, query_term = self.key(keys), self.query(tokens)
        query_term += tf.cast(tf.convert_to_tensor(self.place.bias), self.compute_dtype)
        differences = [
            position[:, :, None, d] - key_position[:, None, :, d] for d in range(self.dims)
        ]
        if zoom is None:
            # W (x_q - x_s) belongs to one or the other: no pair has to be looked at for it.
            planes, linear = log_distances(differences), weights[: self.dims]
            query_term += _product(position, linear)
            key_term -= _product(key_position, linear)
            weights = weights[self.dims :]
        else:
            # A point may be a thousand widths away: the inverse hyperbolic sine is the identity
            # nearby and a logarithm from afar.
            differences = [tf.asinh(difference / zoom) for difference in differences]
            planes = [*differences, *log_distances(differences)]
        # Below zero whatever else is added, so that the rectifier leaves nothing of the pair.
        against = tf.where(placed[..., None], -key_term, -_NOWHERE)
        query_term = tf.where(stands[..., None], query_term, _NOWHERE)
        shape = tf.shape(differences[0])

        def of_pairs(kernel, planes):
            """Planes [n, B, Q, S] through a kernel [n, m]: [m, B, Q, S]."""
            flat = tf.matmul(kernel, tf.reshape(planes, [kernel.shape[0], -1]), transpose_a=True)
            return tf.reshape(flat, tf.concat([[kernel.shape[1]], shape], 0))

        inner = of_pairs(weights, tf.cast(tf.stack(planes), self.compute_dtype))
        # One broadcast at a time is several times quicker than both, which a sum of three would be
        # rearranged to: hence a difference.
        inner -= tf.transpose(against, [2, 0, 1])[:, :, None]
        edges = tf.nn.relu(inner + tf.transpose(query_term, [2, 0, 1])[..., None])
        # An eighth keeps the sum over a few dozen tokens at the size of a token.
        message = self.message(0.125 * tf.transpose(tf.reduce_sum(edges, axis=3), [1, 2, 0]))
        if self.bias is None:
            return message, None, None
        kernel = tf.cast(tf.convert_to_tensor(self.bias.kernel), self.compute_dtype)[:, :first]
        return message, of_pairs(kernel, edges), tf.convert_to_tensor(self.bias.bias)[:first]

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "dims": self.dims,
            "relative_position_dim": self.relative_position_dim,
            "num_biases": self.num_biases,
        }


def _product(position, kernel):
    """Positions [B, S, D] times a kernel [D, R]: [B, S, R]."""
    flat = tf.matmul(tf.reshape(tf.cast(position, kernel.dtype), [-1, position.shape[-1]]), kernel)
    return tf.reshape(flat, tf.concat([tf.shape(position)[:2], [kernel.shape[-1]]], 0))
