"""Streaming the records of an Apple Health export.xml: any size, in constant memory.

The file as phones write it is not good XML: its DOCTYPE can be malformed and control characters
stray into attribute values. So the bytes pass a filter first, which drops the DOCTYPE (at most
64 KiB of it), refuses entity declarations and strips control characters; what is left goes to
expat in pieces. No document tree is built: handlers see one element at a time.
"""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from aline_tf.errors import InputError

CHUNK = 1 << 18
MAX_PROLOG = 1 << 16
MAX_DEPTH = 64
#: Text or a single tag longer than this belongs to no health export.
MAX_TOKEN = 4 << 20

_CONTROL = bytes(set(range(32)) - {9, 10, 13}) + b"\x7f"
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_SUBSET_END = re.compile(rb"\]\s*>")
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
#: Encodings that are read as UTF-8 is; anything else that is declared is turned into it.
_IS_UTF8 = ("utf-8", "ascii")
#: Elements at the first level that say something of the export and nothing of the person's days.
_FRAME = ("ExportDate", "Me")
MAX_TYPES = 1000

#: Called with the attributes of a top-level Record and the metadata entries inside it.
RecordHandler = Callable[[dict[str, str], dict[str, str]], None]


def is_health_export(head: bytes) -> bool:
    """Whether the first 64 KiB of a file are those of a health export."""
    # In UTF-16 every other byte of it is zero.
    head = head.replace(b"\0", b"")
    return b"<HealthData" in head or b"<!DOCTYPE HealthData" in head


@dataclasses.dataclass
class Contents:
    """What an export holds beside the records that were handled.

    Attributes:
        handled: number of records of the selected types.
        others: type of record, or name of another element -> how many there were.
    """

    handled: int = 0
    others: dict[str, int] = dataclasses.field(default_factory=dict)


def read_health_records(
    stream: BinaryIO,
    selected: frozenset[str],
    handle: RecordHandler,
    begin: Callable[[str], None] | None = None,
) -> Contents:
    """Call `handle` for every top-level Record whose type is `selected`.

    Records inside a Correlation are repeated at the top level by the exporter and are passed over.

    Args:
        stream: the bytes of export.xml, in UTF-8 or the encoding that it declares.
        selected: record types.
        handle: gets the attributes and the metadata {key: value} of one record.
        begin: gets the date of the export, as it is written, where it stands before the records.

    Returns:
        What there was, counted.

    Raises:
        InputError: not well-formed beyond what the filter repairs, entities, an oversized tag, or
            a root other than HealthData.
    """
    contents = Contents()
    parser = _Parser(selected, handle, begin, contents)
    try:
        for chunk in clean(stream):
            parser.feed(chunk)
        parser.close()
    except expat.ExpatError as error:
        if error.code in _CUT_SHORT:
            raise InputError(
                "expected a complete export.xml; received one that breaks off in the middle"
                f" (line {error.lineno})"
            ) from error
        raise InputError(
            "expected a well-formed export.xml; received one with"
            f" {expat.ErrorString(error.code)} at line {error.lineno}"
        ) from error
    return contents


