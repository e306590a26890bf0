"""Losses that bias: a channel that was read by the smaller part is refused, not used.

What is left of a channel of which most could not be read is seldom a fair sample of it: the low
values of another scale, the days noted in one language. Such an import is an error that says what
was lost and for which reason; whoever knows better accepts it with `--accept-losses`.

Records that are put aside by a rule are no losses: repetitions, what a device itself does not
trust, what was withdrawn, what lies in the future.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from aline_tf.errors import InputError
from aline_tf.migraine.records.import_summary import ImportSummary

#: Fewer than this many lost records are told in the summary and refuse nothing.
LEAST_LOST = 4
REMEDY = "`migraine import --accept-losses` reads the rest all the same"

#: Ends of reasons for which nothing is lost.
_NO_LOSS = (
    "again",
    "also in the newer files",
    "also in the older files",
    "also in the daily files",
    "shorter than another of the same day",
    "of no confidence",
    "days without a value",
    "without a value",
    "of no sleep in these files",
    "days that are read",
    "predicted, not noted",
    "from a source that measures SDNN",
    "cancelled",
    "declined",
    "withdrawn",
    "replaced by a later version",
    "when the calendar was last changed",
    "when records end",
    "dated after the export",
    "beside a finer record of the same time",
)
#: First word of a reason -> channels in which its records would have been counted.
_GROUPS = {
    "sleep": ("sleep", "asleep", "in_bed", "awake", "sleep_hours"),
    "asleep": ("sleep", "asleep"),
    "headache": ("pain",),
    "menstrual_flow": ("menstrual_flow", "cycle_start"),
}


def refuse_losses(
    name: str, summary: ImportSummary, accept_losses: bool = False
) -> tuple[str, ...]:
    """Refuse what was read of a file when most of a channel was lost.

    Args:
        name: the file, as the person knows it.
        summary: what was read and skipped of it; reasons begin with the channel and a colon.
        accept_losses: the person accepts them.

    Returns:
        the losses that were accepted, a sentence each.

    Raises:
        InputError: less than half of a channel was read, and that is not accepted.
    """
    lost: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, count in summary.skipped.items():
        channel, colon, why = reason.partition(": ")
        if colon and not why.endswith(_NO_LOSS):
            lost[channel][reason] += count
    accepted = []
    for channel, reasons in sorted(lost.items()):
        read = sum(summary.read.get(name, 0) for name in _GROUPS.get(channel, (channel,)))
        missed = sum(reasons.values())
        if missed < LEAST_LOST or missed <= read:
            continue
        found = f"{read:,} of {read + missed:,} records of {channel} ({in_words(summary, reasons)})"
        if not accept_losses:
            raise biased_loss(name, found)
        accepted.append(f"{name}: only {found} could be read, which was accepted")
    return tuple(accepted)


def biased_loss(name: str, found: str) -> InputError:
    """The error for a file of which the smaller part could be read.

    Args:
        name: the file, as the person knows it.
        found: how much of what was read and why the rest was not.
    """
    return InputError(
        f"expected most of every column of {name} to be readable; received {found}: what is left"
        f" would mislead ({REMEDY})"
    )


def in_words(summary: ImportSummary, reasons: Counter[str] | None = None, most: int = 4) -> str:
    """Reasons of a summary with their counts and examples, the commonest first, in one line."""
    counted = Counter(summary.skipped) if reasons is None else reasons
    parts = []
    for reason, count in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:most]:
        example = summary.examples.get(reason)
        parts.append(f"{count:,} {reason}" + (f", such as {example!r}" if example else ""))
    if len(counted) > most:
        parts.append(
            f"{sum(counted.values()) - sum(c for _, c in counted.most_common(most)):,} more"
        )
    return "; ".join(parts)
