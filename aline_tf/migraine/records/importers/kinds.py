"""Which kind of records a file holds: shown by its name and its first bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_documents import DiaryOptions
from aline_tf.migraine.records.importers.diary_table import is_json_lines
from aline_tf.migraine.records.importers.documents import Document
from aline_tf.migraine.records.importers.fhir_files import is_fhir_head
from aline_tf.migraine.records.importers.fitbit_api import is_fitbit_api_head
from aline_tf.migraine.records.importers.fitbit_files import family_of
from aline_tf.migraine.records.importers.garmin import is_garmin_head
from aline_tf.migraine.records.importers.health_auto_export import is_health_auto_export_head
from aline_tf.migraine.records.importers.health_connect import is_health_connect
from aline_tf.migraine.records.importers.health_xml import is_health_export
from aline_tf.migraine.records.importers.oura import is_oura_head, is_oura_table
from aline_tf.migraine.records.timeline_file import is_timeline_head

#: Kinds of records, in the order in which they are read.
KINDS = {
    "apple_health": "Apple Health export",
    "timeline": "timeline",
    "fitbit": "Fitbit export",
    "fhir": "FHIR observations",
    "health_auto_export": "Health Auto Export",
    "health_connect": "Health Connect export",
    "oura": "Oura export",
    "garmin": "Garmin export",
    "fitbit_api": "Fitbit Web API",
    "diary": "diary",
    "calendar": "calendar",
}
_AS_TABLE = "export the records as a table, such as CSV"
#: Endings of files that may hold records and cannot be read -> what can be done.
REMEDIES = (
    dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"), "save the sheet as CSV")
    | dict.fromkeys(
        (".tgz", ".tar", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"), "unpack it first"
    )
    | dict.fromkeys((".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages"), _AS_TABLE)
)
#: Endings of pictures, which lie in many an archive beside the records.
PICTURES = dict.fromkeys(
    (".png", ".jpg", ".jpeg", ".heic", ".gif", ".webp", ".tif", ".tiff", ".bmp"), _AS_TABLE
)
#: First bytes of such files, whatever their names say -> the ending they should have.
_SIGNATURES = {
    b"%PDF-": ".pdf",
    b"\xd0\xcf\x11\xe0": ".xls",
    b"\x1f\x8b": ".gz",
    b"7z\xbc\xaf\x27\x1c": ".7z",
    b"Rar!": ".rar",
    b"BZh": ".bz2",
    b"\xfd7zXZ": ".xz",
    b"PK\x03\x04": ".xlsx",
}
#: Archives are opened where they lie by themselves or in a folder, and not inside another one.
_NESTED = {".zip": "unpack the outer archive first, inside which none is opened"}
#: Endings under which a table or a document of records is expected.
_READ = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".ics")
#: Kinds whose files belong together, and are read together.
_TOGETHER = ("fitbit",)

ColumnMap = Mapping[str, str] | str | Path | None


def kind_of(document: Document, column_map: ColumnMap) -> str | None:
    """Which of `KINDS` a document is; None when it is none.

    Raises:
        InputError: it cannot be read.
    """
    suffix = document.suffix
    if family_of(document):
        return "fitbit"
    if suffix in (".ics", ".ical", ".ifb", ".icalendar"):
        return "calendar"
    if suffix == ".gz" and document.name.lower().endswith(".jsonl.gz"):
        return "timeline"
    if suffix == ".xml":
        return "apple_health" if is_health_export(document.head()) else None
    if suffix == ".json":
        return _kind_of_json(document.head())
    if suffix == ".db":
        return "health_connect" if is_health_connect(document) else None
    if suffix == ".csv" and is_oura_table(document.head()):
        return "oura"
    if is_json_lines(document.name):
        head = document.head()
        if is_timeline_head(head):
            return "timeline"
        if is_fhir_head(head.split(b"\n", 1)[0]):
            return "fhir"
    elif suffix not in (".csv", ".tsv"):
        return None
    if document.named or DiaryOptions(column_map).is_diary(document.head(), document.name):
        return "diary"
    return None


def _kind_of_json(head: bytes) -> str | None:
    for kind, is_one in (
        ("fhir", is_fhir_head),
        ("health_auto_export", is_health_auto_export_head),
        ("oura", is_oura_head),
        ("garmin", is_garmin_head),
        ("fitbit_api", is_fitbit_api_head),
    ):
        if is_one(head):
            return kind
    return None


def grouped(
    documents: Sequence[Document],
    name: str,
    column_map: ColumnMap,
    passed_over: dict[str, str],
    accept_losses: bool = False,
) -> Iterator[tuple[str, str, list[Document]]]:
    """Yield (kind, name, documents): one each, the files of one export together.

    Args:
        documents: those at one path.
        name: of the path, for files that are read together.
        column_map: how the columns of diaries are named.
        passed_over: gets, for every file of no kind, its name and why it was passed over.
        accept_losses: pass over also, inside a folder or an archive, what may hold records and
            cannot be read: workbooks, other archives, texts.

    Raises:
        InputError: a file that was named is of no kind, or one that may hold records cannot be
            read.
    """
    together: dict[str, list[Document]] = {}
    for document in documents:
        kind = kind_of(document, column_map)
        if kind in _TOGETHER:
            together.setdefault(kind, []).append(document)
        elif kind is not None:
            yield kind, document.shown, [document]
        elif (remedy := _remedy(document, accept_losses)) is not None:
            raise InputError(
                f"expected one of: {', '.join(KINDS.values())}; received {document.shown}, which"
                f" cannot be read: {remedy}"
            )
        elif document.named:
            raise InputError(
                f"expected one of: {', '.join(KINDS.values())}; received {document.shown}, which is"
                " none that is known"
            )
        else:
            suffix = document.suffix[:8] if document.suffix.isascii() else ""
            known = suffix in (".csv", ".json", ".jsonl", ".xml")
            reason = f"{suffix or 'unnamed'} files{' that hold nothing known' * known}"
            if remedy := (REMEDIES | PICTURES | _NESTED).get(suffix):
                reason += f", which cannot be read: {remedy}"
            shown = document.shown
            while shown in passed_over:
                shown = f"{shown}, again in {name}"
            passed_over[shown] = reason
    for kind, files in together.items():
        yield kind, name, files


def _remedy(document: Document, accept_losses: bool) -> str | None:
    """What can be done with a file that may hold records and cannot be read; None to pass over."""
    if document.named:
        return (REMEDIES | PICTURES).get(document.suffix)
    if accept_losses:
        return None
    remedy = (REMEDIES | _NESTED).get(document.suffix)
    if remedy is None and document.suffix in _READ:
        head = document.head()
        ending = next((end for magic, end in _SIGNATURES.items() if head.startswith(magic)), "")
        if ending:
            return f"it is a {ending} file by its first bytes: {REMEDIES[ending]}"
    return remedy and f"{remedy}, take it away, or pass over it with --accept-losses"
