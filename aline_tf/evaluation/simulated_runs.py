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

from aline_tf import batch_ops
from aline_tf.acquisition.policies import Policy
from aline_tf.batch import empty_batch
from aline_tf.errors import InputError
from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.model_posterior import ModelPosterior, ModelPrediction
from aline_tf.evaluation.play import play_through

#: M, outcomes predicted in each run.
INPUTS = 8
_RUNS_AT_ONCE = 64
_THETA, _POOL, _NOISE, _INPUTS, _OUTCOMES = range(5)


@dataclass(frozen=True)
class RunData:
    """What R runs acquired.

    Attributes:
        theta: [R, P], the parameters that made them.
        design: [R, T, D], chosen.
        outcome: [R, T, F], observed.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation import RunData
        >>> data = RunData(np.zeros((2, 4)), np.zeros((2, 30, 1)), np.zeros((2, 30, 1)))
        >>> data.horizon
        30
    """

    theta: np.ndarray
    design: np.ndarray
    outcome: np.ndarray

    @property
    def horizon(self) -> int:
        """T."""
        return self.design.shape[1]


class SimulatedRuns:
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

    Example:
        >>> from aline_tf.acquisition import RandomPolicy
        >>> from aline_tf.evaluation import SimulatedRuns
        >>> from aline_tf.tasks import LocationFinding
        >>> runs = SimulatedRuns(LocationFinding(), runs=2, candidates=5, seed=0, horizon=3)
        >>> runs.play(RandomPolicy(0)).design.shape
        (2, 3, 2)
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

    def play(self, policy: Policy, report: Callable[[int], None] = lambda done: None) -> RunData:
        """Lets a policy, after all parameters, choose T designs in every run, each at most once.

        Args:
            report: called with the number of finished runs.
        """
        parts = []
        for group, start in enumerate(range(0, self.runs, _RUNS_AT_ONCE)):
            parts.append(self._play_group(policy, group, min(self.runs - start, _RUNS_AT_ONCE)))
            report(start + len(parts[-1][0]))
        design, outcome = (np.concatenate(part) for part in zip(*parts, strict=True))
        return RunData(self.theta, design, outcome)

    def unseen(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Designs [R, M, D] that no policy chose and their outcomes [R, M], of the spec's first
        outcome channel: a binary one of a field that is none says whether that is above zero."""
        found = []
        for group in range(-(-self.runs // _RUNS_AT_ONCE)):
            theta = self._whole_group(group)
            inputs, outcomes = self._key(group, _INPUTS), self._key(group, _OUTCOMES)
            design = self.task.sample_designs(inputs, _RUNS_AT_ONCE, count)
            found.append((design, self._simulate(theta, design, outcomes)[..., 0]))
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
        chosen = np.zeros((_RUNS_AT_ONCE, 1, sizes["D"]), np.float32)

        def reveal(t, index):
            chosen[:count, 0] = batch["candidate_design"][np.arange(count), index]
            return self._simulate(theta, chosen, self._key(group, _NOISE, t))[:count, 0]

        last = play_through(policy, batch, reveal, self.horizon)
        return last["context_design"], last["context_outcome"]


def model_estimates(
    posterior: ModelPosterior, spec, data: RunData, steps: Sequence[int]
) -> Estimates:
    """Summaries of the model's posterior after each of `steps` outcomes, all parameters selected.

    Returns:
        Estimates whose arrays are [R, K, P].
    """
    return _by_step(
        data,
        steps,
        lambda step, rows: posterior.estimate(
            context_batch(spec, data, step, rows), data.theta[rows]
        ),
    )


def model_predictions(
    prediction: ModelPrediction, runs: SimulatedRuns, data: RunData, steps: Sequence[int]
) -> tuple[Estimates, np.ndarray]:
    """Predictions of outcomes not yet seen, at designs drawn for each run.

    Returns:
        Estimates whose arrays are [R, K, M], and the outcomes [R, M].
    """
    design, outcome = runs.unseen(INPUTS)

    def estimate(step, rows):
        batch = context_batch(runs.task.spec, data, step, rows)
        batch = batch_ops.outcomes_at(batch, design[rows])
        return prediction.estimate(batch, outcome[rows])

    return _by_step(data, steps, estimate), outcome


def context_batch(spec, data: RunData, step: int, rows: slice = slice(None)) -> dict:
    """The Batch of runs `rows` after `step` outcomes, with room for all T and a pool of one,
    because a batch without any candidate is met by no policy.

    Args:
        spec: of the task.
        data: R runs.
        step: in 0..T.
        rows: which of the runs.
    """
    sizes = spec.sizes | {"N": 1}
    batch = batch_ops.from_history(sizes, data.design[rows], data.outcome[rows], step)
    batch["theta_mask"][:] = True
    batch["candidate_mask"][:] = True
    return batch


def _by_step(data, steps, estimate) -> Estimates:
    """Estimates from `estimate(step, rows)`, a few runs at a time."""
    runs, parts = len(data.theta), []
    for step in steps:
        groups = [
            estimate(step, slice(start, min(start + _RUNS_AT_ONCE, runs)))
            for start in range(0, runs, _RUNS_AT_ONCE)
        ]
        parts.append(Estimates.concatenate(groups))
    return Estimates.stack(parts)
