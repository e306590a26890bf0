"""What-ifs: one observation set to another value, and nothing else."""

import dataclasses

import numpy as np
import pytest

from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.forecast.what_if import USUAL, Supposition, parse, what_ifs
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.schema.channels import FIELD_INDEX


@pytest.fixture(scope="module")
def history(example):
    return day_history(example, example.evening(), 112)


def with_value(history, ago, field, value):
    values, status = history.values.copy(), history.status.copy()
    values[-1 - ago, FIELD_INDEX[field]] = value
    status[-1 - ago, FIELD_INDEX[field]] = OBSERVED
    return dataclasses.replace(history, values=values, status=status)


def test_the_risk_is_that_of_the_changed_history(model, history):
    (found,) = what_ifs(model, history, [Supposition("sleep_hours", 1, 4.5)])
    batch, _ = history_batch(with_value(history, 1, "sleep_hours", 4.5), candidates=[])
    np.testing.assert_allclose(
        [found.risk_24h, found.risk_48h], attack_probabilities(model, batch)[0], atol=1e-6
    )
    (now,) = attack_probabilities(model, history_batch(history, candidates=[])[0])
    assert abs(found.risk_24h - now[0]) > 1e-6


def test_a_report_of_slots_changes_where_it_was_given(model, history):
    recorded = with_value(history, 0, "stress_1", 4.0)
    recorded.status[-1, FIELD_INDEX["stress_3"]] = 0
    both = with_value(recorded, 0, "stress_2", 3.0)
    (found,) = what_ifs(model, both, [Supposition("stress", 0, 9.0)])
    expected = with_value(with_value(both, 0, "stress_1", 9.0), 0, "stress_2", 9.0)
    batch, _ = history_batch(expected, candidates=[])
    assert found.risk_24h == pytest.approx(attack_probabilities(model, batch)[0, 0], abs=1e-6)


def test_what_is_so_already_is_no_supposition(model, history):
    recorded = with_value(history, 0, "missed_meal", 1.0)
    assert what_ifs(model, recorded, [Supposition("missed_meal", 0, 1.0)]) == []
    assert len(what_ifs(model, recorded, [Supposition("missed_meal", 0, 0.0)])) == 1


def test_the_history_stays_as_it_was(model, history):
    before = history.values.copy(), history.status.copy()
    what_ifs(model, history, USUAL)
    np.testing.assert_array_equal(history.values, before[0])
    np.testing.assert_array_equal(history.status, before[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stress=8", Supposition("stress", 0, 8.0)),
        ("alcohol@1=5", Supposition("alcohol", 1, 5.0)),
        ("sleep_hours@2=4.25", Supposition("sleep_hours", 2, 4.25)),
    ],
)
def test_suppositions_as_they_are_typed(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mood=3", "expected --what-if CHANNEL=VALUE"),
        ("stress", "whole number from 0 to 10"),
        ("stress=8.5", "whole number from 0 to 10"),
        ("stress=nan", "whole number from 0 to 10"),
        ("missed_meal=2", "from 0 to 1"),
        ("sleep_hours=90", "a number from"),
        ("alcohol@9=1", "days ago"),
    ],
)
def test_a_supposition_that_cannot_be_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse(text)
