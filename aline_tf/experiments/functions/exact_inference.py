"""The exact posterior of the hyper-parameters of a function of one input: the oracle of promises.

    p(v, l | D) ~ p(v) p(l) sum_k N(y; 0, v K_k(l) + s^2 I) / 3,    kernels k, s = .01

on an adaptive product grid of variance v and lengthscale l: of every correlation matrix K_k(l) the
eigenvalues are found once, after which all variances are sums. Answers that are missing are as if
not there; a hyper-parameter given as known has one node. Everything is NumPy in float64 and shares
no code with the task.

Sizes: R states, n observations, (V, L) nodes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from aline_tf.evaluation.promises.inference import (
    Inference,
    JointDraws,
    Summary,
    answered_histories,
)

NOISE = 0.01
LOW, HIGH = np.array([0.1, 0.1]), np.array([1.0, 2.0])
#: Nodes of variance and lengthscale of the coarse grids, in turn, and of the fine one.
COARSE, FINE = (12, 32), (20, 32)
_ROUNDS = 2
_NEGLIGIBLE = 1e-8
_CDF_POINTS = 401


class Axis(NamedTuple):
    """Nodes of one variable of a grid.

    Attributes:
        nodes: where they are.
        prior: their prior mass; 1 where the variable is known.

    Example:
        >>> from aline_tf.experiments.functions.exact_inference import axis_of
        >>> axis_of((0.0, 1.0), 5, (0.0, 2.0)).prior.sum().round(6)
        np.float64(0.5)
    """

    nodes: np.ndarray
    prior: np.ndarray


def axis_of(bounds, size: int, prior, known: float | None = None) -> Axis:
    """The nodes of a variable between bounds, for Gauss-Legendre quadrature.

    Args:
        bounds: (low, high) of the nodes.
        size: how many.
        prior: (low, high) of its uniform prior.
        known: its value where it is given; that is the one node then.
    """
    if known is not None:
        return Axis(np.array([known]), np.ones(1))
    low, high = bounds
    unit, weight = np.polynomial.legendre.leggauss(size)
    nodes = low + (high - low) * (unit + 1.0) / 2.0
    return Axis(nodes, weight / 2.0 * (high - low) / (prior[1] - prior[0]))


def held_bounds(axis: Axis, mass: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The bounds of the nodes that have posterior mass, and a node more on either side.

    Args:
        axis: of one variable.
        mass: of its nodes.
        bounds: (low, high) of its nodes now, which stay where the variable is known.
    """
    if len(axis.nodes) == 1:
        return bounds
    density = mass / axis.prior
    held = np.flatnonzero(density > _NEGLIGIBLE * density.max())
    edges = np.concatenate([bounds[:1], axis.nodes, bounds[1:]])
    return np.array([edges[held[0]], edges[held[-1] + 2]])


