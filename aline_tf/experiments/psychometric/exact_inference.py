"""The exact posterior of the psychometric function for any state: the oracle of the promises.

Answers that are missing are as if not asked; parameters given as known have one node. Quadrature
is adaptive: a coarse grid over the prior's box says where the mass of each marginal lies, and a
fine one stands there, so that histories of hundreds of trials cost no more nodes than short ones.

    p(y | x, theta) = a_y(guess, lapse) + (1 - lapse) F_y((x - threshold) / slope)
    a_1 = guess lapse,  a_0 = (1 - guess) lapse,  F_1 = F,  F_0 = 1 - F

Every term is positive, so that nothing is lost by cancellation. Everything is NumPy and shares no
code with the model.

Sizes: R states, T answers, N candidates, (n1, n2, n3, n4) nodes of the four parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from aline_tf.evaluation.promises.inference import (
    Inference,
    JointDraws,
    Summary,
    answered_histories,
)
from aline_tf.experiments.psychometric.psychometric_grid import (
    PARAMETER_HIGH,
    PARAMETER_LOW,
    Axis,
    success_probability,
)

#: Nodes of the coarse grids over the prior's box, and of the fine one.
COARSE, FINE = (40, 16, 8, 8), (32, 20, 12, 12)
#: Coarse grids in turn, each where the one before saw mass.
_ROUNDS = 2
#: A node whose marginal mass is below this share of the largest is not looked at again.
_NEGLIGIBLE = 1e-7
#: Answers of one matrix product; weights are rescaled before they leave float32's range.
_TOGETHER, _RESCALE_EVERY = 3, 6
_LARGEST_EXPONENT = 4.0
_CDF_POINTS = 201
_TINY = np.float32(1e-37)


class _Weights(NamedTuple):
    """Posterior weights of one state on a product grid.

    Attributes:
        axes: four `Axis`; of a known parameter one node.
        mass: [n1, n2, n3, n4], sums to 1.
        log_evidence: log probability of the answers; where parameters are known, given those.
        box: [4, 2], where the axes lie.
    """

    axes: tuple[Axis, ...]
    mass: np.ndarray
    log_evidence: float
    box: np.ndarray


class PsychometricInference(Inference):
    """The exact posterior given any trials.

    Args:
        coarse, fine: nodes of threshold, slope, guess and lapse.

    Example:
        >>> import numpy as np
        >>> from aline_tf.batch_ops import from_history
        >>> from aline_tf.experiments.psychometric.exact_inference import PsychometricInference
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> batch = from_history(SPEC.sizes, np.full([1, 9, 1], -4.0), np.ones([1, 9, 1]))
        >>> PsychometricInference().summary(batch, np.full((1, 4), 0.5)).mean[0, 2].round(2)
        np.float64(0.75)
    """

    def __init__(self, coarse=COARSE, fine=FINE):
        self.coarse, self.fine = tuple(coarse), tuple(fine)

    def summary(self, batch, theta):
        rows = []
        for row, (design, outcome, known) in enumerate(_histories(batch)):
            posterior = self._posterior(design, outcome, known)
            rows.append(_summary(posterior, known, theta[row]))
        return Summary(*(np.stack(part) for part in zip(*rows, strict=True)))

    def joint_log_prob(self, batch, theta, order=None):
        found = []
        for row, (design, outcome, known) in enumerate(_histories(batch)):
            posterior = self._posterior(design, outcome, known)
            point = np.asarray(theta[row], float)
            chance = success_probability(np.clip(point, PARAMETER_LOW, PARAMETER_HIGH), design)
            chance = np.where(outcome > 0.5, chance, 1.0 - chance)
            free = [p for p in range(4) if p not in known]
            inside = (point >= PARAMETER_LOW) & (point <= PARAMETER_HIGH)
            log_prior = -np.log(PARAMETER_HIGH - PARAMETER_LOW)[free].sum()
            with np.errstate(divide="ignore"):
                level = np.log(chance).sum() + log_prior - posterior.log_evidence
            found.append(level if inside[free].all() else -np.inf)
        return np.array(found)

    def joint_draws(self, batch, count, seed=0):
        rng, found = np.random.default_rng(seed), []
        for design, outcome, known in _histories(batch):
            found.append(_draws(self._posterior(design, outcome, known), count, rng))
        return JointDraws(*(np.stack(part) for part in zip(*found, strict=True)))

    def correlation(self, batch):
        found = []
        for design, outcome, known in _histories(batch):
            posterior, covariance = self._posterior(design, outcome, known), np.zeros((4, 4))
            away = []
            for p, axis in enumerate(posterior.axes):
                mass = _marginal(posterior.mass, p)
                away.append(axis.nodes - mass @ axis.nodes)
                covariance[p, p] = mass @ np.square(away[p])
            for p in range(4):
                for q in range(p):
                    others = tuple(r for r in range(4) if r not in (p, q))
                    pair = posterior.mass.sum(others)
                    covariance[p, q] = covariance[q, p] = away[q] @ pair @ away[p]
            sd = np.maximum(np.sqrt(np.diag(covariance)), 1e-12)
            found.append(covariance / np.outer(sd, sd))
        return np.stack(found)

    def gain(self, batch):
        found = []
        pool = np.asarray(batch["candidate_design"], float)[..., 0]
        target = np.asarray(batch["target_design"], float)[..., 0]
        wanted, selected = np.asarray(batch["target_mask"]), np.asarray(batch["theta_mask"])
        for row, (design, outcome, known) in enumerate(_histories(batch)):
            posterior = self._posterior(design, outcome, known)
            gain = np.zeros(pool.shape[1])
            free = [bool(selected[row, p]) and p not in known for p in range(4)]
            if any(free):
                gain += _parameter_gain(posterior, pool[row], free)
            for stimulus in target[row, wanted[row]]:
                gain += _prediction_gain(posterior, pool[row], stimulus)
            found.append(gain)
        return np.stack(found)

    def _posterior(self, design, outcome, known: Mapping[int, float]) -> _Weights:
        box = np.stack([PARAMETER_LOW, PARAMETER_HIGH], axis=1)
        for _ in range(_ROUNDS):
            box = _tight(_weights(box, _axes(box, self.coarse, known), design, outcome))
        return _weights(box, _axes(box, self.fine, known), design, outcome)


def _summary(posterior: _Weights, known, truth) -> np.ndarray:
    """The arrays of a `Summary` of one state, [6, 4]."""
    found = np.zeros((6, 4))
    for p, axis in enumerate(posterior.axes):
        if p in known:
            value = known[p]
            found[:, p] = value, 0.0, value, value, float(value <= truth[p]), np.nan
            continue
        mass = _marginal(posterior.mass, p)
        mean = mass @ axis.nodes
        sd = np.sqrt(max(mass @ np.square(axis.nodes - mean), 0.0))
        found[:, p] = mean, sd, *_along(posterior.box[p], axis, mass, truth[p])
    return found


def _histories(batch):
    """(stimuli [T], answers [T], known values by index) of every row, answered trials alone."""
    for design, outcome, known in answered_histories(batch):
        yield design[:, 0], outcome, known


def _axes(box, sizes, known) -> tuple[Axis, ...]:
    """Nodes in the box, with the prior's mass there; one of mass 1 where a value is known."""
    axes = []
    for p, (low, high) in enumerate(box):
        if p in known:
            axes.append(Axis(np.array([known[p]]), np.ones(1)))
            continue
        axis = Axis.gauss_legendre(low, high, sizes[p])
        share = (high - low) / (PARAMETER_HIGH[p] - PARAMETER_LOW[p])
        axes.append(Axis(axis.nodes, axis.mass * share))
    return tuple(axes)


