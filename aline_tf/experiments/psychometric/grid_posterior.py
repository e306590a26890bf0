"""Exact posterior of the psychometric function, by quadrature: the oracle of the evaluation.

With L(theta) the likelihood of the trials so far and every prior uniform, all that is reported
follows from evidences with some parameters held fixed,

    Z_A(v) = integral of L over the parameters outside A, those in A held at v,
    p(theta_a = v | D)              = p(v) Z_{a}(v) / Z_{}
    p(theta_a = v | D, theta_b = w) = p(v) Z_{a,b}(v, w) / Z_{b}(w),

so a marginal density at the true value is computed at that very value, not read off a cell.

Sizes: S runs, T trials, K reported steps, n_p nodes of parameter p (1 where it is held fixed).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from aline_tf.experiments.psychometric.psychometric_grid import (
    PARAMETER_HIGH,
    PARAMETER_LOW,
    Axis,
    link,
    prior_axes,
)

# Nodes held in memory at once; a float32 array of this size stays in a core's cache.
_CHUNK_NODES = 2**18
_RESCALE_EVERY = 8
# Points of the distribution function that quantiles are read from.
_CDF_POINTS = 401


@dataclass(frozen=True)
class Marginals:
    """Marginal posteriors of a group of runs at the reported steps.

    Attributes:
        mass: for each parameter, [S, K, n_p]; sums to 1 over the last axis.
        nodes: for each parameter, [S or 1, n_p].
        axes: for each parameter its quadrature axis, or None where it was held fixed.
        log_evidence: [S, K], log probability of the outcomes so far.

    Example:
        >>> import numpy as np
        >>> from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
        >>> found = GridPosterior((8, 4, 4, 4)).marginals(np.zeros((2, 3)), np.ones((2, 3)), (0, 3))
        >>> found.mean().shape
        (2, 2, 4)
    """

    mass: tuple[np.ndarray, ...]
    nodes: tuple[np.ndarray, ...]
    axes: tuple[Axis | None, ...]
    log_evidence: np.ndarray

    def mean(self) -> np.ndarray:
        """Posterior means [S, K, 4]."""
        return np.stack(
            [
                np.einsum("skn,sn->sk", mass, np.broadcast_to(nodes, mass[:, 0].shape))
                for mass, nodes in zip(self.mass, self.nodes, strict=True)
            ],
            axis=-1,
        )

    def sd(self) -> np.ndarray:
        """Posterior standard deviations [S, K, 4]; 0 where a parameter was held fixed."""
        mean = self.mean()
        square = [
            np.einsum("skn,sn->sk", mass, np.broadcast_to(nodes**2, mass[:, 0].shape))
            for mass, nodes in zip(self.mass, self.nodes, strict=True)
        ]
        return np.sqrt(np.maximum(np.stack(square, -1) - mean**2, 0.0))

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """Quantiles [S, K, 4, Q] at `levels` in (0, 1); the value itself where held fixed.

        The density at the nodes is joined by a cubic spline and integrated; the quadrature
        weights alone would place a quantile no better than between two nodes.
        """
        parts = []
        for p, (mass, axis) in enumerate(zip(self.mass, self.axes, strict=True)):
            if axis is None:
                value = np.broadcast_to(self.nodes[p][..., None], (*mass.shape[:2], len(levels)))
                parts.append(value)
                continue
            x = np.linspace(PARAMETER_LOW[p], PARAMETER_HIGH[p], _CDF_POINTS)
            density = np.maximum(CubicSpline(axis.nodes, mass / axis.mass, axis=-1)(x), 0.0)
            cdf = np.zeros_like(density)
            np.cumsum(0.5 * (density[..., 1:] + density[..., :-1]), axis=-1, out=cdf[..., 1:])
            cdf /= cdf[..., -1:]
            parts.append(_inverse(cdf, x, np.asarray(levels)))
        return np.stack(parts, axis=2)


def _inverse(cdf: np.ndarray, x: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Where distribution functions [..., X] on the even grid `x` [X] reach `levels` [Q]."""
    step = np.stack([(cdf < level).sum(-1) for level in levels], -1).clip(1, len(x) - 1)
    left, right = (np.take_along_axis(cdf, step - k, -1) for k in (1, 0))
    share = (levels - left) / np.maximum(right - left, 1e-30)
    return x[step - 1] + np.clip(share, 0.0, 1.0) * (x[1] - x[0])


