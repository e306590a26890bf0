"""Scores of forecasts: right by hand and by other implementations, with fair intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from aline_tf.migraine.evaluation import scores


@pytest.fixture(scope="module")
def evenings():
    """Forecasts of 30 people on 25 evenings, some of them equal, and what happened."""
    generator = np.random.default_rng(5)
    probability = np.round(generator.uniform(0.05, 0.6, [30, 25]), 2)
    event = (generator.random([30, 25]) < probability).astype(float)
    return probability, event


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