def _weights(box, axes, design, outcome) -> _Weights:
    """Prior times likelihood on the grid. The product of a few answers is one matrix product:

    prod_t (a_t + b F_t) = sum over subsets S of (prod_S F_t) (prod_S b prod_rest a_t)
    """
    threshold, slope, guess, lapse = (axis.nodes for axis in axes)
    sizes = [len(axis.nodes) for axis in axes]
    curve_mass = np.outer(axes[0].mass, axes[1].mass).ravel()
    rest_mass = np.outer(axes[2].mass, axes[3].mass).ravel()
    yes = np.asarray(outcome) > 0.5
    curve = _curve(threshold, slope, design, yes)
    asymptote = np.stack([np.outer(1.0 - guess, lapse).ravel(), np.outer(guess, lapse).ravel()])
    attended = np.broadcast_to(1.0 - lapse, (sizes[2], sizes[3])).ravel()
    asymptote, attended = asymptote.astype(np.float32), attended.astype(np.float32)
    weights = np.outer(curve_mass, rest_mass).astype(np.float32)
    factor, log_scale = np.empty_like(weights), 0.0
    for start in range(0, len(curve), _TOGETHER):
        left = np.ones((len(curve_mass), 1), np.float32)
        right = np.ones((1, len(rest_mass)), np.float32)
        for t in range(start, min(start + _TOGETHER, len(curve))):
            left = np.concatenate([left * curve[t][:, None], left], axis=1)
            right = np.concatenate([right * attended, right * asymptote[int(yes[t])]])
        weights *= np.matmul(left, right, out=factor)
        if start % _RESCALE_EVERY == 0:
            peak = max(weights.max(), _TINY)
            weights /= peak
            log_scale += float(np.log(peak))
    mass = weights.astype(float).reshape(sizes)
    total = mass.sum()
    if not total:
        # Answers that no node explains: as if every node did so equally badly.
        mass, total = np.outer(curve_mass, rest_mass).reshape(sizes), 1e-300
    return _Weights(axes, mass / mass.sum(), float(np.log(total) + log_scale), box)


