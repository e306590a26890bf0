"""Tasks: what can be learned about. `task_by_name` finds a shipped task or one of your own."""

from __future__ import annotations

import importlib

from aline_tf.errors import InputError

#: Where each shipped task lives. Given as text, so that nothing is imported before it is wanted
#: and an application (migraine) can offer its task here without being known here.
TASKS = {
    "psychometric": "aline_tf.tasks.psychometric:Psychometric",
    "location_finding": "aline_tf.tasks.location_finding:LocationFinding",
    "ces": "aline_tf.tasks.ces:CES",
    "gp1d": "aline_tf.tasks.gp:GP1D",
    "gp2d": "aline_tf.tasks.gp:GP2D",
    "migraine": "aline_tf.migraine.task:MigraineTask",
}


def task_by_name(name: str):
    """A task ready to simulate.

    Args:
        name: a shipped task (a key of `TASKS`), or `package.module:ClassName` of your own.

    Raises:
        InputError: no such task.
    """
    location = TASKS.get(name, name)
    if ":" not in location:
        raise InputError(
            f"expected a task of {', '.join(TASKS)}, or package.module:ClassName; received {name!r}"
        )
    module_name, class_name = location.split(":", 1)
    try:
        return getattr(importlib.import_module(module_name), class_name)()
    except (ImportError, AttributeError) as error:
        raise InputError(f"expected a task at {location}; received: {error}") from error
