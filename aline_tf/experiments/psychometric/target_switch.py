"""Targets that change on the way: one pair of psychometric parameters first, then the other.

Every policy meets the same subjects twice: after {threshold, slope} until the switch and after
{guess, lapse} from then on, and the other way round. Rows carry both pairs as their target, in the
order in which they were wanted:

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
from aline_tf.evaluation.network_posterior import NetworkPosterior
from aline_tf.evaluation.results import Row
from aline_tf.experiments.psychometric.estimates import (
    HORIZON,
    TARGETS,
    Subjects,
    Trials,
    network_estimates,
    run_policy,
    target_mask,
)
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import DESIGN_HIGH, DESIGN_LOW

ORDERS = ((TARGETS[0], TARGETS[1]), (TARGETS[1], TARGETS[0]))
#: Steps of the printed table beside the switch and the end.
SHOWN_STEPS = (5, 10, 20, 25)


def order_name(first: str, second: str) -> str:
    """How an order stands in the rows."""
    return f"{first} then {second}"


def check_switch(step: int, horizon: int = HORIZON) -> None:
    """Raises InputError unless there are trials before the switch and after it."""
    if not 1 <= step < horizon:
        raise InputError(f"expected a switch after 1 to {horizon - 1} trials; received {step}")


def query_shares(trials: Trials, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Each subject's share of queries in the outer 30%, before and after the switch: two [S]."""
    return tuple(
        metrics.outer_share(part, DESIGN_LOW, DESIGN_HIGH)
        for part in (trials.design[:, :step], trials.design[:, step:])
    )


def _error_rows(policy, order, mean, theta) -> Iterator[Row]:
    """RMSE of both pairs from posterior means [S, T, 4]."""
    for place, pair in zip(("first", "second"), order, strict=True):
        for t in range(mean.shape[1]):
            error = metrics.rmse(mean[:, t], theta, target_mask(pair))
            yield Row.of(policy, order_name(*order), t + 1, f"rmse_{place}", error)


def evaluate_switch(
    policies: Mapping[str, Policy],
    subjects: Subjects,
    step: int,
    network: NetworkPosterior | None = None,
    report: Callable[[str], None] = lambda line: None,
    grid: GridPosterior | None = None,
    keep: Callable[[str, str, Trials], None] = lambda policy, order, trials: None,
) -> list[Row]:
    """All rows, for both orders.

    Args:
        policies: by name; "learned" is judged by the posterior of `network` and, as
            "learned/exact", by the exact one, which judges the others.
        step: trials before the switch.
        report: called with a line whenever a part is done.
        keep: called with every policy's trials in each order.

    Raises:
        InputError: no trial before the switch, or none after it.
    """
    grid = grid or GridPosterior()
    horizon = subjects.uniforms.shape[1]
    check_switch(step, horizon)
    steps, rows = range(1, horizon + 1), []
    for name, policy in policies.items():
        trials = None
        for order in ORDERS:
            target = order_name(*order)
            first, second = map(target_mask, order)
            wanted = np.where(np.arange(horizon)[:, None] < step, first, second)
            if trials is None or policy.reads_targets:
                trials = run_policy(policy, subjects, wanted)
                exact = grid.marginals(trials.design, trials.outcome, list(steps)).mean()
            keep(name, target, trials)
            before, after = query_shares(trials, step)
            rows.append(Row.of(name, target, step, "outer_share_before", before))
            rows.append(Row.of(name, target, horizon, "outer_share_after", after))
            if name == "learned":
                # What is wanted does not change what is believed; it is given as it was.
                parts = [
                    network_estimates(network, trials, subjects.theta, part, mask).mean
                    for part, mask in ((steps[:step], first), (steps[step:], second))
                ]
                own = np.concatenate(parts, axis=1)
                rows += _error_rows(name, order, own, subjects.theta)
            label = "learned/exact" if name == "learned" else name
            rows += _error_rows(label, order, exact, subjects.theta)
            report(f"{name}: {target}")
    return rows
