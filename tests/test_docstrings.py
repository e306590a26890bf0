"""Every public name says what it takes, gives and refuses, and every public class shows its use.

Public is what the package and its rooms export.
"""

import ast
import doctest
import inspect
import re
import sys
import textwrap
import typing
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import aline_tf

PACKAGE = Path(aline_tf.__file__).resolve().parent
ROOMS = sorted(
    ".".join(("aline_tf", *path.parent.relative_to(PACKAGE).parts))
    for path in PACKAGE.rglob("__init__.py")
)


def public_objects():
    """(room.name, object) of every exported class and function, each once."""
    found, seen = [], set()
    for room in ROOMS:
        module = import_module(room)
        for name in getattr(module, "__all__", ()):
            item = getattr(module, name)
            if (inspect.isclass(item) or callable(item)) and id(item) not in seen:
                seen.add(id(item))
                found.append(pytest.param(item, id=f"{room.removeprefix('aline_tf.')}.{name}"))
    return found


PUBLIC = public_objects()
CLASSES = [param for param in PUBLIC if inspect.isclass(param.values[0])]


def own_methods(item):
    """(name, function, what its base classes say of it) of the public methods a class defines."""
    for name, member in vars(item).items():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if isinstance(function, property):
            function = function.fget
        if inspect.isfunction(function) and (not name.startswith("_") or name == "__call__"):
            bases = (vars(base).get(name) for base in item.__mro__[1:])
            said = [inspect.getdoc(base) or "" for base in bases if base is not None]
            yield f"{item.__name__}.{name}", function, "\n".join(said)


def arguments_of(function):
    if not inspect.isfunction(function):
        return []
    names = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def raises_input_errors(function):
    """Whether the body refuses something itself, with an error of the caller's making."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError):
        return False
    raised = (node for node in ast.walk(tree) if isinstance(node, ast.Raise))
    names = (getattr(getattr(node.exc, "func", None), "id", "") for node in raised)
    return any(name in ("InputError", "ValueError", "TypeError") for name in names)


def shortcomings(name, function, inherited=""):
    """What the docstring of a function lacks; `inherited` is what its base classes say of it."""
    doc = "\n".join(filter(None, [inspect.getdoc(function) or "", inherited]))
    if not doc:
        return [f"{name}: no docstring"]
    found, taken = [], arguments_of(function)
    # Of one or two arguments a sentence can tell as well as a list.
    named = len(taken) < 3 and all(re.search(rf"\b{argument}\b", doc) for argument in taken)
    if len(taken) > 1 and "Args:" not in doc and not named:
        found.append(f"{name}: no `Args:`, takes {', '.join(taken)}")
    if raises_input_errors(function) and "Raises:" not in doc:
        found.append(f"{name}: no `Raises:`")
    return found


#: Methods of Keras and of plain data whose contract is said once, by Keras or by the class.
SAID_ELSEWHERE = {"build", "call", "get_config", "from_config", "to_dict", "from_dict"}


@pytest.mark.parametrize("item", PUBLIC)
def test_it_is_described(item):
    if not inspect.isclass(item):
        assert not shortcomings(item.__name__, item)
        return
    doc = item.__doc__ or ""
    found = [] if doc else [f"{item.__name__}: no docstring"]
    fields = getattr(item, "_fields", ()) or tuple(getattr(item, "__dataclass_fields__", ()))
    init = vars(item).get("__init__")
    taken = arguments_of(init) if init and not fields else fields
    said = doc + (inspect.getdoc(init) or "" if init else "")
    if taken and "Args:" not in said and "Attributes:" not in said:
        found.append(f"{item.__name__}: neither `Args:` nor `Attributes:`, takes {taken}")
    if init and not fields and raises_input_errors(init) and "Raises:" not in said:
        found.append(f"{item.__name__}: no `Raises:`")
    for name, function, inherited in own_methods(item):
        if name.partition(".")[2] not in SAID_ELSEWHERE:
            found += shortcomings(name, function, inherited)
    assert not found


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("item", CLASSES)
def test_a_class_shows_its_use_and_the_example_runs(item, tmp_path, monkeypatch):
    if typing.is_typeddict(item) or issubclass(item, BaseException):
        return
    monkeypatch.chdir(tmp_path)
    # As in `python -m doctest`: an example may use what its module has.
    names = {"aline_tf": aline_tf, "np": np} | vars(sys.modules[item.__module__])
    examples = doctest.DocTestFinder(recurse=False).find(item, item.__name__, globs=names)
    assert examples and examples[0].examples, f"expected an example in {item.__name__}"
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    lines = []
    for example in examples:
        runner.run(example, out=lines.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(lines)
