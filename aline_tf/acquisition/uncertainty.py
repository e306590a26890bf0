"""Uncertainty sampling on the network's own predictions ("ace-us")."""

from __future__ import annotations

from aline_tf.acquisition.policies import Policy, masked_argmax
from aline_tf.errors import InputError


class NetworkUncertaintyPolicy(Policy):
    """The candidate whose outcome an ALINE model is least certain of.

    Candidates are given to the inference head as predictive targets; continuous outcomes are
    compared by their predictive standard deviation, binary and ordered ones by their entropy.
    What is wanted does not enter, so parameters as targets change nothing.

    Args:
        model: a built model of a task with one kind of outcome.

    Raises:
        InputError: the task has several kinds of outcome, which have no common scale.
    """

    name = "ace-us"
    reads_targets = False

    def __init__(self, model):
        import tensorflow as tf

        kinds = [channel.kind for channel in model.spec.outcomes]
        if len(kinds) != 1:
            raise InputError(
                f"expected a task with one outcome channel for {self.name}; received {len(kinds)}"
            )

        @tf.function(reduce_retracing=True)
        def uncertainty(batch):
            prediction = model.outcome_prediction(model(batch), batch)
            return prediction.mean_sd()[1] if kinds[0] == "continuous" else prediction.entropy()

        self._uncertainty = uncertainty

    def _choose(self, batch, mask):
        asked = dict(batch)
        asked["target_design"] = asked["candidate_design"]
        asked["target_mask"] = mask & False
        # The pool itself is not scored here.
        asked["candidate_design"] = asked["candidate_design"][:, :1]
        asked["candidate_mask"] = mask[:, :1]
        return masked_argmax(self._uncertainty(asked).numpy(), mask)
