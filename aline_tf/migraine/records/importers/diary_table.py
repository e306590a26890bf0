"""The table a diary comes in: reading it, and finding which of its columns is what."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.schema.channels import SLOT_NAMES

MAX_BYTES = 64 << 20
MAX_ROWS = 50_000
MAX_COLUMNS = 500


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a table, all cells as text.

    A name that ends in .jsonl or .ndjson is JSON Lines, an object a row; any other is CSV.

    Raises:
        InputError: no such file, not UTF-8, too large, or empty.
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
    return table_from(data, path.name)


def table_from(data: bytes, name: str) -> tuple[list[str], list[list[str]]]:
    """The table in the bytes of a file of that name. Raises InputError as `read_table` does."""
    try:
        text = data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected a diary in UTF-8; received {name} in another encoding"
        ) from error
    rows = _objects(text, name) if is_json_lines(name) else _cells(text)
    if not rows:
        raise InputError(f"expected a diary with a header and rows; received {name}, empty")
    header = [column.strip() for column in rows[0]]
    if len(header) > MAX_COLUMNS or len(rows) > MAX_ROWS:
        raise InputError(
            f"expected at most {MAX_COLUMNS} columns and {MAX_ROWS} rows; received {len(header)}"
            f" and {len(rows)}"
        )
    return header, rows[1:]


def is_json_lines(name: str) -> bool:
    """Whether a file of this name holds an object a line."""
    return name.lower().endswith((".jsonl", ".ndjson"))


def _cells(text: str) -> list[list[str]]:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise InputError(f"expected a diary as a CSV table; received one with {error}") from error
    return [row for row in rows if row]


def _objects(text: str, name: str) -> list[list[str]]:
    """A header of every key that occurs, and a row of cells for every line."""
    parsed: list[dict] = []
    header: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise InputError(
                f"expected a diary with a JSON object in every line; received another line {number}"
                f" in {name}"
            )
        parsed.append(fields)
        header |= dict.fromkeys(fields)
        if len(header) > MAX_COLUMNS or len(parsed) > MAX_ROWS:
            raise InputError(
                f"expected at most {MAX_COLUMNS} columns and {MAX_ROWS} rows; received more in"
                f" {name}"
            )
    if not parsed:
        return []
    return [list(header), *([_cell(fields.get(key)) for key in header] for fields in parsed)]


def _cell(value: object) -> str:
    """A JSON value as the text of a cell; what is no single value is left out."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) else ""


def match_columns(
    header: list[str],
    column_map: Mapping[str, str] | str | Path | None,
    fields: Sequence[str],
) -> tuple[dict[str, int], int]:
    """Which column holds which field. Upper and lower case are the same.

    Args:
        header: column names of the table.
        column_map: {field: column name}, a JSON file of that, or None for columns named like
            the fields.
        fields: every field there is; "date" is required.

    Returns:
        {field: column number}, and how many columns have no field.

    Raises:
        InputError: fields or columns that do not match, with those expected and those found.
    """
    place = {name.lower(): index for index, name in reversed(list(enumerate(header)))}
    if column_map is None:
        columns = {field: place[field] for field in fields if field in place}
        if "date" not in columns or len(columns) < 2:
            raise InputError(
                "expected a diary with a column date and at least one of"
                f" {_summary(fields[1:])}, or a column map; received columns {_list(header)}"
            )
        return columns, len(header) - len(columns)
    selected = _column_map(column_map)
    strange = [field for field in selected if field not in fields]
    if strange:
        raise InputError(
            f"expected a column map with the fields {_summary(fields)}; received {_list(strange)}"
        )
    if "date" not in selected or len(selected) < 2:
        raise InputError(
            "expected a column map with the field date and at least one other;"
            f" received {_list(list(selected)) or 'none'}"
        )
    missing = [column for column in selected.values() if column.strip().lower() not in place]
    if missing:
        raise InputError(
            f"expected the columns {_list(list(selected.values()))}, as the column map says;"
            f" received {_list(header)} (missing: {_list(missing)})"
        )
    columns = {field: place[column.strip().lower()] for field, column in selected.items()}
    return columns, len(set(range(len(header))) - set(columns.values()))


def _column_map(column_map: Mapping[str, str] | str | Path) -> dict[str, str]:
    if isinstance(column_map, str | Path):
        path = Path(column_map)
        try:
            column_map = json.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(
                f"expected a column map as a JSON file; received {path}, which is not one"
            ) from error
    if not isinstance(column_map, Mapping) or not all(
        isinstance(text, str) for pair in column_map.items() for text in pair
    ):
        raise InputError(
            'expected a column map like {"date": "Day", "stress": "Stress level"};'
            " received something else"
        )
    return dict(column_map)


def _summary(fields: Sequence[str]) -> str:
    """The fields for a message: those of a part of the day are said once, not four times."""
    parts = tuple(f"_{part}" for part in SLOT_NAMES)
    whole = [field for field in fields if not field.endswith(parts)]
    split = [field.removesuffix(parts[0]) for field in fields if field.endswith(parts[0])]
    return f"{', '.join(whole)} ({', '.join(split)} also with {', '.join(parts)})"


def _list(names: list[str]) -> str:
    """Names for a message: at most 60 of them, each on one line and not endless."""
    shown = ["".join(c if c.isprintable() else "?" for c in name)[:40] for name in names[:60]]
    return ", ".join(shown) + (", ..." if len(names) > 60 else "")
