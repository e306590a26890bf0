"""Policy scores of a pool of any size: one compilation, bounded memory.

Candidates do not see each other, so a pool may be scored part by part and the scores are those of
one pass over all of it; only what a part needs is ever held.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, field_dtype
from aline_tf.models.frozen import Frozen

#: Candidates scored at once, rows of the batch counted. A pass over more is no faster: its
#: intermediate results leave the processor's cache.
PART = 2**14


class CandidateScores:
    """`candidate_logits` of a model, whatever the sizes of the batch.

    The sizes that change from call to call (rows, context, targets, pool) are left open, so that
    a growing context is never compiled again, and nothing but the scores is computed.

    Args:
        model: maps a Batch to a dict with `candidate_logits` [B, N], each of which depends on no
            other candidate. Held weakly: whoever scores keeps the model.
        part: how many candidates, over all rows, are scored at once.
    """

    def __init__(self, model, part: int = PART):
        if part < 1:
            raise ValueError(f"Expected part >= 1. Received: part={part}")
        self.part = part
        self._model = weakref.ref(model)
        self._compiled = None

    def __call__(self, batch: Mapping[str, Any]) -> np.ndarray:
        """Scores [B, N] of a Batch of arrays or tensors; other entries of it are ignored."""
        tensors = {
            name: tf.convert_to_tensor(batch[name], field_dtype(name)) for name in BATCH_FIELDS
        }
        if self._compiled is None:
            self._compiled = self._compile(tensors)
        return in_parts(self._compiled, tensors, self.part)

    def _compile(self, tensors):
        signature = {}
        for name, letters in BATCH_FIELDS.items():
            sizes = zip(letters, tensors[name].shape, strict=True)
            fixed = [size if letter in "DFP" else None for letter, size in sizes]
            signature[name] = tf.TensorSpec(fixed, tensors[name].dtype)
        return tf.function(
            lambda batch: self._model()(batch)["candidate_logits"],
            input_signature=[signature],
            autograph=False,
        )


def in_parts(score: Callable, batch: Mapping[str, Any], part: int = PART) -> np.ndarray:
    """Scores [B, N] of a Batch by `score`, which gets at most `part` candidates at a time, over all
    rows."""
    rows, pool = batch["candidate_mask"].shape
    size = max(1, part // max(rows, 1))
    if pool <= size:
        return np.asarray(score(batch))
    parts = (_part_of(batch, start, size) for start in range(0, pool, size))
    return np.concatenate([np.asarray(score(part)) for part in parts], axis=1)


def _part_of(batch, start, size):
    part = slice(start, start + size)
    return batch | {name: batch[name][:, part] for name in ("candidate_design", "candidate_mask")}


_SHARED: weakref.WeakKeyDictionary[Any, CandidateScores] = weakref.WeakKeyDictionary()


def candidate_scores(model) -> Callable[[Mapping[str, Any]], np.ndarray]:
    """The scores of a model, compiled once for all who ask while the model lives; a `Frozen` one
    compiles for itself."""
    if isinstance(model, Frozen):
        return model.candidate_logits
    if model not in _SHARED:
        _SHARED[model] = CandidateScores(model)
    return _SHARED[model]
