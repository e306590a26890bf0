"""Acquisition policies under comparison: the diary's order, the choice among what is left."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.migraine.evaluation import burden
from aline_tf.migraine.evaluation.acquisition_policies import choose, diary_place, scorer
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.designs import DESIGN_NAMES
from aline_tf.migraine.simulation import cohort

PEOPLE, DAYS, HISTORY = 40, 16, 8


@pytest.fixture(scope="module")
def people():
    return cohort.sample_cohort(seed=3, people=PEOPLE, days=DAYS, first_evening=HISTORY)


def test_the_evening_diary_asks_in_its_order(people):
    episode = burden.evening_episode(people, 9, tf.constant([1, 2]))
    place = diary_place(episode["candidate_design"].numpy())
    assert (np.sort(place, axis=1) == np.arange(len(LIBRARY))).all()
    first = episode["candidate_design"].numpy()[np.arange(PEOPLE), place.argmin(axis=1)]
    assert (first[:, DESIGN_NAMES.index("is_attack")] == 1).all()
    assert (first[:, DESIGN_NAMES.index("slot_3")] == 1).all()


def test_the_best_that_is_left_is_chosen_and_nothing_where_none_is():
    left = np.array([[True, True, True], [True, False, True], [False, False, False]])
    assert choose(np.array([[0.1, 0.9, 0.5]]), left).tolist() == [1, 2, -1]


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="Expected a policy of"):
        scorer("best of all", np.zeros([1, 1, 1]), np.random.default_rng(0))
