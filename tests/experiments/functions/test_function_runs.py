"""Runs of function learning: the same for everybody, predicted as the oracles say."""

import numpy as np
import pytest

from aline_tf.acquisition.baselines.gp_policies import GPInformationPolicy, GPUncertaintyPolicy
from aline_tf.acquisition.policies import LearnedPolicy, Policy, RandomPolicy
from aline_tf.evaluation.predictors import FittedPredictor, ModelParameters, ModelPredictor
from aline_tf.experiments.functions import comparison as function_learning
from aline_tf.experiments.functions.benchmark_functions import BENCHMARKS
from aline_tf.experiments.functions.function_runs import (
    ExactPredictor,
    FunctionRuns,
    benchmark_runs,
    play_runs,
    prior_runs,
)
from aline_tf.models.aline import ALINE
from aline_tf.tasks.gp import KERNELS, NOISE, GaussianProcess
from aline_tf.units.rescaling import TrainingRange
from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def task():
    return GaussianProcess(1, predictions=20)


@pytest.fixture(scope="module")
def model(task):
    seed_weights(4)
    network = ALINE(
        task.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    network.build()
    return network


@pytest.fixture(scope="module")
def runs(task):
    return prior_runs(task, runs=5, candidates=30, seed=0)


class InOrder(Policy):
    """Takes the pool from front to back and remembers what it was shown."""

    name = "in_order"

    def __init__(self):
        self.seen = []

    def _choose(self, batch, mask):
        self.seen.append({name: np.array(array) for name, array in batch.items()})
        return mask.argmax(1)


@pytest.mark.parametrize("dims", [1, 2])
def test_runs_have_their_sizes_and_equal_seeds_give_equal_runs(dims):
    task = GaussianProcess(dims, predictions=7)
    runs = prior_runs(task, 18, 12, seed=3)
    assert runs.initial_design.shape == (18, 1, dims)
    assert runs.pool_design.shape == (18, 12, dims)
    assert runs.target_design.shape == (18, 7, dims)
    assert runs.initial_outcome.shape == (18, 1)
    assert runs.pool_outcome.shape == (18, 12)
    assert runs.target_outcome.shape == (18, 7)
    assert set(runs.kernel) == set(range(len(KERNELS)))
    fewer = prior_runs(task, 2, 12, seed=3)
    np.testing.assert_array_equal(fewer.pool_outcome, runs.pool_outcome[:2])
    assert (prior_runs(task, 2, 12, seed=4).pool_outcome != fewer.pool_outcome).any()


def test_benchmark_runs_hold_the_function_itself():
    runs = benchmark_runs("branin", 3, 8, seed=1, predictions=5)
    function = BENCHMARKS["branin"]
    np.testing.assert_allclose(runs.pool_outcome, function.at(runs.pool_design))
    np.testing.assert_allclose(runs.target_outcome, function.at(runs.target_design))
    assert runs.unit == pytest.approx(function.spread())
    np.testing.assert_array_equal(
        benchmark_runs("branin", 1, 8, seed=1, predictions=5).pool_design, runs.pool_design[:1]
    )
    assert (runs.pool_design[0] != runs.pool_design[1]).any()


def test_the_loop_reveals_what_was_chosen_and_nothing_else(runs):
    policy = InOrder()
    chosen, _ = play_runs(policy, runs, 4, {})
    np.testing.assert_array_equal(chosen, [[0, 1, 2, 3]] * 5)
    for t, batch in enumerate(policy.seen):
        np.testing.assert_array_equal(batch["context_mask"].sum(1), t + 1)
        np.testing.assert_array_equal(batch["candidate_mask"].sum(1), 30 - t)
        np.testing.assert_allclose(batch["context_outcome"][:, :1, 0], runs.initial_outcome)
        np.testing.assert_allclose(
            batch["context_outcome"][:, 1 : 1 + t, 0], runs.pool_outcome[:, :t]
        )
        np.testing.assert_allclose(batch["context_design"][:, 1 : 1 + t], runs.pool_design[:, :t])
        assert (batch["context_outcome"][:, 1 + t :] == 0).all()
        assert batch["target_mask"].all() and not batch["theta_mask"].any()


def test_no_predictor_looks_at_the_answers(runs, model):
    policy = GPUncertaintyPolicy(function_learning.PRIOR_SETTINGS)
    predictors = {
        "exact": ExactPredictor(runs),
        "fitted": FittedPredictor(policy),
        "network": ModelPredictor(model),
        "rescaled": ModelPredictor(model, TrainingRange()),
    }
    _, found = play_runs(policy, runs, 2, predictors)
    blind = FunctionRuns(**(vars(runs) | {"target_outcome": np.zeros_like(runs.target_outcome)}))
    _, again = play_runs(policy, blind, 2, predictors)
    for name in predictors:
        for part in ("mean", "low", "high"):
            assert getattr(found[name], part).shape == (5, 3, 20)
            np.testing.assert_allclose(
                getattr(again[name], part), getattr(found[name], part), rtol=1e-6
            )
        assert (again[name].log_density != found[name].log_density).all()
        assert (found[name].low < found[name].high).all()


def test_the_exact_predictor_is_calibrated_and_nobody_is_more_likely(task):
    runs = prior_runs(task, 40, 30, seed=5)
    policy = GPInformationPolicy(function_learning.PRIOR_SETTINGS)
    predictors = {"exact": ExactPredictor(runs), "fitted": FittedPredictor(policy)}
    _, found = play_runs(policy, runs, 6, predictors)
    truth = runs.target_outcome[:, None]
    exact, fitted = found["exact"], found["fitted"]
    inside = (exact.low < truth) & (truth < exact.high)
    assert inside.mean() == pytest.approx(0.9, abs=0.05)
    assert exact.log_density.mean() > fitted.log_density.mean()
    # It learns: with every point the errors fall.
    error = np.sqrt(np.mean(np.square(exact.mean - truth), axis=(0, 2)))
    assert error[6] < 0.6 * error[0]


def test_exact_predictions_at_an_observed_place_are_the_observation(runs):
    placed = FunctionRuns(
        **(vars(runs) | {"target_design": np.repeat(runs.initial_design, 20, axis=1)})
    )
    _, found = play_runs(RandomPolicy(), placed, 1, {"exact": ExactPredictor(placed)})
    mean = found["exact"].mean[:, 0]
    assert np.abs(mean - runs.initial_outcome).max() < 5 * NOISE


def test_many_runs_are_played_in_groups_that_change_nothing(task, monkeypatch):
    from aline_tf.experiments.functions import function_runs

    runs = prior_runs(task, 7, 10, seed=6)
    _, whole = play_runs(InOrder(), runs, 3, {"exact": ExactPredictor(runs)})
    monkeypatch.setattr(function_runs, "_RUNS_AT_ONCE", 3)
    done = []
    chosen, parts = play_runs(InOrder(), runs, 3, {"exact": ExactPredictor(runs)}, done.append)
    assert done == [3, 6, 7]
    assert chosen.shape == (7, 3)
    np.testing.assert_allclose(parts["exact"].mean, whole["exact"].mean)


def test_the_models_predictions_are_those_of_the_model(runs, model):
    policy = InOrder()
    _, found = play_runs(policy, runs, 2, {"network": ModelPredictor(model)})
    batch = policy.seen[1]
    outputs = model(batch)
    summary = model.target_summary(outputs, batch)
    density = model.target_log_prob(outputs, batch, runs.target_outcome.astype(np.float32))
    np.testing.assert_allclose(found["network"].mean[:, 1], summary["mean"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["network"].log_density[:, 1], density, rtol=1e-4, atol=1e-5)


def test_units_of_a_benchmark_do_not_change_its_errors(model):
    runs = benchmark_runs("higdon", 2, 12, seed=0, predictions=10)
    outcomes = ("initial_outcome", "pool_outcome", "target_outcome")
    larger = FunctionRuns(
        **(vars(runs) | {name: 5e4 * getattr(runs, name) + 1e5 for name in outcomes}
           | {"unit": 5e4 * runs.unit})
    )  # fmt: skip
    for name in ("learned", "gp-epig"):
        here = function_learning.evaluate([name], runs, 3, model=model)
        there = function_learning.evaluate([name], larger, 3, model=model)
        for a, b in zip(here, there, strict=True):
            # After one observation its scale is a guess, and unscaled predictions know none.
            if a.step > 1 and "unscaled" not in a.policy:
                assert b.mean == pytest.approx(a.mean, rel=0.02, abs=0.02), (a, b)


def test_every_policy_has_the_rows_of_its_predictors(runs, model):
    names = ["learned", "ace-us", "random", "gp-rs", "gp-epig"]
    rows = function_learning.evaluate(names, runs, 2, model=model)
    labels = {row.policy for row in rows}
    assert labels == {
        "learned", "learned/exact", "ace-us", "ace-us/exact", "random", "random/exact", "gp-rs",
        "gp-epig", "gp-epig/network", "gp-epig/exact",
    }  # fmt: skip
    for label in labels:
        for metric in ("rmse", "log_prob", "coverage_90"):
            steps = [r.step for r in rows if r.policy == label and r.metric == metric]
            assert steps == [0, 1, 2], (label, metric)
    assert {row.target for row in rows} == {"prior"}
    without = function_learning.evaluate(["random", "gp-us"], runs, 2)
    assert {row.policy for row in without} == {"random/exact", "gp-us", "gp-us/exact"}


def test_the_learned_policy_of_a_benchmark_is_asked_within_its_range(model):
    runs = benchmark_runs("gramacy_1d", 2, 10, seed=0)
    policy = function_learning.make_policy("learned", runs, 0, model, TrainingRange())
    assert not isinstance(policy, LearnedPolicy)
    assert policy.name == "learned"


def test_hyperparameters_are_judged_by_the_models_posterior(runs, model):
    policy = InOrder()
    predictors = {"in_order": ModelParameters(model)}
    selected = np.array([True, False])
    _, found = play_runs(policy, runs, 2, predictors, selected=selected)
    batch = policy.seen[1]
    np.testing.assert_array_equal(batch["theta_mask"], [selected] * 5)
    assert not batch["target_mask"].any()
    posterior = model.theta_posterior(model(batch))
    np.testing.assert_allclose(found["in_order"].mean[:, 1], posterior.mean_sd()[0], rtol=1e-4)
    np.testing.assert_allclose(
        found["in_order"].log_density[:, 1], posterior.log_prob(runs.theta), rtol=1e-3, atol=1e-4
    )
    rows = function_learning.evaluate_hyperparameters(["random"], "variance", runs, 2, model)
    error = next(row.mean for row in rows if row.metric == "rmse" and row.step == 0)
    _, start = play_runs(RandomPolicy(), runs, 2, predictors, selected=selected)
    off = np.abs(start["in_order"].mean[:, 0, 0] - runs.theta[:, 0])
    assert error == pytest.approx(off.mean(), rel=1e-5)
