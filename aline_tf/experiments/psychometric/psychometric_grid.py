"""A grid over the four parameters of the psychometric function, for exact Bayesian baselines.

The generative model, with theta = (threshold, slope, guess, lapse) and a stimulus x:

    y | x, theta ~ Bernoulli(guess * lapse + (1 - lapse) * F((x - threshold) / slope))
    F(z) = 1 - exp(-10**z)
    threshold ~ U(-3, 3)   slope ~ U(0.1, 2)   guess ~ U(0.1, 0.9)   lapse ~ U(0, 0.5)

Everything here is numpy: it is the oracle that the model is compared with, so it shares no
code with it. The probability is linear in F for given (guess, lapse), which is why a grid never
needs a table of likelihoods: sums over (guess, lapse) can be taken before F enters.

Sizes: B rows, X designs, (n1, n2, n3, n4) nodes of the four axes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

PARAMETER_NAMES = ("threshold", "slope", "guess", "lapse")
PARAMETER_LOW = np.array([-3.0, 0.1, 0.1, 0.0])
PARAMETER_HIGH = np.array([3.0, 2.0, 0.9, 0.5])
DESIGN_LOW, DESIGN_HIGH = -5.0, 5.0

# 10**z saturates F long before this; the clip keeps float32 free of overflow.
_LARGEST_EXPONENT = 4.0


def link(z: np.ndarray) -> np.ndarray:
    """F(z) = 1 - exp(-10**z), elementwise, of any shape; values in [0, 1]."""
    return -np.expm1(-np.power(10.0, np.minimum(z, _LARGEST_EXPONENT)))


def success_probability(theta: np.ndarray, design: np.ndarray) -> np.ndarray:
    """P(y = 1 | x, theta).

    Args:
        theta: [..., 4], (threshold, slope, guess, lapse) in their own units.
        design: [...], broadcast against the leading axes of `theta`.

    Returns:
        Probabilities, of the broadcast shape.
    """
    threshold, slope, guess, lapse = np.moveaxis(np.asarray(theta), -1, 0)
    return guess * lapse + (1.0 - lapse) * link((design - threshold) / slope)


def sample_prior(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draws theta [size, 4] from the uniform prior."""
    return rng.uniform(PARAMETER_LOW, PARAMETER_HIGH, (size, len(PARAMETER_NAMES)))


@functools.cache
def _legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [-1, 1]; finding them takes longer than using them."""
    return np.polynomial.legendre.leggauss(n)


@dataclass(frozen=True)
class Axis:
    """Quadrature nodes of one parameter under its uniform prior.

    Attributes:
        nodes: [n] values, ascending.
        mass: [n] prior probability of each node; sums to 1.

    Example:
        >>> from aline_tf.experiments.psychometric.psychometric_grid import Axis
        >>> axis = Axis.gauss_legendre(0.0, 1.0, 8)
        >>> round(float((axis.mass * axis.nodes).sum()), 6)
        0.5
    """

    nodes: np.ndarray
    mass: np.ndarray

    @classmethod
    def gauss_legendre(cls, low: float, high: float, n: int) -> Axis:
        """Nodes that integrate polynomials of degree 2 n - 1 exactly.

        A likelihood of t trials is a polynomial of degree at most t in guess and in lapse, so 16
        nodes make means after 30 trials exact in those two directions.
        """
        nodes, weights = _legendre(n)
        return cls(low + (high - low) * (nodes + 1.0) / 2.0, weights / 2.0)


def prior_axes(sizes: tuple[int, int, int, int]) -> tuple[Axis, Axis, Axis, Axis]:
    """Gauss-Legendre axes over the prior's box with `sizes` nodes."""
    return tuple(
        Axis.gauss_legendre(low, high, n)
        for low, high, n in zip(PARAMETER_LOW, PARAMETER_HIGH, sizes, strict=True)
    )


class PsychometricGrid:
    """Posterior weights on a product grid, updated one trial at a time.

    Args:
        sizes: nodes of threshold, slope, guess, lapse.
        dtype: of the weights; float32 halves the memory and is exact to about 1e-6.

    Example:
        >>> import numpy as np
        >>> from aline_tf.experiments.psychometric.psychometric_grid import PsychometricGrid
        >>> grid = PsychometricGrid((8, 4, 4, 4))
        >>> weights = grid.prior(1)
        >>> grid.update(weights, np.array([0.5]), np.array([1.0]), np.array([True]))
        >>> round(float(weights.sum()), 4)
        1.0
    """

    def __init__(self, sizes: tuple[int, int, int, int] = (32, 16, 10, 8), dtype=np.float32):
        self.axes = prior_axes(sizes)
        self.shape = tuple(sizes)
        self.dtype = np.dtype(dtype)
        threshold, slope, guess, lapse = (axis.nodes for axis in self.axes)
        self._threshold, self._slope = threshold[:, None], slope[None, :]
        self.guess_times_lapse = (guess[:, None] * lapse[None, :]).astype(dtype)
        self.one_minus_lapse = np.broadcast_to(1.0 - lapse, self.guess_times_lapse.shape).astype(
            dtype
        )

    def prior(self, rows: int) -> np.ndarray:
        """Prior weights [rows, n1, n2, n3, n4]; each row sums to 1."""
        mass = np.ones(())
        for axis in self.axes:
            mass = mass[..., None] * axis.mass
        return np.repeat(mass[None].astype(self.dtype), rows, axis=0)

    def curve(self, designs: np.ndarray) -> np.ndarray:
        """F((x - threshold) / slope) at designs [X]; returns [X, n1, n2]."""
        z = (np.asarray(designs, float)[:, None, None] - self._threshold) / self._slope
        return link(z).astype(self.dtype)

    def update(
        self, weights: np.ndarray, design: np.ndarray, outcome: np.ndarray, observed: np.ndarray
    ) -> None:
        """Multiplies one trial of each row into `weights`, in place, and normalises.

        Args:
            weights: [B, n1, n2, n3, n4].
            design, outcome: [B]; outcome is 0 or 1.
            observed: [B] bool; rows without an answer keep their weights.
        """
        for row in np.flatnonzero(observed):
            # p(y) = offset + gain * F, one row at a time so that the working set stays in cache.
            sign = self.dtype.type(1.0 if outcome[row] > 0.5 else -1.0)
            offset = sign * self.guess_times_lapse + self.dtype.type(sign < 0)
            likelihood = self.curve(design[row : row + 1])[0][:, :, None, None] * (
                sign * self.one_minus_lapse
            )
            likelihood += offset
            weights[row] *= np.maximum(likelihood, 0.0, out=likelihood)
            weights[row] /= weights[row].sum(dtype=np.float64).astype(self.dtype)
