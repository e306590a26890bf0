"""Checks of a task against the contract of a simulator, once, before any work is done.

Every mistake found is one sentence: expected, received. A few rows are drawn first, outside of any
graph, for shapes, dtypes and randomness that no seed governs; then thousands inside a compiled
function, as training draws them, for numbers that are rarely wrong and seeds that are read once.
"""

from __future__ import annotations

import functools
import time

import numpy as np

from aline_tf.errors import InputError

_ROWS, _POOL = 4, 3
#: Rows and designs a row of the second look. A thing that happens once in 3000 outcomes is missed
#: there once in e^10 times.
_MANY, _MANY_POOL = 4096, 8
#: Episodes among which a candidate is looked for where the first two have none.
_EPISODES = 256
#: A slow simulator is looked at in as many rows as it can do in so many seconds.
_SECONDS = 1.0
_TIMED = 64
_TOLERANCE = 1e-5
_READ_ONCE = (
    "expected different draws from {method} of {name} for different seeds inside a compiled "
    "function; received equal ones: numpy's randomness is read once there (see aline_tf.draws, or "
    "aline_tf.tasks.NumpyTask)"
)


def check_contract(task, jit_compile: bool = False, policy: bool = True) -> None:
    """Draws parameters, designs and outcomes, and looks at what came.

    A task that was found to be right is not looked at again.

    Args:
        task: a `Task`.
        jit_compile: whether its draws must also be something that XLA can compile.
        policy: whether a policy is to learn from it, for which some episode must have a candidate.

    Raises:
        InputError: the object is no task, lacks a method, or draws something of another shape,
            dtype, range or kind than its specification says, a number that is not finite, or
            numbers that do not follow the seed.

    >>> from aline_tf.tasks import check_contract, task_by_name
    >>> check_contract(task_by_name("psychometric"))
    """
    from aline_tf.tasks.task import Task

    _check_type(task)
    if not vars(task).get("_kept_contract"):
        # Episodes drawn in a way of their own may need no simulator.
        own = type(task).sample_episodes is not Task.sample_episodes
        if not own or _simulates(task):
            _check_draws(task)
        if own:
            _check_episodes(task)
        task._kept_contract = True
    if policy and not vars(task).get("_offers_candidates"):
        if type(task).sample_episodes is not Task.sample_episodes:
            _check_candidates(task)
        task._offers_candidates = True
    if jit_compile and not vars(task).get("_compiles"):
        _check_jit(task)
        task._compiles = True


def _check_type(task) -> None:
    from aline_tf.spec import TaskSpec
    from aline_tf.tasks.task import Task

    if isinstance(task, type):
        raise InputError(
            f"expected a task, {task.__name__}(...); received the class {task.__name__} itself"
        )
    if not isinstance(task, Task) or not isinstance(getattr(task, "spec", None), TaskSpec):
        raise InputError(
            "expected a subclass of aline_tf.tasks.task.Task with a TaskSpec as its `spec`; "
            f"received {type(task).__name__}"
        )


def _simulates(task) -> bool:
    """Whether a task of recorded episodes has a simulator all the same."""
    from aline_tf import draws

    try:
        theta = task.sample_theta(draws.as_seed(0), _ROWS)
        design = task.sample_designs(draws.as_seed(1), _ROWS, _POOL)
        task.simulate(theta, design, draws.as_seed(2))
    except NotImplementedError:
        return False
    except Exception:
        # Whatever else is wrong is told by the check.
        return True
    return True


