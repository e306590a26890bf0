"""Histories that nobody played: valid, of every length, and of designs far and near."""

import numpy as np
import pytest

from aline_tf import draws
from aline_tf.batch import EPISODE_FIELDS, check
from aline_tf.tasks.psychometric import Psychometric, response_probability
from aline_tf.tasks.random_histories import random_histories

ROWS, LONGEST = 400, 40


@pytest.fixture(scope="module")
def state():
    task = Psychometric()
    made = random_histories(task, draws.as_seed(3), ROWS, LONGEST, pool=200, candidates=12)
    return {name: np.asarray(array) for name, array in made.items()}


def test_they_are_episodes_of_the_task(state):
    check(state, Psychometric.spec, EPISODE_FIELDS)
    assert state["context_mask"].shape == (ROWS, LONGEST)
    assert state["candidate_mask"].shape == (ROWS, 12)
    assert state["candidate_mask"].all()


def test_every_length_is_met(state):
    length = state["context_mask"].sum(axis=1)
    assert length.min() == 0 and length.max() == LONGEST
    assert 0.4 < np.mean(length <= LONGEST / 4) < 0.6


def test_some_rows_are_spread_and_some_are_crowded(state):
    mask = state["context_mask"]
    long = np.flatnonzero(mask.sum(axis=1) >= 20)
    spread = [state["context_design"][row, mask[row], 0].std() for row in long]
    assert np.min(spread) < 0.8 and np.max(spread) > 2.5


def test_designs_know_nothing_that_the_answers_do_not_tell(state):
    """Answers have the chances that the parameters give them, wherever designs lie; and designs
    are as far from the thresholds of others as from that of their own row."""
    mask = state["context_mask"]
    design, answer = state["context_design"][..., 0], state["context_outcome"][..., 0]
    chance = response_probability(state["theta"][:, None], design).numpy()
    error = (answer - chance)[mask]
    assert abs(error.mean()) < 4 * np.sqrt((chance * (1 - chance))[mask].sum()) / mask.sum()
    threshold = state["theta"][:, :1]
    own = np.abs(design - threshold)[mask].mean()
    others = np.mean(
        [np.abs(design - np.roll(threshold, shift, axis=0))[mask].mean() for shift in range(1, 40)]
    )
    assert abs(own - others) < 0.15
