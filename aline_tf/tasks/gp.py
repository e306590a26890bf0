"""Active learning of a function drawn from a Gaussian process, in one or two dimensions.

    kernel k ~ one of RBF, Matern 3/2, Matern 5/2, equally likely
    variance s ~ U(.1, 1)
    lengthscale l_j ~ U(.1, 2) sqrt(D), one for all dimensions with probability 1/2
    f ~ GP(0, s k(r)),  r^2 = sum_j ((x_j - x'_j) / l_j)^2
    y = f(x) + N(0, .01^2),  x in [-5, 5]^D

An episode starts with one observed point. Half of the rows are after the outcomes at M test
inputs, half after the variance and the lengthscales: one model serves both. Which kernel it was
is never told; outcomes are correlated given theta, so that their likelihood is that of a history,

    p(y_1, ..., y_C | x_1, ..., x_C, theta) = mean over k of N(y; 0, s k(r) + .01^2 I).

Source: ALINE (arXiv 2506.07259), GP active learning; its "output scale" multiplies the kernel,
so it is a variance.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.batch_ops import repeat
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task

NOISE = 0.01
KERNELS = ("rbf", "matern32", "matern52")
SHARED = 0.5
HORIZONS = {1: 30, 2: 50}
VARIANCE = (0.1, 1.0)
LENGTHSCALE = (0.1, 2.0)
_EDGE = 5.0
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
#: Draws by which a teacher of hyper-parameters stands for their posterior: so many from the prior
#: and as many at each of these distances (of logarithms) around the truth.
_DRAWS_EACH, _AROUND = 4, (0.05, 0.15, 0.5)
#: Draws of theta whose likelihoods are worked out together.
_AT_ONCE = 256
#: Standard deviation of y over the prior: the root of the mean variance.
_OUTCOME_SCALE = round(math.sqrt(sum(VARIANCE) / 2.0 + NOISE**2), 3)


#: With a^2 = rate r^2 (for the RBF kernel a = rate r^2), every kernel of unit variance is
#: (1 + b a + c a^2) exp(-a); rate, b and c in the order of `KERNELS`.
_RATE, _LINEAR, _SQUARE = (0.5, 3.0, 5.0), (0.0, 1.0, 1.0), (0.0, 0.0, 1.0 / 3.0)


def covariance(design, variance, lengthscale, kernel) -> tf.Tensor:
    """Prior covariance of f at designs [B, N, D]: [B, N, N].

    Args:
        variance: [B].
        lengthscale: [B, D].
        kernel: int32 [B], an index into `KERNELS`.
    """

    def of_row(values):
        return tf.gather(tf.constant(values), kernel)[:, None, None]

    away = tf.zeros([])
    # Dimension by dimension: differences, not an expanded square, keep their digits.
    for x, length in zip(
        tf.unstack(design, axis=-1), tf.unstack(lengthscale, axis=-1), strict=True
    ):
        gap = (x[:, :, None] - x[:, None, :]) / length[:, None, None]
        away += of_row(_RATE) * tf.square(gap)
    away = tf.where(kernel[:, None, None] == KERNELS.index("rbf"), away, tf.sqrt(away))
    scale = 1.0 + away * (of_row(_LINEAR) + of_row(_SQUARE) * away)
    return variance[:, None, None] * scale * tf.exp(-away)


@functools.cache
def _outcome_covariance(dims):
    """Covariance of outcomes, as `covariance` of `dims` dimensions takes its arguments: one fused
    loop over the pairs, a third of the time of one operation after another."""
    shapes = [None, None, dims], [None], [None, dims]
    signature = [*map(tf.TensorSpec, shapes), tf.TensorSpec([None], tf.int32)]

    @tf.function(input_signature=signature, jit_compile=True, autograph=False)
    def outcome_covariance(design, variance, lengthscale, kernel):
        matrix = covariance(design, variance, lengthscale, kernel)
        return matrix + NOISE**2 * tf.eye(tf.shape(design)[1])

    return outcome_covariance


class _Conditioned(NamedTuple):
    """A process given its context, at points [R, Q, D].

    Attributes:
        prior: [R, Q, Q], covariance of f before anything was seen.
        explained: [R, C, Q], the whitened observations' part in it.
        mean, variance: [R, Q], of outcomes.
        log_evidence: [R], of the context, up to a constant.
    """

    prior: tf.Tensor
    explained: tf.Tensor
    mean: tf.Tensor
    variance: tf.Tensor
    log_evidence: tf.Tensor


def _conditioned(state, points, theta, kernel) -> _Conditioned:
    """Processes [R] of given theta [R, P] and kernel [R] on the contexts of R states."""
    mask = state["context_mask"]
    seen, count = tf.cast(mask, tf.float32), tf.shape(mask)[1]
    context = tf.where(mask[..., None], state["context_design"], 0.0)
    value = tf.where(mask[..., None], state["context_outcome"], 0.0)
    prior = covariance(tf.concat([context, points], axis=1), theta[:, 0], theta[:, 1:], kernel)
    own = prior[:, :count, :count] * seen[:, :, None] * seen[:, None]
    # A point that is not there is measured apart, with variance one.
    factor = tf.linalg.cholesky(own + tf.linalg.diag(NOISE**2 * seen + (1.0 - seen)))
    cross = prior[:, :count, count:] * seen[:, :, None]
    solved = tf.linalg.triangular_solve(factor, tf.concat([cross, value], axis=2))
    explained, white = solved[..., :-1], solved[..., -1]
    variance = theta[:, :1] + NOISE**2 - tf.reduce_sum(tf.square(explained), axis=1)
    log_det = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(factor)), axis=1)
    return _Conditioned(
        prior=prior[:, count:, count:],
        explained=explained,
        mean=tf.linalg.matvec(explained, white, transpose_a=True),
        variance=tf.maximum(variance, NOISE**2),
        log_evidence=-0.5 * tf.reduce_sum(tf.square(white), axis=1) - log_det,
    )


def _in_parts(function, theta):
    """`function` of theta [R, I, P], I whatever it is, a few at a time: matrices of a thousand
    draws and a hundred outcomes would fill the memory."""
    rows, count, parameters = tf.unstack(tf.shape(theta))
    parts = (count + _AT_ONCE - 1) // _AT_ONCE
    behind = tf.repeat(theta[:, :1], parts * _AT_ONCE - count, axis=1)
    whole = tf.reshape(tf.concat([theta, behind], 1), [rows, parts, _AT_ONCE, parameters])
    found = tf.map_fn(function, tf.transpose(whole, [1, 0, 2, 3]))
    return tf.reshape(tf.transpose(found, [1, 0, 2]), [rows, parts * _AT_ONCE])[:, :count]


class GaussianProcess(Task):
    """The task above.

    Args:
        dims: D, 1 or 2 in the paper.
        predictions: M, test inputs of an episode.
    """

    def __init__(self, dims: int = 1, predictions: int = 100):
        if dims < 1 or predictions < 1:
            raise ValueError(
                "Expected dims >= 1 and predictions >= 1. "
                f"Received: dims={dims}, predictions={predictions}"
            )
        self.dims = dims
        self.predictions = predictions
        self._low, self._high = (bound * math.sqrt(dims) for bound in LENGTHSCALE)
        outcome = Channel("y", scale=_OUTCOME_SCALE)
        self.spec = TaskSpec(
            name=f"gp{dims}d",
            design_names=tuple(f"x{j + 1}" for j in range(dims)),
            design_low=(-_EDGE,) * dims,
            design_high=(_EDGE,) * dims,
            fields=(outcome,),
            outcomes=(outcome,),
            parameters=(
                Parameter("variance", low=VARIANCE[0], high=VARIANCE[1], scales_with=(("y", 2),)),
                *(
                    Parameter(
                        f"lengthscale_{j + 1}",
                        low=self._low,
                        high=self._high,
                        scales_with=((f"x{j + 1}", 1),),
                    )
                    for j in range(dims)
                ),
            ),
            horizon=HORIZONS.get(dims, HORIZONS[2]),
            any_scale=True,
        )

    def sample_theta(self, seed, batch):
        variance_seed, length_seed, shared_seed = draws.split(seed, 3)
        length = draws.uniform(length_seed, [batch, self.dims], self._low, self._high)
        shared = draws.uniform(shared_seed, [batch, 1]) < SHARED
        length = tf.where(shared, length[:, :1], length)
        variance = draws.uniform(variance_seed, [batch, 1], *VARIANCE)
        return tf.concat([variance, length], axis=1)

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, self.dims], -_EDGE, _EDGE)

    def sample_kernel(self, seed, batch):
        """Which kernel each row has: int32 [B], indices into `KERNELS`."""
        return draws.categorical(seed, tf.zeros([batch, len(KERNELS)]))

    def simulate(self, theta, design, seed):
        """One function for each row, seen with noise at all its designs together; the kernel is
        drawn here. Two calls see two functions."""
        kernel_seed, noise_seed = draws.split(seed, 2)
        kernel = self.sample_kernel(kernel_seed, tf.shape(design)[0])
        return self.simulate_with(kernel, theta, design, noise_seed)

    def simulate_with(self, kernel, theta, design, seed):
        """As `simulate`, the kernels [B] given."""
        batch, count = tf.shape(design)[0], tf.shape(design)[1]
        # y is drawn, not f: the noise lifts every eigenvalue to 1e-4, a hundred times the rounding
        # of 600 points in single precision, so the factorisation needs no jitter of its own.
        matrix = _outcome_covariance(self.dims)(design, theta[:, 0], theta[:, 1:], kernel)
        return tf.linalg.cholesky(matrix) @ draws.normal(seed, [batch, count, 1])

    def history_log_likelihood(self, theta, design, outcome, seen):
        """log p of the outcomes that were seen, the kernel not being known: [R, I], in nats.

        In float64: the noise is a hundredth of what it is added to.

        Args:
            theta: [R, I, P].
            design: [R, C, D].
            outcome: [R, C, 1].
            seen: bool [R, C].
        """
        count = tf.shape(design)[1]
        present = tf.cast(seen, tf.float64)
        value = tf.where(seen, tf.cast(outcome[..., 0], tf.float64), 0.0)
        place = tf.cast(tf.where(seen[..., None], design, 0.0), tf.float64)
        gaps = tf.square(place[:, :, None] - place[:, None])
        gaps = tf.reshape(gaps, [tf.shape(design)[0], count * count, self.dims])
        both = (present[:, :, None] * present[:, None])[:, None]
        # What was not seen is a standard normal of its own, seen at 0.
        own = tf.linalg.diag(NOISE**2 * present + (1.0 - present))[:, None]
        column = tf.where(seen, value, 0.0)[:, None, :, None]

        def of_some(theta):
            theta = tf.cast(theta, tf.float64)
            square = tf.matmul(1.0 / tf.square(theta[..., 1:]), gaps, transpose_b=True)
            square = tf.reshape(square, [*tf.unstack(tf.shape(theta)[:2]), count, count])
            return tf.cast(self._log_evidence(square, theta[..., 0], both, own, column), tf.float32)

        count_of_draws = theta.shape[1]
        if count_of_draws is not None and count_of_draws <= _AT_ONCE:
            found = of_some(theta)
        else:
            found = _in_parts(of_some, theta)
        return found - _LOG_SQRT_2PI * tf.reduce_sum(tf.cast(seen, tf.float32), 1, keepdims=True)

    def _log_evidence(self, square, variance, both, own, column):
        """Mean over the kernels, up to a constant: [R, I] of squared distances [R, I, C, C]."""
        found = []
        for kernel, _ in enumerate(KERNELS):
            away = _RATE[kernel] * square
            away = away if KERNELS[kernel] == "rbf" else tf.sqrt(away)
            scale = 1.0 + away * (_LINEAR[kernel] + _SQUARE[kernel] * away)
            matrix = variance[..., None, None] * scale * tf.exp(-away) * both + own
            factor = tf.linalg.cholesky(matrix)
            value = tf.broadcast_to(column, [*tf.unstack(tf.shape(matrix)[:3]), 1])
            white = tf.linalg.triangular_solve(factor, value)
            log_det = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(factor)), axis=-1)
            found.append(-0.5 * tf.reduce_sum(tf.square(white), axis=[-2, -1]) - log_det)
        return tf.reduce_logsumexp(tf.stack(found), axis=0) - math.log(len(KERNELS))

    def expected_gain(self, state):
        """What an outcome at each candidate is expected to tell, to teach a policy: [R, N] nats.

        Rows after test inputs: by how much the logarithm of the root mean square error there is
        expected to fall, for known variance and lengthscales,

            1/2 log mean Var[y(x*) | D] - 1/2 log mean Var[y(x*) | D, y(x)]    over x*

        The mean of the logarithms instead (expected predictive information, EPIG) makes what is
        well known even better known; after 30 measurements in 1D its error is a fifth larger.
        Which kernel a row has is not part of theta: Matern 5/2 stands between the other two.
        Rows after theta: see `hyperparameter_gain`.

        Source: Cohn, Ghahramani and Jordan, JAIR 4 (1996), for processes Seo et al., IJCNN 2000.
        """
        theta = state["theta"]
        kernel = tf.fill([tf.shape(theta)[0]], KERNELS.index("matern52"))
        pool = tf.shape(state["candidate_design"])[1]
        points = tf.concat([state["candidate_design"], state["target_design"]], axis=1)
        points = tf.where(tf.math.is_finite(points), points, 0.0)
        found = _conditioned(state, points, theta, kernel)
        explained, variance = found.explained, found.variance
        covariances = found.prior[:, :pool, pool:] - tf.matmul(
            explained[:, :, :pool], explained[:, :, pool:], transpose_a=True
        )
        wanted = tf.cast(state["target_mask"], tf.float32)
        drop = tf.linalg.matvec(tf.square(covariances), wanted) / variance[:, :pool]
        before = tf.reduce_sum(wanted * variance[:, pool:], axis=1, keepdims=True)
        share = tf.minimum(tf.math.divide_no_nan(drop, before), 1.0 - 1e-6)
        predictive = -0.5 * tf.math.log1p(-share)
        after_theta = tf.reduce_any(state["theta_mask"], axis=1, keepdims=True)
        return tf.where(after_theta, self.hyperparameter_gain(state), predictive)

    def hyperparameter_gain(self, state):
        """What an outcome at each candidate is expected to tell about kernel, variance and
        lengthscales: [R, N] nats, the outcome's mixture being taken for a normal distribution,

            1/2 log Var[y | D] - E 1/2 log Var[y | D, theta, kernel]

        The posterior is that of a few draws, weighed by their evidence: some of them from the
        prior, others around the truth, which a teacher knows, at several distances. Equal states
        give equal draws.
        """
        theta = state["theta"]
        rows, parameters = tf.shape(theta)[0], len(self.spec.parameters)
        low = tf.constant([parameter.low for parameter in self.spec.parameters])
        high = tf.constant([parameter.high for parameter in self.spec.parameters])
        shape = [rows, _DRAWS_EACH, parameters]
        seeds = draws.split(draws.as_seed(0), 2 + len(_AROUND))
        parts = [draws.uniform(seeds[0], shape, low, high)]
        for seed, distance in zip(seeds[2:], _AROUND, strict=True):
            parts.append(theta[:, None] * tf.exp(draws.normal(seed, shape, 0.0, distance)))
        drawn = tf.concat(parts, axis=1)
        inside = tf.reduce_all((drawn >= low) & (drawn <= high), axis=-1)
        drawn = tf.clip_by_value(drawn, low, high)
        # The density of all the places that a draw may have come from, up to a constant.
        away = tf.math.log(drawn / theta[:, None])
        places = [-tf.reduce_sum(tf.math.log(high - low)) + 0.0 * away[..., 0]]
        for distance in _AROUND:
            normal = -0.5 * tf.square(away / distance) - math.log(distance) - _LOG_SQRT_2PI
            places.append(tf.reduce_sum(normal - tf.math.log(drawn), axis=-1))
        log_proposal = tf.reduce_logsumexp(tf.stack(places), axis=0)

        count = drawn.shape[1]
        flat = tf.reshape(drawn, [rows * count, parameters])
        kernel = self.sample_kernel(seeds[1], rows * count)
        names = ("context_design", "context_outcome", "context_mask", "candidate_design")
        repeated = repeat({name: state[name] for name in names}, count)
        found = _conditioned(repeated, repeated["candidate_design"], flat, kernel)
        log_weight = tf.reshape(found.log_evidence, [rows, count]) - log_proposal
        weight = tf.nn.softmax(tf.where(inside, log_weight, -1e9))[..., None]
        mean, variance = (
            tf.reshape(each, [rows, count, -1]) for each in (found.mean, found.variance)
        )
        middle = tf.reduce_sum(weight * mean, axis=1, keepdims=True)
        total = tf.reduce_sum(weight * (variance + tf.square(mean - middle)), axis=1)
        known = tf.reduce_sum(weight * tf.math.log(variance), axis=1)
        return 0.5 * tf.maximum(tf.math.log(total) - known, 0.0)

    def sample_episodes(self, seed, batch, candidates):
        """Episodes with C = 1 and M predictive targets; each row is after its targets or after
        theta."""
        theta_seed, design_seed, outcome_seed, side_seed = draws.split(seed, 4)
        parameters = len(self.spec.parameters)
        sizes = [1, candidates, self.predictions]
        theta = self.sample_theta(theta_seed, batch)
        design = self.sample_designs(design_seed, batch, sum(sizes))
        outcome = self.simulate(theta, design, outcome_seed)
        context, pool, inputs = tf.split(design, sizes, axis=1)
        seen, hidden, answers = tf.split(outcome, sizes, axis=1)
        predicts = draws.uniform(side_seed, [batch, 1]) < 0.5
        return {
            "context_design": context,
            "context_outcome": seen,
            "context_status": tf.fill([batch, 1, 1], OBSERVED),
            "context_mask": tf.ones([batch, 1], tf.bool),
            "known_theta": tf.zeros([batch, parameters]),
            "known_mask": tf.zeros([batch, parameters], tf.bool),
            "theta_mask": tf.repeat(~predicts, parameters, axis=1),
            "target_design": inputs,
            "target_mask": tf.repeat(predicts, self.predictions, axis=1),
            "candidate_design": pool,
            "candidate_mask": tf.ones([batch, candidates], tf.bool),
            "theta": theta,
            "theta_observed": tf.ones([batch, parameters], tf.bool),
            "target_outcome": answers[..., 0],
            "target_observed": tf.ones([batch, self.predictions], tf.bool),
            "candidate_outcome": hidden,
            "candidate_status": tf.fill([batch, candidates, 1], OBSERVED),
            "candidate_cost": tf.ones([batch, candidates]),
        }


class GP1D(GaussianProcess):
    """In one dimension: the prior of its hyper-parameters has a density.

    Example:
        >>> from aline_tf import draws
        >>> from aline_tf.tasks import GP1D
        >>> GP1D().sample_episodes(draws.as_seed(0), 2, 5)["target_design"].shape
        TensorShape([2, 100, 1])
    """

    def __init__(self):
        super().__init__(1)

    def log_prior(self, theta):
        """log p(theta) of theta [..., 2] between the bounds: [...]."""
        spans = [parameter.high - parameter.low for parameter in self.spec.parameters]
        return tf.zeros_like(theta[..., 0]) - math.log(math.prod(spans))


class GP2D(GaussianProcess):
    """In two dimensions.

    Example:
        >>> from aline_tf.tasks import GP2D
        >>> GP2D().spec.design_names
        ('x1', 'x2')
    """

    def __init__(self):
        super().__init__(2)
