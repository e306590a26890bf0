"""Files of FHIR: bundles, single resources and lines of them, as a stream of resources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.json_stream import (
    MAX_ELEMENT,
    OversizedElement,
    elements,
    parse,
)

#: What a file has in which an observation may be there in several versions.
_OF_VERSIONS = re.compile(
    rb'"(?:entered-in-error|cancelled|amended|corrected)"|"versionId"\s*:\s*"(?!1")'
)


def is_fhir_head(head: bytes) -> bool:
    """Whether a JSON file that begins like this is FHIR."""
    return b'"resourceType"' in head


def has_versions(document: Document) -> bool:
    """Whether a file speaks of versions at all: only then they have to be remembered."""
    with document.opener() as stream:
        tail = b""
        while chunk := stream.read(1 << 20):
            if _OF_VERSIONS.search(tail + chunk):
                return True
            tail = chunk[-40:]
    return False


def resources(stream: BufferedReader, by_line: bool) -> Iterator[Any]:
    """The resources of a file; those of a bundle one by one.

    Args:
        stream: its bytes.
        by_line: it is NDJSON, a resource a line.

    Yields:
        parsed resources, whatever they are, or an `OversizedElement`.

    Raises:
        InputError: it is not JSON, breaks off, or is neither a bundle nor a resource.
    """
    if by_line:
        yield from _lines(stream)
        return
    head = stream.peek(1 << 16)
    if head.lstrip()[:1] == b"[" or b'"entry"' in head or b'"Bundle"' in head[:4096]:
        for entry in elements(stream, "entry"):
            yield unwrapped(entry)
        return
    data = stream.read(MAX_ELEMENT + 1)
    if len(data) > MAX_ELEMENT:
        raise InputError("expected a FHIR bundle or a resource of at most 1 MiB; received neither")
    resource = parse(_decoded(data))
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise InputError("expected a FHIR bundle or a resource; received other JSON")
    if resource["resourceType"] != "Bundle":
        yield resource


def _lines(stream: BufferedReader) -> Iterator[Any]:
    """The resources of NDJSON; one that is too long is passed over to the end of its line."""
    number = 0
    while line := stream.readline(MAX_ELEMENT):
        number += 1
        if len(line) == MAX_ELEMENT and not line.endswith(b"\n"):
            while (line := stream.readline(MAX_ELEMENT)) and not line.endswith(b"\n"):
                pass
            yield OversizedElement()
        elif line.strip():
            try:
                yield parse(_decoded(line))
            except InputError as error:
                raise InputError(f"{error}, in line {number}") from error


def unwrapped(entry: Any) -> Any:
    """The resource of an entry of a bundle, or what stands there instead."""
    return entry.get("resource") if isinstance(entry, dict) and "resource" in entry else entry


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("expected FHIR in UTF-8; received another encoding") from error
