"""The evaluation: people unmet and seen fairly, scores right, baselines blind to the future."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from aline_tf import cli
from aline_tf.batch import OBSERVED
from aline_tf.migraine.evaluation import baselines, burden, scores
from aline_tf.migraine.evaluation import study as evaluation
from aline_tf.migraine.evaluation.acquisition_policies import POLICIES, diary_place, scorer
from aline_tf.migraine.evaluation.particle_filter import OracleFilters
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELD_NAMES
from aline_tf.migraine.schema.designs import DESIGN_NAMES
from aline_tf.migraine.simulation import cohort
from aline_tf.migraine.task.simulated import MigraineTask
from aline_tf.models.compiled import Compiled

PEOPLE, DAYS, HISTORY = 40, 16, 8


@pytest.fixture(scope="module")
def people():
    return cohort.sample_cohort(seed=3, people=PEOPLE, days=DAYS, first_evening=HISTORY)


@pytest.fixture(scope="module")
def evenings():
    """Forecasts of 30 people on 25 evenings, some of them equal, and what happened."""
    generator = np.random.default_rng(5)
    probability = np.round(generator.uniform(0.05, 0.6, [30, 25]), 2)
    event = (generator.random([30, 25]) < probability).astype(float)
    return probability, event


# --- the scores ---------------------------------------------------------------------------------


def test_auc_agrees_with_another_implementation(evenings):
    probability, event = evenings
    kept = np.random.default_rng(1).random(event.shape) < 0.5
    everybody = np.ones(len(event))
    assert scores.auc(probability, event)(everybody) == pytest.approx(
        roc_auc_score(event.ravel(), probability.ravel())
    )
    assert scores.auc(probability, event, kept)(everybody) == pytest.approx(
        roc_auc_score(event[kept], probability[kept])
    )


@pytest.mark.parametrize("name", ["auc", "within_auc", "brier", "log_prob", "ece", "calibration"])
def test_a_weight_of_two_is_the_same_person_twice(evenings, name):
    probability, event = evenings
    times = np.random.default_rng(2).integers(0, 3, len(event))

    def score(probability, event):
        made = getattr(scores, name)(probability, event)
        return made[0] if isinstance(made, tuple) else made

    copies = np.repeat(np.arange(len(event)), times)
    repeated = score(probability[copies], event[copies])(np.ones(len(copies)))
    # Bins of the calibration error are those of everybody, whatever the weights.
    tolerance = 0.03 if name == "ece" else 1e-6
    assert score(probability, event)(times.astype(float)) == pytest.approx(repeated, abs=tolerance)


def test_within_auc_is_blind_to_differences_between_people(evenings):
    probability, event = evenings
    shift = np.random.default_rng(3).normal(size=[len(event), 1])
    plain, eligible = scores.within_auc(probability, event)
    shifted, _ = scores.within_auc(probability + shift, event)
    constant, _ = scores.within_auc(np.broadcast_to(shift, event.shape), event)
    everybody = np.ones(len(event))
    assert plain(everybody) == pytest.approx(shifted(everybody))
    assert constant(everybody) == 0.5
    assert 0 < eligible <= len(event)


def test_within_auc_weighs_people_by_pairs_and_leaves_out_the_scarce():
    event = np.zeros([3, 8])
    event[0, :3], event[1, :4], event[2, :2] = 1.0, 1.0, 1.0
    probability = np.stack([event[0], 1.0 - event[1], event[2]])
    score, eligible = scores.within_auc(probability, event)
    # Right on 15 pairs of the first person, wrong on 16 of the second; the third has two events.
    assert score(np.ones(3)) == pytest.approx(15 / 31)
    assert eligible == 2


def test_calibration_agrees_with_a_plain_logistic_regression(evenings):
    probability, event = evenings
    slope, intercept = scores.calibration(probability, event)
    logit = np.log(probability / (1.0 - probability)).ravel()[:, None]
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit, event.ravel())
    everybody = np.ones(len(event))
    assert slope(everybody) == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert intercept(everybody) == pytest.approx(fitted.intercept_[0], abs=1e-4)


def test_brier_log_prob_and_calibration_error_by_hand():
    probability, event = np.array([[0.2, 0.2], [0.2, 0.6]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    everybody = np.ones(2)
    brier = (0.04 + 0.64 + 0.04 + 0.16) / 4
    assert scores.brier(probability, event)(everybody) == pytest.approx(brier)
    assert scores.brier_skill(probability, event, 0.5)(everybody) == pytest.approx(1 - brier / 0.25)
    assert scores.brier_skill(probability, event, probability)(everybody) == 0.0
    expected = np.log([0.8, 0.2, 0.8, 0.6]).mean()
    assert scores.log_prob(probability, event)(everybody) == pytest.approx(expected)
    # Three forecasts of .2 with a third of events, one of .6 with an event.
    assert scores.ece(probability, event)(everybody) == pytest.approx((0.4 + 0.4) / 4)


def test_scores_that_do_not_exist_are_nan():
    constant, event = np.full([4, 5], 0.3), np.zeros([4, 5])
    everybody = np.ones(4)
    assert np.isnan(scores.auc(constant, event)(everybody))
    assert np.isnan(scores.within_auc(constant, event)[0](everybody))
    assert np.isnan(scores.calibration(constant, event)[0](everybody))


def test_the_interval_of_a_mean_is_the_textbook_one():
    values = np.random.default_rng(4).normal(size=[400, 1])
    score = scores.brier(values, np.zeros_like(values))
    mean, half = scores.interval(score, 400)
    squares = np.square(values[:, 0])
    assert mean == pytest.approx(squares.mean())
    assert half == pytest.approx(1.96 * squares.std() / 20.0, rel=0.2)


# --- the baselines ------------------------------------------------------------------------------


def test_a_value_and_no_value_are_told_apart():
    outcome = np.zeros([2, 4, len(FIELD_NAMES)], np.float32)
    status = np.zeros(outcome.shape, np.int32)
    sleep = FIELD_INDEX["sleep_hours"]
    outcome[0, -1, sleep] = 7.2  # the mean of the population
    status[0, -1, sleep] = OBSERVED
    features = baselines.lag_features(outcome, status, np.zeros(2, int))
    # Known today, known of late, known at all.
    assert (features[0] != features[1]).sum() == 3


def test_persistence_knows_three_kinds_of_today():
    outcome = np.zeros([3, 3, len(FIELD_NAMES)], np.float32)
    status = np.zeros(outcome.shape, np.int32)
    noon = FIELD_INDEX["attack_2"]
    status[1:, -1, noon] = OBSERVED
    outcome[2, -1, noon] = 1.0
    status[0, -2, noon], outcome[0, -2, noon] = OBSERVED, 1.0  # yesterday is not today
    assert baselines.attack_today(outcome, status).tolist() == [0, 1, 2]


def test_baselines_forecast_probabilities_and_know_the_base_rate(people):
    fitted = baselines.Baselines(people, [8, 10, 12])
    followed = np.concatenate([people.followed(evening) for evening in (8, 10, 12)])
    made = fitted.forecast(*people.records(9), people.weekday(9))
    assert set(made) == set(baselines.Baselines.NAMES)
    np.testing.assert_allclose(made["base rate"], np.tile(followed.mean(axis=0), [PEOPLE, 1]))
    for probability in made.values():
        assert probability.shape == (PEOPLE, 2)
        assert (probability >= 0).all() and (probability <= 1).all()


# --- burden -------------------------------------------------------------------------------------


def test_the_evening_diary_asks_in_its_order(people):
    episode = burden.evening_episode(people, 9, tf.constant([1, 2]))
    place = diary_place(episode["candidate_design"].numpy())
    assert (np.sort(place, axis=1) == np.arange(len(LIBRARY))).all()
    first = episode["candidate_design"].numpy()[np.arange(PEOPLE), place.argmin(axis=1)]
    assert (first[:, DESIGN_NAMES.index("is_attack")] == 1).all()
    assert (first[:, DESIGN_NAMES.index("slot_3")] == 1).all()


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


# --- the whole ----------------------------------------------------------------------------------


def test_a_compiled_network_answers_like_the_model(people, model):
    batch = people.batch(9)
    plain, compiled = model(batch), Compiled(model)(batch)
    for name in plain:
        np.testing.assert_allclose(plain[name], compiled[name], atol=1e-4)


@pytest.mark.parametrize(("first", "last", "most"), [(28, 112, 90), (28, 112, 12), (3, 3, 1)])
def test_evenings_fit_the_budget_and_see_every_weekday(first, last, most):
    chosen = evaluation.evenings_between(first, last, most)
    assert chosen[0] == first and chosen[-1] <= last and len(chosen) <= most
    assert len({day % 7 for day in chosen}) == min(7, len(chosen))


@pytest.fixture
def small(monkeypatch):
    """Few people, few resamples: every figure there, in seconds."""
    monkeypatch.setattr(evaluation, "FITTING_PEOPLE", 60)
    monkeypatch.setattr(evaluation, "FITTING_EVENINGS", 240)
    monkeypatch.setattr(scores, "RESAMPLES", 12)


class Guess:
    """Stands in for a model: says `mean` of everybody's parameters."""

    spec = MigraineTask().spec

    def __init__(self, mean):
        self.mean = tf.constant(mean, tf.float32)

    def __call__(self, batch):
        return {"rows": tf.zeros(len(batch["context_mask"]))}

    def theta_summary(self, outputs):
        spread = tf.stack([self.mean - 1.0, self.mean + 1.0], axis=-1)
        return {"mean": self.mean, "probability": tf.ones_like(self.mean), "quantiles": spread}

    def theta_log_prob(self, outputs, theta):
        return tf.zeros_like(theta)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_the_error_of_all_parameters_is_in_prior_standard_deviations(people, share, expected):
    theta = people.world["theta"].numpy()
    guess = Guess(theta + share * (theta.mean(axis=0) - theta))
    rows = evaluation.parameter_rows(guess, people, people, HISTORY, seed=0)
    (row,) = (row for row in rows if row.target == "all parameters")
    assert (row.policy, row.metric, row.n) == (f"aline, day {HISTORY}", "rmse", PEOPLE)
    assert row.mean == pytest.approx(expected, abs=1e-3)


