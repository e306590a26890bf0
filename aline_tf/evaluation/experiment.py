"""Experiment: how a task is trained and measured, as five questions that every task answers.

    policies    which acquisition policies are compared, and which of them when nobody says
    defaults    how many runs, candidates and contrastive parameters
    recipe      model sizes and training recipe
    evaluate    all results
    draw        figures of an evaluation

Nothing heavy is imported before a question is asked: the command line lists the experiments in its
help.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aline_tf.acquisition.session_input import whole_number
from aline_tf.errors import InputError
from aline_tf.evaluation.bars import Bar, Deployment

#: Choices that only some experiments offer: attribute of `Settings` -> its name in messages.
OPTIONS = {
    "targets": "target",
    "functions": "function",
    "pool": "pool",
    "contrastive": "contrastive",
    "switch": "switch",
    "joint": "joint",
}


#: Sizes of the packaged models, as arguments of `ALINE`.
SMALL_MODEL: Mapping[str, int] = {"hidden_dim": 32, "num_layers": 3, "num_heads": 4}
#: Of tasks whose designs are places: see `aline_tf.models.layers.relative_position_bias`.
PLACES_MODEL: Mapping[str, int] = {**SMALL_MODEL, "relative_position_dim": 16}
#: Of tasks of smooth functions: see `aline_tf.models.layers.gaussian_process_mixture`.
FUNCTIONS_MODEL: Mapping[str, int] = {
    "hidden_dim": 32,
    "num_layers": 2,
    "num_heads": 4,
    "num_processes": 12,
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is asked of an evaluation; None is the experiment's default.

    Attributes:
        policies: names, each of the experiment's own.
        model: an ALINE model, or the name or directory of its preset; None is the packaged one.
        runs: R, simulated runs.
        candidates: N, designs to choose from.
        contrastive: L, prior draws of the bounds of the information gain.
        seed: of the runs, 0 or more.
        targets: comma-joined parameters to aim at.
        functions: kinds of functions.
        pool: kind of pool.
        steps: numbers of outcomes after which figures are reported, where that is a choice.
        every_step: report after every outcome instead.
        switch: the step at which the target changes.
        joint: whether to judge the joint posterior too.
        prefix: what stands before the names of options in messages: "--" on the command line.

    Example:
        >>> from aline_tf.evaluation import Settings
        >>> Settings(policies=("random",), runs=10).option("runs")
        'runs'
    """

    policies: Sequence[str] | None = None
    model: Any = None
    runs: int | None = None
    candidates: int | None = None
    contrastive: int | None = None
    seed: int = 0
    targets: Sequence[str] | None = None
    functions: Sequence[str] | None = None
    pool: str | None = None
    steps: Sequence[int] | None = None
    every_step: bool = False
    switch: int | None = None
    joint: bool = False
    prefix: str = ""

    def __post_init__(self):
        for name in ("runs", "candidates", "contrastive", "seed", "switch"):
            value = getattr(self, name)
            if value is not None or name == "seed":
                object.__setattr__(self, name, _whole(value, self.option(name)))
        for name in ("policies", "targets", "functions"):
            value, option = getattr(self, name), self.option(OPTIONS.get(name, name))
            names = [value] if isinstance(value, str) else value
            if value is not None and not (
                isinstance(names, Iterable) and all(isinstance(each, str) for each in names)
            ):
                raise InputError(f"expected {option} as names, a list; received {value!r}")
        if self.steps is not None:
            if isinstance(self.steps, str) or not isinstance(self.steps, Iterable):
                raise InputError(f"expected steps as a list; received {self.steps!r}")
            object.__setattr__(self, "steps", [_whole(step, "steps") for step in self.steps])

    def option(self, name: str) -> str:
        """How an option is called in a message."""
        return self.prefix + name


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What an experiment measured.

    Attributes:
        summary: one line: of what, how many runs, how many candidates, which seed.
        results: all `Result`s.
        shown: those that a printed table has room for.
        data: what `Experiment.draw` needs beside the results.

    Example:
        >>> from aline_tf.evaluation import Evaluation, Result
        >>> found = Evaluation("pond: 2 runs", [Result("random", "a", 1, "rmse", 0.5, 0.1, 2)])
        >>> found.frame().shape
        (1, 7)
    """

    summary: str
    results: list
    shown: list = dataclasses.field(default_factory=list)
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def frame(self):
        """The results as a pandas DataFrame: policy, target, step, metric, mean, ci95, n."""
        from aline_tf.evaluation.results import to_frame

        return to_frame(self.results)


class Experiment:
    """How one task is trained and measured; a subclass answers for its task.

    Args:
        name: of the task, as `task_by_name` takes it.
        task: a `Task` at hand; made from the name when None.

    Attributes:
        policies: names of all policies that can be compared.
        default_policies: those that are when nobody says.
        defaults: `runs`, `candidates` and, where information is measured, `contrastive`.
        options: attributes of `Settings` beyond these that the experiment understands.
        first_step: the earliest step that has results.
        deployments: how the task is met when it is deployed, for measurements of speed.
        bars: (metric, target) -> what a figure after a training budget is held against.
        budget_candidates: size of the pool that those figures are taken with.
        argument: what may stand after a colon in the name, for the help; empty: nothing.
        promise_settings: what promises are measured at beside the defaults: `runs` and
            `candidates`, and `target_inputs`, `pools` and `corners` of an `Examined`.

    Example:
        >>> from aline_tf.experiments import experiment_by_name
        >>> experiment = experiment_by_name("ces")
        >>> experiment.policies, experiment.defaults["runs"]
        (('learned', 'random', 'greedy'), 100)
    """

    policies: tuple[str, ...] = ("learned", "random")
    default_policies: tuple[str, ...] = ("learned", "random")
    defaults: Mapping[str, int] = {"runs": 100, "candidates": 200}
    options: frozenset[str] = frozenset()
    first_step: int = 1
    deployments: tuple[Deployment, ...] = ()
    bars: Mapping[tuple[str, str], Bar] = MappingProxyType({})
    budget_candidates: int = 200
    argument: str = ""
    promise_settings: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, name: str, task=None):
        self.name = name
        if task is not None:
            self.task = task

    @cached_property
    def task(self):
        """The `Task`."""
        from aline_tf.tasks.registry import task_by_name

        return task_by_name(self.name)

    def recipe(self) -> tuple[dict, Any]:
        """Constructor arguments of the model, and the `Recipe` of its training.

        Those of a packaged model began it; its model card tells of its sittings and of what was
        set otherwise in them.
        """
        from aline_tf.training.recipe import Recipe

        return {}, Recipe()

    def budget_recipe(self) -> tuple[dict, Any]:
        """As `recipe`, for budgets of minutes and for the time of a step beside that of others:
        the task alone, where the shipped recipe teaches more. The same by default."""
        return self.recipe()

    def evaluate(
        self, settings: Settings, report: Callable[[str], None] = lambda line: None
    ) -> Evaluation:
        """Runs the policies and measures.

        Args:
            settings: what is asked.
            report: called with a line whenever a part is done.

        Raises:
            InputError: a setting cannot be used; nothing has been computed.
        """
        raise NotImplementedError

    def draw(self, directory: str | Path, evaluation: Evaluation) -> list[Path]:
        """Writes every figure that the evaluation has data for; returns the files.

        Args:
            directory: where; made if need be.
            evaluation: as `evaluate` returned it.
        """
        raise NotImplementedError

    def budget_results(self, model, runs: int, seed: int, candidates: int) -> list:
        """The few `Result`s that a training budget is judged by, at the horizon.

        Args:
            model: an ALINE model of the task.
            runs: simulated runs that each figure is the mean of.
            seed: of the runs; equal seeds give every model the same ones.
            candidates: N.

        Raises:
            InputError: no figure of this task is judged so.
        """
        raise InputError(f"expected a task with figures of a budget; received {self.name!r}")

    def exact_inference(self):
        """The exact posterior that promises are measured against, an `Inference`; None where there
        is none."""
        return None

    def promises(
        self,
        settings: Settings,
        only: Iterable[str] | str | None = None,
        report: Callable[[str], None] = lambda line: None,
    ) -> list:
        """What a session promises, each measured against the exact posterior.

        Args:
            settings: model, runs, candidates and seed are read.
            only: names of promises (see `aline_tf.evaluation.promises.PROMISES`); all when None.
            report: called with a line whenever a promise is measured.

        Returns:
            `PromiseFigure`s, in the order of the table.

        Raises:
            InputError: a setting cannot be used, or no exact posterior is at hand.
        """
        from aline_tf.evaluation.promises.suite import examined_by, measure

        return measure(examined_by(self, settings, only), only, report)

    def misfits(self) -> tuple[Mapping[str, Callable], Callable | None]:
        """Subjects that the task does not describe, by name, and the oracle of its predictions; see
        `aline_tf.evaluation.misfit.detections`. None by default."""
        return {}, None

    def known_policies(self, settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All policies and the default ones, for these settings."""
        return self.policies, self.default_policies

    def complete(self, settings: Settings) -> Settings:
        """The settings with every default filled in.

        Raises:
            InputError: one of them cannot be used.
        """
        for attribute, option in OPTIONS.items():
            given = getattr(settings, attribute)
            if given is not None and given is not False and attribute not in self.options:
                raise InputError(
                    f"expected no {settings.option(option)} with {self.name}; received {given}"
                )
        known, default = self.known_policies(settings)
        filled = {
            name: value for name, value in self.defaults.items() if getattr(settings, name) is None
        }
        policies = chosen_policies(settings.policies, known, default)
        settings = dataclasses.replace(settings, policies=policies, **filled)
        _check_sizes(settings, self.first_step, self.task.spec.horizon)
        return settings

    def load_model(self, settings: Settings):
        """The model that is asked for, built and of this task.

        Raises:
            InputError: there is none, or it is of another task.
        """
        from aline_tf.models.presets import load_preset

        task, model = self.task.spec.name, settings.model
        if hasattr(model, "spec"):
            if model.spec.name != task:
                raise InputError(
                    f"expected a model of task {task!r}; received one of {model.spec.name!r}"
                )
            return model
        return load_preset(self.preset_directory(settings), task=task)

    def preset_directory(self, settings: Settings) -> Path:
        """Where the preset lies that is asked for.

        Raises:
            InputError: none is named, and none comes with the package.
        """
        from aline_tf.models.packaged_presets import preset_directory
        from aline_tf.tasks.registry import TASKS, split_name

        if settings.model is None:
            return preset_directory(split_name(self.name)[0])
        named = str(settings.model)
        return preset_directory(named) if named in TASKS else Path(named)


