"""Information gains against enumeration, for every set of targets."""

import itertools

import numpy as np
import pytest

from aline_tf.experiments.psychometric.psi_marginal import (
    PsiMarginalPolicy,
    binary_entropy,
    entropy_table,
    information_gain,
    joint_information_gain,
)
from aline_tf.experiments.psychometric.psychometric_grid import (
    PsychometricGrid,
    success_probability,
)
from tests.acquisition.batches import batch_of

GRID = PsychometricGrid((5, 4, 3, 3), dtype=np.float64)
DESIGNS = np.linspace(-5, 5, 7)
TARGETS = [t for t in itertools.product((False, True), repeat=4) if any(t)]


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(4)
    values = rng.random((3, *GRID.shape)) ** 4
    return values / values.sum((1, 2, 3, 4), keepdims=True)


def enumerated_gain(weights, target):
    """H(y) - H(y | theta_S) from the full table of joint probabilities."""
    nodes = np.stack(np.meshgrid(*(a.nodes for a in GRID.axes), indexing="ij"), -1)
    p = success_probability(nodes, DESIGNS[:, None, None, None, None])
    yes = weights[:, None] * p
    unwanted = tuple(axis + 2 for axis in range(4) if not target[axis])
    joint = yes.sum(unwanted, keepdims=True)
    mass = np.broadcast_to(weights[:, None], yes.shape).sum(unwanted, keepdims=True)
    conditional = (mass * binary_entropy(joint / mass)).sum((2, 3, 4, 5))
    return binary_entropy(yes.sum((2, 3, 4, 5))) - conditional


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: "".join("01"[x] for x in t))
def test_gain_is_the_enumerated_mutual_information(weights, target):
    gain = information_gain(GRID, weights, GRID.curve(DESIGNS), target)
    np.testing.assert_allclose(gain, enumerated_gain(weights, target), atol=1e-10)
    assert (gain > -1e-10).all()


def test_more_targets_are_never_less_informed(weights):
    curve = GRID.curve(DESIGNS)
    pair = information_gain(GRID, weights, curve, (True, True, False, False))
    every = information_gain(GRID, weights, curve, (True,) * 4)
    assert (every - pair > -1e-10).all()


def test_the_table_of_entropies_gives_the_gain_about_all_four(weights):
    curve = GRID.curve(DESIGNS)
    fast = joint_information_gain(GRID, weights, curve, entropy_table(GRID, curve))
    np.testing.assert_allclose(fast, enumerated_gain(weights, (True,) * 4), atol=1e-10)


def test_policy_serves_mixed_targets_and_pools_as_single_rows_would():
    batch = batch_of(rows=4)
    batch["theta_mask"][:] = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]]
    batch["candidate_design"] += np.linspace(0, 1, 4, dtype=np.float32)[:, None, None]
    together = PsiMarginalPolicy((8, 6, 4, 4)).choose(batch)
    alone = [
        PsiMarginalPolicy((8, 6, 4, 4)).choose({k: v[i : i + 1] for k, v in batch.items()})[0]
        for i in range(4)
    ]
    np.testing.assert_array_equal(together, alone)


def test_a_growing_context_gives_what_a_fresh_policy_gives():
    batch = batch_of(rows=3, trials=5)
    grown = PsiMarginalPolicy((8, 6, 4, 4))
    for step in range(6):
        batch["context_mask"][:] = np.arange(6) < step
        fresh = PsiMarginalPolicy((8, 6, 4, 4))
        np.testing.assert_array_equal(grown.choose(batch), fresh.choose(batch))
        np.testing.assert_allclose(grown._weights, fresh._weights, atol=1e-6)
