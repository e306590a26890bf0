"""What the shipped psychometric model is good for, on 100 simulated subjects."""

import pytest

from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy
from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.experiments.psychometric import estimates as psychometric
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.runs import simulate_runs
from aline_tf.models.packaged_presets import preset_directory
from aline_tf.models.presets import load_preset

PAIRS = ("threshold,slope", "guess,lapse")
#: A quarter of the nodes that tables are made with: errors agree with theirs to a hundredth.
GRID = GridPosterior((40, 16, 12, 12))


@pytest.fixture(scope="module")
def model():
    return load_preset(preset_directory("psychometric"))


@pytest.fixture(scope="module")
def measured(model):
    """Value of a metric by (policy, target, step, metric)."""
    runs = simulate_runs(100, 200, seed=11)
    rows = psychometric.evaluate(
        {"learned": LearnedPolicy(model)}, runs, ModelPosterior(model), PAIRS, grid=GRID
    )
    return {(row.policy, row.target, row.step, row.metric): row.mean for row in rows}


@pytest.mark.parametrize(("target", "bar"), [("threshold,slope", 0.45), ("guess,lapse", 0.14)])
def test_errors_after_thirty_trials_are_near_the_best_possible(measured, target, bar):
    # The bars leave room for the sampling error of 100 subjects; random trials exceed the first.
    assert measured["learned", target, 30, "rmse"] < bar
    exact = measured["learned/exact", target, 30, "rmse"]
    assert measured["learned", target, 30, "rmse"] < 1.1 * exact


@pytest.mark.parametrize("target", PAIRS)
@pytest.mark.parametrize("step", [5, 15, 30])
def test_the_posterior_is_close_to_the_exact_one(measured, target, step):
    assert measured["learned", target, step, "gap"] < 0.15
    assert measured["learned", target, step, "gap_given_one"] < 0.15


def test_the_target_decides_where_it_asks(measured):
    outer = {target: measured["learned", target, 30, "outer_share"] for target in PAIRS}
    assert outer["guess,lapse"] > 2 * outer["threshold,slope"]


@pytest.mark.parametrize("target", PAIRS)
def test_intervals_cover_what_they_promise(measured, target):
    assert 0.83 < measured["learned", target, 30, "coverage_90"] < 0.97


def test_all_four_parameters_never_met_together_are_asked_for_better_than_at_random(model):
    runs = simulate_runs(100, 200, seed=11)
    target = psychometric.TARGETS[2]
    rows = psychometric.evaluate(
        {"learned": LearnedPolicy(model), "random": RandomPolicy(1)},
        runs,
        ModelPosterior(model),
        (target,),
        grid=GRID,
    )
    found = {(row.policy, row.metric, row.step): row.mean for row in rows}
    # Psi-marginal reaches three quarters of the error of random stimuli.
    assert found["learned", "rmse", 30] < 0.88 * found["random", "rmse", 30]
    # It asks for the curve and for the asymptotes, not for one of the pairs alone.
    assert found["learned", "outer_share", 30] < 0.6
