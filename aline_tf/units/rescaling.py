"""Functions unlike those a model was trained on, brought to the range that it knows.

A model of a Gaussian process task has met functions of mean 0, of a spread of about .7 and of
lengthscales up to 2 sqrt(D), on [-5, 5]^D. For any other function the pair of affine maps

    y' = (y - offset) / scale          x'_j = shrink_j x_j,   0 < shrink_j <= 1

is estimated anew from whatever has been observed, the model is asked about (x', y'), and its
predictions are mapped back. A shrunk box makes a function that is smoother than all of training
look like one of it; one that is rougher cannot be stretched, for its designs would leave the box.

The estimate averages over Gaussian processes on a grid of lengthscales l (both shorter and longer
than the prior's), each weighted by its evidence with the mean and the scale integrated out. For
one of them, with K its covariance at the n observed designs and e = y - offset,

    offset = 1' K^-1 y / 1' K^-1 1,   scale^2 = e' K^-1 e / (n - 1),   shrink_j = min(1, cap / l_j).

So designs that lie close together count as little as they say, and one or two observations lead
to mild answers. The scale is then kept where the farthest scaled outcome lies between two bounds:
a function beyond training fails, and one pressed flat by a slow trend is lost too. Everything
scales and shifts with the outcomes: units do not matter.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aline_tf.batch import answered
from aline_tf.units.process_grid import ProcessGrid, lengthscale_grid

#: Of the scaled outcomes: the mean variance of the prior, and the noise it was trained with.
_VARIANCE, _NOISE = 0.55, 1e-4
#: Variances of the prior that are told apart where the scale itself is in doubt, and quantiles that
#: stand for a chi square.
_VARIANCES, _CHI_SQUARES = (0.15, 0.4, 0.8), 9
#: Scaled outcomes farther from 0 are none of training's.
_FARTHEST_OF_ALL = 3.5
#: Scaled outcomes are kept within this distance of 0, which few training functions exceed.
_FARTHEST = 2.5
#: And the farthest of them no nearer than this, in one dimension and in more: the scale of a slow
#: trend would hide what is quick. In one the two bounds meet: on nine functions that are no
#: benchmarks the error after 20 and 30 measurements was a tenth smaller than with 1.5, and on the
#: prior's own the same. In two, more is better for functions with flat middles and high edges
#: (three-hump camel), less for smooth ones (Branin).
_NEAREST = (2.5, 1.75)
#: Lengthscales of the grid and the longest that is left alone (the model's own processes reach
#: half as far again as the prior's), in design units times sqrt(D).
_LENGTHSCALES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_CAP = 3.0
_TINY = 1e-12
_DESIGNS = ("context_design", "candidate_design", "target_design")


@dataclass(frozen=True)
class Rescaling:
    """The two maps of B rows.

    Attributes:
        offset, scale: [B], of outcomes, in natural units.
        shrink: [B, D] in (0, 1], of designs.

    Example:
        >>> import numpy as np
        >>> from aline_tf.units import Rescaling
        >>> maps = Rescaling(np.array([300.0]), np.array([50.0]), np.ones((1, 1)))
        >>> maps.outcome_to_model(np.array([[400.0]]))
        array([[2.]], dtype=float32)
    """

    offset: np.ndarray
    scale: np.ndarray
    shrink: np.ndarray

    def to_model(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The Batch as the model should see it.

        Args:
            batch: B rows with one outcome field, natural units.
        """
        mapped = dict(batch)
        for name in _DESIGNS:
            mapped[name] = (np.asarray(batch[name]) * self.shrink[:, None]).astype(np.float32)
        mapped["context_outcome"] = self.outcome_to_model(
            np.asarray(batch["context_outcome"])[..., 0]
        )[..., None]
        return mapped

    def outcome_to_model(self, outcome: np.ndarray) -> np.ndarray:
        """Outcomes [B, M] as the model's: float32 [B, M]."""
        scaled = (np.asarray(outcome, float) - self.offset[:, None]) / self.scale[:, None]
        return scaled.astype(np.float32)

    def outcome_from_model(self, outcome: np.ndarray) -> np.ndarray:
        """Predicted outcomes [B, M] in natural units."""
        return self.offset[:, None] + self.scale[:, None] * outcome

    def log_density_from_model(self, log_density: np.ndarray) -> np.ndarray:
        """Log densities [B, M] of scaled outcomes as those of natural ones."""
        return log_density - np.log(self.scale)[:, None]


class ProcessGrids:
    """The processes by which maps are estimated, and what they keep of growing histories.

    Args:
        dims: D.

    Example:
        >>> from aline_tf.units.rescaling import ProcessGrids
        >>> ProcessGrids(dims=2).lengthscales.shape
        (36, 2)
    """

    def __init__(self, dims: int):
        self._dims = dims
        self._grids: dict[float, ProcessGrid] = {}

    @functools.cached_property
    def lengthscales(self) -> np.ndarray:
        """[G, D], of each kernel. Made when first asked for: most sessions need none."""
        return lengthscale_grid(_LENGTHSCALES, self._dims)

    def of_variance(self, variance: float) -> ProcessGrid:
        """Processes whose noise is that of training beside a variance; K has the mean variance."""
        if variance not in self._grids:
            self._grids[variance] = ProcessGrid(
                self.lengthscales * np.sqrt(self._dims),
                _VARIANCE,
                _NOISE * _VARIANCE / variance,
            )
        return self._grids[variance]


