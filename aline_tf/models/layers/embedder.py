"""Token embedding of designs, outcomes and known parameters."""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.models.layers.mlp import MLP
from aline_tf.models.restored_layer import restored_layer
from aline_tf.spec import TaskSpec


@keras.saving.register_keras_serializable("aline_tf")
class Embedder(keras.layers.Layer):
    """Tokens of the three streams, of width E.

        context    f_xy(x, y * observed, observed, no answer)   and, for known parameters,
                   f_theta(value, which)
        target     f_x(x*) for predictions, a learned vector per parameter
        candidate  f_x(x)

    The paper adds f_x(x) + f_y(y); one network of the pair costs the same and can represent
    their interaction before the first attention layer. A field that was not observed enters as
    zero with its flag off: a missing value is never an invented one. Whatever stands in padding,
    even NaN, is replaced by zero before it meets a weight.

    Inputs are in natural units and stay in float32 until they are scaled, whatever the dtype
    policy (autocast=False).

    Args:
        spec: the task (a `TaskSpec` or its dict).
        hidden_dim: E.
        intermediate_dim: width of the hidden layers.
        design_features: a Keras layer from designs [..., D] in natural units to features that are
            shown beside the scaled designs; None for none.
        outcome_features: the same for outcomes [B, C, F]; shown of tokens all of whose fields are
            observed.

    Example:
        >>> import aline_tf
        >>> from aline_tf.batch import empty_batch
        >>> from aline_tf.models.layers import Embedder
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> batch = empty_batch(SPEC.sizes | {"C": 3, "N": 5})
        >>> context, visible, targets, candidates = Embedder(SPEC, hidden_dim=8)(batch)
        >>> context.shape, candidates.shape  # a start token and four known parameters come first
        (TensorShape([1, 8, 8]), TensorShape([1, 5, 8]))
    """

    def __init__(
        self,
        spec,
        hidden_dim=32,
        intermediate_dim=128,
        design_features=None,
        outcome_features=None,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.spec = spec if isinstance(spec, TaskSpec) else TaskSpec.from_dict(spec)
        self.hidden_dim = hidden_dim
        self.intermediate_dim = intermediate_dim
        self.design_features = restored_layer(design_features)
        self.outcome_features = restored_layer(outcome_features)
        self.context_mlp = MLP(
            hidden_dim, intermediate_dim, dtype=self.dtype_policy, name="context_mlp"
        )
        self.design_mlp = MLP(
            hidden_dim, intermediate_dim, dtype=self.dtype_policy, name="design_mlp"
        )
        self.theta_mlp = MLP(
            hidden_dim, intermediate_dim, dtype=self.dtype_policy, name="theta_mlp"
        )

    def build(self, input_shape=None):
        sizes = self.spec.sizes
        design, outcome = sizes["D"], sizes["F"]
        if self.design_features is not None:
            design += self.design_features.compute_output_shape((None, design))[-1]
        if self.outcome_features is not None:
            outcome += self.outcome_features.compute_output_shape((None, None, outcome))[-1]
        self.context_mlp.build((None, design + outcome + 2 * sizes["F"]))
        self.design_mlp.build((None, design))
        self.theta_mlp.build((None, 1 + sizes["P"]))
        self.theta_token = self.add_weight(
            name="theta_token", shape=(sizes["P"], self.hidden_dim), initializer="random_normal"
        )
        # Always visible, so that attention is defined at context size 0.
        self.start_token = self.add_weight(
            name="start_token", shape=(1, 1, self.hidden_dim), initializer="random_normal"
        )
        self.built = True

    def scale_design(self, design):
        """Designs [..., D] brought from their bounds to [-1, 1]."""
        low = tf.constant(self.spec.design_low)
        high = tf.constant(self.spec.design_high)
        return (2.0 * design - low - high) / (high - low)

    def _shown_design(self, design):
        """Designs [..., D] as the model reads them: scaled, with their features."""
        scaled = self.scale_design(design)
        if self.design_features is None:
            return scaled
        return tf.concat([scaled, tf.cast(self.design_features(design), tf.float32)], -1)

    def _shown_outcome(self, outcome, seen):
        """Outcomes [B, C, F] as the model reads them; zero where not `seen`, even if NaN."""
        fields = self.spec.fields
        loc = tf.constant([field.loc for field in fields])
        scale = tf.constant([field.scale for field in fields])
        value = (outcome - loc) / scale
        if any(field.kind == "count" for field in fields):
            count = tf.constant([field.kind == "count" for field in fields])
            value = tf.where(count, tf.asinh(value), value)
        value = tf.math.multiply_no_nan(value, tf.cast(seen, tf.float32))
        if self.outcome_features is None:
            return value
        features = tf.cast(self.outcome_features(tf.where(seen, outcome, 0.0)), tf.float32)
        features *= tf.cast(tf.reduce_all(seen, axis=-1, keepdims=True), tf.float32)
        return tf.concat([value, features], -1)

    def context_tokens(self, batch):
        """Tokens [B, 1 + P + C, E] and which may be attended to, bool [B, 1 + P + C]."""
        present = batch["context_mask"][..., None]
        seen = present & tf.equal(batch["context_status"], OBSERVED)
        observed = tf.cast(seen, tf.float32)
        refused = tf.cast(present & tf.equal(batch["context_status"], NO_ANSWER), tf.float32)
        design = self._shown_design(tf.where(present, batch["context_design"], 0.0))
        design = tf.where(present, design, 0.0)
        value = self._shown_outcome(batch["context_outcome"], seen)
        observations = self.context_mlp(tf.concat([design, value, observed, refused], -1))
        size = tf.shape(batch["known_theta"])[0]
        start = tf.cast(tf.convert_to_tensor(self.start_token), self.compute_dtype)
        start = tf.broadcast_to(start, [size, 1, self.hidden_dim])
        tokens = tf.concat([start, self._known_tokens(batch), observations], axis=1)
        visible = tf.concat(
            [tf.ones([size, 1], tf.bool), batch["known_mask"], batch["context_mask"]], axis=1
        )
        return tokens, visible

    def context_positions(self, batch):
        """Where context tokens stand, scaled to [-1, 1]: [B, 1 + P + C, D], and which of them
        stand anywhere, bool [B, 1 + P + C]: the start token and known parameters do not."""
        present = batch["context_mask"]
        design = tf.where(present[..., None], self.scale_design(batch["context_design"]), 0.0)
        without = 1 + self.spec.sizes["P"]
        position = tf.pad(design, [[0, 0], [without, 0], [0, 0]])
        return position, tf.pad(present, [[0, 0], [without, 0]])

    def known_values(self, batch):
        """Which parameters are given as known, as 0 or 1, and their scaled values: [B, 2 P]."""
        return tf.concat([tf.cast(batch["known_mask"], tf.float32), self._scaled_known(batch)], 1)

    def _scaled_known(self, batch):
        parameters = self.spec.parameters
        loc = [(p.low + p.high) / 2 if p.kind == "interval" else p.loc for p in parameters]
        scale = [(p.high - p.low) / 2 if p.kind == "interval" else p.scale for p in parameters]
        value = (batch["known_theta"] - tf.constant(loc)) / tf.constant(scale)
        return tf.math.multiply_no_nan(value, tf.cast(batch["known_mask"], tf.float32))

    def _known_tokens(self, batch):
        parameters, value = self.spec.parameters, self._scaled_known(batch)
        which = tf.broadcast_to(
            tf.eye(len(parameters)), [tf.shape(value)[0], len(parameters), len(parameters)]
        )
        return self.theta_mlp(tf.concat([value[..., None], which], -1))

    def theta_tokens(self, size):
        """Parameter targets: [B, P, E]."""
        token = tf.cast(tf.convert_to_tensor(self.theta_token), self.compute_dtype)
        return tf.broadcast_to(token, [size, *token.shape])

    def design_tokens(self, design, present=None):
        """Candidates or predictive targets: [B, N, D] -> [B, N, E].

        Args:
            design: in natural units; may be anything, even NaN, where not present.
            present: bool [B, N], False for padding; None where there is none.
        """
        if present is not None:
            design = tf.where(present[..., None], design, 0.0)
        design = self._shown_design(design)
        if present is not None:
            design = tf.where(present[..., None], design, 0.0)
        return self.design_mlp(design)

    def call(self, batch):
        """All three streams: (context, visible, targets [B, P + M, E], candidates [B, N, E])."""
        context, visible = self.context_tokens(batch)
        size = tf.shape(batch["known_theta"])[0]
        targets = tf.concat(
            [self.theta_tokens(size), self.design_tokens(batch["target_design"])], axis=1
        )
        candidates = self.design_tokens(batch["candidate_design"], batch["candidate_mask"])
        return context, visible, targets, candidates

    def get_config(self):
        return super().get_config() | {
            "spec": self.spec.to_dict(),
            "hidden_dim": self.hidden_dim,
            "intermediate_dim": self.intermediate_dim,
            "design_features": keras.saving.serialize_keras_object(self.design_features),
            "outcome_features": keras.saving.serialize_keras_object(self.outcome_features),
        }
