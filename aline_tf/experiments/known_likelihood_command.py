"""`aline-tf eval TASK` for tasks whose likelihood is known: the information collected."""

from __future__ import annotations

import argparse
import math
import sys
import time

from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy
from aline_tf.commands.evaluation_arguments import (
    check_plots,
    check_sizes,
    chosen_policies,
    model_directory,
    refuse_details,
)
from aline_tf.errors import InputError
from aline_tf.evaluation import results as rows
from aline_tf.evaluation.network_posterior import NetworkPosterior
from aline_tf.evaluation.simulated_runs import Worlds
from aline_tf.experiments import known_likelihood as information
from aline_tf.models.presets import load_preset
from aline_tf.tasks import task_by_name


def run(args: argparse.Namespace, known: tuple[str, ...], default: tuple[str, ...]) -> int:
    """Runs the evaluation that the arguments ask for.

    Args:
        args: of `aline-tf eval`.
        known, default: policies of the task.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    task = task_by_name(args.task)
    for name, value in information.DEFAULTS[task.spec.name].items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    names = chosen_policies(args.policy, known, default)
    check_sizes(args, task.spec.horizon)
    if args.contrastive < 1:
        raise InputError(
            f"expected at least 1 contrastive parameter; received --contrastive {args.contrastive}"
        )
    for option in ("target", "pool"):
        if getattr(args, option) is not None:
            raise InputError(f"expected no --{option} with {args.task}; it is for psychometric")
    refuse_details(args, "switch")
    check_plots(args)
    if args.joint and "learned" not in names:
        raise InputError(
            f"expected the learned policy with --joint; received --policy {','.join(names)}"
        )
    network, policies = _policies(names, args, task)
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    worlds = Worlds(task, args.runs, args.candidates, args.seed)
    kept, steps = {}, information.report_steps(worlds.horizon)
    every = range(1, worlds.horizon + 1) if args.curves or args.plots else steps
    measured = information.evaluate(
        policies, worlds, args.contrastive, args.seed, network, report, every, args.joint,
        keep=kept.__setitem__,
    )  # fmt: skip
    print(
        f"{args.task}: {args.runs} runs of {worlds.horizon} steps, {args.candidates} candidates, "
        f"{args.contrastive} contrastive parameters (spce is at most "
        f"{math.log(args.contrastive + 1):.2f}), seed {args.seed}; {rows.machine()}\n"
    )
    single = set(task.spec.parameter_names)
    shown = [row for row in measured if row.target not in single and row.step in steps]
    print(rows.format_table(shown))
    if args.json:
        rows.write_json(args.json, args.task, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    if args.plots:
        from aline_tf.experiments import known_likelihood_plots as information_plots

        for path in information_plots.draw(args.plots, measured, kept, task, network):
            print(f"drawn: {path}")
    return 0


def _policies(names, args, task):
    """The network posterior (None without a learned policy) and the policies by name."""
    network, policies = None, {}
    for name in names:
        if name == "random":
            policies[name] = RandomPolicy(args.seed)
        elif name == "learned":
            model = load_preset(model_directory(args), task=task.spec.name)
            if model.spec != task.spec:
                raise InputError(
                    f"expected a preset of {args.task!r} with the task's own description; received "
                    f"one with parameters {', '.join(model.spec.parameter_names)}"
                )
            network, policies[name] = NetworkPosterior(model), LearnedPolicy(model)
        else:
            policies[name] = information.own_policy(task.spec.name, name)
    return network, policies
