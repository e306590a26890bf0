"""Exact inference and exact greedy design for location finding with one source in the plane.

The posterior of the two coordinates is held on an even grid over a box that shrinks to where its
mass is. Given weights w_i of the nodes theta_i, the outcome at a design x is a mixture of normals

    p(log y | x, D) = sum_i w_i N(log mu(x, theta_i), s^2),   s = .5,

of one common spread, so its entropy follows from a histogram of log mu, blurred by the noise; less
the noise's own entropy it is the information gain of x.

Sizes: S runs, T outcomes, N candidates, G nodes along each axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aline_tf.acquisition.policies import Policy, masked_argmax
from aline_tf.batch import answered

BACKGROUND, CLOSEST, NOISE = 0.1, 1e-4, 0.5
#: Nodes whose density is below this share of the highest lie outside the box.
_NEGLIGIBLE = 1e-9
#: In the gain, nodes below this share of the highest weigh nothing worth computing.
_SLIGHT = 1e-6
_BIN = 0.06
_LOWEST, _HIGHEST = np.log(BACKGROUND + 1.0 / (CLOSEST + 2.0)), np.log(BACKGROUND + 1.0 / CLOSEST)
_NOISE_ENTROPY = 0.5 * np.log(2.0 * np.pi * np.e * NOISE**2)


def log_signal(theta: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Mean of log y: theta [..., 2] and design [..., 2] broadcast to [...]."""
    square = (theta[..., 0] - design[..., 0]) ** 2 + (theta[..., 1] - design[..., 1]) ** 2
    return np.log(BACKGROUND + 1.0 / (CLOSEST + square))


