"""Targets that change on the way: one pair of psychometric parameters first, then the other.

Every policy meets the same observers twice: after {threshold, slope} until the switch and after
{guess, lapse} from then on, and the other way round. Results carry both pairs as their target, in
the order in which they were selected:

    rmse_first, rmse_second    of either pair, after every trial
    outer_share_before, ..._after    share of queries in the outer 30% of the range, before the
                                     switch (reported at it) and after it (reported at the end)

Source: ALINE (arXiv 2506.07259), psychometric experiment with a switch at step 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.errors import InputError
from aline_tf.evaluation import metrics
from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.psychometric.estimates import (
    TARGETS,
    model_estimates,
)
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import DESIGN_HIGH, DESIGN_LOW
from aline_tf.experiments.psychometric.runs import HORIZON, PsychometricRuns, target_mask

ORDERS = ((TARGETS[0], TARGETS[1]), (TARGETS[1], TARGETS[0]))
#: Steps of the printed table beside the switch and the end.
SHOWN_STEPS = (5, 10, 20, 25)


def order_name(first: str, second: str) -> str:
    """How an order stands in the results."""
    return f"{first} then {second}"


def check_switch(step: int, horizon: int = HORIZON) -> None:
    """Raises InputError unless there are trials before the switch and after it."""
    if not 1 <= step < horizon:
        raise InputError(f"expected a switch after 1 to {horizon - 1} trials; received {step}")


def query_shares(data: RunData, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Each observer's share of queries in the outer 30%, before and after the switch: two [R]."""
    return tuple(
        metrics.outer_share(part, DESIGN_LOW, DESIGN_HIGH)
        for part in (data.design[:, :step, 0], data.design[:, step:, 0])
    )


def _error_results(policy, order, mean, theta) -> Iterator[Result]:
    """RMSE of both pairs from posterior means [R, T, 4]."""
    for place, pair in zip(("first", "second"), order, strict=True):
        for t in range(mean.shape[1]):
            error = metrics.rmse(mean[:, t], theta, target_mask(pair))
            yield Result.of(policy, order_name(*order), t + 1, f"rmse_{place}", error)


def evaluate_switch(
    policies: Mapping[str, Policy],
    runs: PsychometricRuns,
    step: int,
    posterior: ModelPosterior | None = None,
    report: Callable[[str], None] = lambda line: None,
    grid: GridPosterior | None = None,
    keep: Callable[[str, str, RunData], None] = lambda policy, order, data: None,
) -> list[Result]:
    """All results, for both orders.

    Args:
        policies: by name; "learned" is judged by `posterior` and, as
            "learned/exact", by the exact one, which judges the others.
        step: trials before the switch.
        report: called with a line whenever a part is done.
        keep: called with every policy's data in each order.

    Raises:
        InputError: no trial before the switch, or none after it.
    """
    grid = grid or GridPosterior()
    horizon = runs.horizon
    check_switch(step, horizon)
    steps, results = range(1, horizon + 1), []
    for name, policy in policies.items():
        data = None
        for order in ORDERS:
            target = order_name(*order)
            first, second = map(target_mask, order)
            selected = np.where(np.arange(horizon)[:, None] < step, first, second)
            if data is None or policy.reads_targets:
                data = runs.play(policy, selected)
                exact = grid.marginals(
                    data.design[..., 0], data.outcome[..., 0], list(steps)
                ).mean()
            keep(name, target, data)
            before, after = query_shares(data, step)
            results.append(Result.of(name, target, step, "outer_share_before", before))
            results.append(Result.of(name, target, horizon, "outer_share_after", after))
            if name == "learned":
                # The selection does not change the posterior; it is given as it was.
                parts = [
                    model_estimates(posterior, data, part, mask).mean
                    for part, mask in ((steps[:step], first), (steps[step:], second))
                ]
                own = np.concatenate(parts, axis=1)
                results += _error_results(name, order, own, runs.theta)
            label = "learned/exact" if name == "learned" else name
            results += _error_results(label, order, exact, runs.theta)
            report(f"{name}: {target}")
    return results
