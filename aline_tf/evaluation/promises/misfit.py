"""A word when it cannot be trusted: strangers are suspected as often as the exact test does."""

from __future__ import annotations

import math
from collections.abc import Iterator

from aline_tf.acquisition.misfit import THRESHOLD
from aline_tf.evaluation import misfit
from aline_tf.evaluation.promises.figure import PromiseFigure

#: Share of the exact test's power that a session must have.
POWER = 0.8


def figures(examined) -> Iterator[PromiseFigure]:
    """False alarms, and the power for every kind of stranger that the task has, at the horizon.

    Args:
        examined: an `Examined`; nothing where its task has no strangers.
    """
    strangers, exact_chances = examined.misfits
    if not strangers:
        return
    runs = min(len(examined.runs.theta), examined.misfit_runs)
    kinds = {misfit.WELL_SPECIFIED: misfit.of_the_task(examined.task)} | dict(strangers)
    found = misfit.detections(
        examined.aline,
        examined.task,
        kinds,
        runs,
        seed=examined.runs.seed,
        exact_chances=exact_chances,
        model_alone=False,
        policy=examined.policy,
    )
    exact = {each.subject: each.rate for each in found if each.by == "exact"}
    for each in found:
        error = 1.96 * float(each.standard_error)
        row = {"figure": each.rate, "ci95": error, "runs": each.runs}
        if each.subject == misfit.WELL_SPECIFIED:
            # Within chance of the rate that is promised.
            row["high"] = THRESHOLD + 1.96 * math.sqrt(THRESHOLD * (1.0 - THRESHOLD) / each.runs)
        elif each.by == "session" and each.subject in exact:
            row["low"] = POWER * exact[each.subject]
        yield PromiseFigure("misfit", f"{each.subject}: suspected", each.by, **row)
