"""Which trials count as new."""

import numpy as np

from aline_tf.batch import NO_ANSWER
from aline_tf.experiments.psychometric.trial_history import TrialHistory
from tests.acquisition.batches import batch_of


def test_a_longer_context_brings_its_new_trials_only():
    history = TrialHistory()
    batch = batch_of(rows=2, trials=3)
    batch["context_mask"][:, 2] = False
    fresh, trials = history.extend(batch)
    assert fresh
    assert [trial.rows.tolist() for trial in trials] == [[True, True]] * 2
    batch["context_mask"][1, 2] = True
    fresh, trials = history.extend(batch)
    (trial,) = trials
    assert not fresh
    assert trial.rows.tolist() == [False, True]
    np.testing.assert_allclose(trial.design, batch["context_design"][:, 2, 0])


def test_any_change_to_the_past_starts_again():
    for change in ("context_outcome", "context_mask"):
        history = TrialHistory()
        batch = batch_of(rows=2, trials=3)
        history.extend(batch)
        batch[change] = batch[change].copy()
        batch[change][0, 1] = 0 if change == "context_mask" else 1 - batch[change][0, 1]
        fresh, trials = history.extend(batch)
        assert fresh
        assert sum(trial.rows.sum() for trial in trials) == (5 if change == "context_mask" else 6)


def test_a_question_without_an_answer_says_nothing():
    batch = batch_of(rows=1, trials=2)
    batch["context_status"][0, 1] = NO_ANSWER
    _, trials = TrialHistory().extend(batch)
    assert len(list(trials)) == 1
