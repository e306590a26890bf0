"""A batch as one vector: what goes into a graph costs by the number of its arguments.

Eleven named tensors take a `tf.function` as long to sort out as a small model takes to run. So they
are laid one behind the other, in the order of the glossary, and taken apart inside the graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, check, check_finite, field_dtype

#: Letters whose sizes differ from batch to batch; D, F and P are the task's.
FREE = "BCMN"


def free_sizes(batch: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """(B, C, M, N) of a batch of arrays or eager tensors."""
    rows, tokens = batch["context_mask"].shape
    return rows, tokens, batch["target_mask"].shape[1], batch["candidate_mask"].shape[1]


def shapes_of(spec, sizes) -> dict[str, tuple]:
    """The shape of every field.

    Args:
        spec: the `TaskSpec`, for D, F and P.
        sizes: (B, C, M, N), numbers or int32 scalars.
    """
    sizes = spec.sizes | dict(zip(FREE, sizes, strict=True))
    return {name: tuple(sizes[letter] for letter in BATCH_FIELDS[name]) for name in BATCH_FIELDS}


def packed(batch: Mapping[str, Any], spec, sizes) -> np.ndarray:
    """A batch, with room up to `sizes`, as one float32 vector; what is added is masked out.

    Args:
        batch: arrays or eager tensors, of B rows; C and M may be less than in `sizes`.
        spec: the `TaskSpec`.
        sizes: (B, C, M, N) of the vector.

    Raises:
        InputError: a field that is not as the others or the task say, or a number that is read and
            is not finite.
    """
    shapes, own = shapes_of(spec, sizes), shapes_of(spec, free_sizes(batch))
    counts = [math.prod(shape) for shape in shapes.values()]
    vector, start = np.zeros(sum(counts), np.float32), 0
    for (name, shape), count in zip(shapes.items(), counts, strict=True):
        array = np.asarray(batch[name])
        if array.shape != own[name]:
            check({field: np.asarray(batch[field]) for field in BATCH_FIELDS}, spec)
        place = vector[start : start + count].reshape(shape)
        if array.shape != shape:
            place = place[tuple(map(slice, array.shape))]
        place[...] = array
        start += count
    if not np.isfinite(vector).all():
        check_finite(batch)
    return vector


def unpacked(vector, spec, sizes) -> dict[str, tf.Tensor]:
    """The batch in a vector of `packed`, inside a graph.

    Args:
        vector: float32.
        spec: the `TaskSpec`.
        sizes: (B, C, M, N), numbers or int32 scalars.
    """
    shapes = shapes_of(spec, sizes)
    parts = tf.split(vector, [math.prod(shape) for shape in shapes.values()])
    return {
        name: _typed(name, tf.reshape(part, shape))
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def _typed(name, part):
    dtype = field_dtype(name)
    return part > 0.5 if dtype == "bool" else tf.cast(part, dtype)