class GridPosterior:
    """Exact posterior given trials, for many runs.

    Args:
        sizes: Gauss-Legendre nodes of threshold, slope, guess, lapse. The default is within
            0.001 nats, on average, of a grid three times as fine in threshold and slope.

    Example:
        >>> import numpy as np
        >>> from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
        >>> exact = GridPosterior((8, 4, 4, 4))
        >>> exact.marginals(np.zeros((1, 1)), np.ones((1, 1)), (0,)).mean()[0, 0].round(2).tolist()
        [0.0, 1.05, 0.5, 0.25]
    """

    def __init__(self, sizes: tuple[int, int, int, int] = (64, 24, 16, 16)):
        self.axes = prior_axes(sizes)

    def marginals(
        self,
        design: np.ndarray,
        outcome: np.ndarray,
        steps: Sequence[int],
        fixed: Mapping[int, np.ndarray] | None = None,
    ) -> Marginals:
        """Marginal posteriors after each of `steps` trials.

        Args:
            design: [S, T] stimuli.
            outcome: [S, T], 0 or 1.
            steps: trials used, ascending, each in 0..T.
            fixed: values [S] of parameters (by index) to condition on.
        """
        fixed = dict(fixed or {})
        runs = len(design)
        shape = self._shape(fixed)
        mass = tuple(np.zeros((runs, len(steps), n)) for n in shape)
        log_evidence = np.zeros((runs, len(steps)))
        for rows, k, weights, log_scale in self._posteriors(design, outcome, steps, fixed):
            # Sum guess and lapse out first; float64 where few numbers are left.
            asymptotes = weights.sum((1, 2)).astype(float)
            curve = weights.sum((3, 4)).astype(float)
            total = curve.sum((1, 2))
            parts = (curve.sum(2), curve.sum(1), asymptotes.sum(2), asymptotes.sum(1))
            for p, part in enumerate(parts):
                mass[p][rows, k] = part / part.sum(-1, keepdims=True)
            log_evidence[rows, k] = np.log(total) + log_scale
        nodes = tuple(
            np.asarray(fixed[p], float)[:, None] if p in fixed else axis.nodes[None]
            for p, axis in enumerate(self.axes)
        )
        axes = tuple(None if p in fixed else axis for p, axis in enumerate(self.axes))
        return Marginals(mass, nodes, axes, log_evidence)

    def log_density(
        self,
        design: np.ndarray,
        outcome: np.ndarray,
        theta: np.ndarray,
        steps: Sequence[int],
        known: int | None = None,
        log_evidence: np.ndarray | None = None,
    ) -> np.ndarray:
        """Marginal posterior log density of each parameter at `theta`, in nats.

        Args:
            design, outcome: [S, T].
            theta: [S, 4], the values at which densities are taken.
            steps: trials used, ascending.
            known: index of a parameter whose value `theta[:, known]` is known; its own density is
                returned as NaN.
            log_evidence: [S, K] of the same trials from `marginals`, if at hand, to save the pass.

        Returns:
            [S, K, 4].
        """
        base = {} if known is None else {known: theta[:, known]}
        if log_evidence is None:
            log_evidence = self.marginals(design, outcome, steps, base).log_evidence
        density = np.full((*log_evidence.shape, len(self.axes)), np.nan)
        for p in range(len(self.axes)):
            if p == known:
                continue
            held = self.marginals(design, outcome, steps, base | {p: theta[:, p]}).log_evidence
            log_prior = -np.log(PARAMETER_HIGH[p] - PARAMETER_LOW[p])
            density[..., p] = held - log_evidence + log_prior
        return density

    def _shape(self, fixed: Mapping[int, np.ndarray]) -> tuple[int, ...]:
        return tuple(1 if p in fixed else len(a.nodes) for p, a in enumerate(self.axes))

    def _posteriors(
        self,
        design: np.ndarray,
        outcome: np.ndarray,
        steps: Sequence[int],
        fixed: Mapping[int, np.ndarray],
    ) -> Iterator[tuple[slice, int, np.ndarray, np.ndarray]]:
        """Yields (rows, index of the step, weights [s, n1, n2, n3, n4], log scale [s])."""
        size = max(1, _CHUNK_NODES // int(np.prod(self._shape(fixed))))
        for start in range(0, len(design), size):
            rows = slice(start, min(start + size, len(design)))
            held = {p: np.asarray(v, float)[rows] for p, v in fixed.items()}
            yield from self._chunk(rows, design[rows], outcome[rows], steps, held)

    def _chunk(self, rows, design, outcome, steps, held):
        """`_posteriors` of the runs `rows`, whose trials and held values are given."""
        shape = self._shape(held)
        threshold, slope, guess, lapse = (
            held[p][:, None] if p in held else axis.nodes[None] for p, axis in enumerate(self.axes)
        )
        threshold, slope = threshold[:, :, None], slope[:, None, :]
        guess_lapse = guess[:, :, None] * lapse[:, None, :]
        one_minus_lapse = 1.0 - lapse
        weights = np.ones((len(design), *shape), np.float32)
        for p, axis in enumerate(self.axes):
            if p not in held:
                weights *= np.moveaxis(axis.mass.reshape(-1, 1, 1, 1), 0, p).astype(np.float32)
        log_scale = np.zeros(len(design))
        factor = np.empty_like(weights)
        place_of = {step: k for k, step in enumerate(steps)}
        for t in range(max(steps) + 1):
            if t:
                # p(y) = offset + gain * F with offset over (guess, lapse) and gain over lapse.
                sign = np.where(outcome[:, t - 1] > 0.5, 1.0, -1.0)
                offset = (sign < 0)[:, None, None] + sign[:, None, None] * guess_lapse
                gain = sign[:, None] * one_minus_lapse
                curve = link((design[:, t - 1, None, None] - threshold) / slope)
                np.multiply(
                    curve.astype(np.float32)[..., None, None],
                    gain.astype(np.float32)[:, None, None, None, :],
                    out=factor,
                )
                factor += offset.astype(np.float32)[:, None, None]
                # Rounding can leave 1 - p a hair below zero where F is 1.
                np.maximum(factor, 0.0, out=factor)
                weights *= factor
            if t and t % _RESCALE_EVERY == 0:
                # Keeps long histories inside float32's range.
                peak = np.maximum(weights.max((1, 2, 3, 4)), np.float32(1e-37))
                weights /= peak[:, None, None, None, None]
                log_scale += np.log(peak.astype(float))
            if t in place_of:
                yield rows, place_of[t], weights, log_scale
