"""Which promises there are, and how all of them are measured for one model.

A promise is a module of this room with `figures(examined)`, which yields its `PromiseFigure`s, and
a line in `figure.PROMISES`; what belongs to a task, its exact posterior above all, is in an
`Examined`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from aline_tf.errors import InputError
from aline_tf.evaluation.promises.figure import PROMISES, PromiseFigure
from aline_tf.evaluation.promises.inference import Inference
from aline_tf.evaluation.promises.policy_runs import PolicyRuns
from aline_tf.information.posterior_sampling import has_exact_posterior

#: Where neither settings nor experiment say otherwise.
RUNS, CANDIDATES = 300, 200
#: What a row costs refined is a hundred times its pass through the model: so few of the runs.
REFINED_SHARE = 1 / 12
#: Lengths of long histories, in horizons.
MULTIPLES = (2, 4)


@dataclasses.dataclass(frozen=True)
class Examined:
    """A model under examination, and who knows better.

    Attributes:
        task: a `Task`.
        runs: of the model's own policy.
        model: the model's answers by itself.
        exact: the task's exact posterior.
        refined: the model's answers corrected by the likelihood; None where there is none.
        policy: the model's.
        target_inputs: [n, D], designs whose outcomes are aimed at one by one.
        pools: sizes of pools that a session may be given; empty where that is not asked.
        corners: whether the corners of the space are a pool too.
        refined_runs: how many runs the slow refinement is judged by.
        aline: the model itself.
        misfits: strangers by name, and the exact test's predictions: see `Experiment.misfits`.
        misfit_runs: how many runs each of them has; every one is refined.
        multiples: of the horizon, how long the histories are that go beyond it; ascending.

    Example:
        >>> from aline_tf.evaluation.promises import Examined
        >>> [field.name for field in dataclasses.fields(Examined)][:2]
        ['task', 'runs']
    """

    task: Any
    runs: PolicyRuns
    model: Inference
    exact: Inference
    refined: Inference | None = None
    policy: Any = None
    target_inputs: np.ndarray | None = None
    pools: tuple[int, ...] = ()
    corners: bool = False
    refined_runs: int = 50
    aline: Any = None
    misfits: tuple = ({}, None)
    misfit_runs: int = 100
    multiples: tuple[int, ...] = MULTIPLES

    @property
    def horizon(self) -> int:
        """T of the task."""
        return self.task.spec.horizon

    def judged(self) -> Iterable[tuple[str, Inference, int]]:
        """(by whom, answers, over how many of the runs), of all who are judged."""
        runs = len(self.runs.theta)
        yield "model", self.model, runs
        if self.refined is not None:
            yield "refined", self.refined, min(runs, self.refined_runs)


def chosen_promises(only: Sequence[str] | str | None) -> tuple[str, ...]:
    """The promises named, each once, comma-joined or one by one, in the order of `PROMISES`.

    Args:
        only: names; all when None.

    Raises:
        InputError: an unknown one, or none.
    """
    if only is None:
        return tuple(PROMISES)
    only = [only] if isinstance(only, str) else only
    names = [name.strip() for part in only for name in part.split(",") if name.strip()]
    unknown = [name for name in names if name not in PROMISES]
    if unknown or not names:
        received = repr(unknown[0]) if unknown else "none"
        raise InputError(f"expected promises among {', '.join(PROMISES)}; received {received}")
    return tuple(name for name in PROMISES if name in names)


def examined_by(experiment, settings, only=None) -> Examined:
    """A model under examination.

    Args:
        experiment: an `Experiment`.
        settings: model, runs, candidates and seed are read.
        only: names of promises; all when None.

    Raises:
        InputError: a setting cannot be used, or no exact posterior is at hand.
    """
    from aline_tf.acquisition.policies import LearnedPolicy
    from aline_tf.evaluation.promises.inference import ModelInference
    from aline_tf.evaluation.promises.refined import RefinedInference

    names = chosen_promises(only)
    own = dict(experiment.promise_settings)
    sizes = {
        name: own.pop(name, default) if getattr(settings, name) is None else getattr(settings, name)
        for name, default in (("runs", RUNS), ("candidates", CANDIDATES))
    }
    own = {name: value for name, value in own.items() if name not in sizes}
    horizon = experiment.task.spec.horizon
    if sizes["runs"] < 2:
        raise InputError(
            f"expected at least 2 runs; received {settings.option('runs')} {sizes['runs']}"
        )
    if sizes["candidates"] < horizon:
        raise InputError(
            f"expected a pool of at least {horizon} candidates, one for each trial; received "
            f"{settings.option('candidates')} {sizes['candidates']}"
        )
    if settings.seed < 0:
        raise InputError(
            f"expected a seed of 0 or more; received {settings.option('seed')} {settings.seed}"
        )
    exact = experiment.exact_inference()
    if exact is None:
        raise InputError(
            "expected a task with an exact posterior to measure promises by; received "
            f"{experiment.name!r}, which has none"
        )
    model = experiment.load_model(settings)
    beyond = max(own.get("multiples", MULTIPLES)) if "length" in names else 1
    policy, task = LearnedPolicy(model), experiment.task
    refined = None
    if has_exact_posterior(task):
        refined = RefinedInference(task, model)
    return Examined(
        task=task,
        runs=PolicyRuns(task, policy, **sizes, seed=settings.seed, longest=beyond * horizon),
        model=ModelInference(model),
        exact=exact,
        refined=refined,
        policy=policy,
        aline=model,
        misfits=experiment.misfits(),
        refined_runs=max(2, round(REFINED_SHARE * sizes["runs"])),
        **own,
    )


def measure(
    examined: Examined,
    only: Sequence[str] | str | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[PromiseFigure]:
    """The table of a model: every figure of every promise asked for that its task has.

    Args:
        examined: the model and who knows better.
        only: names of promises; all when None.
        report: called with a line whenever a promise is measured.

    Raises:
        InputError: a promise that does not exist.
    """
    figures: list[PromiseFigure] = []
    for name in chosen_promises(only):
        found = list(import_module(f"{__package__}.{name}").figures(examined))
        report(f"{name}: {len(found)} figures")
        figures += found
    return figures
