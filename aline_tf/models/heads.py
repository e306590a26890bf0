"""The three heads: parameter posterior, outcome prediction, policy.

A head turns the encoder's tokens into raw numbers (see `aline_tf.models.distributions` for what
they mean). Optional parts say where a head's answer stands: a parameter that is a position speaks
in a frame of its own, a prediction in units of what was observed near it, and the policy sees each
candidate from the posterior. The parts are handed in, so that whoever assembles a model decides.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from aline_tf.models.distributions import mixtures
from aline_tf.models.distributions import outcome_prediction as prediction
from aline_tf.models.distributions import theta_posterior as posterior
from aline_tf.models.layers.constant_vector import ConstantVector
from aline_tf.models.layers.layer_normalization import LayerNormalization
from aline_tf.models.layers.mlp import MLP
from aline_tf.models.restored_layer import restored_layer
from aline_tf.spec import TaskSpec

_EXCLUDED = -1e9
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)


class _Head(keras.layers.Layer):
    """A perceptron on normalised tokens [B, S, E], and one optional part.

    Args:
        mlp: from E to the raw numbers of one token.
        norm: the normalisation before it; heads may share one.
    """

    #: What an optional part is called, in arguments and in the configuration.
    part_name: str

    def __init__(self, mlp, norm=None, part=None, **kwargs):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        self.mlp = restored_layer(mlp)
        self.norm = restored_layer(norm) or LayerNormalization(dtype=self.dtype_policy, name="norm")
        setattr(self, self.part_name, restored_layer(part))

    def build(self, input_shape):
        part = getattr(self, self.part_name)
        for layer in (self.norm, self.mlp):
            if not layer.built:
                layer.build(input_shape)
        if part is not None:
            part.build()
        self.built = True

    def raw(self, tokens):
        """[B, S, E] -> [B, S, H], float32."""
        return tf.cast(self.mlp(self.norm(tokens)), tf.float32)

    def get_config(self):
        parts = {"mlp": self.mlp, "norm": self.norm, self.part_name: getattr(self, self.part_name)}
        serialized = {
            name: keras.saving.serialize_keras_object(part) for name, part in parts.items()
        }
        return super().get_config() | serialized


@keras.saving.register_keras_serializable("aline_tf")
class ThetaHead(_Head):
    """Raw parameter posteriors, see `theta_posterior`.

    Args:
        spec: the task (a `TaskSpec` or its dict).
        components: K.
        mlp: an `MLP` from a token to the raw numbers of one parameter; of a joint head, from the
            tokens of all parameters side by side to those of all (see `joint_theta_mlp`).
        norm: the normalisation of tokens; a new one when None.
        location_frame: a `LocationFrame` when parameters with an axis are said in frames of their
            own; None to say all in units of their prior.
        joint: whether the posterior is a mixture of products. Then the tokens must know nothing of
            what is given as known: a known value changes the weights of the components by Bayes'
            rule, w_k q_kp(known value), which is exactly the mixture's own conditional.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models import ThetaHead
        >>> from aline_tf.models.layers import MLP
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> head = ThetaHead(SPEC, components=2, mlp=MLP(7))
        >>> head(np.ones([1, 4, 8], "float32")).shape
        TensorShape([1, 4, 7])
    """

    part_name = "location_frame"

    def __init__(
        self, spec, components, mlp, norm=None, location_frame=None, joint=False, **kwargs
    ):
        super().__init__(mlp, norm, location_frame, **kwargs)
        self.joint = joint
        self.spec = spec if isinstance(spec, TaskSpec) else TaskSpec.from_dict(spec)
        self.components = components
        #: Parameters that are positions on a design axis, and looked for there.
        self.location_parameters = [
            p
            for p, parameter in enumerate(self.spec.parameters)
            if self.location_frame is not None and parameter.axis is not None
        ]

    def build(self, input_shape):
        if self.joint and not self.mlp.built:
            self.mlp.build((None, len(self.spec.parameters) * input_shape[-1]))
        super().build(input_shape)

    def call(
        self, tokens, context=None, position=None, visible=None, placed=None, known=(None, None)
    ):
        """Raw outputs [B, P, H].

        Args:
            tokens: [B, P, E] of the parameters.
            context, position, visible, placed: as of `LocationFrame`, where there is one.
            known: which parameters are given as known, bool [B, P], and their values [B, P] in
                natural units; of a joint head alone.
        """
        if self.location_frame is None:
            raw = self.raw(tokens)
        else:
            tokens, center, width = self.location_frame(tokens, context, position, visible, placed)
            raw = self._in_frames(self.raw(tokens), center, width)
        return self._conditioned(raw, *known) if self.joint else raw

    def raw(self, tokens):
        """[B, P, E] -> [B, P, H], float32."""
        if not self.joint:
            return super().raw(tokens)
        count, width = len(self.spec.parameters), tokens.shape[-1]
        flat = tf.cast(self.mlp(tf.reshape(self.norm(tokens), [-1, count * width])), tf.float32)
        weights, each = tf.split(flat, [self.components, 2 * count * self.components], axis=1)
        weights = tf.repeat(weights[:, None], count, axis=1)
        each = tf.reshape(each, [-1, count, 2 * self.components])
        # No parameter of a joint head is there or not: the last number says nothing.
        return tf.concat([weights, each, tf.zeros_like(each[..., :1])], axis=-1)

    def _conditioned(self, raw, mask, value):
        """Raw outputs [B, P, H] with the weights that known parameters leave."""
        mixture = posterior.ThetaPosterior(self.spec.parameters, raw, self.components, joint=True)
        each = mixture.component_log_prob(tf.where(mask, value, mixture.lowest))
        each = tf.reduce_sum(tf.where(mask[..., None], each, 0.0), axis=1, keepdims=True)
        return tf.concat([raw[..., : self.components] + each, raw[..., self.components :]], axis=-1)

    def _in_frames(self, raw, center, width):
        """Raw outputs [B, P, H] of locations, said in their frames, in the words of the others."""
        columns = tf.unstack(raw, num=len(self.spec.parameters), axis=1)
        for p in self.location_parameters:
            offset, slope = self._axis(p)
            middle = offset + slope * center[:, p, self.spec.parameters[p].axis, None]
            mixture = columns[p][:, : 3 * self.components]
            framed = mixtures.on_the_interval(mixture, self.components, middle, slope * width[:, p])
            columns[p] = tf.concat([framed, columns[p][:, 3 * self.components :]], axis=-1)
        return tf.stack(columns, axis=1)

    def _axis(self, p):
        """Bounds of the design axis on which parameter p is a position, of its own unit interval:
        unit = offset + slope * (design scaled to [-1, 1])."""
        parameter = self.spec.parameters[p]
        low = self.spec.design_low[parameter.axis]
        half = 0.5 * (self.spec.design_high[parameter.axis] - low)
        span = parameter.high - parameter.low
        return (low + half - parameter.low) / span, half / span

    def location_moments(self, raw):
        """Mean and standard deviation of each of the A location parameters, in designs scaled to
        [-1, 1]: two [B, A], without gradient. `raw` [B, P, H] is what the head gave."""
        chosen = tuple(self.spec.parameters[p] for p in self.location_parameters)
        raw = tf.stop_gradient(tf.gather(raw, self.location_parameters, axis=1))
        # Marginals alone are asked for, of a joint posterior too.
        mean, sd = posterior.ThetaPosterior(chosen, raw, self.components).mean_sd()
        low = tf.constant([parameter.low for parameter in chosen])
        span = tf.constant([parameter.high for parameter in chosen]) - low
        offset, slope = (
            tf.constant(part)
            for part in zip(*map(self._axis, self.location_parameters), strict=True)
        )
        return ((mean - low) / span - offset) / slope, sd / span / slope

    def on_location_axes(self, position):
        """Positions [B, N, D] on the axis of each of the A location parameters: [B, N, A]."""
        axes = [self.spec.parameters[p].axis for p in self.location_parameters]
        return tf.gather(position, axes, axis=2)

    def get_config(self):
        sizes = {"components": self.components, "joint": self.joint}
        return super().get_config() | {"spec": self.spec.to_dict()} | sizes


@keras.saving.register_keras_serializable("aline_tf")
class OutcomeHead(_Head):
    """Raw outcome predictions, see `outcome_prediction`.

    Args:
        spec: the task (a `TaskSpec` or its dict).
        components: K.
        mlp: an `MLP` from a token to the raw numbers of one prediction.
        norm: the normalisation of tokens; a new one when None.
        kernel_smoother: a `KernelSmoother` by whose location and scale predictions are said; None
            to say them in standardised outcomes, or in a frame that comes with the call.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models import OutcomeHead
        >>> from aline_tf.models.layers import MLP
        >>> from aline_tf.tasks.gp import GP1D
        >>> head = OutcomeHead(GP1D().spec, components=2, mlp=MLP(6))
        >>> head(np.ones([1, 3, 8], "float32")).shape
        TensorShape([1, 3, 6])
    """

    part_name = "kernel_smoother"

    def __init__(self, spec, components, mlp, norm=None, kernel_smoother=None, **kwargs):
        super().__init__(mlp, norm, kernel_smoother, **kwargs)
        self.spec = spec if isinstance(spec, TaskSpec) else TaskSpec.from_dict(spec)
        self.components = components

    def call(self, tokens, frame=None, context=None, value=None, readable=None, bias=None):
        """Raw outputs [B, M, H].

        Args:
            tokens: [B, M, E] of the predictive targets.
            frame: location and scale [B, M, 1] in which the answer is meant; None for 0 and 1.
            context, value, readable, bias: as of `KernelSmoother`, where there is one.
        """
        if tokens.shape[1] == 0:
            size = prediction.raw_size(self.spec.outcomes, self.components)
            return tf.zeros([tf.shape(tokens)[0], 0, size])
        tokens = self.norm(tokens)
        raw = tf.cast(self.mlp(tokens), tf.float32)
        if self.kernel_smoother is not None:
            frame = self.kernel_smoother(tokens, context, value, readable, bias)
        if frame is None:
            return raw
        cut = 3 * self.components
        framed = mixtures.on_the_line(raw[..., :cut], self.components, *frame)
        return tf.concat([framed, raw[..., cut:]], axis=-1)

    def get_config(self):
        return super().get_config() | {"spec": self.spec.to_dict(), "components": self.components}


@keras.saving.register_keras_serializable("aline_tf")
class PolicyHead(_Head):
    """Policy logits of the candidates.

    Args:
        mlp: an `MLP` from a token to one number.
        norm: the normalisation of tokens; a new one when None.
        posterior_distance: a `PosteriorDistance` that shows where candidates stand as seen from the
            posterior; None where nothing is looked for on a design axis.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models import PolicyHead
        >>> from aline_tf.models.layers import MLP
        >>> head = PolicyHead(MLP(1))
        >>> logits = head(np.ones([1, 2, 8], "float32"), np.array([[True, False]]))
        >>> logits.shape, float(logits[0, 1])
        (TensorShape([1, 2]), -1000000000.0)
    """

    part_name = "posterior_distance"

    def __init__(self, mlp, norm=None, posterior_distance=None, **kwargs):
        super().__init__(mlp, norm, posterior_distance, **kwargs)

    def call(self, candidates, allowed, position=None, mean=None, sd=None):
        """Logits [B, N], float32; -1e9 where not allowed.

        Args:
            candidates: tokens [B, N, E].
            allowed: bool [B, N].
            position, mean, sd: as of `PosteriorDistance`, where there is one.
        """
        if self.posterior_distance is not None:
            candidates = self.posterior_distance(candidates, position, mean, sd)
        return tf.where(allowed, self.raw(candidates)[..., 0], _EXCLUDED)


def theta_mlp(components: int, intermediate_dim: int, **kwargs) -> MLP:
    """The perceptron of a `ThetaHead`, which starts at evenly spread components."""
    bias = ConstantVector(posterior.raw_bias(components))
    return MLP(posterior.raw_size(components), intermediate_dim, output_bias=bias, **kwargs)


def joint_theta_mlp(parameters: int, components: int, intermediate_dim: int, **kwargs) -> MLP:
    """The perceptron of a joint `ThetaHead`, whose components start evenly spread over the space of
    all parameters: K weights, then K locations and K spreads of each parameter."""
    *_, spread = mixtures.raw_bias(components, truncated=False)
    bias = [0.0] * components
    for p in range(parameters):
        # Halton's points.
        bias += [
            3.0 * _radical_inverse(k + 1, _PRIMES[p % len(_PRIMES)]) - 1.5
            for k in range(components)
        ]
        bias += [spread] * components
    return MLP(len(bias), 2 * intermediate_dim, output_bias=ConstantVector(bias), **kwargs)


def _radical_inverse(number: int, base: int) -> float:
    """The digits of a number in a base, mirrored at the point: in (0, 1)."""
    value, place = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        place /= base
        value += digit * place
    return value


def outcome_mlp(outcomes, components: int, intermediate_dim: int, **kwargs) -> MLP:
    """The perceptron of an `OutcomeHead`, which starts at evenly spread components."""
    bias = ConstantVector(prediction.raw_bias(outcomes, components))
    size = prediction.raw_size(outcomes, components)
    return MLP(size, intermediate_dim, output_bias=bias, **kwargs)
