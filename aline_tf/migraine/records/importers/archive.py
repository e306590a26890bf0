"""Opening what people send: a zip read member by member as a stream, never unpacked to disk.

An archive is refused as a whole when any member has an absolute name, climbs out with "..", is a
link, or is encrypted: a health export has none of these. Sizes are counted while reading, because
the sizes an archive claims are only claims.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from aline_tf.errors import InputError

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 16 << 30
#: XML of a health export deflates about 20 to 40 times; a bomb a thousand times.
MAX_RATIO = 250
#: Below this size a ratio says nothing.
RATIO_FROM_BYTES = 16 << 20


@contextmanager
def open_archive(path: str | Path) -> Iterator[zipfile.ZipFile]:
    """Yield a zip archive whose member names are all safe.

    Args:
        path: the file.

    Raises:
        InputError: no such file, not a zip, a truncated one, or one with an unsafe member.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"expected a zip archive; received {path}, which is not a file")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
        raise InputError(
            f"expected a complete zip archive; received {path.name}, which is truncated or not one"
        ) from error
    with archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise InputError(
                f"expected at most {MAX_MEMBERS} files in an archive; received {len(members)}"
            )
        # Members that share their bytes unfold to more than any cap on one of them can hold.
        if sum(member.compress_size for member in members) > path.stat().st_size:
            raise InputError(
                "expected an archive whose files lie side by side; received one in which they"
                " overlap"
            )
        for member in members:
            _check_member(member)
        yield archive


@contextmanager
def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[io.BufferedReader]:
    """Yield a member as a stream of bytes that stops a bomb while it unfolds.

    Raises:
        InputError: the member is damaged, or larger than a health export can be.
    """
    with _as_input_error(member):
        stream = archive.open(member)
    with stream:
        yield io.BufferedReader(_Bounded(stream, member), 1 << 18)


@contextmanager
def _as_input_error(member: zipfile.ZipInfo) -> Iterator[None]:
    """Turn the many ways in which a damaged archive fails into one."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise InputError(
            f"expected an undamaged archive; received one in which {_plain(member.filename)}"
            " is truncated or damaged"
        ) from error


class _Bounded(io.RawIOBase):
    """Passes bytes on and counts them against the caps of this module."""

    def __init__(self, stream: BinaryIO, member: zipfile.ZipInfo) -> None:
        self._stream = stream
        self._member = member
        ratio_cap = max(RATIO_FROM_BYTES, MAX_RATIO * member.compress_size)
        self._cap = min(MAX_MEMBER_BYTES, ratio_cap)
        self._seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        with _as_input_error(self._member):
            data = self._stream.read(len(buffer))
        self._seen += len(data)
        if self._seen > self._cap:
            raise InputError(
                f"expected at most {self._cap >> 20} MiB in {_plain(self._member.filename)}, which"
                f" takes {self._member.compress_size} bytes in the archive; received more"
            )
        buffer[: len(data)] = data
        return len(data)


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    kind = stat.S_IFMT(member.external_attr >> 16)
    drive = len(name) > 1 and name[1] == ":"
    if name.startswith("/") or drive:
        problem = "has an absolute name"
    elif ".." in parts:
        problem = 'climbs out of its folder with ".."'
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problem = "is a link or a device"
    elif member.flag_bits & 1:
        problem = "is encrypted"
    else:
        return
    raise InputError(
        f"expected an archive of plain files; received a member, {_plain(name)}, that {problem}"
    )


def _plain(name: str) -> str:
    """A member name that is safe to print: one line, at most 80 characters."""
    return "".join(c if c.isprintable() else "?" for c in name)[:80]
