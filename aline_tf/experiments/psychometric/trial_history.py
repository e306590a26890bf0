"""Which trials a policy has not seen yet, when it is shown one growing context after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aline_tf.batch import answered


@dataclass(frozen=True)
class NewTrials:
    """Answered trials at one context position: `design` and `outcome` [B], valid in `rows` [B].

    Example:
        >>> import numpy as np
        >>> from aline_tf.experiments.psychometric.trial_history import NewTrials
        >>> NewTrials(np.array([True]), np.array([0.5]), np.array([1.0])).design
        array([0.5])
    """

    rows: np.ndarray
    design: np.ndarray
    outcome: np.ndarray


class TrialHistory:
    """Remembers the contexts of B rows, for tasks with one design column and one outcome field.

    A policy that keeps a posterior can then extend it rather than start again. It stays a function
    of the batch alone: any context that does not extend the remembered one is a fresh start.

    Example:
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.experiments.psychometric.trial_history import TrialHistory
        >>> batch = empty_batch({"B": 1, "C": 2, "D": 1, "F": 1, "P": 4, "N": 1})
        >>> fresh, trials = TrialHistory().extend(batch)
        >>> fresh, len(list(trials))
        (True, 0)
    """

    def __init__(self):
        self._design = np.zeros((0, 0))
        self._outcome = np.zeros((0, 0))
        self._answered = np.zeros((0, 0), bool)

    def extend(self, batch: Mapping[str, Any]) -> tuple[bool, Iterator[NewTrials]]:
        """Compares a Batch with what was seen.

        Returns:
            Whether to start again from the prior, and the trials to add, position by position.
        """
        design = np.asarray(batch["context_design"], float)[..., 0]
        outcome = np.asarray(batch["context_outcome"], float)[..., 0]
        seen = answered(batch)
        fresh = True
        if self._answered.shape == seen.shape:
            kept = seen & (self._design == design) & (self._outcome == outcome)
            fresh = not kept[self._answered].all()
        new = seen if fresh else seen & ~self._answered
        self._design, self._outcome, self._answered = design.copy(), outcome.copy(), seen
        positions = np.flatnonzero(new.any(0))
        return fresh, (NewTrials(new[:, c], design[:, c], outcome[:, c]) for c in positions)
