"""Which column of a diary is what, and what its name says of the values below it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from aline_tf.errors import InputError
from aline_tf.migraine.schema.channels import SLOT_NAMES

_SCALE = re.compile(
    r"(?<![\d.])([01])\s*(?:-|\u2013|\u2014|\.\.|to|bis|\u00e0|a)\s*(\d{1,3})(?!\d)"
)
_OUT_OF = re.compile(r"(?:/|out of|von|sur|de)\s*(\d{1,3})(?!\d)")
_BESIDE = re.compile(r"[(\[]([^()\[\]]*)[)\]]\s*$")
_SIGNS = re.compile(r"[\W_]+")


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        index: its place.
        name: as in the header.
        unit: what its name says in brackets, as "min" of "Sleep (min)"; "" for nothing.
        scale: ends of the scale that its name says, as (0, 100); None for none.
    """

    index: int
    name: str
    unit: str = ""
    scale: tuple[float, float] | None = None


def column_of(index: int, name: str) -> Column:
    """The column of that name, with what the name says."""
    folded = name.casefold()
    beside = _BESIDE.search(folded)
    unit = beside[1].strip() if beside else ""
    scale = _SCALE.search(folded) or _OUT_OF.search(unit)
    ends = None
    if scale is not None:
        low, high = (0.0, scale[1]) if scale.re is _OUT_OF else (float(scale[1]), scale[2])
        # Of "1 to 10" people mean the usual scale, whose 0 is no pain.
        ends = (low, float(high)) if float(high) not in (0.0, 1.0, 10.0) else None
        unit = ""
    elif unit == "%" or folded.endswith("%"):
        ends = (0.0, 100.0)
    return Column(index, name, unit, ends)


def match_columns(
    header: list[str],
    column_map: Mapping[str, str] | str | Path | None,
    fields: Sequence[str],
) -> dict[str, Column]:
    """Which column holds which field. Upper and lower case are the same.

    Args:
        header: column names of the table.
        column_map: {field: column name}, a JSON file of that, or None for columns named like
            the fields, with or without a unit or a scale in brackets.
        fields: every field there is; "date" is required.

    Raises:
        InputError: fields or columns that do not match, with those expected and those found; or
            two columns of one name for a field.
    """
    if column_map is None:
        columns = {}
        for field in fields:
            places = _named(header, field) or _named_like(header, field)
            if places:
                columns[field] = _only(places, header)
        if "date" not in columns or len(columns) < 2:
            raise InputError(
                "expected a diary with a column date and at least one of"
                f" {_summary(fields[1:])}, or a column map; received columns {_list(header)}"
            )
        return columns
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
    found = {field: _named(header, column) for field, column in selected.items()}
    missing = [selected[field] for field, places in found.items() if not places]
    if missing:
        raise InputError(
            f"expected the columns {_list(list(selected.values()))}, as the column map says;"
            f" received {_list(header)} (missing: {_list(missing)})"
        )
    return {field: _only(places, header) for field, places in found.items()}


def mapped_names(column_map: Mapping[str, str] | str | Path | None) -> frozenset[str]:
    """The words of the columns that a map names, in small letters."""
    if column_map is None:
        return frozenset()
    names = _column_map(column_map).values()
    return frozenset(word for name in names for word in re.findall(r"[^\W\d_]+", name.lower()))


def _named(header: list[str], name: str) -> list[int]:
    sought = name.strip().casefold()
    return [index for index, column in enumerate(header) if column.casefold() == sought]


def _named_like(header: list[str], field: str) -> list[int]:
    """Columns named like a field but for spaces, signs, and what stands in brackets behind it."""
    found = []
    for index, column in enumerate(header):
        bare = _SIGNS.sub("_", _BESIDE.sub("", column.casefold()).strip()).strip("_")
        if bare == field:
            found.append(index)
    return found


def _only(places: list[int], header: list[str]) -> Column:
    if len(places) > 1:
        raise InputError(
            f"expected one column of each name that is read; received {len(places)} named"
            f" {_list([header[places[0]]])}: rename all but one"
        )
    return column_of(places[0], header[places[0]])


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
