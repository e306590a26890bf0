"""What speed, and what a training budget buys, are held against: plain data, no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

#: Pool of the paper's joint step.
POOL = 200


@dataclasses.dataclass(frozen=True)
class Reference:
    """What a speed is held against; None where nothing is known.

    Attributes:
        bar: seconds that it may take at most, on `threads` threads.
        threads: of TensorFlow.
        cpu: whether the bar is on CPU seconds rather than on wall-clock time.
        memory: bytes that it may take at most.
        other: what the public PyTorch implementation takes, tuned, on a machine of the same class.
        other_memory: its bytes.
        paper: seconds published for one GPU.

    Example:
        >>> from aline_tf.evaluation.bars import Reference
        >>> Reference(bar=0.4).threads
        2
    """

    bar: float | None = None
    threads: int = 2
    cpu: bool = False
    memory: float | None = None
    other: float | None = None
    other_memory: float | None = None
    paper: float | None = None


@dataclasses.dataclass(frozen=True)
class Bar:
    """What a figure after a training budget is held against.

    Attributes:
        bar: asked for.
        aim: hoped for.
        other: that of the public PyTorch implementation at the same budget.
        larger_is_better: which way.

    Example:
        >>> from aline_tf.evaluation.bars import Bar
        >>> Bar(7.0, 7.5, 4.71, larger_is_better=True).met(7.2)
        True
    """

    bar: float
    aim: float
    other: float
    larger_is_better: bool = False

    def met(self, value: float) -> bool:
        """Whether a figure reaches the bar."""
        return value >= self.bar if self.larger_is_better else value <= self.bar


@dataclasses.dataclass(frozen=True)
class Deployment:
    """A task as it is met when it is deployed, whose speed is measured.

    Attributes:
        candidates: N of the pool.
        horizon: T of a run.
        predicts: whether the targets are predictions (the task's own number of them) rather than
            parameters.
        trains: whether the training steps are measured too; one deployment of a task does.
        references: by measure, what its speed is held against.

    Example:
        >>> from aline_tf.evaluation.bars import Deployment
        >>> Deployment(200, 30).trains
        True
    """

    candidates: int
    horizon: int
    predicts: bool = False
    trains: bool = True
    references: Mapping[str, Reference] = dataclasses.field(default_factory=dict)
