"""People seen evening by evening: what is on record stays, and nothing of the future is."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch import MISSING, OBSERVED
from aline_tf.migraine.evaluation import burden
from aline_tf.migraine.schema.channels import FIELD_INDEX
from aline_tf.migraine.simulation import cohort
from aline_tf.migraine.simulation.recording import SLOT_DIARY
from aline_tf.migraine.task.simulated import MigraineTask

PEOPLE, DAYS, HISTORY = 40, 16, 8


@pytest.fixture(scope="module")
def people():
    return cohort.sample_cohort(seed=3, people=PEOPLE, days=DAYS, first_evening=HISTORY)


def test_records_do_not_depend_on_what_happens_later(people):
    evening = 11
    world = dict(people.world)
    for name in ("value", "status_if_tried", "attack"):
        later = tf.concat([world[name][:, :evening], 1 - world[name][:, evening:]], axis=1)
        world[name] = later
    changed = dataclasses.replace(people, world=world)
    for before, after in zip(people.records(evening), changed.records(evening), strict=True):
        np.testing.assert_array_equal(before, after)


def test_what_is_on_record_once_stays_on_record(people):
    earlier, later = people.records(10), people.records(15)
    known = earlier[1] != MISSING
    np.testing.assert_array_equal(later[1][:, :10][known], earlier[1][known])
    np.testing.assert_array_equal(later[0][:, :10][known], earlier[0][known])
    assert known.mean() > 0.05


def test_nothing_new_appears_about_days_long_past(people):
    settled = 10 - 3
    earlier, later = people.records(10), people.records(15)
    np.testing.assert_array_equal(later[1][:, :settled], earlier[1][:, :settled])


def test_full_records_hold_nearly_everything_but_what_nobody_can_know(people):
    mixed, full = people.records(12)[1], people.with_full_records().records(12)[1]
    attacks = [FIELD_INDEX[f"attack_{slot}"] for slot in range(4)]
    earlier = slice(0, 9)
    assert (mixed[:, earlier][:, :, attacks] == OBSERVED).mean() < 0.6
    assert (full[:, earlier][:, :, attacks] == OBSERVED).mean() > 0.75
    assert (full[:, earlier][:, :, FIELD_INDEX["ln_rmssd"]] == OBSERVED).mean() > 0.75
    # The evening under way was asked about too, which mixed records leave to a question now.
    assert (full[:, -1, attacks[-1]] == OBSERVED).mean() > 0.5
    of_slots = np.asarray(people.recording["style"]) == SLOT_DIARY
    assert not (mixed[of_slots, -1, attacks[-1]] == OBSERVED).any()


def test_everybody_who_records_has_begun_by_the_first_evening(people):
    begun = np.asarray(people.recording["diary_start"]) * people.first_evening
    assert begun.max() <= people.first_evening


def test_people_are_not_those_of_training(people):
    trained = MigraineTask(days=8).sample_episodes(tf.constant([3, 0]), PEOPLE, 4)["theta"]
    assert not np.isin(people.world["theta"], trained)[:, 0].any()
    other = cohort.sample_cohort(seed=4, people=PEOPLE, days=DAYS, first_evening=HISTORY)
    assert not np.isin(people.world["theta"], other.world["theta"])[:, 0].any()


def test_what_followed_is_the_next_day_and_the_next_two(people):
    attack = people.world["attack"].numpy().max(axis=2)
    followed = people.followed(DAYS)
    np.testing.assert_array_equal(followed[:, 0], attack[:, DAYS] > 0)
    np.testing.assert_array_equal(followed[:, 1], attack[:, DAYS : DAYS + 2].max(axis=1) > 0)


def test_a_batch_is_what_training_shows_of_the_same_evening(people):
    batch = people.batch(9)
    episode = burden.evening_episode(people, 9, tf.constant([1, 2]))
    np.testing.assert_allclose(batch["target_design"], episode["target_design"], atol=1e-6)
    np.testing.assert_allclose(batch["context_design"], episode["context_design"], atol=1e-6)
    np.testing.assert_array_equal(people.followed(9), episode["target_outcome"].numpy() > 0.5)
    assert not batch["context_outcome"][batch["context_status"] != OBSERVED].any()


def test_groups_of_a_kind_share_out_everybody(people):
    groups = people.groups()
    for kind in ("sex", "cycling", "days a month", "diary", "wearable"):
        parts = [members for name, members in groups.items() if name.startswith(f"{kind}:")]
        np.testing.assert_array_equal(np.sum(parts, axis=0), np.ones(PEOPLE))


def test_a_cohort_refuses_impossible_days():
    with pytest.raises(ValueError, match="first_evening"):
        cohort.sample_cohort(seed=0, people=2, days=10, first_evening=11)
    with pytest.raises(ValueError, match="112"):
        cohort.sample_cohort(seed=0, people=2, days=113, first_evening=11)