class TrainingRange:
    """Finds the maps of a batch; a function of the batch alone, remembered to save time.

    Example:
        >>> from aline_tf.units import TrainingRange
        >>> from aline_tf.batch import empty_batch
        >>> TrainingRange().rescaling(empty_batch({"D": 1, "F": 1, "P": 0})).scale
        array([1.])
    """

    def __init__(self):
        self._found: dict[bytes, tuple] = {}

    def rescaling(self, batch: Mapping[str, Any]) -> Rescaling:
        """The maps of each row, from its observed context.

        Args:
            batch: a Batch with one outcome field.

        Returns:
            the `Rescaling` of its B rows.
        """
        design = np.asarray(batch["context_design"], float)
        outcome = np.asarray(batch["context_outcome"], float)[..., 0]
        seen = answered(batch)
        known, self._found = self._found, {}
        parts = []
        for x, y, rows in zip(design, outcome, seen, strict=True):
            key = x[rows].tobytes() + y[rows].tobytes()
            self._found[key] = known.get(key) or estimate_rescaling(x[rows], y[rows])
            parts.append(self._found[key])
        offset, scale, shrink = zip(*parts, strict=True)
        return Rescaling(np.array(offset), np.array(scale), np.stack(shrink))


def estimate_rescaling(
    design: np.ndarray, outcome: np.ndarray, grids: ProcessGrids | None = None
) -> tuple[float, float, np.ndarray]:
    """Offset, scale and shrink [D] from observations.

    Args:
        design: [n, D]; n may be 0.
        outcome: [n].
        grids: of earlier calls, to save time where a history grows.
    """
    count, dims = design.shape
    middle, spread = _middle_and_spread(outcome)
    if not spread:
        # Nothing, one outcome or equal ones: of the scale only their own size speaks.
        return float(middle), float(abs(middle) or 1.0), np.ones(dims)
    grids = grids or ProcessGrids(dims)
    # The algebra runs on numbers of size one.
    scaled = (outcome - middle) / spread
    found = grids.of_variance(_VARIANCE).evidence(design, scaled)
    weight = _softmax(found.log_evidence)
    log_scale = weight @ (0.5 * np.log(found.square / (count - 1)))
    # Each lengthscale stands once for every kernel.
    each = weight.reshape(2, -1).sum(0)
    log_shrink = each @ np.minimum(0.0, np.log(_CAP / grids.lengthscales))
    center = weight @ found.center
    farthest = np.abs(scaled - center).max()
    scale = np.clip(np.exp(log_scale), farthest / _FARTHEST, farthest / _NEAREST[dims > 1])
    return float(middle + spread * center), float(spread * scale), np.exp(log_shrink)


def estimate_scales(
    design: np.ndarray, outcome: np.ndarray, count: int = 5, grids: ProcessGrids | None = None
) -> tuple[float, np.ndarray]:
    """Offset, and equally likely scales [count], from observations: what is not known of the scale.

    As `estimate_rescaling`, with more than one variance v of the prior beside its noise (a scaled
    function whose noise is large was a small one), and with the spread of

        scale^2 = e' K^-1 e / chi^2,   n - 1 degrees of freedom

    that few observations leave. No scale makes the farthest outcome one that training never has.
    One observation, or equal ones, have a single scale: their size, at least that of training.

    Args:
        design: [n, D]; n may be 0.
        outcome: [n].
        count: how many.
        grids: of earlier calls, to save time where a history grows.
    """
    middle, spread = _middle_and_spread(outcome)
    if not spread:
        return float(middle), np.full(count, max(abs(middle), 1.0))
    scaled = (outcome - middle) / spread
    grids = grids or ProcessGrids(design.shape[1])
    parts = [grids.of_variance(variance).evidence(design, scaled) for variance in _VARIANCES]
    weight = _softmax(np.concatenate([part.log_evidence for part in parts]))
    center = weight @ np.concatenate([part.center for part in parts])
    square = np.concatenate(
        [
            part.square * _VARIANCE / variance
            for part, variance in zip(parts, _VARIANCES, strict=True)
        ]
    )
    levels = (np.arange(_CHI_SQUARES) + 0.5) / _CHI_SQUARES
    # The quantile of chi-square that scipy.stats has by name, which takes longer to import than all
    # the rest of a session; and most sessions never come here.
    from scipy.special import gammaincinv

    chi_square = 2.0 * gammaincinv(0.5 * (len(outcome) - 1), levels)
    log_scale = 0.5 * (np.log(square)[:, None] - np.log(chi_square)).ravel()
    share = np.repeat(weight / _CHI_SQUARES, _CHI_SQUARES)
    order = np.argsort(log_scale)
    reached = np.cumsum(share[order]) - 0.5 * share[order]
    place = np.interp((np.arange(count) + 0.5) / count, reached, log_scale[order])
    least = np.abs(scaled - center).max() / _FARTHEST_OF_ALL
    return float(middle + spread * center), spread * np.maximum(np.exp(place), least)


def _middle_and_spread(outcome) -> tuple[float, float]:
    """Mean of the outcomes, and how far they are from it; 0 where they are equal."""
    middle = outcome.mean() if len(outcome) else 0.0
    spread = np.abs(outcome - middle).max(initial=0.0)
    return middle, 0.0 if spread <= _TINY * max(1.0, abs(middle)) else spread


def _softmax(level) -> np.ndarray:
    weight = np.exp(level - level.max())
    return weight / weight.sum()
