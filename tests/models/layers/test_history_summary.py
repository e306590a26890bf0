"""What a history adds up to."""

import numpy as np

from aline_tf.models.layers.history_summary import HistorySummary
from tests.models.layer_harness import check_layer


def inputs(days=5):
    rng = np.random.default_rng(3)
    return {
        "feature": rng.standard_normal((2, days, 6)).astype(np.float32),
        "known": np.array([[True] * days, [True, False] + [True] * (days - 2)]),
        "place": np.array([[0, 1, 2, 2], [0, 2, 3, 0]], np.int32),
    }


def test_layer_contract():
    check_layer(
        lambda **kw: HistorySummary(8, 6, 3, units=4, intermediate_dim=8, **kw), inputs(), None
    )


def test_the_past_is_a_sum_and_the_last_days_are_themselves():
    layer = HistorySummary(8, 6, 3, units=4, intermediate_dim=8)
    layer.build()
    plain, turned = inputs(), inputs()
    turned["feature"][:, 3:] = plain["feature"][:, :2:-1]
    for a, b in zip(layer(**plain)[:3], layer(**turned)[:3], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    turned["feature"][:, :3] = plain["feature"][:, 2::-1]
    assert np.abs(layer(**plain)[0] - layer(**turned)[0]).max() > 1e-3


def test_a_token_is_told_of_its_own_day():
    layer = HistorySummary(8, 6, 3, units=4, intermediate_dim=8)
    layer.build()
    told = layer(**inputs())[3].numpy()
    np.testing.assert_array_equal(told[0, 2], told[0, 3])
    np.testing.assert_array_equal(told[1, 0], told[1, 3])
    assert np.abs(told[0, 0] - told[0, 1]).max() > 1e-3
