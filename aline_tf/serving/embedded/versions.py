"""One version of a model: a directory, and what became of loading it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from aline_tf.serving.embedded.loading import SAVED_MODEL, LoadedModel, load_model

LOG = logging.getLogger(__name__)
#: After a failure so many readings of the directory pass before the next try, at most.
_LONGEST_WAIT = 32


class NotFoundError(LookupError):
    """No such model, version or label; the message says which there are.

    Example:
        >>> import pathlib, tempfile
        >>> from aline_tf.serving import ModelRepository, NotFoundError
        >>> with tempfile.TemporaryDirectory() as base:
        ...     version = pathlib.Path(base, "mine", "1")
        ...     version.mkdir(parents=True)
        ...     (version / "saved_model.pb").touch()
        ...     try:
        ...         ModelRepository(base).find("yours")
        ...     except NotFoundError as error:
        ...         print(error)
        expected a model of mine; received 'yours'
    """


class NotLoadedError(RuntimeError):
    """The version is there and not loaded yet: ask again."""


class ModelVersion:
    """One version directory, in one of the states of TensorFlow Serving.

    START before it is loaded, LOADING, AVAILABLE, and END where it could not be loaded: then it is
    tried again, after twice as many readings of the directory each time. What changes in the
    directory makes it another `ModelVersion`, which is tried at once.

    Args:
        path: the directory.
        number: of the version.

    Attributes:
        state: "START", "LOADING", "AVAILABLE" or "END".
        error: why it could not be loaded, or None.
    """

    def __init__(self, path: Path, number: int):
        self.path, self.number = path, number
        self.stamp = contents_stamp(path)
        self.state = "START"
        self.error: str | None = None
        self._loaded: LoadedModel | None = None
        self._failures, self._readings_left = 0, 0
        self._lock = threading.Lock()

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    @property
    def loaded(self) -> LoadedModel:
        """The model in memory.

        Raises:
            NotLoadedError: it is not loaded yet.
            NotFoundError: it cannot be loaded.
        """
        loaded, error = self._loaded, self.error
        if loaded is not None:
            return loaded
        name = self.path.parent.name
        if error is None:
            raise NotLoadedError(
                f"expected a version that is loaded; version {self.number} of {name!r} is not yet:"
                " ask again"
            )
        raise NotFoundError(
            f"expected a SavedModel that loads; version {self.number} of {name!r} does not: {error}"
        )

    def load(self, warm_up: bool = False) -> LoadedModel:
        """The model in memory, loaded now if it is not.

        Args:
            warm_up: run it before it is AVAILABLE.

        Raises:
            NotFoundError: it cannot be loaded.
        """
        with self._lock:
            if self._loaded is None:
                self.state = "LOADING"
                try:
                    loaded = load_model(self.path)
                    if warm_up:
                        loaded.warm_up()
                except Exception as error:  # whatever a broken file makes TensorFlow raise
                    self._failed(error)
                else:
                    self._loaded, self.error, self.state = loaded, None, "AVAILABLE"
                    LOG.info("model=%r version=%d loaded", self.path.parent.name, self.number)
        return self.loaded

    def is_due(self) -> bool:
        """Whether to try to load it now; called once for each reading of the directory."""
        if self._loaded is not None:
            return False
        self._readings_left -= 1
        return self._readings_left < 0

    def _failed(self, error: Exception) -> None:
        # The messages of TensorFlow go on for pages; the first line says what is wrong.
        first = (str(error).splitlines() or [""])[0][:300]
        self.error, self.state = f"{type(error).__name__}: {first}", "END"
        self._readings_left = min(2**self._failures, _LONGEST_WAIT)
        self._failures += 1
        LOG.error(
            "model=%r version=%d cannot be loaded, and will be tried again: %s",
            self.path.parent.name,
            self.number,
            self.error,
        )


def version_directories(place: Path) -> dict[int, Path]:
    """Version number -> directory, of those that hold a SavedModel."""
    return {
        int(path.name): path
        for path in place.iterdir()
        if path.name.isascii() and path.name.isdigit() and (path / SAVED_MODEL).is_file()
    }


def contents_stamp(path: Path) -> tuple:
    """Changes when a file that loading reads is written anew, or arrives."""
    found = []
    for pattern in (SAVED_MODEL, "variables/*", "assets/*", "assets.extra/*"):
        for file in sorted(path.glob(pattern)):
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            found.append((file.name, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)
