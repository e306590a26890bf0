"""What can go wrong beside input that is at fault."""

from __future__ import annotations

from typing import Any


class NothingRecorded(Exception):
    """A person of whom there is no record yet."""


class ModelAway(Exception):
    """No model answers. What was said last, and how old it is, if there is any.

    Attributes:
        last: the last forecast; None where there is none.
        age: of it, in seconds; None where there is none.
    """

    def __init__(self, message: str, last: dict[str, Any] | None = None, age: int | None = None):
        super().__init__(message)
        self.last, self.age = last, age


class Busy(Exception):
    """What takes long is being done for somebody else; the message says what."""
