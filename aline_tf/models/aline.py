"""ALINE: one transformer neural process, two answers in one forward pass.

    q(theta_p | D), p(y* | x*, D)      what is believed, with uncertainty
    pi(x | D, targets)                 what to acquire next, for whichever targets are selected

Source: Huang et al., "ALINE", NeurIPS 2025 (arXiv 2506.07259). The policy reads the tokens of
the selected targets; the selection is part of the input and may change at any step.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from aline_tf.batch import BATCH_FIELDS, OBSERVED
from aline_tf.models import old_names
from aline_tf.models.compiled import candidate_scores
from aline_tf.models.distributions import mixtures
from aline_tf.models.distributions import outcome_prediction as predictive
from aline_tf.models.distributions import theta_posterior as posterior
from aline_tf.models.layers.dense import MLP, LayerNormalization
from aline_tf.models.layers.embedder import Embedder
from aline_tf.models.layers.encoder_layer import EncoderLayer
from aline_tf.models.layers.gaussian_process_mixture import GaussianProcessMixture, Observations
from aline_tf.models.layers.history_summary import HistorySummary
from aline_tf.models.layers.kernel_smoother import KernelSmoother
from aline_tf.models.layers.location_frame import LocationFrame
from aline_tf.models.layers.posterior_distance import PosteriorDistance
from aline_tf.models.layers.relative_position_bias import RelativePositionBias
from aline_tf.spec import TaskSpec
from aline_tf.tasks.feature_maps import history_map

_EXCLUDED = -1e9


@keras.saving.register_keras_serializable("aline_tf")
class ALINE(keras.Model):
    """The network of a task.

    Args:
        spec: the task it is built for (a `TaskSpec` or its dict).
        hidden_dim: E, the width of a token.
        num_layers: number of encoder layers.
        num_heads: attention heads; divides `hidden_dim`.
        intermediate_dim: width of every hidden layer.
        components: K, mixture components of every head.
        relative_position_dim: R, the width of what tokens see of each other's relative positions
            (see `relative_position_bias`); 0 leaves designs to their embeddings, for designs that
            are no places. With it, parameters that are positions on a design axis get a frame of
            their own (`location_frame`) and candidates are seen from the posterior about them
            (`posterior_distance`).
        num_processes: G, Gaussian processes in whose frame predictions are said (see
            `gaussian_process_mixture`), for tasks with one continuous outcome; 0 leaves
            predictions to the encoder alone.

    `model(batch)` takes the dict of `aline_tf.batch` (any B, C, M, N) and returns raw tensors:

        theta_raw        [B, P, H]    parameter posteriors, see `theta_posterior`
        target_raw       [B, M, H']   predictions, see `outcome_prediction`
        candidate_logits [B, N]       policy scores; a masked candidate scores -1e9
    """

    @old_names.accepts_old_names
    def __init__(
        self,
        spec,
        hidden_dim=32,
        num_layers=3,
        num_heads=4,
        intermediate_dim=128,
        components=10,
        relative_position_dim=0,
        num_processes=0,
        **kwargs,
    ):
        # Inputs are in natural units: half precision would not hold them before they are scaled.
        super().__init__(autocast=False, **kwargs)
        self.spec = spec if isinstance(spec, TaskSpec) else TaskSpec.from_dict(spec)
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.components = components
        self.relative_position_dim = relative_position_dim
        self.num_processes = num_processes
        policy = self.dtype_policy
        self.embedder = Embedder(self.spec, hidden_dim, intermediate_dim, dtype=policy)
        self.encoder = [
            EncoderLayer(hidden_dim, num_heads, intermediate_dim, dtype=policy)
            for _ in range(num_layers)
        ]
        self.inference_norm = LayerNormalization(dtype=policy)
        self.policy_norm = LayerNormalization(dtype=policy)
        constant = _ConstantVector
        self.theta_head = MLP(
            posterior.raw_size(components),
            intermediate_dim,
            output_bias=constant(posterior.raw_bias(components)),
            dtype=policy,
        )
        self.target_head = MLP(
            predictive.raw_size(self.spec.outcomes, components),
            intermediate_dim,
            output_bias=constant(predictive.raw_bias(self.spec.outcomes, components)),
            dtype=policy,
        )
        self.policy_head = MLP(1, intermediate_dim, dtype=policy)
        #: Parameters that are positions on a design axis, and looked for there.
        self.location_parameters = [
            p
            for p, parameter in enumerate(self.spec.parameters)
            if relative_position_dim and parameter.axis is not None
        ]
        kinds = [channel.kind for channel in (*self.spec.fields, *self.spec.outcomes)]
        #: Predictions of what is measured are said as corrections of what was measured nearby.
        continuous = kinds == ["continuous", "continuous"]
        self.interpolates = bool(relative_position_dim) and continuous and not num_processes
        dims = self.spec.sizes["D"]
        if num_processes and not continuous:
            raise ValueError(
                "Expected num_processes=0 for a task that has not one continuous outcome. "
                f"Received: num_processes={num_processes}, outcomes of kind {kinds}"
            )
        self.day_map = history_map(self.spec.features)
        if self.day_map:
            parameters = len(self.spec.parameters)
            self.digest = HistorySummary(
                hidden_dim,
                self.day_map.size,
                parameters,
                intermediate_dim=intermediate_dim,
                dtype=policy,
            )
        if num_processes:
            self.kriging = GaussianProcessMixture(hidden_dim, dims, num_processes, dtype=policy)
        if relative_position_dim:
            num_biases = (num_layers + self.interpolates) * num_heads
            self.relations = RelativePositionBias(
                hidden_dim, dims, relative_position_dim, num_biases, dtype=policy
            )
        if self.interpolates:
            self.anchor = KernelSmoother(hidden_dim, num_heads, dtype=policy)
        if self.location_parameters:
            self.focus = LocationFrame(
                hidden_dim,
                dims,
                2 * relative_position_dim,
                intermediate_dim=intermediate_dim,
                dtype=policy,
            )
            self.bearing = PosteriorDistance(
                hidden_dim, len(self.location_parameters), dtype=policy
            )
        # Compiled once for the model, however many sessions ask it.
        self.answer = tf.function(self._answer, autograph=False, reduce_retracing=True)

    def build(self, input_shape=None):
        self.embedder.build()
        for layer in self.encoder:
            layer.build()
        shape = (None, None, self.hidden_dim)
        for layer in (
            self.inference_norm,
            self.policy_norm,
            self.theta_head,
            self.target_head,
            self.policy_head,
        ):
            layer.build(shape)
        if self.relative_position_dim:
            self.relations.build()
        if self.interpolates:
            self.anchor.build()
        if self.location_parameters:
            self.focus.build()
            self.bearing.build()
        if self.num_processes:
            self.kriging.build()
        if self.day_map:
            self.digest.build()
        self.built = True

    def call(self, batch):
        batch = {name: batch[name] for name in BATCH_FIELDS}
        context, visible, targets, candidates = self.embedder(batch)
        if self.day_map:
            context, targets, candidates = self._digested(batch, context, targets, candidates)
        selected = tf.concat([batch["theta_mask"], batch["target_mask"]], axis=1)
        biases, levels = [(None, None)] * self.num_layers, [None] * self.num_layers
        if self.relative_position_dim:
            position, placed = self.embedder.context_positions(batch)
            (targets, candidates), biases, levels = self._relate(
                batch, context, targets, candidates, position, placed
            )
        for layer, bias, level in zip(self.encoder, biases, levels, strict=False):
            context, targets, candidates = layer(
                context, visible, targets, selected, candidates, bias, level
            )
        count = len(self.spec.parameters)
        theta, targets = targets[:, :count], targets[:, count:]
        frame = None
        if self.num_processes:
            theta, targets, candidates, frame = self._kriged(
                batch, context[:, 0], theta, targets, candidates
            )
        if self.location_parameters:
            theta, center, width = self.focus(theta, context, position, visible, placed)
        theta_raw = tf.cast(self.theta_head(self.inference_norm(theta)), tf.float32)
        if self.location_parameters:
            theta_raw = self._in_frames(theta_raw, center, width)
            candidates = self._with_bearing(candidates, theta_raw, batch)
        target_raw = self._predictions(batch, targets, context, biases[-1][0], frame)
        logits = self.policy_head(self.policy_norm(candidates))[..., 0]
        return {
            "theta_raw": theta_raw,
            "target_raw": target_raw,
            "candidate_logits": tf.where(
                batch["candidate_mask"], tf.cast(logits, tf.float32), _EXCLUDED
            ),
        }

    def _digested(self, batch, context, targets, candidates):
        """The three streams, told what the history adds up to."""
        names = ("design", "outcome", "status", "mask")
        days = self.day_map.days(*(batch[f"context_{name}"] for name in names))
        of_theta, of_targets, of_candidates, of_tokens = self.digest(*days)
        count = len(self.spec.parameters)
        context += tf.pad(of_tokens, [[0, 0], [1 + count, 0], [0, 0]])
        theta, targets = targets[:, :count] + of_theta, targets[:, count:] + of_targets
        return context, tf.concat([theta, targets], axis=1), candidates + of_candidates

    def _predictions(self, batch, targets, context, bias, frame):
        """Raw outputs [B, M, H] of the predictive targets' tokens [B, M, E]."""
        if targets.shape[1] == 0:
            size = predictive.raw_size(self.spec.outcomes, self.components)
            return tf.zeros([tf.shape(targets)[0], 0, size])
        targets = self.inference_norm(targets)
        target_raw = tf.cast(self.target_head(targets), tf.float32)
        if self.interpolates:
            bias = bias[:, :, len(self.spec.parameters) :]
            target_raw = self._anchored(target_raw, targets, context, batch, bias)
        if self.num_processes:
            target_raw = self._framed(target_raw, *frame)
        return target_raw

    def _relate(self, batch, context, targets, candidates, position, placed):
        """Targets and candidates with what they see by position; their attention biases, a pair for
        each layer (one more where predictions are anchored); and the levels of the latter."""
        parameters = len(self.spec.parameters)
        inputs = tf.pad(
            self.embedder.scale_design(batch["target_design"]), [[0, 0], [parameters, 0], [0, 0]]
        )
        stands = tf.range(tf.shape(targets)[1])[None] >= parameters
        message, *told = self.relations(targets, inputs, context, position, stands, placed)
        targets, layers = targets + message, self.num_layers + self.interpolates
        of_targets = tf.split(told[0], layers)
        if candidates.shape[1] == 0:
            pairs = [(bias, None) for bias in of_targets]
            return (targets, candidates), pairs, [None] * self.num_layers
        # Targets are met by what they are, not by where they stand. They have columns all the
        # same, so that the biases fit the scores without a copy.
        behind = [[0, 0], [0, tf.shape(targets)[1]]]
        message, bias, level = self.relations(
            candidates,
            self._pool_positions(batch),
            tf.pad(context, [*behind, [0, 0]]),
            tf.pad(position, [*behind, [0, 0]]),
            tf.ones([1, 1], tf.bool),
            tf.pad(placed, behind),
            # Anchors are of predictions alone.
            first=self.num_layers * self.num_heads,
        )
        of_candidates = [*tf.split(bias, self.num_layers), *[None] * self.interpolates]
        pairs = list(zip(of_targets, of_candidates, strict=True))
        return (targets, candidates + message), pairs, tf.split(level, self.num_layers)

    def _pool_positions(self, batch):
        """Where candidates stand, scaled to [-1, 1]: [B, N, D]; padding in the middle."""
        pool = self.embedder.scale_design(batch["candidate_design"])
        return tf.where(batch["candidate_mask"][..., None], pool, 0.0)

    def _anchored(self, target_raw, targets, context, batch, bias):
        """Raw outputs [B, M, H] of predictions, said from their anchors, in the usual words."""
        observed, value = self._observed(batch)
        known = [[0, 0], [len(self.spec.parameters), 0]]
        first = [[0, 0], [1, 0]]
        readable = tf.pad(tf.pad(observed, known), first, constant_values=True)
        value = tf.pad(tf.pad(value, known), first)
        return self._framed(target_raw, *self.anchor(targets, context, value, readable, bias))

    def _kriged(self, batch, summary, theta, targets, candidates):
        """The three kinds of tokens with what the Gaussian processes say of them, and the frame
        (centre, width) of every prediction."""
        observed, value = self._observed(batch)
        position = self.embedder.scale_design(batch["context_design"])
        position = tf.where(observed[..., None], position, 0.0)
        observations = Observations(position, value, tf.cast(observed, tf.float32))
        members = self.kriging.weigh(summary, observations)
        place = self.embedder.scale_design(batch["target_design"])
        *frame, told = self.kriging.predict(members, observations, place)
        if self.spec.parameters:
            theta += self.kriging.hyperparameters(members)
        if candidates.shape[1] != 0:
            candidates += self.kriging.prospects(
                members, observations, self._pool_positions(batch), place, batch["target_mask"]
            )
        return theta, targets + told, candidates, frame

    def _observed(self, batch):
        """Which observations there are, bool [B, C], and their standardised values, 0 elsewhere."""
        channel = self.spec.fields[0]
        observed = batch["context_mask"] & tf.equal(batch["context_status"][..., 0], OBSERVED)
        value = (batch["context_outcome"][..., 0] - channel.loc) / channel.scale
        return observed, tf.math.multiply_no_nan(value, tf.cast(observed, tf.float32))

    def _framed(self, target_raw, center, width):
        """Raw outputs [B, M, H] of predictions, said in a frame, in the usual words."""
        cut = 3 * self.components
        framed = mixtures.from_anchor(target_raw[..., :cut], self.components, center, width)
        return tf.concat([framed, target_raw[..., cut:]], axis=-1)

    def _axis(self, p):
        """Bounds of the design axis on which parameter p is a position, of its own unit interval:
        unit = offset + slope * (design scaled to [-1, 1])."""
        parameter = self.spec.parameters[p]
        low = self.spec.design_low[parameter.axis]
        half = 0.5 * (self.spec.design_high[parameter.axis] - low)
        span = parameter.high - parameter.low
        return (low + half - parameter.low) / span, half / span

    def _in_frames(self, theta_raw, center, width):
        """Raw outputs [B, P, H] of places, said in their frames, in the words of the others."""
        columns = tf.unstack(theta_raw, num=len(self.spec.parameters), axis=1)
        for p in self.location_parameters:
            offset, slope = self._axis(p)
            middle = offset + slope * center[:, p, self.spec.parameters[p].axis, None]
            mixture = columns[p][:, : 3 * self.components]
            framed = mixtures.in_frame(mixture, self.components, middle, slope * width[:, p])
            columns[p] = tf.concat([framed, columns[p][:, 3 * self.components :]], axis=-1)
        return tf.stack(columns, axis=1)

    def _with_bearing(self, candidates, theta_raw, batch):
        """Candidate tokens that show where each stands from the belief about places."""
        mean, sd = self._believed_places(theta_raw)
        return self.bearing(candidates, self._on_place_axes(self._pool_positions(batch)), mean, sd)

    def _on_place_axes(self, position):
        """Positions [B, N, D] on the axis of each of the A places: [B, N, A]."""
        axes = [self.spec.parameters[p].axis for p in self.location_parameters]
        return tf.gather(position, axes, axis=2)

    def _believed_places(self, theta_raw):
        """Mean and spread of q about each of the A places, in designs scaled to [-1, 1]: two
        [B, A], without gradient."""
        places = tuple(self.spec.parameters[p] for p in self.location_parameters)
        raw = tf.stop_gradient(tf.gather(theta_raw, self.location_parameters, axis=1))
        mean, sd = posterior.ThetaPosterior(places, raw, self.components).mean_sd()
        low = tf.constant([place.low for place in places])
        span = tf.constant([place.high for place in places]) - low
        offset, slope = (
            tf.constant(part)
            for part in zip(*map(self._axis, self.location_parameters), strict=True)
        )
        return ((mean - low) / span - offset) / slope, sd / span / slope

    def distance_from_posterior(self, outputs, batch) -> tf.Tensor:
        """Squared distance [B, N] of every candidate of `batch` from where q, in the outputs of
        one call, believes the places to be, all of them together; in designs scaled to [-1, 1].
        The network must have `location_parameters`."""
        mean, _ = self._believed_places(outputs["theta_raw"])
        away = self._on_place_axes(self._pool_positions(batch)) - mean[:, None]
        return tf.reduce_sum(tf.square(away), axis=-1)

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

    def candidate_logits(self, batch) -> np.ndarray:
        """The policy's scores alone: [B, N] of a Batch of arrays or tensors of any sizes, compiled
        once; a big pool is scored in parts."""
        return candidate_scores(self)(batch)

    def theta_distributions(self, outputs) -> list:
        """One tfp distribution of batch shape [B] per parameter."""
        return self.theta_posterior(outputs).distributions()

    def load_weights(self, filepath, **kwargs):
        """As of any Keras model; files of version 0.1 too."""
        with old_names.todays_weights(filepath) as path:
            super().load_weights(path, **kwargs)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        # A file is no code that somebody should change: old names in it are read without a word.
        return cls(**old_names.renamed(config))

    def get_config(self):
        return super().get_config() | {
            "spec": self.spec.to_dict(),
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "components": self.components,
            "relative_position_dim": self.relative_position_dim,
            "num_processes": self.num_processes,
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
