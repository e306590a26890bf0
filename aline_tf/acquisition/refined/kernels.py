"""Proposals for importance sampling: kernels around draws of a posterior, on the whole line."""

from __future__ import annotations

import math

import numpy as np

#: Draws that carry a kernel, and degrees of freedom of each.
_KERNELS, _FREEDOM = 128, 5
_EDGE = 1e-6


class Scale:
    """Free parameters on the whole line: a logit between bounds, standardised elsewhere."""

    def __init__(self, parameters):
        self._bounded = np.array([p.kind == "interval" for p in parameters])
        self._low = np.array([p.low if p.kind == "interval" else p.loc for p in parameters])
        self._width = np.array(
            [p.high - p.low if p.kind == "interval" else p.scale for p in parameters]
        )

    def unbounded(self, theta):
        unit = (theta - self._low) / self._width
        inside = np.clip(unit, _EDGE, 1.0 - _EDGE)
        return np.where(self._bounded, np.log(inside) - np.log1p(-inside), unit)

    def natural(self, place):
        unit = np.where(self._bounded, 1.0 / (1.0 + np.exp(-place)), place)
        return self._low + self._width * unit

    def log_slope(self, place):
        """log |d place / d theta| [n], summed over the parameters."""
        logit = np.logaddexp(0.0, place) + np.logaddexp(0.0, -place)
        return (np.where(self._bounded, logit, 0.0) - np.log(self._width)).sum(-1)


class Kernels:
    """An even mixture of Student t around some of the draws [n, d], as wide as draws of their
    number let the eye see."""

    def __init__(self, place, rng):
        count, self._dims = place.shape
        self._centers = place[rng.permutation(count)[:_KERNELS]]
        spread = np.atleast_2d(np.cov(place.T)) + 1e-8 * np.eye(self._dims)
        width = len(self._centers) ** (-1.0 / (self._dims + 4))
        self._factor = width * np.linalg.cholesky(spread)
        self._rng = rng

    def sample(self, count):
        center = self._centers[self._rng.integers(len(self._centers), size=count)]
        away = self._rng.standard_normal((count, self._dims)) @ self._factor.T
        heavy = np.sqrt(_FREEDOM / self._rng.chisquare(_FREEDOM, (count, 1)))
        return center + heavy * away

    def log_prob(self, place):
        inverse = np.linalg.inv(self._factor)
        white, centers = place @ inverse.T, self._centers @ inverse.T
        square = np.square(white).sum(-1)[:, None] + np.square(centers).sum(-1)
        square = np.maximum(square - 2.0 * white @ centers.T, 0.0)
        half = 0.5 * (_FREEDOM + self._dims)
        level = -half * np.log1p(square / _FREEDOM)
        top = level.max(-1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(level - top).mean(-1))
        constant = math.lgamma(half) - math.lgamma(0.5 * _FREEDOM)
        constant -= 0.5 * self._dims * math.log(_FREEDOM * math.pi)
        return total + constant - np.log(np.diag(self._factor)).sum()
