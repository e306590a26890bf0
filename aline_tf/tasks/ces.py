"""Constant elasticity of substitution: which of two baskets, and by how much, does a person prefer?

A design x = (z, z') is two baskets of three goods, each amount in [0, 100].

    U(z) = (sum_i alpha_i z_i^rho)^(1/rho)                        what a basket is worth
    eta ~ N(u (U(z) - U(z')), u^2 tau^2 (1 + ||z - z'||)^2)       tau = .005
    y   = clip(sigmoid(eta), eps, 1 - eps)                        eps = 2^-22, a slider between 0, 1

    rho ~ U(0, 1)    alpha ~ Dirichlet(1, 1, 1)    log u ~ N(1, 3^2)

About a third of the answers stand at each end of the slider, and near 1 float32 cannot tell them
apart. An answer is therefore kept as three fields: logit(y), which is eta clipped to +-15.2, and
whether it stands at the low or the high end. The likelihood is a density in logit(y) between the
ends and a probability at them.

The three shares sum to one. All three are parameters, so that each can be a target, but the
likelihood and the prior read the first two: alpha_3 = 1 - alpha_1 - alpha_2.

Source: ALINE (arXiv 2506.07259), CES experiment; the model is that of Baltussen et al. (2001).
"""

from __future__ import annotations

import math

import tensorflow as tf

from aline_tf import draws
from aline_tf.errors import InputError
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import ColumnLikelihood, Task

GOODS = 3
LARGEST = 100.0
TAU = 0.005
CLIP = 2.0**-22
#: logit(1 - CLIP), in double precision.
LOGIT_CLIP = math.log1p(-CLIP) - math.log(CLIP)
#: From here on a logit stands at an end.
_AT_END = LOGIT_CLIP - 1e-3
LOG_U_MEAN, LOG_U_SD = 1.0, 3.0
_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
#: Distances between the two baskets of a close pair.
CLOSE_DISTANCES = (4.0, 60.0)
#: Amounts below this count as this much: their logarithm is taken.
_SMALLEST = 1e-6

SPEC = TaskSpec(
    name="ces",
    design_names=tuple(f"{basket}_good{i + 1}" for basket in ("first", "second") for i in range(3)),
    design_low=(0.0,) * 6,
    design_high=(LARGEST,) * 6,
    fields=(
        # Spread and shares under the prior and uniform baskets, from 10^6 simulated answers.
        Channel("logit", scale=12.65, description="logit of the slider, 0 for no preference"),
        Channel("at_low", "binary", loc=0.32, scale=0.465, description="slider at its low end"),
        Channel("at_high", "binary", loc=0.32, scale=0.465, description="slider at its high end"),
    ),
    outcomes=(Channel("prefers_first", "binary", description="slider above its middle"),),
    parameters=(
        Parameter("rho", description="1: goods replace each other; towards 0: they do not"),
        *(
            Parameter(f"alpha_{i + 1}", description=f"share of good {i + 1} in the worth")
            for i in range(GOODS)
        ),
        Parameter(
            "log_u", "real", loc=LOG_U_MEAN, scale=LOG_U_SD, description="log of the sensitivity"
        ),
    ),
    horizon=10,
)


def log_normal_cdf(x) -> tf.Tensor:
    """log Phi(x) in float32, to about one part in 10^6 however far the tail."""
    near = tf.math.log(0.5 * tf.math.erfc(-tf.maximum(x, -10.0) * math.sqrt(0.5)))
    # Beyond, Phi(x) = phi(x) / -x * (1 - 1/x^2 + 3/x^4 - 15/x^6 ...).
    far = tf.minimum(x, -10.0)
    inverse = 1.0 / tf.square(far)
    series = inverse * (-1.0 + inverse * (3.0 - 15.0 * inverse))
    tail = -0.5 * tf.square(far) - _LOG_SQRT_2PI - tf.math.log(-far) + tf.math.log1p(series)
    return tf.where(x < -10.0, tail, near)


def basket_worth(rho, alpha, basket) -> tf.Tensor:
    """U for rho [...], alpha [..., 3] that sum to one and basket [..., 3]: [...].

    With l_i = log z_i and m = sum_i alpha_i l_i,

        log U = m + log1p(sum_i alpha_i expm1(rho (l_i - m))) / rho,

    which keeps its digits as rho goes to 0, where U is the geometric mean exp(m).
    """
    amount = tf.math.log(tf.maximum(basket, _SMALLEST))
    center = tf.reduce_sum(alpha * amount, axis=-1)
    away = tf.math.expm1(rho[..., None] * (amount - center[..., None]))
    return tf.exp(center + tf.math.log1p(tf.reduce_sum(alpha * away, axis=-1)) / rho)


