"""Tasks: what can be learned about. Each module is one task; `task_by_name` finds them."""

from __future__ import annotations

TASK_NAMES = ("psychometric",)


def task_by_name(name: str):
    """The task of that name, ready to simulate.

    Raises:
        aline_tf.errors.InputError: no such task.
    """
    from aline_tf.errors import InputError

    if name == "psychometric":
        from aline_tf.tasks.psychometric import Psychometric

        return Psychometric()
    raise InputError(f"expected a task of {', '.join(TASK_NAMES)}; received {name!r}")
