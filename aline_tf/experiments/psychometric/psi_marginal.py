"""Psi-marginal: the exact greedy baseline for the psychometric function.

Source: Prins, "The psi-marginal adaptive method", Journal of Vision 13(7), 2013. The next stimulus
is the one with the largest expected information gain about the marginal posterior of the target
parameters, the others integrated out:

    argmax_x  I(y; theta_S | x, D) = H(y | x, D) - E_{theta_S | D} H(y | x, D, theta_S)

computed on a grid, hence exact up to its resolution.
"""

from __future__ import annotations

import numpy as np

from aline_tf.acquisition.policies import Policy, masked_argmax
from aline_tf.experiments.psychometric.psychometric_grid import PsychometricGrid
from aline_tf.experiments.psychometric.trial_history import TrialHistory
from aline_tf.tasks.psychometric import SPEC

# Rows scored together: the arrays [rows, target cells, X] stay in the tens of megabytes.
_ROWS_PER_CHUNK = 16


def binary_entropy(p: np.ndarray) -> np.ndarray:
    """Entropy of a Bernoulli(p) in nats, elementwise; 0 at p = 0 and p = 1."""
    p = np.clip(p, 1e-7, 1.0 - 1e-7)
    return -p * np.log(p) - (1.0 - p) * np.log1p(-p)


def entropy_table(grid: PsychometricGrid, curve: np.ndarray) -> np.ndarray:
    """H(y | x, theta) at every node, [X, n1 * n2 * n3 * n4], for `curve` [X, n1, n2]."""
    p = curve[..., None, None] * grid.one_minus_lapse + grid.guess_times_lapse
    return binary_entropy(p).reshape(len(curve), -1)


def joint_information_gain(
    grid: PsychometricGrid, weights: np.ndarray, curve: np.ndarray, table: np.ndarray
) -> np.ndarray:
    """`information_gain` about all four parameters, with `entropy_table` at hand: [B, X]."""
    rows = len(weights)
    constant = (weights * grid.guess_times_lapse).sum((1, 2, 3, 4))
    slope = (weights * grid.one_minus_lapse).sum((3, 4)).reshape(rows, -1)
    yes = constant[:, None] + slope @ curve.reshape(len(curve), -1).T
    return binary_entropy(yes) - weights.reshape(rows, -1) @ table.T


def information_gain(
    grid: PsychometricGrid, weights: np.ndarray, curve: np.ndarray, target: tuple[bool, ...]
) -> np.ndarray:
    """Expected information gain of each design about the target parameters, in nats.

    Args:
        grid: the grid that `weights` live on.
        weights: [B, n1, n2, n3, n4] posterior weights, each row summing to 1.
        curve: [X, n1, n2], `grid.curve` of the designs.
        target: which of (threshold, slope, guess, lapse) are wanted; at least one.

    Returns:
        Gains [B, X], at least 0 up to rounding.
    """
    # p(y = 1) = guess * lapse + (1 - lapse) F: sum the unwanted of guess and lapse out first.
    unwanted_asymptotes = tuple(axis for axis in (3, 4) if not target[axis - 1])
    constant = (weights * grid.guess_times_lapse).sum(unwanted_asymptotes)
    slope = (weights * grid.one_minus_lapse).sum(unwanted_asymptotes)
    mass = weights.sum(unwanted_asymptotes)
    # Then threshold and slope, where F varies: einsum letters b rows, x designs, ij, kl.
    asymptotes = "".join(letter for letter, t in zip("kl", target[2:], strict=True) if t)
    kept = "".join(letter for letter, t in zip("ij", target[:2], strict=True) if t)
    out = f"b{kept}{asymptotes}"
    joint = np.einsum(f"bij{asymptotes},xij->{out}x", slope, curve, optimize=True)
    joint += np.einsum(f"bij{asymptotes}->{out}", constant)[..., None]
    mass = np.einsum(f"bij{asymptotes}->{out}", mass)
    rows, designs = weights.shape[0], curve.shape[0]
    joint, mass = joint.reshape(rows, -1, designs), mass.reshape(rows, -1)
    conditional = binary_entropy(joint / np.maximum(mass, 1e-30)[..., None])
    return binary_entropy(joint.sum(1)) - np.einsum("ba,bax->bx", mass, conditional)


class PsiMarginalPolicy(Policy):
    """Greedy one-step information gain about the selected parameters, on a grid.

    Reads `context_*`, `theta_mask` and the pool of a psychometric Batch. Posterior weights are
    kept between calls and extended when a row's context extends the one seen before, so that a run
    of T trials costs T updates; any other context is recomputed from the prior.

    Args:
        sizes: grid nodes of threshold, slope, guess, lapse.

    Example:
        >>> from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy
        >>> from aline_tf.experiments.psychometric.runs import simulate_runs, target_mask
        >>> runs = simulate_runs(1, candidates=9, seed=0, horizon=3)
        >>> runs.play(PsiMarginalPolicy((8, 4, 4, 4)), target_mask("slope")).design.shape
        (1, 3, 1)
    """

    name = "psi-marginal"
    spec = SPEC
    reads_known = False

    def __init__(self, sizes: tuple[int, int, int, int] = (32, 16, 10, 8)):
        self.grid = PsychometricGrid(sizes)
        self._history = TrialHistory()
        self._weights: np.ndarray | None = None
        # F over the pool last seen and, once all four parameters are wanted, its entropies.
        self._pool = self._curve = self._table = None

    def _choose(self, batch, mask):
        self._condition(batch)
        targets = np.asarray(batch["theta_mask"], bool)
        pools = np.asarray(batch["candidate_design"])[..., 0]
        chosen = np.zeros(len(mask), np.int64)
        shared = (pools == pools[:1]).all()
        for target in np.unique(targets, axis=0):
            rows = np.flatnonzero((targets == target).all(1))
            size = _ROWS_PER_CHUNK if shared else 1
            for start in range(0, len(rows), size):
                chunk = rows[start : start + size]
                gain = self._gain(self._weights[chunk], pools[chunk[0]], tuple(target.tolist()))
                chosen[chunk] = masked_argmax(gain, mask[chunk])
        return chosen

    def _gain(self, weights, pool, target):
        """Gains [B, N] of one pool [N] for rows with these weights."""
        if not np.array_equal(pool, self._pool):
            self._pool, self._curve, self._table = pool.copy(), self.grid.curve(pool), None
        if not all(target):
            return information_gain(self.grid, weights, self._curve, target)
        if self._table is None:
            self._table = entropy_table(self.grid, self._curve)
        return joint_information_gain(self.grid, weights, self._curve, self._table)

    def _condition(self, batch) -> None:
        """Brings the weights to the posterior of the batch's context."""
        fresh, trials = self._history.extend(batch)
        if fresh or self._weights is None:
            self._weights = self.grid.prior(len(batch["context_mask"]))
        for trial in trials:
            self.grid.update(self._weights, trial.design, trial.outcome, trial.rows)
