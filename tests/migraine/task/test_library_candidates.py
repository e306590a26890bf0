"""Candidates of an episode: the eligible first, each reveals its own field, padded to the pool."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.migraine.schema.candidates import LIBRARY, RECENT_DAYS
from aline_tf.migraine.schema.channels import FIELD_NAMES
from aline_tf.migraine.task.library_candidates import (
    library_candidates,
    library_designs,
    library_fields,
)

ROWS, SIZE, SEED = 3, len(LIBRARY), (1, 2)
TODAY = tf.constant([0, 3, 6])


def table():
    """[3, RECENT_DAYS, F], every entry different."""
    shape = ROWS, RECENT_DAYS, len(FIELD_NAMES)
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_every_candidate_finds_its_own_field_of_its_own_day():
    found = library_fields(tf.constant(table())).numpy()
    expected = [table()[:, item.days_ago, item.field] for item in LIBRARY]
    np.testing.assert_array_equal(found, np.stack(expected, axis=1))


@pytest.mark.parametrize("count", [4, SIZE + 5])
def test_the_eligible_come_first_and_nothing_else_is_on_offer(count):
    eligible = np.zeros([ROWS, SIZE], bool)
    eligible[0, :2], eligible[2] = True, True
    status = np.where(np.arange(SIZE) % 2, OBSERVED, NO_ANSWER) * np.ones([ROWS, 1], np.int32)
    value = library_fields(tf.constant(table()))
    made = library_candidates(
        SEED, tf.constant(eligible), tf.constant(status, tf.int32), value, TODAY, count
    )
    mask = made["candidate_mask"].numpy()
    assert mask.sum(axis=1).tolist() == [min(2, count), 0, min(SIZE, count)]
    assert (np.diff(mask.astype(int), axis=1) <= 0).all()
    assert made["candidate_status"].shape == (ROWS, count, len(FIELD_NAMES))


def test_a_candidate_reveals_one_field_and_only_where_it_was_observed():
    status = np.resize([OBSERVED, NO_ANSWER, MISSING], [ROWS, SIZE]).astype(np.int32)
    value = library_fields(tf.constant(1.0 + table()))
    everything = tf.ones([ROWS, SIZE], tf.bool)
    made = library_candidates(SEED, everything, tf.constant(status), value, TODAY, SIZE)
    result, revealed = (made[f"candidate_{name}"].numpy() for name in ("status", "outcome"))
    assert ((result != MISSING).sum(axis=2) <= 1).all()
    np.testing.assert_array_equal(revealed != 0.0, result == OBSERVED)
    for row in range(ROWS):
        kept = value.numpy()[row][status[row] == OBSERVED]
        np.testing.assert_array_equal(
            np.sort(revealed[row].sum(axis=1))[-len(kept) :], sorted(kept)
        )
        np.testing.assert_allclose(
            np.sort(made["candidate_cost"].numpy()[row]), sorted(item.cost for item in LIBRARY)
        )


def test_designs_are_those_of_the_library_in_the_order_of_the_choice():
    everything = tf.ones([ROWS, SIZE], tf.bool)
    number = tf.tile(tf.range(SIZE, dtype=tf.float32)[None], [ROWS, 1])
    observed = tf.fill([ROWS, SIZE], OBSERVED)
    made = library_candidates(SEED, everything, observed, number, TODAY, SIZE)
    order = made["candidate_outcome"].numpy().sum(axis=2).astype(int)
    assert (np.sort(order) == np.arange(SIZE)).all()
    whole = library_designs(TODAY).numpy()
    np.testing.assert_allclose(
        made["candidate_design"], np.take_along_axis(whole, order[:, :, None], axis=1), rtol=1e-6
    )
