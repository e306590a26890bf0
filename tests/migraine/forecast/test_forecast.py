"""Risks and their intervals: coherent, reproducible, row by row."""

import numpy as np
import pytest

from aline_tf import batch_ops
from aline_tf.migraine.forecast.forecast import (
    DRAW_ORDER,
    attack_probabilities,
    attack_risks,
    recentred,
)
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.schema.spec import SPEC


def test_recentred_probabilities_have_the_total_as_their_mean_and_keep_their_order():
    given = np.array([[0.1, 0.2, 0.7], [0.5, 0.9, 0.01]])
    weights = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    total = np.array([0.05, 0.6])
    shifted = recentred(given, weights, total)
    np.testing.assert_allclose((weights * shifted).sum(axis=1), total, atol=1e-9)
    np.testing.assert_array_equal(np.argsort(shifted), np.argsort(given))


def test_recentred_leaves_alone_what_adds_up_already():
    given = np.array([[[0.1, 0.3], [0.4, 0.5]]])
    weights = np.array([0.25, 0.75])
    total = np.einsum("bsk,s->bk", given, weights)
    np.testing.assert_allclose(recentred(given, weights, total), given, atol=1e-9)


def test_risk_lies_in_its_interval_and_48_h_is_not_below_24_h(model, evening):
    day, two_days = attack_risks(model, evening[0])[0]
    assert (day.hours, two_days.hours) == (24, 48)
    for risk in (day, two_days):
        assert 0.0 < risk.low < risk.probability < risk.high < 1.0
    assert day.probability <= two_days.probability


def test_same_seed_gives_the_same_interval_and_another_seed_another(model, evening):
    first, again, other = (attack_risks(model, evening[0], seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first[0][0].probability == other[0][0].probability


def test_reported_risk_is_what_the_model_predicts(model, evening):
    batch = evening[0]
    outputs = model(batch)
    mean, _ = model.outcome_prediction(outputs, batch).mean_sd()
    risks = attack_risks(model, batch)[0]
    assert risks[0].probability == pytest.approx(float(mean[0, 0]), abs=1e-6)


def test_interval_closes_when_the_parameters_are_known(model, evening):
    batch = batch_ops.drop_candidates(evening[0])
    drawn = np.isin(SPEC.parameter_names, [name for group in DRAW_ORDER for name in group])
    known = batch_ops.condition_on(batch, np.full([1, len(drawn)], 0.5, np.float32), drawn)
    risk = attack_risks(model, known)[0][0]
    assert risk.high - risk.low < 1e-5
    assert risk.probability == pytest.approx(attack_probabilities(model, known)[0, 0])


def test_rows_are_forecast_as_if_alone(model, example):
    from aline_tf.migraine.forecast.person_batch import history_batch

    evenings = [day_history(example, example.evening(), days) for days in (5, 30)]
    rows = [history_batch(history, candidates=[])[0] for history in evenings]
    together = attack_risks(model, batch_ops.stack(rows), draws=8)
    for row, risks in zip(rows, together, strict=True):
        alone = attack_risks(model, row, draws=8)[0]
        for one, other in zip(alone, risks, strict=True):
            assert one.probability == pytest.approx(other.probability, abs=1e-5)
            assert one.low == pytest.approx(other.low, abs=1e-4)
