"""Measures of promises, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aline_tf.evaluation.promises import measures

STEADY = settings(max_examples=30, deadline=None, derandomize=True)
NUMBERS = arrays.arrays(float, (7, 3), elements=st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3))


@STEADY
@given(shift=NUMBERS, factor=st.floats(-2, 2))
def test_the_share_is_the_factor_of_the_shift(shift, factor):
    assert measures.share(factor * shift, shift) == pytest.approx(factor, abs=1e-9)


@STEADY
@given(shift=NUMBERS, factor=st.floats(0.1, 2))
def test_the_correlation_does_not_depend_on_the_share(shift, factor):
    assert measures.correlation(factor * shift, shift) == pytest.approx(1.0)
    assert measures.correlation(-shift, shift) == pytest.approx(-1.0)
    assert measures.correlation(0.0 * shift, shift) == 0.0


def test_the_worst_parameter_is_the_one_reported():
    theta, exact = np.zeros((4, 2)), np.array([[1.0, 2.0], [-1.0, 2.0], [1.0, -2.0], [1.0, 2.0]])
    assert measures.worst_rmse_ratio(exact * [1.5, 1.1], exact, theta) == pytest.approx(1.5)
    sd = np.ones((4, 2))
    assert measures.worst_sd_ratio(sd * [1.2, 0.5], sd) == pytest.approx(0.5)
    assert measures.worst_sd_ratio(sd * [1.2, 0.9], sd) == pytest.approx(1.2)


def test_calibration_counts_how_many_parameters_were_looked_at():
    even = (np.arange(200) + 0.5) / 200
    assert measures.sbc_p(np.stack([even, even], 1)) == 1.0
    one = measures.sbc_p(np.stack([even**2], 1))
    assert measures.sbc_p(np.stack([even**2, even], 1)) == pytest.approx(2 * one)
    assert one < 1e-6


def test_the_share_of_a_gain_is_free_of_the_noise_that_both_have():
    rng = np.random.default_rng(0)
    exact, expected = rng.normal(0.4, 0.7, (40, 4)), np.full(40, 0.4)
    assert measures.gain_share(exact, exact, expected) == pytest.approx(1.0)
    assert measures.gain_share(0.0 * exact, exact, expected) == pytest.approx(0.0)
    half = 0.5 * exact + 0.05
    assert measures.gain_share(half, exact, expected) == pytest.approx(0.625)
