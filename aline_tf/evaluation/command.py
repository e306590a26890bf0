"""`aline-tf eval TASK`: runs policies on simulated subjects, prints a table, writes JSON rows."""

from __future__ import annotations

import argparse
import sys
import time

from aline_tf.errors import InputError
from aline_tf.evaluation.arguments import check_sizes, chosen_policies, model_directory

#: Policies of each task; a task with a known likelihood is measured by the information collected.
POLICIES = {
    "psychometric": ("learned", "random", "psi-marginal", "questplus"),
    "location_finding": ("learned", "random", "greedy"),
    "ces": ("learned", "random"),
}
TASKS = tuple(POLICIES)
DEFAULT_POLICIES = {
    "psychometric": ("learned", "random", "psi-marginal"),
    "location_finding": ("learned", "random"),
    "ces": ("learned", "random"),
}
PSYCHOMETRIC_DEFAULTS = {"runs": 500, "candidates": 200}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf eval`."""
    parser.add_argument("task", metavar="TASK", help=f"one of: {', '.join(TASKS)}")
    parser.add_argument(
        "--policy",
        action="extend",
        nargs="+",
        metavar="P",
        help="policies, by name; "
        + "; ".join(f"{task}: {', '.join(names)}" for task, names in POLICIES.items())
        + " (default: those of the task, the slow ones apart; questplus needs the package of that "
        "name and ten minutes for 500 runs)",
    )
    parser.add_argument(
        "--model",
        metavar="DIR",
        help="preset of the learned policy (default: the shipped model of the task)",
    )
    parser.add_argument(
        "--target",
        action="extend",
        nargs="+",
        metavar="NAMES",
        help="comma-joined parameters to aim at; may be given several times "
        "(psychometric only; default: both pairs, then all four)",
    )
    parser.add_argument(
        "--runs",
        type=int,
        metavar="R",
        help="simulated subjects (default: 500; 100 where information is measured)",
    )
    parser.add_argument(
        "--candidates",
        type=int,
        metavar="N",
        help="designs to choose from (default: 200; 2000 where information is measured)",
    )
    parser.add_argument(
        "--contrastive",
        type=int,
        metavar="L",
        help="prior draws of the information bounds (default: 100000; not for psychometric)",
    )
    parser.add_argument(
        "--pool",
        metavar="KIND",
        help="psychometric only; grid: evenly spaced stimuli (default); random: drawn for each "
        "subject, as in every other task",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the subjects")
    parser.add_argument("--json", metavar="FILE", help="also write the rows to this file")


def run(args: argparse.Namespace) -> int:
    """Runs the evaluation that the arguments ask for.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    if args.task not in TASKS:
        raise InputError(f"expected a task among {', '.join(TASKS)}; received {args.task!r}")
    if args.task != "psychometric":
        # Imported late: it loads TensorFlow.
        from aline_tf.evaluation import information_command

        return information_command.run(args, POLICIES[args.task], DEFAULT_POLICIES[args.task])
    if args.contrastive is not None:
        raise InputError("expected no --contrastive with psychometric, which has exact posteriors")
    return _run_psychometric(args)


def _run_psychometric(args: argparse.Namespace) -> int:
    # Imported late: the help must not wait for numpy, nor for TensorFlow where it is not used.
    from aline_tf.evaluation import psychometric, rows

    for name, value in PSYCHOMETRIC_DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    args.pool = args.pool or "grid"
    policies = _check(args, psychometric.HORIZON)
    targets = _targets(args.target, psychometric)
    network, choosers = _policies(policies, args)
    subjects = psychometric.simulate_subjects(args.runs, args.candidates, args.seed, pool=args.pool)
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    measured = psychometric.evaluate(choosers, subjects, network, targets, report)
    print(
        f"{args.task}: {args.runs} subjects, {psychometric.HORIZON} trials, {args.candidates} "
        f"candidates ({args.pool}), seed {args.seed}; {rows.machine()}\n"
    )
    shown = [row for row in measured if row.metric not in psychometric.DETAILS]
    print(rows.format_table(shown))
    if args.json:
        rows.write_json(args.json, args.task, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    return 0


def _check(args: argparse.Namespace, horizon: int) -> list[str]:
    """The policies asked for; raises InputError for anything that can be seen in the arguments."""
    policies = chosen_policies(args.policy, POLICIES[args.task], DEFAULT_POLICIES[args.task])
    check_sizes(args, horizon)
    if args.pool not in ("grid", "random"):
        raise InputError(f"expected --pool grid or random; received {args.pool!r}")
    if "questplus" in policies and args.pool != "grid":
        raise InputError("expected --pool grid with questplus, which needs one pool for everybody")
    return policies


def _targets(given: list[str] | None, psychometric) -> list[str]:
    """Comma-joined targets in the order of the parameters, checked."""
    if not given:
        return list(psychometric.TARGETS)
    names = psychometric.PARAMETER_NAMES
    targets = []
    for target in given:
        parts = target.split(",")
        unknown = [part for part in parts if part not in names]
        if unknown:
            raise InputError(
                f"expected targets made of {', '.join(names)}; received {unknown[0]!r}"
            )
        targets.append(",".join(name for name in names if name in parts))
    return list(dict.fromkeys(targets))


def _policies(names: list[str], args: argparse.Namespace):
    """The network posterior (None without a learned policy) and the policies by name."""
    from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy

    network, choosers = None, {}
    for name in names:
        if name == "random":
            choosers[name] = RandomPolicy(args.seed)
        elif name == "psi-marginal":
            from aline_tf.acquisition.psi_marginal import PsiMarginalPolicy

            choosers[name] = PsiMarginalPolicy()
        elif name == "questplus":
            from aline_tf.acquisition.quest_plus import QuestPlusPolicy

            choosers[name] = QuestPlusPolicy()
        else:
            from aline_tf.evaluation.network_posterior import NetworkPosterior
            from aline_tf.models.presets import load_preset

            model = load_preset(model_directory(args), task=args.task)
            network, choosers[name] = NetworkPosterior(model), LearnedPolicy(model)
    return network, choosers
