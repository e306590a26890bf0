"""`aline-tf eval hpo`: policies on hyper-parameter landscapes that no training has met."""

from __future__ import annotations

import argparse
import sys
import time

from aline_tf.commands.evaluation_arguments import (
    check_plots,
    check_sizes,
    chosen_policies,
    model_directory,
    refuse_details,
)
from aline_tf.errors import InputError

DEFAULTS = {"runs": 80, "candidates": 100}
#: Steps shown in the table; every step is in the rows.
SHOWN_STEPS = (0, 5, 10, 20, 30)


def run(args: argparse.Namespace, known: tuple[str, ...], default: tuple[str, ...]) -> int:
    """Runs the evaluation that the arguments ask for.

    Args:
        args: of `aline-tf eval`; the task is `hpo` or `hpo:` and a search space.
        known, default: policies of the task.

    Raises:
        InputError: an argument cannot be used; nothing has been computed or written.
    """
    # Imported late: it loads TensorFlow.
    from aline_tf.evaluation import results as rows
    from aline_tf.experiments.hyperparameters import landscapes as hpo
    from aline_tf.tasks import task_by_name

    for name, value in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    for option in ("target", "pool", "contrastive"):
        if getattr(args, option) is not None:
            raise InputError(f"expected no --{option} with {args.task}")
    refuse_details(args, "switch", "joint")
    check_plots(args)
    names = chosen_policies(args.policy, known, default)
    task = task_by_name(args.task)
    check_sizes(args, task.spec.horizon)
    policies = _policies(names, args, task)
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    runs = hpo.Runs.of(task, args.runs, args.candidates, args.seed)
    measured = hpo.evaluate(policies, runs, report)
    print(
        f"{args.task}: {args.runs} runs of {runs.horizon} steps on {len(set(runs.names))} held-out "
        f"data sets, {args.candidates} candidates, seed {args.seed}; {rows.machine()}\n"
    )
    print(rows.format_table([row for row in measured if row.step in SHOWN_STEPS]))
    if args.json:
        rows.write_json(args.json, args.task, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    if args.plots:
        # Imported late: they load matplotlib.
        from aline_tf.evaluation.plots.curves import draw_curves
        from aline_tf.evaluation.plots.style import save

        figure = draw_curves(measured, hpo.METRICS, [hpo.ALL], {"coverage_90": 0.9})
        for path in save(figure, args.plots, "curves"):
            print(f"drawn: {path}")
    return 0


def _policies(names, args, task):
    """Each policy and who predicts on its choices, by name."""
    from aline_tf.acquisition.gp_policies import GP_POLICIES, GPRandomPolicy
    from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy
    from aline_tf.acquisition.uncertainty import UncertaintySamplingPolicy
    from aline_tf.experiments.functions.function_runs import FittedPredictor, NetworkPredictor
    from aline_tf.experiments.hyperparameters.landscapes import GP_SETTINGS

    policies, model, network = {}, None, None
    if args.model or not set(names) <= set(GP_POLICIES):
        model = _model(args, task)
        network = NetworkPredictor(model)
    for name in names:
        if name not in GP_POLICIES:
            policy = {
                "learned": lambda: LearnedPolicy(model),
                "random": lambda: RandomPolicy(args.seed),
                "ace-us": lambda: UncertaintySamplingPolicy(model),
            }[name]()
            policies[name] = (policy, {name: network})
            continue
        own_seed = {"seed": args.seed} if name == GPRandomPolicy.name else {}
        policy = GP_POLICIES[name](GP_SETTINGS, **own_seed)
        predictors = {name: FittedPredictor(policy)}
        # The choices of gp-rs are those of random, whose row the network's predictions are.
        if network is not None and name != GPRandomPolicy.name:
            predictors[f"{name}/network"] = network
        policies[name] = (policy, predictors)
    return policies


def _model(args, task):
    from aline_tf.models.presets import load_preset

    model = load_preset(model_directory(args), task=task.spec.name)
    if model.spec != task.spec:
        raise InputError(
            f"expected a preset of {args.task!r} with the task's own hyper-parameters; "
            f"received one with {', '.join(model.spec.design_names)}"
        )
    return model
