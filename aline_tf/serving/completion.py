"""What a caller has, completed to what a signature takes.

TensorFlow Serving knows no optional inputs: a request carries every input of its signature. A
caller with a simple task has only some of them; the others follow from the sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aline_tf.batch import (
    BATCH_FIELDS,
    EPISODE_FIELDS,
    MISSING,
    NO_ANSWER,
    OBSERVED,
    field_dtype,
    size_conflict,
)
from aline_tf.errors import InputError
from aline_tf.serving.signatures import COUNTED_MASKS

#: What must be given where the signature takes it: without it there is nothing to ask.
_NEEDED = {"predict": ("target_design",), "propose": ("candidate_design",)}


def complete_inputs(
    signature: str, batch: Mapping[str, Any], names: Sequence[str], sizes: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Every input of a signature, from the fields that are provided.

    Fields of a Batch or an Episode that the signature does not take are left out, so that one
    batch serves every signature. What is not given:

    - an empty context, no known parameters, no targets, no candidates; one row if nothing is given;
    - context_outcome may be [B, C] when F is 1; with no context_status every one is observed, and a
      NaN among them is refused: 0 there says missing, 2 asked and not answered;
    - context_mask, candidate_mask: all True;
    - context_count, target_count, candidate_count: every place of the row is its own;
    - the targets: a mask alone (theta_mask or target_mask) selects what it selects and nothing
      else; with neither, every parameter is selected, and the target designs only if the task has
      no parameters.

    Args:
        signature: its name.
        batch: field -> array, or nested lists.
        names: the inputs of the signature.
        sizes: the task's D, F and P.

    Returns:
        dict of arrays, one for each of `names`, of the right dtype and rank.

    Raises:
        InputError: an unknown or a needed field, a wrong type, rank or size, or a value that is
            not finite.
    """
    unknown = sorted(set(batch) - set(EPISODE_FIELDS))
    if unknown:
        raise InputError(
            f"expected fields of a Batch ({', '.join(BATCH_FIELDS)}); received"
            f" {', '.join(map(repr, unknown))}"
        )
    for name in _NEEDED.get(signature, ()):
        if batch.get(name) is None:
            raise InputError(f"expected {name} for {signature}; received a batch without it")
    provided = {
        name: _array(name, batch[name], sizes)
        for name in names
        if name in BATCH_FIELDS and batch.get(name) is not None
    }
    _check_pair(provided, "context_design", "context_outcome")
    _check_pair(provided, "known_theta", "known_mask")
    _read_outcomes(provided)
    conflict = size_conflict({name: array.shape for name, array in provided.items()})
    if conflict:
        raise InputError(conflict)
    for name, array in provided.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(f"expected finite numbers in {name}; received NaN or infinity")
    letters = {"B": 1, "C": 0, "M": 0, "N": 0} | dict(sizes)
    for name, array in provided.items():
        letters |= dict(zip(BATCH_FIELDS[name], array.shape, strict=True))
    return {
        name: provided[name] if name in provided else _default(name, provided, letters)
        for name in names
    }


def never_empty(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The inputs with one place of padding, masked out, where C, M or N is 0.

    A server that merges requests refuses a whole batch for one empty tensor in it.

    Args:
        inputs: as `complete_inputs` gives them; the counts among them still say 0.
    """
    return {
        name: np.zeros([array.shape[0], 1, *array.shape[2:]], array.dtype)
        if BATCH_FIELDS.get(name, ("",))[1:2] in (("C",), ("M",), ("N",)) and not array.shape[1]
        else array
        for name, array in inputs.items()
    }


def _array(name: str, value: Any, sizes: Mapping[str, int]) -> np.ndarray:
    """One field with its dtype and rank, or an InputError."""
    dtype = field_dtype(name)
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"dtype {array.dtype}")
        converted = array if array.dtype == dtype else array.astype(dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected {name} of dtype {dtype}; received {error}") from error
    if dtype != "float32" and converted is not array and not np.array_equal(converted, array):
        kind = "True or False" if dtype == "bool" else "whole numbers"
        raise InputError(f"expected {kind} in {name}; received other numbers")
    if name == "context_status" and ((converted < MISSING) | (converted > NO_ANSWER)).any():
        raise InputError(
            f"expected context_status of {MISSING} (missing), {OBSERVED} (observed) or"
            f" {NO_ANSWER} (no answer); received other numbers"
        )
    letters = BATCH_FIELDS[name]
    if letters[-1] == "F" and sizes["F"] == 1 and converted.ndim == len(letters) - 1:
        converted = converted[..., np.newaxis]
    fits = converted.ndim == len(letters) and all(
        sizes.get(letter, size) == size
        for letter, size in zip(letters, converted.shape, strict=True)
    )
    if not fits:
        shown = ", ".join(str(sizes.get(letter, letter)) for letter in letters)
        raise InputError(f"expected {name} of shape [{shown}]; received {list(array.shape)}")
    return converted


def _check_pair(provided: dict[str, np.ndarray], first: str, second: str) -> None:
    for name, other in ((first, second), (second, first)):
        if name in provided and other not in provided and provided[name].size:
            raise InputError(f"expected {other} together with {name}; received {name} alone")


def _read_outcomes(provided: dict[str, np.ndarray]) -> None:
    """The status of outcomes that come without one, and 0 for what a status says is not read."""
    if "context_outcome" not in provided:
        return
    outcome = provided["context_outcome"]
    shown = provided.get("context_mask", np.ones(outcome.shape[:2], bool))
    if "context_status" not in provided:
        unknown = np.isnan(outcome)
        if shown.shape == outcome.shape[:2] and (unknown & shown[..., np.newaxis]).any():
            raise InputError(
                "expected context_status with outcomes of which some are NaN:"
                f" {MISSING} (missing), {OBSERVED} (observed) or {NO_ANSWER} (no answer);"
                " received none"
            )
        provided["context_status"] = np.where(unknown, MISSING, OBSERVED).astype(np.int32)
    status = provided["context_status"]
    if status.shape == outcome.shape:
        provided["context_outcome"] = np.where(status == OBSERVED, outcome, np.float32(0))


def _default(name: str, provided: dict[str, np.ndarray], letters: dict[str, int]) -> np.ndarray:
    if name in COUNTED_MASKS:
        counted = BATCH_FIELDS[COUNTED_MASKS[name]][1]
        return np.full([letters["B"]], letters[counted], np.int32)
    shape = [letters[letter] for letter in BATCH_FIELDS[name]]
    neither = "theta_mask" not in provided and "target_mask" not in provided
    filled = {
        "context_mask": True,
        "candidate_mask": True,
        "theta_mask": neither,
        "target_mask": neither and letters["P"] == 0,
    }
    return np.full(shape, filled.get(name, 0), field_dtype(name))