def _preference(theta, design):
    """eta / u of theta [..., 5] and design [..., 6]: mean and standard deviation, both [...],
    and log u."""
    rho, first, second, _, log_u = tf.unstack(theta, axis=-1)
    # Off the simplex, where the prior has no mass, what follows only has to be finite.
    alpha = tf.stack([first, second, tf.maximum(1.0 - first - second, 0.0)], axis=-1)
    alpha /= tf.reduce_sum(alpha, axis=-1, keepdims=True)
    one, other = design[..., :GOODS], design[..., GOODS:]
    mean = basket_worth(rho, alpha, one) - basket_worth(rho, alpha, other)
    return mean, TAU * (1.0 + tf.norm(one - other, axis=-1)), log_u


class CES(Task):
    """The task above; theta is (rho, alpha_1, alpha_2, alpha_3, log_u).

    Args:
        close: share of designs whose two baskets lie 4 to 60 apart, in log-uniform distances; the
            other designs are uniform, and so are all of them where it is 0, as in the paper. What
            a sensitive person answers is informative only when the baskets are nearly worth the
            same. One uniform pair in a thousand is as close as 7, so that a policy that learns
            from pools of a hundred meets none, and one that picks from thousands wants them.

    Raises:
        ValueError: `close` is not a number in [0, 1].

    Example:
        >>> from aline_tf import draws
        >>> from aline_tf.tasks import CES
        >>> task = CES(close=0.5)
        >>> theta = task.sample_theta(draws.as_seed(0), 3)
        >>> design = task.sample_designs(draws.as_seed(1), 3, 7)
        >>> task.simulate(theta, design, draws.as_seed(2)).shape
        TensorShape([3, 7, 3])
    """

    spec = SPEC

    def __init__(self, close: float | str = 0.0):
        self.close = float(close)
        if not 0.0 <= self.close <= 1.0:
            raise ValueError(f"Expected close in [0, 1]. Received: close={close}")

    def feature_layers(self) -> dict:
        from aline_tf.tasks.ces_features import CESDesignFeatures, CESOutcomeFeatures

        return {
            "design_features": CESDesignFeatures(),
            "outcome_features": CESOutcomeFeatures(),
        }

    def sample_theta(self, seed, batch):
        rho_seed, alpha_seed, u_seed = draws.split(seed, 3)
        # Shares of three standard exponentials are Dirichlet(1, 1, 1).
        parts = -tf.math.log(draws.uniform(alpha_seed, [batch, GOODS]))
        return tf.concat(
            [
                draws.uniform(rho_seed, [batch, 1]),
                parts / tf.reduce_sum(parts, axis=-1, keepdims=True),
                draws.normal(u_seed, [batch, 1], LOG_U_MEAN, LOG_U_SD),
            ],
            axis=-1,
        )

    def sample_designs(self, seed, batch, count):
        design = draws.uniform(seed, [batch, count, 2 * GOODS], 0.0, LARGEST)
        if not self.close:
            return design
        choice_seed, way_seed, length_seed = draws.split(draws.fold_in(seed, 1), 3)
        way = draws.normal(way_seed, [batch, count, GOODS])
        way /= tf.norm(way, axis=-1, keepdims=True)
        shortest, longest = (math.log(length) for length in CLOSE_DISTANCES)
        length = tf.exp(draws.uniform(length_seed, [batch, count, 1], shortest, longest))
        # Reflected at the walls, where cutting off would heap up equal amounts.
        near = tf.abs(design[..., :GOODS] + length * way)
        near = LARGEST - tf.abs(LARGEST - near)
        close = draws.uniform(choice_seed, [batch, count, 1]) < self.close
        other = tf.where(close, near, design[..., GOODS:])
        return tf.concat([design[..., :GOODS], other], axis=-1)

    def simulate(self, theta, design, seed):
        mean, sd, log_u = _preference(theta[:, None], design)
        eta = tf.exp(log_u) * (mean + sd * draws.normal(seed, tf.shape(mean)))
        return tf.stack(
            [
                tf.clip_by_value(eta, -LOGIT_CLIP, LOGIT_CLIP),
                tf.cast(eta <= -LOGIT_CLIP, tf.float32),
                tf.cast(eta >= LOGIT_CLIP, tf.float32),
            ],
            axis=-1,
        )

    def check_outcome(self, outcome, observed):
        if not all(observed):
            return
        logit, at_low, at_high = (float(number) for number in outcome)
        low, high = logit <= -_AT_END, logit >= _AT_END
        if abs(logit) > LOGIT_CLIP + 1e-3 or (low, high) != (at_low > 0.5, at_high > 0.5):
            raise InputError(
                f"expected a logit from {-LOGIT_CLIP:.3f}, where at_low is 1, to {LOGIT_CLIP:.3f}, "
                "where at_high is 1, both of them 0 between; received "
                f"logit={logit:g}, at_low={at_low:g}, at_high={at_high:g}"
            )

    #: Where the normal outcome of `normal_outcome` is cut off.
    outcome_bounds = (-LOGIT_CLIP, LOGIT_CLIP)

    def normal_outcome(self, theta, design):
        """Mean and standard deviation of eta for theta [..., 5] and design [..., 6]: both [...]."""
        mean, sd, log_u = _preference(theta, design)
        return tf.exp(log_u) * mean, tf.exp(log_u) * sd

    def complete_theta(self, theta, known_mask):
        """Theta [..., 5] whose shares sum to one, and which coordinates are then free, bool.

        The last share that is not known is what the others leave; it is negative, where the prior
        has no mass, when they leave nothing.

        Args:
            theta: (rho, alpha_1, alpha_2, alpha_3, log_u).
            known_mask: bool [..., 5]; those parameters stay as they are.
        """
        share, known = theta[..., 1:4], known_mask[..., 1:4]
        later = tf.cumsum(tf.cast(~known, tf.int32), axis=-1, reverse=True, exclusive=True)
        last = ~known & (later == 0)
        others = tf.reduce_sum(tf.where(last, 0.0, share), axis=-1, keepdims=True)
        share = tf.where(last, 1.0 - others, share)
        determined = tf.concat(
            [tf.zeros_like(last[..., :1]), last, tf.zeros_like(last[..., :1])], axis=-1
        )
        theta = tf.concat([theta[..., :1], share, theta[..., 4:]], axis=-1)
        return theta, ~known_mask & ~determined

    def log_likelihood(self, theta, design, outcome):
        """Log of the density in logit(y) between the ends, of the probability at them: [...].

        Args:
            theta: [..., 5].
            design: [..., 6], amounts of two baskets.
            outcome: [..., 3], logit(y) and whether it stands at the low or the high end, 0 or 1.
        """
        mean, sd, log_u = _preference(theta, design)
        logit, at_low, at_high = tf.unstack(outcome, axis=-1)
        # Everything is divided by u, which spans e^-14 to e^16: no product of it overflows.
        z = (logit * tf.exp(-log_u) - mean) / sd
        inside = -0.5 * tf.square(z) - tf.math.log(sd) - log_u - _LOG_SQRT_2PI
        tail = log_normal_cdf(tf.where(at_low > 0.5, z, -z))
        return tf.where((at_low > 0.5) | (at_high > 0.5), tail, inside)

    def column_likelihood(self):
        """`log_likelihood` over columns of parameters: which end of the slider an answer stands at
        is decided once, not for every draw."""
        return ColumnLikelihood(_column_numbers, _log_likelihood_of_columns)

    def log_prior(self, theta):
        """Density in (rho, alpha_1, alpha_2, log u); minus infinity off the support: [...]."""
        rho, first, second, _, log_u = tf.unstack(theta, axis=-1)
        shares = (first >= 0.0) & (second >= 0.0) & (first + second <= 1.0)
        z = (log_u - LOG_U_MEAN) / LOG_U_SD
        log_density = math.log(2.0) - 0.5 * tf.square(z) - math.log(LOG_U_SD) - _LOG_SQRT_2PI
        return tf.where(shares & (rho > 0.0) & (rho <= 1.0), log_density, -math.inf)

    def sample_episodes(self, seed, batch, candidates):
        """As every task's; predictive targets are whether the first basket is preferred."""
        episode = super().sample_episodes(seed, batch, candidates)
        prefers = tf.cast(episode["target_outcome"] > 0.0, tf.float32)
        return episode | {"target_outcome": prefers}


