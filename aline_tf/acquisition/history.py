"""What a session has observed, as a Batch for a model and as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aline_tf.acquisition.questions import Answer
from aline_tf.batch import OBSERVED, empty_batch
from aline_tf.spec import TaskSpec, history_columns

_BUCKET = 16


def batch_of_history(
    spec: TaskSpec, tokens: Sequence, candidates, targets, missing: bool, exact: bool = False
) -> dict[str, np.ndarray]:
    """A Batch of one row, its context padded to a multiple of 16.

    Args:
        spec: of the task.
        tokens: (design [D], outcome [F], status [F], ...) of each answer, oldest first.
        candidates: [N, D]; all can be asked.
        targets: [M, D] designs to predict at.
        missing: whether answers of which nothing was observed are there.
        exact: whether its numbers are float64, to be brought to other units: of large ones float32
            keeps what is common to them all.

    Returns:
        every field of `aline_tf.batch.BATCH_FIELDS`, numpy arrays with B = 1; nothing is selected
        and nothing known.
    """
    # Padded, because matrix products of a new size take some setting up.
    capacity = -(-len(tokens) // _BUCKET) * _BUCKET
    sizes = {"C": capacity, "N": len(candidates), "M": len(targets)}
    batch = empty_batch(spec.sizes | sizes)
    if exact:
        batch |= {
            name: part.astype(float) for name, part in batch.items() if part.dtype.kind == "f"
        }
    if tokens:
        count = len(tokens)
        design, value, status = zip(*(token[:3] for token in tokens), strict=True)
        batch["context_design"][0, :count] = design
        batch["context_outcome"][0, :count] = value
        batch["context_status"][0, :count] = status
        there = True if missing else (np.array(status) == OBSERVED).any(1)
        batch["context_mask"][0, :count] = there
    batch["target_design"][0] = targets
    batch["candidate_design"][0] = candidates
    batch["candidate_mask"][0] = True
    return batch


def history_table(spec: TaskSpec, answers: Sequence[Answer]):
    """Answers as a pandas table, one row each; see `Session.history` for its columns."""
    import pandas as pd

    designs, fields = history_columns(spec)
    table: dict[str, object] = {"trial": np.arange(1, len(answers) + 1)}
    for place, name in enumerate(designs):
        table[name] = [float(answer.design[place]) for answer in answers]
    for place, name in enumerate(fields):
        table[name] = [
            float(a.outcome[place]) if a.status[place] == OBSERVED else float("nan")
            for a in answers
        ]
    table["answered"] = [bool((a.status == OBSERVED).any()) for a in answers]
    table["index"] = pd.array([a.index for a in answers], dtype="Int64")
    table["pool"] = [a.pool for a in answers]
    table["time"] = pd.to_datetime([a.time for a in answers], utc=True)
    return pd.DataFrame(table)
