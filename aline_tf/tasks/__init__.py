"""Tasks: what can be learned about. `task_by_name` finds a shipped task or one of your own."""

from __future__ import annotations

import importlib
import os
import sys

from aline_tf.errors import InputError

#: Where each shipped task lives. Given as text, so that nothing is imported before it is wanted
#: and an application (migraine) can offer its task here without being known here.
TASKS = {
    "psychometric": "aline_tf.tasks.psychometric:Psychometric",
    "location_finding": "aline_tf.tasks.location_finding:LocationFinding",
    "ces": "aline_tf.tasks.ces:CES",
    "gp1d": "aline_tf.tasks.gp:GP1D",
    "gp2d": "aline_tf.tasks.gp:GP2D",
    "hpo": "aline_tf.tasks.hpo:HPO",
    "migraine": "aline_tf.migraine.task.simulated:MigraineTask",
}


def task_by_name(name: str):
    """A task ready to simulate.

    Args:
        name: a shipped task (a key of `TASKS`), or `package.module:ClassName` of your own, which
            may lie in the working directory. After a colon a shipped task takes an argument:
            `hpo:boosting` is another search space.

    Raises:
        InputError: no such task, or an argument that it cannot use.
    """
    shipped, _, argument = name.partition(":")
    arguments = (argument,) if shipped in TASKS and argument else ()
    location = TASKS.get(shipped if arguments else name, name)
    if ":" not in location:
        raise InputError(
            f"expected a task of {', '.join(TASKS)}, or package.module:ClassName; received {name!r}"
        )
    module_name, class_name = location.split(":", 1)
    if shipped not in TASKS and os.getcwd() not in sys.path:
        # Last, so that a file there hides no installed package.
        sys.path.append(os.getcwd())
    try:
        made = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"expected a task at {location}; received: {error}") from error
    try:
        return made(*arguments)
    except ValueError as error:
        if not arguments:
            raise
        raise InputError(
            f"expected another argument of task {shipped}; received {argument!r}: {error}"
        ) from error
    except TypeError as error:
        if shipped not in TASKS:
            raise InputError(f"expected a task at {location}; received: {error}") from error
        if not arguments:
            raise
        raise InputError(
            f"expected no argument of task {shipped}; received {argument!r}"
        ) from error
