"""QUEST+ through its package, with our likelihood: against enumeration."""

import sys

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.experiments.psychometric.psychometric_grid import success_probability
from aline_tf.experiments.psychometric.quest_plus import QuestPlusPolicy
from tests.acquisition.batches import batch_of


def enumerated_choice(policy, batch, row):
    """Minimum expected entropy of the joint posterior, written out."""
    theta = np.stack(np.meshgrid(*policy._values, indexing="ij"), -1)
    weights = np.ones(theta.shape[:-1])
    for c in np.flatnonzero(batch["context_mask"][row]):
        p = success_probability(theta, batch["context_design"][row, c, 0])
        weights *= p if batch["context_outcome"][row, c, 0] else 1 - p
    weights /= weights.sum()
    expected = []
    for x in batch["candidate_design"][row, :, 0]:
        yes = success_probability(theta, x)
        total = 0.0
        for likelihood in (yes, 1 - yes):
            joint = weights * likelihood
            posterior = joint / joint.sum()
            total -= joint.sum() * (posterior * np.log(posterior)).sum()
        expected.append(total)
    return np.argmin(np.where(batch["candidate_mask"][row], expected, np.inf))


def test_choice_minimises_the_expected_entropy_of_all_parameters():
    pytest.importorskip("questplus")
    policy, batch = QuestPlusPolicy((5, 4, 3, 3)), batch_of(rows=4)
    expected = [enumerated_choice(policy, batch, row) for row in range(4)]
    np.testing.assert_array_equal(policy.choose(batch), expected)


def test_different_pools_are_refused():
    pytest.importorskip("questplus")
    batch = batch_of(rows=2)
    batch["candidate_design"][1] += 1.0
    with pytest.raises(InputError, match="one pool"):
        QuestPlusPolicy((3, 3, 2, 2)).choose(batch)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "questplus", None)
    with pytest.raises(InputError, match="pip install questplus"):
        QuestPlusPolicy()
