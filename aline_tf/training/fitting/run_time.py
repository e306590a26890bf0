"""How long a training run will take: estimated from a few passes before it, from its steps then."""

from __future__ import annotations

import dataclasses
import time

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import empty_batch
from aline_tf.training.phases import LONGEST

#: A pass with its gradient takes about three without.
_WITH_GRADIENT = 3.0
#: Share of what a pass costs whatever its rows, operation by operation, that is left in a graph.
_IN_A_GRAPH = 0.2
#: Rows of the passes that are timed.
_FEW, _MORE = 4, 16


@dataclasses.dataclass(frozen=True)
class StepTimes:
    """Seconds of a step of each phase.

        >>> StepTimes(warmup=0.1, joint=0.5).of(first=0, last=30, warmup_steps=20)
        7.0

    Args:
        warmup: of a warm-up step.
        joint: of a joint step.
    """

    warmup: float
    joint: float

    def of(self, first: int, last: int, warmup_steps: int) -> float:
        """Seconds of the steps from `first` to `last`, of which those below `warmup_steps` are
        warm-up."""
        early = max(min(last, warmup_steps) - first, 0)
        return early * self.warmup + max(last - first - early, 0) * self.joint


def estimated_step_times(model, task, recipe) -> StepTimes:
    """Step times from a few passes of the model and draws of the task, which take about a second.

    They are right up to a factor of two or so: what a graph does better than single operations, and
    what a recipe has beside its rollouts, is allowed for by rules of thumb.

    Args:
        model: a built ALINE.
        task: of the same specification.
        recipe: what will be trained.
    """
    phases, rollout, policy = recipe.phases, recipe.rollout, recipe.policy_loss
    seed = draws.as_seed(0)
    horizon = rollout.horizon or task.spec.horizon
    pool = max(horizon, rollout.candidates_per_step)
    episode = task.sample_episodes(seed, 1, pool)
    context, targets = episode["context_mask"].shape[1], episode["target_mask"].shape[1]

    def passes(tokens, candidates):
        def one(rows):
            sizes = {"B": rows, "C": context + tokens, "M": targets, "N": candidates}
            return model(empty_batch(task.spec.sizes | sizes))["theta_raw"]

        return _per_rows(one)

    def simulated(candidates):
        return _per_rows(lambda rows: task.sample_episodes(seed, rows, candidates)["theta"])

    warmup = joint = 0.0
    if phases.warmup_steps or phases.random_design_weight:
        rows = phases.warmup_batch
        warmup = simulated(pool)(rows)
        warmup += _WITH_GRADIENT * passes(horizon, 0)(rows)
    if phases.long_batch:
        offered = rollout.candidates_per_step
        warmup += _WITH_GRADIENT * passes(LONGEST * horizon, offered)(phases.long_batch)
    if phases.joint_steps:
        horizon = rollout.joint_horizon or horizon
        one_pass = passes(horizon, rollout.candidates_per_step)
        joint = simulated(rollout.pool)(phases.batch // rollout.group_size)
        joint += (horizon + 1) * one_pass(phases.batch)
        rows = phases.batch * min(phases.steps_per_episode, horizon + 1)
        joint += _WITH_GRADIENT * one_pass(rows)
        if max(policy.counterfactual, policy.look_ahead) > 0:
            joint += one_pass(rows * policy.num_counterfactuals)
        if phases.random_design_weight:
            joint += warmup
    return StepTimes(warmup, joint)


def _per_rows(work):
    """Seconds of a piece of work in a graph, as a function of its rows."""
    few, more = (_seconds(lambda rows=rows: work(rows)) for rows in (_FEW, _MORE))
    slope = max(more - few, 0.0) / (_MORE - _FEW)
    rest = _IN_A_GRAPH * max(few - _FEW * slope, 0.0)
    return lambda rows: rest + slope * rows


def _seconds(work) -> float:
    """Of the second of two times: the first one loads what the other uses."""
    for _ in range(2):
        since = time.perf_counter()
        tf.convert_to_tensor(work()).numpy()
        taken = time.perf_counter() - since
    return taken


def in_words(seconds: float) -> str:
    """A duration as it is said: "40 s", "12 min", "3 h 20 min".

    Args:
        seconds: not negative.
    """
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(10 * round(seconds / 600), 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{round(seconds / 3600)} h"
