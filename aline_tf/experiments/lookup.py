"""Which experiment measures a task: that of the registry, or the one that serves any task."""

from __future__ import annotations

from aline_tf.errors import InputError
from aline_tf.evaluation.experiment import Experiment
from aline_tf.tasks.registry import TASKS, load, split_name


def experiment_by_name(name: str) -> Experiment:
    """The experiment of a task.

    Args:
        name: a task of the package, with an argument after a colon where it takes one, or
            `package.module:ClassName` of one's own.

    Returns:
        an `Experiment`; of a task of one's own an `OwnTaskExperiment`.

    Raises:
        InputError: no such task.

    >>> from aline_tf.experiments import experiment_by_name
    >>> experiment_by_name("gp2d").defaults["candidates"]
    500
    """
    packaged, argument = split_name(name)
    if packaged not in TASKS:
        if ":" not in name:
            raise _unknown(name)
        return _own(name)
    entry = TASKS[packaged]
    location = (argument and entry.form_experiment) or entry.experiment
    if not location:
        return _own(name)
    found = load(location)
    if name != packaged and not (argument and found.argument):
        raise _unknown(name)
    return found(name)


def experiment_of(task) -> Experiment:
    """The experiment of a `Task` at hand: that of its name if it is a task of the package.

    Args:
        task: a `Task`, or what `experiment_by_name` takes.

    Raises:
        InputError: no such task.
    """
    if isinstance(task, str):
        return experiment_by_name(task)
    name = getattr(getattr(task, "spec", None), "name", None)
    if name is None:
        raise InputError(
            "expected a task: a name, package.module:ClassName or a Task with a spec; received "
            f"{type(task).__name__}"
        )
    packaged, argument = split_name(name)
    entry = TASKS.get(packaged)
    location = entry and ((argument and entry.form_experiment) or entry.experiment)
    if location and (name == packaged or load(location).argument):
        made = load(entry.task)
        # Either may be the more special one: GP1D is a GaussianProcess.
        if isinstance(task, made) or issubclass(made, type(task)):
            return load(location)(name, task)
    return _own(name, task)


def model_settings(name: str) -> tuple[dict, object]:
    """Constructor arguments of the model and `Recipe` with which a task is trained.

    Args:
        name: see `experiment_by_name`.
    """
    return experiment_by_name(name).recipe()


def budget_settings(name: str) -> tuple[dict, object]:
    """As `model_settings`, for a small training budget; see `Experiment.budget_recipe`.

    Args:
        name: see `experiment_by_name`.
    """
    return experiment_by_name(name).budget_recipe()


def _own(name, task=None) -> Experiment:
    from aline_tf.experiments.own_task import OwnTaskExperiment

    return OwnTaskExperiment(name, task)


def _unknown(name: str) -> InputError:
    return InputError(
        f"expected a task among {', '.join(TASKS)}, or package.module:ClassName; received {name!r}"
    )
