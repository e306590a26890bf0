"""Is the joint posterior better than the product of its marginals?

    joint_log_prob     log q(theta | D) by the chain rule over known-parameter tokens
    marginal_log_prob  sum_p log q(theta_p | D)
    joint_gain         their difference, run by run: above zero where the parameters depend on each
                       other given D and the model knows it
    exact_log_prob     log p(theta | D), where an exact posterior is at hand

All in nats, summed over parameters. A parameter that the others determine has no density of its
own: of the three shares of CES, which sum to one, two are counted.

Sizes: R runs, K reported steps, P parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aline_tf.evaluation.results import Result
from aline_tf.evaluation.simulated_runs import RunData, context_batch

_RUNS_AT_ONCE = 64


def joint_and_marginal(
    model, data: RunData, steps: Sequence[int], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of the truth by the joint and by the product of marginals, both [R, K].

    Args:
        model: an `ALINE` model.
        data: R runs.
        steps: K numbers of outcomes seen.
        names: the parameters that have a joint density.
    """
    import tensorflow as tf

    from aline_tf.models.joint import joint_log_prob

    counted = tf.constant(model.spec.parameter_mask(names))

    @tf.function(reduce_retracing=True, autograph=False)
    def both(batch, theta):
        marginal = model.theta_log_prob(model(batch), theta)
        marginal = tf.reduce_sum(tf.where(counted, marginal, 0.0), axis=1)
        return joint_log_prob(model, batch, theta, names), marginal

    runs = len(data.theta)
    found = np.zeros((2, runs, len(steps)))
    for k, step in enumerate(steps):
        for start in range(0, runs, _RUNS_AT_ONCE):
            rows = slice(start, min(start + _RUNS_AT_ONCE, runs))
            batch = context_batch(model.spec, data, step, rows)
            theta = np.asarray(data.theta[rows], np.float32)
            found[:, rows, k] = [part.numpy() for part in both(batch, theta)]
    return found[0], found[1]


def joint_results(
    policy: str,
    model,
    data: RunData,
    steps: Sequence[int],
    names: Sequence[str],
    exact: np.ndarray | None = None,
) -> Iterator[Result]:
    """The figures above at each step.

    Args:
        policy: as it stands in the results.
        model: an `ALINE` model.
        data: R runs.
        steps: K numbers of outcomes.
        names: the parameters that have a joint density.
        exact: [R, K], log density of the exact posterior, where there is one.
    """
    joint, marginal = joint_and_marginal(model, data, steps, names)
    found = {"joint_log_prob": joint, "marginal_log_prob": marginal, "joint_gain": joint - marginal}
    if exact is not None:
        found["exact_log_prob"] = exact
    for metric, values in found.items():
        for k, step in enumerate(steps):
            yield Result.of(policy, ",".join(names), step, metric, values[:, k])
