"""A disk on which no file becomes larger than so many bytes."""

import contextlib
import resource


@contextlib.contextmanager
def full_disk(size: int):
    """While it is open, the system refuses to write what is behind the first `size` bytes of a
    file: as on a full disk in the middle of it, for this process alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
