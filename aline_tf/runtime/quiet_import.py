"""Keep TensorFlow's start-up notices off the terminal of the command line.

The libraries of TensorFlow 2.21 report the processor and missing GPU drivers before they read
TF_CPP_MIN_LOG_LEVEL, so no variable silences them, and a command's own one-line message drowns.
They write to the file descriptor of stderr, and only while the package is being imported.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

NOISY = "tensorflow"
LEVEL_VARIABLE = "TF_CPP_MIN_LOG_LEVEL"
SILENT = "3"


def quiet_tensorflow_start() -> None:
    """Hold stderr back while TensorFlow is imported, whenever that comes.

    Nothing is imported here. Someone who sets TF_CPP_MIN_LOG_LEVEL to less than 3 asked for the
    notices and gets them.
    """
    wanted = os.environ.setdefault(LEVEL_VARIABLE, SILENT)
    if wanted == SILENT and NOISY not in sys.modules and _QuietFinder not in sys.meta_path:
        sys.meta_path.insert(0, _QuietFinder)


@contextmanager
def held_stderr() -> Iterator[None]:
    """Discard what the block writes to file descriptor 2, unless it raises: then show it."""
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


class _QuietFinder:
    """An import finder that knows one name, and steps aside once it was asked for."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != NOISY:
            return None
        sys.meta_path.remove(_QuietFinder)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module: object) -> None:
                with held_stderr():
                    execute(module)

            spec.loader.exec_module = execute_quietly
        return spec
