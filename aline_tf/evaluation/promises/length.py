"""PolicyRuns beyond the trained length: is the answer still calibrated, and the policy still one?

At twice and four times the horizon, along the policy's own trials: the sd of the posterior over the
exact one, calibration, the error of its means over the exact ones'; at twice the horizon the share
of the best expected gain about the run's targets that the policy's choice has; and whether the
posterior still narrows after many answers at random designs.
"""

from __future__ import annotations

from collections.abc import Iterator

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.evaluation.promises import measures
from aline_tf.evaluation.promises.figure import PromiseFigure, over_runs
from aline_tf.evaluation.promises.policy_runs import played
from aline_tf.evaluation.promises.suite import MULTIPLES
from aline_tf.evaluation.promises.targets import gain_figures

LEAST_GAIN = 0.7
#: Of the policy's choices, runs that are judged; answers at random designs, and of how many runs.
GAIN_RUNS, MANY, MANY_RUNS = 100, 500, 30
_NAME = "length"


def figures(examined) -> Iterator[PromiseFigure]:
    """The figures above.

    Args:
        examined: an `Examined`.
    """
    histories, theta = examined.runs, examined.runs.theta
    for multiple in examined.multiples:
        trials = multiple * examined.horizon
        state = histories.after(trials)
        exact = examined.exact.summary(state, theta)
        for by, inference, runs in examined.judged():
            found = inference.summary(_first(state, runs), theta[:runs])
            yield from posterior_figures(
                _NAME, f"{trials} trials", by, found, measures.cut(exact, runs), theta[:runs], 1.05
            )
    trials = examined.multiples[0] * examined.horizon
    state = _first(histories.after(trials), GAIN_RUNS)
    gain = examined.exact.gain(state) if examined.policy is not None else None
    if gain is not None:
        yield from gain_figures(
            _NAME, f"trial {trials + 1}", examined.policy, state, gain, LEAST_GAIN
        )
    yield from _many(examined)


def posterior_figures(promise, what, by, found, exact, theta, most) -> Iterator[PromiseFigure]:
    """sd, calibration and error of posteriors beside the exact ones.

    Args:
        promise: its name.
        what: the beginning of what was measured.
        by: whose answers.
        found, exact: a `Summary` of R runs each.
        theta: [R, P], the truth.
        most: of the error's ratio.
    """
    runs = len(theta)
    figure, ci95 = over_runs(measures.worst_sd_ratio, found.sd, exact.sd)
    yield PromiseFigure(promise, f"{what}: sd / exact", by, figure, 0.9, 1.1, ci95, runs)
    p_value = measures.sbc_p(found.below)
    yield PromiseFigure(promise, f"{what}: SBC p", by, p_value, low=0.01, runs=runs)
    figure, ci95 = over_runs(measures.worst_rmse_ratio, found.mean, exact.mean, theta)
    yield PromiseFigure(promise, f"{what}: RMSE / exact", by, figure, None, most, ci95, runs)


def _many(examined):
    # A task whose long histories stop early has reason to: its exact posterior takes too long.
    if examined.multiples != MULTIPLES or max(MULTIPLES) * examined.horizon >= MANY:
        return
    histories = examined.runs
    episode = _first(histories.episode(MANY), MANY_RUNS)
    theta = episode["theta"].astype(float)
    state = played(RandomPolicy(histories.seed), episode, MANY, histories.seed)
    exact = examined.exact.summary(state, theta)
    for by, inference, runs in examined.judged():
        runs = min(runs, len(theta))
        found = inference.summary(_first(state, runs), theta[:runs])
        figure, ci95 = over_runs(measures.worst_sd_ratio, found.sd, exact.sd[:runs])
        what = f"{MANY} random answers: sd / exact"
        yield PromiseFigure(_NAME, what, by, figure, 0.9, 1.1, ci95, runs)


def _first(batch, runs):
    return {name: part[:runs] for name, part in batch.items()}
