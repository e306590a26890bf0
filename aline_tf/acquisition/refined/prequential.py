"""Exact predictions of answers one after another, by weighted draws that are renewed on the way.

    w_i(t)  ~  p(theta_i) prod_{s < t} p(y_s | x_s, theta_i) / g(theta_i)
    p(y_t | x_t, D_<t)  =  sum_i w_i(t) p(y_t | x_t, theta_i)

Draws come from the prior; as soon as few of them carry the weight, new ones are proposed by kernels
g around those (`aline_tf.acquisition.refined.kernels`) and weighed by all answers so far. Thirty
answers take .2 s (psychometric task) to .3 s (location finding), and more of a subject that is not
of the task, whose answers leave few draws alive.

Source: iterated batch importance sampling, Chopin (2002), with importance weights instead of moves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.refined.kernels import Kernels, Scale

_DRAWS = 4096
#: Effective draws below which new ones are proposed.
_FEW, _SEED = 400, 0
#: Stands for the log of nothing.
_LEAST = -1e30


class Predicted(NamedTuple):
    """What was expected of each of T answers before it came.

    Attributes:
        yes: [T], probability of an outcome of 1; None of continuous outcomes.
        level: [T], share of the predictive distribution below what was observed; None of binary.
        log_evidence: log p(D) of all answers, in nats.
    """

    yes: np.ndarray | None
    level: np.ndarray | None
    log_evidence: float


def can_predict(task) -> bool:
    """Whether answers of a task can be predicted here: its likelihood and the prior's density are
    known, and every parameter is free and continuous."""
    kinds = {parameter.kind for parameter in task.spec.parameters}
    plain = kinds <= {"interval", "real"} and getattr(task, "complete_theta", None) is None
    return plain and None not in (task.log_likelihood, task.log_prior)


def predict_in_turn(task, design, outcome, known_mask=None, known_theta=None) -> Predicted:
    """The exact predictions of answers in the order in which they came.

    Args:
        task: for which `can_predict`.
        design: float32 [T, D].
        outcome: float32 [T, 1], binary or continuous.
        known_mask, known_theta: [P], parameters given as known, taken to be independent of the
            others; none when None.

    Returns:
        `Predicted`, equal for equal answers.
    """
    count = len(task.spec.parameters)
    free = np.ones(count, bool) if known_mask is None else ~np.asarray(known_mask)
    binary = task.spec.outcomes[0].kind == "binary"
    design, outcome = tf.constant(design), tf.constant(outcome)
    rng = np.random.default_rng(_SEED)
    scale = Scale([p for p, own in zip(task.spec.parameters, free, strict=True) if own])

    def looked_at(theta, number) -> tuple[np.ndarray, np.ndarray]:
        """log p of every answer [I, T]; beside it p(1), or whether a simulated answer is below."""
        some = tf.constant(theta, tf.float32)
        seen = task.log_likelihood(some[:, None], design[None], outcome[None]).numpy()
        if binary:
            one = tf.ones_like(outcome)[None]
            expected = np.exp(task.log_likelihood(some[:, None], design[None], one).numpy())
        else:
            seed = draws.fold_in(draws.as_seed(_SEED), number)
            again = tf.repeat(design[None], len(theta), axis=0)
            expected = (task.simulate(some, again, seed) < outcome)[..., 0].numpy()
        return seen.astype(float), expected.astype(float)

    theta = task.sample_theta(draws.as_seed(_SEED), _DRAWS).numpy().astype(float)
    if not free.all():
        theta[:, ~free] = np.asarray(known_theta, float)[~free]
    seen, expected = looked_at(theta, 1)
    level, found = np.zeros(_DRAWS), []
    for t in range(len(outcome)):
        if t:
            level = level + seen[:, t - 1]
        if _effective(level) < _FEW and free.any():
            theta, log_g = _renewed(theta, free, level, scale, rng)
            seen, expected = looked_at(theta, t + 1)
            log_prior = task.log_prior(tf.constant(theta, tf.float32)).numpy().astype(float)
            level = log_prior - log_g + seen[:, :t].sum(1)
        weight = _weights(level)
        found.append(float(weight @ expected[:, t] / weight.sum()))
    level, found = level + seen[:, -1], np.array(found)
    evidence = float(level.max() + np.log(_weights(level).mean()))
    return Predicted(found if binary else None, None if binary else found, evidence)


def _weights(level) -> np.ndarray:
    """exp(level) up to a factor; all alike where none of the draws can have given the answers."""
    return np.exp(np.maximum(level, _LEAST) - max(level.max(), _LEAST))


def _effective(level) -> float:
    weight = _weights(level)
    return float(weight.sum() ** 2 / np.square(weight).sum())


def _renewed(theta, free, level, scale: Scale, rng) -> tuple[np.ndarray, np.ndarray]:
    """New draws [I, P] by kernels around draws of weight exp(level), and log g of each [I]; what is
    not free stays."""
    weight = _weights(level)
    places = (np.arange(_DRAWS) + rng.random()) / _DRAWS * weight.sum()
    index = np.minimum(np.searchsorted(np.cumsum(weight), places), _DRAWS - 1)
    kernels = Kernels(scale.unbounded(theta[index][:, free]), rng)
    theta = theta.copy()
    theta[:, free] = scale.natural(kernels.sample(_DRAWS))
    place = scale.unbounded(theta[:, free])
    return theta, kernels.log_prob(place) + scale.log_slope(place)
