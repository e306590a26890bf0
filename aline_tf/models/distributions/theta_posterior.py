"""Posteriors q(theta | D), of raw head outputs [B, P, H]: densities, summaries, draws.

    interval    theta = low + (high - low) u,   u ~ truncated mixture
    real        theta = loc + scale u,          u ~ normal mixture
    binary      theta ~ Bernoulli(sigmoid(a))
    spike_slab  theta = 0 with probability 1 - sigmoid(a), otherwise as "real"

The density of "spike_slab" is with respect to a point mass at 0 plus Lebesgue measure.

The parameters are independent of each other; or their mixtures are one, whose components are
products: component k is picked for all of them at once. Its marginals are the mixtures above.

    q(theta | D) = sum_k w_k prod_p q_kp(theta_p)
"""

from __future__ import annotations

import functools

import tensorflow as tf

from aline_tf.models.distributions import mixtures
from aline_tf.models.protocol import QUANTILE_LEVELS
from aline_tf.spec import Parameter


def raw_size(components: int) -> int:
    """H: a mixture and one logit."""
    return 3 * components + 1


def raw_bias(components: int) -> list[float]:
    """A neutral starting bias for the head; both mixtures share it well enough."""
    return [*mixtures.raw_bias(components, truncated=False), 0.0]


class ThetaPosterior:
    """A product of marginals over P parameters, or a mixture of such products, built from the
    head's raw outputs.

    Args:
        parameters: the P parameters, in order.
        raw: [..., P, H].
        components: K.
        joint: whether the mixtures of all parameters are one; then their weights in `raw` are
            equal, and all parameters are intervals or real.
    """

    def __init__(self, parameters: tuple[Parameter, ...], raw, components: int, joint=False):
        self.parameters = parameters
        self.joint = joint
        raw = tf.cast(raw, tf.float32)
        mixture_raw, self.logit = raw[..., : 3 * components], raw[..., 3 * components]
        self._unit = mixtures.from_raw(mixture_raw, components, truncated=True)
        self._real = mixtures.from_raw(mixture_raw, components, truncated=False)
        self._interval = tf.constant([p.kind == "interval" for p in parameters], tf.bool)
        self._binary = tf.constant([p.kind == "binary" for p in parameters], tf.bool)
        self._atom = tf.constant([p.kind == "spike_slab" for p in parameters], tf.bool)
        #: A value that every parameter can have: [P].
        self.lowest = tf.constant([p.low if p.kind == "interval" else 0.0 for p in parameters])
        self._kinds = {p.kind for p in parameters}
        self._loc = tf.constant([p.low if p.kind == "interval" else p.loc for p in parameters])
        self._scale = tf.constant(
            [p.high - p.low if p.kind == "interval" else p.scale for p in parameters]
        )

    def log_prob(self, theta) -> tf.Tensor:
        """log q of each marginal at theta [..., P]: [..., P]."""
        theta = tf.cast(theta, tf.float32)
        value = (theta - self._loc) / self._scale
        result = tf.zeros_like(value)
        if "interval" in self._kinds:
            density = mixtures.log_prob(self._unit, tf.clip_by_value(value, 0.0, 1.0))
            result = tf.where(self._interval, density - tf.math.log(self._scale), result)
        if self._kinds & {"real", "spike_slab"}:
            density = mixtures.log_prob(self._real, value) - tf.math.log(self._scale)
            log_slab = density + tf.math.log_sigmoid(self.logit)
            log_atom = tf.math.log_sigmoid(-self.logit)
            spike_slab = tf.where(tf.equal(theta, 0.0), log_atom, log_slab)
            density = tf.where(self._atom, spike_slab, density)
            result = tf.where(self._interval | self._binary, result, density)
        if "binary" in self._kinds:
            bernoulli = tf.math.log_sigmoid(tf.where(theta > 0.5, self.logit, -self.logit))
            result = tf.where(self._binary, bernoulli, result)
        return result

    def component_log_prob(self, theta) -> tf.Tensor:
        """log density of each component of each marginal at theta [..., P], interval or real:
        [..., P, K]."""
        value = (tf.cast(theta, tf.float32) - self._loc) / self._scale
        density = mixtures.component_log_prob(self._real, value)
        if "interval" in self._kinds:
            inside = mixtures.component_log_prob(self._unit, tf.clip_by_value(value, 0.0, 1.0))
            density = tf.where(self._interval[:, None], inside, density)
        return density - tf.math.log(self._scale)[:, None]

    def joint_log_prob(self, theta, counted) -> tf.Tensor:
        """log q of several parameters together.

        Args:
            theta: [..., P].
            counted: bool [..., P], which of them are meant.

        Returns:
            [...], in nats: the density of those counted, the others integrated out.
        """
        if not self.joint:
            return tf.reduce_sum(tf.where(counted, self.log_prob(theta), 0.0), axis=-1)
        each = tf.where(counted[..., None], self.component_log_prob(theta), 0.0)
        # The weights are those of every parameter.
        log_weight = self._real.log_weight[..., 0, :]
        return tf.reduce_logsumexp(log_weight + tf.reduce_sum(each, axis=-2), axis=-1)

    def mean_sd(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Posterior mean and standard deviation: two [..., P]."""
        mean, variance = mixtures.mean_variance(self._real)
        if "interval" in self._kinds:
            unit_mean, unit_variance = mixtures.mean_variance(self._unit)
            mean = tf.where(self._interval, unit_mean, mean)
            variance = tf.where(self._interval, unit_variance, variance)
        mean, variance = self._loc + self._scale * mean, tf.square(self._scale) * variance
        probability = tf.sigmoid(self.logit)
        second = probability * (variance + tf.square(mean))
        mean = tf.where(self._atom, probability * mean, mean)
        variance = tf.where(self._atom, second - tf.square(mean), variance)
        mean = tf.where(self._binary, probability, mean)
        variance = tf.where(self._binary, probability * (1.0 - probability), variance)
        return mean, tf.sqrt(tf.maximum(variance, 0.0))

    def probability(self) -> tf.Tensor:
        """P(theta = 1) for binary, P(theta != 0) for spike_slab, 1 for the others: [..., P]."""
        return tf.where(self._binary | self._atom, tf.sigmoid(self.logit), 1.0)

    def cdf(self, theta) -> tf.Tensor:
        """P(parameter <= theta), marginal by marginal: [..., P]."""
        value = (theta - self._loc) / self._scale
        result = mixtures.cdf(self._real, value)
        if "interval" in self._kinds:
            result = tf.where(self._interval, mixtures.cdf(self._unit, value), result)
        probability = tf.sigmoid(self.logit)
        at_zero = tf.cast(theta >= 0.0, tf.float32)
        result = tf.where(self._atom, probability * result + (1.0 - probability) * at_zero, result)
        steps = tf.where(theta >= 1.0, 1.0, (1.0 - probability) * at_zero)
        return tf.where(self._binary, steps, result)

    def quantiles(self, levels=QUANTILE_LEVELS) -> tf.Tensor:
        """Quantiles of each marginal: [..., P, len(levels)]."""
        low, high = mixtures.bounds(self._real)
        low, high = tf.where(self._interval, 0.0, low), tf.where(self._interval, 1.0, high)
        low, high = self._loc + self._scale * low, self._loc + self._scale * high
        # Atoms of the discrete parts must lie inside the bracket.
        low = tf.where(self._atom | self._binary, tf.minimum(low, -1e-6), low)
        high = tf.where(self._atom, tf.maximum(high, 1e-6), tf.where(self._binary, 1.0, high))
        result = mixtures.quantiles(self.cdf, (low, high), levels)
        discrete = tf.where(result > 0.5, 1.0, 0.0)
        near_atom = tf.abs(result) < 1e-5 * self._scale[:, None]
        result = tf.where(self._atom[:, None] & near_atom, 0.0, result)
        return tf.where(self._binary[:, None], discrete, result)

    def entropy(self) -> tf.Tensor:
        """Entropy of each marginal in nats, in natural units: [..., P]; of "spike_slab" with
        respect to a point mass at 0 plus length."""
        log_scale = tf.math.log(self._scale)
        result = mixtures.entropy(self._real) + log_scale
        if "interval" in self._kinds:
            inside = mixtures.entropy(self._unit) + log_scale
            result = tf.where(self._interval, inside, result)
        p = tf.sigmoid(self.logit)
        two = -p * tf.math.log_sigmoid(self.logit) - (1.0 - p) * tf.math.log_sigmoid(-self.logit)
        result = tf.where(self._atom, two + p * result, result)
        return tf.where(self._binary, two, result)

    def from_uniform(self, pick, position, spike) -> tf.Tensor:
        """One draw of all parameters from three independent uniforms [..., P]."""
        if self.joint:
            pick = tf.broadcast_to(pick[..., :1], tf.shape(pick))
        unit = mixtures.from_uniform(self._unit, pick, position)
        real = mixtures.from_uniform(self._real, pick, position)
        value = self._loc + self._scale * tf.where(self._interval, unit, real)
        present = tf.cast(spike < tf.sigmoid(self.logit), tf.float32)
        value = tf.where(self._atom, present * value, value)
        return tf.where(self._binary, present, value)

    def distributions(self) -> list:
        """One tfp distribution per parameter, of batch shape [...] (spike_slab: the mixture of a
        point mass at 0 and the slab)."""
        import tensorflow_probability as tfp

        tfd = tfp.distributions
        return [
            self._distribution(tfd, p, parameter) for p, parameter in enumerate(self.parameters)
        ]

    def _distribution(self, tfd, p, parameter):
        if parameter.kind == "binary":
            return tfd.Bernoulli(logits=self.logit[..., p], dtype=tf.float32, name=parameter.name)
        mixture = self._unit if parameter.kind == "interval" else self._real
        weights = tfd.Categorical(logits=mixture.log_weight[..., p, :])
        loc = self._loc[p] + self._scale[p] * mixture.loc[..., p, :]
        scale = self._scale[p] * mixture.scale[..., p, :]
        if parameter.kind == "interval":
            component = tfd.TruncatedNormal(loc, scale, parameter.low, parameter.high)
        else:
            component = tfd.Normal(loc, scale)
        continuous = continuous_marginal()(weights, component, name=parameter.name)
        if parameter.kind != "spike_slab":
            return continuous
        present = self.logit[..., p]
        return tfd.Mixture(
            tfd.Categorical(logits=tf.stack([tf.zeros_like(present), present], axis=-1)),
            [tfd.Deterministic(tf.zeros_like(present)), continuous],
            name=parameter.name,
        )


@functools.cache
def continuous_marginal() -> type:
    """`tfd.MixtureSameFamily` of normals, truncated or not, with the quantiles and the entropy that
    it lacks."""
    import tensorflow_probability as tfp

    class ContinuousMarginal(tfp.distributions.MixtureSameFamily):
        def _unit(self):
            """The mixture on the unit interval or as it is, with the map back: (mixture, loc,
            scale)."""
            parts = self.components_distribution
            loc, scale = 0.0, 1.0
            truncated = isinstance(parts, tfp.distributions.TruncatedNormal)
            if truncated:
                loc, scale = parts.low, parts.high - parts.low
            weight = tf.nn.log_softmax(self.mixture_distribution.logits)
            standardised = (parts.loc - loc) / scale, parts.scale / scale
            return mixtures.Mixture(weight, *standardised, truncated), loc, scale

        def _entropy(self):
            mixture, _, scale = self._unit()
            return mixtures.entropy(mixture) + tf.math.log(scale)

        def _quantile(self, value):
            mixture, loc, scale = self._unit()
            low, high = mixtures.bounds(mixture)
            value = tf.convert_to_tensor(value, tf.float32)
            for _ in range(40):
                middle = 0.5 * (low + high)
                reached = mixtures.cdf(mixture, middle) >= value
                low, high = tf.where(reached, low, middle), tf.where(reached, middle, high)
            return loc + scale * high

    return ContinuousMarginal