def _curve(threshold, slope, design, yes) -> np.ndarray:
    """F where the answer is yes and 1 - F where it is no, each computed by itself: [T, n1 n2]."""
    place = (np.asarray(design)[:, None, None] - threshold[:, None]) / slope
    place = place.reshape(len(place), len(threshold) * len(slope)).astype(np.float32)
    power = np.exp(np.minimum(place, _LARGEST_EXPONENT) * np.float32(math.log(10.0)))
    curve = np.exp(-power)
    curve[yes] = -np.expm1(-power[yes])
    return curve


def _tight(posterior: _Weights) -> np.ndarray:
    """The box [4, 2] of the nodes that have mass, and a node more on either side."""
    box, tight = posterior.box, posterior.box.copy()
    for p, axis in enumerate(posterior.axes):
        if len(axis.nodes) == 1:
            continue
        mass = _marginal(posterior.mass, p) / axis.mass
        held = np.flatnonzero(mass > _NEGLIGIBLE * mass.max())
        edges = np.concatenate([box[p, :1], axis.nodes, box[p, 1:]])
        tight[p] = edges[held[0]], edges[held[-1] + 2]
    return tight


def _draws(posterior: _Weights, count, rng) -> JointDraws:
    """Nodes by their mass: expectations over them are those of the quadrature. The mass of a node
    over those of its marginals is the density of the joint over theirs."""
    mass = posterior.mass
    prior, apart = np.ones((2, *mass.shape))
    for p, axis in enumerate(posterior.axes):
        shape = [-1 if q == p else 1 for q in range(4)]
        apart = apart * _marginal(mass, p).reshape(shape)
        prior = prior * axis.mass.reshape(shape)
    there = mass > 0.0
    gain = np.log(mass, out=np.zeros(mass.shape), where=there)
    gain -= np.log(apart, out=np.zeros(mass.shape), where=there)
    index = rng.choice(mass.size, count, p=mass.ravel())
    places = np.unravel_index(index, mass.shape)
    theta = np.stack([a.nodes[place] for a, place in zip(posterior.axes, places, strict=True)], -1)
    free = [p for p, axis in enumerate(posterior.axes) if len(axis.nodes) > 1]
    log_prior = -np.log(PARAMETER_HIGH - PARAMETER_LOW)[free].sum()
    log_prob = np.log(mass[places] / prior[places]) + log_prior
    return JointDraws(theta, log_prob, gain[places], (mass * gain).sum())


