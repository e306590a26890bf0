"""`aline-tf migraine ask`: an evening's questions in the terminal, the most worthwhile first."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.commands.record_arguments import (
    add_outlook_arguments,
    add_record_arguments,
    check_outlook_arguments,
    timeline_of,
)

MOST_PROMPTS = 100
TIMELINES = (".jsonl", ".jsonl.gz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine ask`."""
    from aline_tf.migraine.interview.prompt_budget import PROMPTS_A_DAY, PROMPTS_A_WEEK

    add_record_arguments(parser)
    parser.add_argument(
        "--nothing", action="store_true", help="start without records: from people in general"
    )
    parser.add_argument(
        "--now",
        metavar="TIME",
        help="an evening, as 2025-04-27 or 2025-04-27T20:00 (default: the last evening"
        " that the records support; that of today with --nothing)",
    )
    parser.add_argument(
        "--budget",
        type=int,
        metavar="N",
        default=PROMPTS_A_DAY,
        help="prompts a day at most, those of earlier sessions in the records included; look-ups"
        f" and skipped prompts do not count (default: {PROMPTS_A_DAY})",
    )
    parser.add_argument(
        "--weekly-budget",
        type=int,
        metavar="N",
        default=PROMPTS_A_WEEK,
        help=f"prompts in seven days at most, counted alike (default: {PROMPTS_A_WEEK})",
    )
    add_outlook_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the answers as a timeline (.jsonl or .jsonl.gz), for --records next time",
    )


def run(args: argparse.Namespace) -> int:
    """Reads what is known, asks, and writes the answers.

    Raises:
        InputError: an argument or a file cannot be used; nothing has been asked or written.
    """
    _check(args)
    from aline_tf.migraine.records.timeline import Timeline

    timeline = Timeline.empty()
    if not args.nothing:
        timeline = timeline_of(args)

    from aline_tf.migraine.forecast import wording
    from aline_tf.migraine.interview.answers import answers_timeline
    from aline_tf.migraine.interview.interview import Interview
    from aline_tf.migraine.interview.prompt_budget import PromptBudget
    from aline_tf.migraine.records.days import day_history
    from aline_tf.migraine.records.timeline_file import write_timeline
    from aline_tf.migraine.schema.designs import CAPACITY
    from aline_tf.migraine.task.pretrained import load_model

    stand = _evening(timeline, args)
    now, timeline = stand.now, stand.timeline
    history = day_history(timeline, now, CAPACITY)
    model = load_model(args.model)
    print("\n".join((*stand.remarks, _known_text(timeline, history))))
    left, limit = PromptBudget(args.budget, args.weekly_budget).left(timeline, now)
    interview = Interview(model, history, args.cost_weight, left, args.seed, typed, limit=limit)
    answers = interview.run()
    print(f"\n{wording.NOT_A_DEVICE}\n{wording.RED_FLAGS}")
    if args.out is not None and answers:
        write_timeline(answers_timeline(answers, now), args.out)
        print(f"\nWritten: {args.out} (known from {now:%Y-%m-%dT%H:%M} on)")
    elif args.out is not None:
        print(f"\nNothing was answered, so nothing is written to {args.out}.")
    return 0


def typed(prompt: str) -> str:
    """A line from standard input; shown as well where no terminal shows what is typed."""
    line = input(prompt)
    if not sys.stdin.isatty():
        print(line)
    return line


def _evening(timeline, args: argparse.Namespace):
    """Where the session stands."""
    from aline_tf.migraine.forecast.moment import Standpoint, evening_from, standpoint
    from aline_tf.migraine.records.wall_clock import time_zone

    if len(timeline):
        return standpoint(timeline, args.now, datetime.now(UTC))
    moment = evening_from(args.now or datetime.now().date().isoformat())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=time_zone(args.zone)) if args.zone else moment.astimezone()
    return Standpoint(moment, timeline)


def _known_text(timeline, history) -> str:
    """One line on what the session starts from."""
    if not len(timeline):
        return "Nothing is recorded: this starts from what holds of people in general.\n"
    from aline_tf.migraine.forecast.wording import counted

    days = int((history.status != 0).any(axis=1).sum())
    records = sum(timeline.summary.read.values())
    return (
        f"Read {counted(records, 'record')}, telling of {days} of the last"
        f" {counted(len(history.dates), 'day')}.\n"
    )


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before anything is read."""
    sources = [path for path in (args.apple_health, args.diary, *args.records) if path is not None]
    if args.nothing and sources:
        raise InputError(f"expected no records with --nothing; received {sources[0]}")
    if not args.nothing and not sources:
        raise InputError(
            "expected --records, --apple-health or --diary, or --nothing to start without;"
            " received none of them"
        )
    if args.column_map is not None and args.diary is None and not args.records:
        raise InputError("expected --diary or --records beside --column-map; received neither")
    check_outlook_arguments(args)
    for option, given in (("budget", args.budget), ("weekly-budget", args.weekly_budget)):
        if not 1 <= given <= MOST_PROMPTS:
            raise InputError(f"expected --{option} from 1 to {MOST_PROMPTS}; received {given}")
    if args.out is not None:
        if not args.out.name.endswith(TIMELINES):
            raise InputError(f"expected --out to end in .jsonl or .jsonl.gz; received {args.out}")
        if args.out.is_dir():
            raise InputError(f"expected a file to write; received the directory {args.out}")
        if any(args.out.resolve() == path.resolve() for path in sources):
            raise InputError(f"expected another file to write than those read; received {args.out}")
