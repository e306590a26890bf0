"""PolicyRuns of a policy: the same runs whatever is asked of them, beginnings of one another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.acquisition.policies import Policy, RandomPolicy
from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.evaluation.promises import PolicyRuns
from aline_tf.evaluation.promises.policy_runs import refused
from aline_tf.tasks import GP1D, Psychometric


def histories(**changes):
    settings = {"runs": 5, "candidates": 40, "seed": 7, "longest": 20} | changes
    return PolicyRuns(Psychometric(), RandomPolicy(0), **settings)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(trials=st.integers(0, 20))
def test_a_shorter_history_is_the_beginning_of_a_longer_one(trials):
    found = histories()
    short, long = found.after(trials), found.after(20)
    for name in ("design", "outcome", "status"):
        assert np.array_equal(short[f"context_{name}"], long[f"context_{name}"][:, :trials])
    assert (short["context_mask"].sum(1) == trials).all()
    # What was taken later is still in the pool, and nothing that was taken before.
    assert (short["candidate_mask"].sum(1) == 40 - trials).all()
    left = [
        set(d[m, 0])
        for d, m in zip(short["candidate_design"], short["candidate_mask"], strict=True)
    ]
    for row, places in enumerate(left):
        assert not places & set(short["context_design"][row, :, 0])


def test_parameters_do_not_depend_on_pools_or_on_how_many_runs_there_are():
    first, second = histories(), histories(candidates=30, runs=3)
    assert np.array_equal(first.theta[:3], second.theta)
    assert np.array_equal(first.episode(35)["theta"], first.theta.astype(np.float32))
    assert not np.array_equal(first.theta, histories(seed=8).theta)


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_answers_are_missing_at_the_rate_asked_for(share):
    status = histories(runs=60).after(20, share)["context_status"]
    assert set(np.unique(status)) == {OBSERVED, NO_ANSWER}
    assert (status == NO_ANSWER).mean() == pytest.approx(share, abs=0.05)


def test_refusals_tell_nothing():
    batch = refused(histories().after(4))
    assert (batch["context_status"] == NO_ANSWER).all()
    assert not batch["context_outcome"].any()


def test_the_policy_is_shown_a_few_of_the_pool_and_no_padding():
    seen = []

    class Records(Policy):
        def _choose(self, batch, mask):
            seen.append((mask.shape[1], batch["context_mask"].shape[1], bool(mask.all())))
            return np.zeros(len(mask), int)

    found = PolicyRuns(Psychometric(), Records(), runs=2, candidates=90, seed=0)
    found.after(20)
    assert {pool for pool, _, _ in seen} == {32}
    assert all(allowed for _, _, allowed in seen)
    assert [context for _, context, _ in seen] == [0] + [16] * 16 + [20] * 3


def test_a_task_that_begins_with_an_observation_keeps_it():
    found = PolicyRuns(GP1D(), RandomPolicy(0), runs=2, candidates=6, seed=0)
    assert (found.after(3)["context_mask"].sum(1) == 4).all()
    assert (found.after(0)["context_mask"].sum(1) == 1).all()