def _whole(value, option: str) -> int:
    """A whole number, however it is written."""
    number = whole_number(value, f"{option} as a whole number")
    if number is None:
        raise InputError(f"expected {option} as a whole number; received {value!r}")
    return number


def chosen_policies(
    given: Iterable[str] | str | None, known: Sequence[str], default: Sequence[str]
) -> tuple[str, ...]:
    """The policies named, each once, comma-joined or one by one.

    Raises:
        InputError: an unknown one, or none.
    """
    given = default if given is None else [given] if isinstance(given, str) else given
    policies = [name for part in given for name in part.split(",") if name]
    unknown = [name for name in policies if name not in known]
    if unknown or not policies:
        received = repr(unknown[0]) if unknown else "none"
        raise InputError(f"expected policies among {', '.join(known)}; received {received}")
    return tuple(dict.fromkeys(policies))


def chosen_targets(given: Iterable[str] | None, names: Sequence[str]) -> list[str]:
    """Comma-joined parameters, each target once, its parameters in the order of the task.

    Raises:
        InputError: an unknown parameter, or none.
    """
    targets = []
    for target in [given] if isinstance(given, str) else given or ():
        parts = [part for part in target.split(",") if part]
        unknown = [part for part in parts if part not in names]
        if unknown or not parts:
            received = repr(unknown[0]) if unknown else repr(target)
            raise InputError(f"expected targets made of {', '.join(names)}; received {received}")
        targets.append(",".join(name for name in names if name in parts))
    return list(dict.fromkeys(targets))


