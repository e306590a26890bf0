"""Import TensorFlow without its start-up notices, and without what it need not do.

The libraries of TensorFlow 2.21 report the processor and missing GPU drivers before they read
TF_CPP_MIN_LOG_LEVEL, so no variable silences them, and a command's own one-line message drowns.
They write to the file descriptor of stderr, and only while the package is being imported.

The import makes a million objects that stay: looking through them for garbage again and again is a
quarter of its time.
"""

import gc
import os
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

NOISY = "tensorflow"
LEVEL_VARIABLE = "TF_CPP_MIN_LOG_LEVEL"
SILENT = "3"


def quiet_tensorflow_start(without: Collection[str] = ()) -> None:
    """Hold stderr back while TensorFlow is imported, whenever that comes.

    Nothing is imported here. Someone who sets TF_CPP_MIN_LOG_LEVEL to less than 3 asked for the
    notices and gets them. A second call before the import adds to the first.

    Args:
        without: packages that are hidden from TensorFlow and Keras while they are imported, for a
            process that needs nothing of theirs that needs them. They can be imported afterwards.
    """
    os.environ.setdefault(LEVEL_VARIABLE, SILENT)
    if NOISY in sys.modules:
        return
    waiting = [finder for finder in sys.meta_path if isinstance(finder, _QuietFinder)]
    if not waiting:
        waiting = [_QuietFinder()]
        sys.meta_path.insert(0, waiting[0])
    waiting[0].without |= set(without)


@contextmanager
def hidden(names: Iterable[str]) -> Iterator[None]:
    """Packages that are not loaded yet cannot be imported inside the block."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage inside the block, and never again among what it made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


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

    def __init__(self) -> None:
        self.without: set[str] = set()

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != NOISY:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module: object) -> None:
                with ExitStack() as stack:
                    if os.environ.get(LEVEL_VARIABLE) == SILENT:
                        stack.enter_context(held_stderr())
                    stack.enter_context(hidden(self.without))
                    stack.enter_context(uncollected())
                    execute(module)

            spec.loader.exec_module = execute_quietly
        return spec
