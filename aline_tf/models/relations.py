"""What a reader sees of the context because of where both stand.

    e_qs  = relu(W phi(x_q - x_s) + U h_s + V h_q + b)            reader q, context token s
    phi(r) = (r, log(r_d^2 + eps) for each dimension d, log(|r|^2 + eps))
    message_q = M sum_s e_qs          bias_lhqs = (B e_qs)_lh     layer l, head h

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

from aline_tf.models.layers import Linear

#: Squared distance, in designs scaled to [-1, 1], below which two points count as one.
CLOSEST = 1e-5


def relative_features(difference) -> tf.Tensor:
    """phi of differences [..., D]: [..., 2 D + 1], or [..., 2] when D = 1."""
    square = tf.square(difference)
    parts = [difference, tf.math.log(square + CLOSEST)]
    if difference.shape[-1] > 1:
        total = tf.reduce_sum(square, axis=-1, keepdims=True)
        parts.append(tf.math.log(total + CLOSEST))
    features = tf.concat(parts, axis=-1)
    # Logarithms run from -11.5 to about 1: brought to the size of the differences.
    dims = difference.shape[-1]
    shift = [0.0] * dims + [4.0] * (features.shape[-1] - dims)
    scale = [1.0] * dims + [0.25] * (features.shape[-1] - dims)
    return (features + tf.constant(shift)) * tf.constant(scale)


def relative_size(dims: int) -> int:
    """Number of features that `relative_features` gives for D dimensions."""
    return 2 * dims + (1 if dims > 1 else 0)


@keras.saving.register_keras_serializable("aline_tf")
class Relations(keras.layers.Layer):
    """Messages and attention biases from relative positions.

    Args:
        width: E of the tokens.
        dims: D of the positions.
        relation: R, the width of e.
        biases: how many attention biases (layers times heads); 0 for messages alone.
    """

    def __init__(self, width=32, dims=1, relation=16, biases=0, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.width = width
        self.dims = dims
        self.relation = relation
        self.biases = biases
        policy = self.dtype_policy
        self.place = Linear(relation, kernel_initializer="he_normal", dtype=policy)
        self.key = Linear(relation, dtype=policy)
        self.query = Linear(relation, dtype=policy)
        self.message = Linear(width, dtype=policy)
        self.bias = Linear(biases, dtype=policy) if biases else None

    def build(self, input_shape=None):
        self.place.build((None, relative_size(self.dims)))
        self.key.build((None, self.width))
        self.query.build((None, self.width))
        self.message.build((None, self.relation))
        if self.bias is not None:
            self.bias.build((None, self.relation))
        self.built = True

    def call(self, tokens, position, keys, key_position, pairs, zoom=None):
        """Messages [B, Q, E] and biases [biases, B, Q, S] (None without any).

        Args:
            tokens: [B, Q, E] of the readers, at `position` [B, Q, D] float32.
            keys: [B, S, E] of what is read, at `key_position` [B, S, D] float32.
            pairs: bool, broadcast to [B, Q, S]: both stand somewhere and may meet.
            zoom: [B, Q, 1, 1], divides the differences; None for 1.
        """
        difference = position[:, :, None] - key_position[:, None]
        if zoom is not None:
            # A point may be a thousand widths away: the inverse hyperbolic sine is the identity
            # nearby and a logarithm from afar.
            difference = tf.asinh(difference / zoom)
        inner = self.place(relative_features(difference))
        inner += self.key(keys)[:, None] + self.query(tokens)[:, :, None]
        edges = tf.nn.relu(inner) * tf.cast(pairs, inner.dtype)[..., None]
        # An eighth keeps the sum over a few dozen tokens at the size of a token.
        message = self.message(0.125 * tf.reduce_sum(edges, axis=2))
        if self.bias is None:
            return message, None
        return message, tf.transpose(self.bias(edges), [3, 0, 1, 2])

    def get_config(self):
        return super().get_config() | {
            "width": self.width,
            "dims": self.dims,
            "relation": self.relation,
            "biases": self.biases,
        }
