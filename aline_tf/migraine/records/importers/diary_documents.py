"""How the diaries among a person's files are to be read, and which of the files are diaries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.bearable import bearable_rows, is_bearable
from aline_tf.migraine.records.importers.daylio import daylio_rows, is_daylio
from aline_tf.migraine.records.importers.diary import diary_from, familiar
from aline_tf.migraine.records.importers.diary_columns import match_columns
from aline_tf.migraine.records.importers.diary_encodings import decode
from aline_tf.migraine.records.importers.diary_rows import DIARY_FIELDS
from aline_tf.migraine.records.importers.diary_table import (
    header_from,
    is_json_lines,
    table_from,
)
from aline_tf.migraine.records.importers.diary_words import WORDS, Words
from aline_tf.migraine.records.importers.documents import HEAD_BYTES
from aline_tf.migraine.records.importers.losses import biased_loss, in_words
from aline_tf.migraine.records.importers.migraine_buddy import (
    is_migraine_buddy,
    migraine_buddy_rows,
)
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.wall_clock import WallClock

#: Apps whose exports are known by their columns; a `TABLE` is any other diary.
TABLE, MIGRAINE_BUDDY, DAYLIO, BEARABLE = "a table", "Migraine Buddy", "Daylio", "Bearable"


@dataclasses.dataclass(frozen=True)
class DiaryOptions:
    """What a person says about their diaries: arguments of `read_diary`.

    Attributes:
        column_map: {field: column name}, a JSON file of that, or None.
        dates: the order of day and month where the dates leave it open, or None.
        words: what words mean.
        accept_losses: read also what is left after losses that mislead.
    """

    column_map: Mapping[str, str] | str | Path | None = None
    dates: str | None = None
    words: Words = WORDS
    accept_losses: bool = False

    def is_diary(self, head: bytes, name: str) -> bool:
        """Whether a table that begins like this has the columns of a diary."""
        if self.form_of(head, name) != TABLE:
            return True
        try:
            header = header_from(head, name, familiar(self.words, self.column_map))
            match_columns(header, self.column_map, DIARY_FIELDS)
        except InputError:
            return False
        return True

    def form_of(self, head: bytes, name: str) -> str:
        """Which app wrote a table that begins like this; `TABLE` for any, or with a column map."""
        if self.column_map is not None or is_json_lines(name):
            return TABLE
        try:
            text, _ = decode(head, name, self.words.is_familiar, is_cut=True)
            if is_migraine_buddy(text):
                return MIGRAINE_BUDDY
            header = header_from(head, name, self.words.is_familiar)
        except InputError:
            return TABLE
        return DAYLIO if is_daylio(header) else BEARABLE if is_bearable(header) else TABLE

    def read(self, data: bytes, name: str, clock: WallClock) -> Timeline:
        """The timeline of a diary.

        Args:
            data: of the file.
            name: of the file.
            clock: of the person.

        Raises:
            InputError: as for `read_diary`; for the export of an app, most of it was lost.
        """
        form = self.form_of(data[:HEAD_BYTES], name)
        if form == TABLE:
            table = table_from(data, name, familiar(self.words, self.column_map))
            return diary_from(
                table, self.column_map, clock, self.dates, self.words, self.accept_losses
            )
        if form == MIGRAINE_BUDDY:
            text, notes = decode(data, name, self.words.is_familiar)
            rows, summary = migraine_buddy_rows(text, name, self.words, self.dates)
            summary = dataclasses.replace(summary, notes=(*notes, *summary.notes))
        else:
            read_rows = daylio_rows if form == DAYLIO else bearable_rows
            table = table_from(data, name, self.words.is_familiar)
            rows, summary = read_rows(table, clock, self.words)
        lost = sum(count for reason, count in summary.skipped.items() if reason.startswith("row: "))
        if 2 * lost > (summary.cells or 0) and not self.accept_losses:
            raise biased_loss(name, f"fewer ({in_words(summary)})")
        return Timeline.from_rows(rows, summary)
