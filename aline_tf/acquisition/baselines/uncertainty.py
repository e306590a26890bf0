"""Uncertainty sampling on a model's own predictions ("ace-us")."""

from __future__ import annotations

import numpy as np

from aline_tf.acquisition.policies import Policy, masked_argmax
from aline_tf.batch_ops import narrow, outcomes_at
from aline_tf.errors import InputError
from aline_tf.models.protocol import SessionModel

#: Kinds of outcome that are measured on a scale; the others are told apart by their entropy.
_BY_SPREAD = ("continuous", "count")


class UncertaintySamplingPolicy(Policy):
    """The candidate whose outcome a model is least certain of.

    Candidates are given to the inference head as predictive targets; continuous outcomes and counts
    are compared by their predictive standard deviation, the others by their entropy. The selected
    targets do not enter, so parameters as targets change nothing.

    Args:
        model: an `ALINE` or `Frozen` model of a task with one kind of outcome; or a served one,
            whose summaries tell the order of continuous, count and binary outcomes.

    Raises:
        InputError: the task has several kinds of outcome, which have no common scale; or its kind
            has no order in a served model's summaries.

    Example:
        >>> import aline_tf
        >>> from aline_tf.acquisition import UncertaintySamplingPolicy
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> batch = empty_batch(SPEC.sizes | {"N": 5})
        >>> batch["candidate_mask"][:, 3] = True
        >>> UncertaintySamplingPolicy(model).choose(batch)
        array([3])
    """

    name = "ace-us"
    reads_targets = False

    def __init__(self, model: SessionModel):
        kinds = [channel.kind for channel in model.spec.outcomes]
        if len(kinds) != 1:
            raise InputError(
                f"expected a task with one outcome channel for {self.name}; received {len(kinds)}"
            )
        if hasattr(model, "outcome_prediction"):
            self._uncertainty = _compiled_uncertainty(model, kinds[0])
        elif kinds[0] in (*_BY_SPREAD, "binary"):
            # The standard deviation of a Bernoulli outcome rises and falls with its entropy.
            self._uncertainty = lambda batch: model.answer(batch)["target_sd"]
        else:
            raise InputError(
                f"expected a model in this process for {self.name} of {kinds[0]} outcomes; "
                f"received {model!r}"
            )

    def _choose(self, batch, mask):
        query = outcomes_at(batch, batch["candidate_design"])
        # The pool itself is not scored here.
        query = narrow(query | {"candidate_mask": mask}, slice(1))
        return masked_argmax(np.asarray(self._uncertainty(query)), mask)


def _compiled_uncertainty(model, kind):
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def uncertainty(batch):
        prediction = model.outcome_prediction(model(batch), batch)
        return prediction.mean_sd()[1] if kind in _BY_SPREAD else prediction.entropy()

    return uncertainty
