"""The study of unlikeness: odd records are found, and nothing is changed that is not said."""

import numpy as np
import pytest

from aline_tf.migraine.evaluation.studies.unlikeness import (
    ODD,
    cohort_features,
    distances,
    simulated_people,
    study_text,
)
from aline_tf.migraine.forecast.unlikeness import LIMIT
from aline_tf.migraine.schema.channels import CHANNEL


@pytest.fixture(scope="module")
def people():
    return simulated_people(3, 12)


@pytest.fixture(scope="module")
def usual(people):
    return cohort_features(people)


@pytest.mark.parametrize("odd", ODD)
def test_only_features_of_the_odd_channel_change(odd, people, usual):
    channel = ODD[odd][0]
    assert channel in CHANNEL
    found = cohort_features(people, odd)
    changed = {
        name for name in found if not np.array_equal(found[name], usual[name], equal_nan=True)
    }
    assert changed and {name.partition(",")[0] for name in changed} == {channel}


def test_a_pulse_that_nobody_has_is_found(people, usual):
    odd = cohort_features(people, "resting heart rate 40 bpm higher")
    known = np.isfinite(odd["resting_hr, level"])
    assert (distances(odd)[known] > LIMIT).all() and (distances(usual) <= LIMIT).mean() > 0.9


def test_the_study_tells_of_everybody_and_of_every_oddity():
    text = study_text(12, 1)
    assert "12 other people of the world of training" in text
    for odd in ODD:
        assert f"\n{odd}: " in text
