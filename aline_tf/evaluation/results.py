"""The form in which every `aline-tf eval` reports: one long list of rows, printed and as JSON.

    {"task": ..., "machine": ..., "seed": ..., "rows": [
        {"policy", "target", "step", "metric", "mean", "ci95", "n"}, ...]}

`ci95` is the half-width of the 95% interval of `mean` over `n` runs; `target` is the wanted
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
class Row:
    """One measured figure."""

    policy: str
    target: str
    step: int
    metric: str
    mean: float
    ci95: float
    n: int

    @classmethod
    def of(cls, policy: str, target: str, step: int, metric: str, values: np.ndarray) -> Row:
        """The row that averages one value per run, `values` [n]."""
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


def write_json(path: str | Path, task: str, seed: int, rows: Iterable[Row]) -> None:
    """Writes the rows, whole or not at all."""
    payload = {
        "task": task,
        "machine": machine(),
        "seed": seed,
        "rows": [
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in dataclasses.asdict(row).items()
            }
            for row in rows
        ],
    }
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(payload, indent=1) + "\n")


def format_table(rows: Sequence[Row]) -> str:
    """A table: one line for each policy, target and metric, one column for each step."""
    steps = sorted({row.step for row in rows})
    lines: dict[tuple[str, str, str], dict[int, Row]] = {}
    for row in rows:
        lines.setdefault((row.target, row.metric, row.policy), {})[row.step] = row
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


def _cell(row: Row) -> str:
    if not math.isfinite(row.mean):
        return "-"
    if not math.isfinite(row.ci95):
        return f"{row.mean:.3f}"
    return f"{row.mean:.3f} +- {row.ci95:.3f}"
