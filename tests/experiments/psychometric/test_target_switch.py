"""Targets that change on the way: what is reported, and where the shipped model asks."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import LearnedPolicy, Policy, RandomPolicy
from aline_tf.errors import InputError
from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy
from aline_tf.experiments.psychometric.runs import simulate_runs
from aline_tf.experiments.psychometric.target_switch import ORDERS, evaluate_switch, query_shares
from aline_tf.models.packaged_presets import preset_directory
from aline_tf.models.presets import load_preset

COARSE = GridPosterior((24, 12, 8, 8))
CURVE_FIRST, ASYMPTOTES_FIRST = (f"{first} then {second}" for first, second in ORDERS)


class EndsForAsymptotes(Policy):
    """Asks at the ends while {guess, lapse} is selected, in the middle otherwise."""

    def _choose(self, batch, mask):
        distance = np.abs(batch["candidate_design"][..., 0])
        asymptotes = batch["theta_mask"][:, 2:3]
        return np.where(mask, np.where(asymptotes, distance, -distance), -np.inf).argmax(1)


def by_key(rows):
    return {(row.policy, row.target, row.step, row.metric): row.mean for row in rows}


def test_every_order_has_its_rows_and_the_target_is_switched_at_the_step():
    kept = {}
    rows = evaluate_switch(
        {"ends": EndsForAsymptotes(), "random": RandomPolicy(0)},
        simulate_runs(4, 60, seed=0, horizon=10),
        step=4,
        grid=COARSE,
        keep=lambda policy, order, data: kept.__setitem__((policy, order), data),
    )
    found = by_key(rows)
    assert len(found) == len(rows) == 2 * 2 * (2 + 2 * 10)
    assert found["ends", CURVE_FIRST, 4, "outer_share_before"] == 0.0
    assert found["ends", CURVE_FIRST, 10, "outer_share_after"] == 1.0
    assert found["ends", ASYMPTOTES_FIRST, 4, "outer_share_before"] == 1.0
    assert found["ends", ASYMPTOTES_FIRST, 10, "outer_share_after"] == 0.0
    assert (np.abs(kept["ends", CURVE_FIRST].design[:, :4]) < 3.5).all()
    # A policy that reads no targets asks the same in both orders; only the pairs change places.
    for t in (1, 10):
        first = found["random", CURVE_FIRST, t, "rmse_first"]
        assert first == found["random", ASYMPTOTES_FIRST, t, "rmse_second"]


def test_shares_are_taken_before_and_after_the_switch():
    design = np.array([[0.0, 1.0, 4.9, -4.9, 0.0]])[..., None]
    data = RunData(np.zeros((1, 4)), design, np.zeros((1, 5, 1)))
    before, after = query_shares(data, 2)
    np.testing.assert_allclose([before[0], after[0]], [0.0, 2 / 3])


@pytest.mark.parametrize("step", [0, 10, 11])
def test_a_switch_outside_the_run_is_refused(step):
    with pytest.raises(InputError, match=f"1 to 9 trials; received {step}"):
        evaluate_switch({}, simulate_runs(1, 20, seed=0, horizon=10), step)


@pytest.fixture(scope="module")
def shipped():
    """The shipped model and exact psi-marginal on 24 subjects, switched at trial 15."""
    model = load_preset(preset_directory("psychometric"))
    policies = {"learned": LearnedPolicy(model), "psi-marginal": PsiMarginalPolicy((20, 10, 6, 6))}
    runs = simulate_runs(24, 200, seed=7)
    return by_key(evaluate_switch(policies, runs, 15, ModelPosterior(model), grid=COARSE))


@pytest.mark.parametrize("policy", ["learned", "psi-marginal"])
def test_queries_move_with_the_target(shipped, policy):
    # The outer 30% tell of guess and lapse, the middle of threshold and slope.
    assert shipped[policy, CURVE_FIRST, 15, "outer_share_before"] < 0.1
    assert shipped[policy, CURVE_FIRST, 30, "outer_share_after"] > 0.6
    assert shipped[policy, ASYMPTOTES_FIRST, 15, "outer_share_before"] > 0.9
    assert shipped[policy, ASYMPTOTES_FIRST, 30, "outer_share_after"] < 0.2


def test_the_pair_that_is_selected_is_the_one_that_is_learned(shipped):
    error = {t: shipped["learned", ASYMPTOTES_FIRST, t, "rmse_second"] for t in (1, 15, 30)}
    assert error[15] > 0.95 * error[1]
    assert error[30] < 0.7 * error[15]
    error = {t: shipped["learned", CURVE_FIRST, t, "rmse_second"] for t in (1, 15, 30)}
    assert error[15] > 0.9 * error[1]
    assert error[30] < 0.95 * error[15]
