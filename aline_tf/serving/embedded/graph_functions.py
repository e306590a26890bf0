"""The signatures of a SavedModel as functions of TensorFlow's eager runtime.

`tf.saved_model.load` rebuilds every function of the file as a Python graph, node by node, to make
it differentiable, composable and traceable; a server only calls. Handing the functions to the
runtime as they are stored halves the time to a first answer and the memory, and they are optimised
and run as they would be otherwise. `add_function_def` and `call_function` are TensorFlow's own
doors to that, and not public: what the package may rely on is the minor version that it is pinned
to.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

_NUMBERS = itertools.count()
_CALLS = ("StatefulPartitionedCall", "PartitionedCall")
_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")
#: The signature of what has to be run before the first request.
START = "__saved_model_init_op"


class NotPlainError(ValueError):
    """The file holds more than functions of inputs and variables (tables, assets, an old graph)."""


def graph_functions(graph: Any, variables: Path) -> dict[str, Signature]:
    """The signatures of one SavedModel; when the last of them goes, its memory goes.

    Args:
        graph: the MetaGraphDef; it is changed.
        variables: prefix of the checkpoint's files.

    Returns:
        name -> function of named tensors that gives a dict of named tensors. Signatures that are
        the same function are one object: what is run once is ready under both names.

    Raises:
        NotPlainError: it is no file of this kind; `tf.saved_model.load` reads any.
    """
    definitions = {
        name: definition
        for name, definition in graph.signature_def.items()
        if not name.startswith("__")
    }
    nodes = _Nodes(graph.graph_def)
    if START in graph.signature_def:
        nodes.check_start(graph.signature_def[START])
    calls = {name: nodes.call_of(definition) for name, definition in definitions.items()}
    restore = nodes.call(graph.saver_def.restore_op_name)
    bodies = {}
    for function in graph.graph_def.library.function:
        _strip(function)
        bodies[function.signature.name] = _nameless(function)
    library = _Library(graph.graph_def.library)
    _run(library, nodes, restore, {graph.saver_def.filename_tensor_name: str(variables)})
    found: dict[Any, Signature] = {}
    signatures = {}
    for name, node in calls.items():
        inputs = {info.name: key for key, info in definitions[name].inputs.items()}
        outputs = {
            key: int(info.name.rpartition(":")[2])
            for key, info in definitions[name].outputs.items()
        }
        order = tuple(nodes.arguments(node, inputs))
        body = bodies[node.attr["f"].func.name]
        same = (body, order, tuple(sorted(outputs.items())))
        if same not in found:
            found[same] = Signature(library, nodes, node, order, outputs)
        signatures[name] = found[same]
    return signatures


def tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
    """Arrays as tensors of the same types, in two thirds of the time that `tf.constant` takes: that
    copies them once more.

    Args:
        arrays: that nobody changes as long as the tensors live.
    """
    device = context.context().device_name
    return {
        name: ops.EagerTensor(array, device, None)
        if array.dtype.kind in "bif"
        else tf.constant(array)
        for name, array in arrays.items()
    }


class Signature:
    """One signature, a function of named tensors; calls are safe from several threads."""

    def __init__(self, library: _Library, nodes: _Nodes, node: Any, order: Any, outputs: Any):
        self._library = library  # keeps the variables and the functions alive
        self._arguments = [library.argument(nodes, argument) for argument in order]
        self._name = (library.prefix + node.attr["f"].func.name).encode()
        self._number, self._outputs = len(node.attr["Tout"].list.type), outputs

    @property
    def name(self) -> str:
        """Of the function in TensorFlow's runtime."""
        return self._name.decode()

    def __call__(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._named(self._run(self._name, inputs, self._number))

    def call_copy(
        self, name: str, inputs: dict[str, tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """What another function gives in this one's place, and one more output of it.

        Args:
            name: of a function that takes the same.
            inputs: as of a call.
        """
        *found, last = self._run(name.encode(), inputs, self._number + 1)
        return self._named(found), last

    def _named(self, found: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name: found[place] for name, place in self._outputs.items()}

    def _run(self, function: bytes, inputs: dict[str, tf.Tensor], number: int) -> list[tf.Tensor]:
        taken = [
            inputs[argument] if isinstance(argument, str) else argument
            for argument in self._arguments
        ]
        return context.context().call_function(function, taken, number)


class _Nodes:
    """The outer graph of a SavedModel: placeholders, variables, and calls of functions on them."""

    def __init__(self, graph_def: Any):
        self._nodes = {node.name: node for node in graph_def.node}

    def __getitem__(self, name: str) -> Any:
        return self._nodes[name]

    def call_of(self, definition: Any) -> Any:
        """The one call that gives every output of a signature."""
        names = {info.name.rpartition(":")[0] for info in definition.outputs.values()}
        if len(names) != 1:
            raise NotPlainError("a signature of several operations")
        return self.call(names.pop())

    def call(self, name: str) -> Any:
        node = self._nodes.get(name)
        if node is None or node.op not in _CALLS:
            raise NotPlainError(f"an operation that is no call of a function: {name}")
        for source in map(self._nodes.__getitem__, _sources(node)):
            if source.op not in ("VarHandleOp", *_PLACEHOLDERS):
                raise NotPlainError(f"an argument of kind {source.op}")
            if source.op == "VarHandleOp" and source.attr["shape"].shape.unknown_rank:
                raise NotPlainError("a variable of unknown shape")
        return node

    def check_start(self, definition: Any) -> None:
        """Nothing has to be run before the first request."""
        for info in definition.outputs.values():
            node = self._nodes[info.name.partition(":")[0]]
            if node.op != "NoOp" or node.input:
                raise NotPlainError("an operation that has to run first")

    def arguments(self, node: Any, inputs: dict[str, str]) -> Iterator[tuple[str, str]]:
        """What a call takes, in order: ("input", its name) or ("variable", its node).

        Args:
            node: of the call.
            inputs: placeholder -> what its tensor is called.
        """
        names = {tensor.partition(":")[0]: name for tensor, name in inputs.items()}
        for source in _sources(node):
            if self._nodes[source].op in _PLACEHOLDERS:
                yield "input", names[source]
            else:
                yield "variable", source


class _Library:
    """The functions of one SavedModel under names that no other has, and its variables."""

    def __init__(self, library: Any):
        self.prefix = f"served_{next(_NUMBERS)}_"
        self._variables: dict[str, tf.Variable] = {}
        names, runtime = (
            {function.signature.name for function in library.function},
            context.context(),
        )
        weakref.finalize(self, _remove, runtime, [self.prefix + name for name in names])
        for function in library.function:
            rename_function(function, names, self.prefix)
            runtime.add_function_def(function)

    def argument(self, nodes: _Nodes, argument: tuple[str, str]) -> Any:
        """The handle of a variable; of an input its name."""
        kind, name = argument
        if kind == "input":
            return name
        if name not in self._variables:
            shape = tf.TensorShape(nodes[name].attr["shape"].shape)
            zeros = tf.zeros(shape, nodes[name].attr["dtype"].type)
            self._variables[name] = tf.Variable(zeros, trainable=False)
        return self._variables[name].handle


def _run(library: _Library, nodes: _Nodes, node: Any, values: dict[str, str]) -> None:
    inputs = {tensor: tensor for tensor in values}
    order = list(nodes.arguments(node, inputs))
    outputs = {f"{place}": place for place in range(len(node.attr["Tout"].list.type))}
    given = {tensor: tf.constant(value) for tensor, value in values.items()}
    Signature(library, nodes, node, order, outputs)(**given)


def rename_function(function: Any, names: set[str], prefix: str) -> None:
    """Puts a prefix before the name of a function, and before those of `names` that it calls.

    Args:
        function: its FunctionDef.
        names: of the functions that get the prefix.
        prefix: what stands before them.
    """
    function.signature.name = prefix + function.signature.name
    for node in function.node_def:
        for value in node.attr.values():
            for called in (value.func, *value.list.func):
                if called.name in names:
                    called.name = prefix + called.name


def _sources(node: Any) -> list[str]:
    return [name.partition(":")[0] for name in node.input if not name.startswith("^")]


def _strip(function: Any) -> None:
    """Takes away what only a Python graph needs, or a person who debugs one."""
    function.attr.pop("_input_shapes", None)
    function.arg_attr.clear()
    for node in function.node_def:
        node.ClearField("experimental_debug_info")
        node.attr.pop("_output_shapes", None)


def _nameless(function: Any) -> bytes:
    same = type(function)()
    same.CopyFrom(function)
    same.signature.name = ""
    return same.SerializeToString(deterministic=True)


def _remove(runtime: Any, names: list[str]) -> None:
    for name in names:
        if runtime.has_function(name):
            runtime.remove_function(name)
