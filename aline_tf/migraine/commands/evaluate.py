"""`aline-tf migraine evaluate`: a model against baselines on people nobody trained on."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import check_plots
from aline_tf.runtime.malloc import keep_memory

TASK = "migraine"
#: Which of the options that not all studies have each of them takes.
STUDIES = {
    "forecast": ("model", "days", "history", "records", "particles", "shifted", "plots", "json"),
    "unlikeness": (),
    "plan": ("model",),
    "fine-tune": ("model", "recorded", "reference_steps"),
}
DEFAULTS = {
    "model": None,
    "days": 112,
    "history": 28,
    "records": "mixed",
    "particles": 200,
    "shifted": False,
    "plots": None,
    "json": None,
    "recorded": 40,
    "reference_steps": 400,
}
MOST_PEOPLE, MOST_DAYS, LEAST_HISTORY = 10_000, 112, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine evaluate`."""
    parser.add_argument(
        "--model", metavar="NAME|DIR", help="a preset (default: the one that is shipped)"
    )
    parser.add_argument(
        "--study",
        default="forecast",
        metavar="NAME",
        help="forecast: everything about forecasts and questions (default); unlikeness: what"
        " simulated records are like, which tells when a person's are not; plan: the recommended"
        " set of channels beside the best of its cost, all sets tried; fine-tune: what people who"
        " recorded themselves are worth where the world is not that of training, beside a model"
        " that was trained with its simulator",
    )
    parser.add_argument(
        "--runs", type=int, default=400, metavar="R", help="simulated people (default: 400)"
    )
    parser.add_argument(
        "--days", type=int, metavar="D", help="day of the last forecast (default: 112)"
    )
    parser.add_argument(
        "--history",
        type=int,
        metavar="D",
        help="days known at the first forecast (default: 28)",
    )
    parser.add_argument(
        "--records",
        metavar="KIND",
        help="mixed: partial ones, as people have them (default); full: every device, and asked"
        " about every part of the day; forecasts and parameters only",
    )
    parser.add_argument(
        "--particles",
        type=int,
        metavar="M",
        help="of the particle filter that is the ceiling; 0 leaves it out (default: 200)",
    )
    parser.add_argument(
        "--shifted",
        action="store_true",
        default=None,
        help="people of another world: more triggers and attacks, fewer answers",
    )
    parser.add_argument(
        "--plots", metavar="DIR", help="also draw what is gained for which burden, as PNG and SVG"
    )
    parser.add_argument(
        "--recorded",
        type=int,
        metavar="S",
        help="of fine-tune: people who recorded themselves (default: 40)",
    )
    parser.add_argument(
        "--reference-steps",
        type=int,
        metavar="K",
        help="of fine-tune: steps of 64 simulated evenings that the model is trained on for, to"
        " compare with (default: 400)",
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
    if args.study == "unlikeness":
        from aline_tf.migraine.evaluation.studies.unlikeness import study_text

        print(study_text(args.runs, args.seed))
        return 0
    from aline_tf.evaluation import results as rows
    from aline_tf.migraine.task.pretrained import load_model

    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    if args.study == "fine-tune":
        from aline_tf.migraine.evaluation.studies.fine_tuning import fine_tuning_study, study_text

        found = fine_tuning_study(
            lambda: load_model(args.model),
            args.runs,
            args.seed,
            args.recorded,
            args.reference_steps,
            report,
        )
        print(
            f"{TASK}: {args.recorded} people of the shifted world recorded themselves,"
            f" {args.runs} others of it are forecast, seed {args.seed}; {rows.machine()}\n"
            f"{found.evenings:,} evenings to learn from; fine-tuned in {found.seconds:.0f} s of"
            f" processor time; reference: {args.reference_steps} steps\n\n{study_text(found)}"
        )
        return 0
    model = load_model(args.model)
    started = time.monotonic()  # reports count from here
    if args.study == "plan":
        from aline_tf.migraine.evaluation.studies.planning import study_text
        from aline_tf.models.compiled import Compiled

        print(study_text(Compiled(model), args.runs, args.seed, report))
        return 0
    from aline_tf.migraine.evaluation.study import LEAK, evaluate
    from aline_tf.migraine.evaluation.tables import beside_the_tables, tables
    from aline_tf.migraine.simulation.population import SHIFTED

    measured = evaluate(
        model,
        args.runs,
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
        f"{TASK}: {args.runs} unseen people{world}, evenings of days {args.history} to"
        f" {args.days}, {args.records} records, seed {args.seed}; {rows.machine()}\n"
    )
    print(f"{tables(measured)}\n\n{beside_the_tables()}")
    if any(row.metric == "within_auc" and row.mean > LEAK for row in measured):
        print(f"A within-person AUC above {LEAK:.2f} means a leak: do not believe these figures.")
    if args.json:
        rows.write_json(args.json, TASK, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    if args.plots:
        # Imported late: they load matplotlib.
        from aline_tf.migraine.evaluation.burden_plots import draw_burden, draw_prompting
        from aline_tf.plots.style import save

        drawn = {"burden": draw_burden(measured)}
        if any(row.target.startswith("prompting") for row in measured):
            drawn["prompting"] = draw_prompting(measured)
        for name, figure in drawn.items():
            for path in save(figure, args.plots, name):
                print(f"drawn: {path}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before any work."""
    if args.study not in STUDIES:
        raise InputError(f"expected --study of {', '.join(STUDIES)}; received {args.study!r}")
    for name, value in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
        elif name not in STUDIES[args.study]:
            able = " or ".join(study for study, options in STUDIES.items() if name in options)
            raise InputError(
                f"expected --{name.replace('_', '-')} with --study {able}; received it with"
                f" --study {args.study}"
            )
    if not 2 <= args.runs <= MOST_PEOPLE:
        raise InputError(f"expected --runs from 2 to {MOST_PEOPLE}; received {args.runs}")
    if args.history < LEAST_HISTORY:
        raise InputError(
            f"expected --history of {LEAST_HISTORY} days or more; received {args.history}"
        )
    if not args.history <= args.days <= MOST_DAYS:
        raise InputError(
            f"expected --days from --history ({args.history}) to {MOST_DAYS}; received {args.days}"
        )
    check_plots(args.plots, "--plots")
    for name in ("recorded", "reference_steps"):
        if getattr(args, name) < 1:
            raise InputError(
                f"expected --{name.replace('_', '-')} of 1 or more; received {getattr(args, name)}"
            )
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
