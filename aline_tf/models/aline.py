"""ALINE: one transformer neural process, two answers in one forward pass.

    q(theta_p | D), p(y* | x*, D)      what is believed, with uncertainty
    pi(x | D, targets)                 what to acquire next, for whichever targets are selected

Source: Huang et al., "ALINE", NeurIPS 2025 (arXiv 2506.07259). The policy reads the tokens of
the selected targets; the selection is part of the input and may change at any step.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS
from aline_tf.models import posterior, predictive
from aline_tf.models.embedder import Embedder
from aline_tf.models.encoder import EncoderLayer
from aline_tf.models.layers import MLP
from aline_tf.tasks.base import TaskSpec

_EXCLUDED = -1e9


@keras.saving.register_keras_serializable("aline_tf")
class ALINE(keras.Model):
    """The network of a task.

    Args:
        spec: the task it is built for (a `TaskSpec` or its dict).
        width: E, the width of a token.
        depth: number of encoder layers.
        heads: attention heads; divides `width`.
        hidden: width of every hidden layer.
        components: K, mixture components of every head.

    `model(batch)` takes the dict of `aline_tf.batch` (any B, C, M, N) and returns raw tensors:

        theta_raw        [B, P, H]    parameter posteriors, see `theta_posterior`
        target_raw       [B, M, H']   predictions, see `outcome_prediction`
        candidate_logits [B, N]       policy scores; a masked candidate scores -1e9
    """

    def __init__(self, spec, width=32, depth=3, heads=4, hidden=128, components=10, **kwargs):
        # Inputs are in natural units: half precision would not hold them before they are scaled.
        super().__init__(autocast=False, **kwargs)
        self.spec = spec if isinstance(spec, TaskSpec) else TaskSpec.from_dict(spec)
        self.width = width
        self.depth = depth
        self.heads = heads
        self.hidden = hidden
        self.components = components
        policy = self.dtype_policy
        self.embedder = Embedder(self.spec, width, hidden, dtype=policy)
        self.encoder = [EncoderLayer(width, heads, hidden, dtype=policy) for _ in range(depth)]
        self.inference_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        self.policy_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        constant = _ConstantVector
        self.theta_head = MLP(
            posterior.raw_size(components),
            hidden,
            output_bias=constant(posterior.raw_bias(components)),
            dtype=policy,
        )
        self.target_head = MLP(
            predictive.raw_size(self.spec.outcomes, components),
            hidden,
            output_bias=constant(predictive.raw_bias(self.spec.outcomes, components)),
            dtype=policy,
        )
        self.policy_head = MLP(1, hidden, dtype=policy)
        # Compiled once for the model, however many sessions ask it.
        self.answer = tf.function(self._answer, autograph=False, reduce_retracing=True)

    def build(self, input_shape=None):
        self.embedder.build()
        for layer in self.encoder:
            layer.build()
        shape = (None, None, self.width)
        for layer in (
            self.inference_norm,
            self.policy_norm,
            self.theta_head,
            self.target_head,
            self.policy_head,
        ):
            layer.build(shape)
        self.built = True

    def call(self, batch):
        context, visible, targets, candidates = self.embedder(
            {name: batch[name] for name in BATCH_FIELDS}
        )
        selected = tf.concat([batch["theta_mask"], batch["target_mask"]], axis=1)
        for layer in self.encoder:
            context, targets, candidates = layer(context, visible, targets, selected, candidates)
        targets = self.inference_norm(targets)
        parameters = len(self.spec.parameters)
        logits = self.policy_head(self.policy_norm(candidates))[..., 0]
        return {
            "theta_raw": tf.cast(self.theta_head(targets[:, :parameters]), tf.float32),
            "target_raw": tf.cast(self.target_head(targets[:, parameters:]), tf.float32),
            "candidate_logits": tf.where(
                batch["candidate_mask"], tf.cast(logits, tf.float32), _EXCLUDED
            ),
        }

    def theta_posterior(self, outputs) -> posterior.ThetaPosterior:
        """Parameter marginals of the outputs of one call."""
        return posterior.ThetaPosterior(self.spec.parameters, outputs["theta_raw"], self.components)

    def outcome_prediction(self, outputs, batch) -> predictive.OutcomePrediction:
        """Predictive distributions of the outputs of one call on `batch`."""
        return predictive.OutcomePrediction(
            self.spec.outcomes, outputs["target_raw"], batch["target_design"], self.components
        )

    def theta_log_prob(self, outputs, theta) -> tf.Tensor:
        """log q(theta_p | D), marginal by marginal: [B, P]."""
        return self.theta_posterior(outputs).log_prob(theta)

    def target_log_prob(self, outputs, batch, outcome) -> tf.Tensor:
        """log p(y* | x*, D) of outcomes [B, M]: [B, M]."""
        return self.outcome_prediction(outputs, batch).log_prob(outcome)

    def theta_summary(self, outputs) -> dict[str, tf.Tensor]:
        """mean, sd, probability [B, P] and quantiles [B, P, Q] of each parameter."""
        beliefs = self.theta_posterior(outputs)
        mean, sd = beliefs.mean_sd()
        return {
            "mean": mean,
            "sd": sd,
            "probability": beliefs.probability(),
            "quantiles": beliefs.quantiles(),
        }

    def target_summary(self, outputs, batch) -> dict[str, tf.Tensor]:
        """mean, sd [B, M] and quantiles [B, M, Q] of each prediction; the mean of a binary
        outcome is its probability."""
        prediction = self.outcome_prediction(outputs, batch)
        mean, sd = prediction.mean_sd()
        return {"mean": mean, "sd": sd, "quantiles": prediction.quantiles()}

    def _answer(self, batch) -> dict[str, tf.Tensor]:
        """All summaries of a batch in one compiled pass, called as `model.answer(batch)`:
        candidate_logits, and those of `theta_summary` and `target_summary` as theta_* and
        target_*."""
        outputs = self(batch)
        theta, target = self.theta_summary(outputs), self.target_summary(outputs, batch)
        return (
            {"candidate_logits": outputs["candidate_logits"]}
            | {f"theta_{name}": value for name, value in theta.items()}
            | {f"target_{name}": value for name, value in target.items()}
        )

    def theta_distributions(self, outputs) -> list:
        """One tfp distribution of batch shape [B] per parameter."""
        return self.theta_posterior(outputs).distributions()

    def get_config(self):
        return super().get_config() | {
            "spec": self.spec.to_dict(),
            "width": self.width,
            "depth": self.depth,
            "heads": self.heads,
            "hidden": self.hidden,
            "components": self.components,
        }


@keras.saving.register_keras_serializable("aline_tf")
class _ConstantVector(keras.initializers.Initializer):
    """Initialises a bias vector with the given values."""

    def __init__(self, values):
        self.values = list(values)

    def __call__(self, shape, dtype=None, **kwargs):
        return tf.constant(self.values, dtype or "float32", shape=shape)

    def get_config(self):
        return {"values": self.values}