def check_plots(directory: str | Path | None, option: str = "plots") -> None:
    """Raises InputError when figures are to go to something that is no directory."""
    if directory is not None and Path(directory).exists() and not Path(directory).is_dir():
        raise InputError(f"expected a directory after {option}; received the file {directory}")


def _check_sizes(settings: Settings, first: int, horizon: int) -> None:
    """Raises InputError for sizes or a seed that no evaluation can use."""
    if settings.runs < 1:
        raise InputError(
            f"expected at least 1 run; received {settings.option('runs')} {settings.runs}"
        )
    if settings.candidates < horizon:
        raise InputError(
            f"expected a pool of at least {horizon} candidates, one for each trial; "
            f"received {settings.option('candidates')} {settings.candidates}"
        )
    if settings.seed < 0:
        raise InputError(
            f"expected a seed of 0 or more; received {settings.option('seed')} {settings.seed}"
        )
    if settings.contrastive is not None and settings.contrastive < 1:
        raise InputError(
            "expected at least 1 contrastive parameter; received "
            f"{settings.option('contrastive')} {settings.contrastive}"
        )
    wrong = [step for step in settings.steps or () if not first <= step <= horizon]
    if wrong:
        raise InputError(f"expected steps from {first} to {horizon}; received {wrong[0]}")
