"""Counterfactual gains, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch_ops import append_candidate, drop_candidates
from aline_tf.training.counterfactual import counterfactual_gain, on_one_scale
from aline_tf.training.rollout import selected_value
from tests.information.psychometric_state import TRIALS, psychometric_state


@pytest.fixture(scope="module")
def state():
    return psychometric_state()


def test_counterfactual_gain_is_what_acquiring_the_candidate_brings(state, psychometric_model):
    model = psychometric_model
    index = tf.constant([[0, 3], [4, 1], [2, 2]])
    gain = counterfactual_gain(model, state, index, cost_weight=0.25).numpy()
    here = drop_candidates(state)
    before = selected_value(model, model(here), here).numpy()
    for k in range(2):
        after = drop_candidates(append_candidate(state, len(TRIALS), index[:, k]))
        assert after["context_mask"].numpy().all()
        value = selected_value(model, model(after), after).numpy()
        np.testing.assert_allclose(gain[:, k], value - before - 0.25, atol=1e-5)
    np.testing.assert_allclose(gain[2, 0], gain[2, 1], atol=1e-6)


def test_gains_of_every_kind_of_target_get_one_scale():
    """Forecasts gain thousandths, parameters tenths: neither may drown the other."""
    state = {
        "theta_mask": tf.constant([[True, False], [True, True], [False, False], [False, False]]),
        "target_mask": tf.constant([[False], [False], [True], [True]]),
    }
    gain = tf.constant([[0.3, -0.3], [0.1, 9.0], [0.003, 0.001], [0.002, 0.002]])
    counted = tf.constant([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    scaled = on_one_scale(gain, state, counted).numpy()
    parameters = np.sqrt((0.09 + 0.09 + 0.01) / 3)
    predictions = np.sqrt((9e-6 + 1e-6) / 2)
    np.testing.assert_allclose(scaled[0], [0.3 / parameters, -0.3 / parameters], rtol=1e-3)
    np.testing.assert_allclose(scaled[2], [0.003 / predictions, 0.001 / predictions], rtol=1e-3)
    np.testing.assert_allclose(scaled[3, 0], 0.002 / predictions, rtol=1e-3)
