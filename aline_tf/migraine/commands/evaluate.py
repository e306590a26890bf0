"""`aline-tf migraine evaluate`: a model against baselines on people nobody trained on."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import check_plots
from aline_tf.runtime.malloc import keep_memory

TASK = "migraine"
MOST_PEOPLE, MOST_DAYS, LEAST_HISTORY = 10_000, 112, 3
#: Shown beside the table. Other people, other records: no figure here is a target for another.
PUBLISHED = (
    ("diary regression, next day", "AUC .65, Brier .202 (base rate .237)", "Houle 2017, 95 people"),
    ("within-person, onsets", "AUC .56 (.54 to .58)", "Holsteen 2020, 178 people"),
    ("wearable and app, random forest", "AUC .62", "Stubberud 2023, 18 people"),
)
CEILING = """\
particle filter: knows how the simulator works, learns each person from the same records.
told filter: was told every parameter of the person; out of reach."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine evaluate`."""
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="a preset (default: the one that is shipped)"
    )
    parser.add_argument(
        "--people", type=int, default=400, metavar="S", help="simulated people (default: 400)"
    )
    parser.add_argument(
        "--days", type=int, default=112, metavar="D", help="day of the last forecast (default: 112)"
    )
    parser.add_argument(
        "--history",
        type=int,
        default=28,
        metavar="D",
        help="days known at the first forecast (default: 28)",
    )
    parser.add_argument(
        "--records",
        default="mixed",
        metavar="KIND",
        help="mixed: partial ones, as people have them (default); full: every device, and asked"
        " about every part of the day; forecasts and parameters only",
    )
    parser.add_argument(
        "--particles",
        type=int,
        default=200,
        metavar="M",
        help="of the particle filter that is the ceiling; 0 leaves it out (default: 200)",
    )
    parser.add_argument(
        "--shifted",
        action="store_true",
        help="people of another world: more triggers and attacks, fewer answers",
    )
    parser.add_argument(
        "--plots", metavar="DIR", help="also draw what is gained for which burden, as PNG and SVG"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the people (default: 0)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write all rows, subgroups too, to this file"
    )


