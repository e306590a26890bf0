"""Exact refinement of a session's posterior by sequential Monte Carlo, where a likelihood is known.

    1. start     from q(theta | D) of the model and from the prior
    2. temper    sequential Monte Carlo to p(theta | D) (`aline_tf.information.posterior_sampling`)
    3. weigh     draws of g, kernels around those of 2 and a share of the prior, have
                 weights w = p(theta) prod_t p(y_t | x_t, theta) / g(theta),   p(D) = mean of w

What a model was not taught, histories beyond its horizon, answers that are missing, parameters
given as known, the joint of all of them, is then as exact as the draws are many. Kernels are
Student t of five degrees of freedom; parameters between bounds are seen through a logit.

A posterior costs .1 s on two CPU cores with 30 answers and with 120 (psychometric task), the first
of every session 1 s, for its graph, where a model's own takes .014 s. To see it on your machine
and against an exact grid: `python examples/refined_posterior.py`.

Source: importance sampling from kernels around draws, West (1993). Sizes: I draws, P parameters.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.batch import OBSERVED, specs
from aline_tf.errors import InputError
from aline_tf.information.posterior_sampling import (
    SMCSettings,
    complete_theta,
    log_posterior,
    posterior_draws,
)
from aline_tf.models.distributions.theta_posterior import ThetaPosterior

#: Measured against an exact grid at 30, 60 and 120 trials; see the note above.
SETTINGS = SMCSettings(proposals=8, from_prior=0.25, least_stages=4, most_stages=12, moves=3)
#: Draws by sequential Monte Carlo, those that carry a kernel, and draws that are weighed.
_TEMPERED, _KERNELS, _WEIGHED = 512, 128, 4096
#: Share of the weighed draws that come from the prior, and degrees of freedom of a kernel.
_FROM_PRIOR, _FREEDOM = 0.05, 5
#: Fewer effective draws than this share of `_TEMPERED` are worth less than those themselves.
_WORTH = 0.5
_EDGE = 1e-6


@dataclasses.dataclass(frozen=True)
class WeightedDraws:
    """A joint posterior as draws with weights.

    Attributes:
        theta: [I, P], in natural units; parameters given as known have one value.
        weight: [I], not negative, of sum one.
        log_evidence: log p(D) in nats; None where it was not estimated.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import WeightedDraws
        >>> posterior = WeightedDraws(np.array([[0.0], [1.0]]), np.array([0.25, 0.75]))
        >>> float(posterior.mean()[0]), round(posterior.effective, 2)
        (0.75, 1.6)
    """

    theta: np.ndarray
    weight: np.ndarray
    log_evidence: float | None = None

    @property
    def effective(self) -> float:
        """How many equally weighted draws these are worth: 1 / sum w^2."""
        return float(1.0 / np.square(self.weight).sum())

    def mean(self) -> np.ndarray:
        """Posterior means [P]."""
        return self.weight @ self.theta

    def covariance(self) -> np.ndarray:
        """Posterior covariance [P, P]."""
        away = self.theta - self.mean()
        return (away * self.weight[:, None]).T @ away

    def sd(self) -> np.ndarray:
        """Posterior standard deviations [P]."""
        return np.sqrt(np.diag(self.covariance()))

    def quantiles(self, levels) -> np.ndarray:
        """Quantiles [P, Q] of each parameter.

        Args:
            levels: Q numbers in [0, 1].
        """
        levels, found = np.asarray(levels, float), []
        for column in self.theta.T:
            order = np.argsort(column, kind="stable")
            reached = np.cumsum(self.weight[order])
            # The middle of a draw's weight stands at the draw.
            places = (reached - 0.5 * self.weight[order]) / reached[-1]
            found.append(np.interp(levels, places, column[order]))
        return np.stack(found)

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Equally weighted draws of the joint [count, P], in random order.

        Args:
            count: how many.
            seed: equal seeds give equal draws.
        """
        rng = np.random.default_rng(seed)
        places = (np.arange(count) + rng.random()) / count
        index = np.searchsorted(np.cumsum(self.weight), places * self.weight.sum())
        return self.theta[rng.permutation(np.minimum(index, len(self.weight) - 1))]


