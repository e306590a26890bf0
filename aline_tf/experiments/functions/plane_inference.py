"""The exact posterior of the hyper-parameters of a function of two inputs: an oracle of promises.

    p(v, l, m | D) ~ p(v) p(l) (p(m) + delta(m - l)) sum_k N(y; 0, v K_k(l, m) + s^2 I)

Half of the functions have one lengthscale for both inputs: the prior is a plane of pairs and the
line on which the two are equal, and so is the posterior. Both are adaptive product grids, of which
variances are sums as in one dimension (see `aline_tf.experiments.functions.exact_inference`). A
lengthscale given as known leaves a line of the plane, and a point of the line.

Sizes: R states, n observations, V variances, L pairs of lengthscales.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aline_tf.evaluation.promises.inference import Inference, Summary, answered_histories
from aline_tf.experiments.functions.exact_inference import (
    Axis,
    axis_of,
    held_bounds,
    log_evidence,
)

LOW = np.array([0.1, 0.1 * np.sqrt(2.0), 0.1 * np.sqrt(2.0)])
HIGH = np.array([1.0, 2.0 * np.sqrt(2.0), 2.0 * np.sqrt(2.0)])
#: Nodes of the variance, of each lengthscale on the plane, and of the line.
COARSE, FINE = (10, 14, 32), (16, 28, 60)
_ROUNDS = 3
_CDF_POINTS = 801


class _Posterior(NamedTuple):
    """Weights on the grids.

    Attributes:
        variance: its axis.
        plane: the axes of both lengthscales.
        line: the axis of the one they share.
        on_plane: [V, L1, L2], and `on_line` [V, L]; together they sum to 1.
    """

    variance: Axis
    plane: tuple[Axis, Axis]
    line: Axis
    on_plane: np.ndarray
    on_line: np.ndarray


class PlaneInference(Inference):
    """The exact posterior of variance and lengthscales, the kernel not being known.

    The density of the joint has no meaning where the two lengthscales are equal with a probability,
    nor has that of one of them where the other is known: it is NaN there.

    Example:
        >>> import numpy as np
        >>> from aline_tf.batch_ops import from_history
        >>> from aline_tf.experiments.functions.plane_inference import PlaneInference
        >>> batch = from_history({"D": 2, "F": 1, "P": 3}, np.zeros([1, 0, 2]), np.zeros([1, 0, 1]))
        >>> PlaneInference().summary(batch, np.full((1, 3), 0.5)).mean.round(3)
        array([[0.55 , 1.485, 1.485]])
    """

    def summary(self, batch, theta):
        rows = []
        for row, (design, outcome, known) in enumerate(answered_histories(batch)):
            rows.append(_summary(_posterior(design, outcome, known), np.asarray(theta[row], float)))
        return Summary(*(np.stack(part) for part in zip(*rows, strict=True)))

    def correlation(self, batch):
        found = []
        for design, outcome, known in answered_histories(batch):
            posterior = _posterior(design, outcome, known)
            theta, mass = _points(posterior)
            away = theta - mass @ theta
            covariance = (away * mass[:, None]).T @ away
            sd = np.sqrt(np.diag(covariance))
            scale = np.outer(sd, sd)
            found.append(np.divide(covariance, scale, out=np.eye(len(sd)), where=scale > 1e-12))
        return np.array(found)


def _posterior(design, outcome, known) -> _Posterior:
    box = [np.stack([LOW, HIGH], 1), np.array([LOW[1], HIGH[1]])]
    for _ in range(_ROUNDS):
        box = _tight(_weights(box, design, outcome, COARSE, known), box)
    return _weights(box, design, outcome, FINE, known)


def _weights(box, design, outcome, sizes, known) -> _Posterior:
    """Prior times evidence on grids over the boxes."""
    variance, *plane = (
        axis_of(box[0][p], sizes[min(p, 1)], (LOW[p], HIGH[p]), known.get(p)) for p in range(3)
    )
    given = [known[p] for p in (1, 2) if p in known]
    line = axis_of(box[1], sizes[2], (LOW[1], HIGH[1]), given[0] if given else None)
    shares = [0.5, 0.5]
    if len(given) == 2:
        # Of a pair that is known, the one has all mass and the other none.
        shares = [0.0, 1.0] if given[0] == given[1] else [1.0, 0.0]
    levels = []
    for share, lengths, prior in (
        (shares[0], _pairs(plane), np.outer(plane[0].prior, plane[1].prior)),
        (shares[1], np.stack([line.nodes] * 2, 1), line.prior),
    ):
        if not share:
            levels.append(np.full((len(variance.nodes), *prior.shape), -np.inf))
            continue
        scaled = design / lengths[:, None]
        distance = np.sqrt(np.square(scaled[:, :, None] - scaled[:, None]).sum(-1))
        level = log_evidence(variance.nodes, distance, outcome)
        level = level.reshape(len(variance.nodes), *prior.shape)
        level = level + np.log(share * prior)
        levels.append(level + np.log(variance.prior).reshape(-1, *[1] * prior.ndim))
    top = max(level.max() for level in levels)
    masses = [np.exp(level - top) for level in levels]
    total = sum(mass.sum() for mass in masses)
    return _Posterior(variance, tuple(plane), line, *(mass / total for mass in masses))


def _pairs(plane) -> np.ndarray:
    first, second = np.meshgrid(plane[0].nodes, plane[1].nodes, indexing="ij")
    return np.stack([first.ravel(), second.ravel()], 1)


def _tight(posterior: _Posterior, box):
    """The boxes of the nodes that have mass, and a node more on either side."""
    on_plane, on_line = posterior.on_plane, posterior.on_line
    of_variance = on_plane.sum((1, 2)) + on_line.sum(1)
    tight = [box[0].copy(), box[1].copy()]
    tight[0][0] = held_bounds(posterior.variance, of_variance, box[0][0])
    if on_plane.any():
        for p, others in ((1, (0, 2)), (2, (0, 1))):
            tight[0][p] = held_bounds(posterior.plane[p - 1], on_plane.sum(others), box[0][p])
    if on_line.any():
        tight[1][:] = held_bounds(posterior.line, on_line.sum(0), box[1])
    return tight


def _points(posterior: _Posterior):
    """All nodes [n, 3] and their mass [n]."""
    variance, found = posterior.variance.nodes, []
    for lengths in (_pairs(posterior.plane), np.stack([posterior.line.nodes] * 2, 1)):
        found.append(
            np.concatenate(
                [np.repeat(variance, len(lengths))[:, None], np.tile(lengths, (len(variance), 1))],
                1,
            )
        )
    mass = [posterior.on_plane.ravel(), posterior.on_line.ravel()]
    return np.concatenate(found), np.concatenate(mass)


def _summary(posterior: _Posterior, truth) -> np.ndarray:
    """The arrays of a `Summary` of one state, [6, 3]."""
    theta, mass = _points(posterior)
    found = np.zeros((6, 3))
    found[0] = mass @ theta
    found[1] = np.sqrt(mass @ np.square(theta - found[0]))
    on_plane, on_line = posterior.on_plane, posterior.on_line
    marginals = (
        [(posterior.variance, on_plane.sum((1, 2)) + on_line.sum(1))],
        [(posterior.plane[0], on_plane.sum((0, 2))), (posterior.line, on_line.sum(0))],
        [(posterior.plane[1], on_plane.sum((0, 1))), (posterior.line, on_line.sum(0))],
    )
    for p, parts in enumerate(marginals):
        x = np.linspace(LOW[p], HIGH[p], _CDF_POINTS)
        cdf, has_density = np.zeros(len(x)), True
        for axis, part in parts:
            if len(axis.nodes) == 1:
                cdf += part.sum() * (x >= axis.nodes[0])
                has_density = has_density and not part.any()
            elif part.any():
                cdf += _cdf(axis, part, x)
        low, high = (np.interp(level, cdf, x) for level in (0.05, 0.95))
        found[2:5, p] = low, high, np.interp(truth[p], x, cdf)
        step = x[1] - x[0]
        density = np.interp(truth[p], x, np.gradient(cdf, step))
        found[5, p] = np.log(max(density, 1e-30)) if has_density else np.nan
    return found


def _cdf(axis: Axis, mass, x) -> np.ndarray:
    """Cumulative mass at x, by what lies between the nodes: their weights are those of intervals
    that follow each other."""
    from scipy.interpolate import PchipInterpolator

    width = axis.prior / axis.prior.sum()
    # The interval around each node, of the width of its weight.
    span = (axis.nodes[-1] - axis.nodes[0]) / (1.0 - 0.5 * (width[0] + width[-1]))
    low = axis.nodes[0] - 0.5 * width[0] * span
    edges = low + span * np.append(0.0, np.cumsum(width))
    total = np.append(0.0, np.cumsum(mass))
    return PchipInterpolator(edges, total, extrapolate=False)(np.clip(x, edges[0], edges[-1]))