def test_the_command_prints_a_table_and_writes_every_row(small, preset, tmp_path, capsys):
    target = tmp_path / "rows.json"
    code = cli.main(
        f"migraine evaluate --model {preset} --people 30 --days 16 --history 12 --seed 1"
        f" --particles 6 --shifted --json {target} --plots {tmp_path / 'plots'}".split()
    )
    printed = capsys.readouterr().out
    assert code == 0
    assert "of the shifted world" in printed and "told filter" in printed
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"burden.png", "burden.svg"}
    assert "within_auc" in printed and "Houle 2017" in printed and "evening diary" in printed
    assert "diary: attacks only" in printed

    written = json.loads(target.read_text())
    assert (written["task"], written["seed"]) == ("migraine", 1)
    assert set(written["rows"][0]) == {"policy", "target", "step", "metric", "mean", "ci95", "n"}
    found = {(row["policy"], row["target"], row["metric"]) for row in written["rows"]}
    metrics = {"within_auc", "within_auc_onset", "auc", "auc_onset", "brier", "brier_skill", "ece"}
    metrics |= {"calibration_slope", "calibration_intercept", "log_prob"}
    for policy in ("aline", *baselines.Baselines.NAMES, *OracleFilters.NAMES):
        for horizon in ("attack_24h", "attack_48h"):
            assert {m for p, t, m in found if (p, t) == (policy, horizon)} == metrics
    of_alpha = {m for p, t, m in found if (p, t) == ("aline, day 16", "alpha")}
    of_trigger = {m for p, t, m in found if (p, t) == ("aline, day 16", "beta_stress")}
    assert of_alpha == {"rmse", "coverage_90", "log_prob"}
    assert of_trigger == {"auc", "brier", "log_prob"}
    assert ("aline", "attack_24h | sex: female", "brier_skill") in found
    steps = {row["step"] for row in written["rows"] if row["metric"] == "log_prob_gain"}
    assert steps == set(range(burden.STEPS + 1))