def log_evidence(variance: np.ndarray, distance: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """log p(y), the kernel summed out, up to a constant of the number of outcomes: [V, L] in nats.

    Args:
        variance: [V].
        distance: [L, n, n], in lengthscales.
        outcome: [n].
    """
    value, vector = np.linalg.eigh(_correlations(distance))
    square = np.square(np.einsum("klij,i->klj", vector, outcome))
    # Rounding leaves the smallest eigenvalues a hair below zero.
    spread = variance[:, None, None, None] * np.maximum(value, 0.0) + NOISE**2
    level = -0.5 * (np.log(spread) + square / spread).sum(-1)
    return np.logaddexp.reduce(level, axis=1) - np.log(3.0)


def _correlations(distance: np.ndarray) -> np.ndarray:
    """Correlations by the three kernels, [3, ...].

    Args:
        distance: in lengthscales, of any shape.
    """
    third, fifth = np.sqrt(3.0) * distance, np.sqrt(5.0) * distance
    return np.stack(
        [
            np.exp(-0.5 * distance**2),
            (1.0 + third) * np.exp(-third),
            (1.0 + fifth + fifth**2 / 3.0) * np.exp(-fifth),
        ]
    )


class _Weights(NamedTuple):
    """Posterior weights on a grid.

    Attributes:
        nodes: of variance [V] and of lengthscale [L].
        prior: their prior mass, [V] and [L]; 1 where known.
        mass: [V, L], sums to 1.
        log_evidence: log density of the outcomes, up to a constant of their number.
        box: [2, 2], where the nodes lie.
    """

    nodes: tuple[np.ndarray, np.ndarray]
    prior: tuple[np.ndarray, np.ndarray]
    mass: np.ndarray
    log_evidence: float
    box: np.ndarray


class FunctionInference(Inference):
    """The exact posterior of variance and lengthscale, the kernel not being known.

    Example:
        >>> import numpy as np
        >>> from aline_tf.batch_ops import from_history
        >>> from aline_tf.experiments.functions.exact_inference import FunctionInference
        >>> batch = from_history({"D": 1, "F": 1, "P": 2}, np.zeros([1, 0, 1]), np.zeros([1, 0, 1]))
        >>> FunctionInference().summary(batch, np.full((1, 2), 0.5)).mean.round(3)
        array([[0.55, 1.05]])
    """

    def summary(self, batch, theta):
        rows = []
        for row, (design, outcome, known) in enumerate(_observed(batch)):
            posterior = _posterior(design, outcome, known)
            rows.append(_summary(posterior, known, np.asarray(theta[row], float)))
        return Summary(*(np.stack(part) for part in zip(*rows, strict=True)))

    def joint_log_prob(self, batch, theta, order=None):
        found = []
        for row, (design, outcome, known) in enumerate(_observed(batch)):
            posterior = _posterior(design, outcome, known)
            point = [known.get(p, float(theta[row, p])) for p in (0, 1)]
            at = _weights(
                np.stack([point, point], 1), design, outcome, (1, 1), dict(enumerate(point))
            )
            free = [p for p in (0, 1) if p not in known]
            inside = all(LOW[p] <= point[p] <= HIGH[p] for p in free)
            log_prior = -np.log(HIGH - LOW)[free].sum()
            level = at.log_evidence + log_prior - posterior.log_evidence
            found.append(level if inside else -np.inf)
        return np.array(found)

    def joint_draws(self, batch, count, seed=0):
        rng, found = np.random.default_rng(seed), []
        for design, outcome, known in _observed(batch):
            posterior = _posterior(design, outcome, known)
            mass = posterior.mass
            apart = np.outer(mass.sum(1), mass.sum(0))
            there = mass > 0.0
            gain = np.log(mass, out=np.zeros_like(mass), where=there)
            gain -= np.log(apart, out=np.zeros_like(mass), where=there)
            place = np.unravel_index(rng.choice(mass.size, count, p=mass.ravel()), mass.shape)
            theta = np.stack([n[p] for n, p in zip(posterior.nodes, place, strict=True)], -1)
            free = [p for p in (0, 1) if p not in known]
            density = np.log(mass[place] / np.outer(*posterior.prior)[place])
            log_prob = density - np.log(HIGH - LOW)[free].sum()
            found.append((theta, log_prob, gain[place], (mass * gain).sum()))
        return JointDraws(*(np.stack(part) for part in zip(*found, strict=True)))

    def correlation(self, batch):
        found = []
        for design, outcome, known in _observed(batch):
            posterior = _posterior(design, outcome, known)
            margins = posterior.mass.sum(1), posterior.mass.sum(0)
            away = [n - m @ n for n, m in zip(posterior.nodes, margins, strict=True)]
            sd = [np.sqrt(m @ a**2) for a, m in zip(away, margins, strict=True)]
            between = away[0] @ posterior.mass @ away[1] / max(sd[0] * sd[1], 1e-12)
            found.append([[1.0, between], [between, 1.0]])
        return np.array(found)


def _observed(batch):
    """(places [n], answers [n], known values by index) of every row."""
    for design, outcome, known in answered_histories(batch):
        yield design[:, 0], outcome, known


def _posterior(design, outcome, known) -> _Weights:
    box = np.stack([LOW, HIGH], axis=1)
    for _ in range(_ROUNDS):
        box = _tight(_weights(box, design, outcome, COARSE, known))
    return _weights(box, design, outcome, FINE, known)


def _weights(box, design, outcome, sizes, known) -> _Weights:
    """Prior times evidence on a grid over the box."""
    axes = [
        axis_of(bounds, sizes[p], (LOW[p], HIGH[p]), known.get(p)) for p, bounds in enumerate(box)
    ]
    nodes, prior = zip(*axes, strict=True)
    distance = np.abs(design[:, None] - design) / nodes[1][:, None, None]
    level = log_evidence(nodes[0], distance, outcome)
    level = level + np.log(prior[0])[:, None] + np.log(prior[1])
    top = level.max()
    mass = np.exp(level - top)
    total = mass.sum()
    return _Weights(nodes, prior, mass / total, float(top + np.log(total)), box)


def _tight(posterior: _Weights) -> np.ndarray:
    """The box of the nodes that have mass, and a node more on either side."""
    axes = map(Axis, posterior.nodes, posterior.prior)
    return np.stack(
        [
            held_bounds(axis, posterior.mass.sum(1 - p), bounds)
            for p, (axis, bounds) in enumerate(zip(axes, posterior.box, strict=True))
        ]
    )


def _summary(posterior: _Weights, known, truth) -> np.ndarray:
    """The arrays of a `Summary` of one state, [6, 2]."""
    found = np.zeros((6, 2))
    for p, (nodes, prior) in enumerate(zip(posterior.nodes, posterior.prior, strict=True)):
        if p in known:
            found[:, p] = known[p], 0.0, known[p], known[p], float(known[p] <= truth[p]), np.nan
            continue
        mass = posterior.mass.sum(1 - p)
        mean = mass @ nodes
        sd = np.sqrt(mass @ np.square(nodes - mean))
        x = np.linspace(*posterior.box[p], _CDF_POINTS)
        density = np.maximum(CubicSpline(nodes, mass / prior)(x), 0.0)
        cdf = np.append(0.0, np.cumsum(0.5 * (density[1:] + density[:-1]))) * (x[1] - x[0])
        density, cdf = density / cdf[-1], cdf / cdf[-1]
        low, high = np.interp((0.05, 0.95), cdf, x)
        at = np.interp(truth[p], x, density, left=0.0, right=0.0)
        found[:, p] = mean, sd, low, high, np.interp(truth[p], x, cdf), np.log(max(at, 1e-30))
    return found
