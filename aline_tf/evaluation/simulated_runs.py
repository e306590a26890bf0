"""Simulated runs of a task whose simulator is at hand, and what each policy collects in them.

Every policy meets the same parameters and the same pools; the noise of step t is the same for
everybody, too. Runs are simulated in groups of a fixed size, so that pools of thousands of
candidates fit in memory.

Sizes: R runs, T steps, N candidates, K reported steps, M predicted outcomes, D, F and P of the
task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.evaluation.network_posterior import NetworkPosterior, NetworkPrediction
from aline_tf.evaluation.posterior_rows import Estimates

#: M, outcomes predicted in each run.
INPUTS = 8
_RUNS_AT_ONCE = 64
_THETA, _POOL, _NOISE, _INPUTS, _ANSWERS = range(5)


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
            parts.append(self._play_group(policy, group, min(self.runs - start, _RUNS_AT_ONCE)))
            report(start + len(parts[-1][0]))
        design, outcome = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Histories(self.theta, design, outcome)

    def unseen(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Designs [R, M, D] that nobody chose and their outcomes [R, M], of the spec's first
        outcome channel: a binary one of a field that is none says whether that is above zero."""
        found = []
        for group in range(-(-self.runs // _RUNS_AT_ONCE)):
            theta = self._whole_group(group)
            inputs, answers = self._key(group, _INPUTS), self._key(group, _ANSWERS)
            design = self.task.sample_designs(inputs, _RUNS_AT_ONCE, count)
            found.append((design, self._simulate(theta, design, answers)[..., 0]))
        design, outcome = (np.concatenate(part)[: self.runs] for part in zip(*found, strict=True))
        spec = self.task.spec
        if spec.outcomes[0].kind == "binary" and spec.fields[0].kind != "binary":
            outcome = (outcome > 0.0).astype(np.float32)
        return design, outcome

    def _whole_group(self, group):
        """Parameters of a group, filled up: whole groups are drawn and then cut, so that the number
        of runs changes no draw."""
        theta = self.theta[group * _RUNS_AT_ONCE :][:_RUNS_AT_ONCE]
        return np.concatenate([theta, np.repeat(theta[:1], _RUNS_AT_ONCE - len(theta), 0)])

    def _play_group(self, policy, group, count):
        theta = self._whole_group(group)
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
    return _by_step(
        histories,
        steps,
        lambda step, rows: network.estimate(
            context_batch(spec, histories, step, rows), histories.theta[rows]
        ),
    )


def network_predictions(
    network: NetworkPrediction, worlds: Worlds, histories: Histories, steps: Sequence[int]
) -> tuple[Estimates, np.ndarray]:
    """Predictions of outcomes not yet seen, at designs drawn for each run.

    Returns:
        Estimates whose arrays are [R, K, M], and the outcomes [R, M].
    """
    design, outcome = worlds.unseen(INPUTS)

    def estimate(step, rows):
        batch = context_batch(worlds.task.spec, histories, step, rows)
        batch["target_design"] = design[rows]
        batch["target_mask"] = np.zeros(outcome[rows].shape, bool)
        return network.estimate(batch, outcome[rows])

    return _by_step(histories, steps, estimate), outcome


def context_batch(spec, histories: Histories, step: int, rows: slice) -> dict:
    """The Batch of runs `rows` after `step` outcomes, with room for all T and a pool of one,
    because a batch without any candidate is met by no policy."""
    design = histories.design[rows]
    batch = empty_batch(spec.sizes | {"B": len(design), "C": design.shape[1], "N": 1})
    batch["context_design"][:] = design
    batch["context_outcome"][:] = histories.outcome[rows]
    batch["context_status"][:] = OBSERVED
    batch["context_mask"][:, :step] = True
    batch["theta_mask"][:] = True
    batch["candidate_mask"][:] = True
    return batch


def _by_step(histories, steps, estimate) -> Estimates:
    """Estimates from `estimate(step, rows)`, a few runs at a time."""
    runs, parts = len(histories.theta), []
    for step in steps:
        groups = [
            estimate(step, slice(start, min(start + _RUNS_AT_ONCE, runs)))
            for start in range(0, runs, _RUNS_AT_ONCE)
        ]
        parts.append([np.concatenate(part) for part in zip(*groups, strict=True)])
    return Estimates(*(np.stack(part, axis=1) for part in zip(*parts, strict=True)))
