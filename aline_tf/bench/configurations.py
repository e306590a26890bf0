"""The paper's configurations, and what the time and memory of each are held against.

Plain data, no TensorFlow. Times are in seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from aline_tf.evaluation.bars import Deployment, Reference
from aline_tf.experiments.lookup import experiment_by_name
from aline_tf.tasks import registry

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


#: Tasks whose speed is measured when nobody names any, in the order of the table.
TASKS = tuple(name for name in registry.TASKS if experiment_by_name(name).deployments)

#: Episodes of the paper's joint step; its pool is `POOL`.
EPISODES = 200


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One task as it is met when it is deployed.

    Attributes:
        task: name.
        deployment: how.

    Example:
        >>> from aline_tf.bench.configurations import configurations
        >>> [found.deployment.candidates for found in configurations(["ces"])]
        [2000]
    """

    task: str
    deployment: Deployment


def configurations(tasks: Sequence[str]) -> list[Configuration]:
    """What is measured of these tasks, in the order of the table; one's own tasks come last.

    Args:
        tasks: names, or `package.module:ClassName` of one's own.
    """
    ordered = [name for name in TASKS if name in tasks]
    ordered += [name for name in dict.fromkeys(tasks) if name not in TASKS]
    return [
        Configuration(task, deployment)
        for task in ordered
        for deployment in experiment_by_name(task).deployments
    ]


def reference(task: str, candidates: int, measure: str) -> Reference:
    """What one figure is held against; a `Reference` of nothing where nothing is known."""
    for deployment in experiment_by_name(task).deployments:
        if deployment.candidates == candidates:
            return deployment.references.get(measure.removesuffix("_frozen"), Reference())
    return Reference()
