"""Exact refinement of a session's posterior by sequential Monte Carlo, where a likelihood is known.

    1. start     from q(theta | D) of the model and from the prior
    2. temper    sequential Monte Carlo to p(theta | D) (`aline_tf.information.posterior_sampling`)
    3. weigh     draws of g, kernels around those of 2 and a share of the prior, have
                 weights w = p(theta) prod_t p(y_t | x_t, theta) / g(theta),   p(D) = mean of w

What a model was not taught, histories beyond its horizon, answers that are missing, parameters
given as known, the joint of all of them, is then as exact as the draws are many. Kernels are
Student t of five degrees of freedom; parameters between bounds are seen through a logit.

A posterior costs .1 s on two CPU cores with 30 answers and with 120 (psychometric task), the first
of every model 1 s, for graphs that all of its sessions share, where a model's own takes .014 s. To
see it on your machine and against an exact grid: `python examples/refined_posterior.py`.

Source: importance sampling from kernels around draws, West (1993). Sizes: I draws, P parameters.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import weakref
from typing import Any

import numpy as np
import tensorflow as tf

from aline_tf import draws
from aline_tf.acquisition.refined.kernels import Kernels, Scale
from aline_tf.batch import OBSERVED, specs
from aline_tf.errors import InputError
from aline_tf.information.posterior_sampling import (
    SMCSettings,
    complete_theta,
    has_exact_posterior,
    log_posterior,
    posterior_draws,
)
from aline_tf.models.compiled import Compiled
from aline_tf.models.distributions.theta_posterior import ThetaPosterior

#: Measured against an exact grid at 30, 60 and 120 trials; see the note above.
SETTINGS = SMCSettings(proposals=8, from_prior=0.25, least_stages=4, most_stages=12, moves=3)
#: Draws by sequential Monte Carlo, and draws that are weighed.
_TEMPERED, _WEIGHED = 512, 4096
#: Share of the weighed draws that come from the prior.
_FROM_PRIOR = 0.05
#: Levels below are those of what cannot be.
_IMPOSSIBLE = -1e29
#: Of a parameter that follows from others, in float32.
_ROUNDING = 1e-4
#: Fewer effective draws than this share of `_TEMPERED` are worth less than those themselves.
_WORTH = 0.5


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
        task: one that `has_exact_posterior`.
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
        if not has_exact_posterior(task):
            raise InputError(
                "expected a task with a likelihood and log_prior to refine a posterior by; "
                f"received {type(task).__name__}"
            )
        self.task, self.settings, self.seed = task, settings, seed
        # A frozen one would be compiled anew for every length of history.
        model = getattr(model, "thawed", model)
        self.model = model if hasattr(model, "theta_posterior") else None
        self._graphs = _shared_graphs(task, self.model, settings, seed)

    def posterior(self, batch) -> WeightedDraws:
        """The joint posterior of a state.

        Args:
            batch: a numpy Batch of one row. Answers that are missing are as if not asked;
                parameters given as known keep their values.

        Returns:
            `WeightedDraws`, some thousands.

        Raises:
            InputError: answers and known values that the task cannot have together.
        """
        state = self._state(batch)
        self._check_known(state)
        raw = tf.zeros([1, len(self.task.spec.parameters), 0])
        if self.model is not None:
            raw = Compiled(self.model)(state)["theta_raw"]
        tensors = {name: tf.convert_to_tensor(part) for name, part in state.items()}
        theta = self._graphs.tempered(tensors, raw)[0].numpy().astype(float)
        plain = WeightedDraws(theta, np.full(len(theta), 1.0 / len(theta)))
        level = self._graphs.levels(tensors, tf.constant(theta, tf.float32))[1].numpy()
        if not (level > _IMPOSSIBLE).any():
            raise InputError(
                f"expected answers{' and known values' if state['known_mask'].any() else ''} that "
                f"task {self.task.spec.name!r} can have; received some that have probability 0 "
                "whatever its parameters are"
            )
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
        levels = self._graphs.levels(tensors, tf.constant(theta, tf.float32))
        level = levels[1].numpy().astype(float)
        # Parameters that follow from the others have no other value.
        follows = np.isclose(levels[0].numpy(), theta, rtol=1e-4, atol=_ROUNDING).all(-1)
        return np.where(follows & (level > _IMPOSSIBLE), level - posterior.log_evidence, -np.inf)

    def _check_known(self, state):
        """Refuses parameters given as known of which one follows from the others, otherwise."""
        known, theta = state["known_mask"][0], state["known_theta"]
        if getattr(self.task, "complete_theta", None) is None or known.sum() < 2:
            return
        for place in np.flatnonzero(known):
            others = known & (np.arange(len(known)) != place)
            filled, free = self.task.complete_theta(tf.constant(theta), tf.constant(others[None]))
            follows, value = float(filled[0, place]), float(theta[0, place])
            if not free[0, place] and not np.isclose(follows, value, rtol=1e-4, atol=_ROUNDING):
                name = self.task.spec.parameter_names[place]
                raise InputError(
                    f"expected a known {name} of {follows:g}, which follows from the others; "
                    f"received {value:g}"
                )

    def _state(self, batch):
        """The batch without pool, targets and answers that are missing."""
        answered = batch["context_mask"] & (batch["context_status"] == OBSERVED).all(-1)
        state = {name: np.asarray(part) for name, part in batch.items()}
        for name in ("candidate_design", "candidate_mask", "target_design", "target_mask"):
            state[name] = state[name][:, :0]
        return state | {"context_mask": answered}

    def _weigh(self, state, theta) -> WeightedDraws:
        """Draws of kernels around `theta` [n, P], with the weights of the exact posterior."""
        free = self._graphs.levels(state, tf.constant(theta[:1], tf.float32))[2].numpy()[0]
        if not free.any():
            return WeightedDraws(theta[:1], np.ones(1))
        rng = np.random.default_rng(self.seed)
        scale = Scale([p for p, own in zip(self.task.spec.parameters, free, strict=True) if own])
        kernels = Kernels(scale.unbounded(theta[:, free]), rng)
        proposed = np.tile(theta[:1], (_WEIGHED, 1))
        # Where some are known, the prior of the others has no density at hand: kernels alone.
        share = _FROM_PRIOR if free.all() else 0.0
        own = int(share * _WEIGHED)
        proposed[:own] = self._graphs.priors().numpy()[:own]
        proposed[own:, free] = scale.natural(kernels.sample(_WEIGHED - own))
        proposed = proposed.astype(np.float32)
        found = self._graphs.levels(state, tf.constant(proposed))
        theta, level, _ = (np.asarray(part, float) for part in found)
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


class _Graphs:
    """What of a refinement runs as graphs: of a task, and of a model no more than its sizes. Shapes
    but the context's stand still."""

    def __init__(self, task, model, settings, seed):
        self.task, self.settings, self.seed = task, settings, seed
        # A model would be kept alive by its own graphs.
        self.sizes = None
        if model is not None:
            self.sizes = model.theta_components, bool(model.joint_components)
        signature = specs(task.spec, "C", B=1, M=0, N=0)
        count = len(task.spec.parameters)

        def graph(function, *inputs):
            return tf.function(function, input_signature=inputs, autograph=False)

        self.tempered = graph(self._temper, signature, tf.TensorSpec([1, count, None]))
        self.levels = graph(self._level, signature, tf.TensorSpec([None, count]))
        self.priors = graph(self._prior)

    def _temper(self, state, raw):
        posterior = None
        if self.sizes is not None:
            posterior = ThetaPosterior(self.task.spec.parameters, raw, *self.sizes)
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


_SHARED: weakref.WeakKeyDictionary[Any, dict] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()
#: Tasks, settings and seeds that one model keeps graphs for.
_MOST_SHARED = 4


def _shared_graphs(task, model, settings, seed) -> _Graphs:
    """The graphs of a task, those of before where the model has had it. They do not hold it."""
    if model is None:
        return _Graphs(task, None, settings, seed)
    with _LOCK:
        known = _SHARED.setdefault(model, {})
        # The graphs hold the task, so that no other can come to have its id.
        key = (id(task), settings, seed)
        if key not in known:
            while len(known) >= _MOST_SHARED:
                del known[next(iter(known))]
            known[key] = _Graphs(task, model, settings, seed)
        return known[key]
