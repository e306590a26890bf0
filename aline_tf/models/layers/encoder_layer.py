"""The three-stream encoder: one set of weights, three kinds of readers.

    context   -> context
    target    -> context
    candidate -> context and the selected targets

Nothing attends to candidates and targets do not see each other, so no key or value is ever
computed for a candidate, and the (C + N + M)^2 mask of a single-stream encoder is never built:
there are two reads, one of the context and one of the context and the targets.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.layer_normalization import LayerNormalization
from aline_tf.models.layers.linear import Linear, leading_sizes
from aline_tf.models.layers.mlp import MLP

_HIDDEN_SCORE = -1e9


@keras.saving.register_keras_serializable("aline_tf")
class EncoderLayer(keras.layers.Layer):
    """One pre-norm transformer layer applied to the three streams with shared weights.

    Args:
        hidden_dim: E, divisible by `num_heads`.
        num_heads: attention heads.
        intermediate_dim: width of the feed-forward layer.

    Raises:
        ValueError: `hidden_dim` is not divisible by `num_heads`.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import EncoderLayer
        >>> layer = EncoderLayer(hidden_dim=8, num_heads=2)
        >>> context, targets, candidates = (np.ones([1, n, 8], "float32") for n in (4, 2, 3))
        >>> seen, selected = np.ones([1, 4], bool), np.ones([1, 2], bool)
        >>> streams = layer(context, seen, targets, selected, candidates)
        >>> [stream.shape[1] for stream in streams]
        [4, 2, 3]
    """

    def __init__(self, hidden_dim=32, num_heads=4, intermediate_dim=128, **kwargs):
        super().__init__(**kwargs)
        if hidden_dim % num_heads:
            raise ValueError(
                f"Expected hidden_dim divisible by num_heads. Received: hidden_dim={hidden_dim}, "
                f"num_heads={num_heads}"
            )
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        policy = self.dtype_policy
        self.attention_norm = LayerNormalization(dtype=policy, name="attention_norm")
        self.feed_norm = LayerNormalization(dtype=policy, name="feed_norm")
        self.query = Linear(hidden_dim, dtype=policy, name="query")
        self.key_value = Linear(2 * hidden_dim, dtype=policy, name="key_value")
        self.output_linear = Linear(hidden_dim, dtype=policy, name="output_linear")
        self.feed_forward = MLP(hidden_dim, intermediate_dim, dtype=policy, name="feed_forward")

    def build(self, input_shape=None):
        shape = (None, None, self.hidden_dim)
        for layer in (
            self.attention_norm,
            self.feed_norm,
            self.query,
            self.key_value,
            self.output_linear,
            self.feed_forward,
        ):
            layer.build(shape)
        self.built = True

    def _split(self, tokens):
        """[B, S, E] -> [heads, B, S, E / heads]."""
        sizes = leading_sizes(tokens)
        tokens = tf.reshape(tokens, [*sizes, self.num_heads, self.hidden_dim // self.num_heads])
        return tf.transpose(tokens, [2, 0, 1, 3])

    def _attended(self, queries, keys, values, hidden, bias):
        """[B, Q, E] read with queries [heads, B, Q, E / heads] from keys and values [heads, B, S,
        E / heads]; `hidden` [1 or heads, B, 1 or Q, S] and `bias` [heads, B, Q, S] (or None) are
        added to the scores."""
        scores = tf.matmul(queries, keys, transpose_b=True)
        if bias is not None:
            scores += bias
        weights = tf.nn.softmax(tf.cast(scores, tf.float32) + hidden, axis=-1)
        read = tf.transpose(tf.matmul(tf.cast(weights, values.dtype), values), [1, 2, 0, 3])
        return tf.reshape(read, [*leading_sizes(read[..., 0]), self.hidden_dim])

    def call(
        self,
        context,
        context_visible,
        targets,
        target_visible,
        candidates,
        biases=(None, None),
        level=None,
        withheld=None,
    ):
        """The three streams after one layer.

        Args:
            context: [B, S, E]; `context_visible` bool [B, S] marks what may be attended to.
            targets: [B, P + M, E]; `target_visible` bool [B, P + M] marks the selected ones.
            candidates: [B, N, E].
            biases: of the scores by which targets read the context, [heads, B, P + M, S], and
                candidates the context and the targets, [heads, B, N, S + P + M]; None for none.
            level: [heads], taken from the scores by which candidates read targets; None for 0.
            withheld: bool [S + P + M, S], what of the context each token of the context and of the
                targets is not shown, though it may be attended to; None for nothing.
        """
        # What all tokens go through alike is done once: on one example at a time, the number of
        # operations is what costs. Parts are split off, not sliced: the gradient of a slice is as
        # large as the whole.
        sizes = [tf.shape(stream)[1] for stream in (context, targets, candidates)]
        has_candidates = candidates.shape[1] != 0
        tokens = tf.concat([context, targets, candidates], axis=1)
        normed = self.attention_norm(tokens)
        visible = context_visible
        readable, *rest = tf.split(normed, sizes, axis=1)
        if has_candidates:
            # They alone read targets.
            visible = tf.concat([visible, target_visible], axis=1)
            readable = tf.concat([readable, rest[0]], axis=1)
        # A weight of zero does not silence NaN: what is not selected is taken out by value.
        readable = tf.where(visible[..., None], readable, 0.0)
        keys, values = tf.split(self.key_value(readable), 2, axis=-1)
        keys, values = self._split(keys), self._split(values)
        queries = self._split(self.query(normed)) * (self.hidden_dim // self.num_heads) ** -0.5
        hidden = tf.where(visible, 0.0, _HIDDEN_SCORE)[None, :, None]
        apart = 0.0 if withheld is None else tf.where(withheld, _HIDDEN_SCORE, 0.0)
        target_bias, candidate_bias = biases
        if target_bias is not None:
            target_bias = tf.pad(target_bias, [[0, 0], [0, 0], [sizes[0], 0], [0, 0]])
        if has_candidates:
            of_context = [
                tf.split(part, sizes[:2], axis=axis)[0]
                for part, axis in ((keys, 2), (values, 2), (hidden, 3))
            ]
            of_context[2] += apart
            first, second = tf.split(queries, [sizes[0] + sizes[1], sizes[2]], axis=2)
            if level is not None:
                lower = tf.cast(level, tf.float32)[:, None]
                lower = tf.broadcast_to(lower, [self.num_heads, sizes[1]])
                hidden -= tf.pad(lower, [[0, 0], [sizes[0], 0]])[:, None, None]
            read = tf.concat(
                [
                    self._attended(first, *of_context, target_bias),
                    self._attended(second, keys, values, hidden, candidate_bias),
                ],
                axis=1,
            )
        else:
            read = self._attended(queries, keys, values, hidden + apart, target_bias)
        tokens += self.output_linear(read)
        tokens += self.feed_forward(self.feed_norm(tokens))
        return tuple(tf.split(tokens, sizes, axis=1))

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
        }
