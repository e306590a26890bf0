"""Refined answers are exact within the noise of their draws."""

import numpy as np
import pytest

from aline_tf.batch_ops import condition_on, take_rows
from aline_tf.evaluation.promises import RefinedInference
from aline_tf.experiments.psychometric.exact_inference import PsychometricInference
from aline_tf.tasks import Psychometric


@pytest.fixture(scope="module")
def refined():
    return RefinedInference(Psychometric())


def test_it_is_the_exact_posterior_with_and_without_a_known_parameter(refined, examined):
    histories, exact = examined().runs, PsychometricInference()
    batch, theta = take_rows(histories.after(20, 0.3), slice(2)), histories.theta[:2]
    conditioned = condition_on(batch, theta, np.array([False, True, False, False]))
    for state in (batch, conditioned):
        should, found = exact.summary(state, theta), refined.summary(state, theta)
        free = should.sd > 0
        assert np.abs((found.mean - should.mean) / np.where(free, should.sd, 1)).max() < 0.15
        np.testing.assert_allclose(found.sd[free], should.sd[free], rtol=0.15)
        np.testing.assert_allclose(found.below[free], should.below[free], atol=0.07)
    np.testing.assert_allclose(
        refined.joint_log_prob(batch, theta), exact.joint_log_prob(batch, theta), atol=0.15
    )
    np.testing.assert_allclose(refined.correlation(batch), exact.correlation(batch), atol=0.2)


def test_equal_states_are_worked_out_once(refined, examined):
    batch = take_rows(examined().runs.after(5), slice(1))
    theta = examined().runs.theta[:1]
    first = refined.summary(batch, theta)
    again = refined.summary(batch, theta)
    assert np.array_equal(first.mean, again.mean)
