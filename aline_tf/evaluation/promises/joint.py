"""Joint posteriors: what the joint knows beyond its marginals, at the horizon.

gain           E [ log q(theta | D) - sum_p log q(theta_p | D) ] over that of the exact posterior,
               theta being drawn from the latter; refined answers, which have no marginal
               densities, are set against the exact marginals
two orders     E |log q by one order of the chain - by the other|
correlations   drawn ones less the exact ones: of the pair that is worst, the mean over runs and
               the root mean square, from which the scatter of so many draws is taken
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from aline_tf import batch_ops
from aline_tf.evaluation.promises import measures
from aline_tf.evaluation.promises.figure import PromiseFigure, over_runs

#: By whom -> least share of the exact gain.
LEAST_SHARE = {"model": 0.7, "refined": 0.95}
MOST_AWAY, MOST_NATS = 0.1, 0.1
#: Draws of every exact posterior at which densities are taken; runs whose correlations are drawn.
DRAWS, DRAWN_RUNS = 4, 60
_NAME = "joint"


def figures(examined) -> Iterator[PromiseFigure]:
    """The figures above; none of a task with one parameter.

    Args:
        examined: an `Examined`.
    """
    if len(examined.task.spec.parameters) < 2:
        return
    state = examined.runs.after(examined.horizon)
    exact = examined.exact.joint_draws(state, DRAWS, examined.runs.seed)
    if exact is not None:
        yield from _densities(examined, state, exact)
    yield from _correlations(examined, state)


def _densities(examined, state, exact):
    names = examined.task.spec.parameter_names
    for by, inference, runs in examined.judged():
        some = batch_ops.repeat(_first(state, runs), DRAWS)
        theta = exact.theta[:runs].reshape(-1, len(names))
        ours = inference.joint_log_prob(some, theta)
        if ours is None:
            continue
        # Refined answers have no marginal densities of their own.
        alone = (exact.log_prob - exact.gain)[:runs]
        if by == "model":
            alone = inference.summary(some, theta).log_density.sum(1).reshape(-1, DRAWS)
        gain = ours.reshape(-1, DRAWS) - alone
        figure, ci95 = over_runs(
            measures.gain_share, gain, exact.gain[:runs], exact.expected_gain[:runs]
        )
        what = "gain over marginals / exact"
        yield PromiseFigure(_NAME, what, by, figure, LEAST_SHARE[by], None, ci95, runs)
        if by == "model":
            other = inference.joint_log_prob(some, theta, names[::-1])
            away = np.abs(other - ours).reshape(-1, DRAWS).mean(1)
            figure, ci95 = over_runs(np.mean, away)
            what = "two orders of the chain differ, nats"
            yield PromiseFigure(_NAME, what, by, figure, None, MOST_NATS, ci95, runs)


def _correlations(examined, state):
    pairs = tuple(zip(*itertools.combinations(range(examined.runs.theta.shape[1]), 2), strict=True))
    exact = examined.exact.correlation(_first(state, DRAWN_RUNS))
    for by, inference, runs in examined.judged():
        some = _first(state, min(runs, DRAWN_RUNS))
        ours = inference.correlation(some)
        if ours is None or exact is None:
            continue
        ours, should = (each[: len(ours), pairs[0], pairs[1]] for each in (ours, exact))
        count = inference.correlation_draws()
        scatter = np.square(1.0 - np.square(ours)) / (count - 1) if count else 0.0 * ours

        def mean(away, scatter):
            return np.abs(away.mean(0)).max()

        def rms(away, scatter):
            return np.sqrt(np.maximum((np.square(away) - scatter).mean(0), 0.0)).max()

        for what, measure in (("mean", mean), ("rms", rms)):
            figure, ci95 = over_runs(measure, ours - should, scatter)
            yield PromiseFigure(
                _NAME, f"correlations of the worst pair: {what} error", by, figure, None,
                MOST_AWAY, ci95, len(ours),
            )  # fmt: skip


def _first(batch, runs):
    return {name: part[:runs] for name, part in batch.items()}
