"""Counterfactual gains worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch_ops import append_candidate, drop_candidates
from aline_tf.training.counterfactual import counterfactual_gain
from aline_tf.training.rollout import selected_value
from tests.information.psychometric_state import TRIALS, psychometric_state


@pytest.fixture(scope="module")
def state():
    return psychometric_state()


def test_counterfactual_gain_is_what_acquiring_the_candidate_brings(state, psychometric_network):
    network = psychometric_network
    tried = tf.constant([[0, 3], [4, 1], [2, 2]])
    gain = counterfactual_gain(network, state, tried, price=0.25).numpy()
    here = drop_candidates(state)
    before = selected_value(network, network(here), here).numpy()
    for k in range(2):
        after = drop_candidates(append_candidate(state, len(TRIALS), tried[:, k]))
        assert after["context_mask"].numpy().all()
        value = selected_value(network, network(after), after).numpy()
        np.testing.assert_allclose(gain[:, k], value - before - 0.25, atol=1e-5)
    np.testing.assert_allclose(gain[2, 0], gain[2, 1], atol=1e-6)
