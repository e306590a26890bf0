"""Pools of other sizes than training's, where designs are places: calibration and error.

For each size, and for a pool of nothing but the corners of the space (asked again and again), the
policy plays to the horizon; then the posterior is judged as in `length`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from aline_tf.evaluation.promises import measures
from aline_tf.evaluation.promises.figure import PromiseFigure, over_runs

_NAME = "pool"
_MOST_DIMS_OF_ALL_CORNERS = 8


def figures(examined) -> Iterator[PromiseFigure]:
    """The figures above, for each of the task's `pools`, and corners where it has them.

    Args:
        examined: an `Examined`.
    """
    histories = examined.runs
    for size in examined.pools:
        yield from _of(examined, f"{size} places", histories.episode(size))
    if examined.corners:
        yield from _of(examined, "corners alone", _corners(examined))


def _of(examined, what, episode):
    theta = examined.runs.theta
    # The whole pool is offered: it is what is in question.
    state = examined.runs.played(episode, examined.horizon, offered=None)
    exact = examined.exact.summary(state, theta)
    for by, inference, runs in examined.judged():
        some = {name: part[:runs] for name, part in state.items()}
        found = inference.summary(some, theta[:runs])
        p_value = measures.sbc_p(found.below)
        yield PromiseFigure(_NAME, f"{what}: SBC p", by, p_value, low=0.01, runs=runs)
        figure, ci95 = over_runs(
            measures.worst_rmse_ratio, found.mean, exact.mean[:runs], theta[:runs]
        )
        yield PromiseFigure(_NAME, f"{what}: RMSE / exact", by, figure, None, 1.1, ci95, runs)


def _corners(examined):
    """An episode whose pool has every corner once for each trial, with answers of its own."""
    from aline_tf import draws

    histories, spec = examined.runs, examined.task.spec
    bounds = list(zip(spec.design_low, spec.design_high, strict=True))
    # In many dimensions there are too many: any that have been drawn.
    if len(bounds) <= _MOST_DIMS_OF_ALL_CORNERS:
        corners = np.array(list(itertools.product(*bounds)))
    else:
        drawn = np.random.default_rng(histories.seed).integers(
            0, 2, (2**_MOST_DIMS_OF_ALL_CORNERS, len(bounds))
        )
        corners = np.take_along_axis(np.array(bounds).T, drawn, axis=0)
    pool = np.tile(corners, (examined.horizon, 1)).astype(np.float32)
    episode = histories.episode(len(pool))
    design = np.broadcast_to(pool, (histories.runs, *pool.shape)).copy()
    seed = draws.fold_in(draws.as_seed(histories.seed), len(pool))
    outcome = np.asarray(examined.task.simulate(episode["theta"], design, seed))
    return episode | {"candidate_design": design, "candidate_outcome": outcome}
