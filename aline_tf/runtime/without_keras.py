"""TensorFlow without Keras, for a process that only runs graphs.

TensorFlow imports Keras when it is imported itself, to hook into it, and goes on where that fails.
A server that never builds a layer saves 130 MB and a second or two.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HOOKED = "keras.src"


@contextmanager
def without_keras() -> Iterator[None]:
    """Within the block TensorFlow is imported as if Keras were not installed.

    Keras can be imported afterwards. Where TensorFlow is imported already nothing changes.
    """
    sys.meta_path.insert(0, _NoKeras)
    try:
        yield
    finally:
        sys.meta_path.remove(_NoKeras)


class _NoKeras:
    """An import finder that finds that one package is not there."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == _HOOKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
