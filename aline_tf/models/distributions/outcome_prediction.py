"""Posterior predictive p(y* | x*, D), of raw head outputs [B, M, H]: log probabilities, summaries.

    continuous  y = loc + scale u,  u ~ normal mixture
    binary      y ~ Bernoulli(sigmoid(a))
    ordered     P(y <= r) = sigmoid(c_r),  c_0 < c_1 < ... < c_{levels - 2}   (ordered logit)
    count       y ~ sum_k w_k NegativeBinomial(mean size e^m_k, dispersion s_k^2),
                size = max(loc, scale); see `counts`

Which kind a target has is told by its design (the one-hot code of its outcome channel), so that
one batch may mix kinds.
"""

from __future__ import annotations

import math

import tensorflow as tf

from aline_tf.models.distributions import counts, mixtures
from aline_tf.models.distributions.theta_posterior import QUANTILE_LEVELS
from aline_tf.spec import Channel

_CLOSED = 30.0  # a cut point this high is beyond every draw: sigmoid(30) = 1 - 1e-13


def raw_size(outcomes: tuple[Channel, ...], components: int) -> int:
    """H: a mixture, one logit, and the cut points of the longest ordered scale."""
    return 3 * components + 1 + _cut_points(outcomes)


def raw_bias(outcomes: tuple[Channel, ...], components: int) -> list[float]:
    """A neutral starting bias for the head."""
    cuts = _cut_points(outcomes)
    step = math.log(math.expm1(4.0 / max(cuts, 1)))
    return [*mixtures.raw_bias(components, truncated=False), 0.0, *([-2.0] + [step] * cuts)[:cuts]]


def _cut_points(outcomes) -> int:
    return max((c.levels - 1 for c in outcomes if c.kind == "ordered"), default=0)


