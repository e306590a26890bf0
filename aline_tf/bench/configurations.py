"""The paper's configurations, and what the time and memory of each are held against.

Plain data, no TensorFlow. Times are in seconds.
"""

from __future__ import annotations

import dataclasses

#: What is measured, in the order of the table: name and what one unit of it is.
ACQUISITION = {
    "forward": "one compiled forward pass, batch 1, all answers",
    "forward_frozen": "the same pass of the frozen model, compiled by XLA for its shapes",
    "ask_tell": "one ask and tell of a session",
    "run": "a session from its first question to its last answer",
    "run_frozen": "the same session with the frozen model",
    "rollout": "the same run as one compiled loop",
}
TRAINING = {
    "joint_step": "joint training step, 200 episodes, 200 candidates offered at every step",
    "joint_step_every_state": "the same with a gradient through every state of every episode",
    "joint_step_shipped": "joint training step of the shipped recipe",
    "warmup_step": "warm-up step of the shipped recipe",
}
MEASURES = ACQUISITION | TRAINING


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One task as it is met when it is deployed.

    Attributes:
        task: name.
        candidates: N of the pool.
        horizon: T of a run.
        predicts: whether the targets are predictions (the task's own number of them) rather than
            parameters.
        trains: whether the training steps are measured too; one configuration of a task does.
    """

    task: str
    candidates: int
    horizon: int
    predicts: bool = False
    trains: bool = True


CONFIGURATIONS = (
    Configuration("psychometric", 200, 30),
    Configuration("location_finding", 2000, 30),
    Configuration("location_finding", 300, 30, trains=False),
    Configuration("location_finding", 200, 30, trains=False),
    Configuration("gp1d", 500, 30, predicts=True),
    Configuration("gp2d", 500, 50, predicts=True),
    Configuration("ces", 2000, 10),
)
TASKS = tuple(dict.fromkeys(configuration.task for configuration in CONFIGURATIONS))

#: Episodes and pool of the paper's joint step.
EPISODES, POOL = 200, 200


@dataclasses.dataclass(frozen=True)
class Reference:
    """What a figure is held against; None where nothing is known.

    Attributes:
        bar: seconds that it may take at most, on `threads` threads.
        cpu: whether the bar is on CPU seconds rather than on wall-clock time.
        memory: bytes that it may take at most.
        other: what the public PyTorch implementation takes, tuned, on a machine of the same class.
        other_memory: its bytes.
        paper: seconds published for one GPU.
    """

    bar: float | None = None
    threads: int = 2
    cpu: bool = False
    memory: float | None = None
    other: float | None = None
    other_memory: float | None = None
    paper: float | None = None


_NOTHING = Reference()
_REFERENCES = {
    ("location_finding", 2000, "forward"): Reference(bar=0.012, other=0.045),
    ("gp1d", 500, "forward"): Reference(bar=0.004, other=0.0078),
    ("gp2d", 500, "forward"): Reference(bar=0.004),
    ("psychometric", 200, "forward"): Reference(bar=0.0015, other=0.0031),
    ("psychometric", 200, "ask_tell"): Reference(paper=0.002),
    ("location_finding", 2000, "run"): Reference(bar=0.4, other=1.34, paper=0.03),
    ("ces", 2000, "run"): Reference(paper=0.04),
    ("gp1d", 500, "run"): Reference(paper=0.08),
    ("gp2d", 500, "run"): Reference(paper=0.19),
    ("location_finding", POOL, "joint_step"): Reference(
        bar=9.0, cpu=True, memory=3.5e9, other=28.0, other_memory=11e9
    ),
}


def reference(task: str, candidates: int, measure: str) -> Reference:
    """What one figure is held against; a `Reference` of nothing where nothing is known."""
    return _REFERENCES.get((task, candidates, measure.removesuffix("_frozen")), _NOTHING)
