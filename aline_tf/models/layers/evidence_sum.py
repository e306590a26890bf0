"""Evidence adds up: a sum over observations and what is known, as messages to the tokens.

    e_c = MLP(token_c)                     every observation
    s   = sum_c e_c                        of n observations
    h   = MLP(s / 16, s / (n + 1), log(1 + n), which parameters are known, their values)
    messages = V relu(h)                   one each for parameters, predictions, candidates

A log likelihood is a sum over observations. Attention gives averages: of a hundred answers it knows
their mixture and hardly their number, and a value that is given as known is one voice among them.
Here both are said to every token before anybody looks anywhere. The messages begin as nothing, so
that a trained model may be given this layer and starts as what it was.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.linear import Linear
from aline_tf.models.layers.mlp import MLP


@keras.saving.register_keras_serializable("aline_tf")
class EvidenceSum(keras.layers.Layer):
    """Messages to parameters, predictions and candidates.

    Args:
        hidden_dim: E.
        num_parameters: P.
        units: the width of e.
        intermediate_dim: width of the hidden layers.
        parameters_see_known: whether what is given as known is said to parameters too; they see
            known parameters by other means where it is not.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import EvidenceSum
        >>> layer = EvidenceSum(8, num_parameters=3)
        >>> tokens, seen = np.zeros([1, 5, 8], "float32"), np.ones([1, 5], bool)
        >>> of_parameters, *_ = layer(tokens, seen, np.zeros([1, 6], "float32"))
        >>> of_parameters.shape
        TensorShape([1, 3, 8])
    """

    def __init__(
        self,
        hidden_dim=32,
        num_parameters=1,
        units=64,
        intermediate_dim=128,
        parameters_see_known=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_parameters = num_parameters
        self.units = units
        self.intermediate_dim = intermediate_dim
        self.parameters_see_known = parameters_see_known
        policy = self.dtype_policy
        self.evidence = MLP(units, intermediate_dim, dtype=policy, name="evidence")
        self.summary = MLP(intermediate_dim, intermediate_dim, dtype=policy, name="summary")
        self.messages = Linear(
            (num_parameters + 2) * hidden_dim,
            kernel_initializer="zeros",
            dtype=policy,
            name="messages",
        )

    def build(self, input_shape=None):
        self.evidence.build((None, None, self.hidden_dim))
        self.summary.build((None, 2 * self.units + 1 + 2 * self.num_parameters))
        self.messages.build((None, self.intermediate_dim))
        self.built = True

    def call(self, tokens, seen, known):
        """The messages.

        Args:
            tokens: [B, C, E], of the observations.
            seen: bool [B, C].
            known: [B, 2 P], which parameters are known and their scaled values.

        Returns:
            messages to parameters [B, P, E], to predictions [B, 1, E] and to candidates [B, 1, E].
        """
        counted = tf.cast(seen, self.compute_dtype)[..., None]
        count = tf.reduce_sum(counted, axis=1)
        total = tf.reduce_sum(self.evidence(tokens) * counted, axis=1)
        parts = [total / 16.0, total / (count + 1.0), tf.math.log1p(count)]
        known = tf.cast(known, self.compute_dtype)
        messages = self._messages([*parts, known])
        if not self.parameters_see_known:
            blind = self._messages([*parts, tf.zeros_like(known)])
            messages = [blind[0], *messages[1:]]
        return messages

    def _messages(self, parts):
        messages = self.messages(tf.nn.relu(self.summary(tf.concat(parts, axis=1))))
        messages = tf.reshape(messages, [-1, self.num_parameters + 2, self.hidden_dim])
        return tf.split(messages, [self.num_parameters, 1, 1], axis=1)

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "num_parameters": self.num_parameters,
            "units": self.units,
            "intermediate_dim": self.intermediate_dim,
            "parameters_see_known": self.parameters_see_known,
        }
