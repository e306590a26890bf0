"""Parameters given as known: how far the others move, beside how far they should.

At the horizon each parameter in turn is given at its true value. Shifts of the means of the others
are in units of their exact sd before,

    share         slope of our shifts on the exact ones
    correlation   of the two, about zero
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aline_tf.batch_ops import condition_on
from aline_tf.evaluation.promises import measures
from aline_tf.evaluation.promises.figure import PromiseFigure, over_runs

#: By whom -> least share of the exact shift.
LEAST_SHARE = {"model": 0.8, "refined": 0.95}
LEAST_CORRELATION = 0.95
_NAME = "known"


def figures(examined) -> Iterator[PromiseFigure]:
    """The figures above, for every parameter; none of a task with fewer than two.

    Args:
        examined: an `Examined`.
    """
    names, theta = examined.task.spec.parameter_names, examined.runs.theta
    if len(names) < 2:
        return
    state = examined.runs.after(examined.horizon)
    exact = examined.exact.summary(state, theta)
    before = {
        by: inference.summary({key: part[:runs] for key, part in state.items()}, theta[:runs])
        for by, inference, runs in examined.judged()
    }
    for place, name in enumerate(names):
        given = np.arange(len(names)) == place
        conditioned = condition_on(state, theta, given)
        known = examined.exact.summary(conditioned, theta)
        should = ((known.mean - exact.mean) / exact.sd)[:, ~given]
        for by, inference, runs in examined.judged():
            some = {key: part[:runs] for key, part in conditioned.items()}
            after = inference.summary(some, theta[:runs])
            moved = ((after.mean - before[by].mean) / exact.sd[:runs])[:, ~given]
            for what, measure, least in (
                ("share of the exact shift", measures.share, LEAST_SHARE[by]),
                ("correlation of shifts", measures.correlation, LEAST_CORRELATION),
            ):
                figure, ci95 = over_runs(measure, moved, should[:runs])
                yield PromiseFigure(_NAME, f"{name}: {what}", by, figure, least, None, ci95, runs)
