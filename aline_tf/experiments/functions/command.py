"""`aline-tf eval gp1d` and `gp2d`: active learning of functions."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from aline_tf.commands.evaluation_arguments import (
    check_plots,
    check_sizes,
    chosen_policies,
    model_directory,
    refuse_details,
)
from aline_tf.errors import InputError
from aline_tf.evaluation import results as rows
from aline_tf.experiments.functions import comparison as function_learning
from aline_tf.experiments.functions.benchmark_functions import benchmarks_of
from aline_tf.experiments.functions.function_runs import PRIOR, benchmark_runs, prior_runs
from aline_tf.models.presets import load_preset
from aline_tf.tasks import task_by_name

DEFAULTS = {"runs": 100, "candidates": 500}
METRICS = ("rmse", "log_prob", "coverage_90")
SHOWN_STEPS = (1, 5, 10, 20, 30, 40, 50)


def run(args: argparse.Namespace, known: tuple[str, ...], default: tuple[str, ...]) -> int:
    """Runs the evaluation that the arguments ask for.

    Args:
        args: of `aline-tf eval`.
        known, default: policies of the task.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    for name, value in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    task = task_by_name(args.task)
    targets = chosen_targets(args.target, task.spec)
    if targets:
        known = function_learning.HYPERPARAMETER_POLICIES
        default = tuple(name for name in default if name in known)
    names = chosen_policies(args.policy, known, default)
    check_sizes(args, task.spec.horizon)
    functions = chosen_functions(args.function, task.dims)
    if targets and functions != [PRIOR]:
        raise InputError(
            f"expected no --function beside --target: hyper-parameters are those of the prior; "
            f"received {','.join(functions)}"
        )
    for option in ("pool", "contrastive"):
        if getattr(args, option) is not None:
            raise InputError(f"expected no --{option} with {args.task}")
    refuse_details(args, "switch", "joint")
    check_plots(args)
    model = _model(args, names, bool(targets))
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    horizon, measured = task.spec.horizon, []
    for function in functions:
        if function == PRIOR:
            runs = prior_runs(task, args.runs, args.candidates, args.seed)
        else:
            runs = benchmark_runs(function, args.runs, args.candidates, args.seed)
        for target in targets:
            measured += function_learning.evaluate_hyperparameters(
                names, target, runs, horizon, model, args.seed, report
            )
        if not targets:
            measured += function_learning.evaluate(names, runs, horizon, args.seed, model, report)
    print(
        f"{args.task}: {args.runs} runs of {horizon} steps, {args.candidates} candidates, "
        f"{task.predictions} test inputs, seed {args.seed}; {rows.machine()}\n"
    )
    print(rows.format_table([row for row in measured if row.step in SHOWN_STEPS]))
    if args.json:
        rows.write_json(args.json, args.task, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    if args.plots:
        for path in draw(args.plots, measured, targets or functions):
            print(f"drawn: {path}")
    return 0


def draw(directory: str | Path, measured: Sequence[rows.Row], targets: Sequence[str]) -> list[Path]:
    """Draws the curves of every policy, a column for each target; returns the files."""
    # Imported late: it loads matplotlib.
    from aline_tf.evaluation.plots.curves import draw_curves
    from aline_tf.evaluation.plots.style import save

    figure = draw_curves(measured, METRICS, targets, {"coverage_90": 0.9})
    count = len(targets)
    for axis in figure.axes[:count]:
        axis.set_yscale("log")
    figure.axes[count].set_ylabel("log probability\n(nats per wanted number)")
    return save(figure, directory, "curves")


def chosen_targets(given: list[str] | None, spec) -> list[str]:
    """Comma-joined hyper-parameters, in the order of the task; raises InputError for others."""
    targets = []
    for target in given or ():
        try:
            mask = spec.parameter_mask(target)
        except ValueError as error:
            raise InputError(str(error)) from error
        chosen = [name for name, kept in zip(spec.parameter_names, mask, strict=True) if kept]
        if not chosen:
            raise InputError(f"expected targets made of {', '.join(spec.parameter_names)}")
        targets.append(",".join(chosen))
    return list(dict.fromkeys(targets))


def chosen_functions(given: list[str] | None, dims: int) -> list[str]:
    """The functions named, each once, "all" spelt out; raises InputError for an unknown one."""
    known = (PRIOR, *benchmarks_of(dims))
    names = [name for part in given or [PRIOR] for name in part.split(",") if name]
    if "all" in names:
        return list(known)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        received = repr(unknown[0]) if unknown else "none"
        raise InputError(f"expected functions among {', '.join(known)}, all; received {received}")
    return list(dict.fromkeys(names))


def _model(args: argparse.Namespace, names: list[str], needed: bool):
    """The network: always when something needs it, otherwise when it is given or shipped."""
    needed = needed or args.model or set(names) & set(function_learning.NETWORK_POLICIES)
    try:
        directory = model_directory(args)
    except InputError:
        if needed:
            raise
        return None
    return load_preset(directory, task=args.task)