def _check_draws(task) -> None:
    from aline_tf import draws
    from aline_tf.tasks.task import Task

    name, sizes = type(task).__name__, task.spec.sizes
    seeds = draws.split(draws.as_seed(0), 3)
    theta = _drawn(task, "sample_theta", (seeds[0], _ROWS), (_ROWS, sizes["P"]))
    design = _drawn(task, "sample_designs", (seeds[1], _ROWS, _POOL), (_ROWS, _POOL, sizes["D"]))
    outcome = _drawn(task, "simulate", (theta, design, seeds[2]), (_ROWS, _POOL, sizes["F"]))
    for method, found, arguments in (
        ("sample_theta", theta, (seeds[0], _ROWS)),
        ("sample_designs", design, (seeds[1], _ROWS, _POOL)),
        ("simulate", outcome, (theta, design, seeds[2])),
    ):
        if not np.array_equal(found, getattr(task, method)(*arguments)):
            raise InputError(
                f"expected equal draws from {method} of {name} for equal seeds; received different "
                "ones: its randomness must come from its seed (see aline_tf.draws)"
            )
    _check_likelihood(task, theta, design, outcome)
    _check_targets(task, seeds[0])
    if len(task.spec.outcomes) > 1 and type(task).sample_episodes is Task.sample_episodes:
        task.sample_queries(theta, seeds[1], seeds[2], _POOL)
    first, again, other = _many_draws(task, _affordable_rows(task))
    for method, found, same, different in zip(
        ("sample_theta", "sample_designs"), first, again, other, strict=True
    ):
        if not np.array_equal(found, same):
            raise InputError(
                f"expected equal draws from {method} of {name} for equal seeds inside a compiled "
                "function; received different ones"
            )
        if found.size and (found != found[:1]).any() and np.array_equal(found, different):
            raise InputError(_READ_ONCE.format(method=method, name=name))


def _affordable_rows(task) -> int:
    """How many rows can be drawn in about a second."""
    from aline_tf import draws

    def seconds(rows):
        started = time.perf_counter()
        theta = task.sample_theta(draws.as_seed(0), rows)
        design = task.sample_designs(draws.as_seed(1), rows, _MANY_POOL)
        task.simulate(theta, design, draws.as_seed(2))
        return time.perf_counter() - started

    seconds(_ROWS)
    each = (seconds(_TIMED) - seconds(_ROWS)) / (_TIMED - _ROWS)
    return int(np.clip(_SECONDS / max(each, 1e-9), _TIMED, _MANY))


def _many_draws(task, rows):
    """(theta, designs, outcomes) of a compiled function for two equal seeds and another one. Each
    is a function of one seed alone: all rows of outcomes are of one theta and one pool."""
    import tensorflow as tf

    from aline_tf import draws

    @tf.function(autograph=False)
    def drawn(seed):
        parts = draws.split(seed, 3)
        theta = task.sample_theta(parts[0], rows)
        design = task.sample_designs(parts[1], rows, _MANY_POOL)
        return theta, design, task.simulate(theta, design, parts[2])

    @tf.function(autograph=False)
    def repeated(seed):
        theta = tf.repeat(task.sample_theta(draws.as_seed(3), 1), _TIMED, axis=0)
        design = tf.repeat(task.sample_designs(draws.as_seed(4), 1, _MANY_POOL), _TIMED, axis=0)
        return task.simulate(theta, design, seed)

    name = type(task).__name__
    try:
        first, again, other = (
            [part.numpy() for part in drawn(draws.as_seed([seed, 5]))] for seed in (1, 1, 2)
        )
        one, two = (repeated(draws.as_seed([seed, 7])).numpy() for seed in (1, 2))
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"expected {name} to draw inside tf.function, as training does (a simulator in plain "
            f"NumPy is an aline_tf.tasks.NumpyTask); received {_in_short(error)}"
        ) from error
    for method, found in zip(("sample_theta", "sample_designs", "simulate"), first, strict=True):
        _check_numbers(task, method, found)
    _check_answers(task, first[2])
    # Rows of the same parameters that differ are noise, and noise follows the seed.
    if (one != one[:1]).any() and np.array_equal(one, two):
        raise InputError(_READ_ONCE.format(method="simulate", name=name))
    return first[:2], again[:2], other[:2]


