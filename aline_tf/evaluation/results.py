"""Results of an evaluation: one long list, printed as a table, as JSON and as a pandas DataFrame.

    {"task": ..., "machine": ..., "seed": ..., "rows": [
        {"policy", "target", "step", "metric", "mean", "ci95", "n"}, ...]}

`ci95` is the half-width of the 95% interval of `mean` over `n` runs; `target` is the selected
parameters, comma-joined; `step` is the number of acquired data points. A value that does not exist
(a ratio whose denominator is zero, the interval of a figure that is no average) is null.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from aline_tf.evaluation.metrics import mean_and_ci95
from aline_tf.runtime.atomic_files import atomic_path


@dataclasses.dataclass(frozen=True)
class Result:
    """One measured figure.

    Attributes:
        policy: who chose; after a slash, who judged the choices, as in "learned/exact".
        target: comma-joined names of what is aimed at or judged.
        step: number of acquired data points.
        metric: name of the figure.
        mean: average over the runs, or the figure itself where it is no average.
        ci95: half-width of its 95% interval; NaN where there is none.
        n: runs.

    Example:
        >>> import numpy as np
        >>> from aline_tf.evaluation import Result
        >>> Result.of("random", "slope", 5, "rmse", np.array([0.5, 0.5])).mean
        0.5
    """

    policy: str
    target: str
    step: int
    metric: str
    mean: float
    ci95: float
    n: int

    @classmethod
    def of(cls, policy: str, target: str, step: int, metric: str, values: np.ndarray) -> Result:
        """The result that averages one value per run.

        Args:
            policy, target, step, metric: see the class.
            values: [n].
        """
        mean, ci95 = mean_and_ci95(values)
        return cls(policy, target, int(step), metric, mean, ci95, len(values))


def machine() -> str:
    """Processor, usable cores, memory and operating system, as one line."""
    processor = platform.processor() or platform.machine()
    memory = ""
    try:
        with open("/proc/cpuinfo") as lines:
            processor = next(
                line.split(":", 1)[1].strip() for line in lines if "model name" in line
            )
    except (OSError, StopIteration):
        pass
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = f", {total / 2**30:.0f} GiB"
        cores = len(os.sched_getaffinity(0))
    except (AttributeError, ValueError, OSError):
        cores = os.cpu_count() or 1
    return f"{processor}, {cores} cores{memory}, {platform.system()}"


def write_json(path: str | Path, task: str, seed: int, results: Iterable[Result]) -> None:
    """Writes the results, whole or not at all."""
    payload = {
        "task": task,
        "machine": machine(),
        "seed": seed,
        "rows": [
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in dataclasses.asdict(result).items()
            }
            for result in results
        ],
    }
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(payload, indent=1) + "\n")


def to_frame(results: Iterable[Result]):
    """The results as a pandas DataFrame: a row for each, in the same order."""
    import pandas as pd

    names = [field.name for field in dataclasses.fields(Result)]
    return pd.DataFrame([dataclasses.astuple(result) for result in results], columns=names)


def format_table(results: Sequence[Result]) -> str:
    """A table: one line for each policy, target and metric, one column for each step."""
    steps = sorted({result.step for result in results})
    lines: dict[tuple[str, str, str], dict[int, Result]] = {}
    for result in results:
        key = (result.target, result.metric, result.policy)
        lines.setdefault(key, {})[result.step] = result
    header = ["target", "metric", "policy", *(f"step {step}" for step in steps)]
    body = [
        [*key, *(_cell(cells[step]) if step in cells else "" for step in steps)]
        for key, cells in lines.items()
    ]
    # Equal targets and metrics stand together, in the order in which they were measured.
    order = {key[:2]: i for i, key in reversed(list(enumerate(lines)))}
    targets = {key[0]: i for i, key in reversed(list(enumerate(lines)))}
    body.sort(key=lambda cells: (targets[cells[0]], order[(cells[0], cells[1])]))
    widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [header, ["-" * width for width in widths], *body]
    )


def _cell(result: Result) -> str:
    if not math.isfinite(result.mean):
        return "-"
    if not math.isfinite(result.ci95):
        return f"{result.mean:.3f}"
    return f"{result.mean:.3f} +- {result.ci95:.3f}"
