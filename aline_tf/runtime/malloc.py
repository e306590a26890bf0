"""Keep the memory of large tensors in the process instead of fetching it anew for each.

The C library takes blocks beyond a threshold of at most 32 MB from the system one by one and gives
them back at once, and the system clears every page again. A training step goes through gigabytes
of them: kept, a pass over a large batch took a third less time.
"""

import contextlib
import ctypes
import sys

#: Parameters of mallopt(3) of glibc, and what they are set to: nothing is mapped on its own,
#: nothing is given back, and one heap serves all threads (the others' heaps end at 64 MB).
_SETTINGS = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, -1), "M_ARENA_MAX": (-8, 1)}


def keep_memory() -> bool:
    """Has the C library keep what tensors have freed, for tensors to come.

    The process then stays as large as it ever was, and threads share one heap: right for training
    and evaluation, not for a server of many requests at once. Where the C library is another than
    glibc nothing changes.

    Returns:
        whether it was glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - an AttributeError where it is not glibc
        taken = [library.mallopt(name, value) == 1 for name, value in _SETTINGS.values()]
    except (AttributeError, OSError):
        return False
    return all(taken)


def return_memory() -> None:
    """Has the C library give back to the system what it holds and nobody uses: after something that
    took much for a while, such as loading a model. Where it is another than glibc nothing changes.
    """
    if sys.platform.startswith("linux"):
        # Another library has no such function.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
