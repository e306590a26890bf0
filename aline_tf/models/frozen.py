"""Inference with frozen weights: XLA programs of constants, for one example at a time.

    fast = Frozen(load_preset("savedmodels/psychometric/1"))
    session = Session(fast, candidates)

Half of a small model's time on a CPU is the dispatch of its operations, and two threads mostly
wait for each other. Frozen, the weights are constants, a batch goes in as one vector, and each
shape of batch becomes one program by XLA, in half the usual time or less. A program takes seconds
to make; meanwhile one graph for all shapes answers, so that no trial has to wait for it.
"""

from __future__ import annotations

import math
import threading
import warnings
import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from aline_tf.batch import empty_batch
from aline_tf.errors import InputError, first_line
from aline_tf.models.compiled import KINDS, in_parts, open_graph
from aline_tf.models.covariance import whitening_by_blocks
from aline_tf.models.packing import free_sizes, packed, shapes_of, unpacked
from aline_tf.runtime.background import Background

if TYPE_CHECKING:
    from aline_tf.models.aline import ALINE
    from aline_tf.spec import TaskSpec

_LEAST = 16
#: Programs are made one after the other, whosever they are.
_BEHIND = Background("frozen")


class Frozen:
    """Stands in for a model wherever it is only read; everything not said here is the model's own.

    Contexts are padded to the next of 16, 32, 64, ... tokens and targets to the next of 1, 2, 4,
    ..., so that growing ones are compiled only a few times; `warm_up` does so before the first
    trial. Later changes of the model's weights are not seen. A pickle is frozen anew.

    Args:
        model: a built `ALINE`.
        programs: how many are kept at most; those not used for longest go first.
        background: whether a shape that is new is compiled behind, while a graph for all shapes
            answers at the speed of the model itself. The two agree to 1e-5, and when the one takes
            over from the other depends on the machine; with False the caller waits for the
            program, and equal questions have answers equal to the last bit.

    Raises:
        ValueError: fewer than one program.

    Warns:
        RuntimeWarning: a shape that XLA cannot compile, of which the graph stays.

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

    def __init__(self, model, programs: int = 64, background: bool = True):
        if programs < 1:
            raise ValueError(f"Expected at least one program. Received: programs={programs}")
        self._model = model
        self._most = programs
        self._background = background
        self._weights = [(variable, variable.numpy()) for variable in model.variables]
        self._programs: dict[tuple, Any] = {}
        # What is being compiled behind, and why it could not be.
        self._due: dict[tuple, Exception | None] = {}
        self._graphs: dict[str, Any] = {}
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
        self.wait()
        scores = partial(self._run, "candidate_logits", waits=True)
        while True:
            sizes = spec.sizes | {"C": capacity}
            if candidates:
                in_parts(scores, empty_batch(sizes | {"N": candidates, "M": targets}))
            for count in {_padded(targets), *map(_padded, predictions)}:
                self._run("answer", empty_batch(sizes | {"N": 1, "M": count}), waits=True)
            if capacity >= steps:
                return
            capacity *= 2

    def wait(self) -> None:
        """Until every shape that was asked for by now is compiled."""
        _BEHIND.wait()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """The raw outputs of `aline_tf.models.aline.ALINE` for a Batch of arrays or tensors."""
        return self._run("outputs", batch)

    def answer(self, batch: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """All summaries of a Batch, as `ALINE.answer` gives them."""
        return self._run("answer", batch)

    def candidate_logits(self, batch: Mapping[str, Any]) -> np.ndarray:
        """The policy's scores alone: [B, N]; a big pool is scored in parts."""
        return in_parts(partial(self._run, "candidate_logits"), batch)

    def __getattr__(self, name):
        # Not before there is a model, in a copy that is being made.
        if name.startswith("__") or "_model" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._model, name)

    def __reduce__(self):
        return type(self), (self._model, self._most, self._background)

    def _run(self, kind, batch, waits=False):
        rows, tokens, targets, candidates = own = free_sizes(batch)
        # Of predictions one asks now for one and now for many; a session's targets stay the same.
        padded = _padded(targets) if kind == "answer" else targets
        sizes = rows, max(_LEAST, _padded(tokens)), padded, candidates
        program = self._program(kind, sizes, waits or not self._background)
        if program is None:
            vector = tf.constant(packed(batch, self._model.spec, own))
            return self._graph(kind)(vector, tf.constant(own, tf.int32))
        found = program(tf.constant(packed(batch, self._model.spec, sizes)))
        if isinstance(found, dict) and padded != targets:
            found = {
                name: part[:, :targets] if name.startswith("target_") else part
                for name, part in found.items()
            }
        return found

    def _program(self, kind, sizes, waits):
        """What is compiled for a shape; None where it is still to be, and nobody waits for it."""
        key = kind, sizes
        with self._lock:
            program = self._programs.pop(key, None)
            if program is None and waits:
                program = self._compile(kind, sizes)
            if program is not None:
                self._keep(key, program)
                return program
            if key not in self._due:
                _BEHIND.submit(partial(_compile_behind, weakref.ref(self), key))
            failed, self._due[key] = self._due.get(key), None
        if failed is not None:
            warnings.warn(
                f"a program for the sizes B, C, M, N of {sizes} could not be made: "
                f"{first_line(failed)}; answers are right, and as slow as the model's own",
                RuntimeWarning,
                stacklevel=4,
            )
        return None

    def _keep(self, key, program):
        self._programs[key] = program
        while len(self._programs) > self._most:
            del self._programs[next(iter(self._programs))]

    def _compile_due(self, key):
        try:
            program = self._compile(*key)
        except Exception as error:  # whatever XLA cannot do: who asks next is told
            with self._lock:
                self._due[key] = error
            return
        with self._lock:
            del self._due[key]
            self._keep(key, program)

    def _compile(self, kind, sizes):
        spec = self._model.spec

        def program(vector):
            with whitening_by_blocks():
                return self._computed(kind, unpacked(vector, spec, sizes))

        compiled = tf.function(program, autograph=False, jit_compile=True)
        length = sum(math.prod(shape) for shape in shapes_of(spec, sizes).values())
        concrete = compiled.get_concrete_function(tf.TensorSpec([length], tf.float32))
        # XLA compiles when it is first run.
        concrete(tf.zeros([length]))
        return concrete

    def _graph(self, kind):
        """One for all shapes."""
        with self._lock:
            if kind not in self._graphs:
                self._graphs[kind] = open_graph(self._model.spec, partial(self._computed, kind))
            return self._graphs[kind]

    def _computed(self, kind, batch):
        """What is asked of the model, by the weights that it was frozen with."""
        constants = [(variable, tf.constant(value)) for variable, value in self._weights]
        with keras.StatelessScope(state_mapping=constants):
            return KINDS[kind](self._model, batch)


def _compile_behind(of_frozen, key):
    frozen = of_frozen()
    if frozen is not None:
        frozen._compile_due(key)


def _padded(count: int) -> int:
    """The next power of two; none stays none."""
    return 1 << (int(count) - 1).bit_length() if count else 0
