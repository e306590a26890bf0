"""Distance of candidates from the posterior of location parameters: the view the policy chooses by.

For every parameter that is a position on a design axis, with mean m and standard deviation s of
its own marginal q, and a candidate at x on that axis (both in units of half the axis):

    asinh((x - m) / s)     how many standard deviations away it is, and on which side
    log s                  how sharp the posterior is
    log sum (x - m)^2      how far it is from the posterior mean, all such parameters together

The posterior is read, not taught: no gradient of the policy reaches it through here.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.mlp import MLP

_CLOSEST = 1e-6
_SHARPEST = 1e-5


@keras.saving.register_keras_serializable("aline_tf")
class PosteriorDistance(keras.layers.Layer):
    """Adds to candidate tokens where they stand as seen from the posterior.

    Args:
        hidden_dim: E.
        location_parameters: A, how many parameters are positions.
        intermediate_dim: width of the hidden layer.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import PosteriorDistance
        >>> tokens, position = np.ones([1, 3, 8], "float32"), np.zeros([1, 3, 1], "float32")
        >>> mean, sd = np.zeros([1, 1], "float32"), np.ones([1, 1], "float32")
        >>> PosteriorDistance(8)(tokens, position, mean, sd).shape
        TensorShape([1, 3, 8])
    """

    def __init__(self, hidden_dim=32, location_parameters=1, intermediate_dim=32, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = hidden_dim
        self.location_parameters = location_parameters
        self.intermediate_dim = intermediate_dim
        self.mlp = MLP(hidden_dim, intermediate_dim, dtype=self.dtype_policy, name="mlp")

    def build(self, input_shape=None):
        self.mlp.build((None, 2 * self.location_parameters + 1))
        self.built = True

    def call(self, candidates, position, mean, sd):
        """Candidate tokens [B, N, E] with the view added.

        Args:
            candidates: [B, N, E].
            position: [B, N, A] float32, on the axis of each of the A places.
            mean, sd: [B, A] float32, of their marginals.
        """
        mean, sd = tf.stop_gradient(mean)[:, None], tf.stop_gradient(sd)[:, None]
        sd = tf.maximum(sd, _SHARPEST)
        away = position - mean
        total = tf.reduce_sum(tf.square(away), axis=-1, keepdims=True)
        view = [
            tf.asinh(away / sd) / 3.0,
            tf.broadcast_to((tf.math.log(sd) + 3.0) / 3.0, tf.shape(away)),
            (tf.math.log(total + _CLOSEST) + 4.0) / 4.0,
        ]
        candidates = tf.cast(candidates, self.compute_dtype)
        return candidates + self.mlp(tf.concat(view, axis=-1))

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "location_parameters": self.location_parameters,
            "intermediate_dim": self.intermediate_dim,
        }
