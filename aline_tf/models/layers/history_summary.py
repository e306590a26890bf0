"""Deep-set summary of a history of days, as messages to the tokens of every stream.

    e_d = relu(W f_d + b)                          day d, its features f_d
    s   = (sum_d e_d / 16, sum_d e_d / (n + 1))    over the n days of which anything is known
    t   = (asinh(sum_d f_d), sum_d f_d / (n + 1))
    h   = relu(W' (t, f_0, f_1, f_2) + b')         what sort of person this is
    message_p = V_p h                              for every parameter p
    messages  = MLP(s, h, f_0, f_1, f_2)           one each for predictions and candidates
    token_c += V f_d(c)                            every token, of its day

A sum, because evidence adds up; the last days one by one, because a forecast begins with them.

Parameters have weights of their own, which only their losses move, and each its own message: what a
forecast gains from knowing a person is too little, and too noisy, to find out by itself who feels
attacks coming. They read plain sums: a handful of telling days would drown among weights that see
every day. Predictions and candidates read h and leave it as it is.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.linear import Linear
from aline_tf.models.layers.mlp import MLP

_LATEST = 3


@keras.saving.register_keras_serializable("aline_tf")
class HistorySummary(keras.layers.Layer):
    """Messages to the tokens, from a sum over features of days.

    Args:
        hidden_dim: E.
        num_features: H.
        num_parameters: P.
        units: the width of e.
        intermediate_dim: width of the hidden layer.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import HistorySummary
        >>> layer = HistorySummary(8, num_features=6, num_parameters=3)
        >>> days, known = np.zeros([1, 5, 6], "float32"), np.ones([1, 5], bool)
        >>> of_parameters, *_ = layer(days, known, place=np.array([[0, 4]]))
        >>> of_parameters.shape
        TensorShape([1, 3, 8])
    """

    def __init__(
        self,
        hidden_dim=32,
        num_features=1,
        num_parameters=1,
        units=96,
        intermediate_dim=128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_features = num_features
        self.num_parameters = num_parameters
        self.units = units
        self.intermediate_dim = intermediate_dim
        policy = self.dtype_policy
        self.evidence = Linear(units, kernel_initializer="he_normal", dtype=policy, name="evidence")
        self.person = Linear(
            intermediate_dim, kernel_initializer="he_normal", dtype=policy, name="person"
        )
        self.parameter_messages = Linear(
            num_parameters * hidden_dim, dtype=policy, name="parameter_messages"
        )
        self.messages = MLP(2 * hidden_dim, intermediate_dim, dtype=policy, name="messages")
        self.day = Linear(hidden_dim, dtype=policy, name="day")

    def build(self, input_shape=None):
        self.evidence.build((None, None, self.num_features))
        self.day.build((None, None, self.num_features))
        self.person.build((None, (2 + _LATEST) * self.num_features))
        self.parameter_messages.build((None, self.intermediate_dim))
        self.messages.build(
            (None, 2 * self.units + _LATEST * self.num_features + self.intermediate_dim)
        )
        self.built = True

    def call(self, feature, known, place):
        """The messages of a history.

        Args:
            feature: [B, L, H], the latest day first, L at least 3; 0 where nothing is known.
            known: bool [B, L].
            place: int32 [B, C], the day of every token.

        Returns:
            messages to parameters [B, P, E], to predictions [B, 1, E] and to candidates [B, 1, E],
            and what to add to the tokens of the context, [B, C, E].
        """
        feature = tf.cast(feature, self.compute_dtype)
        counts = tf.cast(known, self.compute_dtype)[..., None]
        days = tf.reduce_sum(counts, axis=1) + 1.0
        latest = tf.reshape(feature[:, :_LATEST], [-1, _LATEST * self.num_features])
        plain = tf.reduce_sum(feature * counts, axis=1)
        person = tf.concat([tf.asinh(plain), plain / days, latest], axis=1)
        person = tf.nn.relu(self.person(person))
        total = tf.reduce_sum(tf.nn.relu(self.evidence(feature)) * counts, axis=1)
        summary = [total / 16.0, total / days, latest, tf.stop_gradient(person)]
        parameters = tf.reshape(
            self.parameter_messages(person), [-1, self.num_parameters, self.hidden_dim]
        )
        messages = tf.split(self.messages(tf.concat(summary, axis=1))[:, None], 2, axis=2)
        return parameters, *messages, tf.gather(self.day(feature), place, batch_dims=1)

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "num_features": self.num_features,
            "num_parameters": self.num_parameters,
            "units": self.units,
            "intermediate_dim": self.intermediate_dim,
        }
