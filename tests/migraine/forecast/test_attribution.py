"""Attributions: the risk with and without an observation, and nothing else."""

import dataclasses

import numpy as np
import pytest

from aline_tf.migraine.forecast.attribution import attributions
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.schema.channels import FIELD_INDEX, places


@pytest.fixture(scope="module")
def history(example):
    return day_history(example, example.evening(), 112)


def risk(model, history) -> float:
    return attack_probabilities(model, history_batch(history, candidates=[])[0])[0, 0]


def test_change_is_the_risk_with_minus_the_risk_without(model, history):
    before = history.status.copy()
    found = {(c.channel, c.days_ago): c for c in attributions(model, history)}
    found_one = found["stress", 1]
    status = history.status.copy()
    status[-2, list(places("stress"))] = 0
    without = dataclasses.replace(history, status=status)
    expected = risk(model, history) - risk(model, without)
    assert found_one.change == pytest.approx(expected, abs=1e-6)
    assert abs(found_one.change) > 1e-6
    np.testing.assert_array_equal(history.status, before)


def test_every_observation_of_the_last_days_is_judged_once(model, history):
    found = attributions(model, history)
    expected = {
        (field.split("_")[0], ago)
        for field, index in FIELD_INDEX.items()
        for ago in range(3)
        if history.status[-1 - ago, index] > 0
    }
    assert {(c.channel.split("_")[0], c.days_ago) for c in found} == expected
    assert len({(c.channel, c.days_ago) for c in found}) == len(found)
    sizes = [abs(c.change) for c in found]
    assert sizes == sorted(sizes, reverse=True)


def test_day_that_held_one_observation_disappears(model, history):
    status = np.zeros_like(history.status)
    status[-1, FIELD_INDEX["stress_2"]] = 1
    alone = dataclasses.replace(history, status=status)
    (found_one,) = attributions(model, alone)
    nothing = dataclasses.replace(history, status=np.zeros_like(status))
    assert found_one.change == pytest.approx(risk(model, alone) - risk(model, nothing), abs=1e-6)