def _column_numbers(design, outcome):
    """Six log amounts, 1 / sd, log sd, logit, at an end?, sign of the tail."""
    one, other = design[..., :GOODS], design[..., GOODS:]
    sd = TAU * (1.0 + tf.norm(one - other, axis=-1))
    logit, at_low, at_high = tf.unstack(outcome, axis=-1)
    sign = tf.where(at_low > 0.5, 1.0, -1.0)
    others = tf.stack([1.0 / sd, tf.math.log(sd), logit, tf.maximum(at_low, at_high), sign], -1)
    return tf.concat([tf.math.log(tf.maximum(design, _SMALLEST)), others], axis=-1)


def _log_likelihood_of_columns(columns, numbers):
    rho, first, second, _, log_u = columns
    *amounts, precision, log_sd, logit, at_an_end, sign = tf.unstack(numbers)
    shares = (first, second, tf.maximum(1.0 - first - second, 0.0))

    def worth(basket):
        center = sum(share * amount for share, amount in zip(shares, basket, strict=True))
        away = sum(
            share * tf.math.expm1(rho * (amount - center))
            for share, amount in zip(shares, basket, strict=True)
        )
        return tf.exp(center + tf.math.log1p(away) / rho)

    mean = worth(amounts[:GOODS]) - worth(amounts[GOODS:])
    z = (logit * tf.exp(-log_u) - mean) * precision
    return tf.cond(
        at_an_end > 0.5,
        lambda: log_normal_cdf(sign * z),
        lambda: -0.5 * tf.square(z) - log_sd - log_u - _LOG_SQRT_2PI,
    )
