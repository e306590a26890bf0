"""Is the joint posterior better than the product of its marginals?

    joint_log_prob     log q(theta | D) by the chain rule over known-parameter tokens
    marginal_log_prob  sum_p log q(theta_p | D)
    joint_gain         their difference, run by run: above zero where the parameters depend on each
                       other given D and the network knows it
    exact_log_prob     log p(theta | D), where an exact posterior is at hand

All in nats, summed over parameters. A parameter that the others determine has no density of its
own: of the three shares of CES, which sum to one, two are counted.

Sizes: R runs, K reported steps, P parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aline_tf.evaluation.results import Row
from aline_tf.evaluation.simulated_runs import Histories, context_batch

_RUNS_AT_ONCE = 64
_DETERMINED = {"ces": ("alpha_3",)}


def free_parameters(spec) -> tuple[str, ...]:
    """Names of the parameters of a task that have a joint density."""
    return tuple(n for n in spec.parameter_names if n not in _DETERMINED.get(spec.name, ()))


def joint_and_marginal(
    model, histories: Histories, steps: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of the truth by the joint and by the product of marginals, both [R, K].

    Args:
        model: an `ALINE` model.
        steps: outcomes seen.
    """
    import tensorflow as tf

    from aline_tf.models.joint import joint_log_prob

    names = free_parameters(model.spec)
    counted = tf.constant(model.spec.parameter_mask(names))

    @tf.function(reduce_retracing=True, autograph=False)
    def both(batch, theta):
        marginal = model.theta_log_prob(model(batch), theta)
        marginal = tf.reduce_sum(tf.where(counted, marginal, 0.0), axis=1)
        return joint_log_prob(model, batch, theta, names), marginal

    runs = len(histories.theta)
    found = np.zeros((2, runs, len(steps)))
    for k, step in enumerate(steps):
        for start in range(0, runs, _RUNS_AT_ONCE):
            rows = slice(start, min(start + _RUNS_AT_ONCE, runs))
            batch = context_batch(model.spec, histories, step, rows)
            theta = np.asarray(histories.theta[rows], np.float32)
            found[:, rows, k] = [part.numpy() for part in both(batch, theta)]
    return found[0], found[1]


def exact_location_joint(histories: Histories, steps: Sequence[int]) -> np.ndarray:
    """log p(theta | D) of one source in the plane, [R, K]."""
    from aline_tf.experiments.location_finding.location_grid import (
        log_likelihood,
        shrinking_posteriors,
    )

    found = []
    for theta, design, outcome in zip(
        histories.theta.astype(float), histories.design, histories.outcome[..., 0], strict=True
    ):
        posteriors = shrinking_posteriors(design.astype(float), outcome.astype(float), steps)
        found.append(
            [
                float(log_likelihood(theta, design[:t], outcome[:t])) - posterior.log_evidence
                for t, posterior in zip(steps, posteriors, strict=True)
            ]
        )
    return np.array(found)


def joint_rows(
    policy: str, model, histories: Histories, steps: Sequence[int], exact: bool = False
) -> Iterator[Row]:
    """The rows above at each step.

    Args:
        exact: whether to add the exact posterior of location finding.
    """
    target = ",".join(free_parameters(model.spec))
    joint, marginal = joint_and_marginal(model, histories, steps)
    found = {"joint_log_prob": joint, "marginal_log_prob": marginal, "joint_gain": joint - marginal}
    if exact:
        found["exact_log_prob"] = exact_location_joint(histories, steps)
    for metric, values in found.items():
        for k, step in enumerate(steps):
            yield Row.of(policy, target, step, metric, values[:, k])
