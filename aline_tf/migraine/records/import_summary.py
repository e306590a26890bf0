"""The account of an import: every cell or record of a file is read, skipped or unused.

Counts are of what the file holds, before anything is put together: a cell of a table, a record of
a health export, an entry of a calendar. What adds up to nothing is a fault of an importer, so the
sum can be checked: `ImportSummary.accounted`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

#: Characters of an example that are kept.
EXAMPLE_LENGTH = 40


def shown_example(value: object) -> str:
    """A value as an example in a message: one printable line of at most 40 characters."""
    text = "".join(c if c.isprintable() else " " for c in str(value)[: 4 * EXAMPLE_LENGTH])
    text = " ".join(text.split())
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 3] + "..."


@dataclasses.dataclass(frozen=True)
class ImportSummary:
    """What was read, what was left out and what has no use here, as counts.

    Attributes:
        read: channel -> number of records or cells that were used.
        skipped: reason -> number of records or cells that were left out.
        notes: sentences for the person, such as which clock was assumed.
        unused: column or type -> number of records or cells of it, none of which is used here.
        examples: reason of `skipped` -> one of the values that were left out for it, cut to a
            short printable text. Of titles, names and notes there are none.
        cells: number of records or cells there were in all; None where nobody counted.

    Example:
        >>> from aline_tf.migraine.records import ImportSummary
        >>> one = ImportSummary({"steps": 3}, cells=3)
        >>> two = ImportSummary(
        ...     {"steps": 1}, {"pain: not 0-10": 2}, (), {"mood": 4}, {"pain: not 0-10": "11"}, 7
        ... )
        >>> print(one + two)
        read 4 records
          steps: 4
        skipped 2
          pain: not 0-10: 2 (such as 11)
        not used 4
          mood: 4
        >>> (one + two).cells, (one + two).accounted
        (10, True)
    """

    read: Mapping[str, int] = dataclasses.field(default_factory=dict)
    skipped: Mapping[str, int] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unused: Mapping[str, int] = dataclasses.field(default_factory=dict)
    examples: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cells: int | None = None

    @property
    def counted(self) -> int:
        """Records or cells that were read, skipped or are unused."""
        return sum(sum(part.values()) for part in (self.read, self.skipped, self.unused))

    @property
    def accounted(self) -> bool:
        """Whether everything there was is read, skipped or unused; True where nobody counted."""
        return self.cells is None or self.cells == self.counted

    def __add__(self, other: ImportSummary) -> ImportSummary:
        cells = [part.cells for part in (self, other) if part.cells is not None or part.counted]
        return ImportSummary(
            dict(Counter(self.read) + Counter(other.read)),
            dict(Counter(self.skipped) + Counter(other.skipped)),
            self.notes + tuple(note for note in other.notes if note not in self.notes),
            dict(Counter(self.unused) + Counter(other.unused)),
            {**other.examples, **self.examples},
            None if None in cells or not cells else sum(cells),
        )

    def __str__(self) -> str:
        lines = [f"read {sum(self.read.values())} records"]
        lines += [f"  {name}: {count}" for name, count in sorted(self.read.items())]
        if self.skipped:
            lines.append(f"skipped {sum(self.skipped.values())}")
            for reason, count in sorted(self.skipped.items()):
                example = self.examples.get(reason)
                lines.append(f"  {reason}: {count}" + (f" (such as {example})" if example else ""))
        if self.unused:
            lines.append(f"not used {sum(self.unused.values())}")
            lines += [f"  {name}: {count}" for name, count in sorted(self.unused.items())]
        return "\n".join([*lines, *self.notes])
