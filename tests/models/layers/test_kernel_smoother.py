"""Predictions said from a smoother of the observations."""

import numpy as np
import tensorflow as tf

from aline_tf.models.distributions import mixtures
from aline_tf.models.layers.kernel_smoother import KernelSmoother
from tests.models.batches import normal
from tests.models.layer_harness import check_layer


def test_layer_contract():
    check_layer(
        lambda **kw: KernelSmoother(8, 2, **kw),
        {
            "targets": normal(1, 2, 3, 8),
            "context": normal(2, 2, 4, 8),
            "value": normal(3, 2, 4),
            "readable": np.array([[True, True, False, True]] * 2),
            "bias": normal(4, 2, 2, 3, 4),
        },
        None,
    )


def test_a_smoother_says_the_same_mixture_where_it_stands():
    raw = tf.constant([[0.0, 0.0, -1.0, 1.0, 0.3, 5.0]])
    framed = mixtures.on_the_line(raw, 2, tf.constant([[7.0]]), tf.constant([[0.1]]))
    mixture = mixtures.from_raw(framed, 2, truncated=False)
    np.testing.assert_allclose(mixture.loc[0], [6.9, 7.1], rtol=1e-6)
    expected = 0.1 * np.log1p(np.exp([0.3, 5.0]))
    np.testing.assert_allclose(mixture.scale[0], expected, atol=2 * mixtures.MIN_SCALE)


def test_the_location_is_a_weighted_mean_of_readable_values():
    layer = KernelSmoother(8, 1)
    layer.build()
    value = np.array([[0.0, 2.0, 2.0, 50.0]], np.float32)
    readable = np.array([[False, True, True, False]])
    loc, _ = layer(
        normal(1, 1, 3, 8), normal(2, 1, 4, 8), value, readable, np.zeros([1, 1, 3, 4], "f")
    )
    gates = layer.gates(normal(1, 1, 3, 8))[..., 0] + 1.0
    np.testing.assert_allclose(loc[..., 0], 2.0 * gates, rtol=1e-5)
