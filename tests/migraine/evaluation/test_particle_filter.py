"""The ceiling: a filter that knows the simulator."""

import numpy as np
import pytest

from aline_tf.migraine.evaluation import scores
from aline_tf.migraine.evaluation.expected_inputs import expected_inputs
from aline_tf.migraine.evaluation.particle_filter import (
    OracleFilters,
    ParticleFilter,
    vulnerability_grid,
)
from aline_tf.migraine.schema.channels import FIELD_INDEX, FIELDS
from aline_tf.migraine.schema.parameters import TRIGGERS
from aline_tf.migraine.simulation import cohort
from aline_tf.migraine.simulation.recording import ATTACK_DIARY, SLOT_DIARY
from aline_tf.migraine.simulation.simulator import VULNERABILITY_MEMORY

TRIGGER = {trigger.name: index for index, trigger in enumerate(TRIGGERS)}


def test_the_grid_of_vulnerability_moves_like_the_simulators():
    levels, matrix = vulnerability_grid()
    np.testing.assert_allclose(matrix.sum(1), 1.0)
    np.testing.assert_allclose(matrix @ levels, VULNERABILITY_MEMORY * levels, atol=1e-12)
    resting = np.linalg.matrix_power(matrix, 200)[0]
    assert resting @ levels**2 == pytest.approx(1.0)


def records(days=6):
    shape = (2, days, len(FIELDS))
    return np.zeros(shape, np.float32), np.zeros(shape, np.int32)


def test_inputs_are_what_was_recorded_and_else_what_is_usual():
    outcome, status = records()
    for name, day, value in (
        ("pressure_change", 2, -11.4),
        ("missed_meal", 3, 1.0),
        ("alcohol", 4, 6.0),
        ("menstrual_window", 5, 1.0),
    ):
        outcome[0, day, FIELD_INDEX[name]], status[0, day, FIELD_INDEX[name]] = value, 1
    found = expected_inputs(outcome, status, np.array([2, 2])).trigger
    assert found.shape == (2, 7, len(TRIGGERS))
    assert found[0, 2, TRIGGER["pressure"]] == pytest.approx(2.0)
    assert found[0, 3, TRIGGER["missed_meal"]] == 1.0
    assert found[0, 5, TRIGGER["alcohol"]] == 1.0
    assert found[0, 5, TRIGGER["menstrual"]] == 1.0
    # A window that has begun goes on tomorrow.
    assert found[0, 6, TRIGGER["menstrual"]] == 1.0
    assert 0.05 < found[1, 6, TRIGGER["menstrual"]] < 0.2
    assert np.isfinite(found).all()


def test_answers_move_the_estimate_of_stress():
    outcome, status = records(20)
    status[:, :, FIELD_INDEX["stress_3"]] = 1
    outcome[:, :, FIELD_INDEX["stress_3"]] = 4.0
    outcome[1, -1, FIELD_INDEX["stress_3"]] = 9.0
    stress = expected_inputs(outcome, status, np.array([2, 2])).stress
    assert stress[1, -2] > stress[0, -2] + 1.5
    # Half of it is left tomorrow.
    assert stress[1, -1] - stress[0, -1] == pytest.approx(
        0.5 * (stress[1, -2] - stress[0, -2]), rel=0.05
    )


def test_a_filter_that_sees_an_attack_expects_it_to_go_on():
    outcome, status = records()
    places = [FIELD_INDEX[f"attack_{slot}"] for slot in range(4)]
    status[:, :, places] = 1
    outcome[1, -1, places[2:]] = 1.0
    risks = ParticleFilter([SLOT_DIARY, SLOT_DIARY], 40, seed=2).forecast(
        outcome, status, np.array([2, 2])
    )
    assert risks.shape == (2, 2)
    assert (risks[:, 1] >= risks[:, 0]).all()
    assert risks[1, 0] > risks[0, 0] + 0.3


def test_silence_tells_where_attacks_alone_are_noted():
    """After one noted attack, three weeks without a note mean fewer attacks, not unknown ones."""
    outcome, status = records(24)
    place = FIELD_INDEX["attack_1"]
    status[:, 2, place], outcome[:, 2, place] = 1, 1.0
    noting, prompted = ParticleFilter([ATTACK_DIARY, SLOT_DIARY], 200, seed=3).forecast(
        outcome, status, np.array([2, 2])
    )
    assert noting[0] < prompted[0] - 0.01


def test_evening_after_evening_is_the_same_as_all_at_once():
    people = cohort.sample_cohort(seed=2, people=3, days=16, first_evening=5).with_full_records()
    evenings = [(people.records(days), people.weekday(days)) for days in (9, 12, 16)]
    one, other = (ParticleFilter([SLOT_DIARY] * 3, 20, seed=1) for _ in range(2))
    for (outcome, status), weekday in evenings:
        rolling = one.forecast(outcome, status, weekday)
    # Levels and stress are estimated anew from all that is known: days gone by keep the old ones.
    np.testing.assert_allclose(rolling, other.forecast(*evenings[-1][0], weekday), atol=0.15)


def test_ceilings_are_calibrated_and_to_be_told_is_better():
    people = cohort.sample_cohort(seed=1, people=120, days=40, first_evening=20).with_full_records()
    oracle_filters = OracleFilters(people, particles=40, seed=0)
    made, followed = {name: [] for name in OracleFilters.NAMES}, []
    for days in range(20, 41, 4):
        for name, risk in oracle_filters.forecast(
            *people.records(days), people.weekday(days)
        ).items():
            made[name].append(risk[:, 0])
        followed.append(people.followed(days)[:, 0])
    event, everybody = np.stack(followed, axis=1).astype(float), np.ones(120)
    skill = {}
    for name, risks in made.items():
        risk = np.stack(risks, axis=1)
        assert abs(risk.mean() - event.mean()) < 0.06
        assert scores.auc(risk, event)(everybody) > 0.7
        skill[name] = scores.brier_skill(risk, event, event.mean())(everybody)
    assert skill["told filter"] > skill["particle filter"] > 0.05
