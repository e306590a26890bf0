"""Candidates as seen from the posterior."""

import numpy as np
import tensorflow as tf

from aline_tf.models.layers.posterior_distance import PosteriorDistance
from tests.models.batches import normal
from tests.models.layer_harness import check_layer


def test_layer_contract():
    check_layer(
        lambda **kw: PosteriorDistance(8, 2, **kw),
        {
            "candidates": normal(1, 2, 3, 8),
            "position": normal(2, 2, 3, 2),
            "mean": normal(3, 2, 2),
            "sd": np.abs(normal(4, 2, 2)),
        },
        None,
    )


def test_the_posterior_is_read_and_not_taught():
    layer = PosteriorDistance(8, 1)
    layer.build()
    mean, sd = tf.constant([[0.2]]), tf.constant([[0.1]])
    with tf.GradientTape() as tape:
        tape.watch([mean, sd])
        out = tf.reduce_sum(layer(normal(1, 1, 3, 8), normal(2, 1, 3, 1), mean, sd))
    assert tape.gradient(out, [mean, sd]) == [None, None]
