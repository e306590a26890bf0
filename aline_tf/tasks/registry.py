"""The one table of the tasks that come with the package: where each lives, and its experiment.

    name -> (class of the task, class of its experiment)

Both are given as text, `module:Class`, so that nothing is imported before it is needed and an
application (migraine) can stand here without being known to the rooms below it. Adding a task is
one file in `aline_tf/tasks`, one folder in `aline_tf/experiments` and one line here.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NamedTuple

from aline_tf.errors import InputError


class Entry(NamedTuple):
    """Where a task of the package is found.

    Attributes:
        task: `module:Class` of its `Task`.
        experiment: `module:Class` of its `Experiment`: how it is trained and measured.
        form_experiment: that of a form of it by name (`psychometric:2afc`), where it is another.

    Example:
        >>> from aline_tf.tasks.registry import TASKS
        >>> TASKS["ces"].task
        'aline_tf.tasks.ces:CES'
    """

    task: str
    experiment: str
    form_experiment: str = ""


_TASKS, _EXPERIMENTS = "aline_tf.tasks", "aline_tf.experiments"
TASKS: dict[str, Entry] = {
    "psychometric": Entry(
        f"{_TASKS}.psychometric:Psychometric",
        f"{_EXPERIMENTS}.psychometric.experiment:PsychometricExperiment",
        f"{_EXPERIMENTS}.psychometric.forced_choice:ForcedChoiceExperiment",
    ),
    "location_finding": Entry(
        f"{_TASKS}.location_finding:LocationFinding",
        f"{_EXPERIMENTS}.location_finding.experiment:LocationFindingExperiment",
    ),
    "gp1d": Entry(f"{_TASKS}.gp:GP1D", f"{_EXPERIMENTS}.functions.experiment:GP1DExperiment"),
    "gp2d": Entry(f"{_TASKS}.gp:GP2D", f"{_EXPERIMENTS}.functions.experiment:GP2DExperiment"),
    "ces": Entry(f"{_TASKS}.ces:CES", f"{_EXPERIMENTS}.ces.experiment:CESExperiment"),
    "hpo": Entry(
        f"{_TASKS}.hpo:HPO",
        f"{_EXPERIMENTS}.hyperparameters.experiment:HyperparameterExperiment",
    ),
    "migraine": Entry(
        "aline_tf.migraine.task.simulated:MigraineTask",
        "aline_tf.migraine.task.experiment:MigraineExperiment",
    ),
}


def split_name(name: str) -> tuple[str, str]:
    """A task of the package and the argument after a colon, as in `hpo:boosting`; of a task of
    one's own, `module:Class`, the whole name and no argument."""
    task, _, argument = name.partition(":")
    return (task, argument) if task in TASKS else (name, "")


def load(location: str):
    """The object at `module:Name`, which may lie in the working directory.

    Raises:
        ImportError, AttributeError: there is none.
    """
    module_name, class_name = location.split(":", 1)
    if not location.startswith("aline_tf.") and os.getcwd() not in sys.path:
        # Last, so that a file there hides no installed package.
        sys.path.append(os.getcwd())
    return getattr(importlib.import_module(module_name), class_name)


def task_by_name(name: str):
    """A task ready to simulate.

    Args:
        name: a task of the package (a key of `TASKS`), or `package.module:ClassName` of your own,
            which may lie in the working directory. After a colon a task of the package takes an
            argument: `hpo:boosting` is another search space, `psychometric:2afc` forced choice. A
            class with `from_argument` is made by that.

    Returns:
        a `Task`.

    Raises:
        InputError: no such task, or an argument that it cannot use.

    >>> from aline_tf.tasks import task_by_name
    >>> task_by_name("psychometric").spec.horizon
    30
    """
    packaged, argument = split_name(name)
    arguments = (argument,) if argument else ()
    location = (
        TASKS[packaged].task if packaged in TASKS and (argument or packaged == name) else name
    )
    if ":" not in location:
        raise InputError(
            f"expected a task of {', '.join(TASKS)}, or package.module:ClassName; received {name!r}"
        )
    try:
        made = load(location)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"expected a task at {location}; received: {error}") from error
    if not isinstance(made, type):
        from aline_tf.tasks.task import Task

        if isinstance(made, Task) and not arguments:
            return made
        raise InputError(
            f"expected a class of tasks at {location}, or a task; received a {type(made).__name__}"
        )
    make = getattr(made, "from_argument", made) if arguments else made
    try:
        return make(*arguments)
    except ValueError as error:
        if not arguments:
            raise
        raise InputError(
            f"expected another argument of task {packaged}; received {argument!r}: {error}"
        ) from error
    except TypeError as error:
        if packaged not in TASKS:
            raise InputError(f"expected a task at {location}; received: {error}") from error
        if not arguments:
            raise
        raise InputError(
            f"expected no argument of task {packaged}; received {argument!r}"
        ) from error
