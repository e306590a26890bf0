"""Losses of a diary that bias: refused, unless the person accepts them.

A forecast learns from how often something is answered. When every yes of a column is lost and every
no kept, or when most of a column or most dates cannot be read, what is left says something else
than the diary does. Cells that are set aside by a rule, or that say themselves that nothing is
known, are no losses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.account import Account
from aline_tf.migraine.records.importers.diary_cells import BINARY
from aline_tf.migraine.records.importers.diary_entries import Entry
from aline_tf.migraine.records.importers.diary_rows import (
    BESIDE_NO,
    DIARY_FIELDS,
    RowReader,
    channel_of,
    needs_cells,
)
from aline_tf.migraine.records.importers.losses import in_words
from aline_tf.migraine.records.timeline import OBSERVED

#: Ends of reasons for which nothing is lost.
_NO_LOSS = (
    BESIDE_NO,
    "says that it is not known",
    "asked and not answered",
    "without a start",
    "of no length",
    "another length than from start to end",
    "totals",
    "no date",
)
#: Fewer lost cells than this are told in the summary and refuse nothing, unless all say the same.
_LEAST_LOST = 2
_REMEDY = (
    "name words with --words, columns with --column-map, the order of dates with --dates, or read"
    " what is left with --accept-losses"
)


def refuse_losses(
    rows: RowReader, entries: Iterable[Entry], lost_rows: int, name: str = "the diary"
) -> None:
    """Refuse a diary of which what was read says something else than what is there.

    Args:
        rows: what was read of its rows, and what became of the cells.
        entries: what is left when every place has one answer.
        lost_rows: how many rows could not be read, for their cells or their dates.
        name: of the diary, for the message.

    Raises:
        InputError: with what was lost, examples, and the remedy.
    """
    account = rows.account
    if lost_rows > rows.days and lost_rows >= _LEAST_LOST:
        found = f"{rows.days} of {rows.days + lost_rows} rows"
        raise _biased(f"most rows of {name}", found, _of_fields(account, {"row"}))
    lost: Counter[str] = Counter()
    for reason, count in account.skipped.items():
        field, _, why = reason.partition(": ")
        if field in DIARY_FIELDS and not why.endswith(_NO_LOSS):
            lost[field] += count
    values: dict[str, set[float]] = defaultdict(set)
    for entry in entries:
        if entry.status == OBSERVED:
            values[entry.channel].add(entry.value)
    answers = {statement.attack for statement in rows.statements}
    few, same = {}, {}
    for field, count in sorted(lost.items()):
        found = f"{account.read[field]} of {account.read[field] + count} cells of {field}"
        if count > account.read[field] and count >= _LEAST_LOST:
            few[field] = found
        elif needs_cells(field) and _is_one_sided(channel_of(field), values, answers):
            same[field] = f"{found}, all with the same answer"
    if few:
        expected = f"most of every column of {name}"
        raise _biased(expected, ", ".join(few.values()), _of_fields(account, set(few)))
    if same:
        expected = f"every kind of answer in {name}"
        raise _biased(expected, ", ".join(same.values()), _of_fields(account, set(same)))


def _is_one_sided(
    channel: str, values: Mapping[str, set[float]], answers: Collection[bool]
) -> bool:
    """Whether all that was read of a channel is the same yes or no, or nothing but 0."""
    if channel == "attack":
        return len(answers) == 1
    return len(values[channel]) == 1 and (channel in BINARY or values[channel] == {0.0})


def _biased(expected: str, found: str, reasons: str) -> InputError:
    return InputError(
        f"expected {expected} to be readable; received {found} ({reasons}): what is left would"
        f" mislead ({_REMEDY})"
    )


def _of_fields(account: Account, fields: Collection[str]) -> str:
    skipped = {r: n for r, n in account.skipped.items() if r.partition(": ")[0] in fields}
    return in_words(account.summary(), Counter(skipped), most=9)
