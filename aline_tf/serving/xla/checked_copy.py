"""A signature's function once more, as XLA may compile it: its refusals become an answer.

XLA knows no assertion. It leaves one out without a word, and what the graph refuses would be
answered. In the copy every `If` of which one branch fails is replaced by its condition,

    y = If(c, then: True, else: fail)   ->   y = c,   is_sound = c_1 and c_2 and ...

and `is_sound` comes out beside the outputs. Where it is False nothing else that came out means
anything, and the function itself has to say why. A function with any other effect has no copy.

The copy is named for what it is: two versions of a model that differ in weights alone, which are
arguments, share one copy and what was compiled of it. TensorFlow keeps a program for as long as the
process lives, so that is all that a server that loads version after version ever holds.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import op_def_registry

from aline_tf.serving.embedded.graph_functions import rename_function

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES = ("If", "StatelessIf")
#: What the copy may hold although TensorFlow counts it as an effect: it reads, or calls.
_HARMLESS = {*_CALLS, *_BRANCHES, "ReadVariableOp", "While"}
#: What XLA passes by.
_PASSED_BY = {"CheckNumerics", "CheckNumericsV2"}
_SOUND = "is_sound"
#: Of the copies that there are; they stay, as what was compiled of them does.
_KNOWN: set[str] = set()
_LOCK = threading.Lock()


class NoCopyError(ValueError):
    """What the function does would be lost or changed."""


def checked_copy(name: str) -> str:
    """The name of a function's copy, whose last output is bool `is_sound`; XLA compiles it when it
    is called with new sizes.

    Args:
        name: of a function in TensorFlow's runtime.

    Raises:
        NoCopyError: it refuses nothing by an `If`, or does more than to compute and refuse.
    """
    copier = _Copier()
    top, has_refusal = copier.copy(name)
    if not has_refusal:
        raise NoCopyError("expected a function that refuses what it cannot answer; received none")
    definitions = list(copier.copies.values())
    names = {definition.signature.name for definition in definitions}
    digest = hashlib.sha256()
    for definition in definitions:
        if definition.signature.name == top:
            definition.attr["_XlaMustCompile"].b = True
        digest.update(definition.SerializeToString(deterministic=True))
    prefix = f"xla_{digest.hexdigest()[:24]}_"
    with _LOCK:
        if prefix not in _KNOWN:
            for definition in definitions:
                rename_function(definition, names, prefix)
                context.context().add_function_def(definition)
            _KNOWN.add(prefix)
    return prefix + top


class _Copier:
    """Copies of functions under names by the order in which they are met."""

    def __init__(self):
        self.copies: dict[str, Any] = {}
        self._refuses: dict[str, bool] = {}
        self._numbers: dict[str, int] = {}

    def copy(self, name: str) -> tuple[str, bool]:
        """The name of the copy, and whether it says if its input is sound."""
        if name not in self.copies:
            number = self._numbers.setdefault(name, len(self._numbers))
            function = context.context().get_function_def(name)
            function.signature.name = f"f{number}"
            sound = [found for node in function.node_def for found in self._edit(node)]
            if sound:
                _add_output(function, sound)
            self.copies[name], self._refuses[name] = function, bool(sound)
        return self.copies[name].signature.name, self._refuses[name]

    def _edit(self, node: Any) -> list[str]:
        """Turns a node into one of the copy; gives the conditions that it met."""
        if node.op in _PASSED_BY or (node.op not in _HARMLESS and _has_effect(node.op)):
            raise NoCopyError(f"expected a function that only computes; received one of {node.op}")
        if node.op in _BRANCHES and self._fails(node.attr["else_branch"].func.name):
            return [_into_condition(node)]
        found = []
        for function in _functions(node):
            function.name, has_sound = self.copy(function.name)
            if not has_sound:
                continue
            if node.op not in _CALLS:
                raise NoCopyError(f"expected no refusal inside of {node.op}; received one")
            types = node.attr["Tout"].list.type
            found.append(f"{node.name}:output:{len(types)}")
            types.append(tf.bool.as_datatype_enum)
        return found

    def _fails(self, name: str) -> bool:
        nodes = context.context().get_function_def(name).node_def
        return any(node.op == "Assert" for node in nodes)


def _functions(node: Any) -> list[Any]:
    return [
        function
        for _, value in sorted(node.attr.items())
        for function in (value.func, *value.list.func)
        if function.name
    ]


def _has_effect(op: str) -> bool:
    known = op_def_registry.get(op)
    return known is None or known.is_stateful


def _into_condition(node: Any) -> str:
    """An `If` that gives one bool and may fail becomes what it decides by."""
    types = list(node.attr["Tout"].list.type)
    if node.attr["Tcond"].type != tf.bool.as_datatype_enum or types != [tf.bool.as_datatype_enum]:
        raise NoCopyError(f"expected a refusal that gives one truth value; received {types}")
    condition = node.input[0]
    control = [name for name in node.input if name.startswith("^")]
    node.op = "Identity"  # its output has the same name
    node.ClearField("input")
    node.input.extend([condition, *control])
    node.ClearField("attr")
    node.attr["T"].type = tf.bool.as_datatype_enum
    return condition


def _add_output(function: Any, sound: list[str]) -> None:
    taken = {node.name for node in function.node_def}
    taken |= {argument.name for argument in function.signature.input_arg}
    taken |= {argument.name for argument in function.signature.output_arg}
    if any(name.startswith(_SOUND) for name in taken):
        raise NoCopyError(f"expected no name that begins with {_SOUND}; received one")
    together = sound[0]
    for place, condition in enumerate(sound[1:]):
        node = function.node_def.add(name=f"{_SOUND}_{place}", op="LogicalAnd")
        node.input.extend([together, condition])
        together = f"{node.name}:z:0"
    function.signature.output_arg.add(name=_SOUND, type=tf.bool.as_datatype_enum)
    function.ret[_SOUND] = together
