"""The best of the policy's proposals, for many people at once."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.batch import OBSERVED
from aline_tf.migraine.evaluation import prompting, shortlist
from aline_tf.migraine.evaluation.shortlist import best_proposals
from aline_tf.migraine.simulation.cohort import sample_cohort

PEOPLE, DAYS = 5, 17


@pytest.fixture(scope="module")
def batch():
    cohort = sample_cohort(3, PEOPLE, DAYS, prompting.RUN_IN)
    left = np.ones([PEOPLE, len(prompting.PROMPTS)], bool)
    return prompting._with_prompts(cohort, DAYS, cohort.records(DAYS), left, None)


def gains_by(field):
    """Stands in for the look-ahead: the lower the field that a candidate fills, the better."""
    seen = []

    def gain(model, state, tried, seed, cost_weight=0.0):
        assert not np.asarray(state["context_mask"])[:, -1].any(), (
            "room for the answer that is tried"
        )
        status = np.take_along_axis(state["candidate_status"], tried[..., None], axis=1)
        assert (status.sum(axis=2) == OBSERVED).all()
        np.testing.assert_array_equal(status.argmax(axis=2), field[tried])
        seen.append(len(tried))
        return tf.constant(-field[tried], tf.float32)

    return gain, seen


def test_the_one_that_tells_most_among_what_the_policy_likes(compiled_model, batch, monkeypatch):
    gain, seen = gains_by(prompting._FIELD)
    monkeypatch.setattr(shortlist, "look_ahead_gain", gain)
    monkeypatch.setattr(shortlist, "_TRIED_AT_ONCE", 2 * shortlist.PROPOSALS)
    chosen = best_proposals(compiled_model, batch, prompting._FIELD)
    assert seen == [2, 2, 1]
    score = shortlist.batch_ops.map_rows(compiled_model, batch)["candidate_logits"]
    for row in range(PEOPLE):
        liked = np.argsort(-score[row])[: shortlist.PROPOSALS]
        assert chosen[row] in liked
        assert prompting._FIELD[chosen[row]] == prompting._FIELD[liked].min()
    everything = best_proposals(compiled_model, batch, prompting._FIELD, len(prompting._FIELD))
    assert (prompting._FIELD[everything] == prompting._FIELD.min()).all()


def test_nothing_is_proposed_that_cannot_be_asked(compiled_model, batch):
    allowed = np.zeros_like(batch["candidate_mask"])
    allowed[np.arange(PEOPLE), np.arange(PEOPLE)] = True
    chosen = best_proposals(compiled_model, batch | {"candidate_mask": allowed}, prompting._FIELD)
    np.testing.assert_array_equal(chosen, np.arange(PEOPLE))


def test_equal_histories_give_equal_choices(compiled_model, batch):
    chosen = best_proposals(compiled_model, batch, prompting._FIELD)
    np.testing.assert_array_equal(best_proposals(compiled_model, batch, prompting._FIELD), chosen)


def test_for_a_price_nobody_is_asked_what_does_not_tell_as_much(compiled_model, batch, monkeypatch):
    def gain(model, state, tried, seed, cost_weight=0.0):
        row = np.arange(len(tried))[:, None]
        return tf.constant(0.01 * row - 0.001 * prompting._FIELD[tried], tf.float32)

    monkeypatch.setattr(shortlist, "look_ahead_gain", gain)
    free = best_proposals(compiled_model, batch, prompting._FIELD, cost_weight=-1.0)
    worth = 0.01 * np.arange(PEOPLE) - 0.001 * prompting._FIELD[free]
    cost_weight = float(np.median(worth))
    priced = best_proposals(compiled_model, batch, prompting._FIELD, cost_weight=cost_weight - 1e-6)
    np.testing.assert_array_equal(priced, np.where(worth >= cost_weight - 1e-6, free, -1))
    assert 0 < (priced >= 0).sum() < PEOPLE