class Refinement:
    """Draws of a task's exact posterior that start from a model's.

    Args:
        task: has `log_likelihood` and `log_prior`.
        model: an `ALINE` of this task, a `Frozen` one, or None; without the outputs of a model
            (behind a server too) the draws start from the prior alone.
        settings: work of the sequential Monte Carlo.
        seed: of all draws; equal states have equal posteriors.

    Raises:
        InputError: a task without a likelihood or a prior density.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import Refinement
        >>> from aline_tf.batch_ops import from_history
        >>> from aline_tf.tasks import Psychometric
        >>> task = Psychometric()
        >>> batch = from_history(task.spec.sizes, np.full([1, 9, 1], -4.0), np.ones([1, 9, 1]))
        >>> posterior = Refinement(task).posterior(batch)  # nine times yes, far to the left
        >>> bool(posterior.mean()[2] > 0.7)  # so lapses are frequent, and mostly answered yes
        True
    """

    def __init__(self, task, model=None, settings: SMCSettings = SETTINGS, seed: int = 0):
        if task.log_likelihood is None or task.log_prior is None:
            raise InputError(
                "expected a task with log_likelihood and log_prior to refine a posterior by; "
                f"received {type(task).__name__}"
            )
        self.task, self.settings, self.seed = task, settings, seed
        self.model = model if hasattr(model, "theta_posterior") else None
        # The task's own graphs are built once; shapes but the context's stand still.
        signature = specs(task.spec, "C", B=1, M=0, N=0)
        raw = tf.TensorSpec([1, len(task.spec.parameters), None])
        self._tempered = tf.function(
            self._temper, input_signature=[signature, raw], autograph=False
        )
        shape = [None, len(task.spec.parameters)]
        self._levels = tf.function(
            self._level, input_signature=[signature, tf.TensorSpec(shape)], autograph=False
        )
        self._priors = tf.function(self._prior, input_signature=[], autograph=False)

    def posterior(self, batch) -> WeightedDraws:
        """The joint posterior of a state.

        Args:
            batch: a numpy Batch of one row. Answers that are missing are as if not asked;
                parameters given as known keep their values.

        Returns:
            `WeightedDraws`, some thousands.
        """
        state = self._state(batch)
        raw = tf.zeros([1, len(self.task.spec.parameters), 0])
        if self.model is not None:
            raw = self.model(state)["theta_raw"]
        tensors = {name: tf.convert_to_tensor(part) for name, part in state.items()}
        theta = self._tempered(tensors, raw)[0].numpy().astype(float)
        plain = WeightedDraws(theta, np.full(len(theta), 1.0 / len(theta)))
        if not {parameter.kind for parameter in self.task.spec.parameters} <= {"interval", "real"}:
            return plain
        weighed = self._weigh(tensors, theta)
        return weighed if weighed.effective > _WORTH * len(theta) else plain

    def log_prob(self, batch, theta, posterior: WeightedDraws | None = None) -> np.ndarray:
        """log p(theta | D) of the joint, in nats; minus infinity outside the prior's support.

        Args:
            batch: as for `posterior`; parameters given as known are conditioned on.
            theta: [n, P]; of parameters given as known the values are not read.
            posterior: of this batch, if at hand, to save the work.

        Returns:
            [n].

        Raises:
            InputError: the evidence p(D) could not be estimated.
        """
        posterior = self.posterior(batch) if posterior is None else posterior
        if posterior.log_evidence is None:
            raise InputError(
                "expected a posterior whose evidence can be estimated; received one with "
                f"parameters {', '.join(p.kind for p in self.task.spec.parameters)} or too few "
                "effective draws"
            )
        state = self._state(batch)
        theta = np.where(state["known_mask"], state["known_theta"], np.asarray(theta, np.float32))
        tensors = {name: tf.convert_to_tensor(part) for name, part in state.items()}
        level = self._levels(tensors, tf.constant(theta, tf.float32))[1].numpy().astype(float)
        return np.where(level > -1e29, level - posterior.log_evidence, -np.inf)

    def _state(self, batch):
        """The batch without pool, targets and answers that are missing."""
        answered = batch["context_mask"] & (batch["context_status"] == OBSERVED).all(-1)
        state = {name: np.asarray(part) for name, part in batch.items()}
        for name in ("candidate_design", "candidate_mask", "target_design", "target_mask"):
            state[name] = state[name][:, :0]
        return state | {"context_mask": answered}

    def _temper(self, state, raw):
        spec, posterior = self.task.spec, None
        if self.model is not None:
            posterior = ThetaPosterior(spec.parameters, raw, self.model.components)
        return posterior_draws(
            self.task, posterior, state, draws.as_seed(self.seed), _TEMPERED, self.settings
        )

    def _level(self, state, theta):
        """Theta [n, P] completed, its log posterior [n], not normalised, and what is free."""
        known = tf.broadcast_to(state["known_mask"], tf.shape(theta))
        theta, free = complete_theta(self.task, theta, known)
        return theta, log_posterior(self.task, theta[None], state)[0], free

    def _prior(self):
        count = int(_FROM_PRIOR * _WEIGHED)
        return self.task.sample_theta(draws.fold_in(draws.as_seed(self.seed), 1), count)

    def _weigh(self, state, theta) -> WeightedDraws:
        """Draws of kernels around `theta` [n, P], with the weights of the exact posterior."""
        free = self._levels(state, tf.constant(theta[:1], tf.float32))[2].numpy()[0]
        if not free.any():
            return WeightedDraws(theta[:1], np.ones(1))
        rng = np.random.default_rng(self.seed)
        scale = _Scale([p for p, own in zip(self.task.spec.parameters, free, strict=True) if own])
        kernels = _Kernels(scale.unbounded(theta[:, free]), rng)
        proposed = np.tile(theta[:1], (_WEIGHED, 1))
        # Where some are known, the prior of the others has no density at hand: kernels alone.
        share = _FROM_PRIOR if free.all() else 0.0
        own = int(share * _WEIGHED)
        proposed[:own] = self._priors().numpy()[:own]
        proposed[own:, free] = scale.natural(kernels.sample(_WEIGHED - own))
        proposed = proposed.astype(np.float32)
        theta, level, _ = (np.asarray(part, float) for part in self._levels(state, proposed))
        place = scale.unbounded(proposed[:, free].astype(float))
        log_g = math.log1p(-share) + kernels.log_prob(place) + scale.log_slope(place)
        if own:
            log_prior = self.task.log_prior(tf.constant(proposed)).numpy().astype(float)
            log_g = np.logaddexp(log_g, math.log(share) + log_prior)
        log_weight = level - log_g
        top = log_weight.max()
        weight = np.exp(log_weight - top)
        log_evidence = float(top + np.log(weight.mean()))
        return WeightedDraws(theta, weight / weight.sum(), log_evidence)


