"""What a history adds up to, told to whatever is wanted.

    e_d = relu(W f_d + b)                          day d, its features f_d
    s   = (sum_d e_d / 16, sum_d e_d / (n + 1))    over the n days of which anything is known
    messages = MLP(s, f_0, f_1, f_2)               one each for parameters, predictions, candidates
    token_c += V f_d(c)                            every token, of its day

A sum, because evidence adds up; the last days one by one, because a forecast begins with them.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers import MLP, Linear

_LATEST = 3
_STREAMS = 3


@keras.saving.register_keras_serializable("aline_tf")
class Digest(keras.layers.Layer):
    """Messages to the tokens, from features of days.

    Args:
        width: E.
        features: H.
        units: R, the width of e.
        hidden: width of the hidden layer.
    """

    def __init__(self, width=32, features=1, units=96, hidden=128, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.features = features
        self.units = units
        self.hidden = hidden
        self.evidence = Linear(units, kernel_initializer="he_normal", dtype=self.dtype_policy)
        self.messages = MLP(_STREAMS * width, hidden, dtype=self.dtype_policy)
        self.day = Linear(width, dtype=self.dtype_policy)

    def build(self, input_shape=None):
        self.evidence.build((None, None, self.features))
        self.messages.build((None, 2 * self.units + _LATEST * self.features))
        self.day.build((None, None, self.features))
        self.built = True

    def call(self, feature, known, place):
        """Three messages [B, 1, E], and what to add to the tokens of the context, [B, C, E].

        Args:
            feature: [B, L, H], the latest day first, L at least 3; 0 where nothing is known.
            known: bool [B, L].
            place: int32 [B, C], the day of every token.
        """
        counts = tf.cast(known, self.compute_dtype)[..., None]
        total = tf.reduce_sum(tf.nn.relu(self.evidence(feature)) * counts, axis=1)
        share = total / (tf.reduce_sum(counts, axis=1) + 1.0)
        latest = tf.cast(feature[:, :_LATEST], self.compute_dtype)
        latest = tf.reshape(latest, [-1, _LATEST * self.features])
        told = self.messages(tf.concat([total / 16.0, share, latest], axis=1))
        messages = tuple(tf.split(told[:, None], _STREAMS, axis=2))
        return *messages, tf.gather(self.day(feature), place, batch_dims=1)

    def get_config(self):
        return super().get_config() | {
            "width": self.width,
            "features": self.features,
            "units": self.units,
            "hidden": self.hidden,
        }