def test_burden_has_records_of_its_own(small, preset, capsys):
    options = "--people 4 --days 12 --history 12 --particles 0 --records full"
    assert cli.main(f"migraine evaluate --model {preset} {options}".split()) == 0
    printed = capsys.readouterr().out
    assert "Forecasts" in printed and "Parameters" in printed and "Burden" not in printed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--people", "1"], "--people from 2"),
        (["--history", "2"], "--history of 3 days or more"),
        (["--days", "113"], "to 112"),
        (["--days", "20", "--history", "21"], "from --history (21)"),
        (["--seed", "-1"], "--seed from 0"),
        (["--records", "all"], "--records mixed or full"),
        (["--records", "full", "--plots", "plots"], "--records mixed with --plots"),
        (["--particles", "-1"], "--particles of 0 or more"),
        (["--plots", __file__], "a directory after --plots"),
        (["--json", "."], "received the directory"),
        (["--json", __file__ + "/rows.json"], "a place to write"),
        (["--model", "/nowhere"], "expected a preset"),
    ],
)
def test_bad_input_is_one_line_and_no_work(options, expected, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: pytest.fail("it went to work"))
    assert cli.main(["migraine", "evaluate", *options]) == 2
    said = capsys.readouterr().err.strip()
    assert expected in said and "\n" not in said