class _Scale:
    """Free parameters on the whole line: a logit between bounds, standardised elsewhere."""

    def __init__(self, parameters):
        self._bounded = np.array([p.kind == "interval" for p in parameters])
        self._low = np.array([p.low if p.kind == "interval" else p.loc for p in parameters])
        self._width = np.array(
            [p.high - p.low if p.kind == "interval" else p.scale for p in parameters]
        )

    def unbounded(self, theta):
        unit = (theta - self._low) / self._width
        inside = np.clip(unit, _EDGE, 1.0 - _EDGE)
        return np.where(self._bounded, np.log(inside) - np.log1p(-inside), unit)

    def natural(self, place):
        unit = np.where(self._bounded, 1.0 / (1.0 + np.exp(-place)), place)
        return self._low + self._width * unit

    def log_slope(self, place):
        """log |d place / d theta| [n], summed over the parameters."""
        logit = np.logaddexp(0.0, place) + np.logaddexp(0.0, -place)
        return (np.where(self._bounded, logit, 0.0) - np.log(self._width)).sum(-1)


class _Kernels:
    """An even mixture of Student t around some of the draws [n, d], as wide as draws of their
    number let the eye see."""

    def __init__(self, place, rng):
        count, self._dims = place.shape
        self._centers = place[rng.permutation(count)[:_KERNELS]]
        spread = np.atleast_2d(np.cov(place.T)) + 1e-8 * np.eye(self._dims)
        width = len(self._centers) ** (-1.0 / (self._dims + 4))
        self._factor = width * np.linalg.cholesky(spread)
        self._rng = rng

    def sample(self, count):
        center = self._centers[self._rng.integers(len(self._centers), size=count)]
        away = self._rng.standard_normal((count, self._dims)) @ self._factor.T
        heavy = np.sqrt(_FREEDOM / self._rng.chisquare(_FREEDOM, (count, 1)))
        return center + heavy * away

    def log_prob(self, place):
        inverse = np.linalg.inv(self._factor)
        white, centers = place @ inverse.T, self._centers @ inverse.T
        square = np.square(white).sum(-1)[:, None] + np.square(centers).sum(-1)
        square = np.maximum(square - 2.0 * white @ centers.T, 0.0)
        half = 0.5 * (_FREEDOM + self._dims)
        level = -half * np.log1p(square / _FREEDOM)
        top = level.max(-1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(level - top).mean(-1))
        constant = math.lgamma(half) - math.lgamma(0.5 * _FREEDOM)
        constant -= 0.5 * self._dims * math.log(_FREEDOM * math.pi)
        return total + constant - np.log(np.diag(self._factor)).sum()
