"""Evaluation of tasks with a known likelihood: how much information each policy collects.

For every policy: bounds of the total expected information gain (`spce`, `snmc`, in nats) and, from
a posterior, `rmse`, `log_prob` (nats per parameter) and `coverage_90`. The posterior is the
network's own for the learned policy; where an exact one is at hand (location finding with one
source in the plane) it judges the other policies and, as "learned/exact", the learned one's
designs. Rows of single parameters stand beside the row of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.evaluation import eig, metrics
from aline_tf.evaluation.histories import Histories, Worlds, network_estimates
from aline_tf.evaluation.network_posterior import NetworkPosterior
from aline_tf.evaluation.psychometric import Estimates
from aline_tf.evaluation.rows import Row

REPORT_STEPS = (5, 10, 20, 30)
#: Policies of each task beside "learned" and "random".
OWN_POLICIES = {"location_finding": ("greedy",)}
DEFAULTS = {
    "location_finding": {"runs": 100, "candidates": 2000, "contrastive": 100_000},
    "ces": {"runs": 100, "candidates": 2000, "contrastive": 100_000},
}


def report_steps(horizon: int) -> tuple[int, ...]:
    """After how many outcomes figures are reported; the horizon always among them."""
    return (*(step for step in REPORT_STEPS if step < horizon), horizon)


def own_policy(task_name: str, policy: str) -> Policy:
    """A policy that knows the task's likelihood, by the name it has in `OWN_POLICIES`."""
    if (task_name, policy) == ("location_finding", "greedy"):
        from aline_tf.acquisition.location_grid import GreedyLocationPolicy

        return GreedyLocationPolicy()
    raise ValueError(f"Expected a policy of {OWN_POLICIES}. Received: {task_name}, {policy}")


def exact_location_estimates(histories: Histories, steps: Sequence[int]) -> Estimates:
    """Summaries of the exact posterior of one source in the plane, [R, K, 2]."""
    from aline_tf.acquisition.location_grid import shrinking_posteriors

    found = []
    for theta, design, outcome in zip(
        histories.theta, histories.design, histories.outcome[..., 0], strict=True
    ):
        design, outcome = design.astype(float), outcome.astype(float)
        for t, posterior in zip(steps, shrinking_posteriors(design, outcome, steps), strict=True):
            low, high = posterior.quantiles((0.05, 0.95)).T
            density = posterior.log_density(theta.astype(float), design[:t], outcome[:t])
            found.append((posterior.mean(), low, high, density))
    shape = (len(histories.theta), len(steps), 2)
    return Estimates(*(np.stack(part).reshape(shape) for part in zip(*found, strict=True)))


def posterior_rows(
    policy: str,
    names: Sequence[str],
    estimates: Estimates,
    theta: np.ndarray,
    steps: Sequence[int],
) -> Iterator[Row]:
    """rmse, log_prob and coverage_90 of all parameters together, then of each."""
    for target in dict.fromkeys((",".join(names), *names)):
        wanted = np.isin(names, target.split(","))
        for k, step in enumerate(steps):
            inside = metrics.coverage(estimates.low[:, k], estimates.high[:, k], theta, wanted)
            for metric, values in (
                ("rmse", metrics.rmse(estimates.mean[:, k], theta, wanted)),
                ("log_prob", metrics.log_prob(estimates.log_density[:, k], wanted)),
                ("coverage_90", inside),
            ):
                yield Row.of(policy, target, step, metric, values)


def evaluate(
    policies: Mapping[str, Policy],
    worlds: Worlds,
    contrastive: int,
    seed: int = 0,
    network: NetworkPosterior | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """All rows of a table.

    Args:
        policies: by name; "learned" is judged by the posterior of `network`.
        worlds: the runs, the same for every policy.
        contrastive: L, of the bounds.
        seed: of the contrastive parameters.
        report: called with a line whenever a part is done.
    """
    spec = worlds.task.spec
    names, steps = spec.parameter_names, report_steps(worlds.horizon)
    exact = spec.name == "location_finding" and len(names) == spec.sizes["D"] == 2
    rows: list[Row] = []
    for name, policy in policies.items():
        histories = worlds.play(policy, lambda done, n=name: report(f"{n}: {done} runs"))
        bounds = eig.prior_bounds(
            worlds.task, histories.theta, histories.design, histories.outcome, steps,
            contrastive, seed,
            report=lambda done, of, n=name: report(f"{n}: bounds of {done} of {of} runs"),
        )  # fmt: skip
        for metric in ("spce", "snmc"):
            for k, step in enumerate(steps):
                values = getattr(bounds, metric)[:, k]
                rows.append(Row.of(name, ",".join(names), step, metric, values))
        if name == "learned":
            own = network_estimates(network, spec, histories, steps)
            rows += posterior_rows(name, names, own, histories.theta, steps)
        if exact:
            label = "learned/exact" if name == "learned" else name
            found = exact_location_estimates(histories, steps)
            rows += posterior_rows(label, names, found, histories.theta, steps)
            report(f"{name}: exact posterior")
    return rows