class OutcomePrediction:
    """Predictive distributions at M targets, built from the head's raw outputs.

    Args:
        outcomes: the channels that a target can be.
        raw: [..., M, H].
        design: target designs [..., M, D]; the last len(outcomes) columns are the one-hot code
            when there are several channels.
        components: K.
    """

    def __init__(self, outcomes: tuple[Channel, ...], raw, design, components: int):
        self.outcomes = outcomes
        raw = tf.cast(raw, tf.float32)
        count = len(outcomes)
        if count > 1:
            code = design[..., -count:]
        else:
            code = tf.ones_like(design[..., :1])

        def of_channel(values):
            return tf.linalg.matvec(code, tf.constant(values, tf.float32))

        self._binary = of_channel([c.kind == "binary" for c in outcomes]) > 0.5
        self._ordered = of_channel([c.kind == "ordered" for c in outcomes]) > 0.5
        self._count = of_channel([c.kind == "count" for c in outcomes]) > 0.5
        self._kinds = {c.kind for c in outcomes}
        # A target without a code (padding) must stay finite: scale 1.
        self._loc = of_channel([c.loc for c in outcomes])
        self._scale = of_channel([c.scale - 1.0 for c in outcomes]) + 1.0
        self._levels = of_channel([c.levels for c in outcomes])
        self._mixture = mixtures.from_raw(raw[..., : 3 * components], components, truncated=False)
        # A target of another kind, or without a code, is read as counts of size 1.
        size = of_channel(
            [max(c.loc, c.scale) - 1.0 if c.kind == "count" else 0.0 for c in outcomes]
        )
        if "count" in self._kinds:
            self._counts = counts.from_raw(raw[..., : 3 * components], components, size + 1.0)
        self.logit = raw[..., 3 * components]
        self._cuts = self._ordered_cuts(raw[..., 3 * components + 1 :])

    def _ordered_cuts(self, raw):
        cuts = raw.shape[-1]
        if not cuts:
            return None
        first, rest = raw[..., :1], tf.nn.softplus(raw[..., 1:])
        points = tf.cumsum(tf.concat([first, rest + 1e-3], axis=-1), axis=-1)
        # Scales shorter than the longest close their last category at infinity.
        inside = tf.range(cuts, dtype=tf.float32) < self._levels[..., None] - 1.0
        return tf.where(inside, points, _CLOSED + tf.range(cuts, dtype=tf.float32))

    def category_probabilities(self) -> tf.Tensor:
        """P(y = r) of ordered outcomes: [..., M, R]; rows of other kinds have no meaning."""
        below = tf.sigmoid(self._cuts)
        ends = tf.zeros_like(below[..., :1])
        edges = tf.concat([ends, below, ends + 1.0], axis=-1)
        return edges[..., 1:] - edges[..., :-1]

    def _log_category_probabilities(self) -> tf.Tensor:
        """log P(y = r), [..., M, R]: log(s(b) - s(a)) = log s(b) + log s(-a) + log(1 - e^(a - b)),
        which keeps a gradient where a category is thought all but impossible."""
        ends = tf.zeros_like(self._cuts[..., :1])
        below = tf.concat([ends - _CLOSED, self._cuts], axis=-1)
        above = tf.concat([self._cuts, self._cuts[..., -1:] + _CLOSED], axis=-1)
        gap = tf.maximum(above - below, 1e-6)
        return (
            tf.math.log_sigmoid(above)
            + tf.math.log_sigmoid(-below)
            + tf.math.log(-tf.math.expm1(-gap))
        )

    def log_prob(self, outcome) -> tf.Tensor:
        """log p of each target's outcome [..., M] in natural units: [..., M].

        A binary outcome between 0 and 1 is the chance of a 1; then it is the expected log p."""
        outcome = tf.cast(outcome, tf.float32)
        result = tf.zeros_like(outcome)
        if "continuous" in self._kinds:
            value = (outcome - self._loc) / self._scale
            result = mixtures.log_prob(self._mixture, value) - tf.math.log(self._scale)
        if "binary" in self._kinds:
            bernoulli = outcome * tf.math.log_sigmoid(self.logit)
            bernoulli += (1.0 - outcome) * tf.math.log_sigmoid(-self.logit)
            result = tf.where(self._binary, bernoulli, result)
        if "ordered" in self._kinds:
            log_probability = self._log_category_probabilities()
            index = tf.cast(tf.round(outcome), tf.int32)
            code = tf.one_hot(index, log_probability.shape[-1])
            chosen = tf.reduce_sum(log_probability * code, -1)
            result = tf.where(self._ordered, chosen, result)
        if "count" in self._kinds:
            result = tf.where(self._count, counts.log_prob(self._counts, outcome), result)
        return result

    def mean_sd(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Predictive mean and standard deviation in natural units: two [..., M]."""
        mean, variance = mixtures.mean_variance(self._mixture)
        mean, variance = self._loc + self._scale * mean, tf.square(self._scale) * variance
        probability = tf.sigmoid(self.logit)
        mean = tf.where(self._binary, probability, mean)
        variance = tf.where(self._binary, probability * (1.0 - probability), variance)
        if "ordered" in self._kinds:
            weights = self.category_probabilities()
            level = tf.range(weights.shape[-1], dtype=tf.float32)
            center = tf.linalg.matvec(weights, level)
            spread = tf.reduce_sum(weights * tf.square(level - center[..., None]), -1)
            mean = tf.where(self._ordered, center, mean)
            variance = tf.where(self._ordered, spread, variance)
        if "count" in self._kinds:
            center, spread = counts.mean_variance(self._counts)
            mean = tf.where(self._count, center, mean)
            variance = tf.where(self._count, spread, variance)
        return mean, tf.sqrt(tf.maximum(variance, 0.0))

    def cdf(self, outcome) -> tf.Tensor:
        """P(y <= outcome): [..., M]."""
        result = self._cdf_but_counts(outcome)
        if "count" in self._kinds:
            result = tf.where(self._count, counts.cdf(self._counts, outcome), result)
        return result

    def _cdf_but_counts(self, outcome):
        result = mixtures.cdf(self._mixture, (outcome - self._loc) / self._scale)
        above_zero = tf.cast(outcome >= 0.0, tf.float32)
        steps = tf.where(outcome >= 1.0, 1.0, (1.0 - tf.sigmoid(self.logit)) * above_zero)
        result = tf.where(self._binary, steps, result)
        if "ordered" in self._kinds:
            weights = self.category_probabilities()
            level = tf.range(weights.shape[-1], dtype=tf.float32)
            reached = tf.cast(level <= outcome[..., None], tf.float32)
            result = tf.where(self._ordered, tf.reduce_sum(weights * reached, -1), result)
        return result

    def quantiles(self, levels=QUANTILE_LEVELS) -> tf.Tensor:
        """Quantiles of each predictive distribution: [..., M, len(levels)]."""
        low, high = mixtures.bounds(self._mixture)
        low, high = self._loc + self._scale * low, self._loc + self._scale * high
        discrete = self._binary | self._ordered
        low = tf.where(discrete, -0.5, low)
        high = tf.where(self._binary, 1.0, tf.where(self._ordered, self._levels - 1.0, high))
        result = mixtures.quantiles(self._cdf_but_counts, (low, high), levels)
        # Bisection meets a step from above by less than one part in 2^30 of the bracket.
        result = tf.where(discrete[..., None], tf.round(result), result)
        if "count" in self._kinds:
            whole = counts.quantiles(self._counts, levels)
            result = tf.where(self._count[..., None], whole, result)
        return result

    def from_uniform(self, pick, position) -> tf.Tensor:
        """One draw of every target's outcome from two independent uniforms [..., M]."""
        value = self._loc + self._scale * mixtures.from_uniform(self._mixture, pick, position)
        yes = tf.cast(position < tf.sigmoid(self.logit), tf.float32)
        value = tf.where(self._binary, yes, value)
        if "ordered" in self._kinds:
            edges = tf.cumsum(self.category_probabilities(), axis=-1)
            category = tf.reduce_sum(tf.cast(edges[..., :-1] < position[..., None], tf.int32), -1)
            value = tf.where(self._ordered, tf.cast(category, tf.float32), value)
        if "count" in self._kinds:
            value = tf.where(self._count, counts.quantile(self._counts, position), value)
        return value

    def representatives(self, pick, position) -> tuple[tf.Tensor, tf.Tensor]:
        """A few outcomes that stand for each target's distribution, and their weights.

        The first stands for 0 of a binary, ordered or count outcome, with its probability (for
        nothing, of weight 0, where the outcome is continuous); the others are drawn, evenly spread,
        from the rest: of a binary outcome that is 1.

        Args:
            pick, position: independent uniforms [A - 1, ..., M].

        Returns:
            two [..., M, A].
        """
        none = tf.where(self._binary, 1.0 - tf.sigmoid(self.logit), 0.0)
        if "ordered" in self._kinds:
            none = tf.where(self._ordered, self.category_probabilities()[..., 0], none)
        if "count" in self._kinds:
            none = tf.where(self._count, tf.exp(counts.log_prob(self._counts, 0.0 * none)), none)
        drawn, values = pick.shape[0], [tf.zeros_like(none)]
        for index in range(drawn):
            place = none + (1.0 - none) * (index + position[index]) / drawn
            value = self.from_uniform(pick[index], place)
            values.append(tf.where(self._binary, 1.0, value))
        weights = [none] + [(1.0 - none) / drawn] * drawn
        return tf.stack(values, axis=-1), tf.stack(weights, axis=-1)

    @property
    def is_binary(self) -> tf.Tensor:
        """Which targets are answered by yes or no: bool [..., M]."""
        return self._binary

    def entropy(self) -> tf.Tensor:
        """Entropy in nats of binary, ordered and count targets [..., M]; 0 for continuous ones,
        whose entropy has no closed form."""
        p = tf.sigmoid(self.logit)
        bernoulli = -p * tf.math.log_sigmoid(self.logit)
        bernoulli -= (1.0 - p) * tf.math.log_sigmoid(-self.logit)
        result = tf.where(self._binary, bernoulli, 0.0)
        if "ordered" in self._kinds:
            weights = self.category_probabilities()
            categorical = -tf.reduce_sum(tf.math.xlogy(weights, weights), -1)
            result = tf.where(self._ordered, categorical, result)
        if "count" in self._kinds:
            result = tf.where(self._count, counts.entropy(self._counts), result)
        return result

    def count_distribution(self):
        """Targets that are counts as one tensorflow_probability distribution of batch shape
        [..., M]; of other kinds it has no meaning."""
        return counts.distribution(self._counts)
