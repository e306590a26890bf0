"""What sensors read and people answer keeps to the ranges and the effects that are stated."""

import numpy as np
import pytest

from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.migraine.schema.channels import (
    FIELD_INDEX,
    FIELDS,
    PASSIVE_NAMES,
    SPOT_READING,
    places,
)
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX
from aline_tf.migraine.simulation.population import WorldSettings
from aline_tf.migraine.simulation.simulator import INTERICTAL, PRODROME


def test_values_lie_in_the_range_of_their_channel(world):
    for index, field in enumerate(FIELDS):
        value = world["value"][:, :, index]
        assert np.isfinite(value).all(), field.name
        if field.kind == "binary":
            assert set(np.unique(value)) <= {0.0, 1.0}, field.name
        elif field.kind == "ordered":
            assert (value == np.round(value)).all() and value.min() >= 0, field.name
            assert value.max() < field.levels, field.name
        else:
            assert abs((value.mean() - field.loc) / field.scale) < 0.6, field.name
            assert 0.3 < value.std() / field.scale < 1.5, field.name


def test_only_some_people_feel_attacks_coming(world):
    signs = world["value"][:, :, list(places("prodrome"))]
    feels = world["theta"][:, PARAMETER_INDEX["feels_coming"]] > 0.5
    in_prodrome = world["phase"] == PRODROME
    assert signs[feels][in_prodrome[feels]].mean() == pytest.approx(0.8, abs=0.03)
    assert signs[~feels][in_prodrome[~feels]].mean() == pytest.approx(0.1, abs=0.03)


def test_heart_rate_variability_falls_before_the_attacks_of_responders(world):
    level = world["value"][:, :, FIELD_INDEX["ln_rmssd"]]
    level = level - world["theta"][:, PARAMETER_INDEX["hrv_baseline"], None]
    night = world["phase"][:, :, 0]
    responds = world["theta"][:, PARAMETER_INDEX["hrv_responder"]] > 0.5

    def dip(people):
        return (
            level[people][night[people] == PRODROME].mean()
            - level[people][night[people] == INTERICTAL].mean()
        )

    # Vulnerability, higher before attacks, takes a little more.
    assert dip(responds) == pytest.approx(-0.32, abs=0.06)
    assert dip(~responds) == pytest.approx(-0.05, abs=0.05)


def test_answers_and_readings_go_missing_more_in_attacks_unless_switched_off(simulated):
    for informative in (True, False):
        world = simulated(600, 60, settings=WorldSettings(informative_missingness=informative))
        answered = world["status_if_tried"][:, :, list(places("stress"))] == OBSERVED
        attack = world["attack"] == 1
        difference = answered[~attack].mean() - answered[attack].mean()
        assert difference == pytest.approx(0.08 if informative else 0.0, abs=0.025)


def test_missing_is_not_the_same_as_not_answered(world):
    passive, reports = np.split(world["status_if_tried"], [len(PASSIVE_NAMES)], axis=2)
    assert set(np.unique(passive)) == {MISSING, OBSERVED}
    assert set(np.unique(reports)) == {OBSERVED, NO_ANSWER}
    assert (reports == OBSERVED).mean() == pytest.approx(0.78, abs=0.05)


def test_a_reading_of_a_minute_sees_the_evening_and_one_in_seven_is_refused(world):
    spot = FIELD_INDEX[SPOT_READING]
    level = world["value"][:, :, spot]
    level = level - world["theta"][:, PARAMETER_INDEX["hrv_baseline"], None]
    evening = world["phase"][:, :, 3]
    responds = world["theta"][:, PARAMETER_INDEX["hrv_responder"]] > 0.5
    usual = level[responds][evening[responds] == INTERICTAL]
    before = level[responds][evening[responds] == PRODROME]
    assert before.mean() - usual.mean() == pytest.approx(-0.32, abs=0.06)
    refused = world["status_if_tried"][:, :, spot] == NO_ANSWER
    assert refused.mean() == pytest.approx(0.15, abs=0.01)


def test_heart_rate_variability_follows_stress_as_each_person_has_it(world):
    level = world["value"][:, :, FIELD_INDEX["ln_rmssd"]]
    free = (world["phase"][:, :, 0] == INTERICTAL) & (world["phase"][:, :, 3] == INTERICTAL)
    reported = world["value"][:, :, list(places("stress"))].mean(axis=2)
    stress = np.where(free, reported, np.nan)
    away = stress - np.nanmean(stress, axis=1, keepdims=True)
    slope = np.nansum(away * level, axis=1) / np.nansum(away**2, axis=1)
    coupling = world["theta"][:, PARAMETER_INDEX["hrv_stress"]]
    assert coupling.mean() == pytest.approx(-0.08, abs=0.005)
    assert coupling.std() == pytest.approx(0.04, abs=0.005)
    assert np.corrcoef(slope, coupling)[0, 1] > 0.8
