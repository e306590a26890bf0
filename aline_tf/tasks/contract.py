"""Does a task keep the contract of a simulator? Asked once, before any work is done."""

from __future__ import annotations

import numpy as np

from aline_tf.errors import InputError

_ROWS, _POOL = 4, 3


def check_contract(task) -> None:
    """Draws a few parameters, designs and outcomes, and looks at their shapes and numbers.

    Raises:
        InputError: the object is no task, or draws something of another shape than its
            specification says, or a number that is not finite.
    """
    from aline_tf import draws
    from aline_tf.spec import TaskSpec
    from aline_tf.tasks.task import Task

    if not isinstance(task, Task) or not isinstance(getattr(task, "spec", None), TaskSpec):
        raise InputError(
            "expected a subclass of aline_tf.tasks.task.Task with a TaskSpec as its `spec`; "
            f"received {type(task).__name__}"
        )
    if type(task).sample_episodes is not Task.sample_episodes:
        # It draws its episodes in its own way and may not use the methods below.
        return
    sizes = task.spec.sizes
    seeds = draws.split(draws.as_seed(0), 3)
    theta = _drawn(task, "sample_theta", (seeds[0], _ROWS), (_ROWS, sizes["P"]))
    design = _drawn(task, "sample_designs", (seeds[1], _ROWS, _POOL), (_ROWS, _POOL, sizes["D"]))
    _drawn(task, "simulate", (theta, design, seeds[2]), (_ROWS, _POOL, sizes["F"]))


def _drawn(task, method, arguments, shape):
    """What a method of the task returns, once it is known to be finite and of that shape."""
    try:
        found = getattr(task, method)(*arguments)
    except NotImplementedError as error:
        raise InputError(
            f"expected {type(task).__name__} to have {method}; received a task without it"
        ) from error
    array = np.asarray(found)
    if array.shape != shape:
        raise InputError(
            f"expected {method} of {type(task).__name__} to return shape {list(shape)}; "
            f"received {list(array.shape)}"
        )
    if not np.isfinite(array).all():
        raise InputError(
            f"expected finite numbers from {method} of {type(task).__name__}; received NaN or "
            "infinite ones"
        )
    return found
