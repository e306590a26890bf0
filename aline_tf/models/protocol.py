"""What a session needs of a model: summaries of the posterior, predictions, and policy logits.

`ALINE`, `Frozen` and a model behind a server (`aline_tf.serving.RemoteModel`) satisfy it, so that
one `Session` serves all three. Nothing here imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from aline_tf.spec import TaskSpec

#: Levels of every `*_quantiles` of `SessionModel.answer`, and of the served outputs.
QUANTILE_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@runtime_checkable
class SessionModel(Protocol):
    """A model that answers about a Batch (see `aline_tf.batch` for its fields and letters).

    Attributes:
        spec: the task.

    Raises:
        TypeError: when called; a protocol describes objects and makes none.

    Example:
        >>> from aline_tf.models.protocol import SessionModel
        >>> isinstance("no model", SessionModel)
        False
    """

    spec: TaskSpec

    def answer(self, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Every summary of a Batch.

        Args:
            batch: whole, of numpy arrays or tensors; its context may be padded.

        Returns:
            dict of what `numpy.asarray` takes: theta_mean, theta_sd, theta_probability [B, P] and
            theta_quantiles [B, P, Q] of the parameters; target_mean, target_sd [B, M] and
            target_quantiles [B, M, Q] of the outcomes at `target_design`, all in natural units;
            candidate_logits [B, N].
        """
        ...

    def candidate_logits(self, batch: Mapping[str, Any]) -> Any:
        """The policy's scores alone: [B, N], very low where `candidate_mask` is False.

        Args:
            batch: as for `answer`.
        """
        ...
