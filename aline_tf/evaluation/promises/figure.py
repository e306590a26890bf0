"""A promise's figure beside its bar: one row of the table, and the table as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aline_tf.errors import InputError
from aline_tf.runtime.atomic_files import atomic_path

#: Name of each promise -> what a session promises by it. The module of that name measures it.
PROMISES = {
    "missing": "answers that do not come leave the posterior of those that did",
    "known": "a parameter given as known moves the others as far as it should",
    "joint": "joint posteriors, not their marginals alone",
    "targets": "any prediction as the target",
    "length": "histories beyond the trained length",
    "pool": "pools of any size",
    "misfit": "a word when the answers are those of somebody else",
}

_Z95 = 1.959963984540054
_RESAMPLES, _STREAM = 200, 0x626F6F74


@dataclasses.dataclass(frozen=True)
class PromiseFigure:
    """One measured figure of a promise.

    Attributes:
        promise: name of the promise, a key of `aline_tf.evaluation.promises.PROMISES`.
        measured: what, in a few words.
        by: whose answers: "model" (the model alone), "refined" (corrected by the likelihood),
            "policy" or "random".
        figure: the number.
        low, high: the bar: the figure holds between them; None where that side is open.
        ci95: half-width of the 95% interval over runs; NaN where there is none.
        runs: how many simulated runs it was taken over.

    Example:
        >>> from aline_tf.evaluation.promises import PromiseFigure
        >>> row = PromiseFigure("known", "threshold: share", "model", 0.13, low=0.8)
        >>> row.bar, row.holds
        ('>= 0.8', False)
    """

    promise: str
    measured: str
    by: str
    figure: float
    low: float | None = None
    high: float | None = None
    ci95: float = math.nan
    runs: int = 0

    @property
    def bar(self) -> str:
        """The bar in words; "" where there is none."""
        if self.low is None:
            return "" if self.high is None else f"<= {self.high:g}"
        return f">= {self.low:g}" if self.high is None else f"{self.low:g} to {self.high:g}"

    @property
    def holds(self) -> bool | None:
        """Whether the figure is within its bar; None without a bar. A figure that could not be
        computed (NaN) is within none."""
        if self.low is None and self.high is None:
            return None
        least = -math.inf if self.low is None else self.low
        most = math.inf if self.high is None else self.high
        return bool(least <= self.figure <= most)

    def to_dict(self) -> dict[str, Any]:
        """The row with `bar` and `holds`, as JSON can hold it: NaN is null."""
        row = dataclasses.asdict(self) | {"bar": self.bar, "holds": self.holds}
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in row.items()
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> PromiseFigure:
        """The row that `to_dict` made."""
        found = {field.name: row[field.name] for field in dataclasses.fields(cls)}
        # A figure that could not be computed is null in JSON.
        absent = {name: math.nan for name in ("figure", "ci95") if found[name] is None}
        return cls(**found | absent)


def over_runs(statistic: Callable[..., float], *arrays: np.ndarray) -> tuple[float, float]:
    """A statistic of R runs and the half-width of its 95% interval, by resampling the runs.

    Args:
        statistic: of the arrays, to a number.
        *arrays: [R, ...] each.

    Returns:
        (figure, half-width); equal arrays give equal numbers.
    """
    figure, runs = float(statistic(*arrays)), len(arrays[0])
    if runs < 2:
        return figure, math.nan
    rng = np.random.default_rng(_STREAM)
    found = []
    for _ in range(_RESAMPLES):
        rows = rng.integers(runs, size=runs)
        with np.errstate(all="ignore"):
            found.append(float(statistic(*(array[rows] for array in arrays))))
    found = np.array(found)
    # A resample may be one that the statistic does not exist for.
    found = found[np.isfinite(found)]
    return figure, float(_Z95 * found.std()) if len(found) > 1 else math.nan


def format_table(figures: Sequence[PromiseFigure]) -> str:
    """A line for each figure: promise, what was measured, by whom, figure, bar, if it holds."""
    header = ("promise", "measured", "by", "figure", "bar", "holds", "runs")
    holds = {True: "yes", False: "no", None: "-"}
    body = [
        (
            row.promise, row.measured, row.by, _number(row), row.bar, holds[row.holds],
            str(row.runs),
        )
        for row in figures
    ]  # fmt: skip
    widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [header, ["-" * width for width in widths], *body]
    )


def verdict(figures: Iterable[PromiseFigure]) -> str:
    """How many figures hold, in one sentence."""
    judged = [row.holds for row in figures if row.holds is not None]
    return f"{sum(judged)} of {len(judged)} figures hold"


def write_json(path, header: Mapping[str, Any], figures: Iterable[PromiseFigure]) -> None:
    """Writes a table of promises, whole or not at all.

    Args:
        path: of the file.
        header: what the table is of, anything JSON can hold; "promises" is added to it.
        figures: its rows.
    """
    payload = dict(header) | {"promises": [row.to_dict() for row in figures]}
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(payload, indent=1) + "\n", encoding="utf-8")


def read_json(path) -> tuple[dict[str, Any], list[PromiseFigure]]:
    """The header and the rows that `write_json` wrote.

    Args:
        path: of the file.

    Raises:
        InputError: not such a file.
    """
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8"))
        rows = [PromiseFigure.from_dict(row) for row in payload.pop("promises")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"expected a table of promises; received {path} ({error!r})") from error
    return payload, rows


def _number(row) -> str:
    if not math.isfinite(row.figure):
        return "-"
    small = 0.0 < abs(row.figure) < 1e-3
    text = f"{row.figure:.1e}" if small else f"{row.figure:.3f}"
    return text if not math.isfinite(row.ci95) else f"{text} +- {row.ci95:.3f}"
