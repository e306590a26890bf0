"""Simulated runs: the same for every policy, whatever their number."""

import numpy as np
import pytest
from scipy import stats

from aline_tf.acquisition.policies import Policy, RandomPolicy
from aline_tf.errors import InputError
from aline_tf.evaluation import simulated_runs
from aline_tf.evaluation.simulated_runs import SimulatedRuns
from aline_tf.tasks.location_finding import NOISE, LocationFinding, log_intensity


class FirstPolicy(Policy):
    """The first design left; keeps the sizes of the groups it was shown."""

    def __init__(self):
        self.groups = []

    def _choose(self, batch, mask):
        self.groups.append(len(mask))
        return mask.argmax(1)


def simulated(runs=5, candidates=12, horizon=4, seed=3):
    return SimulatedRuns(LocationFinding(), runs, candidates, seed, horizon)


def test_equal_seeds_give_equal_runs_and_every_policy_meets_the_same():
    one, other = simulated().play(FirstPolicy()), simulated().play(FirstPolicy())
    for name in ("theta", "design", "outcome"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    random = simulated().play(RandomPolicy(1))
    np.testing.assert_array_equal(one.theta, random.theta)
    assert np.abs(simulated(seed=4).theta - one.theta).max() > 0
    # The noise of a step does not depend on who asks.
    places = one.theta[:, None, None]

    def noise(found):
        return found.outcome[..., 0] - log_intensity(places, found.design)

    np.testing.assert_allclose(noise(one), noise(random), atol=1e-5)


def test_groups_cover_all_runs_and_more_runs_leave_the_first_as_they_are(monkeypatch):
    monkeypatch.setattr(simulated_runs, "_RUNS_AT_ONCE", 4)
    policy = FirstPolicy()
    many = simulated(runs=10).play(policy)
    assert policy.groups == [4] * 8 + [2] * 4
    few = simulated(runs=6).play(FirstPolicy())
    for name in ("theta", "design", "outcome"):
        np.testing.assert_array_equal(getattr(many, name)[:6], getattr(few, name))
    assert len(np.unique(many.design[:, 0, 0])) == 10
    assert len(np.unique(many.outcome[:, 0, 0])) == 10


def test_a_design_is_chosen_once_and_its_outcome_follows_the_task():
    found = simulated(runs=64, candidates=30, horizon=30).play(FirstPolicy())
    assert all(len(np.unique(run, axis=0)) == 30 for run in found.design)
    noise = found.outcome[..., 0] - log_intensity(found.theta[:, None, None], found.design)
    assert stats.kstest(np.ravel(noise) / NOISE, "norm").pvalue > 1e-3


@pytest.mark.parametrize(("sizes", "complaint"), [((0, 12), "1 run"), ((2, 3), "4 candidates")])
def test_simulated_runs_without_runs_or_with_a_short_pool_are_refused(sizes, complaint):
    with pytest.raises(InputError, match=complaint):
        simulated(*sizes)
