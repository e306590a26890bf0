"""Policies: which candidate to acquire next, given what is known and what is wanted.

A policy reads a Batch (see `aline_tf.batch`) and answers one index per row. It may read the
context, the pool and the selected targets, never the true parameters. All policies share the one
method, so an evaluation, a session and a server can hold any of them.

Batch entries may be numpy arrays or tensors; a policy converts what it reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf.errors import InputError

# Keeps the random policy's draws apart from those of whoever else uses the same seed.
_RANDOM_STREAM = 0x52414E44


class Policy(ABC):
    """Chooses the next design from a pool, for many rows at once.

    `choose` checks the pool and the answer; a subclass implements `_choose`.
    """

    name: str = "policy"
    #: Whether the selected targets can change its choices.
    reads_targets: bool = True

    def choose(self, batch: Mapping[str, Any]) -> np.ndarray:
        """Index of the candidate to acquire next.

        Args:
            batch: a Batch of B rows with `candidate_design` [B, N, D] and `candidate_mask` [B, N].

        Returns:
            Indices [B], int64, each an allowed candidate of its row.

        Raises:
            InputError: a row has no candidate left.
        """
        mask = np.asarray(batch["candidate_mask"], bool)
        empty = np.flatnonzero(~mask.any(axis=1))
        if empty.size:
            raise InputError(
                f"expected at least one allowed candidate in every row; received none in row "
                f"{empty[0]}"
            )
        return np.asarray(self._choose(batch, mask), np.int64)

    @abstractmethod
    def _choose(self, batch: Mapping[str, Any], mask: np.ndarray) -> np.ndarray:
        """Indices [B]; `mask` [B, N] is the pool as numpy, with at least one True in each row."""


def masked_argmax(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Index [B] of the largest score [B, N] among the allowed; the first of equals."""
    return np.argmax(np.where(mask, scores, -np.inf), axis=1)


class RandomPolicy(Policy):
    """A uniform draw from the pool.

    The draw depends on the seed and on the size of the context, not on earlier calls, so the same
    state asked twice gets the same answer.
    """

    name = "random"
    reads_targets = False

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _choose(self, batch, mask):
        step = int(np.asarray(batch["context_mask"], bool).sum())
        rng = np.random.default_rng([self.seed, step, _RANDOM_STREAM])
        return masked_argmax(rng.random(mask.shape), mask)


class LearnedPolicy(Policy):
    """The policy head of an ALINE model: the candidate with the highest score; a big pool is
    scored in parts.

    Args:
        model: maps a Batch to a dict with `candidate_logits` [B, N].
    """

    name = "learned"

    def __init__(self, model):
        from aline_tf.models.compiled import candidate_scores

        self.model = model
        self._scores = candidate_scores(model)

    def _choose(self, batch, mask):
        return masked_argmax(self._scores(batch), mask)
