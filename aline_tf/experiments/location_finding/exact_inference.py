"""The exact posterior of one source in the plane for any state: the oracle of the promises.

Answers that are missing are as if not asked; a coordinate given as known leaves a line of the grid.

Sizes: R states, T answers, N candidates, G nodes along each axis.
"""

from __future__ import annotations

import numpy as np

from aline_tf.evaluation.promises.inference import (
    Inference,
    JointDraws,
    Summary,
    answered_histories,
)
from aline_tf.experiments.location_finding.location_grid import (
    PlanePosterior,
    information_gain,
    log_likelihood,
    plane_posterior,
)

#: How much longer the next history is that the box is looked for with: a box of a short history
#: holds the mass of a longer one, and its grid sees where that is.
_GROWTH = 1.4


class LocationInference(Inference):
    """The exact posterior of a source in the unit square.

    Args:
        size: G.

    Example:
        >>> import numpy as np
        >>> from aline_tf.batch_ops import from_history
        >>> from aline_tf.experiments.location_finding.exact_inference import LocationInference
        >>> batch = from_history({"D": 2, "F": 1, "P": 2}, np.zeros([1, 0, 2]), np.zeros([1, 0, 1]))
        >>> LocationInference().summary(batch, np.full((1, 2), 0.5)).sd.round(3)
        array([[0.289, 0.289]])
    """

    def __init__(self, size: int = 48):
        self.size = size

    def summary(self, batch, theta):
        rows = []
        for row, (design, outcome, known) in enumerate(_observed(batch)):
            truth = np.asarray(theta[row], float)
            posterior = self._posterior(design, outcome, known)
            mean = posterior.mean()
            square = (posterior.marginals() * np.square(posterior.nodes - mean[:, None])).sum(1)
            low, high = posterior.quantiles((0.05, 0.95)).T
            if known[0].any():
                # What is left is one coordinate, whose density is that of the whole.
                point = np.where(known[0], known[1], truth)
                density = float(log_likelihood(point, design, outcome)) - posterior.log_evidence
            else:
                density = posterior.log_density(truth, design, outcome)
            below = np.where(known[0], known[1] <= truth, _below(posterior, truth))
            density = np.where(known[0], np.nan, density)
            rows.append((mean, np.sqrt(square), low, high, below, density))
        return Summary(*(np.stack(part) for part in zip(*rows, strict=True)))

    def joint_log_prob(self, batch, theta, order=None):
        found = []
        for row, (design, outcome, known) in enumerate(_observed(batch)):
            posterior = self._posterior(design, outcome, known)
            point = np.where(known[0], known[1], np.asarray(theta[row], float))
            level = float(log_likelihood(point, design, outcome)) - posterior.log_evidence
            inside = ((point >= 0.0) & (point <= 1.0)).all()
            found.append(level if inside else -np.inf)
        return np.array(found)

    def joint_draws(self, batch, count, seed=0):
        rng, found = np.random.default_rng(seed), []
        for design, outcome, known in _observed(batch):
            posterior = self._posterior(design, outcome, known)
            mass = posterior.mass
            apart = np.outer(*posterior.marginals())
            there = mass > 0.0
            gain = np.log(mass, out=np.zeros_like(mass), where=there)
            gain -= np.log(apart, out=np.zeros_like(mass), where=there)
            place = np.unravel_index(rng.choice(mass.size, count, p=mass.ravel()), mass.shape)
            theta = np.stack([n[p] for n, p in zip(posterior.nodes, place, strict=True)], -1)
            log_prob = log_likelihood(theta, design, outcome) - posterior.log_evidence
            found.append((theta, log_prob, gain[place], (mass * gain).sum()))
        return JointDraws(*(np.stack(part) for part in zip(*found, strict=True)))

    def correlation(self, batch):
        found = []
        for design, outcome, known in _observed(batch):
            posterior = self._posterior(design, outcome, known)
            first, second = posterior.nodes - posterior.mean()[:, None]
            covariance = np.array(
                [
                    [(posterior.mass * np.multiply.outer(a, b)).sum() for a, b in row]
                    for row in (
                        ((first**2, second**0), (first, second)),
                        ((first, second), (first**0, second**2)),
                    )
                ]
            )
            sd = np.maximum(np.sqrt(np.diag(covariance)), 1e-12)
            found.append(covariance / np.outer(sd, sd))
        return np.stack(found)

    def gain(self, batch):
        after = np.asarray(batch["theta_mask"]) | np.asarray(batch["known_mask"])
        if not after.all() or np.asarray(batch["target_mask"]).any():
            return None
        pool, found = np.asarray(batch["candidate_design"], float), []
        for row, (design, outcome, known) in enumerate(_observed(batch)):
            posterior = self._posterior(design, outcome, known)
            found.append(information_gain(posterior, pool[row]))
        return np.stack(found)

    def _posterior(self, design, outcome, known) -> PlanePosterior:
        which, value = known
        box = np.where(which[:, None], value[:, None], np.array([0.0, 1.0]))
        length = 0
        while True:
            found, box = plane_posterior(design[:length], outcome[:length], box, self.size)
            if length == len(design):
                return found
            length = min(max(length + 1, int(_GROWTH * length)), len(design))


def _observed(batch):
    """(places [T, 2], answers [T], (known bool [2], their values [2])) of every row."""
    which, value = np.asarray(batch["known_mask"]), np.asarray(batch["known_theta"], float)
    for row, (design, outcome, _) in enumerate(answered_histories(batch)):
        yield design, outcome, (which[row], value[row])


def _below(posterior: PlanePosterior, truth):
    """Distribution functions at the truth [2], the mass of a cell spread evenly over it."""
    found = []
    for mass, nodes, value in zip(posterior.marginals(), posterior.nodes, truth, strict=True):
        half = 0.5 * (nodes[1] - nodes[0])
        edges = np.append(nodes - half, nodes[-1] + half)
        found.append(np.interp(value, edges, np.append(0.0, np.cumsum(mass))))
    return np.array(found)
