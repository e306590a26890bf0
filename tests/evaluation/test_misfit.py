"""The table of who is suspected: kinds of subjects, and whose predictions."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.misfit import (
    WELL_SPECIFIED,
    detections,
    histories,
    of_the_task,
    table_of,
)
from aline_tf.experiments import experiment_by_name
from aline_tf.models.aline import ALINE
from aline_tf.tasks import LocationFinding, Psychometric


@pytest.fixture(scope="module")
def model():
    model = ALINE(
        Psychometric.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    model.build()
    return model


def test_strangers_are_suspected_as_often_as_the_oracle_suspects_them(model):
    kinds, exact_chances = experiment_by_name("psychometric").misfits()
    kinds = {name: kinds[name] for name in ("always yes", "buttons inverted")}
    kinds[WELL_SPECIFIED] = of_the_task(Psychometric())
    found = detections(
        model, Psychometric(), kinds, 12, 40, exact_chances=exact_chances, policy=RandomPolicy(0)
    )
    rate = {(each.subject, each.by): each.rate for each in found}
    for by in ("session", "exact"):
        assert rate["always yes", by] == 1.0 and rate["buttons inverted", by] > 0.9
        assert rate[WELL_SPECIFIED, by] < 0.1
    assert {each.by for each in found} == {"session", "model", "exact"}
    assert {each.runs for each in found} == {12}
    text = table_of(found)
    assert "always yes                      100.0%" in text and len(text.splitlines()) == 4


def test_every_kind_of_every_experiment_answers(model):
    for name, task in (("psychometric", Psychometric()), ("location_finding", LocationFinding())):
        kinds, _ = experiment_by_name(name).misfits()
        for subjects in kinds.values():
            (design, outcome), *more = histories(task, RandomPolicy(0), subjects, 3, 31)
            assert not more and design.shape == (3, 30, len(task.spec.design_names))
            assert np.isfinite(outcome).all() and outcome.shape == (3, 30, 1)
    assert experiment_by_name("ces").misfits() == ({}, None)


def test_equal_seeds_are_equal_runs():
    task, subjects = Psychometric(), of_the_task(Psychometric())
    first, again, other = (
        next(histories(task, RandomPolicy(0), subjects, 2, 31, seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
