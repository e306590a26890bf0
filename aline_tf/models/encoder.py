"""The three-stream encoder: one set of weights, three kinds of readers.

    context   -> context
    target    -> context
    candidate -> context and the selected targets

Nothing attends to candidates and targets do not see each other, so no key or value is ever
computed for a candidate, and the (C + N + M)^2 mask of a single-stream encoder is never built.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers import MLP, Linear

_HIDDEN_SCORE = -1e9


@keras.saving.register_keras_serializable("aline_tf")
class EncoderLayer(keras.layers.Layer):
    """One pre-norm transformer layer applied to the three streams with shared weights.

    Args:
        width: E, divisible by `heads`.
        heads: attention heads.
        hidden: width of the feed-forward layer.
    """

    def __init__(self, width=32, heads=4, hidden=128, **kwargs):
        super().__init__(**kwargs)
        if width % heads:
            raise ValueError(
                f"Expected width divisible by heads. Received: width={width}, heads={heads}"
            )
        self.width = width
        self.heads = heads
        self.hidden = hidden
        policy = self.dtype_policy
        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        self.feed_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        self.query = Linear(width, dtype=policy)
        self.key_value = Linear(2 * width, dtype=policy)
        self.output_linear = Linear(width, dtype=policy)
        self.feed_forward = MLP(width, hidden, dtype=policy)

    def build(self, input_shape=None):
        shape = (None, None, self.width)
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
        """[B, S, E] -> [B, heads, S, E / heads]."""
        shape = tf.shape(tokens)
        tokens = tf.reshape(tokens, [shape[0], shape[1], self.heads, self.width // self.heads])
        return tf.transpose(tokens, [0, 2, 1, 3])

    def _keys_values(self, normed):
        keys, values = tf.split(self.key_value(normed), 2, axis=-1)
        return self._split(keys), self._split(values)

    def _read(self, tokens, normed, keys, values, visible, bias=None):
        """`tokens` after attending to keys [B, heads, S, E / heads] where `visible` [B, S]; `bias`
        [B, heads, Q, S] is added to the scores."""
        queries = self._split(self.query(normed)) * (self.width // self.heads) ** -0.5
        scores = tf.matmul(queries, keys, transpose_b=True)
        if bias is not None:
            scores += bias
        hidden = tf.where(visible, 0.0, _HIDDEN_SCORE)[:, None, None, :]
        weights = tf.nn.softmax(tf.cast(scores, tf.float32) + hidden, axis=-1)
        read = tf.transpose(tf.matmul(tf.cast(weights, values.dtype), values), [0, 2, 1, 3])
        tokens = tokens + self.output_linear(tf.reshape(read, tf.shape(tokens)))
        return tokens + self.feed_forward(self.feed_norm(tokens))

    def call(
        self, context, context_visible, targets, target_visible, candidates, biases=(None, None)
    ):
        """The three streams after one layer.

        Args:
            context: [B, S, E]; `context_visible` bool [B, S] marks what may be attended to.
            targets: [B, P + M, E]; `target_visible` bool [B, P + M] marks the selected ones.
            candidates: [B, N, E].
            biases: of the scores by which targets and candidates read the context, each
                [B, heads, Q, S] or None.
        """
        normed_context = self.attention_norm(context)
        normed_targets = self.attention_norm(targets)
        keys, values = self._keys_values(normed_context)
        new_context = self._read(context, normed_context, keys, values, context_visible)
        new_targets = self._read(targets, normed_targets, keys, values, context_visible, biases[0])
        if candidates.shape[1] == 0:
            return new_context, new_targets, candidates
        # A weight of zero does not silence NaN: what is not selected is taken out by value.
        readable = tf.where(target_visible[..., None], normed_targets, 0.0)
        target_keys, target_values = self._keys_values(readable)
        bias = biases[1]
        if bias is not None:
            # Targets are met by what they are, not by where they stand.
            bias = tf.pad(bias, [[0, 0], [0, 0], [0, 0], [0, tf.shape(targets)[1]]])
        new_candidates = self._read(
            candidates,
            self.attention_norm(candidates),
            tf.concat([keys, target_keys], axis=2),
            tf.concat([values, target_values], axis=2),
            tf.concat([context_visible, target_visible], axis=1),
            bias,
        )
        return new_context, new_targets, new_candidates

    def get_config(self):
        return super().get_config() | {
            "width": self.width,
            "heads": self.heads,
            "hidden": self.hidden,
        }
