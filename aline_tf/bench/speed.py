"""The benchmark of speed: its rows, and their table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from aline_tf.bench import isolation
from aline_tf.bench.configurations import (
    ACQUISITION,
    TRAINING,
    Configuration,
    configurations,
    reference,
)
from aline_tf.evaluation.bars import POOL

_RUNS, _STEPS = 5, 4


@dataclasses.dataclass(frozen=True)
class SpeedRow:
    """One figure: seconds and bytes, and what they are held against (None: nothing is known).

    Attributes:
        first: seconds of the first call, compilation included.
        wall, cpu: medians of the later calls.
        peak_bytes: of the process that measured it, TensorFlow itself included.
        bar, bar_bytes: what was asked for, on `bar_threads` threads; `cpu_bar` tells which of the
            two times it is about.
        other, other_bytes: of the public PyTorch implementation.
        paper: published, on one GPU.

    Example:
        >>> from aline_tf.bench.speed import SpeedRow
        >>> figures = dict(first=1.0, wall=0.1, cpu=0.2, calls=5, peak_bytes=10**9)
        >>> bars = dict(bar=0.4, bar_threads=2, cpu_bar=False, bar_bytes=None)
        >>> row = SpeedRow("ces", 2000, 10, "run", 2, **figures, **bars, other=None,
        ...                other_bytes=None, paper=None)
        >>> row.meets_bar
        True
    """

    task: str
    candidates: int
    horizon: int
    measure: str
    threads: int
    first: float
    wall: float
    cpu: float
    calls: int
    peak_bytes: int
    bar: float | None
    bar_threads: int
    cpu_bar: bool
    bar_bytes: float | None
    other: float | None
    other_bytes: float | None
    paper: float | None

    @property
    def meets_bar(self) -> bool | None:
        """Whether the bars are met; None without one, or measured on other threads."""
        if self.bar is None or self.threads != self.bar_threads:
            return None
        time = self.cpu if self.cpu_bar else self.wall
        return time <= self.bar and (self.bar_bytes is None or self.peak_bytes <= self.bar_bytes)


def measure_rows(
    tasks: Sequence[str],
    measures: Sequence[str],
    threads: Sequence[int],
    report: Callable[[str], None] = lambda line: None,
    runs: int = _RUNS,
    steps: int = _STEPS,
) -> Iterable[SpeedRow]:
    """One row after another, each from a process of its own.

    Args:
        tasks, measures, threads: which.
        report: called with a line before each measurement.
        runs: whole runs that an acquisition figure is the median of.
        steps: steps that a training figure is the median of.
    """
    for configuration in configurations(tasks):
        for measure in measures:
            if measure in TRAINING and not configuration.deployment.trains:
                continue
            for count in threads:
                report(f"{configuration.task}: {measure}, threads {count}")
                yield _row(configuration, measure, count, runs, steps)


def _row(configuration: Configuration, measure: str, threads: int, runs: int, steps: int):
    task, deployment = configuration.task, configuration.deployment
    horizon = deployment.horizon
    if measure in ACQUISITION:
        candidates = deployment.candidates
        sizes = {"candidates": candidates, "horizon": horizon, "predicts": deployment.predicts}
        found = isolation.measure(
            "acquisition", threads, measure=measure, task=task, runs=runs, **sizes
        )
    else:
        candidates = POOL
        found = isolation.measure("training", threads, measure=measure, task=task, steps=steps)
    against = reference(task, candidates, measure)
    figures = {name: found[name] for name in ("first", "wall", "cpu", "calls", "peak_bytes")}
    return SpeedRow(
        task,
        candidates,
        horizon,
        measure,
        threads,
        **figures,
        bar=against.bar,
        bar_threads=against.threads,
        cpu_bar=against.cpu,
        bar_bytes=against.memory,
        other=against.other,
        other_bytes=against.other_memory,
        paper=against.paper,
    )


def format_speed(rows: Sequence[SpeedRow]) -> str:
    """The rows as a table."""
    header = [
        "task", "N", "T", "measure", "threads", "median", "CPU", "first", "peak",
        "bar", "", "PyTorch", "paper",
    ]  # fmt: skip
    body = [
        [
            row.task,
            str(row.candidates),
            str(row.horizon),
            row.measure,
            str(row.threads),
            _time(row.wall),
            _time(row.cpu),
            _time(row.first),
            _memory(row.peak_bytes),
            _both(row.bar, row.bar_bytes, " CPU" if row.cpu_bar else ""),
            {True: "met", False: "missed", None: ""}[row.meets_bar],
            _both(row.other, row.other_bytes, " CPU" if row.cpu_bar else ""),
            _time(row.paper),
        ]
        for row in rows
    ]
    return aligned(header, body)


def aligned(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Lines of cells under a header, in columns."""
    widths = [max(len(line[i]) for line in [header, *body]) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [header, ["-" * width for width in widths], *body]
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{1e3 * seconds:.2f} ms" if seconds < 1.0 else f"{seconds:.2f} s"


def _memory(count: float | None) -> str:
    return "" if count is None else f"{count / 1e9:.2f} GB"


def _both(seconds, count, which) -> str:
    return ", ".join(filter(None, [_time(seconds) + which * (seconds is not None), _memory(count)]))
