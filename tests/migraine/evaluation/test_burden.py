"""Burden curves: every candidate is paid for once, and all policies start alike."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.migraine.evaluation import burden
from aline_tf.migraine.evaluation.acquisition_policies import POLICIES, scorer
from aline_tf.migraine.simulation import cohort

PEOPLE, DAYS, HISTORY = 40, 16, 8


@pytest.fixture(scope="module")
def people():
    return cohort.sample_cohort(seed=3, people=PEOPLE, days=DAYS, first_evening=HISTORY)


def test_acquiring_pays_once_for_each_candidate_and_stops_when_none_is_left(people, model):
    episode = burden.evening_episode(people, 9, tf.constant([1, 2]))
    two_left = np.zeros(episode["candidate_mask"].shape, bool)
    two_left[:, [3, 5]] = True
    episode["candidate_mask"] = tf.constant(two_left)
    made = burden.follow(
        model, episode, scorer("random", episode["candidate_design"], np.random.default_rng(0))
    )
    cost = episode["candidate_cost"].numpy()
    np.testing.assert_allclose(made["cost"][:, -1], cost[:, 3] + cost[:, 5], rtol=1e-6)
    np.testing.assert_allclose(made["cost"][:, 2], made["cost"][:, -1])
    np.testing.assert_allclose(made["log_prob"][:, 2], made["log_prob"][:, -1], atol=1e-5)
    assert made["log_prob"].shape == (PEOPLE, burden.STEPS + 1, 2)


def test_policies_start_from_the_same_belief(people, model, monkeypatch):
    monkeypatch.setattr(burden, "OCCASIONS", 1)
    curves = burden.burden_curves(model, people, seed=1)
    starts = [curve["log_prob"][:, 0] for curve in curves.values()]
    assert set(curves) == set(POLICIES)
    for start in starts[1:]:
        np.testing.assert_allclose(start, starts[0], atol=1e-6)
    # The diary gets to its question about warning signs within the five.
    assert curves["evening diary"]["warning_prompts"][:, -1].mean() > 0.9
    diary = curves["evening diary"]["cost"]
    assert (np.diff(diary, axis=1) >= 0).all() and diary.max() <= burden.STEPS
