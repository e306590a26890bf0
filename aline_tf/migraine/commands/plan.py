"""`aline-tf migraine plan`: which device, reading and question is worth it, and when."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from datetime import UTC, datetime
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.commands.record_arguments import (
    add_record_arguments,
    check_record_arguments,
    timeline_of,
)

BUDGET, TWINS = 2.0, 128
MOST_BUDGET, LEAST_TWINS, MOST_TWINS = 30.0, 8, 2048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine plan`."""
    add_record_arguments(parser)
    parser.add_argument(
        "--now",
        metavar="TIME",
        help="an evening, as 2025-04-27 or 2025-04-27T20:00 (default: the last evening that the"
        " records support)",
    )
    parser.add_argument(
        "--budget",
        type=float,
        metavar="PROMPTS",
        default=BUDGET,
        help=f"burden a day at most, in prompts (default: {BUDGET:g})",
    )
    parser.add_argument(
        "--twins",
        type=int,
        metavar="K",
        default=TWINS,
        help=f"simulated people like this one; more of them make errors smaller (default: {TWINS})",
    )
    parser.add_argument(
        "--model", metavar="NAME|DIR", help="a preset (default: the one that is shipped)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of those people (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also every gain, as JSON")


def run(args: argparse.Namespace) -> int:
    """Reads, simulates, and prints the plan.

    Raises:
        InputError: an argument or a file cannot be used; nothing has been written.
    """
    _check(args)
    timeline = timeline_of(args)

    from aline_tf.migraine.forecast.moment import standpoint
    from aline_tf.migraine.forecast.plan import Scores, make_plan
    from aline_tf.migraine.forecast.twins import live_twins
    from aline_tf.migraine.records.days import day_history, recent
    from aline_tf.migraine.report.plan_section import plan_text
    from aline_tf.migraine.schema.designs import CAPACITY
    from aline_tf.migraine.task.pretrained import load_model
    from aline_tf.models.compiled import Compiled
    from aline_tf.runtime.atomic_files import atomic_path

    stand = standpoint(timeline, args.now, datetime.now(UTC))
    near = recent(stand.timeline, stand.now, CAPACITY)
    history = day_history(near, stand.now, CAPACITY)
    model = Compiled(load_model(args.model))
    plan = make_plan(Scores(model, live_twins(model, history, args.twins, args.seed)), args.budget)
    if args.json is not None:
        document = {"now": stand.now.isoformat(), "twins": args.twins, **dataclasses.asdict(plan)}
        with atomic_path(args.json) as partial:
            partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    days = f"{stand.now:%A}, {stand.now.day} {stand.now:%B %Y}"
    print("\n".join((*stand.remarks, f"Plan for the two weeks after {days}")))
    print(plan_text(plan, args.twins))
    if args.json is not None:
        print(f"\nWritten: {args.json}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before anything is read."""
    check_record_arguments(args)
    check_budget(args.budget, "--budget")
    if not LEAST_TWINS <= args.twins <= MOST_TWINS:
        raise InputError(
            f"expected --twins from {LEAST_TWINS} to {MOST_TWINS}; received {args.twins}"
        )
    if not 0 <= args.seed < 2**31:
        raise InputError(f"expected --seed from 0 to 2147483647; received {args.seed}")
    if args.json is not None and args.json.is_dir():
        raise InputError(f"expected a file to write; received the directory {args.json}")


def check_budget(budget: float, option: str) -> None:
    """Raises InputError for a burden a day that cannot be."""
    if not math.isfinite(budget) or not 0 < budget <= MOST_BUDGET:
        raise InputError(
            f"expected {option} above 0 and up to {MOST_BUDGET:g} prompts a day; received"
            f" {budget:g}"
        )
