"""Designs, indices, outcomes and values as people write them, read as numbers or refused.

Every refusal is one `InputError`: what was expected, and what was received.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.errors import InputError
from aline_tf.spec import TaskSpec

#: Standardised outcomes beyond this have no square in float32, and a model no answer.
FARTHEST = 1e15
_LARGEST = float(np.finfo(np.float32).max)


def numbers(value: Any, what: str) -> np.ndarray:
    """A number, a list or an array of them as float64.

    Args:
        value: of any shape; text, dates and objects are no numbers, whatever they look like.
        what: it is, for the message.

    Raises:
        InputError: no numbers, one that is too large for float32, or one behind a mask.
    """
    if _is_masked(value):
        # NumPy would read what is behind the mask.
        raise InputError(f"expected {what} of numbers; received masked ones, {shown(value)}")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected {what} of numbers; received {shown(value)}") from error
    if array.dtype.kind not in "biuf":
        raise InputError(f"expected {what} of numbers; received {shown(value)}")
    with np.errstate(over="ignore"):
        exact = array.astype(float)
    if (np.isfinite(array) & (np.abs(exact) > _LARGEST)).any():
        raise InputError(f"expected {what} up to {_LARGEST:.2g}; received {shown(value)}")
    return exact


def whole_number(value: Any, what: str) -> int | None:
    """A whole number however it is written (3, 3.0, numpy's or a 0-d array); None if it is a list,
    an array with dimensions, or a table.

    Args:
        value: what was given.
        what: it should be, for the message.

    Raises:
        InputError: one thing, but no whole number: 3.5, NaN, True, "3", None.
    """
    if isinstance(value, str) or value is None or value is np.ma.masked:
        raise InputError(f"expected {what}; received {value!r}")
    if isinstance(value, int) and not isinstance(value, bool):
        # Of any size.
        return value
    if isinstance(value, Mapping) or np.ndim(value):
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array) or array % 1:
        raise InputError(f"expected {what}; received {shown(value)}")
    return int(array)


def whole_number_from(least: int, value: Any, what: str) -> int:
    """A whole number that is not too small, however it is written.

    Args:
        least: the smallest.
        value: see `whole_number`.
        what: it is to be, with the smallest, for the message: "a number of draws, 1 or more".

    Raises:
        InputError: anything else.
    """
    number = whole_number(value, what)
    if number is None or number < least:
        raise InputError(f"expected {what}; received {shown(value)}")
    return number


def seed(value: Any) -> int:
    """A seed: a whole number, 0 or more, however it is written.

    Raises:
        InputError: anything else.
    """
    return whole_number_from(0, value, "a seed, a whole number of 0 or more")


def flag(value: Any, what: str, other: str | None = "") -> bool | str | None:
    """True or False, or the one other choice that there is.

    Args:
        value: Python's or NumPy's truth value; 0 and 1 are numbers.
        what: "name", or "name to be", for the message.
        other: "auto" or None where that is a choice too.

    Raises:
        InputError: anything else.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if other != "" and (value is other or (isinstance(value, str) and value == other)):
        return value
    choices = "True or False" if other == "" else f"True, False or {other!r}"
    raise InputError(f"expected {what} {choices}; received {shown(value)}")


def by_name(value: Any, what: str) -> dict[str, Any]:
    """Values by name, each name once: a dict, or a pandas Series.

    Args:
        value: also None, for nothing.
        what: it is, for the message: "known as a dict of name and value".

    Raises:
        InputError: anything else, or a name twice.
    """
    if value is None:
        return {}
    series = hasattr(value, "items") and hasattr(value, "keys") and hasattr(value, "to_numpy")
    if not isinstance(value, Mapping) and (not series or hasattr(value, "columns")):
        raise InputError(f"expected {what}; received {shown(value)}")
    pairs = list(value.items())
    if len({name for name, _ in pairs}) < len(pairs):
        raise InputError(f"expected {what}, each name once; received {shown(value)}")
    return dict(pairs)


def designs(spec: TaskSpec, value: Any, what: str) -> np.ndarray:
    """Designs [n, D] as float64, in the units of the spec.

    Args:
        spec: of the task.
        value: [n, D], or a table with one column for each of `spec.design_names`, in any order.
        what: they are, for the message.

    Raises:
        InputError: another shape, a column too few or too many, or a number that is not finite.
    """
    names = spec.design_names
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        columns = list(value.columns)
        if sorted(map(str, columns)) != sorted(names):
            raise InputError(
                f"expected {what} with the columns {', '.join(names)}; "
                f"received {', '.join(map(str, columns)) or 'none'}"
            )
        value = value[list(names)].to_numpy()
    array = numbers(value, what)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise InputError(
            f"expected {what} of shape [n, {len(names)}] ({', '.join(names)}); "
            f"received shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise InputError(f"expected finite {what}; received NaN or infinite numbers")
    return array


def same_designs(designs: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Which of designs [..., D] are a design [D], one of the two perhaps rounded to float32: bool
    [...]."""
    first, second = np.asarray(designs, float), np.asarray(design, float)
    rounded = (first == second.astype(np.float32)) | (first.astype(np.float32) == second)
    return ((first == second) | rounded).all(axis=-1)


def one_design(spec: TaskSpec, value: Any) -> np.ndarray:
    """One design [D].

    Args:
        spec: of the task.
        value: [D] or [1, D], a table of one row, or a dict (or pandas row) by design names.

    Raises:
        InputError: as `designs`, or another number of designs.
    """
    if isinstance(value, Mapping) or (hasattr(value, "to_numpy") and hasattr(value, "keys")):
        names = [str(name) for name in value.keys()]  # noqa: SIM118  (a Series iterates values)
        if not hasattr(value, "columns") and set(names) >= set(spec.design_names):
            value = [[value[name] for name in spec.design_names]]
        elif not hasattr(value, "columns"):
            raise InputError(
                f"expected a design by {', '.join(spec.design_names)}; "
                f"received {', '.join(names) or 'nothing'}"
            )
    if not hasattr(value, "columns"):
        value = np.atleast_2d(numbers(value, "the index of a candidate or a design"))
    rows = designs(spec, value, "design")
    if len(rows) != 1:
        raise InputError(f"expected one design; received {len(rows)}")
    return rows[0]


def outcome(spec: TaskSpec, value: Any) -> tuple[np.ndarray, np.ndarray]:
    """One outcome, natural units, and its status.

    Args:
        spec: of the task.
        value: a number, F numbers (NaN or None: that field was not observed), or None: no answer.

    Returns:
        (float64 [F], int32 [F]).

    Raises:
        InputError: another shape, a number that is not finite, or one that its channel cannot have.
    """
    fields = spec.fields
    if value is None:
        return np.zeros(len(fields), np.float32), np.full(len(fields), NO_ANSWER, np.int32)
    if isinstance(value, list | tuple):
        filled = [float("nan") if one is None else one for one in value]
    else:
        filled = value
    array = np.atleast_1d(numbers(filled, "outcome"))
    if array.shape != (len(fields),):
        raise InputError(
            f"expected {len(fields)} outcome fields ({', '.join(field.name for field in fields)}); "
            f"received shape {np.shape(filled)}"
        )
    observed = ~np.isnan(array)
    if not observed.any() or np.isinf(array).any():
        raise InputError(
            "expected a finite outcome, or None when there was no answer; "
            f"received {np.asarray(filled).tolist()}"
        )
    check_outcome(spec, array, observed)
    return np.where(observed, array, 0.0), np.where(observed, OBSERVED, 0).astype(np.int32)


def check_outcome(spec: TaskSpec, value: np.ndarray, observed: np.ndarray) -> None:
    """Refuses what a channel cannot have.

    Args:
        spec: of the task.
        value: [F], finite where `observed` [F].

    Raises:
        InputError: no whole number where one is needed, or farther from the usual than any model
            can read.
    """
    for channel, number, counts in zip(spec.fields, value, observed, strict=True):
        if not counts:
            continue
        if channel.allowed and not channel.allows(number):
            raise InputError(
                f"expected {channel.name} to be {channel.allowed}; received {number:g}"
            )
        if abs((float(number) - channel.loc) / channel.scale) > FARTHEST:
            raise InputError(
                f"expected {channel.name} within {FARTHEST:g} times its scale {channel.scale:g}; "
                f"received {number:g}"
            )


def costs(value: Any, count: int) -> np.ndarray:
    """The burden [count] of each candidate; 1 each when None.

    Raises:
        InputError: another shape, or a number that is not finite.
    """
    if value is None:
        return np.ones(count)
    array = numbers(value, "costs")
    if array.shape != (count,) or not np.isfinite(array).all():
        raise InputError(
            f"expected {count} finite costs, one per candidate; "
            f"received {_not_finite(array)}an array of shape {array.shape}"
        )
    return array


def number(value: Any, what: str) -> float:
    """One finite number.

    Raises:
        InputError: anything else, True and False too.
    """
    array = np.asarray(numbers(value, what) if value is not None else np.nan, float)
    if array.ndim or not np.isfinite(array) or np.asarray(value).dtype.kind == "b":
        raise InputError(f"expected a finite {what}; received {shown(value)}")
    return float(array)


def known_values(spec: TaskSpec, known: Mapping[str, Any] | None) -> dict[str, float]:
    """Parameters given as known: name -> value.

    Args:
        spec: of the task.
        known: values that the parameters can have; those that rounding has put outside of an
            interval are its bound, for outside of it there is no posterior.

    Raises:
        InputError: a name that the task does not have, no number, or a value outside of the
            parameter's support.
    """
    support = {parameter.name: parameter for parameter in spec.parameters}
    found = {}
    for name, value in by_name(known, "known as a dict of name and value").items():
        array = np.asarray(np.nan if value is np.ma.masked else value)
        kinds = "biuf" if name in support and support[name].kind == "binary" else "iuf"
        plain = array.dtype.kind in kinds and not array.shape and np.isfinite(array)
        if name not in support or not plain:
            raise InputError(
                f"expected finite values of {', '.join(support)}; received {name}={shown(value)}"
            )
        parameter, found[name] = support[name], float(array)
        interval = parameter.kind == "interval"
        if not inside(parameter, np.asarray(found[name])):
            where = f"from {parameter.low:g} to {parameter.high:g}" if interval else "0 or 1"
            raise InputError(f"expected a known {name} {where}; received {found[name]:g}")
        if interval:
            found[name] = min(max(found[name], parameter.low), parameter.high)
    return found


def inside(parameter, value: np.ndarray) -> np.ndarray:
    """Whether finite values of any shape are in the support of a `Parameter`; its bounds are, as
    float32 has them too."""
    if parameter.kind == "binary":
        return np.isin(value, (0.0, 1.0))
    if parameter.kind != "interval":
        return np.isfinite(value)
    room = 1e-6 * (parameter.high - parameter.low)
    return (value >= parameter.low - room) & (value <= parameter.high + room)


def in_support(spec: TaskSpec, theta: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Known parameters, in trained units, that rounding has put outside of an interval, on its
    bound: outside of it a prior is nothing.

    Args:
        spec: of the task, as trained.
        theta: [..., P].
        known: bool [..., P].

    Returns:
        float32 [..., P].
    """
    interval = [parameter.kind == "interval" for parameter in spec.parameters]
    low = np.array([p.low if p.kind == "interval" else 0.0 for p in spec.parameters], np.float32)
    high = np.array([p.high if p.kind == "interval" else 0.0 for p in spec.parameters], np.float32)
    return np.where(known & interval, np.clip(theta, low, high), theta).astype(np.float32)


def parameter_mask(spec: TaskSpec, names: Any) -> np.ndarray:
    """Which parameters are selected: bool [P].

    Args:
        spec: of the task.
        names: of parameters, a list or comma-joined; in any order.

    Raises:
        InputError: a name that the task does not have, or no names.
    """
    if isinstance(names, Mapping | bytes) or not hasattr(names, "__iter__"):
        raise InputError(
            f"expected a target of names among {', '.join(spec.parameter_names)}, a list or "
            f"comma-joined; received {shown(names)}"
        )
    try:
        return np.array(spec.parameter_mask(names), bool)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error


def check_model(model: Any) -> None:
    """Refuses what no session can ask.

    Raises:
        InputError: it has no specification of a task, or does not answer.
    """
    if isinstance(getattr(model, "spec", None), TaskSpec) and not isinstance(model, type):
        return
    raise InputError(
        "expected a model: an ALINE (ALINE.from_preset('psychometric') is a trained one), a Frozen "
        f"or a RemoteModel; received {shown(model)}"
    )


def shown(value: Any) -> str:
    """What was received, no longer than a line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_masked(value) -> bool:
    return value is np.ma.masked or (np.ma.isMaskedArray(value) and np.ma.is_masked(value))


def _not_finite(array) -> str:
    return "" if np.isfinite(array).all() else "NaN or infinite numbers in "