def log_likelihood(theta: np.ndarray, design: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Of a whole history, up to a constant: theta [..., 2], design [T, 2], outcome [T] -> [...]."""
    total = np.zeros(theta.shape[:-1])
    for x, y in zip(design, outcome, strict=True):
        total -= 0.5 * np.square((y - log_signal(theta, x)) / NOISE)
    return total


@dataclass(frozen=True)
class PlanePosterior:
    """p(theta | D) of one run on a grid.

    Attributes:
        nodes: [2, G], coordinates along each axis, the middles of equal cells.
        mass: [G, G], sums to 1.
        log_evidence: log of the integral of the likelihood over the unit square.

    Example:
        >>> import numpy as np
        >>> from aline_tf.experiments.location_finding.location_grid import PlanePosterior
        >>> middles = np.tile((np.arange(4) + 0.5) / 4, (2, 1))
        >>> PlanePosterior(middles, np.full((4, 4), 1 / 16), 0.0).mean()
        array([0.5, 0.5])
    """

    nodes: np.ndarray
    mass: np.ndarray
    log_evidence: float

    def marginals(self) -> np.ndarray:
        """[2, G]."""
        return np.stack([self.mass.sum(1), self.mass.sum(0)])

    def mean(self) -> np.ndarray:
        """[2]."""
        return (self.marginals() * self.nodes).sum(1)

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """[2, Q], with the mass of a cell spread evenly over it."""
        found = []
        for mass, nodes in zip(self.marginals(), self.nodes, strict=True):
            half = 0.5 * (nodes[1] - nodes[0])
            edges = np.append(nodes - half, nodes[-1] + half)
            found.append(np.interp(levels, np.append(0.0, np.cumsum(mass)), edges))
        return np.stack(found)

    def log_density(self, theta: np.ndarray, design: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        """Marginal log density of each coordinate at its value in `theta` [2]: [2].

        The likelihood is integrated over the other coordinate at that very value.
        """
        found = []
        for axis in (0, 1):
            other = self.nodes[1 - axis]
            line = np.empty((len(other), 2))
            line[:, axis], line[:, 1 - axis] = theta[axis], other
            held = np.logaddexp.reduce(log_likelihood(line, design, outcome))
            found.append(held + np.log(other[1] - other[0]) - self.log_evidence)
        return np.stack(found)


def plane_posterior(
    design: np.ndarray, outcome: np.ndarray, box: np.ndarray | None = None, size: int = 48
) -> tuple[PlanePosterior, np.ndarray]:
    """The posterior of one run, and the box [2, 2] (low and high of each axis) that holds it.

    Args:
        design: [T, 2].
        outcome: [T], log y.
        box: where the mass is known to lie, such as the box of a shorter history; the unit square
            when None. A coordinate that is known has no width: all of its nodes stand there, and
            the evidence is given its value.
        size: G.
    """
    box = np.array([[0.0, 1.0], [0.0, 1.0]]) if box is None else box
    while True:
        wide = box[:, 1] > box[:, 0]
        cell = (box[:, 1] - box[:, 0]) / size
        nodes = box[:, :1] + cell[:, None] * (np.arange(size) + 0.5)
        theta = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1)
        log_mass = log_likelihood(theta, design, outcome)
        high = log_mass.max()
        held = log_mass > high + np.log(_NEGLIGIBLE)
        tight = np.empty((2, 2))
        for axis in (0, 1):
            inside = np.flatnonzero(held.any(1 - axis))
            # One more cell on either side: the density between nodes is not seen.
            tight[axis] = nodes[axis, inside[0]], nodes[axis, inside[-1]]
            tight[axis] += np.array([-1.5, 1.5]) * cell[axis]
        tight = np.stack(
            [np.maximum(tight[:, 0], box[:, 0]), np.minimum(tight[:, 1], box[:, 1])], axis=1
        )
        shrunk = (tight[:, 1] - tight[:, 0])[wide].prod() / (box[:, 1] - box[:, 0])[wide].prod()
        if shrunk > 0.7:
            break
        box = tight
    mass = np.exp(log_mass - high)
    total, volume = mass.sum(), np.where(wide, cell, 1.0 / size).prod()
    return PlanePosterior(nodes, mass / total, float(high + np.log(total * volume))), box


def shrinking_posteriors(
    design: np.ndarray, outcome: np.ndarray, steps: Sequence[int], size: int = 48
) -> list[PlanePosterior]:
    """The posterior of one run [T, 2], [T] after each of `steps` outcomes, ascending."""
    box, found = None, []
    for t in range(max(steps) + 1):
        posterior, box = plane_posterior(design[:t], outcome[:t], box, size)
        if t in steps:
            found.append(posterior)
    return found


def information_gain(posterior: PlanePosterior, candidates: np.ndarray) -> np.ndarray:
    """Expected gain about theta of one outcome at each of `candidates` [N, 2]: [N], in nats."""
    weight = posterior.mass.ravel()
    kept = weight > _SLIGHT * weight.max()
    weight = weight[kept] / weight[kept].sum()
    theta = np.stack(np.meshgrid(*posterior.nodes, indexing="ij"), axis=-1).reshape(-1, 2)[kept]
    bins = int(np.ceil((_HIGHEST - _LOWEST) / _BIN)) + 1
    place = log_signal(theta.astype(np.float32), candidates[:, None].astype(np.float32))
    place = ((place - np.float32(_LOWEST)) / np.float32(_BIN)).astype(np.int32)
    place = np.clip(place, 0, bins - 1) + bins * np.arange(len(candidates), dtype=np.int32)[:, None]
    histogram = np.bincount(
        place.ravel(), np.broadcast_to(weight, place.shape).ravel(), bins * len(candidates)
    ).reshape(len(candidates), bins)
    margin = int(np.ceil(5.0 * NOISE / _BIN))
    away = _BIN * (np.arange(bins)[:, None] + margin - np.arange(bins + 2 * margin))
    blur = np.exp(-0.5 * (away / NOISE) ** 2) / (NOISE * np.sqrt(2.0 * np.pi))
    density = histogram @ blur
    entropy = -_BIN * np.sum(density * np.log(np.maximum(density, 1e-300)), axis=1)
    return np.maximum(entropy - _NOISE_ENTROPY, 0.0)


class GreedyLocationPolicy(Policy):
    """The candidate with the largest exact one-step information gain about the source.

    Args:
        size: G.

    Boxes of earlier histories are remembered; they save time and change no choice.

    Example:
        >>> from aline_tf.evaluation import SimulatedRuns
        >>> from aline_tf.experiments.location_finding.location_grid import GreedyLocationPolicy
        >>> from aline_tf.tasks import LocationFinding
        >>> runs = SimulatedRuns(LocationFinding(), runs=1, candidates=4, seed=0, horizon=2)
        >>> runs.play(GreedyLocationPolicy(size=16)).design.shape
        (1, 2, 2)
    """

    name = "greedy"
    reads_targets = False
    reads_known = False

    def __init__(self, size: int = 48):
        self.size = size
        self._boxes: dict[bytes, np.ndarray] = {}

    def _choose(self, batch: Mapping[str, Any], mask: np.ndarray) -> np.ndarray:
        present = answered(batch)
        design = np.asarray(batch["context_design"], float)
        outcome = np.asarray(batch["context_outcome"], float)[..., 0]
        candidates = np.asarray(batch["candidate_design"], float)
        boxes, self._boxes, choice = self._boxes, {}, np.zeros(len(mask), int)
        for row, known in enumerate(present):
            x, y = design[row, known], outcome[row, known]
            first = boxes.get(_key(x[:-1], y[:-1]))
            start = len(x) if first is not None else 0
            box = first
            for t in range(start, len(x) + 1):
                posterior, box = plane_posterior(x[:t], y[:t], box, self.size)
            self._boxes[_key(x, y)] = box
            gain = np.full(mask.shape[1], -np.inf)
            gain[mask[row]] = information_gain(posterior, candidates[row, mask[row]])
            choice[row] = masked_argmax(gain[None], mask[row][None])[0]
        return choice


def _key(design: np.ndarray, outcome: np.ndarray) -> bytes:
    return design.tobytes() + outcome.tobytes()
