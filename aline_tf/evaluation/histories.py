"""Simulated runs of a task whose simulator is at hand, and what each policy collects in them.

Every policy meets the same parameters and the same pools; the noise of step t is the same for
everybody, too. Runs are simulated in groups of a fixed size, so that pools of thousands of
candidates fit in memory.

Sizes: R runs, T steps, N candidates, D, F and P of the task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.evaluation.network_posterior import NetworkPosterior
from aline_tf.evaluation.psychometric import Estimates

_RUNS_AT_ONCE = 64
_THETA, _POOL, _NOISE = range(3)


@dataclass(frozen=True)
class Histories:
    """What was asked and heard: `design` [R, T, D], `outcome` [R, T, F]; `theta` [R, P]."""

    theta: np.ndarray
    design: np.ndarray
    outcome: np.ndarray


class Worlds:
    """R simulated runs: parameters from the prior and a pool for each.

    Args:
        task: a `Task`.
        runs: R.
        candidates: N.
        seed: equal seeds give equal parameters, pools and noise; another number of runs or
            candidates leaves the parameters and the noise of the runs in common as they are.
        horizon: T; the task's when None.

    Raises:
        InputError: no runs, or fewer candidates than steps.
    """

    def __init__(self, task, runs: int, candidates: int, seed: int, horizon: int | None = None):
        import tensorflow as tf

        self.task = task
        self.runs = runs
        self.candidates = candidates
        self.horizon = horizon or task.spec.horizon
        if runs < 1:
            raise InputError(f"expected at least 1 run; received {runs}")
        if candidates < self.horizon:
            raise InputError(
                f"expected a pool of at least {self.horizon} candidates, one for each step; "
                f"received {candidates}"
            )
        self._seed = seed
        self._simulate = tf.function(task.simulate, reduce_retracing=True)
        groups = -(-runs // _RUNS_AT_ONCE)
        drawn = [task.sample_theta(self._key(g, _THETA), _RUNS_AT_ONCE) for g in range(groups)]
        self.theta = np.concatenate(drawn)[:runs]

    def _key(self, group: int, stream: int, step: int = 0):
        from aline_tf import draws

        return draws.fold_in(draws.fold_in(draws.as_seed([self._seed, group]), stream), step)

    def play(self, policy: Policy, report: Callable[[int], None] = lambda done: None) -> Histories:
        """Lets a policy, after all parameters, choose T designs in every run, each at most once.

        Args:
            report: called with the number of finished runs.
        """
        parts = []
        for group, start in enumerate(range(0, self.runs, _RUNS_AT_ONCE)):
            parts.append(self._play_group(policy, group, self.theta[start : start + _RUNS_AT_ONCE]))
            report(start + len(parts[-1][0]))
        design, outcome = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Histories(self.theta, design, outcome)

    def _play_group(self, policy, group, theta):
        # Whole groups are drawn and then cut, so that the number of runs changes no draw.
        theta = np.concatenate([theta, np.repeat(theta[:1], _RUNS_AT_ONCE - len(theta), 0)])
        count = len(self.theta[group * _RUNS_AT_ONCE :][:_RUNS_AT_ONCE])
        pool = self.task.sample_designs(self._key(group, _POOL), _RUNS_AT_ONCE, self.candidates)
        sizes = self.task.spec.sizes | {"B": count, "C": self.horizon, "N": self.candidates}
        batch = empty_batch(sizes)
        batch["candidate_design"][:] = pool[:count]
        batch["candidate_mask"][:] = True
        batch["theta_mask"][:] = True
        rows = np.arange(count)
        chosen = np.zeros((_RUNS_AT_ONCE, 1, sizes["D"]), np.float32)
        for t in range(self.horizon):
            index = policy.choose(batch)
            chosen[:count, 0] = batch["candidate_design"][rows, index]
            outcome = self._simulate(theta, chosen, self._key(group, _NOISE, t))
            batch["candidate_mask"][rows, index] = False
            batch["context_design"][:, t] = chosen[:count, 0]
            batch["context_outcome"][:, t] = outcome[:count, 0]
            batch["context_status"][:, t] = OBSERVED
            batch["context_mask"][:, t] = True
        return batch["context_design"], batch["context_outcome"]


def network_estimates(
    network: NetworkPosterior, spec, histories: Histories, steps: Sequence[int]
) -> Estimates:
    """Summaries of the network's posterior after each of `steps` outcomes, all parameters wanted.

    Returns:
        Estimates whose arrays are [R, K, P].
    """
    runs, horizon = histories.design.shape[:2]
    parts = []
    for step in steps:
        found = []
        for start in range(0, runs, _RUNS_AT_ONCE):
            rows = slice(start, min(start + _RUNS_AT_ONCE, runs))
            # A pool of one, because a batch without any candidate is met by no policy.
            sizes = spec.sizes | {"B": rows.stop - start, "C": horizon, "N": 1}
            batch = empty_batch(sizes)
            batch["context_design"][:] = histories.design[rows]
            batch["context_outcome"][:] = histories.outcome[rows]
            batch["context_status"][:] = OBSERVED
            batch["context_mask"][:, :step] = True
            batch["theta_mask"][:] = True
            batch["candidate_mask"][:] = True
            found.append(network.estimate(batch, histories.theta[rows]))
        parts.append([np.concatenate(part) for part in zip(*found, strict=True)])
    return Estimates(*(np.stack(part, axis=1) for part in zip(*parts, strict=True)))
