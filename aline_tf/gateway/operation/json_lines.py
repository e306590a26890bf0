"""Every line of the log is one JSON object, whoever writes it, a failure's traceback inside.

A traceback says where and of what kind, never what the error says: its sentence may show what was
recorded.
"""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any


def line(**fields: Any) -> str:
    """One line of the log.

    Args:
        fields: what it says; ids, kinds, sizes and durations.
    """
    return json.dumps(fields, default=str, allow_nan=False)


def failure(error: BaseException) -> dict[str, Any]:
    """What a line says of an error: its kind, where it was raised, and the same of what led to it.

    Args:
        error: that was caught.
    """
    # Iterated, because what led to it may have been led to by it.
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    described = [
        {
            "error": type(each).__name__,
            "traceback": [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(each.__traceback__)
            ],
        }
        for each in seen
    ]
    return described[0] | ({"after": described[1:]} if described[1:] else {})


class JsonLines(logging.Formatter):
    """Formats whatever is logged as one line that is a JSON object.

    Lines by `line` stay as they are. Of others the first line is kept as the message, beside the
    level and the logger's name.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line.

        Args:
            record: of the log.
        """
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # its arguments do not fit it
            text = str(record.msg)
        fields = _object(text)
        if fields is None:
            first = (text.splitlines() or [""])[0]
            fields = {"level": record.levelname, "logger": record.name, "message": first}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= failure(record.exc_info[1])
        return line(**fields)


def _object(text: str) -> dict[str, Any] | None:
    try:
        # NaN, which JSON does not know, as text.
        found = json.loads(text, parse_constant=str, parse_float=_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(text: str) -> float | str:
    number = float(text)
    return number if abs(number) < float("inf") else text
