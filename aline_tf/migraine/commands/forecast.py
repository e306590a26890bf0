"""`aline-tf migraine forecast`: a person's own exports in, risks and next questions out."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.commands.plan import BUDGET, TWINS, check_budget
from aline_tf.migraine.commands.record_arguments import (
    add_outlook_arguments,
    add_record_arguments,
    check_outlook_arguments,
    check_record_arguments,
    timeline_of,
)
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

REPORT = "report.html"
TASK = "migraine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine forecast`."""
    add_record_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help=f"where {REPORT} is written"
    )
    parser.add_argument(
        "--now",
        metavar="TIME",
        help="an evening, as 2025-04-27 or 2025-04-27T20:00 (default: the last evening"
        " that the records support)",
    )
    parser.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="CHANNEL[@DAYS]=VALUE",
        help="the risk had this been so, as stress=8 or alcohol@1=5, a day ago (repeatable)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also the same numbers and sentences as JSON"
    )
    parser.add_argument(
        "--plan",
        type=float,
        nargs="?",
        const=BUDGET,
        metavar="PROMPTS",
        help="also what is worth recording in the next two weeks, within so many prompts a day"
        f" (default of the budget: {BUDGET:g}); `migraine plan` prints it alone",
    )
    add_outlook_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Reads, forecasts, writes the report and prints what matters.

    Raises:
        InputError: an argument or a file cannot be used; nothing has been written.
    """
    _check(args)
    # Keras would load them for wrappers and pictures that no forecast has.
    quiet_tensorflow_start(without=("matplotlib", "sklearn"))
    # Imported late, and yet before the records are read: a wrong one costs nothing.
    from aline_tf.migraine.forecast.what_if import parse

    supposed = tuple(map(parse, args.what_if))
    timeline = timeline_of(args)

    from aline_tf.migraine.forecast.moment import standpoint
    from aline_tf.migraine.forecast.outlook import outlook_at, with_plan
    from aline_tf.migraine.report.console import console_text
    from aline_tf.migraine.report.document import outlook_document
    from aline_tf.migraine.report.report import render
    from aline_tf.migraine.task.pretrained import load_model
    from aline_tf.models.compiled import Compiled
    from aline_tf.runtime.atomic_files import atomic_path

    model = Compiled(load_model(args.model), eager_first=True)
    stand = standpoint(timeline, args.now, datetime.now(UTC))
    outlook = outlook_at(
        model,
        stand.timeline,
        stand.now,
        args.cost_weight,
        args.seed,
        supposed,
        stand.remarks,
    )
    if args.plan is not None:
        outlook = with_plan(outlook, model, args.plan, TWINS, args.seed)
    written = {args.out / REPORT: render(outlook)}
    if args.json is not None:
        document = outlook_document(outlook)
        written[args.json] = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    with ExitStack() as stack:
        # All files take their names together, or none does.
        for path, text in written.items():
            stack.enter_context(atomic_path(path)).write_text(text, encoding="utf-8")
    print(console_text(outlook, supposed))
    print(f"\nReport: {', '.join(map(str, written))}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before anything is read."""
    check_record_arguments(args)
    check_outlook_arguments(args)
    if args.plan is not None:
        check_budget(args.plan, "--plan")
    if args.out.exists() and not args.out.is_dir():
        raise InputError(f"expected a directory after --out; received the file {args.out}")
    if args.json is not None and (args.json.is_dir() or args.json == args.out / REPORT):
        raise InputError(f"expected another file to write after --json; received {args.json}")
    if (args.out / REPORT).is_dir():
        raise InputError(
            f"expected a place for {REPORT}; received the directory {args.out / REPORT}"
        )
