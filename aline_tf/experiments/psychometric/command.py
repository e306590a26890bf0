"""`aline-tf eval psychometric`: the table of estimates, or of targets that change on the way."""

from __future__ import annotations

import argparse
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
from aline_tf.experiments.psychometric import estimates as psychometric
from aline_tf.experiments.psychometric import target_switch as psychometric_switch

DEFAULTS = {"runs": 500, "candidates": 200}


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
    args.pool = args.pool or "grid"
    names = _check(args, known, default)
    targets = _targets(args.target)
    network, policies = _policies(names, args)
    subjects = psychometric.simulate_subjects(args.runs, args.candidates, args.seed, pool=args.pool)
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {line}", file=sys.stderr, flush=True)

    kept: dict[tuple[str, str], psychometric.Trials] = {}

    def keep(policy: str, target: str, trials: psychometric.Trials) -> None:
        kept[policy, target] = trials

    if args.switch is not None:
        measured = psychometric_switch.evaluate_switch(
            policies, subjects, args.switch, network, report, keep=keep
        )
        shown_steps = {*psychometric_switch.SHOWN_STEPS, args.switch, psychometric.HORIZON}
    else:
        every = range(1, psychometric.HORIZON + 1) if args.curves or args.plots else None
        measured = psychometric.evaluate(
            policies, subjects, network, targets, report, steps=every, keep=keep
        )
        shown_steps = set(psychometric.REPORT_STEPS)
    print(
        f"{args.task}: {args.runs} subjects, {psychometric.HORIZON} trials, {args.candidates} "
        f"candidates ({args.pool}), seed {args.seed}; {rows.machine()}\n"
    )
    hidden = psychometric.DETAILS
    shown = [row for row in measured if row.metric not in hidden and row.step in shown_steps]
    print(rows.format_table(shown))
    if args.json:
        rows.write_json(args.json, args.task, args.seed, measured)
        print(f"\n{len(measured)} rows written to {args.json}")
    if args.plots:
        from aline_tf.experiments.psychometric import plots as psychometric_plots

        for path in psychometric_plots.draw(
            args.plots, measured, kept, subjects, network, args.switch
        ):
            print(f"drawn: {path}")
    return 0


def _check(args, known, default) -> list[str]:
    """The policies asked for; raises InputError for anything that can be seen in the arguments."""
    names = chosen_policies(args.policy, known, default)
    check_sizes(args, psychometric.HORIZON)
    check_plots(args)
    refuse_details(args, "joint")
    if args.contrastive is not None:
        raise InputError("expected no --contrastive with psychometric, which has exact posteriors")
    if args.pool not in ("grid", "random"):
        raise InputError(f"expected --pool grid or random; received {args.pool!r}")
    if "questplus" in names and args.pool != "grid":
        raise InputError("expected --pool grid with questplus, which needs one pool for everybody")
    if args.switch is not None:
        psychometric_switch.check_switch(args.switch)
        if args.target:
            raise InputError(
                "expected no --target with --switch, which wants both pairs in turn; "
                f"received {args.target[0]}"
            )
    return names


def _targets(given: list[str] | None) -> list[str]:
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
    network, policies = None, {}
    for name in names:
        if name == "random":
            policies[name] = RandomPolicy(args.seed)
        elif name == "psi-marginal":
            from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy

            policies[name] = PsiMarginalPolicy()
        elif name == "questplus":
            from aline_tf.experiments.psychometric.quest_plus import QuestPlusPolicy

            policies[name] = QuestPlusPolicy()
        else:
            from aline_tf.models.presets import load_preset

            model = load_preset(model_directory(args), task=args.task)
            network, policies[name] = NetworkPosterior(model), LearnedPolicy(model)
    return network, policies
