"""Mixture of Gaussian processes whose kernels the encoder proposes and the evidence weighs.

    f | g ~ GP(0, v (k_g(r) + c_g)),   y = f(x) + N(0, v s_g),   r^2 = sum_d ((x_d - x'_d) / l_gd)^2
    w_g ~ p_g int p(y | g, v) p(v) dv                            g = 1..G, n observations
    m_g(x), s_g(x)^2                                             closed forms of each process

The kernels k_g are an RBF, a Matern 3/2 or a Matern 5/2; their lengthscales l, levels c, noises s
and prior weights p are read from what the encoder has made of the context, so a few of them
suffice where a fixed grid would need hundreds. The predictive head says what it has to say in
the frame of their mixture,

    C(x) = sum_g w_g m_g(x),    W(x)^2 = sum_g w_g (s_g(x)^2 + (m_g(x) - C(x))^2),

parameters see the weights, and candidates see what one process, of the average hyper-parameters,
expects of them: its spread there, and how much it would tell about the selected targets.

Parameters given as known speak for some of the processes and of the variances v against others:
a perceptron of them and of l_g says how much, in nats. Predictions and candidates see the mixture
after that; parameters the one before, since their posterior conditions by itself.

The algebra is done in float64: covariances of close points are nearly singular, and in float32 the
order in which observations are summed would be seen in the scores.

Source: mixtures of Gaussian processes weighted by their evidence are MacKay's, "Information Theory,
Inference, and Learning Algorithms", chapter 45; the expected information is that of EPIG, Bickford
Smith et al., AISTATS 2023.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from aline_tf.models.covariance import (
    KIND_FACTORS,
    KINDS,
    Whitening,
    kernels,
    squared_gaps,
    weighted_kernels,
    whitening,
)
from aline_tf.models.layers.linear import Linear
from aline_tf.models.layers.mlp import MLP

#: Variances v that are averaged over, in standardised outcomes.
_VARIANCES = tuple(np.geomspace(0.03, 8.0, 9))
_LEAST_NOISE, _MOST_NOISE = 1e-4, 1.0
_LEAST_GAIN = 1e-5
#: Of squared correlations: beyond it 1 - square is all rounding, and would make scores of it.
_MOST_EXPLAINED = 0.99


def _exact(numbers) -> tf.Tensor:
    return tf.cast(numbers, tf.float64)


def _count(position):
    """How many points there are, as a number where that is known."""
    return tf.shape(position)[1] if position.shape[1] is None else position.shape[1]


def _shares(log_share):
    """What the evidence [B, G, V] says: itself, weights and mean variances of the processes."""
    weight = tf.nn.softmax(tf.reduce_logsumexp(log_share, axis=-1))
    variance = tf.reduce_sum(tf.nn.softmax(log_share) * _exact(_VARIANCES), axis=-1)
    return log_share, weight, variance


class Observations(NamedTuple):
    """What was measured, at S points.

    Attributes:
        position: [B, S, D], scaled to [-1, 1].
        value: [B, S], standardised, 0 where there is none.
        seen: [B, S] float, 1 where there is one.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import Observations
        >>> x, y = np.zeros([1, 2, 1]), np.array([[0.3, 0.0]])
        >>> Observations(position=x, value=y, seen=np.array([[1.0, 0.0]])).seen.shape
        (1, 2)
    """

    position: tf.Tensor
    value: tf.Tensor
    seen: tf.Tensor


class Processes(NamedTuple):
    """The processes, given the observations; in float64.

    Attributes:
        log_length: [B, G, D].
        level, noise: [B, G], c and s.
        whitening: [B, G, S, S], of the covariance of the outcomes; v = 1.
        white: [B, G, S], the outcomes after it.
        log_share: [B, G, V], log of the evidence for each process with each variance on a grid.
        weight: [B, G], w.
        variance: [B, G], posterior mean of v.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import GaussianProcessMixture, Observations, Processes
        >>> layer = GaussianProcessMixture(hidden_dim=8, dims=1, num_processes=3)
        >>> layer.build()
        >>> nothing = Observations(*(np.zeros([1, 0, *d], "float32") for d in ([1], [], [])))
        >>> processes = layer.weigh(np.zeros([1, 8], "float32"), nothing)
        >>> isinstance(processes, Processes), processes.log_length.shape
        (True, TensorShape([1, 3, 1]))
    """

    log_length: tf.Tensor
    level: tf.Tensor
    noise: tf.Tensor
    whitening: Whitening
    white: tf.Tensor
    log_share: tf.Tensor
    weight: tf.Tensor
    variance: tf.Tensor


@keras.saving.register_keras_serializable("aline_tf")
class GaussianProcessMixture(keras.layers.Layer):
    """Gaussian processes weighted by their evidence, and the three views of them.

    Args:
        hidden_dim: E.
        dims: D.
        num_processes: G, a multiple of three.
        intermediate_dim: width of hidden layers.
        num_parameters: P that may be given as known; 0 where the processes know of none.
        shortest, longest: lengthscales among which the processes start, times sqrt(D), in designs
            scaled to [-1, 1].

    Raises:
        ValueError: `num_processes` is no positive multiple of three.

    Example:
        >>> import numpy as np
        >>> from aline_tf.models.layers import GaussianProcessMixture, Observations
        >>> layer = GaussianProcessMixture(hidden_dim=8, dims=1, num_processes=3)
        >>> layer.build()
        >>> x, y = np.array([[[-0.5], [0.5]]], "float32"), np.array([[1.0, -1.0]], "float32")
        >>> data = Observations(position=x, value=y, seen=np.ones([1, 2], "float32"))
        >>> processes = layer.weigh(np.zeros([1, 8], "float32"), data)
        >>> loc, scale, tokens = layer.predict(processes, data, x)
        >>> loc.shape, processes.weight.shape
        (TensorShape([1, 2, 1]), TensorShape([1, 3]))
    """

    def __init__(
        self,
        hidden_dim=32,
        dims=1,
        num_processes=12,
        intermediate_dim=64,
        num_parameters=0,
        shortest=0.02,
        longest=1.0,
        **kwargs,
    ):
        # Positions and outcomes stay in float32, whatever the dtype policy.
        super().__init__(autocast=False, **kwargs)
        if num_processes < len(KINDS) or num_processes % len(KINDS):
            raise ValueError(
                f"Expected a positive multiple of {len(KINDS)} as num_processes. "
                f"Received: num_processes={num_processes}"
            )
        self.hidden_dim = hidden_dim
        self.dims = dims
        self.num_processes = num_processes
        self.intermediate_dim = intermediate_dim
        self.num_parameters = num_parameters
        self.shortest = shortest
        self.longest = longest
        policy = self.dtype_policy
        self.inner = Linear(
            intermediate_dim, kernel_initializer="he_normal", dtype=policy, name="inner"
        )
        # Zero at first: the processes start where they are spread.
        self.outer = Linear(
            num_processes * (dims + 3), kernel_initializer="zeros", dtype=policy, name="outer"
        )
        self.target_mlp = MLP(hidden_dim, intermediate_dim, dtype=policy, name="target_mlp")
        self.theta_mlp = MLP(hidden_dim, intermediate_dim, dtype=policy, name="theta_mlp")
        self.candidate_mlp = MLP(hidden_dim, intermediate_dim, dtype=policy, name="candidate_mlp")
        self.known_mlp = None
        if num_parameters:
            self.known_mlp = MLP(len(_VARIANCES), intermediate_dim, dtype=policy, name="known_mlp")

    def build(self, input_shape=None):
        for layer in (self.inner, self.outer):
            layer.build((None, self.hidden_dim if layer is self.inner else self.intermediate_dim))
        self.target_mlp.build((None, 3 * self.num_processes + 1))
        self.theta_mlp.build((None, self.num_processes * (self.dims + 2)))
        self.candidate_mlp.build((None, 3))
        if self.known_mlp is not None:
            self.known_mlp.build((None, None, 2 * self.num_parameters + self.dims + len(KINDS)))
        self.base = self.add_weight(
            name="base",
            shape=(self.num_processes, self.dims + 3),
            initializer=lambda shape, dtype=None: tf.constant(self._spread(), dtype),
        )
        self.variance_logits = self.add_weight(
            name="variance_logits", shape=(len(_VARIANCES),), initializer="zeros"
        )
        self.built = True

    def _spread(self):
        """Where the processes start: [G, D + 3] (log lengthscales, log level, log noise, log
        prior weight). Those of one kind are spread over the lengthscales evenly, dimension by
        dimension at another rate."""
        each = self.num_processes // len(KINDS)
        place = (np.arange(each) + 0.5) / each
        # Powers of an irrational number fill a square more evenly than chance.
        rates = 1.0 + np.arange(self.dims) * 0.6180339887 * each
        unit = np.mod(place[:, None] * rates, 1.0)
        low, high = math.log(self.shortest), math.log(self.longest)
        log_length = low + (high - low) * unit + 0.5 * math.log(self.dims)
        start = np.concatenate([log_length, np.tile([-5.0, -6.0, 0.0], (each, 1))], axis=1)
        return np.tile(start, (len(KINDS), 1)).astype(np.float32)

    def _kernel(self, gaps, log_length):
        """[B, G, S, Q] from squared gaps [B, D, S, Q], those of one kind together."""
        factors = np.repeat(KIND_FACTORS, self.num_processes // len(KINDS))[:, None]
        precision = factors * tf.exp(-2.0 * log_length)
        if self.dims == 1:
            # As a product of matrices it takes as long as the kernels.
            square = precision[..., None] * gaps
        else:
            shape = tf.shape(gaps)
            flat = tf.reshape(gaps, [shape[0], self.dims, shape[2] * shape[3]])
            square = tf.matmul(precision, flat)
            square = tf.reshape(square, [shape[0], self.num_processes, shape[2], shape[3]])
        return tf.concat(kernels(*tf.split(square, len(KINDS), axis=1)), axis=1)

    def weigh(self, summary, observations: Observations) -> Processes:
        """The processes that fit a context.

        Args:
            summary: [B, E], what the encoder has made of the context.
            observations: may be none at all.
        """
        offsets = tf.cast(self.outer(tf.nn.relu(self.inner(summary))), tf.float32)
        offsets = tf.reshape(offsets, [-1, self.num_processes, self.dims + 3])
        settings = _exact(tf.cast(tf.convert_to_tensor(self.base), tf.float32) + offsets)
        log_length, log_level, log_noise, log_prior = tf.split(
            settings, [self.dims, 1, 1, 1], axis=2
        )
        log_length = tf.clip_by_value(log_length, math.log(1e-3), math.log(30.0))
        level = tf.exp(tf.clip_by_value(log_level[..., 0], -12.0, 2.0))
        low, high = math.log(_LEAST_NOISE), math.log(_MOST_NOISE)
        noise = tf.exp(tf.clip_by_value(log_noise[..., 0], low, high))

        position, value, seen = map(_exact, observations)
        both = seen[:, None, :, None] * seen[:, None, None]
        matrix = self._kernel(squared_gaps(position, position), log_length)
        matrix = (matrix + level[..., None, None]) * both
        # What was not observed is measured apart, with variance one, as zero.
        own = noise[..., None] * seen[:, None] + (1.0 - seen[:, None])
        whitener = whitening(matrix + tf.linalg.diag(own))
        column = tf.tile(value[:, None, :, None], [1, self.num_processes, 1, 1])
        white = whitener.white(column)[..., 0]
        fit = 0.5 * tf.reduce_sum(tf.square(white), axis=-1)
        count = tf.reduce_sum(seen, axis=1)[:, None, None]
        grid = tf.constant(_VARIANCES, tf.float64)
        log_grid = tf.nn.log_softmax(_exact(tf.convert_to_tensor(self.variance_logits)))
        log_share = log_grid - 0.5 * count * tf.math.log(grid) - fit[..., None] / grid
        log_share += log_prior - whitener.half_log_det()[..., None]
        return Processes(log_length, level, noise, whitener, white, *_shares(log_share))

    def condition_on(self, processes: Processes, known) -> Processes:
        """The processes as parameters that are known leave them.

        Args:
            processes: of `weigh`.
            known: [B, 2 P], which parameters are known and their scaled values.
        """
        known = tf.cast(known, tf.float32)
        some = tf.cast(known[:, : self.num_parameters] > 0, tf.float32)
        some = tf.reduce_max(some, axis=1)[:, None, None]
        each = tf.repeat(known[:, None], self.num_processes, axis=1)
        log_length = tf.cast(processes.log_length, tf.float32)
        kind = tf.repeat(tf.eye(len(KINDS)), self.num_processes // len(KINDS), axis=0)
        kind = tf.repeat(kind[None], tf.shape(known)[0], axis=0)
        nats = tf.cast(self.known_mlp(tf.concat([each, log_length, kind], axis=2)), tf.float32)
        shares = _shares(processes.log_share + _exact(some * nats))
        return Processes(*processes[: -len(shares)], *shares)

    def predict(self, processes: Processes, observations: Observations, position):
        """Frame and token of every predictive target.

        Args:
            position: [B, M, D], scaled to [-1, 1].

        Returns:
            the centre [B, M, 1] and the width [B, M, 1] of the frame, float32, in standardised
            outcomes; and what to add to the targets' tokens, [B, M, E].
        """
        gaps = squared_gaps(_exact(observations.position), _exact(position))
        cross = self._kernel(gaps, processes.log_length) + processes.level[..., None, None]
        # Laid out first: two small axes in one large product are slow.
        seen = _exact(observations.seen)[:, None, :, None]
        cross *= tf.broadcast_to(seen, tf.shape(gaps[:, :1]))
        explained = processes.whitening.white(cross)
        mean = tf.linalg.matvec(explained, processes.white, transpose_a=True)
        total = (1.0 + processes.level + processes.noise)[..., None]
        share = tf.maximum(total - tf.reduce_sum(tf.square(explained), axis=2), _LEAST_NOISE)
        variance = processes.variance[..., None] * share
        weight = processes.weight[..., None]
        center = tf.reduce_sum(weight * mean, axis=1, keepdims=True)
        spread = variance + tf.square(mean - center)
        width = tf.sqrt(tf.reduce_sum(weight * spread, axis=1, keepdims=True))
        view = [
            (mean - center) / width,
            0.5 * tf.math.log(variance) - tf.math.log(width),
            tf.broadcast_to(weight, tf.shape(mean)),
            tf.math.log(width),
        ]
        view, center, width = (
            tf.cast(tf.transpose(each, [0, 2, 1]), tf.float32)
            for each in (tf.concat(view, axis=1), center, width)
        )
        return center, width, self.target_mlp(view)

    def hyperparameters(self, processes: Processes):
        """What to add to the parameters' tokens: [B, 1, E]."""
        rows, size = tf.shape(processes.weight)[0], self.num_processes * self.dims
        view = [
            3.0 * processes.weight,
            tf.math.log(processes.variance),
            tf.reshape(processes.log_length, [rows, size]),
        ]
        return self.theta_mlp(tf.cast(tf.concat(view, axis=1), tf.float32))[:, None]

    def prospects(
        self, processes: Processes, observations: Observations, position, target, selected
    ):
        """What to add to the candidates' tokens, [B, N, E]: the view of `expectations`, read and
        not taught.

        Args:
            processes, observations: as of `weigh`.
            position: [B, N, D] of the candidates, `target` [B, M, D] of the targets, both scaled
                to [-1, 1].
            selected: bool [B, M].
        """
        view = self.expectations(processes, observations, position, target, selected)
        log_sd, usual, gain = map(tf.stop_gradient, view)
        view = [log_sd + 2.0, log_sd - usual, 0.5 * tf.math.log(gain + _LEAST_GAIN) + 2.0]
        return self.candidate_mlp(tf.stack(view, axis=-1))

    def expectations(
        self, processes: Processes, observations: Observations, position, target, selected
    ):
        """What one process of the average hyper-parameters expects of an outcome at candidates.

        Args:
            position: [B, N, D] of the candidates, `target` [B, M, D] of the targets, both scaled
                to [-1, 1].
            selected: bool [B, M].

        Returns:
            log of the predictive standard deviation [B, N]; its mean over the selected targets
            [B, 1]; the information about an outcome at a selected target, averaged over them, in
            nats [B, N]. The last two are 0 where no target is selected.
        """
        observations = Observations(*map(_exact, observations))
        # A weight of zero does not silence NaN.
        target = tf.where(selected[..., None], target, 0.0)
        points = tf.concat([position, target], axis=1)
        others = tf.stack([processes.level, processes.noise, processes.variance], axis=2)
        average = tf.concat([processes.log_length, tf.math.log(others)], axis=2)
        average = tf.exp(tf.linalg.matvec(average, processes.weight, transpose_a=True))
        length, level, noise, variance = tf.split(average, [self.dims, 1, 1, 1], axis=1)
        kinds = tf.reduce_sum(
            tf.reshape(processes.weight, [-1, len(KINDS), self.num_processes // len(KINDS)]), axis=2
        )

        seen, size, count = observations.seen, *map(_count, (observations.position, position))
        place, points = (_exact(each) / length[:, None] for each in (observations.position, points))
        both = weighted_kernels(place, tf.concat([place, points], axis=1), kinds)
        both = (tf.add_n(both) + level[..., None]) * seen[..., None]
        own, cross = both[:, :, :size] * seen[:, None], both[:, :, size:]
        own += tf.linalg.diag(noise * seen + (1.0 - seen))
        explained = whitening(own).white(cross)
        share = 1.0 + level + noise - tf.reduce_sum(tf.square(explained), axis=1)
        share = tf.maximum(share, noise)
        common = tf.matmul(-explained[:, :, :count], explained[:, :, count:], transpose_a=True)
        between = weighted_kernels(points[:, :count], points[:, count:], kinds)
        between = tf.add_n([*between, common + level[..., None]])
        # From here on nothing is subtracted that is nearly equal.
        between = tf.cast(between, tf.float32)
        log_sd = tf.cast(0.5 * tf.math.log(share * variance), tf.float32)
        precision = tf.cast(1.0 / share, tf.float32)
        # Minus the squared correlation of two outcomes.
        explained = tf.square(between) * -precision[:, :count, None] * precision[:, None, count:]
        gain = tf.math.log1p(tf.maximum(explained, -_MOST_EXPLAINED))
        selected = tf.cast(selected, tf.float32)
        many = tf.reduce_sum(selected, axis=1, keepdims=True)
        gain = tf.math.divide_no_nan(tf.linalg.matvec(gain, -0.5 * selected), many)
        # Of the targets, not of the other candidates: nobody sees those.
        usual = tf.math.divide_no_nan(tf.linalg.matvec(log_sd[:, None, count:], selected), many)
        return log_sd[:, :count], usual, gain

    def get_config(self):
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "dims": self.dims,
            "num_processes": self.num_processes,
            "intermediate_dim": self.intermediate_dim,
            "num_parameters": self.num_parameters,
            "shortest": self.shortest,
            "longest": self.longest,
        }
