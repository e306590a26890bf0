"""The table a diary comes in: a header and rows of cells, whatever program wrote it.

Every cell that is not blank is accounted for: it is in a row of the table, or counted in `lost`
under the reason why it is not. Rows that do not fit the header are left out, because nobody can
say which of their cells is what.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_encodings import decode

MAX_BYTES = 64 << 20
MAX_ROWS = 50_000
MAX_COLUMNS = 500
SEPARATORS = ",;\t|"
#: Reasons of cells that are no answers.
#: What workbooks write in place of a value.
_ERROR = re.compile(r"#+|#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)", re.IGNORECASE)
COMMENT, AGAIN = "row: a comment", "row: the header again"
#: Records that are looked at to tell the separator.
_TRIED = 200
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DATED = re.compile(r'\s*"?\d{1,4}[-/.\s]\d')
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


@dataclasses.dataclass(frozen=True)
class Table:
    """A header and rows of the same length.

    Attributes:
        header: names of the columns.
        rows: cells as text, stripped; each row as long as the header.
        lost: reason -> number of cells that are not blank and not in `rows`.
        lost_rows: number of rows whose cells are in `lost`.
        examples: reason of `lost` -> one of the cells.
        notes: sentences on what was assumed.
        name: of the file.
    """

    header: list[str]
    rows: list[list[str]]
    lost: Counter[str] = dataclasses.field(default_factory=Counter)
    lost_rows: int = 0
    examples: dict[str, str] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    name: str = "the diary"

    @property
    def cells(self) -> int:
        """Cells that are not blank, those that were lost included."""
        return sum(map(_filled, self.rows)) + sum(self.lost.values())


def column_places(header: Sequence[str]) -> dict[str, int]:
    """Where each column of a header stands, by its name in lower case."""
    return {name.strip().lower(): place for place, name in enumerate(header)}


def read_table(path: Path, familiar: Callable[[str], bool] = lambda word: False) -> Table:
    """The table in a file: JSON Lines by its name (.jsonl, .ndjson), else CSV.

    Args:
        path: of the file.
        familiar: see `aline_tf.migraine.records.importers.diary_encodings.decode`.

    Raises:
        InputError: no such file, no text, too large, empty, or a quote that is never closed.
    """
    if not path.is_file():
        raise InputError(f"expected a diary as a CSV file; received {path}, which is not a file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(
            f"expected a diary of at most {MAX_BYTES >> 20} MiB; received a larger one"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a diary that can be read; received {error.strerror}") from error
    return table_from(data, path.name, familiar)


def table_from(
    data: bytes, name: str, familiar: Callable[[str], bool] = lambda word: False
) -> Table:
    """The table in the bytes of a file of that name. Arguments and errors as for `read_table`."""
    refuse_workbook(name)
    text, notes = decode(data, name, familiar)
    table = _objects(text, name) if is_json_lines(name) else _cells(text, name)
    return dataclasses.replace(table, notes=(*notes, *table.notes), name=name)


def header_from(
    data: bytes, name: str, familiar: Callable[[str], bool] = lambda word: False
) -> list[str]:
    """The names of the columns of a table of which only the beginning is given.

    Raises:
        InputError: it is no text, or blank.
    """
    text, _ = decode(data, name, familiar, is_cut=True)
    if is_json_lines(name):
        return _objects(text, name).header
    separator, body = _shape(text)
    for record in csv.reader(io.StringIO(body, newline=""), delimiter=separator):
        if _filled(record) and not (record[0].lstrip().startswith("#") and _filled(record) == 1):
            return [_name(column) for column in record]
    raise InputError(f"expected a diary with a header and rows; received {name}, empty")


def refuse_workbook(name: str) -> None:
    """Raises InputError for a file whose name says that it is a workbook, with the remedy."""
    if name.lower().endswith(_WORKBOOKS):
        raise InputError(
            f"expected a diary as a CSV file; received the workbook {name}: save its sheet as CSV"
        )


def is_json_lines(name: str) -> bool:
    """Whether a file of this name holds an object a line."""
    return name.lower().endswith((".jsonl", ".ndjson"))


def records_of(text: str, separator: str, name: str) -> list[list[str]]:
    """The records of CSV text, blank ones left out.

    Raises:
        InputError: a quote is not closed, or closed only after lines that look like rows.
    """
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(iter(lines), delimiter=separator)
    records: list[list[str]] = []
    while True:
        before = reader.line_num
        try:
            record = next(reader)
        except StopIteration:
            return records
        except csv.Error:
            raise _unclosed(lines, before, len(lines), name) from None
        within = lines[before : reader.line_num]
        if len(within) > 1 or reader.line_num == len(lines):
            _check_quotes(within, separator, before, lines, name)
        if any(cell.strip() for cell in record):
            records.append(record)
            if len(records) > MAX_ROWS + 1:
                raise InputError(f"expected at most {MAX_ROWS} rows; received more in {name}")


def _check_quotes(
    within: list[str], separator: str, before: int, lines: list[str], name: str
) -> None:
    """Refuse the lines of one record in which a quote swallows what may be rows."""
    try:
        records = list(csv.reader(iter(within), delimiter=separator, strict=True))
    except csv.Error:
        if len(within) == 1 and within[0].rstrip("\r\n").count('"') % 2 == 0:
            return
        raise _unclosed(lines, before, before + len(within), name) from None
    width = len(records[0]) if records else 0
    if any(line.count(separator) >= width - 1 and _DATED.match(line) for line in within[1:]):
        raise _unclosed(lines, before, before + len(within), name)


def _unclosed(lines: list[str], first: int, last: int, name: str) -> InputError:
    """The error of a quote that is opened in one of the lines and swallows those after it."""
    opened, is_open = first, False
    for number in range(first, last):
        if lines[number].count('"') % 2:
            is_open = not is_open
            opened = number if is_open else opened
    return InputError(
        f"expected quotes that are closed; received one in line {opened + 1} of {name} that is not"
        f" ({last - opened - 1} lines after it would be lost)"
    )


def _cells(text: str, name: str) -> Table:
    separator, text = _shape(text)
    records = records_of(text, separator, name)
    lost: Counter[str] = Counter()
    examples: dict[str, str] = {}
    while records and records[0][0].lstrip().startswith("#") and _filled(records[0]) == 1:
        _lose(records.pop(0), COMMENT, lost, examples)
    if not records:
        raise InputError(f"expected a diary with a header and rows; received {name}, empty")
    header = [_name(column) for column in records[0]]
    while header and not header[-1] and len(header) > 1:
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise InputError(f"expected at most {MAX_COLUMNS} columns; received {len(header)}")
    return _fitted(header, records[1:], lost, examples)


def _shape(text: str) -> tuple[str, str]:
    """The separator, and the text without the line that states it."""
    first = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    stated = _SEP_LINE.fullmatch(first.strip(" "))
    if stated:
        # Its line stays as a blank one, so that lines keep their numbers.
        return stated[1], text.replace(first, "", 1)
    return _separator(text), text


def _is_comment(cell: str) -> bool:
    """Whether a row that begins with this cell is a comment, and not one whose date a workbook
    could not show or find."""
    return cell.startswith("#") and not _ERROR.fullmatch(cell)


def _fitted(
    header: list[str], records: list[list[str]], lost: Counter[str], examples: dict[str, str]
) -> Table:
    """The rows that fit the header; the cells of all others are counted."""
    width = len(header)
    commented = not header[0].startswith("#")
    answers = [r for r in records if not (commented and _is_comment(r[0].strip()))]
    trims, longest = _trims(answers, width), _longest(answers, width)
    rows, lost_rows, padded = [], 0, 0
    again = [name.casefold() for name in header]
    for record in records:
        row = [cell.strip() for cell in record]
        if commented and _is_comment(row[0]):
            _lose(row, COMMENT, lost, examples)
        elif [cell.casefold() for cell in row[:width]] == again:
            _lose(row, AGAIN, lost, examples)
        elif len(row) > longest or any(row[width:]):
            _lose(row, "row: more cells than the header", lost, examples)
            lost_rows += 1
        elif len(row) < width and not trims:
            _lose(row, "row: fewer cells than the header", lost, examples)
            lost_rows += 1
        else:
            padded += len(row) < width
            rows.append(row[:width] + [""] * (width - len(row)))
    notes = ()
    if padded:
        notes = (f"{padded} rows end early: the cells they lack were taken as blank",)
    return Table(header, rows, lost, lost_rows, examples, notes)


def _trims(records: list[list[str]], width: int) -> bool:
    """Whether the program that wrote the table leaves out blank cells at the end of a row.

    It does not when it wrote one anywhere, or when a single row ends early: that one has lost a
    cell, and which one is not known. It does when others are blank and never the last, when rows
    end early at several places, or when many do.
    """
    short = [len(record) for record in records if len(record) < width]
    if len(short) < 2:
        return False
    if any(len(record) >= width and not record[width - 1].strip() for record in records):
        return False
    inner = any(not cell.strip() for record in records for cell in record[:-1])
    return inner or len(set(short)) > 1 or 3 * len(short) > len(records)


def _longest(records: list[list[str]], width: int) -> int:
    """How many cells a sound row has: more than the header where a separator ends every line.

    A single row that ends with a blank cell too many may have been cut in two further in front.
    """
    sizes = Counter(len(record) for record in records)
    usual = max(sizes, key=lambda size: (sizes[size], -size), default=width)
    return max(usual, width) if sizes[usual] > 1 else width


def _name(column: str) -> str:
    """The name of a column without spaces and marks of byte order around it."""
    return column.strip(" \t\r\n\u00a0\u200b\ufeff")


def _filled(cells: list[str]) -> int:
    return sum(1 for cell in cells if cell and not cell.isspace())


def _lose(cells: list[str], reason: str, lost: Counter[str], examples: dict[str, str]) -> None:
    lost[reason] += _filled(cells)
    examples.setdefault(reason, next((cell for cell in cells if cell.strip()), ""))


def _separator(text: str) -> str:
    """The separator with which most records are as long as the first, of several cells."""
    beginning = "".join(list(io.StringIO(text[: 1 << 18], newline=""))[:_TRIED])
    best, place = ",", (0.0, 0)
    for separator in SEPARATORS:
        reader = csv.reader(io.StringIO(beginning, newline=""), delimiter=separator)
        try:
            records = [record for record in reader if _filled(record)]
        except csv.Error:
            continue
        # A remark stands alone in its line.
        sizes = [len(r) for r in records if len(r) > 1 or not r[0].lstrip().startswith("#")]
        if not sizes or sizes[0] < 2:
            continue
        share = sizes.count(sizes[0]) / len(sizes)
        if (share, sizes[0]) > place:
            best, place = separator, (share, sizes[0])
    return best


def _objects(text: str, name: str) -> Table:
    """A header of every key that occurs, and a row of cells for every line."""
    parsed: list[dict] = []
    header: dict[str, None] = {}
    lost: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line, object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise InputError(
                f"expected a diary with a JSON object in every line, each key once; received"
                f" another line {number} in {name}"
            )
        for key, value in fields.items():
            if isinstance(value, dict | list):
                reason = f"{' '.join(key.split())[:40]}: a value with parts of its own"
                lost[reason] += 1
                examples.setdefault(reason, json.dumps(value)[:200])
        parsed.append(fields)
        header |= dict.fromkeys(fields)
        if len(header) > MAX_COLUMNS or len(parsed) > MAX_ROWS:
            raise InputError(
                f"expected at most {MAX_COLUMNS} columns and {MAX_ROWS} rows; received more in"
                f" {name}"
            )
    if not parsed:
        raise InputError(f"expected a diary with a header and rows; received {name}, empty")
    rows = [[_cell(fields.get(key)) for key in header] for fields in parsed]
    return Table([_name(key) for key in header], rows, lost, 0, examples)


def _unique(pairs: list[tuple[str, object]]) -> dict:
    """An object whose keys occur once: of a key that occurs twice, one value would be lost."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key occurs twice")
    return fields


def _cell(value: object) -> str:
    """A JSON value as the text of a cell; one with parts of its own is counted elsewhere."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip() if isinstance(value, str | int | float) else ""