def run(args: argparse.Namespace) -> int:
    """Measures, prints a table and writes the rows.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    _check(args)
    keep_memory()
    from aline_tf.evaluation import results as rows
    from aline_tf.migraine.task.pretrained import load_model

    model = load_model(args.model)
    from aline_tf.migraine.evaluation.study import LEAK, evaluate
    from aline_tf.migraine.simulation.population import SHIFTED

    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    measured = evaluate(
        model,
        args.people,
        args.days,
        args.history,
        args.seed,
        full_records=args.records == "full",
        particles=args.particles,
        settings=SHIFTED if args.shifted else None,
        report=report,
    )
    world = " of the shifted world" if args.shifted else ""
    print(
        f"{TASK}: {args.people} unseen people{world}, evenings of days {args.history} to"
        f" {args.days}, {args.records} records, seed {args.seed}; {rows.machine()}\n"
    )
    print(tables(measured))
    print("\nPublished, on real people (other records, other people: not the same test)")
    for what, figure, source in PUBLISHED:
        print(f"  {what}: {figure} ({source})")
    print(CEILING)
    if any(row.metric == "within_auc" and row.mean > LEAK for row in measured):
        print(f"A within-person AUC above {LEAK:.2f} means a leak: do not believe these figures.")
    if args.json:
        rows.write_json(args.json, TASK, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    if args.plots:
        # Imported late: they load matplotlib.
        from aline_tf.evaluation.plots.style import save
        from aline_tf.migraine.evaluation.burden_plots import draw_burden, draw_prompting

        drawn = {"burden": draw_burden(measured)}
        if any(row.target.startswith("prompting") for row in measured):
            drawn["prompting"] = draw_prompting(measured)
        for name, figure in drawn.items():
            for path in save(figure, args.plots, name):
                print(f"drawn: {path}")
    return 0


def tables(measured: list) -> str:
    """The rows as tables: forecasts, subgroups (24 h only), parameters, burden, prompting."""
    from aline_tf.evaluation.results import format_table

    forecasts = [row for row in measured if row.target in ("attack_24h", "attack_48h")]
    groups = [row for row in measured if row.target.startswith("attack_24h | ")]
    burden = [row for row in measured if row.target.startswith("burden")]
    prompting = [row for row in measured if row.target.startswith("prompting")]
    others = ("attack_", "burden", "prompting")
    parameters = [row for row in measured if not row.target.startswith(others)]
    parts = [
        f"Forecasts at 20:00\n{side_by_side(forecasts)}",
        "Subgroups; the Brier skill is against the share of events in the group itself\n"
        + by_metric(groups),
        f"Parameters\n{side_by_side(parameters)}",
    ]
    if burden:
        title = "Burden: log_prob of what followed, after each acquisition"
        parts.append(f"{title}\n{format_table(burden)}")
    if prompting:
        title = "Prompting: weeks of so many prompts every evening"
        parts.append(f"{title}\n{format_table(prompting)}")
    return "\n\n".join(parts)


def side_by_side(rows: list) -> str:
    """A table: one line for each target and metric, one column for each policy."""
    policies = list(dict.fromkeys(row.policy for row in rows))
    cells = {(row.target, row.metric, row.policy): row for row in rows}
    lines = [["target", "metric", *policies]]
    for target, metric in dict.fromkeys((row.target, row.metric) for row in rows):
        found = (cells.get((target, metric, policy)) for policy in policies)
        lines.append([target, metric, *map(_cell, found)])
    return _aligned(lines)


def by_metric(rows: list) -> str:
    """A table: one line for each target, one column for each metric, and the number of people."""
    metrics = list(dict.fromkeys(row.metric for row in rows))
    cells = {(row.target, row.metric): row for row in rows}
    lines = [["target", "people", *metrics]]
    for target in dict.fromkeys(row.target for row in rows):
        found = [cells.get((target, metric)) for metric in metrics]
        people = max(row.n for row in found if row is not None)
        lines.append([target, str(people), *map(_cell, found)])
    return _aligned(lines)


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [lines[0], ["-" * width for width in widths], *lines[1:]]
    )


def _cell(row) -> str:
    if row is None or not math.isfinite(row.mean):
        return "-"
    # Without an interval when there is none, or when it has no width (a constant).
    spread = f" +- {row.ci95:.3f}" if math.isfinite(row.ci95) and row.ci95 > 0 else ""
    return f"{row.mean:.3f}{spread}"


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before any work."""
    if not 2 <= args.people <= MOST_PEOPLE:
        raise InputError(f"expected --people from 2 to {MOST_PEOPLE}; received {args.people}")
    if args.history < LEAST_HISTORY:
        raise InputError(
            f"expected --history of {LEAST_HISTORY} days or more; received {args.history}"
        )
    if not args.history <= args.days <= MOST_DAYS:
        raise InputError(
            f"expected --days from --history ({args.history}) to {MOST_DAYS}; received {args.days}"
        )
    check_plots(args.plots, "--plots")
    if args.particles < 0:
        raise InputError(f"expected --particles of 0 or more; received {args.particles}")
    if args.records not in ("mixed", "full"):
        raise InputError(f"expected --records mixed or full; received {args.records!r}")
    if args.plots and args.records == "full":
        raise InputError("expected --records mixed with --plots, which draws burden; received full")
    if not 0 <= args.seed < 2**31:
        raise InputError(f"expected --seed from 0 to 2147483647; received {args.seed}")
    if args.json is not None:
        _check_destination(args.json)


def _check_destination(path: Path) -> None:
    """Raises InputError where no file can be written, before minutes of work are lost."""
    if path.is_dir():
        raise InputError(f"expected a file name after --json; received the directory {path}")
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"expected a place to write after --json; received {path}")
