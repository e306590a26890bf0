"""Functions in units of one's own: sessions cover and hit as well as in those of training.

The same functions, pools and noise are told in several units, y -> factor y + shift. Sessions of
all runs are played side by side, so that the model answers for all of them in one pass; what it is
asked, and what comes back, is each session's own doing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from aline_tf.acquisition.session import Session
from aline_tf.experiments.functions.function_runs import FunctionRuns, prior_runs
from aline_tf.models.protocol import QUANTILE_LEVELS
from aline_tf.units.mixed_summaries import mixed_summaries

#: (factor, shift) of the outcomes; the first is what the others are compared with.
CHANGES = ((1.0, 0.0), (1e-3, 1000.0), (100.0, 0.0), (1e6, -1000.0))
#: Share of outcomes in 90% intervals, and how much larger an error may be than without a change.
COVERAGE, ERROR = (0.85, 0.95), 1.1


class UnitsResult(NamedTuple):
    """What sessions in some units were worth.

    Attributes:
        factor, shift: of the outcomes.
        coverage: share of new outcomes in their 90% intervals.
        rmse: root mean square error, in trained units.
        ratio: of it to that without a change.
        holds: whether coverage and ratio are as promised.
    """

    factor: float
    shift: float
    coverage: float
    rmse: float
    ratio: float
    holds: bool


def units_results(
    model,
    task,
    runs: int = 300,
    steps: int | None = None,
    candidates: int = 200,
    changes: Sequence[tuple[float, float]] = CHANGES,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> list[UnitsResult]:
    """Predictions after choices by the model's own policy, in several units.

    Args:
        model: an `ALINE` of the task.
        task: a `GaussianProcess`.
        runs: functions of the prior.
        steps: answers of each; the task's horizon when None.
        candidates: size of each pool.
        changes: (factor, shift) of the outcomes; the first is what errors are compared with.
        seed: of the functions.
        report: called with a line whenever one of the changes is done.

    Returns:
        one `UnitsResult` for each change.
    """
    drawn = prior_runs(task, runs, candidates, seed)
    steps = task.spec.horizon if steps is None else steps
    found: list[UnitsResult] = []
    for factor, shift in changes:
        sessions = _played(model, drawn, steps, factor, shift)
        mean, _, quantiles = _predicted(model, sessions)
        truth = np.asarray(drawn.target_outcome, float)
        low, high = quantiles[..., 0], quantiles[..., -1]
        outcome = factor * truth + shift
        coverage = float(((outcome >= low) & (outcome <= high)).mean())
        rmse = float(np.sqrt(np.square((mean - shift) / factor - truth).mean()))
        ratio = rmse / (found[0].rmse if found else rmse)
        holds = COVERAGE[0] <= coverage <= COVERAGE[1] and ratio <= ERROR
        found.append(UnitsResult(factor, shift, coverage, rmse, ratio, holds))
        report(f"y x {factor:g} {shift:+g}: coverage {coverage:.3f}, error {rmse:.4f}")
    return found


def _played(model, drawn: FunctionRuns, steps: int, factor: float, shift: float) -> list[Session]:
    """A session of each run after its first point and T choices."""
    sessions = []
    for run in range(len(drawn)):
        session = Session(
            model, drawn.pool_design[run], target="", target_designs=drawn.target_design[run]
        )
        first = drawn.initial_outcome[run, 0]
        session.tell(drawn.initial_design[run, 0], factor * float(first) + shift)
        sessions.append(session)
    for _ in range(steps):
        batch = _stacked([session.batch() for session in sessions])
        scores = np.where(batch["candidate_mask"], model.candidate_logits(batch), -np.inf)
        for run, index in enumerate(scores.argmax(axis=1)):
            outcome = float(drawn.pool_outcome[run, index])
            sessions[run].tell(int(index), factor * outcome + shift)
    return sessions


def _predicted(model, sessions: list[Session]):
    """Mean, sd [R, M] and quantiles [R, M, Q], as `Session.predict` has them."""
    units = [session.prediction_units for session in sessions]
    rows = [
        session.batch_of(1, session.target_designs, units=each)
        for session, several in zip(sessions, units, strict=True)
        for each in several
    ]
    names = ("target_mean", "target_sd", "target_quantiles")
    answer = model.answer(_stacked(rows))
    answer, row, found = {name: np.asarray(answer[name]) for name in names}, 0, []
    for several in units:
        parts = []
        for each in several:
            own = {name: answer[name][row] for name in names}
            parts.append(each.from_model(model.spec, own))
            row += 1
        stacked = (np.stack([part[name] for part in parts]) for name in names)
        found.append(mixed_summaries(*stacked, QUANTILE_LEVELS))
    return tuple(np.stack(part) for part in zip(*found, strict=True))


def _stacked(batches):
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
