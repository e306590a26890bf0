"""Marginal summaries of posteriors and predictions: mean, interval, density and rank of the truth.

Sizes: R runs, K reported steps, n quantities (parameters or predicted outcomes).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from aline_tf.evaluation import calibration

_PIT_STREAM = 0x504954


class Estimates(NamedTuple):
    """Marginals of n quantities, each array [..., n]: [R, n] at one step, [R, K, n] at several.

    Attributes:
        mean: expectations, in natural units.
        low, high: bounds of the central interval, 5% and 95% quantiles unless said otherwise.
        log_density: at the truth, in nats.
        below, at: probability of less than the truth and of no more than it, in [0, 1]; None where
            they are not known.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation import Estimates
        >>> mean = np.zeros((3, 1))
        >>> one = Estimates(mean, mean - 1.6, mean + 1.6, mean - 0.9, mean + 0.2, mean + 0.2)
        >>> two_steps = Estimates.stack([one, one])
        >>> two_steps.mean.shape
        (3, 2, 1)
        >>> bool(np.allclose(two_steps.pit(), 0.2))
        True
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log_density: np.ndarray
    below: np.ndarray | None = None
    at: np.ndarray | None = None

    @classmethod
    def stack(cls, parts: Iterable[Estimates], axis: int = 1) -> Estimates:
        """Estimates at several steps as one.

        Args:
            parts: at least one, of equal shapes.
            axis: where the new axis goes: 1 makes [R, K, n] of K times [R, n].
        """
        return cls._joined(parts, lambda arrays: np.stack(arrays, axis=axis))

    @classmethod
    def concatenate(cls, parts: Iterable[Estimates]) -> Estimates:
        """Estimates of several groups of runs as one."""
        return cls._joined(parts, np.concatenate)

    @classmethod
    def _joined(cls, parts, join):
        columns = zip(*parts, strict=True)
        return cls(*(None if column[0] is None else join(column) for column in columns))

    def pit(self) -> np.ndarray | None:
        """Probability integral transforms, of the arrays' shape, spread evenly over point masses;
        equal estimates give equal numbers. None where `at` is."""
        if self.at is None:
            return None
        uniform = np.random.default_rng(_PIT_STREAM).random(self.at.shape)
        # Distribution functions in single precision leave [0, 1] by a hair.
        return np.clip(calibration.pit(self.below, self.at, uniform), 0.0, 1.0)
