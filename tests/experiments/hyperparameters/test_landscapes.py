"""Runs on held-out landscapes: what a policy sees, what it is told, and in which unit it counts."""

import numpy as np
import pytest

from aline_tf.acquisition.baselines.gp_policies import GPRandomPolicy
from aline_tf.acquisition.policies import Policy, RandomPolicy
from aline_tf.batch import BATCH_FIELDS, OBSERVED
from aline_tf.errors import InputError
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.predictors import FittedPredictor, normal_estimates
from aline_tf.experiments.hyperparameters import landscapes as hpo
from aline_tf.tasks.hpo import HPO


@pytest.fixture(scope="module")
def task():
    return HPO(predictions=30)


@pytest.fixture(scope="module")
def runs(task):
    return hpo.LandscapeRuns.of(task, 9, 40, seed=3)


class Truth:
    """Predicts the truth, give or take `off` table spreads, with that for a standard deviation."""

    def __init__(self, runs, off):
        self._sd = (off * runs.spread / runs.scale)[:, None]

    def predict(self, batch, truth, rows):
        return normal_estimates(truth + self._sd[: len(truth)], self._sd[: len(truth)], truth)


class First(Policy):
    """The first candidate that is left; remembers what it was shown."""

    name = "first"

    def __init__(self):
        self.seen = []

    def _choose(self, batch, mask):
        self.seen.append({name: array.copy() for name, array in batch.items()})
        return mask.argmax(1)


def test_runs_take_the_held_out_tables_in_turn(task, runs):
    names = [table.name for table in task.landscapes["test"]]
    assert runs.names == (*names, names[0])
    training = {table.name for table in task.landscapes["train"]}
    assert not training & set(runs.names)
    spread = {table.name: table.spread for table in task.landscapes["test"]}
    np.testing.assert_allclose(runs.spread, [spread[name] for name in runs.names])


def test_fewer_runs_are_the_first_of_more_and_seeds_differ(task, runs):
    again, other = (hpo.LandscapeRuns.of(task, 9, 40, seed) for seed in (3, 4))
    for name, array in runs.episode.items():
        np.testing.assert_array_equal(array, again.episode[name])
    assert (runs.episode["target_design"] != other.episode["target_design"]).any()


def test_a_policy_is_shown_a_batch_without_the_truth_and_told_what_it_acquires(runs):
    policy = First()
    states = [dict(batch) for batch in runs.states(policy)]
    assert len(states) == runs.horizon + 1 and len(policy.seen) == runs.horizon
    initial = runs.episode["context_mask"].sum(1)
    for t, seen in enumerate(policy.seen):
        assert set(seen) == set(BATCH_FIELDS)
        np.testing.assert_array_equal(seen["context_mask"].sum(1), initial + t)
        np.testing.assert_array_equal(seen["candidate_mask"].sum(1), 40 - t)
    last = states[-1]
    acquired = slice(runs.episode["context_mask"].shape[1], None)
    for context, source in (("design", "design"), ("outcome", "outcome"), ("status", "status")):
        np.testing.assert_array_equal(
            last[f"context_{context}"][:, acquired],
            runs.episode[f"candidate_{source}"][:, : runs.horizon],
        )
    assert (last["context_status"][last["context_mask"]] == OBSERVED).all()


def test_figures_are_in_spreads_of_the_table(runs):
    rows = hpo.evaluate({"first": (First(), {"first": Truth(runs, 0.5)})}, runs)
    found = {(row.target, row.step, row.metric): row.mean for row in rows}
    for step in range(runs.horizon + 1):
        assert found["all", step, "rmse"] == pytest.approx(0.5, rel=1e-5)
        # A normal density one standard deviation of half a spread away from its mean.
        density = -0.5 - np.log(0.5) - 0.5 * np.log(2 * np.pi)
        assert found["all", step, "log_prob"] == pytest.approx(density, rel=1e-4)
        assert found["all", step, "coverage_90"] == 1.0
    for name in set(runs.names):
        assert found[name, runs.horizon, "rmse"] == pytest.approx(0.5, rel=1e-5)


def test_masked_targets_do_not_count(runs):
    mask = runs.episode["target_mask"].copy()
    mask[:, 10:] = False
    few = hpo.dataclasses.replace(runs, episode=runs.episode | {"target_mask": mask})
    truth = runs.episode["target_outcome"]
    wrong = np.where(mask, truth, truth + 100.0)
    found = few.measures(Estimates(wrong, wrong - 1.0, wrong + 1.0, np.where(mask, 0.0, -99.0)))
    np.testing.assert_allclose(found[0], 0.0, atol=1e-6)
    np.testing.assert_allclose(found[1], -np.log(runs.scale / runs.spread), rtol=1e-6)
    np.testing.assert_allclose(found[2], 1.0)


class Indifferent:
    """Predicts a standard normal everywhere."""

    def predict(self, batch, truth, rows):
        return normal_estimates(np.zeros_like(truth), np.ones_like(truth), truth)


def test_groups_give_the_figures_of_all_runs_together(runs, monkeypatch):
    together = hpo.evaluate({"first": (First(), {"first": Indifferent()})}, runs)
    monkeypatch.setattr(hpo, "_RUNS_AT_ONCE", 4)
    apart = hpo.evaluate({"first": (First(), {"first": Indifferent()})}, runs)
    assert together == apart and len({row.mean for row in apart}) > 5


def test_a_gaussian_process_learns_from_more_points(task):
    runs = hpo.LandscapeRuns.of(task, 8, 40, seed=5)
    policy, truth = GPRandomPolicy(hpo.GP_SETTINGS), runs.episode["target_outcome"]
    states = (dict(batch) | {"at": t} for t, batch in enumerate(runs.states(RandomPolicy(1))))
    first, last = (
        runs.measures(FittedPredictor(policy).predict(batch, truth, slice(None)))[0].mean()
        for batch in states
        if batch["at"] in (0, runs.horizon)
    )
    assert last < 0.8 * first


def test_pools_smaller_than_the_horizon_are_refused(task):
    with pytest.raises(InputError, match="at least 30 candidates in every run; received 29"):
        hpo.LandscapeRuns.of(task, 2, 29, 0)
    with pytest.raises(InputError, match="expected a practice data set"):
        hpo.LandscapeRuns.of(task, 2, 40, 0, split="practice")


def test_random_choices_do_not_depend_on_the_predictor(runs):
    one, two = ([b["context_design"].copy() for b in runs.states(RandomPolicy(2))] for _ in "ab")
    np.testing.assert_array_equal(one[-1], two[-1])
