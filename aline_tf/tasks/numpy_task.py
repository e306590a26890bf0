"""A simulator in plain NumPy: a `Task` whose draws take a numpy generator instead of a seed."""

from __future__ import annotations

import functools
import inspect

import numpy as np
import tensorflow as tf

from aline_tf.errors import InputError
from aline_tf.tasks.task import Task

#: The methods that are written in NumPy, what each takes, and a stream of random numbers each.
_ARGUMENTS = {
    "sample_theta": ("rng", "batch"),
    "sample_designs": ("rng", "batch", "count"),
    "simulate": ("rng", "theta", "design"),
}
_STREAM = {name: stream for stream, name in enumerate(_ARGUMENTS)}


class NumpyTask(Task):
    """A task whose simulator is plain NumPy.

    A subclass gives `spec` and, with a `numpy.random.Generator` as the first argument,

        sample_theta(rng, batch)            -> [B, P]
        simulate(rng, theta, design)        -> [B, N, F], of theta [B, P] and design [B, N, D]
        sample_designs(rng, batch, count)   -> [B, N, D]; may be left out (`uniform_designs`)

    The generator is made from the seed of every call, inside the compiled graph: equal seeds give
    equal draws, different seeds different ones, in training too. All random numbers must come from
    it. Results are cast to float32. A call without a generator is that of a `Task`, with a seed.

    Slower than TensorFlow: every draw leaves the compiled graph, on one core, and XLA
    (`jit_compile=True`) cannot compile it. `log_likelihood` is TensorFlow here as everywhere.

    Raises:
        InputError: a draw has another shape than it should, is not finite, or raises.

    >>> from aline_tf.spec import Channel, Parameter, TaskSpec
    >>> class Line(NumpyTask):
    ...     spec = TaskSpec(
    ...         "line", ("x",), (0.0,), (1.0,), (Channel("y"),), (Channel("y"),),
    ...         (Parameter("slope", "real"),), horizon=5,
    ...     )
    ...     def sample_theta(self, rng, batch):
    ...         return rng.normal(size=(batch, 1))
    ...     def simulate(self, rng, theta, design):
    ...         return theta[:, None] * design + 0.1 * rng.normal(size=design.shape)
    >>> Line().sample_episodes([1, 2], 2, 5)["candidate_outcome"].shape.as_list()
    [2, 5, 1]
    """

    #: Said once when training begins.
    note = (
        "the simulator is NumPy: each draw leaves the compiled graph, which is slower than one "
        "in TensorFlow"
    )

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, arguments in _ARGUMENTS.items():
            method = vars(cls).get(name)
            if inspect.isfunction(method):
                setattr(cls, name, _in_graph(name, method, arguments))

    def sample_designs(self, seed, batch: int, count: int) -> tf.Tensor:
        """`uniform_designs`, from a seed or from a generator.

        Args:
            seed: int32 [2], or a `numpy.random.Generator`.
            batch, count: B and N.

        Returns:
            float32 [B, N, D].
        """
        if isinstance(seed, np.random.Generator):
            seed = seed.integers(0, 2**31 - 1, size=2, dtype=np.int32)
        return super().sample_designs(seed, batch, count)


def _in_graph(name, method, arguments):
    """The method of a subclass, as that of a `Task`: with a seed, in a graph or outside of one."""
    taken = tuple(inspect.signature(method).parameters)[1:]
    if len(taken) != len(arguments):
        raise InputError(
            f"expected {name}({', '.join(('self', *arguments))}) in a NumpyTask; "
            f"received {name}({', '.join(('self', *taken))})"
        )

    @functools.wraps(method)
    def drawn(self, *given, **named):
        bound = dict(zip(taken, given, strict=False)) | named
        if any(isinstance(value, np.random.Generator) for value in bound.values()):
            return method(self, *given, **named)
        # As a Task is called: simulate(theta, design, seed), the others with the seed first.
        order = ("theta", "design", "seed") if name == "simulate" else ("seed", *arguments[1:])
        bound = dict(zip(order, given, strict=False)) | named
        seed = bound.pop("seed")
        inputs = [bound[argument] for argument in order if argument != "seed"]
        call = functools.partial(_checked_call, self, name, method)
        if tf.executing_eagerly():
            return tf.constant(call(seed, *inputs))
        # A pure function of its seed: TensorFlow may share or repeat it, never remember it.
        result = tf.numpy_function(call, [seed, *inputs], tf.float32, stateful=False)
        return tf.ensure_shape(result, _shape(self.spec, name, inputs))

    return drawn


def _shape(spec, name, inputs) -> list:
    """The shape of a draw, as far as its inputs tell."""
    if name == "simulate":
        return [*inputs[1].shape[:2], spec.sizes["F"]]
    sizes = [value if isinstance(value, (int, np.integer)) else None for value in inputs]
    return [*sizes, spec.sizes["P" if name == "sample_theta" else "D"]]


def _checked_call(task, name, method, seed, *inputs) -> np.ndarray:
    """One draw in NumPy, checked: a wrong one would otherwise be cut, broadcast or learned from."""
    try:
        return _call(task, name, method, seed, *inputs)
    except InputError as error:
        # TensorFlow tells of an exception in its own words: these are kept for whoever reports it.
        task.failure = error
        raise


def _call(task, name, method, seed, *inputs):
    where = f"{name} of {type(task).__name__}"
    key = np.asarray(seed).ravel().astype(np.int64) & 0x7FFFFFFF
    rng = np.random.default_rng([_STREAM[name], *key.tolist()])
    inputs = [int(value) if np.ndim(value) == 0 else np.array(value) for value in inputs]
    shape = [int(size) for size in _shape(task.spec, name, inputs)]
    try:
        found = np.asarray(method(task, rng, *inputs))
    except Exception as error:
        raise InputError(
            f"expected {where} to draw numbers of shape {shape}; received "
            f"{type(error).__name__}: {error}"
        ) from error
    if list(found.shape) != shape or found.dtype.kind not in "biuf":
        raise InputError(
            f"expected {where} to return numbers of shape {shape}; received {found.dtype} "
            f"{list(found.shape)}"
        )
    if not np.isfinite(found).all():
        raise InputError(
            f"expected finite numbers from {where}; received NaN or infinite ones "
            f"({int(np.sum(~np.isfinite(found)))} of {found.size})"
        )
    return found.astype(np.float32)
