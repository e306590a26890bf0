"""What a person hands over, as a sequence of named documents: a file, a folder or an archive.

A folder is walked without following links; an archive is read member by member and never unpacked
(`aline_tf.migraine.records.importers.archive`). Every document is opened as a stream of bytes whose
length is capped, so that no file fills the memory because it claims to be small.
"""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import is_zipfile

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.archive import open_archive, open_member
from aline_tf.migraine.records.importers.json_stream import parse

MAX_FILES = 200_000
HEAD_BYTES = 1 << 17
#: Files that are zip archives within, and are no archives to a person.
#: Beginnings of names of hidden files, and of what a workbook leaves while it is open.
_NO_RECORDS = (".", "~$")
_ZIPPED_TABLES = (".xlsx", ".xlsm", ".ods", ".numbers", ".docx")


@dataclasses.dataclass(frozen=True)
class Document:
    """One file of a person's records.

    Attributes:
        path: its place, with "/" between folders: relative to the folder or the archive it is in.
        named: the person named this file itself, rather than a folder or an archive it lies in.
        opener: opens it as a stream of bytes.
    """

    path: str
    named: bool
    opener: Callable[[], AbstractContextManager[io.BufferedReader]]

    @property
    def name(self) -> str:
        """The file name without folders."""
        return PurePosixPath(self.path).name

    @property
    def suffix(self) -> str:
        """The ending of the name in lower case, as ".json"."""
        return PurePosixPath(self.path).suffix.lower()

    @property
    def shown(self) -> str:
        """The path as it can be printed: one line, at most 120 characters."""
        return "".join(c if c.isprintable() else "?" for c in self.path)[-120:]

    def head(self) -> bytes:
        """The first 128 KiB.

        Raises:
            InputError: it cannot be read.
        """
        with self.opener() as stream:
            return stream.read(HEAD_BYTES)

    def read(self, most: int) -> bytes:
        """All of it.

        Args:
            most: bytes beyond which no file of its kind goes.

        Raises:
            InputError: it is larger, or cannot be read.
        """
        with self.opener() as stream:
            data = stream.read(most + 1)
        if len(data) > most:
            raise InputError(
                f"expected at most {most >> 20} MiB in {self.shown}; received a larger file"
            )
        return data

    def json(self, most: int) -> Any:
        """The file as JSON values.

        Args:
            most: bytes it may have.

        Raises:
            InputError: it is longer, cannot be read, or is not JSON; the file is named.
        """
        try:
            return parse(self.text(most))
        except InputError as error:
            raise InputError(f"{error}, in {self.shown}") from error

    def text(self, most: int, others: bool = False) -> str:
        """All of it as text in UTF-8, with or without a byte order mark.

        Args:
            most: bytes beyond which no file of its kind goes.
            others: UTF-16 with its mark and the encoding of older Windows programs are read too.

        Raises:
            InputError: it is larger, cannot be read or is in another encoding.
        """
        data = self.read(most)
        if others and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16", "replace")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if others:
                return data.decode("cp1252", "replace")
            raise InputError(
                f"expected {self.shown} in UTF-8; received another encoding"
            ) from error


@contextmanager
def open_documents(path: str | Path) -> Iterator[list[Document]]:
    """Yield the documents at a path, in the order of their names; archives stay open meanwhile.

    An archive inside a folder is opened as well, one inside an archive is a document of its own.

    Args:
        path: a file, a folder or a zip archive.

    Raises:
        InputError: nothing is there, it cannot be read, an archive is unsafe or damaged, or there
            are more than 200 000 files.
    """
    path = Path(path)
    with ExitStack() as stack:
        if path.is_dir():
            documents = [
                document
                for file in _walk(path)
                for document in _of_file(file, file.relative_to(path).as_posix(), False, stack)
            ]
        elif path.is_file():
            documents = _of_file(path, path.name, True, stack)
        else:
            raise InputError(
                f"expected a file, a folder or a zip archive; received {path}, which is none"
            )
        if len(documents) > MAX_FILES:
            raise InputError(f"expected at most {MAX_FILES} files; received {len(documents)}")
        yield documents


def _of_file(path: Path, shown: str, named: bool, stack: ExitStack) -> list[Document]:
    suffix = path.suffix.lower()
    if suffix == ".zip" or (named and suffix not in _ZIPPED_TABLES and _is_zip(path)):
        archive = stack.enter_context(open_archive(path))
        return [
            Document(member.filename, False, _member_opener(archive, member))
            for member in sorted(archive.infolist(), key=lambda member: member.filename)
            if not member.is_dir()
        ]
    return [Document(shown, named, _file_opener(path))]


def _walk(folder: Path) -> list[Path]:
    files = []

    def refuse(error: OSError) -> None:
        raise InputError(
            f"expected folders that can be read; received {folder.name}: {error.strerror}"
        ) from error

    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(place) / name
            if not name.startswith(_NO_RECORDS) and file.is_file() and not file.is_symlink():
                files.append(file)
        if len(files) > MAX_FILES:
            raise InputError(f"expected at most {MAX_FILES} files; received more in {folder.name}")
    return files


def _is_zip(path: Path) -> bool:
    try:
        return is_zipfile(path)
    except OSError:
        return False


def _file_opener(path: Path) -> Callable[[], AbstractContextManager[io.BufferedReader]]:
    @contextmanager
    def opener() -> Iterator[io.BufferedReader]:
        try:
            stream = io.BufferedReader(io.FileIO(path), 1 << 18)
        except OSError as error:
            raise InputError(
                f"expected files that can be read; received {path.name}: {error.strerror}"
            ) from error
        with stream:
            yield stream

    return opener


def _member_opener(archive, member) -> Callable[[], AbstractContextManager[io.BufferedReader]]:
    return lambda: open_member(archive, member)
