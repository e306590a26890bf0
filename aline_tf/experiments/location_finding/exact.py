"""The exact posterior of one source in the plane, along simulated runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aline_tf.evaluation.estimates import Estimates
from aline_tf.evaluation.simulated_runs import RunData
from aline_tf.experiments.location_finding.location_grid import (
    log_likelihood,
    shrinking_posteriors,
)


def exact_estimates(data: RunData, steps: Sequence[int]) -> Estimates:
    """Summaries of the exact posterior, [R, K, 2]."""
    found = []
    for theta, design, outcome in zip(data.theta, data.design, data.outcome[..., 0], strict=True):
        design, outcome = design.astype(float), outcome.astype(float)
        for t, posterior in zip(steps, shrinking_posteriors(design, outcome, steps), strict=True):
            low, high = posterior.quantiles((0.05, 0.95)).T
            density = posterior.log_density(theta.astype(float), design[:t], outcome[:t])
            found.append((posterior.mean(), low, high, density))
    shape = (len(data.theta), len(steps), 2)
    return Estimates(*(np.stack(part).reshape(shape) for part in zip(*found, strict=True)))


def exact_joint(data: RunData, steps: Sequence[int]) -> np.ndarray:
    """log p(theta | D) of one source in the plane, [R, K]."""
    found = []
    for theta, design, outcome in zip(
        data.theta.astype(float), data.design, data.outcome[..., 0], strict=True
    ):
        posteriors = shrinking_posteriors(design.astype(float), outcome.astype(float), steps)
        found.append(
            [
                float(log_likelihood(theta, design[:t], outcome[:t])) - posterior.log_evidence
                for t, posterior in zip(steps, posteriors, strict=True)
            ]
        )
    return np.array(found)
