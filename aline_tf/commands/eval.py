"""`aline-tf eval TASK`: runs policies on simulated subjects, prints a table, writes JSON rows."""

from __future__ import annotations

import argparse

from aline_tf.commands.evaluation_arguments import add_detail_arguments
from aline_tf.errors import InputError
from aline_tf.runtime.malloc import keep_memory

#: Policies of each task; a task with a known likelihood is measured by the information collected.
POLICIES = {
    "psychometric": ("learned", "random", "psi-marginal", "questplus"),
    "location_finding": ("learned", "random", "greedy"),
    "ces": ("learned", "random", "greedy"),
    "hpo": ("learned", "random", "gp-rs", "gp-us", "gp-vr", "gp-epig", "ace-us"),
    "gp1d": ("learned", "random", "gp-rs", "gp-us", "gp-vr", "gp-epig", "ace-us"),
    "gp2d": ("learned", "random", "gp-rs", "gp-us", "gp-vr", "gp-epig", "ace-us"),
}
TASKS = tuple(POLICIES)
#: Tasks whose kind of pool can be told after a colon.
VARIED = ("hpo", "ces")
DEFAULT_POLICIES = {
    "psychometric": ("learned", "random", "psi-marginal"),
    "location_finding": ("learned", "random"),
    "ces": ("learned", "random"),
    "hpo": ("learned", "random", "gp-epig", "ace-us"),
    "gp1d": ("learned", "random", "gp-epig", "ace-us"),
    "gp2d": ("learned", "random", "gp-epig", "ace-us"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf eval`."""
    parser.add_argument(
        "task",
        metavar="TASK",
        help=f"one of: {', '.join(TASKS)}; hpo:ID is another search space, "
        "ces:SHARE has that share of close pairs in its pools",
    )
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
        "--function",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="gp1d and gp2d only: prior (functions drawn from it; default), benchmark functions by "
        "name, or all",
    )
    parser.add_argument(
        "--runs",
        type=int,
        metavar="R",
        help="simulated subjects (default: 500; 100 where information is measured and "
        "of functions; hpo 80)",
    )
    parser.add_argument(
        "--candidates",
        type=int,
        metavar="N",
        help="designs to choose from (default: 200; 2000 where information is measured; hpo 100; "
        "functions 500)",
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
    add_detail_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the evaluation that the arguments ask for.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    name, colon, _ = args.task.partition(":")
    if name not in TASKS or (colon and name not in VARIED):
        raise InputError(f"expected a task among {', '.join(TASKS)}; received {args.task!r}")
    if args.function is not None and args.task not in ("gp1d", "gp2d"):
        raise InputError(f"expected no --function with {args.task}; it is for gp1d and gp2d")
    keep_memory()
    if name == "hpo":
        from aline_tf.experiments.hyperparameters import command as hpo_command

        return hpo_command.run(args, POLICIES["hpo"], DEFAULT_POLICIES["hpo"])
    if args.task in ("gp1d", "gp2d"):
        from aline_tf.experiments.functions import command as gp_command

        return gp_command.run(args, POLICIES[args.task], DEFAULT_POLICIES[args.task])
    if name != "psychometric":
        # Imported late: it loads TensorFlow.
        from aline_tf.experiments import known_likelihood_command as information_command

        return information_command.run(args, POLICIES[name], DEFAULT_POLICIES[name])
    from aline_tf.experiments.psychometric import command as psychometric_command

    return psychometric_command.run(args, POLICIES[args.task], DEFAULT_POLICIES[args.task])
