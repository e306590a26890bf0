"""Public names of a room, each imported when it is first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(
    room: str, names: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """What the `__init__` of a room needs, so that importing it costs nothing.

        __getattr__, __dir__, __all__ = lazy_exports(__name__, {"Session": "session"})

    Args:
        room: dotted name of the package.
        names: public name -> module that defines it, below the room (`session`), or absolute when
            it begins with `aline_tf.`. The name of a module itself stands for that module.

    Returns:
        `__getattr__`, `__dir__` and `__all__`.
    """

    def resolve(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        place = names[name]
        place = place if place.startswith("aline_tf.") else f"{room}.{place}"
        module = import_module(place)
        value = module if place.rpartition(".")[2] == name else getattr(module, name)
        setattr(sys.modules[room], name, value)
        return value

    def listing() -> list[str]:
        return sorted({*vars(sys.modules[room]), *names})

    return resolve, listing, list(names)
