"""A model's outputs as one graph each, whatever the sizes of the batch.

Rows, context, targets and pool are left open, so that a growing context is never compiled again;
only whether there are targets and candidates at all is told apart, so that nothing is computed for
none. Candidates do not see each other, so a big pool is scored part by part, in bounded memory, and
the scores are those of one pass over all of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS
from aline_tf.batch_ops import narrow
from aline_tf.models.packing import FREE, free_sizes, packed, unpacked

#: Candidates scored at once, rows of the batch counted. A pass over more is no faster: its
#: intermediate results leave the processor's cache.
PART = 2**14

#: What can be asked of a model, as functions of it and a batch of tensors.
KINDS: dict[str, Callable] = {
    "outputs": lambda model, batch: model(batch),
    "answer": lambda model, batch: model.summaries(model(batch), batch),
    "candidate_logits": lambda model, batch: model(batch)["candidate_logits"],
}


class Compiled:
    """Stands in for a model wherever it is only read; everything not said here is the model's own.

    The graphs belong to the model: all that stand in for it share them, and they go with it. They
    read its weights, so later changes are seen.

    Args:
        model: an `ALINE`, or anything with its `spec`, call and `summaries`.
        part: how many candidates, over all rows, `candidate_logits` scores at once.
        eager_first: let the first pass of each graph, where it has one row, go without: the graph
            is made when it is asked for again. It costs ten such passes.

    Raises:
        ValueError: `part` is less than 1.

    Example:
        >>> import aline_tf
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.models import Compiled
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2)
        >>> quick = Compiled(model)
        >>> quick.candidate_logits(empty_batch(SPEC.sizes | {"N": 5})).shape
        (1, 5)
    """

    def __init__(self, model, part: int = PART, eager_first: bool = False):
        if part < 1:
            raise ValueError(f"Expected part >= 1. Received: part={part}")
        self._model = model
        self._part = part
        self._eager_first = eager_first

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """The raw outputs of the model for a Batch of arrays or tensors; other entries of it are
        ignored."""
        return self._run("outputs", batch)

    def answer(self, batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """All summaries of a Batch, as `ALINE.answer` gives them."""
        return self._run("answer", batch)

    def candidate_logits(self, batch: Mapping[str, Any]) -> np.ndarray:
        """The policy's scores alone: [B, N]; nothing else is computed."""
        return in_parts(partial(self._run, "candidate_logits"), batch, self._part)

    def _run(self, kind: str, batch: Mapping[str, Any]):
        return run(self._model, kind, batch, self._eager_first)

    def __getattr__(self, name):
        return getattr(self._model, name)


_GRAPHS: weakref.WeakKeyDictionary[Any, dict] = weakref.WeakKeyDictionary()


def run(model, kind: str, batch: Mapping[str, Any], eager_first: bool = False):
    """What is asked of a model, of `KINDS`, by its graph.

    Args:
        model: held weakly.
        kind: a key of `KINDS`.
        batch: a Batch of arrays or tensors; other entries of it are ignored.
        eager_first: as of `Compiled`.
    """
    if any(tf.is_symbolic_tensor(batch[name]) for name in BATCH_FIELDS):
        return KINDS[kind](model, {name: batch[name] for name in BATCH_FIELDS})
    sizes = free_sizes(batch)
    none = "".join(
        letter for letter, size in zip(FREE, sizes, strict=True) if letter in "MN" and not size
    )
    graphs = _GRAPHS.setdefault(model, {})
    vector = tf.constant(packed(batch, model.spec, sizes))
    if eager_first and sizes[0] == 1 and (kind, none) not in graphs:
        graphs[kind, none] = None
        return KINDS[kind](model, unpacked(vector, model.spec, sizes))
    if graphs.get((kind, none)) is None:
        # The graphs go with the model.
        of = weakref.ref(model)
        graphs[kind, none] = open_graph(model.spec, lambda batch: KINDS[kind](of(), batch), none)
    return graphs[kind, none](vector, tf.constant(sizes, tf.int32))


def open_graph(spec, function: Callable, none: str = ""):
    """A function of a batch as a graph of (vector, sizes), whatever the sizes are.

    Args:
        spec: the `TaskSpec`.
        function: of a Batch of tensors.
        none: which of `FREE` are 0 and known to be, so that nothing is computed for them.
    """
    signature = [tf.TensorSpec([None], tf.float32), tf.TensorSpec([len(FREE)], tf.int32)]

    def graph(vector, sizes):
        sizes = [
            0 if letter in none else size
            for letter, size in zip(FREE, tf.unstack(sizes), strict=True)
        ]
        return function(unpacked(vector, spec, sizes))

    return tf.function(graph, input_signature=signature, autograph=False)


def in_parts(score: Callable, batch: Mapping[str, Any], part: int = PART) -> np.ndarray:
    """Scores [B, N] of a Batch by `score`, which gets at most `part` candidates at a time, over all
    rows."""
    rows, pool = batch["candidate_mask"].shape
    size = max(1, part // max(rows, 1))
    if pool <= size:
        return np.asarray(score(batch))
    parts = (narrow(batch, slice(start, start + size)) for start in range(0, pool, size))
    return np.concatenate([np.asarray(score(part)) for part in parts], axis=1)
