"""Counting while reading: what an importer makes of every record or cell that it meets."""

from __future__ import annotations

from collections import Counter

from aline_tf.migraine.records.import_summary import ImportSummary, shown_example

#: Different reasons, and different names of what is unused, that one file can add to a summary.
MAX_NAMES = 100
OTHER_REASONS = "other reasons"
OTHER_NAMES = "other names"


class Account:
    """Counts of one file: each record or cell is used, skipped or unused, and none is both.

    `read` may be changed from outside, by importers that put many records into one.

    Example:
        >>> from aline_tf.migraine.records.importers.account import Account
        >>> account = Account()
        >>> account.cells += 3
        >>> account.use("pain")
        >>> account.skip("pain: not a number", "meh")
        >>> account.pass_over("mood")
        >>> account.summary().accounted
        True
    """

    def __init__(self) -> None:
        self.cells = 0
        self.read: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.unused: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._notes: dict[str, None] = {}

    def use(self, channel: str, count: int = 1) -> None:
        """Records or cells that were read into a channel."""
        self.read[channel] += count

    def skip(self, reason: str, example: object = None, count: int = 1) -> None:
        """Records or cells left out; `example` is one of them as the file has it."""
        if reason not in self.skipped and len(self.skipped) >= MAX_NAMES:
            reason = OTHER_REASONS
        self.skipped[reason] += count
        if example is not None and reason not in self._examples:
            shown = shown_example(example)
            if shown:
                self._examples[reason] = shown

    def pass_over(self, name: object, count: int = 1) -> None:
        """Records or cells of a column or a type that has no use here."""
        name = shown_example(name) or "(unnamed)"
        if name not in self.unused and len(self.unused) >= MAX_NAMES:
            name = OTHER_NAMES
        self.unused[name] += count

    def note(self, sentence: str) -> None:
        """A sentence for the person, once however often it is said."""
        self._notes[sentence] = None

    def summary(self) -> ImportSummary:
        """The counts so far."""
        return ImportSummary(
            dict(+self.read),
            dict(+self.skipped),
            tuple(self._notes),
            dict(+self.unused),
            dict(self._examples),
            self.cells,
        )
