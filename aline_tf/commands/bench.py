"""`aline-tf bench`: speed and memory, what training buys, how fast served models answer."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aline_tf.bench.configurations import MEASURES, TASKS
from aline_tf.errors import InputError
from aline_tf.experiments.lookup import experiment_by_name
from aline_tf.runtime.atomic_files import atomic_path
from aline_tf.tasks import registry
from aline_tf.tasks.registry import split_name

#: Tasks of the package that a budget is measured on when nobody names any.
_BUDGET_TASKS = tuple(name for name in TASKS if experiment_by_name(name).bars)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf bench`."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=("speed", "serving"),
        default="speed",
        help="serving: the next question asked of a served model of the package, over loopback, at"
        " a steady rate and as often as it answers (default: speed)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="with serving: of each load (default: 10)",
    )
    parser.add_argument(
        "--task",
        nargs="+",
        metavar="TASK",
        help=f"of {', '.join(TASKS)}, or package.module:ClassName of your own (default: all; with "
        f"--budget: {', '.join(_BUDGET_TASKS)})",
    )
    parser.add_argument(
        "--measure",
        nargs="+",
        metavar="M",
        help="; ".join(f"{name}: {what}" for name, what in MEASURES.items()) + " (default: all)",
    )
    parser.add_argument(
        "--threads",
        nargs="+",
        type=int,
        metavar="K",
        help="of TensorFlow; each count is measured (default: 1 2; a budget is always one thread)",
    )
    parser.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="instead of speed: train from scratch for this many CPU seconds, then measure",
    )
    parser.add_argument(
        "--ablation",
        metavar="TASK",
        help="with --budget: the paper's rule of credit and ours, step by step, on this task",
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, metavar="S", help="of the trainings (default: 0 1 2)"
    )
    parser.add_argument(
        "--prompt-times",
        type=int,
        metavar="PEOPLE",
        help="instead of speed: what prompts tell when they are scheduled, and at fixed hours",
    )
    parser.add_argument(
        "--runs", type=int, metavar="R", help="simulated runs of each figure (default: 500)"
    )
    parser.add_argument("--json", metavar="FILE", help="also write the rows to this file")


def run(args: argparse.Namespace) -> int:
    """Measures what the arguments ask for.

    Raises:
        InputError: an argument cannot be used; nothing has been measured or written.
    """
    _check(args)
    from aline_tf.evaluation.results import machine

    print(machine(), flush=True)
    if args.what == "serving":
        kind, rows, table = "serving", *_serving(args)
    elif args.prompt_times is not None:
        kind, rows, table = "prompt times", *_prompt_times(args.prompt_times)
    elif args.budget is None:
        kind, rows, table = "speed", *_speed(args)
    else:
        kind, rows, table = "ablation" if args.ablation else "budget", *_budget(args)
    print(f"\n{table}")
    if args.json:
        _write(args.json, {"kind": kind, "machine": machine(), "rows": rows})
        print(f"\n{len(rows)} rows written to {args.json}")
    return 0


def _check(args) -> None:
    from aline_tf.tasks.contract import check_contract

    if args.what == "serving":
        _check_serving(args)
        return
    for name in set(args.task or ()) | set(filter(None, [args.ablation])):
        if name not in _packaged([name]):
            check_contract(experiment_by_name(name).task)
    for option, given, allowed in (
        ("--task", _packaged(args.task or ()), TASKS),
        ("--ablation", _packaged((args.ablation,) if args.ablation else ()), TASKS),
        ("--measure", args.measure or (), tuple(MEASURES)),
    ):
        unknown = [name for name in given if name not in allowed]
        if unknown:
            raise InputError(f"expected {option} of {', '.join(allowed)}; received {unknown[0]!r}")
    for option, least in (("threads", 1), ("seeds", 0)):
        given = getattr(args, option) or [least]
        if min(given) < least:
            raise InputError(f"expected --{option} of {least} or more; received {min(given)}")
    if args.runs is not None and args.runs < 1:
        raise InputError(f"expected --runs of 1 or more; received {args.runs}")
    _check_mode(args)
    _check_file(args)


def _check_file(args) -> None:
    if args.json and Path(args.json).is_dir():
        raise InputError(f"expected a file name after --json; received the directory {args.json}")


def _packaged(names) -> list[str]:
    """Names that are not of one's own tasks, `package.module:ClassName`."""
    return [name for name in names if ":" not in name or split_name(name)[0] in registry.TASKS]


