"""What a history adds up to, told to whatever is wanted.

    e_d = relu(W f_d + b)                          day d, its features f_d
    s   = (sum_d e_d / 16, sum_d e_d / (n + 1))    over the n days of which anything is known
    t   = (asinh(sum_d f_d), sum_d f_d / (n + 1))
    h   = relu(W' (t, f_0, f_1, f_2) + b')         what sort of person this is
    belief_p = V_p h                               for every parameter p
    messages = MLP(s, h, f_0, f_1, f_2)            one each for predictions and candidates
    token_c += V f_d(c)                            every token, of its day

A sum, because evidence adds up; the last days one by one, because a forecast begins with them.

Parameters have weights of their own, which only their losses move, and each its own message: what a
forecast gains from knowing a person is too little, and too noisy, to find out by itself who feels
attacks coming. They read plain sums: a handful of telling days would drown among weights that see
every day. Predictions and candidates are told h and leave it as it is.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.dense import MLP, Linear

_LATEST = 3


@keras.saving.register_keras_serializable("aline_tf")
class Digest(keras.layers.Layer):
    """Messages to the tokens, from features of days.

    Args:
        width: E.
        features: H.
        parameters: P.
        units: the width of e.
        hidden: width of the hidden layer.
    """

    def __init__(self, width=32, features=1, parameters=1, units=96, hidden=128, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.features = features
        self.parameters = parameters
        self.units = units
        self.hidden = hidden
        policy = self.dtype_policy
        self.evidence = Linear(units, kernel_initializer="he_normal", dtype=policy)
        self.person = Linear(hidden, kernel_initializer="he_normal", dtype=policy)
        self.belief = Linear(parameters * width, dtype=policy)
        self.messages = MLP(2 * width, hidden, dtype=policy)
        self.day = Linear(width, dtype=policy)

    def build(self, input_shape=None):
        self.evidence.build((None, None, self.features))
        self.day.build((None, None, self.features))
        self.person.build((None, (2 + _LATEST) * self.features))
        self.belief.build((None, self.hidden))
        self.messages.build((None, 2 * self.units + _LATEST * self.features + self.hidden))
        self.built = True

    def call(self, feature, known, place):
        """Messages to parameters [B, P, E], to predictions and to candidates [B, 1, E], and what to
        add to the tokens of the context, [B, C, E].

        Args:
            feature: [B, L, H], the latest day first, L at least 3; 0 where nothing is known.
            known: bool [B, L].
            place: int32 [B, C], the day of every token.
        """
        feature = tf.cast(feature, self.compute_dtype)
        counts = tf.cast(known, self.compute_dtype)[..., None]
        days = tf.reduce_sum(counts, axis=1) + 1.0
        latest = tf.reshape(feature[:, :_LATEST], [-1, _LATEST * self.features])
        plain = tf.reduce_sum(feature * counts, axis=1)
        person = tf.concat([tf.asinh(plain), plain / days, latest], axis=1)
        person = tf.nn.relu(self.person(person))
        total = tf.reduce_sum(tf.nn.relu(self.evidence(feature)) * counts, axis=1)
        told = [total / 16.0, total / days, latest, tf.stop_gradient(person)]
        belief = tf.reshape(self.belief(person), [-1, self.parameters, self.width])
        messages = tf.split(self.messages(tf.concat(told, axis=1))[:, None], 2, axis=2)
        return belief, *messages, tf.gather(self.day(feature), place, batch_dims=1)

    def get_config(self):
        return super().get_config() | {
            "width": self.width,
            "features": self.features,
            "parameters": self.parameters,
            "units": self.units,
            "hidden": self.hidden,
        }
