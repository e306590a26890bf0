"""Learning curves: what a training run reported, epoch by epoch."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aline_tf.errors import InputError
from aline_tf.plots.style import CYCLE, axes_or_new


def learning_curve(history, names=None, ax=None):
    """Figures of training against the epoch; those of validation are dashed, in the same colour.

    Args:
        history: the `History` that `fit` returns, its dict, or the path of a `training_log.csv`.
        names: of figures, "inference" or ["reward", "val_reward"]; the loss, with the one of
            validation where there is one, when None.
        ax: matplotlib axes; new ones when None.

    Returns:
        the axes.

    Raises:
        InputError: a figure that was not reported, or no log at the path.
    """
    found = _columns(history)
    if names is None:
        names = [name for name in ("loss", "val_loss") if name in found]
    names = [names] if isinstance(names, str) else list(names)
    if not names or any(name not in found for name in names):
        raise InputError(f"expected figures of {', '.join(found) or 'no epoch'}; received {names}")
    ax = axes_or_new(ax)
    plain = list(dict.fromkeys(name.removeprefix("val_") for name in names))
    for name in names:
        colour = CYCLE[plain.index(name.removeprefix("val_")) % len(CYCLE)]
        dash = "--" if name.startswith("val_") else "-"
        values = found[name]
        ax.plot(1 + np.arange(len(values)), values, color=colour, ls=dash, label=name)
    ax.set_xlabel("epoch")
    if len(names) == 1:
        ax.set_ylabel(names[0])
    else:
        ax.legend()
    return ax


def _columns(history) -> dict[str, np.ndarray]:
    if isinstance(history, str | os.PathLike):
        try:
            with Path(history).open(newline="") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise InputError(f"expected a training log; received {history}: {error}") from error
        names = [name for name in (rows[0] if rows else {}) if name != "epoch"]
        return {name: np.array([_number(row[name]) for row in rows]) for name in names}
    columns = history if isinstance(history, Mapping) else getattr(history, "history", None)
    if not isinstance(columns, Mapping):
        raise InputError(
            "expected a History, its dict, or the path of a training log; received "
            f"{type(history).__name__}"
        )
    return {name: np.asarray(values, float) for name, values in columns.items()}


def _number(text) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")