def _check_mode(args) -> None:
    """Options of one kind of measurement do not go with another."""
    if args.seconds is not None:
        raise InputError("expected serving with --seconds; received --seconds without it")
    if args.prompt_times is not None:
        if args.prompt_times < 2:
            raise InputError(f"expected --prompt-times of 2 or more; received {args.prompt_times}")
        if args.budget is not None or args.task or args.measure or args.threads:
            raise InputError("expected --prompt-times by itself; received another measurement")
    if args.budget is None:
        for option in ("ablation", "seeds", "runs"):
            if getattr(args, option) is not None:
                raise InputError(f"expected --budget with --{option}; received none")
        return
    if not 0 < args.budget < float("inf"):
        raise InputError(f"expected a budget above 0 seconds; received {args.budget:g}")
    if args.measure or args.threads:
        raise InputError("expected neither --measure nor --threads with --budget; received one")
    if args.ablation and args.task:
        raise InputError("expected --ablation without --task; received both")


def _check_serving(args) -> None:
    from aline_tf.models.packaged_presets import packaged_presets

    for option in ("measure", "threads", "budget", "ablation", "seeds", "runs", "prompt_times"):
        if getattr(args, option) is not None:
            raise InputError(f"expected serving without --{option}; received both")
    unknown = sorted(set(args.task or ()) - set(packaged_presets()))
    if unknown:
        raise InputError(f"expected models of the package to serve; received {unknown[0]!r}")
    if args.seconds is not None and not 0 < args.seconds < float("inf"):
        raise InputError(f"expected --seconds above 0; received {args.seconds:g}")
    _check_file(args)


def _serving(args) -> tuple[list[dict], str]:
    from aline_tf.bench.serving_speed import format_serving, measure_serving

    found = [
        measure_serving(task, args.seconds or 10.0, _reporter())
        for task in args.task or ("psychometric",)
    ]
    table = "\n\n".join(format_serving(figures) for figures in found)
    return [dataclasses.asdict(figures) for figures in found], table


def _speed(args) -> tuple[list[dict], str]:
    from aline_tf.bench.speed import format_speed, measure_rows

    measured = list(
        measure_rows(
            args.task or TASKS, args.measure or tuple(MEASURES), args.threads or (1, 2), _reporter()
        )
    )
    return [dataclasses.asdict(row) for row in measured], format_speed(measured)


def _prompt_times(people: int) -> tuple[list[dict], str]:
    from aline_tf.bench.prompt_times import WEEKS, format_prompt_times, prompt_times
    from aline_tf.migraine.task.pretrained import load_model
    from aline_tf.models.compiled import Compiled

    model, report, rows, tables = Compiled(load_model()), _reporter(), [], []
    for week in WEEKS:
        found = prompt_times(model, people, week, report=report)
        tables.append(f"at most {week} prompts a week\n{format_prompt_times(found, week)}")
        rows += [
            {"week": week, "times": name, "prompts": float(times.sent.mean())}
            | {"gain": float(np.nanmean(times.gain)), "rise": float(np.nanmean(times.rise))}
            for name, times in found.items()
        ]
    return rows, "\n\n".join(tables)


def _budget(args) -> tuple[list[dict], str]:
    from aline_tf.bench.ablation import rules
    from aline_tf.bench.budget_table import format_trained, train_all, trained_dicts
    from aline_tf.experiments.lookup import budget_settings

    report, trained, marks = _reporter(), [], {}
    for task in [args.ablation] if args.ablation else args.task or _BUDGET_TASKS:
        sizes, shipped = budget_settings(task)
        recipes = {"shipped": shipped}
        if args.ablation:
            rows = rules(shipped)
            recipes = {rule.name: rule.recipe for rule in rows}
            marks = {rule.name: " (known likelihood)" for rule in rows if rule.needs_likelihood}
        for run in train_all(
            task, recipes, sizes, args.budget, _seeds(args.seeds), args.runs or 500, report
        ):
            trained.append(run)
            for row in run.rows:
                report(f"  {row['metric']} {row['target']}: {row['mean']:.3f}")
    return trained_dicts(trained), format_trained(trained, args.budget, marks)


def _seeds(given: Sequence[int] | None) -> list[int]:
    return list(dict.fromkeys(given or (0, 1, 2)))


def _reporter():
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:7.1f} s] {line}", file=sys.stderr, flush=True)

    return report


def _write(path, payload) -> None:
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(payload, indent=1) + "\n")
