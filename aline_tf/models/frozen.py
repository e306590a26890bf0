"""Inference with frozen weights: XLA programs of constants, for one example at a time.

    fast = Frozen(load_preset("savedmodels/psychometric/1"))
    session = Session(fast, candidates)

Half of a small model's time on a CPU is the dispatch of its operations, and two threads mostly
wait for each other. Frozen, the weights are constants, a batch goes in as one vector, and each
shape of batch becomes one program by XLA: seconds the first time, then half the usual time or less.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, field_dtype
from aline_tf.batch_ops import pad
from aline_tf.models.compiled import in_parts

_LEAST = 16


class Frozen:
    """Stands in for a model wherever it is only read; everything not said here is the model's own.

    Contexts are padded to the next of 16, 32, 64, ... tokens, so that a growing one is compiled
    only a few times. Later changes of the model's weights are not seen.

    Args:
        model: a built `ALINE`.

    Example:
        >>> import aline_tf
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2)
        >>> model.build()
        >>> fast = aline_tf.Frozen(model)
        >>> fast.candidate_logits(empty_batch(SPEC.sizes | {"N": 3})).shape
        (1, 3)
    """

    def __init__(self, model):
        self._model = model
        self._weights = [(variable, variable.numpy()) for variable in model.variables]
        self._programs: dict[tuple, Any] = {}

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """The raw outputs of `aline_tf.models.aline.ALINE` for a Batch of arrays or tensors."""
        return self._run(self._model, batch)

    def answer(self, batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """All summaries of a Batch, as `ALINE.answer` gives them."""
        return self._run(self._summaries, batch)

    def candidate_logits(self, batch: Mapping[str, Any]) -> np.ndarray:
        """The policy's scores alone: [B, N]; a big pool is scored in parts."""
        return in_parts(partial(self._run, self._logits), batch)

    def __getattr__(self, name):
        return getattr(self._model, name)

    def _logits(self, batch):
        return self._model(batch)["candidate_logits"]

    def _summaries(self, batch):
        return self._model.summaries(self._model(batch), batch)

    def _run(self, function, batch):
        batch = _roomy({name: np.asarray(batch[name]) for name in BATCH_FIELDS})
        shapes = tuple(array.shape for array in batch.values())
        key = function, shapes
        if key not in self._programs:
            self._programs[key] = self._compile(function, shapes)
        # One argument: each costs what dispatching ten operations does.
        packed = np.concatenate(
            [array.ravel() for array in batch.values()], dtype=np.float32, casting="unsafe"
        )
        return self._programs[key](tf.constant(packed))

    def _compile(self, function, shapes):
        sizes = [int(np.prod(shape)) for shape in shapes]

        def program(packed):
            parts = zip(BATCH_FIELDS, shapes, tf.split(packed, sizes), strict=True)
            batch = {name: _unpacked(name, tf.reshape(part, s)) for name, s, part in parts}
            constants = [(variable, tf.constant(value)) for variable, value in self._weights]
            with keras.StatelessScope(state_mapping=constants):
                return function(batch)

        compiled = tf.function(program, autograph=False, jit_compile=True)
        return compiled.get_concrete_function(tf.TensorSpec([sum(sizes)], tf.float32))


def _unpacked(name, part):
    dtype = field_dtype(name)
    return part > 0.5 if dtype == "bool" else tf.cast(part, dtype)


def _roomy(batch):
    """The batch with its context padded to one of few sizes; what is masked is never looked at."""
    size = batch["context_mask"].shape[1]
    capacity = _LEAST
    while capacity < size:
        capacity *= 2
    return pad(batch, C=capacity - size)