def _in_short(error) -> str:
    """An exception on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = next((line for line in lines if "rror:" in line), lines[0] if lines else "")
    cause = cause.split("    [[")[0]
    return cause if "rror:" in cause else f"{type(error).__name__}: {cause}"


def _drawn(task, method, arguments, shape):
    """What a method of the task returns, once it is known to be right as far as a few rows tell."""
    name = type(task).__name__
    try:
        found = getattr(task, method)(*arguments)
    except NotImplementedError as error:
        hint = " (what was recorded is a RecordedDataTask)" if method == "simulate" else ""
        raise InputError(
            f"expected {name} to have {method}; received a task without it{hint}"
        ) from error
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"expected {method} of {name} to draw shape {list(shape)}; received {_in_short(error)}"
        ) from error
    if not hasattr(found, "shape") or not hasattr(found, "dtype"):
        raise InputError(
            f"expected {method} of {name} to return a float32 tensor; "
            f"received {type(found).__name__}"
        )
    array = np.asarray(found)
    if array.shape != shape:
        raise InputError(
            f"expected {method} of {name} to return shape {list(shape)}; "
            f"received {list(array.shape)}"
        )
    if array.dtype != np.float32:
        raise InputError(
            f"expected {method} of {name} to return float32; received {array.dtype} "
            "(tf.cast(..., tf.float32) makes it so)"
        )
    _check_numbers(task, method, array)
    return found


def _check_numbers(task, method, array) -> None:
    """Finite, and in the range or of the kind that the specification says, column by column."""
    array, name = np.asarray(array), type(task).__name__
    if not np.isfinite(array).all():
        share = (
            f" ({np.sum(~np.isfinite(array))} of {array.size} numbers)" if array.size > 1000 else ""
        )
        raise InputError(
            f"expected finite numbers from {method} of {name}; received NaN or infinite ones{share}"
        )
    where = f"{method} of {name} to draw"
    if method == "sample_theta":
        check_theta(task.spec, where, array)
    elif method == "sample_designs":
        check_designs(task.spec, where, array)
    else:
        check_outcomes(task.spec, where, array)


def check_theta(spec, where: str, array) -> None:
    """Refuses parameters [..., P] outside the support that a specification declares; NaN passes.

    Args:
        spec: the `TaskSpec`.
        where: who draws or holds them, as in "sample_theta of Line to draw".
        array: [..., P].

    Raises:
        InputError: the first parameter that lies outside, and how many of its values do.
    """
    for column, parameter in enumerate(spec.parameters):
        right, words = np.isfinite, "finite"
        if parameter.kind == "interval":
            words = f"in [{parameter.low:g}, {parameter.high:g}]"
            right = _between(parameter.low, parameter.high)
        elif parameter.kind == "binary":
            words = "as 0 or 1"
            right = functools.partial(np.isin, test_elements=(0.0, 1.0))
        _check_column(where, parameter.name, array[..., column], right, words)


def check_designs(spec, where: str, array) -> None:
    """Refuses designs [..., D] outside their bounds, or that break a one-of-k group; NaN passes.

    Args:
        spec, where, array: as of `check_theta`; [..., D].

    Raises:
        InputError: as `check_theta`.
    """
    bounds = zip(spec.design_names, spec.design_low, spec.design_high, strict=True)
    for column, (title, low, high) in enumerate(bounds):
        values, words = array[..., column], f"in [{low:g}, {high:g}]"
        _check_column(where, title, values, _between(low, high), words)
    for group, columns in zip(spec.one_of, spec.groups, strict=True):
        chosen = array[..., columns]
        chosen = chosen[~np.isnan(chosen).any(axis=-1)]
        if not (np.isin(chosen, (0, 1)).all() and (chosen.sum(-1) == 1).all()):
            raise InputError(
                f"expected {where} 1 for exactly one of {', '.join(group)} and 0 for the others; "
                "received other numbers"
            )


def check_outcomes(spec, where: str, array) -> None:
    """Refuses outcomes [..., F] that are not of their field's kind; NaN passes.

    Args:
        spec, where, array: as of `check_theta`; [..., F].

    Raises:
        InputError: as `check_theta`.
    """
    for column, channel in enumerate(spec.fields):
        _check_channel(where, channel, array[..., column])


def _check_channel(where, channel, values) -> None:
    if channel.allowed:
        right = np.vectorize(channel.allows, otypes=[bool])
        _check_column(where, channel.name, values, right, f"as {channel.allowed}")


def _check_answers(task, outcome) -> None:
    """What is predicted, where it is the first field itself, is of its own outcome's kind too."""
    from aline_tf.tasks.task import Task

    own = type(task).sample_episodes is not Task.sample_episodes
    if not own and len(task.spec.outcomes) == 1:
        where = f"simulate of {type(task).__name__} to draw"
        _check_channel(where, task.spec.outcomes[0], outcome[..., 0])


