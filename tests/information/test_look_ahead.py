"""Expected gains of answers, each of them appended by hand."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch_ops import append_candidate, drop_candidates
from aline_tf.information.look_ahead import look_ahead_gain
from tests.information.psychometric_state import TRIALS, psychometric_state


@pytest.fixture(scope="module")
def state():
    return psychometric_state()


def test_look_ahead_is_how_far_the_posteriors_after_each_answer_lie_apart(
    state, psychometric_model
):
    """A binary outcome has two answers: both appended by hand, their posteriors compared."""
    network = psychometric_model
    tried = tf.constant([[0, 3], [4, 1], [2, 2]])
    gain = look_ahead_gain(network, state, tried, draws.as_seed(1), cost_weight=0.25).numpy()
    selected = (state["theta_mask"] & ~state["known_mask"]).numpy()
    for k in range(2):
        here = drop_candidates(state)
        here["target_design"] = tf.gather(
            state["candidate_design"], tried[:, k : k + 1], batch_dims=1
        )
        here["target_mask"] = tf.ones([len(tried), 1], tf.bool)
        chance = network.outcome_prediction(network(here), here).mean_sd()[0].numpy()
        weight = np.concatenate([1.0 - chance, chance], axis=1)
        means, variances = [], []
        for answer in (0.0, 1.0):
            answered = state | {"candidate_outcome": answer + 0.0 * state["candidate_outcome"]}
            after = drop_candidates(append_candidate(answered, len(TRIALS), tried[:, k]))
            mean, sd = network.theta_posterior(network(after)).mean_sd()
            means.append(mean.numpy())
            variances.append(np.square(sd.numpy()))
        center = sum(weight[:, a, None] * means[a] for a in (0, 1))
        total = sum(weight[:, a, None] * (variances[a] + (means[a] - center) ** 2) for a in (0, 1))
        apart = 0.5 * np.log(total)
        apart -= 0.5 * sum(weight[:, a, None] * np.log(variances[a]) for a in (0, 1))
        expected = (selected * apart).sum(axis=1) / selected.sum(axis=1)
        assert (expected >= 0.0).all() and (expected[:2] > 0.0).all()
        np.testing.assert_allclose(gain[:, k], expected - 0.25, atol=1e-5)


def test_look_ahead_expects_nothing_of_what_was_not_answered(state, psychometric_model):
    silent = state | {"candidate_status": 2 * tf.ones_like(state["candidate_status"])}
    tried = tf.constant([[0, 3], [4, 1], [2, 2]])
    gain = look_ahead_gain(psychometric_model, silent, tried, draws.as_seed(1))
    assert not gain.numpy().any()
