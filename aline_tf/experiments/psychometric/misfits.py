"""Observers that the yes-or-no task does not describe, by name; see `aline_tf.evaluation.misfit`.

Where they have a curve, it is that of a careful observer: threshold in [-1.5, 1.5], slope in
[.2, .8], few lapses; so that what is strange about them is what their name says.
"""

from __future__ import annotations

import numpy as np

from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.experiments.psychometric.psychometric_grid import link, success_probability

#: Nodes of the oracle's grid: predictions within .01 of a grid three times as fine.
_SIZES = (32, 16, 10, 8)
_FAR = 4.0


def _careful(rng, runs):
    """theta [R, 4]."""
    return rng.uniform([-1.5, 0.2, 0.1, 0.0], [1.5, 0.8, 0.9, 0.1], (runs, 4))


def _by_chance(probability):
    """Subjects whose P(yes) is `probability(theta [R, 4], stimulus [R], trial)`."""

    def subjects(rng, runs):
        theta = _careful(rng, runs)
        return lambda design, t: rng.random(runs) < probability(theta, design[:, 0], t)

    return subjects


def _drifting(theta, stimulus, t, trials=30):
    """The threshold goes from -2 to 2 on the way."""
    moved = theta.copy()
    moved[:, 0] = _FAR * (t / (trials - 1) - 0.5)
    return success_probability(moved, stimulus)


#: Name -> subjects.
MISFITS = {
    "always yes": _by_chance(lambda theta, x, t: np.ones(len(x))),
    "coin": _by_chance(lambda theta, x, t: np.full(len(x), 0.5)),
    "buttons inverted": _by_chance(lambda theta, x, t: 1.0 - success_probability(theta, x)),
    "threshold drifts by 4": _by_chance(_drifting),
    "2AFC taken for yes or no": _by_chance(
        lambda theta, x, t: 0.5 + 0.48 * link((x - theta[:, 0]) / theta[:, 1])
    ),
    # Told in units a tenth as large, and along an axis that points the other way.
    "unit: ten times too large": _by_chance(
        lambda theta, x, t: success_probability(theta, x / 10.0)
    ),
    "unit: sign": _by_chance(lambda theta, x, t: success_probability(theta, -x)),
}


def exact_chances(design, outcome) -> np.ndarray:
    """P(yes) of each trial given those before, by quadrature: [R, T] for [R, T, 1] twice."""
    design, outcome = np.asarray(design, float)[..., 0], np.asarray(outcome, float)[..., 0]
    steps = range(design.shape[1] + 1)
    log_evidence = GridPosterior(_SIZES).marginals(design, outcome, steps).log_evidence
    came = np.exp(np.diff(log_evidence, axis=1))
    return np.where(outcome > 0.5, came, 1.0 - came)
