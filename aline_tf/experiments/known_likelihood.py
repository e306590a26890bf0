"""Evaluation of tasks with a known likelihood: how much information each policy collects.

For every policy: bounds of the total expected information gain (`spce`, `snmc`, in nats; `spce`
cannot exceed log(L + 1)) and, from a posterior, `rmse`, `log_prob` (nats per parameter) and
`coverage_90`. The posterior is the
network's own for the learned policy; where an exact one is at hand (location finding with one
source in the plane) it judges the other policies and, as "learned/exact", the learned one's
designs. Rows of single parameters stand beside the row of all of them. The learned policy's rows
also say whether its beliefs are calibrated and how well it foretells outcomes not yet seen (see
`posterior_rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from aline_tf.acquisition.policies import Policy
from aline_tf.evaluation import eig
from aline_tf.evaluation.network_posterior import NetworkPosterior, NetworkPrediction
from aline_tf.evaluation.posterior_rows import Estimates, posterior_rows, prediction_rows
from aline_tf.evaluation.results import Row
from aline_tf.evaluation.simulated_runs import (
    Histories,
    Worlds,
    network_estimates,
    network_predictions,
)
from aline_tf.experiments.joint_posterior import joint_rows

REPORT_STEPS = (5, 10, 20, 30)
#: Policies of each task beside "learned" and "random".
OWN_POLICIES = {"location_finding": ("greedy",), "ces": ("greedy",)}
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
        from aline_tf.experiments.location_finding.location_grid import GreedyLocationPolicy

        return GreedyLocationPolicy()
    if (task_name, policy) == ("ces", "greedy"):
        from aline_tf.acquisition.sampled_greedy import SampledGreedyPolicy
        from aline_tf.tasks import task_by_name

        return SampledGreedyPolicy(task_by_name("ces"))
    raise ValueError(f"Expected a policy of {OWN_POLICIES}. Received: {task_name}, {policy}")


def exact_location_estimates(histories: Histories, steps: Sequence[int]) -> Estimates:
    """Summaries of the exact posterior of one source in the plane, [R, K, 2]."""
    from aline_tf.experiments.location_finding.location_grid import shrinking_posteriors

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


def is_exact(task) -> bool:
    """Whether an exact posterior is at hand: location finding, one source, in the plane."""
    return task.spec.name == "location_finding" and task.sources == 1 and task.dims == 2


def evaluate(
    policies: Mapping[str, Policy],
    worlds: Worlds,
    contrastive: int,
    seed: int = 0,
    network: NetworkPosterior | None = None,
    report: Callable[[str], None] = lambda line: None,
    steps: Sequence[int] | None = None,
    joint: bool = False,
    keep: Callable[[str, Histories], None] = lambda policy, histories: None,
) -> list[Row]:
    """All rows of a table.

    Args:
        policies: by name; "learned" is judged by the posterior of `network`.
        worlds: the runs, the same for every policy.
        contrastive: L, of the bounds.
        seed: of the contrastive parameters.
        report: called with a line whenever a part is done.
        steps: numbers of outcomes after which figures are reported; `report_steps` when None.
        joint: whether to compare the network's joint posterior with its marginals.
        keep: called with every policy's histories.
    """
    names = worlds.task.spec.parameter_names
    steps = report_steps(worlds.horizon) if steps is None else tuple(steps)
    rows: list[Row] = []
    for name, policy in policies.items():
        histories = worlds.play(policy, lambda done, n=name: report(f"{n}: {done} runs"))
        keep(name, histories)
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
            rows += _network_rows(network, worlds, histories, steps, joint)
            report(f"{name}: posterior of the network")
        if is_exact(worlds.task):
            label = "learned/exact" if name == "learned" else name
            found = exact_location_estimates(histories, steps)
            rows += posterior_rows(label, names, found, histories.theta, steps)
            report(f"{name}: exact posterior")
    return rows


def _network_rows(network, worlds, histories, steps, joint) -> Iterator[Row]:
    """What the network believes and foretells along the learned policy's own histories."""
    spec = worlds.task.spec
    own = network_estimates(network, spec, histories, steps)
    yield from posterior_rows("learned", spec.parameter_names, own, histories.theta, steps)
    prediction = NetworkPrediction(network.model)
    foretold, outcome = network_predictions(prediction, worlds, histories, steps)
    continuous = spec.outcomes[0].kind == "continuous"
    yield from prediction_rows("learned", foretold, outcome, steps, continuous)
    if joint:
        yield from joint_rows("learned", network.model, histories, steps, is_exact(worlds.task))
