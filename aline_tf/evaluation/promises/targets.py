"""Predictions as targets: what the chosen design is expected to tell about one prediction.

A run aims at the outcome at one design alone. At the first and at the tenth trial

    share   expected information about that outcome of the policy's choice, over that of the best
            candidate, both exact; beside it that of a candidate drawn at random
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aline_tf.evaluation.promises import measures
from aline_tf.evaluation.promises.figure import PromiseFigure, over_runs

#: Trials whose choice is judged, and the least share of the best gain.
TRIALS, LEAST_SHARE = (1, 10), 0.8
_NAME = "targets"


def figures(examined) -> Iterator[PromiseFigure]:
    """The figures above, for each of the task's `target_inputs`; none where it has none.

    Args:
        examined: an `Examined`.
    """
    if examined.target_inputs is None or examined.policy is None:
        return
    episode = examined.runs.episode(examined.runs.candidates)
    for target in np.asarray(examined.target_inputs, np.float32):
        aimed = aimed_at(episode, target)
        where = ", ".join(f"{value:g}" for value in target)
        for trial in TRIALS:
            state = examined.runs.played(aimed, trial - 1)
            gain = examined.exact.gain(state)
            if gain is None:
                return
            yield from gain_figures(
                _NAME, f"outcome at {where}, trial {trial}", examined.policy, state, gain,
                LEAST_SHARE,
            )  # fmt: skip


def gain_figures(promise, what, policy, state, gain, least) -> Iterator[PromiseFigure]:
    """A policy's share of the best gain, and that of a random choice.

    Args:
        promise: its name.
        what: the beginning of what was measured.
        policy: chooses from the whole pool.
        state: R rows with a pool of N.
        gain: [R, N], exact.
        least: the bar.
    """
    rows, allowed = np.arange(len(gain)), state["candidate_mask"]
    chosen = gain[rows, policy.choose(state)]
    best = np.where(allowed, gain, -np.inf).max(1)
    random = np.where(allowed, gain, 0.0).sum(1) / allowed.sum(1)
    what = f"{what}: share of the best gain"
    for by, ours, bar in (("policy", chosen, least), ("random", random, None)):
        figure, ci95 = over_runs(measures.ratio_of_means, ours, best)
        yield PromiseFigure(promise, what, by, figure, bar, None, ci95, len(gain))


def aimed_at(episode, target: np.ndarray) -> dict[str, np.ndarray]:
    """The episode whose only target is the outcome at `target` [D]."""
    rows = len(episode["theta_mask"])
    design = np.broadcast_to(target, (rows, 1, len(target))).astype(np.float32)
    return dict(episode) | {
        "theta_mask": np.zeros_like(episode["theta_mask"]),
        "target_design": design,
        "target_mask": np.ones((rows, 1), bool),
    }
