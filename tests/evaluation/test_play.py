"""The acquisition loop: what a policy sees, what is revealed, what stays as it was."""

import numpy as np
import pytest

from aline_tf.acquisition.policies import Policy
from aline_tf.batch import BATCH_FIELDS, MISSING, OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.evaluation.play import play, play_through

SIZES = {"B": 2, "C": 1, "D": 1, "F": 2, "P": 1, "N": 4}


class Last(Policy):
    """The last candidate left; keeps what it was shown."""

    def __init__(self):
        self.seen = []

    def _choose(self, batch, mask):
        self.seen.append(dict(batch))
        return mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)


def pool(**sizes):
    batch = empty_batch(SIZES | sizes)
    batch["candidate_design"][..., 0] = np.arange(SIZES["N"])
    batch["candidate_mask"][:] = True
    return batch


def test_what_is_chosen_is_revealed_appended_and_masked():
    policy, batch = Last(), pool()
    states = list(play(policy, batch, lambda t, index: np.full((2, 2), 10.0 * t), 3, first=1))
    assert len(states) == 4 and not batch["context_mask"].any() and batch["candidate_mask"].all()
    last = states[-1]
    np.testing.assert_array_equal(last["context_mask"], [[False, True, True, True]] * 2)
    np.testing.assert_array_equal(last["context_design"][0, 1:, 0], [3, 2, 1])
    np.testing.assert_array_equal(last["context_outcome"][1, 1:, 1], [0, 10, 20])
    np.testing.assert_array_equal(last["context_status"][0, 1:], OBSERVED)
    np.testing.assert_array_equal(last["candidate_mask"][0], [True, False, False, False])
    assert [seen["context_mask"].sum() for seen in policy.seen] == [0, 2, 4]


def test_the_caller_may_change_what_the_policy_sees_next():
    policy = Last()
    for t, state in enumerate(play(policy, pool(), lambda t, index: np.zeros((2, 2)), 2)):
        state["theta_mask"] = np.full((2, 1), t == 1)
    assert [bool(seen["theta_mask"].all()) for seen in policy.seen] == [False, True]


def test_a_candidate_may_be_chosen_again_where_that_is_allowed():
    last = play_through(Last(), pool(), lambda t, index: np.zeros((2, 2)), 6, replace=True)
    np.testing.assert_array_equal(last["context_design"][..., 0], 3.0)


def test_a_recorded_pool_reveals_its_own_outcomes_and_hides_them_from_the_policy():
    policy = Last()
    episode = pool(C=0) | {
        "candidate_outcome": np.arange(16.0).reshape(2, 4, 2),
        "candidate_status": np.full((2, 4, 2), OBSERVED),
        "theta": np.ones((2, 1)),
    }
    episode["candidate_status"][:, 3, 1] = MISSING
    last = play_through(policy, episode, None, 2)
    np.testing.assert_array_equal(last["context_outcome"][0], [[6, 7], [4, 5]])
    assert last["context_status"][0, 0, 1] == MISSING
    assert all(set(seen) <= set(BATCH_FIELDS) for seen in policy.seen)


def test_an_empty_pool_is_refused():
    with pytest.raises(InputError, match="at least one allowed candidate"):
        play_through(Last(), pool(), lambda t, index: np.zeros((2, 2)), 5)