def _between(low, high):
    room = _TOLERANCE * (high - low)
    return lambda value: (value >= low - room) & (value <= high + room)


def _check_column(where, title, values, right, words) -> None:
    values = np.ravel(values)
    values = values[~np.isnan(values)]
    wrong = values[~right(values)] if values.size else values
    if wrong.size:
        raise InputError(
            f"expected {where} {title} {words}; received {wrong[0]:g} "
            f"({wrong.size} of {values.size} are not)"
        )


def _check_likelihood(task, theta, design, outcome) -> None:
    """Of what the task itself simulates: one finite number for each outcome."""
    if task.log_likelihood is None:
        return
    import tensorflow as tf

    name, theta = type(task).__name__, tf.convert_to_tensor(theta)
    try:
        found = np.asarray(task.log_likelihood(theta[:, None], design, outcome))
    except Exception as error:
        raise InputError(
            f"expected log_likelihood of {name} for theta [..., P], design [..., D] and outcome "
            f"[..., F]; received {_in_short(error)}"
        ) from error
    if found.shape != (_ROWS, _POOL):
        raise InputError(
            f"expected log_likelihood of {name} to return one number for each outcome, shape "
            f"{[_ROWS, _POOL]}; received {list(found.shape)}"
        )
    if not np.isfinite(found).all():
        raise InputError(
            f"expected a finite log_likelihood of {name} at outcomes that it simulated itself; "
            "received NaN or infinite ones"
        )


def _check_targets(task, seed) -> None:
    found, shape = np.asarray(task.sample_targets(seed, _ROWS)), (_ROWS, task.spec.sizes["P"])
    if found.shape != shape or found.dtype != bool:
        raise InputError(
            f"expected sample_targets of {type(task).__name__} to return bool {list(shape)}; "
            f"received {found.dtype} {list(found.shape)}"
        )


def _check_episodes(task) -> None:
    """Of a task that draws its episodes in its own way: whether they are Episodes."""
    from aline_tf import draws
    from aline_tf.batch import EPISODE_FIELDS, check

    name, count = type(task).__name__, max(task.spec.horizon, _POOL)
    try:
        episode = task.sample_episodes(draws.as_seed(0), 2, count)
        check(episode, task.spec, EPISODE_FIELDS)
    except NotImplementedError as error:
        raise InputError(
            f"expected {name} to have a simulator or sample_episodes; received a task without it"
        ) from error
    except InputError as error:
        raise InputError(
            f"expected sample_episodes of {name} to give an Episode: {error}"
        ) from error
    for field, mask in (("theta", "theta_observed"), ("target_outcome", "target_observed")):
        if not np.isfinite(np.asarray(episode[field])[np.asarray(episode[mask])]).all():
            raise InputError(f"expected finite {field} in episodes of {name}; received NaN")


def _check_candidates(task) -> None:
    """A row may have none: where people recorded themselves, some evenings leave nothing to ask."""
    from aline_tf import draws

    count = max(task.spec.horizon, _POOL)
    for seed, rows in enumerate((2, _EPISODES)):
        if np.asarray(
            task.sample_episodes(draws.as_seed(seed), rows, count)["candidate_mask"]
        ).any():
            return
    raise InputError(
        f"expected a candidate in some episode of {type(task).__name__} for a policy to choose; "
        f"received none in {_EPISODES}"
    )


def _check_jit(task) -> None:
    import tensorflow as tf

    from aline_tf import draws

    compiled = tf.function(
        lambda seed: task.sample_episodes(seed, 2, max(task.spec.horizon, _POOL)),
        jit_compile=True,
        autograph=False,
    )
    try:
        compiled(draws.as_seed(0))
    except Exception as error:
        raise InputError(
            f"expected episodes of {type(task).__name__} that XLA can compile, or "
            f"jit_compile=False; received {_in_short(error)}"
        ) from error