def _marginal(mass, p):
    return mass.sum(tuple(q for q in range(4) if q != p))


def _along(ends, axis: Axis, mass, truth):
    """5% and 95% quantiles, and the distribution function and the log density at the truth; the
    density at the nodes is joined by a cubic spline and integrated from end to end."""
    x = np.linspace(*ends, _CDF_POINTS)
    density = np.maximum(CubicSpline(axis.nodes, mass / axis.mass)(x), 0.0)
    cdf = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))]) * (x[1] - x[0])
    density, cdf = density / cdf[-1], cdf / cdf[-1]
    low, high = np.interp((0.05, 0.95), cdf, x)
    at = np.interp(truth, x, density, left=0.0, right=0.0)
    return low, high, np.interp(truth, x, cdf), np.log(max(at, 1e-30))


def _entropy(chance):
    chance = np.clip(chance, 1e-12, 1.0 - 1e-12)
    return -chance * np.log(chance) - (1.0 - chance) * np.log1p(-chance)


def _link(posterior, stimulus):
    """F at stimuli [N]: [N, n1, n2]."""
    threshold, slope = posterior.axes[0].nodes, posterior.axes[1].nodes
    place = (np.asarray(stimulus)[:, None, None] - threshold[:, None]) / slope
    return -np.expm1(-np.power(10.0, np.minimum(place, _LARGEST_EXPONENT)))


def _parameter_gain(posterior: _Weights, pool, selected) -> np.ndarray:
    """I(y; theta_S | D) at every stimulus [N], S being the selected parameters.

    P(y = 1 | x, theta_S) has one part that is the same for all stimuli and one linear in F.
    """
    guess, lapse = posterior.axes[2].nodes[:, None], posterior.axes[3].nodes
    rest = tuple(p for p in range(4) if not selected[p])
    mass = posterior.mass.sum(rest)
    constant = (posterior.mass * (guess * lapse)).sum(rest)
    linear = (posterior.mass * (1.0 - lapse)).sum(tuple(p for p in (2, 3) if p in rest))
    own = "".join(letter for p, letter in ((2, "g"), (3, "l")) if selected[p])
    kept = "".join(letter for p, letter in enumerate("tsgl") if selected[p])
    found = []
    for curve in _link(posterior, pool):
        yes = constant + np.einsum(f"ts,ts{own}->{kept}", curve, linear)
        chance = np.divide(yes, mass, out=np.zeros_like(yes), where=mass > 0.0)
        found.append(_entropy(yes.sum()) - (mass * _entropy(chance)).sum())
    return np.maximum(found, 0.0)


def _prediction_gain(posterior: _Weights, pool, target: float) -> np.ndarray:
    """I(y; y* | D) at every stimulus [N], y* being the answer at `target`."""
    guess, lapse = posterior.axes[2].nodes[:, None], posterior.axes[3].nodes
    asymptote, attended = guess * lapse, np.broadcast_to(1.0 - lapse, (len(guess), len(lapse)))

    def moment(values):
        return np.einsum("tsgl,gl->ts", posterior.mass, values)

    one, gain = moment(asymptote), moment(attended)
    square, mixed, gain_square = (
        moment(first * second)
        for first, second in (
            (asymptote, asymptote), (asymptote, attended), (attended, attended)
        )
    )  # fmt: skip
    there, curve = _link(posterior, [target])[0], _link(posterior, pool)
    yes = (one + gain * curve).sum((1, 2))
    yes_there = (one + gain * there).sum()
    both = (square + mixed * there + (mixed + gain_square * there) * curve).sum((1, 2))
    cells = np.stack([both, yes - both, yes_there - both, 1.0 - yes - yes_there + both])
    cells = np.clip(cells, 1e-15, 1.0)
    joint = -(cells * np.log(cells)).sum(0)
    return np.maximum(_entropy(yes) + _entropy(yes_there) - joint, 0.0)
