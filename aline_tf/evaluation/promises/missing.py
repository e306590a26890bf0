"""Answers that do not come: the posterior of those that did is what should be left.

30% missing      error of the posterior means over the exact ones'
ten refusals     shift of mean and sd from the prior's, in the prior's sd
half missing     coverage of 90% intervals
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aline_tf.batch_ops import from_history
from aline_tf.evaluation.promises.figure import PromiseFigure, over_runs
from aline_tf.evaluation.promises.measures import worst_rmse_ratio
from aline_tf.evaluation.promises.policy_runs import refused

#: Share that is missing, for errors and for coverage; and how many refuse.
SHARE, HALF, REFUSALS = 0.3, 0.5, 10
_NAME = "missing"


def figures(examined) -> Iterator[PromiseFigure]:
    """The figures above.

    Args:
        examined: an `Examined`.
    """
    histories, theta = examined.runs, examined.runs.theta
    some = histories.after(examined.horizon, SHARE)
    exact = examined.exact.summary(some, theta)
    for by, inference, runs in examined.judged():
        rows, truth = _first(some, runs), theta[:runs]
        found = inference.summary(rows, truth)
        figure, ci95 = over_runs(worst_rmse_ratio, found.mean, exact.mean[:runs], truth)
        what = f"{SHARE:.0%} missing: RMSE / exact"
        yield PromiseFigure(_NAME, what, by, figure, high=1.05, ci95=ci95, runs=runs)
    # The answers of a task that begins with some are missing too.
    nothing = refused(histories.after(REFUSALS))
    prior = examined.exact.summary(_empty(examined), theta[:1])
    for by, inference, runs in examined.judged():
        found = inference.summary(_first(nothing, runs), theta[:runs])
        shift = np.maximum(np.abs(found.mean - prior.mean), np.abs(found.sd - prior.sd))
        figure, ci95 = over_runs(lambda away: away.mean(0).max(), shift / prior.sd)
        what = f"{REFUSALS} refusals: shift / prior's sd"
        yield PromiseFigure(_NAME, what, by, figure, high=0.03, ci95=ci95, runs=runs)
    # Refined answers do not see what is missing: one half less is a shorter history.
    half = histories.after(examined.horizon, HALF)
    found = examined.model.summary(half, theta)
    inside = (found.low <= theta) & (theta <= found.high)
    figure, ci95 = over_runs(np.mean, inside.mean(1))
    what = f"{HALF:.0%} missing: coverage of 90%"
    yield PromiseFigure(_NAME, what, "model", figure, 0.87, 0.93, ci95, len(theta))


def _first(batch, runs):
    return {name: part[:runs] for name, part in batch.items()}


def _empty(examined):
    """The state in which nothing was asked."""
    sizes = examined.task.spec.sizes
    return from_history(sizes, np.zeros((1, 0, sizes["D"])), np.zeros((1, 0, sizes["F"])))
