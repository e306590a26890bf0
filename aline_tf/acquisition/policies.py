"""Acquisition policies: which candidate to acquire next, given what is known and selected.

A policy reads a Batch (see `aline_tf.batch`) and answers one index per row. It may read the
context, the pool and the selected targets, never the true parameters. All policies share the one
method, so an evaluation, a session and a server can hold any of them.

Batch entries may be numpy arrays or tensors; a policy converts what it reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from aline_tf.errors import InputError
from aline_tf.models.protocol import SessionModel
from aline_tf.spec import TaskSpec
from aline_tf.units.rescaling import TrainingRange

# Keeps the random policy's draws apart from those of whoever else uses the same seed.
_RANDOM_STREAM = 0x52414E44


class Policy(ABC):
    """Chooses the next design from a pool, for many rows at once.

    `choose` checks the pool; a subclass implements `_choose`.

    Attributes:
        name: as in tables and on the command line.
        reads_targets: whether the selected targets can change its choices.
        reads_known: whether it heeds parameters that are given as known.
        spec: the one task that it serves; None for any.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import Policy
        >>> class First(Policy):
        ...     name = "first"
        ...     def _choose(self, batch, mask):
        ...         return np.argmax(mask, axis=1)
        >>> pool = {"candidate_design": np.zeros((1, 3, 1)),
        ...         "candidate_mask": np.array([[False, True, True]])}
        >>> First().choose(pool)
        array([1])
    """

    name: str = "policy"
    reads_targets: bool = True
    reads_known: bool = True
    spec: TaskSpec | None = None

    def choose(self, batch: Mapping[str, Any]) -> np.ndarray:
        """Index of the candidate to acquire next.

        Args:
            batch: a Batch of B rows with `candidate_design` [B, N, D] and `candidate_mask` [B, N].

        Returns:
            Indices [B], int64, each an allowed candidate of its row.

        Raises:
            InputError: a row has no candidate left.
        """
        mask = np.asarray(batch["candidate_mask"], bool)
        empty = np.flatnonzero(~mask.any(axis=1))
        if empty.size:
            raise InputError(
                f"expected at least one allowed candidate in every row; received none in row "
                f"{empty[0]}"
            )
        return np.asarray(self._choose(batch, mask), np.int64)

    def logits(self, batch: Mapping[str, Any]) -> np.ndarray | None:
        """Log-probabilities of the candidates up to a constant, or None: it has none.

        Args:
            batch: as for `choose`.

        Returns:
            [B, N], float; what stands at candidates that are not allowed means nothing.
        """
        return None

    @abstractmethod
    def _choose(self, batch: Mapping[str, Any], mask: np.ndarray) -> np.ndarray:
        """Indices [B]; `mask` [B, N] is the pool as numpy, with at least one True in each row."""


def masked_argmax(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The best allowed candidate of each row.

    Args:
        scores: [B, N].
        mask: [B, N] bool, False where a candidate may not be chosen.

    Returns:
        Index [B] of the largest score among the allowed; the first of equals.
    """
    return np.argmax(np.where(mask, scores, -np.inf), axis=1)


class RandomPolicy(Policy):
    """A uniform draw from the pool.

    The draw depends on the seed and on the size of the context, not on earlier calls, so that equal
    states get equal choices.

    Args:
        seed: of the draws.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import RandomPolicy
        >>> batch = {"context_mask": np.zeros((2, 0), bool), "candidate_mask": np.eye(2) > 0}
        >>> RandomPolicy(seed=1).choose(batch)
        array([0, 1])
    """

    name = "random"
    reads_targets = False

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _choose(self, batch, mask):
        step = int(np.asarray(batch["context_mask"], bool).sum())
        rng = np.random.default_rng([self.seed, step, _RANDOM_STREAM])
        return masked_argmax(rng.random(mask.shape), mask)


class LearnedPolicy(Policy):
    """The policy head of an ALINE model: the candidate with the highest score; a big pool is
    scored in parts.

    Args:
        model: an `ALINE` model, a `Frozen` one or a served one (a `SessionModel`).

    Example:
        >>> import aline_tf
        >>> from aline_tf.acquisition import LearnedPolicy
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> batch = empty_batch(SPEC.sizes | {"N": 5})
        >>> batch["candidate_mask"][:, 3] = True
        >>> LearnedPolicy(model).choose(batch)
        array([3])
    """

    name = "learned"

    def __init__(self, model: SessionModel):
        self.model = model

    def logits(self, batch):
        return np.asarray(self.model.candidate_logits(batch))

    def _choose(self, batch, mask):
        return masked_argmax(self.logits(batch), mask)


class RescaledPolicy(Policy):
    """A policy of the model, asked within its training range.

    Args:
        policy: the policy.
        training_range: shared with whoever else maps the same batches.

    Example:
        >>> from aline_tf.acquisition import RandomPolicy, RescaledPolicy
        >>> from aline_tf.units import TrainingRange
        >>> from aline_tf.batch import empty_batch
        >>> batch = empty_batch({"D": 1, "F": 1, "P": 0, "N": 3})
        >>> batch["candidate_mask"][0, 2] = True
        >>> RescaledPolicy(RandomPolicy(), TrainingRange()).choose(batch)
        array([2])
    """

    def __init__(self, policy: Policy, training_range: TrainingRange):
        self.name = policy.name
        self.reads_targets, self.spec = policy.reads_targets, policy.spec
        self.reads_known = policy.reads_known
        self._policy, self._range = policy, training_range

    def logits(self, batch):
        return self._policy.logits(self._range.rescaling(batch).to_model(batch))

    def _choose(self, batch, mask):
        return self._policy.choose(self._range.rescaling(batch).to_model(batch))


#: Policies that need a name alone, or the model beside it: where each is found.
POLICIES = {
    "learned": ("policies", "LearnedPolicy", True),
    "random": ("policies", "RandomPolicy", False),
    "gp-rs": ("baselines.gp_policies", "GPRandomPolicy", False),
    "gp-us": ("baselines.gp_policies", "GPUncertaintyPolicy", False),
    "gp-vr": ("baselines.gp_policies", "GPVarianceReductionPolicy", False),
    "gp-epig": ("baselines.gp_policies", "GPInformationPolicy", False),
    "ace-us": ("baselines.uncertainty", "UncertaintySamplingPolicy", True),
}


def policy_by_name(name: str, model: SessionModel) -> Policy:
    """A policy with its default settings.

    Args:
        name: one of `POLICIES`.
        model: for the policies that read one.

    Raises:
        InputError: another name, or a policy that does not fit the model's task.
    """
    if name not in POLICIES:
        raise InputError(
            f"expected a policy of {', '.join(POLICIES)}, or a Policy object; received {name!r}"
        )
    module, title, reads_model = POLICIES[name]
    try:
        policy = getattr(import_module(f"aline_tf.acquisition.{module}"), title)
    except ModuleNotFoundError as error:
        raise InputError(
            f"expected a policy of what is installed; received {name!r}, which needs {error.name}"
        ) from error
    return policy(model) if reads_model else policy()
