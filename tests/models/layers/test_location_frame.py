"""Frames of parameters that are positions."""

import numpy as np
import tensorflow as tf

from aline_tf.models.distributions import mixtures
from aline_tf.models.layers.location_frame import LocationFrame
from tests.models.batches import normal
from tests.models.layer_harness import check_layer


def test_layer_contract():
    check_layer(
        lambda **kw: LocationFrame(8, 2, 4, intermediate_dim=8, **kw),
        {
            "tokens": normal(1, 2, 3, 8),
            "context": normal(2, 2, 4, 8),
            "position": normal(3, 2, 4, 2),
            "visible": np.array([[True, True, False, True]] * 2),
            "placed": np.array([[False, True, True, True]] * 2),
        },
        None,
    )


def test_a_frame_says_the_same_mixture_where_it_stands():
    """Raw locations m in a frame (c, w) are components near c + w m, spread 2 w softplus(s)."""
    raw = tf.constant([[0.0, 0.0, -1.0, 1.0, 0.3, 0.3]])
    framed = mixtures.on_the_interval(raw, 2, tf.constant([[0.4]]), tf.constant([[0.001]]))
    mixture = mixtures.from_raw(framed, 2, truncated=True)
    np.testing.assert_allclose(mixture.loc[0], [0.399, 0.401], atol=2e-5)
    np.testing.assert_allclose(mixture.scale[0], 2e-3 * np.log1p(np.exp(0.3)), atol=3e-4)
