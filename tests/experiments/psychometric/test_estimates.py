"""Simulated observers, trials, and the shares of queries that make policies differ."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import Policy, RandomPolicy
from aline_tf.evaluation import metrics
from aline_tf.experiments.psychometric.estimates import (
    TARGETS,
    evaluate,
    exact_estimates,
)
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy
from aline_tf.experiments.psychometric.psychometric_grid import success_probability
from aline_tf.experiments.psychometric.runs import simulate_runs, target_mask


class FirstPolicy(Policy):
    """The first stimulus left; keeps the targets it was shown."""

    def __init__(self):
        self.targets = []

    def _choose(self, batch, mask):
        self.targets.append(batch["theta_mask"][0].copy())
        return mask.argmax(1)


def test_equal_seeds_give_equal_observers_whatever_the_pool():
    one, other = simulate_runs(4, 50, seed=1), simulate_runs(4, 60, seed=1)
    np.testing.assert_array_equal(one.theta, other.theta)
    np.testing.assert_array_equal(one.uniforms, other.uniforms)
    assert np.abs(one.theta - simulate_runs(4, 50, seed=2).theta).max() > 0
    pools = simulate_runs(4, 50, seed=1, pool="random").candidates
    assert (pools[0] != pools[1]).all()


def test_each_stimulus_is_shown_once_and_answers_follow_the_uniform_numbers():
    runs = simulate_runs(7, 40, seed=0)
    data = runs.play(FirstPolicy(), target_mask(TARGETS[0]))
    np.testing.assert_allclose(data.design[..., 0], runs.candidates[:, :30])
    yes = runs.uniforms < success_probability(runs.theta[:, None], data.design[..., 0])
    np.testing.assert_array_equal(data.outcome[..., 0], yes)


def test_targets_may_switch_on_the_way():
    policy = FirstPolicy()
    masks = np.stack([target_mask(TARGETS[0])] * 15 + [target_mask(TARGETS[1])] * 15)
    simulate_runs(2, 30, seed=0).play(policy, masks)
    np.testing.assert_array_equal(policy.targets, masks)


def test_exact_intervals_hold_the_truth_as_often_as_they_say():
    runs = simulate_runs(150, 60, seed=5, horizon=12)
    data = runs.play(RandomPolicy(1), target_mask(TARGETS[2]))
    exact = exact_estimates(GridPosterior((32, 16, 12, 12)), data, (12,))
    selected = target_mask(TARGETS[2])
    inside = metrics.coverage(exact.low[:, 0], exact.high[:, 0], runs.theta, selected)
    mean, ci95 = metrics.mean_and_ci95(inside)
    assert abs(mean - 0.9) < 1.5 * ci95


def test_psi_marginal_beats_random_and_asks_where_its_target_is_decided():
    # The pool must be large: each stimulus is shown once, so 41 would run out of good ones.
    runs = simulate_runs(60, 200, seed=0)
    policies = {"random": RandomPolicy(0), "psi-marginal": PsiMarginalPolicy((24, 12, 8, 8))}
    rows = evaluate(policies, runs, targets=TARGETS[:2], grid=GridPosterior((32, 16, 12, 12)))
    found = {(row.policy, row.target, row.metric, row.step): row.mean for row in rows}
    curve = TARGETS[0]
    for metric, sign in (("rmse", -1), ("log_prob", 1)):
        psi, random = (found[p, curve, metric, 30] for p in ("psi-marginal", "random"))
        assert sign * (psi - random) > 0.1
    assert found["psi-marginal", TARGETS[1], "outer_share_ratio", 30] > 2
    assert {row.n for row in rows} == {60}


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_names_existing_parameters(target):
    assert target_mask(target).sum() == len(target.split(","))
