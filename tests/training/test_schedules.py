"""What changes in the course of a run, against values worked out by hand."""

import keras
import numpy as np
import pytest

from aline_tf.training.schedules import CosineRate, anneal


@pytest.mark.parametrize(
    ("start", "end", "fraction", "expected"),
    [
        (1.0, 0.25, 0.0, 1.0),
        (1.0, 0.25, 0.5, 0.5),
        (1.0, 0.25, 1.0, 0.25),
        (1.0, 0.25, 7.0, 0.25),
        (1.0, 0.25, -7.0, 1.0),
        (1.0, 0.0, 0.25, 0.75),
        (0.0, 2.0, 0.25, 0.5),
        (0.0, 0.0, 0.5, 0.0),
    ],
)
def test_anneal(start, end, fraction, expected):
    np.testing.assert_allclose(anneal(start, end, fraction), expected, rtol=1e-6)


def test_the_learning_rate_rises_then_falls_to_its_end():
    rate = CosineRate(1e-3, 1e-5, steps=1000, ramp=100)
    assert float(rate(0)) == pytest.approx(1e-5, rel=1e-3)
    assert float(rate(50)) < float(rate(99))
    np.testing.assert_allclose(rate(500), (1e-3 + 1e-5) / 2, rtol=1e-4)
    np.testing.assert_allclose([rate(1000), rate(5000)], 1e-5, rtol=1e-3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert again.get_config() == rate.get_config()


def test_the_joint_phase_may_begin_with_a_fresh_learning_rate():
    rate = CosineRate(1e-3, 1e-5, steps=1000, restart=600, restart_peak=5e-4)
    assert float(rate(300)) == pytest.approx(5.05e-4, rel=1e-3)
    assert float(rate(599)) == pytest.approx(1e-5, rel=1e-2)
    assert float(rate(600)) == pytest.approx(5e-4, rel=1e-3)
    assert float(rate(1000)) == pytest.approx(1e-5, rel=1e-3)
    assert CosineRate.from_config(rate.get_config()).get_config() == rate.get_config()
