"""Gaussian processes of two kernels on a grid of lengthscales, at designs that grow one by one.

    K = v k(r) + s I = L L'        v the variance, s the noise, r in units of each lengthscale

What is asked of a process is asked of the outcomes after L^-1. One design more adds a row,

    l = L^-1 k_n,   d^2 = K_nn - l'l,   row n of L^-1 = (-l' L^-1, 1) / d,

in n^2 operations where a factorisation takes n^3; the same with b designs at once, where d is a
Cholesky factor. So the rows of designs that come first again are kept.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

_TINY = 1e-12
#: Of longer histories nothing is kept: of two dimensions it would be megabytes.
_KEPT = 64
#: Combinations of lengthscales; all there are in three dimensions, and some of them in more.
_COMBINATIONS = 216


class Evidence(NamedTuple):
    """What G processes say of outcomes, mean and scale integrated out.

    Attributes:
        log_evidence: [G], up to a constant.
        center: [G], the mean that each finds, 1' K^-1 y / 1' K^-1 1.
        square: [G], e' K^-1 e, where e is y less the mean.
    """

    log_evidence: np.ndarray
    center: np.ndarray
    square: np.ndarray


class ProcessGrid:
    """The processes, and what is kept of the designs that they were last asked about.

    Args:
        lengthscales: [G, D], of the RBF kernels and then of the Matern 5/2 kernels.
        variance, noise: v and s.

    Example:
        >>> import numpy as np
        >>> from aline_tf.units.process_grid import ProcessGrid
        >>> grid = ProcessGrid(np.array([[1.0], [2.0]]), variance=1.0, noise=0.1)
        >>> grid.evidence(np.array([[0.0], [1.0]]), np.array([-1.0, 1.0])).center.round(6).tolist()
        [0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, lengthscales: np.ndarray, variance: float, noise: float):
        self.lengthscales, self.variance, self.noise = lengthscales, variance, noise
        self._kept = self._nothing()

    def _nothing(self):
        """Designs [0, D], and L^-1 of every process at them."""
        count, dims = self.lengthscales.shape
        return np.zeros((0, dims)), np.zeros((2 * count, 0, 0))

    def __getstate__(self):
        # What is kept is found again.
        return self.__dict__ | {"_kept": self._nothing()}

    def evidence(self, design: np.ndarray, outcome: np.ndarray) -> Evidence:
        """What the processes say of outcomes of about size one.

        Args:
            design: [n, D], n at least 1.
            outcome: [n].
        """
        inverse = self._inverse_factor(design)
        columns = np.stack([np.ones(len(outcome)), outcome], axis=1)
        white = inverse @ columns
        ones, y = white[..., 0], white[..., 1]
        precision = np.einsum("gn,gn->g", ones, ones)
        center = np.einsum("gn,gn->g", ones, y) / precision
        away = y - center[:, None] * ones
        square = np.maximum(np.einsum("gn,gn->g", away, away), _TINY)
        log_evidence = -0.5 * (len(outcome) - 1) * np.log(square) - 0.5 * np.log(precision)
        log_evidence += np.log(np.einsum("gnn->gn", inverse)).sum(1)
        return Evidence(log_evidence, center, square)

    def _inverse_factor(self, design) -> np.ndarray:
        """L^-1 of every process: [2 G, n, n]."""
        # Read once and written once: threads may share what is kept.
        kept_design, inverse = self._kept
        common = min(len(design), len(kept_design))
        changed = (design[:common] != kept_design[:common]).any(1)
        if changed.any():
            common = int(changed.argmax())
        inverse = inverse[:, :common, :common]
        if common < len(design):
            inverse = self._grown(inverse, design, common)
        if len(design) <= _KEPT:
            self._kept = design.copy(), inverse
        return inverse

    def _grown(self, inverse, design, kept):
        """L^-1 of all designs from that of those that were kept."""
        new = len(design) - kept
        covariance = self.variance * unit_covariances(design[kept:], design, self.lengthscales)
        row = covariance[:, :, :kept] @ inverse.transpose(0, 2, 1)
        rest = covariance[:, :, kept:] - row @ row.transpose(0, 2, 1) + self.noise * np.eye(new)
        corner = np.linalg.inv(np.linalg.cholesky(rest)) if new > 1 else 1.0 / np.sqrt(rest)
        grown = np.zeros((len(inverse), len(design), len(design)))
        grown[:, :kept, :kept] = inverse
        grown[:, kept:, :kept] = -corner @ row @ inverse
        grown[:, kept:, kept:] = corner
        return grown


def lengthscale_grid(lengthscales, dims: int) -> np.ndarray:
    """Combinations of some lengthscales in D dimensions: [G, D].

    Every one of them while they are few. Their number grows with the power of D: of too many it is
    those with one lengthscale in all dimensions, and others at random (the same in every call).

    Args:
        lengthscales: of one dimension.
        dims: D.
    """
    if len(lengthscales) ** dims <= _COMBINATIONS:
        return np.array(list(itertools.product(lengthscales, repeat=dims)))
    equal = np.repeat(np.asarray(lengthscales)[:, None], dims, axis=1)
    others = np.random.default_rng(0).choice(lengthscales, (_COMBINATIONS - len(equal), dims))
    return np.concatenate([equal, others])


def unit_covariances(first: np.ndarray, second: np.ndarray, lengthscales) -> np.ndarray:
    """The RBF kernel, then Matern 5/2, for every lengthscale [G, D] between designs [n, D] and
    [m, D]: [2 G, n, m]."""
    gap = np.square(first[:, None] - second).reshape(-1, first.shape[1])
    square = np.square(1.0 / lengthscales) @ gap.T
    square = square.reshape(-1, len(first), len(second))
    away = np.sqrt(5.0 * square)
    matern = (1.0 + away + np.square(away) / 3.0) * np.exp(-away)
    return np.concatenate([np.exp(-0.5 * square), matern])
