"""`aline-tf eval TASK`: runs policies on simulated subjects, prints a table, writes JSON rows; or,
with `--promises`, measures what a session promises."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Settings, check_plots
from aline_tf.evaluation.promises.figure import PROMISES
from aline_tf.experiments.lookup import experiment_by_name
from aline_tf.models.packaged_presets import weights_digest
from aline_tf.runtime.malloc import keep_memory
from aline_tf.tasks.registry import TASKS

#: Options of runs that are played and judged, which promises and false alarms are not.
_OF_PLAYED_RUNS = ("policy", "target", "function", "contrastive", "pool", "plots", "switch")
_OF_PLAYED_RUNS += ("curves", "joint")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf eval`."""
    experiments = {name: experiment_by_name(name) for name in TASKS}
    arguments = "; ".join(each.argument for each in experiments.values() if each.argument)
    parser.add_argument(
        "task",
        metavar="TASK",
        help=f"one of: {', '.join(TASKS)}; or package.module:ClassName of your own; {arguments}",
    )
    parser.add_argument(
        "--policy",
        action="extend",
        nargs="+",
        metavar="P",
        help="policies, by name; "
        + "; ".join(f"{name}: {', '.join(each.policies)}" for name, each in experiments.items())
        + " (default: those of the task, the slow ones apart; questplus needs the package of that "
        "name and ten minutes for 500 runs)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|DIR",
        help="of the learned policy: a preset's directory, or the name of a packaged one (default: "
        "the packaged model of the task)",
    )
    parser.add_argument(
        "--target",
        action="extend",
        nargs="+",
        metavar="NAMES",
        help="comma-joined parameters to aim at; may be given several times "
        "(psychometric, default: both pairs, then all four; gp1d and gp2d: hyper-parameters)",
    )
    parser.add_argument(
        "--function",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="gp1d and gp2d only: prior (functions drawn from it; default), benchmark functions by "
        "name, or all",
    )
    for option, metavar, what in (
        ("runs", "R", "simulated subjects"),
        ("candidates", "N", "designs to choose from"),
        ("contrastive", "L", "prior draws of the information bounds, where a likelihood is known"),
    ):
        parser.add_argument(
            f"--{option}", type=int, metavar=metavar, help=what + _defaults(experiments, option)
        )
    parser.add_argument(
        "--pool",
        metavar="KIND",
        help="psychometric only; grid: evenly spaced stimuli (default); random: drawn for each "
        "subject, as in every other task",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the subjects")
    parser.add_argument("--json", metavar="FILE", help="also write the rows to this file")
    parser.add_argument(
        "--curves",
        action="store_true",
        help="figures after every step in the JSON file, not after a few",
    )
    parser.add_argument(
        "--plots",
        metavar="DIR",
        help="also draw curves, queries and posteriors, as PNG and SVG (implies --curves)",
    )
    parser.add_argument(
        "--switch",
        type=int,
        metavar="STEP",
        help="psychometric only: aim at one pair of parameters for STEP trials, then at the other",
    )
    parser.add_argument(
        "--joint",
        action="store_true",
        help="also compare the learned joint posterior with its marginals (where information is "
        "measured)",
    )
    parser.add_argument(
        "--promises",
        action="store_true",
        help="instead measure what a session promises, each promise against the exact posterior: "
        + "; ".join(f"{name}: {what}" for name, what in PROMISES.items()),
    )
    parser.add_argument(
        "--only",
        action="extend",
        nargs="+",
        metavar="PROMISE",
        help="with --promises: these alone, by name",
    )
    parser.add_argument(
        "--false-alarms",
        type=int,
        metavar="R",
        help="instead count how many of R subjects of the task a session would suspect at its end, "
        "p < .01 (.07 s each)",
    )


def _defaults(experiments, option: str) -> str:
    """What an option is by default, in the words of the help."""
    by_value: dict[int, list[str]] = {}
    for name, experiment in experiments.items():
        if option in experiment.defaults:
            by_value.setdefault(experiment.defaults[option], []).append(name)
    said = (f"{value}: {', '.join(names)}" for value, names in by_value.items())
    return f" (default: {'; '.join(said)})"


def _check_together(args) -> None:
    """Raises InputError for options that have no meaning beside each other."""
    if args.only and not args.promises:
        raise InputError(f"expected --promises with --only; received {','.join(args.only)} alone")
    if args.promises and args.false_alarms is not None:
        raise InputError("expected --promises or --false-alarms; received both")
    if args.promises:
        allowed, others = "--model, --runs, --candidates, --seed, --json or --only", _OF_PLAYED_RUNS
        option = "--promises"
    elif args.false_alarms is not None:
        allowed, others = "--model, --candidates or --seed", (*_OF_PLAYED_RUNS, "runs", "json")
        option = "--false-alarms"
    else:
        return
    beside = [name for name in others if getattr(args, name)]
    if beside:
        raise InputError(f"expected {allowed} with {option}; received --{beside[0]}")


def _promises(args, experiment, settings, report) -> int:
    """Measures promises, prints their table, writes it where it is wanted."""
    from aline_tf.evaluation import results
    from aline_tf.evaluation.promises import figure

    figures = experiment.promises(settings, args.only, report)
    runs = max((row.runs for row in figures), default=0)
    print(f"{experiment.name}: promises, {runs} runs, seed {args.seed}; {results.machine()}\n")
    print(figure.format_table(figures))
    print(f"\n{figure.verdict(figures)}")
    if args.json:
        header = {
            "task": args.task,
            "machine": results.machine(),
            "seed": args.seed,
            "weights": weights_digest(experiment.preset_directory(settings)),
        }
        figure.write_json(args.json, header, figures)
        print(f"{len(figures)} rows written to {args.json}")
    return 0


def _false_alarms(args, experiment, settings) -> int:
    """Counts subjects of the task that are suspected, and prints shares with 95% intervals."""
    from aline_tf.evaluation import misfit, results

    model = experiment.load_model(settings)
    candidates = 200 if args.candidates is None else args.candidates
    found = misfit.false_alarms(experiment, model, args.false_alarms, candidates, args.seed)
    print(f"{experiment.name}: false alarms, seed {args.seed}; {results.machine()}\n")
    for each in found:
        error = 1.96 * each.standard_error
        print(f"{each.by:<10}{each.rate:>8.2%} +- {error:.2%} of {each.runs} with p < .01")
    return 0


def run(args: argparse.Namespace) -> int:
    """Runs the evaluation that the arguments ask for.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    experiment = experiment_by_name(args.task)
    _check_together(args)
    if args.json and Path(args.json).is_dir():
        raise InputError(f"expected a file name after --json; received the directory {args.json}")
    check_plots(args.plots, "--plots")
    keep_memory()
    settings = Settings(
        policies=args.policy,
        model=args.model,
        runs=args.runs,
        candidates=args.candidates,
        contrastive=args.contrastive,
        seed=args.seed,
        targets=args.target,
        functions=args.function,
        pool=args.pool,
        every_step=bool(args.curves or args.plots),
        switch=args.switch,
        joint=args.joint,
        prefix="--",
    )
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    if args.false_alarms is not None:
        return _false_alarms(args, experiment, settings)
    if args.promises:
        return _promises(args, experiment, settings, report)
    measured = experiment.evaluate(settings, report)
    from aline_tf.evaluation import results

    print(f"{measured.summary}; {results.machine()}\n")
    print(results.format_table(measured.shown))
    if args.json:
        results.write_json(args.json, args.task, args.seed, measured.results)
        print(f"\n{len(measured.results)} rows written to {args.json}")
    if args.plots:
        for path in experiment.draw(args.plots, measured):
            print(f"drawn: {path}")
    return 0