def clean(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of an XML file without DOCTYPE and without control characters.

    Raises:
        InputError: the DOCTYPE is longer than 64 KiB or declares entities, or the file is not
            UTF-8 text.
    """
    head = b""
    while len(head) <= MAX_PROLOG + CHUNK:
        chunk = stream.read(CHUNK)
        head += chunk
        if not chunk or b"<HealthData" in head:
            break
    decoder = _decoder(head)
    if decoder is not None:
        head = decoder.decode(head).encode()
    yield _without_doctype(head).translate(None, _CONTROL)
    while chunk := stream.read(CHUNK):
        if decoder is not None:
            chunk = decoder.decode(chunk).encode()
        yield chunk.translate(None, _CONTROL)


def _decoder(head: bytes) -> codecs.IncrementalDecoder | None:
    """What turns a file into text, None for one in UTF-8."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return codecs.getincrementaldecoder("utf-16")("replace")
    found = _DECLARED.search(head, 0, 1024)
    name = found[1].decode() if found else "utf-8"
    try:
        name = codecs.lookup(name).name
        if name in _IS_UTF8 and b"\0" not in head[:64]:
            return None
        # Codecs that turn no bytes into text, and one that needs its mark, are no declarations.
        if b"\0" in head[:64] or not isinstance(codecs.decode(b"<", name), str):
            raise LookupError(name)
        return codecs.getincrementaldecoder(name)("replace")
    except (LookupError, ValueError, TypeError, OSError, AssertionError) as error:
        raise InputError(
            f"expected export.xml in UTF-8 or an encoding that is known; received {name!r}"
        ) from error


def _without_doctype(head: bytes) -> bytes:
    found = _DOCTYPE.search(head)
    if found is None:
        return head
    begin = found.start()
    bracket, closing = head.find(b"[", begin), head.find(b">", begin)
    if 0 <= bracket < closing or closing < 0:
        ending = _SUBSET_END.search(head, begin)
        end = ending.end() if ending else -1
    else:
        end = closing + 1
    # A subset whose end cannot be found, or lies past the root, hides something.
    if end < 0 or end - begin > MAX_PROLOG:
        raise InputError(
            f"expected a DOCTYPE of at most {MAX_PROLOG >> 10} KiB; received a longer one or one"
            " without an end"
        )
    if _ENTITY.search(head, begin, end):
        raise InputError(
            "expected an export.xml without entities; received one whose DOCTYPE declares an ENTITY"
        )
    # The lines stay, so that an error names the line a person finds in the file.
    return head[:begin] + b"\n" * head.count(b"\n", begin, end) + head[end:]


class _Parser:
    """Expat with handlers that see top-level records and the metadata inside them."""

    def __init__(
        self,
        selected: frozenset[str],
        handle: RecordHandler,
        begin: Callable[[str], None] | None,
        contents: Contents,
    ) -> None:
        self._begin = begin
        self._contents = contents
        self._others = contents.others
        self._selected = selected
        self._handle = handle
        self._depth = 0
        self._attributes: dict[str, str] | None = None
        self._metadata: dict[str, str] = {}
        self._progress = False
        self._waiting = 0
        # The encoding is given here so that a declared one cannot change what the filter saw.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, chunk: bytes) -> None:
        self._progress = False
        self._parser.Parse(chunk, False)
        self._waiting = 0 if self._progress else self._waiting + len(chunk)
        if self._waiting > MAX_TOKEN:
            raise InputError(
                f"expected tags shorter than {MAX_TOKEN >> 20} MiB in export.xml; received a longer"
                " one"
            )

    def close(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._progress = True
        depth = self._depth
        self._depth = depth + 1
        if depth == 1:
            if name == "Record":
                kind = attributes.get("type", "")
                if kind in self._selected:
                    self._attributes = attributes
                    self._metadata = {}
                else:
                    self._count(kind)
            elif name not in _FRAME:
                self._count(name)
            elif name == "ExportDate" and self._begin is not None:
                self._begin(attributes.get("value", ""))
        elif self._attributes is not None:
            if name == "MetadataEntry" and len(self._metadata) < 100:
                self._metadata[attributes.get("key", "")] = attributes.get("value", "")
        elif depth == 0:
            if name != "HealthData":
                raise InputError(
                    "expected export.xml with the root HealthData; received another document"
                )
        elif depth > MAX_DEPTH:
            raise InputError(f"expected at most {MAX_DEPTH} nested tags; received more")

    def _count(self, kind: str) -> None:
        if kind not in self._others and len(self._others) >= MAX_TYPES:
            kind = "other types"
        self._others[kind] = self._others.get(kind, 0) + 1

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 1 and self._attributes is not None:
            attributes, self._attributes = self._attributes, None
            self._contents.handled += 1
            self._handle(attributes, self._metadata)

    @staticmethod
    def _refuse(*_: object) -> None:
        raise InputError(
            "expected an export.xml with one DOCTYPE and no entities; received one with entities or"
            " a second DOCTYPE"
        )


_CUT_SHORT = (
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
)
