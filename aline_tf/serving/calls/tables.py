"""Tables in and out: a request from pandas, and the answer as pandas.

    spec = preset_spec("psychometric")
    batch = batch_of_tables(spec, history, candidates=pool)
    answer_tables(spec, client.step(batch), candidates=pool)["parameters"]

A table has a column for each dimension of a design, and a history one for each field of an outcome,
by the names of the task. pandas is imported when a table is made, and not to read one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf.errors import InputError
from aline_tf.models.protocol import QUANTILE_LEVELS
from aline_tf.spec import TaskSpec, history_columns


def batch_of_tables(
    spec: TaskSpec,
    history: Any = None,
    *,
    candidates: Any = None,
    targets: Any = None,
    known: Mapping[str, float] | None = None,
    parameters: Any = None,
) -> dict[str, np.ndarray]:
    """The fields of a Batch of one row, for any signature of a client.

    Args:
        spec: the task.
        history: what was observed, a row an answer, as `Session.history` gives it; further columns
            may be there. One of several fields that was not observed is NaN or missing; a row
            without any has False in the column `answered`: asked and not answered.
        candidates: a row for each; all can be asked.
        targets: a row for each design whose outcome is asked about.
        known: parameters given as known, name to value.
        parameters: names of those to be learned, a list or comma-joined; all when None, and none
            where there are targets.

    Returns:
        arrays with B = 1; what was not given is left out, and filled in by the client.

    Raises:
        InputError: a column or a parameter that is not there, or a value that is no number.
    """
    batch: dict[str, np.ndarray] = {}
    if history is not None:
        batch |= _context(spec, history)
    if candidates is not None:
        batch["candidate_design"] = _columns(candidates, spec.design_names, "candidates")[None]
    if targets is not None:
        design = _columns(targets, spec.design_names, "targets")
        batch["target_design"] = design[None]
        batch["target_mask"] = np.ones([1, len(design)], bool)
    try:
        if parameters is not None:
            batch["theta_mask"] = np.array([spec.parameter_mask(parameters)], bool)
        if known:
            batch["known_mask"] = np.array([spec.parameter_mask(known)], bool)
            values = [known.get(name, 0.0) for name in spec.parameter_names]
            batch["known_theta"] = np.array([values], np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    return batch


def answer_tables(
    spec: TaskSpec,
    answer: Mapping[str, np.ndarray],
    *,
    row: int = 0,
    candidates: Any = None,
    targets: Any = None,
) -> dict[str, Any]:
    """One row of what a client answered, as pandas tables.

    Args:
        spec: the task.
        answer: from `predict`, `infer`, `propose`, `step` or `answer`.
        row: which one of the batch.
        candidates, targets: the tables that were asked about; their columns come first.

    Returns:
        "parameters" (index: their names; columns mean, sd, probability and the quantiles q5 to
        q95), "targets" (mean, sd, quantiles) and "candidates" (score, probability, chosen): those
        of which the answer tells.

    Raises:
        InputError: a table of another length than what was answered.
    """
    import pandas as pd

    tables = {}
    theta = _summaries(answer, row, "theta_", ("mean", "sd", "probability", "quantiles"))
    if theta:
        tables["parameters"] = pd.DataFrame(theta, index=list(spec.parameter_names))
    predicted = _summaries(answer, row, "", ("mean", "sd", "quantiles"))
    if predicted:
        tables["targets"] = pd.DataFrame(_beside(spec, targets, predicted, "targets"))
    if "scores" in answer or "probabilities" in answer:
        names = {"scores": "score", "probabilities": "probability"}
        scored = {title: answer[name][row] for name, title in names.items() if name in answer}
        if "index" in answer:
            places = np.arange(len(next(iter(scored.values()))))
            scored["chosen"] = places == answer["index"][row]
        tables["candidates"] = pd.DataFrame(_beside(spec, candidates, scored, "candidates"))
    return tables


def _context(spec: TaskSpec, history: Any) -> dict[str, np.ndarray]:
    designs, fields = history_columns(spec)
    # Where a table is the user's own, a dimension may have its plain name.
    plain = zip(designs, spec.design_names, strict=True)
    designs = [column if column in history else name for column, name in plain]
    design = _columns(history, designs, "history")
    outcome = _columns(history, fields, "history", missing=True)
    observed = ~np.isnan(outcome)
    status = observed.astype(np.int32)
    if "answered" in history:
        refused = ~np.asarray(history["answered"]).astype(bool)
        status[refused] = 2
        if (observed & refused[:, None]).any():
            raise InputError("expected no outcome where answered is False; received one")
    silent = np.flatnonzero((status == 0).all(axis=-1))
    if len(silent):
        raise InputError(
            "expected False in the column answered of history where no outcome was observed;"
            f" received none in row {silent[0]}"
        )
    return {
        "context_design": design[None],
        "context_outcome": np.where(observed, outcome, np.float32(0))[None],
        "context_status": status[None],
    }


def _columns(table: Any, names: Any, what: str, missing: bool = False) -> np.ndarray:
    """[n, len(names)] float32, by name."""
    lacking = [name for name in names if name not in table]
    if lacking:
        received = ", ".join(map(str, getattr(table, "columns", table))) or "none"
        raise InputError(f"expected columns {', '.join(names)} in {what}; received {received}")
    columns = []
    for name in names:
        try:
            column = np.asarray(table[name], np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"expected numbers in column {name} of {what}; received others"
            ) from error
        if not (np.isfinite(column) | (missing & np.isnan(column))).all():
            raise InputError(
                f"expected finite numbers in column {name} of {what}; received NaN or infinity"
            )
        columns.append(column)
    if len({len(column) for column in columns}) > 1:
        raise InputError(f"expected columns of one length in {what}; received others")
    return np.stack(columns, axis=1)


def _summaries(answer: Mapping[str, np.ndarray], row: int, prefix: str, names: Any) -> dict:
    found: dict[str, np.ndarray] = {}
    for name in names:
        if f"{prefix}{name}" not in answer:
            continue
        values = answer[f"{prefix}{name}"][row]
        if name != "quantiles":
            found[name] = values
            continue
        for level, column in zip(QUANTILE_LEVELS, values.T, strict=True):
            found[f"q{100 * level:g}"] = column
    return found


def _beside(spec: TaskSpec, table: Any, found: dict[str, np.ndarray], what: str) -> dict:
    """The columns of a table that was asked about, then those that were found."""
    if table is None:
        return found
    design = _columns(table, spec.design_names, what)
    count = len(next(iter(found.values())))
    if len(design) != count:
        raise InputError(f"expected {count} {what}; received a table of {len(design)} rows")
    return dict(zip(spec.design_names, design.T, strict=True)) | found
