"""Arguments and weights under the names they had in version 0.1, so that what was written with them
still loads."""

from __future__ import annotations

import functools
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

#: Arguments of `ALINE`: the old name, the new one.
ARGUMENTS = {
    "width": "hidden_dim",
    "depth": "num_layers",
    "heads": "num_heads",
    "hidden": "intermediate_dim",
    "relation": "relative_position_dim",
    "kriging": "num_processes",
}
#: Paths of arrays in a weights file: what an old one begins with, and the new beginning.
WEIGHTS = (
    (r"focus/relations/relations", "focus/relations/relative_position_bias"),
    (r"layers/relations", "layers/relative_position_bias"),
)


def renamed(arguments: dict) -> dict:
    """The arguments with today's names.

    Raises:
        TypeError: the old and the new name of one argument.
    """
    twice = [(old, new) for old, new in ARGUMENTS.items() if old in arguments and new in arguments]
    if twice:
        raise TypeError(f"Expected {twice[0][1]} once. Received: {twice[0][0]} beside it")
    return {ARGUMENTS.get(name, name): value for name, value in arguments.items()}


def accepts_old_names(init: Callable) -> Callable:
    """A constructor that takes the old names too, with a DeprecationWarning."""

    @functools.wraps(init)
    def accepting(self, *args, **kwargs):
        old, kwargs = sorted(set(kwargs) & set(ARGUMENTS)), renamed(kwargs)
        if old:
            pairs = ", ".join(f"{ARGUMENTS[name]} for {name}" for name in old)
            warnings.warn(f"these arguments have new names: {pairs}", DeprecationWarning, 2)
        return init(self, *args, **kwargs)

    return accepting


@contextmanager
def todays_weights(path) -> Iterator[Path]:
    """The path of a weights file with today's names: `path` itself, or a temporary copy of an old
    file."""
    path = Path(path)
    arrays = _arrays(path) if path.is_file() and h5py.is_hdf5(path) else []
    if all(array == _todays(array) for array in arrays):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.weights.h5"
        with h5py.File(path) as old, h5py.File(copy, "w") as new:
            for array in arrays:
                old.copy(array, new, _todays(array))
        yield copy


def _arrays(path: Path) -> list[str]:
    """Paths of the arrays that an HDF5 file holds."""
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(name) if _is_array(item) else None)
    return found


def _is_array(item) -> bool:
    return isinstance(item, h5py.Dataset)


def _todays(array: str) -> str:
    for old, new in WEIGHTS:
        array = re.sub(rf"^{old}(?=[_/])", new, array)
    return array
