"""The ALINE model: a transformer neural process that infers and acquires in one forward pass.

    q(theta_p | D), p(y* | x*, D)      posterior and prediction, with uncertainty
    pi(x | D, targets)                 what to acquire next, for whichever targets are selected

Source: Huang et al., "ALINE", NeurIPS 2025 (arXiv 2506.07259). The policy reads the tokens of
the selected targets; the selection is part of the input and may change at any step.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from aline_tf.batch import OBSERVED, batch_fields
from aline_tf.models import old_names
from aline_tf.models.compiled import Compiled
from aline_tf.models.distributions import outcome_prediction as prediction
from aline_tf.models.distributions import theta_posterior as posterior
from aline_tf.models.heads import (
    OutcomeHead,
    PolicyHead,
    ThetaHead,
    joint_theta_mlp,
    outcome_mlp,
    theta_mlp,
)
from aline_tf.models.keras_calls import KerasCalls, require_precision
from aline_tf.models.layers.embedder import Embedder
from aline_tf.models.layers.encoder_layer import EncoderLayer
from aline_tf.models.layers.evidence_sum import EvidenceSum
from aline_tf.models.layers.gaussian_process_mixture import GaussianProcessMixture, Observations
from aline_tf.models.layers.history_summary import HistorySummary
from aline_tf.models.layers.kernel_smoother import KernelSmoother
from aline_tf.models.layers.layer_normalization import LayerNormalization
from aline_tf.models.layers.location_frame import LocationFrame
from aline_tf.models.layers.mlp import MLP
from aline_tf.models.layers.posterior_distance import PosteriorDistance
from aline_tf.models.layers.relative_position_bias import RelativePositionBias
from aline_tf.models.restored_layer import restored_layer
from aline_tf.spec import TaskSpec


@keras.saving.register_keras_serializable("aline_tf")
class ALINE(KerasCalls, keras.Model):
    """A transformer neural process with a posterior, a prediction and a policy head.

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
        evidence_dim: width of a sum over the observations, which says their number and what is
            given as known to every token (see `evidence_sum`): what histories longer than the
            horizon and known parameters need; 0 leaves them to attention.
        joint_components: K of a posterior that is a mixture of K products of densities, one for
            each parameter, so that parameters are told together and what is given as known is
            conditioned on exactly (see `theta_posterior`); for interval and real parameters, with
            an `evidence_dim`. 0 tells each parameter by itself, in `components`.
        missing_at_random: whether a token of which no field was observed is as if never asked;
            False shows it, for tasks in which not answering tells something.
        design_features, outcome_features: Keras layers from designs [..., D] and from outcomes
            [..., F], in natural units, to features that the model reads beside the scaled values;
            None for none.
        history_features: a Keras layer that takes (design, outcome, status, present) of the context
            and gives features [B, L, H] of the last L days, the latest first; which of them are
            known, bool [B, L]; and the day of every token, int32 [B, C]. Its attribute
            `num_features` is H. None for tasks without a history of days.
        **kwargs: as of `keras.Model`: name, dtype.

    Raises:
        ValueError: settings that do not fit each other or the task, or weights in half precision.

    `model(batch)` takes the dict of `aline_tf.batch` (any B, C, M, N) and returns raw tensors:

        theta_raw        [B, P, H]    parameter posteriors, see `theta_posterior`
        target_raw       [B, M, H']   predictions, see `outcome_prediction`
        candidate_logits [B, N]       policy scores; a masked candidate scores -1e9

    Example:
        >>> import aline_tf
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2)
        >>> batch = empty_batch(SPEC.sizes | {"N": 5})  # nothing known yet, five candidates
        >>> outputs = model(batch)
        >>> outputs["candidate_logits"].shape
        TensorShape([1, 5])
        >>> model.theta_summary(outputs)["mean"].shape
        TensorShape([1, 4])
    """

    #: A `UnitAdapter` that its presets keep: of the numbers that sessions are told unless they say
    #: otherwise. The model itself is asked in the units of its spec.
    units = None

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
        evidence_dim=0,
        joint_components=0,
        missing_at_random=False,
        design_features=None,
        outcome_features=None,
        history_features=None,
        **kwargs,
    ):
        # Inputs are in natural units: half precision would not hold them before they are scaled.
        super().__init__(autocast=False, **kwargs)
        require_precision(self.dtype_policy)
        if not isinstance(spec, TaskSpec | Mapping):
            raise ValueError(
                f"Expected spec as a TaskSpec, such as task.spec. Received: spec={spec!r}"
            )
        self.spec = spec if isinstance(spec, TaskSpec) else TaskSpec.from_dict(spec)
        _check_sizes(
            1,
            hidden_dim=hidden_dim,
            num_heads=num_heads,
            intermediate_dim=intermediate_dim,
            components=components,
        )
        _check_sizes(
            0,
            num_layers=num_layers,
            relative_position_dim=relative_position_dim,
            num_processes=num_processes,
            evidence_dim=evidence_dim,
            joint_components=joint_components,
        )
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.components = components
        self.relative_position_dim = relative_position_dim
        self.num_processes = num_processes
        self.evidence_dim = evidence_dim
        self.joint_components = joint_components
        self.missing_at_random = missing_at_random
        policy, parameters, dims = self.dtype_policy, self.spec.parameters, self.spec.sizes["D"]
        kinds = [channel.kind for channel in (*self.spec.fields, *self.spec.outcomes)]
        continuous = kinds == ["continuous", "continuous"]
        if num_processes and not continuous:
            raise ValueError(
                "Expected num_processes=0 for a task that has not one continuous outcome. "
                f"Received: num_processes={num_processes}, outcomes of kind {kinds}"
            )
        theta_kinds = {parameter.kind for parameter in parameters}
        if joint_components and not (evidence_dim and theta_kinds <= {"interval", "real"}):
            raise ValueError(
                "Expected joint_components=0, or an evidence_dim and interval or real parameters "
                f"alone. Received: joint_components={joint_components}, "
                f"evidence_dim={evidence_dim}, parameters of kind {sorted(theta_kinds)}"
            )
        #: Predictions of what is measured are said as corrections of what was measured nearby.
        self.interpolates = bool(relative_position_dim) and continuous and not num_processes
        self.embedder = Embedder(
            self.spec,
            hidden_dim,
            intermediate_dim,
            design_features,
            outcome_features,
            dtype=policy,
            name="embedder",
        )
        self.encoder = [
            EncoderLayer(
                hidden_dim, num_heads, intermediate_dim, dtype=policy, name=f"encoder_layer_{i}"
            )
            for i in range(num_layers)
        ]
        # Made in this order, because each takes its first weights from one stream of seeds.
        settings = {"dtype": policy, "name": "mlp"}
        if joint_components:
            of_theta = joint_theta_mlp(
                len(parameters), joint_components, intermediate_dim, **settings
            )
        else:
            of_theta = theta_mlp(components, intermediate_dim, **settings)
        of_outcomes = outcome_mlp(self.spec.outcomes, components, intermediate_dim, **settings)
        of_policy = MLP(1, intermediate_dim, **settings)
        self.history_features = restored_layer(history_features)
        self.history_summary = self.gaussian_process_mixture = self.relative_position_bias = None
        smoother = frame = distance = None
        if self.history_features is not None:
            self.history_summary = HistorySummary(
                hidden_dim,
                self.history_features.num_features,
                len(parameters),
                intermediate_dim=intermediate_dim,
                dtype=policy,
                name="history_summary",
            )
        self.evidence_sum = None
        if evidence_dim:
            self.evidence_sum = EvidenceSum(
                hidden_dim,
                len(parameters),
                units=evidence_dim,
                intermediate_dim=intermediate_dim,
                parameters_see_known=not joint_components,
                dtype=policy,
                name="evidence_sum",
            )
        if num_processes:
            self.gaussian_process_mixture = GaussianProcessMixture(
                hidden_dim,
                dims,
                num_processes,
                num_parameters=len(parameters) if evidence_dim else 0,
                dtype=policy,
                name="gaussian_process_mixture",
            )
        if relative_position_dim:
            self.relative_position_bias = RelativePositionBias(
                hidden_dim,
                dims,
                relative_position_dim,
                (num_layers + self.interpolates) * num_heads,
                dtype=policy,
                name="relative_position_bias",
            )
        if self.interpolates:
            smoother = KernelSmoother(hidden_dim, num_heads, dtype=policy, name="kernel_smoother")
        locations = sum(parameter.axis is not None for parameter in parameters)
        if relative_position_dim and locations:
            frame = LocationFrame(
                hidden_dim,
                dims,
                2 * relative_position_dim,
                intermediate_dim=intermediate_dim,
                dtype=policy,
                name="location_frame",
            )
            distance = PosteriorDistance(
                hidden_dim, locations, dtype=policy, name="posterior_distance"
            )
        # What parameters and predictions read is one thing; what the policy reads is another.
        self.inference_norm = LayerNormalization(dtype=policy, name="inference_norm")
        policy_norm = LayerNormalization(dtype=policy, name="norm")
        self.theta_head = ThetaHead(
            self.spec,
            self.theta_components,
            of_theta,
            self.inference_norm,
            frame,
            joint=bool(joint_components),
            name="theta_head",
        )
        self.outcome_head = OutcomeHead(
            self.spec, components, of_outcomes, self.inference_norm, smoother, name="outcome_head"
        )
        self.policy_head = PolicyHead(of_policy, policy_norm, distance, name="policy_head")

    @classmethod
    def for_task(cls, task, **settings) -> ALINE:
        """A new model of a task, with the feature layers that the task offers; missing at random
        unless the task teaches what a missing answer means.

        Args:
            task: a `Task`.
            **settings: further arguments of `ALINE`.

        Example:
            >>> import aline_tf
            >>> from aline_tf.tasks.ces import CES
            >>> aline_tf.ALINE.for_task(CES(), hidden_dim=8).embedder.design_features.name
            'ces_design_features'
        """
        of_task = {"missing_at_random": not getattr(task, "teaches_missing", False)}
        of_task |= getattr(task, "feature_layers", dict)()
        return cls(task.spec, **of_task | settings)

    @property
    def theta_components(self) -> int:
        """K of the parameter posteriors."""
        return self.joint_components or self.components

    @property
    def location_parameters(self) -> list[int]:
        """Indices of the parameters that are positions on a design axis, and looked for there."""
        return self.theta_head.location_parameters

    def build(self, input_shape=None):
        self.embedder.build()
        for layer in self.encoder:
            layer.build()
        shape = (None, None, self.hidden_dim)
        for head in (self.theta_head, self.outcome_head, self.policy_head):
            head.build(shape)
        for layer in (
            self.relative_position_bias,
            self.gaussian_process_mixture,
            self.history_summary,
            self.evidence_sum,
        ):
            if layer is not None:
                layer.build()
        self.built = True

    def call(self, batch):
        batch = batch_fields(batch)
        if self.missing_at_random:
            answered = tf.reduce_any(tf.equal(batch["context_status"], OBSERVED), axis=2)
            batch["context_mask"] = batch["context_mask"] & answered
        context, visible, targets, candidates = self.embedder(batch)
        if self.history_summary is not None:
            context, targets, candidates = self._with_history(batch, context, targets, candidates)
        if self.evidence_sum is not None:
            targets, candidates = self._with_evidence(batch, context, targets, candidates)
        selected = tf.concat([batch["theta_mask"], batch["target_mask"]], axis=1)
        biases, levels = [(None, None)] * self.num_layers, [None] * self.num_layers
        position = placed = frame = None
        if self.relative_position_bias is not None:
            position, placed = self.embedder.context_positions(batch)
            (targets, candidates), biases, levels = self._with_positions(
                batch, context, targets, candidates, position, placed
            )
        count = len(self.spec.parameters)
        withheld = self._withheld(context, targets) if self.joint_components else None
        for layer, bias, level in zip(self.encoder, biases, levels, strict=False):
            context, targets, candidates = layer(
                context, visible, targets, selected, candidates, bias, level, withheld
            )
        theta, targets = targets[:, :count], targets[:, count:]
        if self.gaussian_process_mixture is not None:
            theta, targets, candidates, frame = self._with_processes(
                batch, context[:, 0], theta, targets, candidates
            )
        known = batch["known_mask"], batch["known_theta"]
        theta_raw = self.theta_head(theta, context, position, visible, placed, known)
        smoothing = {}
        if self.interpolates:
            value, readable = self._readable(batch)
            bias = biases[-1][0][:, :, count:]
            smoothing = {"context": context, "value": value, "readable": readable, "bias": bias}
        target_raw = self.outcome_head(targets, frame, **smoothing)
        seen = ()
        if self.location_parameters:
            pool = self.theta_head.on_location_axes(self._pool_positions(batch))
            seen = pool, *self.theta_head.location_moments(theta_raw)
        logits = self.policy_head(candidates, batch["candidate_mask"], *seen)
        return {"theta_raw": theta_raw, "target_raw": target_raw, "candidate_logits": logits}

    def _with_history(self, batch, context, targets, candidates):
        """The three streams with the messages of the history."""
        days = self.history_features(
            *(batch[f"context_{name}"] for name in ("design", "outcome", "status", "mask"))
        )
        of_theta, of_targets, of_candidates, of_tokens = self.history_summary(*days)
        count = len(self.spec.parameters)
        context += tf.pad(of_tokens, [[0, 0], [1 + count, 0], [0, 0]])
        theta, targets = targets[:, :count] + of_theta, targets[:, count:] + of_targets
        return context, tf.concat([theta, targets], axis=1), candidates + of_candidates

    def _with_evidence(self, batch, context, targets, candidates):
        """Targets and candidates with what the observations and known parameters add up to."""
        count = len(self.spec.parameters)
        of_theta, of_targets, of_candidates = self.evidence_sum(
            context[:, 1 + count :], batch["context_mask"], self.embedder.known_values(batch)
        )
        theta, targets = targets[:, :count] + of_theta, targets[:, count:] + of_targets
        return tf.concat([theta, targets], axis=1), candidates + of_candidates

    def _withheld(self, context, targets):
        """bool [S + P + M, S]: known parameters are shown to predictions (and candidates) alone,
        and to themselves. The posterior conditions on them by itself."""
        count, size = len(self.spec.parameters), tf.shape(context)[1]
        column = tf.range(size)
        known = (column >= 1) & (column <= count)
        row = tf.range(size + tf.shape(targets)[1])
        blind = (row < size + count) & ~((row >= 1) & (row <= count))
        return blind[:, None] & known

    def _with_positions(self, batch, context, targets, candidates, position, placed):
        """Targets and candidates with what they see by position; their attention biases, a pair for
        each layer (one more where predictions are smoothed); and the levels of the latter."""
        parameters = len(self.spec.parameters)
        inputs = tf.pad(
            self.embedder.scale_design(batch["target_design"]), [[0, 0], [parameters, 0], [0, 0]]
        )
        stands = tf.range(tf.shape(targets)[1])[None] >= parameters
        message, bias, _ = self.relative_position_bias(
            targets, inputs, context, position, stands, placed
        )
        targets, layers = targets + message, self.num_layers + self.interpolates
        of_targets = tf.split(bias, layers)
        if candidates.shape[1] == 0:
            pairs = [(bias, None) for bias in of_targets]
            return (targets, candidates), pairs, [None] * self.num_layers
        # Targets are met by what they are, not by where they stand. They have columns all the
        # same, so that the biases fit the scores without a copy.
        behind = [[0, 0], [0, tf.shape(targets)[1]]]
        message, bias, level = self.relative_position_bias(
            candidates,
            self._pool_positions(batch),
            tf.pad(context, [*behind, [0, 0]]),
            tf.pad(position, [*behind, [0, 0]]),
            tf.ones([1, 1], tf.bool),
            tf.pad(placed, behind),
            # Predictions alone are smoothed.
            first=self.num_layers * self.num_heads,
        )
        of_candidates = [*tf.split(bias, self.num_layers), *[None] * self.interpolates]
        pairs = list(zip(of_targets, of_candidates, strict=True))
        return (targets, candidates + message), pairs, tf.split(level, self.num_layers)

    def _with_processes(self, batch, summary, theta, targets, candidates):
        """The three kinds of tokens with what the Gaussian processes say of them, and the frame
        (location, scale) of every prediction."""
        processes_of = self.gaussian_process_mixture
        observed, value = self._observed(batch)
        position = self.embedder.scale_design(batch["context_design"])
        position = tf.where(observed[..., None], position, 0.0)
        observations = Observations(position, value, tf.cast(observed, tf.float32))
        processes = processes_of.weigh(summary, observations)
        place = self.embedder.scale_design(batch["target_design"])
        if self.spec.parameters:
            theta += processes_of.hyperparameters(processes)
        if processes_of.num_parameters:
            processes = processes_of.condition_on(processes, self.embedder.known_values(batch))
        *frame, message = processes_of.predict(processes, observations, place)
        if candidates.shape[1] != 0:
            candidates += processes_of.prospects(
                processes, observations, self._pool_positions(batch), place, batch["target_mask"]
            )
        return theta, targets + message, candidates, frame

    def _pool_positions(self, batch):
        """Where candidates stand, scaled to [-1, 1]: [B, N, D]; padding in the middle."""
        pool = self.embedder.scale_design(batch["candidate_design"])
        return tf.where(batch["candidate_mask"][..., None], pool, 0.0)

    def _observed(self, batch):
        """Which observations there are, bool [B, C], and their standardised values, 0 elsewhere."""
        channel = self.spec.fields[0]
        observed = batch["context_mask"] & tf.equal(batch["context_status"][..., 0], OBSERVED)
        value = (batch["context_outcome"][..., 0] - channel.loc) / channel.scale
        return observed, tf.math.multiply_no_nan(value, tf.cast(observed, tf.float32))

    def _readable(self, batch):
        """Standardised outcomes of all context tokens [B, 1 + P + C], and whether each has one that
        means something, bool: known parameters have none, the start token is the prior's middle."""
        observed, value = self._observed(batch)
        known, first = [[0, 0], [len(self.spec.parameters), 0]], [[0, 0], [1, 0]]
        readable = tf.pad(tf.pad(observed, known), first, constant_values=True)
        return tf.pad(tf.pad(value, known), first), readable

    def distance_from_posterior(self, outputs, batch) -> tf.Tensor:
        """Squared distance [B, N] of every candidate of `batch` from the posterior means of the
        location parameters, in the outputs of one call, all of them together; in designs scaled to
        [-1, 1]. The model must have `location_parameters`."""
        mean, _ = self.theta_head.location_moments(outputs["theta_raw"])
        pool = self.theta_head.on_location_axes(self._pool_positions(batch))
        return tf.reduce_sum(tf.square(pool - mean[:, None]), axis=-1)

    def theta_posterior(self, outputs, parameters=None) -> posterior.ThetaPosterior:
        """Parameter posteriors of the outputs of one call.

        Args:
            outputs: what the model returned.
            parameters: the task's in other units, in which to say them; None for its own.
        """
        return posterior.ThetaPosterior(
            self.spec.parameters if parameters is None else parameters,
            outputs["theta_raw"],
            self.theta_components,
            joint=bool(self.joint_components),
        )

    def outcome_prediction(self, outputs, batch) -> prediction.OutcomePrediction:
        """Predictive distributions of the outputs of one call on `batch`."""
        return prediction.OutcomePrediction(
            self.spec.outcomes, outputs["target_raw"], batch["target_design"], self.components
        )

    def theta_log_prob(self, outputs, theta) -> tf.Tensor:
        """log q(theta_p | D), marginal by marginal: [B, P], in nats.

        Args:
            outputs: what the model returned for a Batch of B rows.
            theta: [B, P], in natural units.
        """
        return self.theta_posterior(outputs).log_prob(theta)

    def target_log_prob(self, outputs, batch, outcome) -> tf.Tensor:
        """log p(y* | x*, D) of outcomes [B, M]: [B, M], in nats.

        Args:
            outputs: what the model returned for `batch`.
            batch: the Batch; its `target_design` says which outcomes are meant.
            outcome: [B, M], in natural units.
        """
        return self.outcome_prediction(outputs, batch).log_prob(outcome)

    def theta_summary(self, outputs) -> dict[str, tf.Tensor]:
        """mean, sd, probability [B, P] and quantiles [B, P, Q] of each parameter."""
        marginals = self.theta_posterior(outputs)
        mean, sd = marginals.mean_sd()
        return {
            "mean": mean,
            "sd": sd,
            "probability": marginals.probability(),
            "quantiles": marginals.quantiles(),
        }

    def target_summary(self, outputs, batch) -> dict[str, tf.Tensor]:
        """mean, sd [B, M] and quantiles [B, M, Q] of each prediction; the mean of a binary
        outcome is its probability.

        Args:
            outputs: what the model returned for `batch`.
            batch: the Batch; its `target_design` says which outcomes are meant.
        """
        predicted = self.outcome_prediction(outputs, batch)
        mean, sd = predicted.mean_sd()
        return {"mean": mean, "sd": sd, "quantiles": predicted.quantiles()}

    def summaries(self, outputs, batch) -> dict[str, tf.Tensor]:
        """All that can be said of the outputs of one call on `batch`: candidate_logits, and the
        entries of `theta_summary` and `target_summary` as theta_* and target_*."""
        theta, target = self.theta_summary(outputs), self.target_summary(outputs, batch)
        return (
            {"candidate_logits": outputs["candidate_logits"]}
            | {f"theta_{name}": value for name, value in theta.items()}
            | {f"target_{name}": value for name, value in target.items()}
        )

    def answer(self, batch) -> dict[str, tf.Tensor]:
        """All summaries of a Batch of arrays or tensors of any sizes, in one compiled pass."""
        return Compiled(self).answer(batch)

    def candidate_logits(self, batch) -> np.ndarray:
        """The policy's scores alone: [B, N] of a Batch of arrays or tensors of any sizes, compiled
        once; a big pool is scored in parts."""
        return Compiled(self).candidate_logits(batch)

    def theta_distributions(self, outputs) -> list:
        """One tfp distribution of batch shape [B] per parameter."""
        return self.theta_posterior(outputs).distributions()

    @classmethod
    def from_preset(cls, preset, task: str | None = None) -> ALINE:
        """A trained model.

        Args:
            preset: the name of a preset of the package (see `aline_tf.presets`), or a directory
                that `save_to_preset`, `aline-tf train` or `aline-tf export` wrote.
            task: the name of the task it must be for, when a certain one is needed.

        Raises:
            InputError: no preset there, a damaged one, or one of another task.
        """
        from aline_tf.models.presets import load_preset

        return load_preset(preset, task=task)

    def save_to_preset(self, directory, metadata: dict | None = None) -> None:
        """Writes config.json, metadata.json and model.weights.h5, and touches nothing else.

        Args:
            directory: where; created when it is not there.
            metadata: anything JSON can hold.

        Raises:
            InputError: a model that is not built or has weights that are not finite.
        """
        from aline_tf.models.presets import save_preset

        save_preset(self, directory, metadata)

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
            "evidence_dim": self.evidence_dim,
            "joint_components": self.joint_components,
            "missing_at_random": self.missing_at_random,
            **{
                name: keras.saving.serialize_keras_object(layer)
                for name, layer in (
                    ("design_features", self.embedder.design_features),
                    ("outcome_features", self.embedder.outcome_features),
                    ("history_features", self.history_features),
                )
            },
        }


def _check_sizes(least, **sizes) -> None:
    """Refuses what is no whole number from `least` on, before a layer stumbles over it."""
    for name, size in sizes.items():
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or size < least:
            raise ValueError(
                f"Expected {name} as a whole number >= {least}. Received: {name}={size!r}"
            )
