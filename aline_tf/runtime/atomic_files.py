"""Files that are written whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aline_tf.errors import InputError, first_line


@contextmanager
def writing(place: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever the system says while the block writes, a full disk or a forbidden one, in a
    sentence.

    Args:
        place: what is written, for the message.

    Raises:
        InputError: in the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise InputError(
            f"expected room and permission to write {place}; received: {reason}"
        ) from error


def require_directory(path: str | os.PathLike[str]) -> Path:
    """A directory that is there and can be written to, or that can be made.

    Args:
        path: of the directory. Nothing is made.

    Returns:
        the path.

    Raises:
        InputError: no path, a file in its place or on the way to it, or no permission.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise InputError(f"expected a directory to write to; received {path!r}")
    nearest = directory = Path(path)
    with writing(directory):
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
    if not nearest.is_dir():
        raise InputError(f"expected a directory to write to; received {nearest}, a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(
            f"expected a directory that can be written to; received {nearest}, which cannot"
        )
    return directory


def require_room(path: str | os.PathLike[str], size: int) -> None:
    """Whether a file of so many bytes can be written, before a writer that a full disk would crash.

    Args:
        path: of the file; none is left there.
        size: in bytes.

    Raises:
        OSError: no room, or no permission.
    """
    path = Path(path)
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            else:
                file.write(bytes(size))
                file.flush()
                os.fsync(file.fileno())
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling of `path` that takes its name when the block succeeds.

    The block creates a file or a directory at the yielded path, which does not exist yet and ends
    in the name of `path`, so that writers that look at the suffix behave as they would there. When
    the block raises, what it wrote is removed, together with parent directories made for it, and
    whatever stood at `path` before is untouched.

    Args:
        path: final place of the file or directory. An existing file is replaced; an existing
            directory is replaced as a whole.

    Yields:
        The path to write to.

    Raises:
        RuntimeError: the block ended without creating anything.
        OSError: the final place cannot be written, or is a directory while the block wrote a file
            (or the other way round).
    """
    final = Path(path)
    made = _make_parents(final.parent)
    partial = final.with_name(f".partial-{uuid.uuid4().hex[:12]}-{final.name}")
    try:
        yield partial
        if not partial.exists():
            raise RuntimeError(f"nothing was written for {final}")
        if partial.is_dir():
            _replace_directory(partial, final)
        else:
            os.replace(partial, final)
    except BaseException:
        _remove(partial)
        for parent in reversed(made):
            with suppress(OSError):
                parent.rmdir()
        raise


def _make_parents(parent: Path) -> list[Path]:
    """Create `parent` and return the directories that were missing, outermost first."""
    missing: list[Path] = []
    while not parent.exists():
        missing.insert(0, parent)
        parent = parent.parent
    for directory in missing:
        directory.mkdir(exist_ok=True)
    return missing


def _replace_directory(partial: Path, final: Path) -> None:
    """Put `partial` in the place of `final`, bringing the old directory back if that fails."""
    if not final.exists():
        os.rename(partial, final)
        return
    if not final.is_dir():
        raise NotADirectoryError(20, "a file stands where a directory is to be written", str(final))
    # A directory that is not empty cannot be replaced in one step: the old one steps aside first.
    retired = final.with_name(f".retired-{uuid.uuid4().hex[:12]}-{final.name}")
    os.rename(final, retired)
    try:
        os.rename(partial, final)
    except BaseException:
        os.rename(retired, final)
        raise
    shutil.rmtree(retired, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
