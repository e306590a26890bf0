"""Where a candidate stands as seen from the belief: the view the policy chooses by.

For every parameter that is a position on a design axis, with mean m and standard deviation s of
its own marginal q, and a candidate at x on that axis (both in units of half the axis):

    asinh((x - m) / s)     how many standard deviations away it is, and on which side
    log s                  how sharp the belief is
    log sum (x - m)^2      how far it is from the believed place, all such parameters together

The belief is read, not taught: no gradient of the policy reaches it through here.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.layers.dense import MLP

_CLOSEST = 1e-6
_SHARPEST = 1e-5


@keras.saving.register_keras_serializable("aline_tf")
class Bearing(keras.layers.Layer):
    """Adds the view to candidate tokens.

    Args:
        width: E.
        places: how many parameters are positions.
        hidden: width of the hidden layer.
    """

    def __init__(self, width=32, places=1, hidden=32, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.width = width
        self.places = places
        self.hidden = hidden
        self.mlp = MLP(width, hidden, dtype=self.dtype_policy)

    def build(self, input_shape=None):
        self.mlp.build((None, 2 * self.places + 1))
        self.built = True

    def call(self, candidates, position, mean, sd):
        """Candidate tokens [B, N, E] with the view added.

        Args:
            candidates: [B, N, E].
            position: [B, N, A] float32, on the axis of each of the A places.
            mean, sd: [B, A] float32, of the belief.
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
            "width": self.width,
            "places": self.places,
            "hidden": self.hidden,
        }
