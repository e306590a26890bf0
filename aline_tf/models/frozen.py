"""Inference with frozen weights: XLA programs of constants, for one example at a time.

    fast = Frozen(load_preset("savedmodels/psychometric/1"))
    session = Session(fast, candidates)

Half of a small model's time on a CPU is the dispatch of its operations, and two threads mostly
wait for each other. Frozen, the weights are constants, a batch goes in as one vector, and each
shape of batch becomes one program by XLA: seconds the first time, then half the usual time or less.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from aline_tf.batch import empty_batch
from aline_tf.errors import InputError
from aline_tf.models.compiled import in_parts
from aline_tf.models.covariance import whitening_by_blocks
from aline_tf.models.packing import free_sizes, packed, shapes_of, unpacked

if TYPE_CHECKING:
    from aline_tf.models.aline import ALINE
    from aline_tf.spec import TaskSpec

_LEAST = 16


class Frozen:
    """Stands in for a model wherever it is only read; everything not said here is the model's own.

    Contexts are padded to the next of 16, 32, 64, ... tokens and targets to the next of 1, 2, 4,
    ..., so that growing ones are compiled only a few times; `warm_up` does so before the first
    trial. Later changes of the model's weights are not seen. A pickle is frozen anew.

    Args:
        model: a built `ALINE`.
        programs: how many are kept at most; those not used for longest go first.

    Raises:
        ValueError: fewer than one program.

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

    def __init__(self, model, programs: int = 64):
        if programs < 1:
            raise ValueError(f"Expected at least one program. Received: programs={programs}")
        self._model = model
        self._most = programs
        self._weights = [(variable, variable.numpy()) for variable in model.variables]
        self._programs: dict[tuple, Any] = {}
        # Programs are made and let go one at a time, whichever thread asks.
        self._lock = threading.Lock()

    @property
    def spec(self) -> TaskSpec:
        """The task; by itself, because a protocol looks past `__getattr__` since Python 3.12."""
        return self._model.spec

    @property
    def thawed(self) -> ALINE:
        """The model itself."""
        return self._model

    @property
    def num_programs(self) -> int:
        """How many programs are compiled and kept."""
        return len(self._programs)

    def warm_up(
        self, steps: int, candidates: int, targets: int = 0, predictions: Iterable[int] = ()
    ) -> None:
        """Compiles what a session of a certain length will need, before its first trial; seconds
        for each program. Afterwards nothing compiles up to that length.

        Args:
            steps: answers of the session, those expected of pending questions counted too.
            candidates: size of its pool; 0 if no policy of the model is asked.
            targets: how many target designs it has.
            predictions: numbers of designs that `predict` will be asked for (and of questions that
                are pending at one time), such as [1, 50].

        Raises:
            InputError: a number that is no whole one or negative.
        """
        predictions = tuple(predictions)
        numbers = {"steps": steps, "candidates": candidates, "targets": targets}
        numbers |= {f"predictions[{i}]": count for i, count in enumerate(predictions)}
        for name, count in numbers.items():
            if isinstance(count, bool) or count != int(count) or count < 0:
                raise InputError(f"expected {name} as a whole number; received {count!r}")
        spec, capacity = self._model.spec, _LEAST
        while True:
            sizes = spec.sizes | {"C": capacity}
            if candidates:
                self.candidate_logits(empty_batch(sizes | {"N": candidates, "M": targets}))
            for count in {_padded(targets), *map(_padded, predictions)}:
                self.answer(empty_batch(sizes | {"N": 1, "M": count}))
            if capacity >= steps:
                return
            capacity *= 2

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
        # Not before there is a model, in a copy that is being made.
        if name.startswith("__") or "_model" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._model, name)

    def __reduce__(self):
        return type(self), (self._model, self._most)

    def _logits(self, batch):
        return self._model(batch)["candidate_logits"]

    def _summaries(self, batch):
        return self._model.summaries(self._model(batch), batch)

    def _run(self, function, batch):
        rows, tokens, targets, candidates = free_sizes(batch)
        # Of predictions one asks now for one and now for many; a session's targets stay the same.
        padded = _padded(targets) if function == self._summaries else targets
        sizes = rows, max(_LEAST, _padded(tokens)), padded, candidates
        key = function.__name__ if function is not self._model else "outputs", sizes
        with self._lock:
            program = self._programs.pop(key, None) or self._compile(function, sizes)
            self._programs[key] = program
            while len(self._programs) > self._most:
                del self._programs[next(iter(self._programs))]
        found = program(tf.constant(packed(batch, self._model.spec, sizes)))
        if isinstance(found, dict) and padded != targets:
            found = {
                name: part[:, :targets] if name.startswith("target_") else part
                for name, part in found.items()
            }
        return found

    def _compile(self, function, sizes):
        spec = self._model.spec

        def program(vector):
            constants = [(variable, tf.constant(value)) for variable, value in self._weights]
            with keras.StatelessScope(state_mapping=constants), whitening_by_blocks():
                return function(unpacked(vector, spec, sizes))

        compiled = tf.function(program, autograph=False, jit_compile=True)
        length = sum(math.prod(shape) for shape in shapes_of(spec, sizes).values())
        return compiled.get_concrete_function(tf.TensorSpec([length], tf.float32))


def _padded(count: int) -> int:
    """The next power of two; none stays none."""
    return 1 << (int(count) - 1).bit_length() if count else 0
