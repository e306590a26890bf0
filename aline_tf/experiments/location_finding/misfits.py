"""Signals that the task of one source does not describe, by name; see `aline_tf.evaluation.misfit`.

two sources for one        both are heard, and the policy looks for one
unit: log10 for ln         outcomes 2.3 times too small
the source moves           by .6 along the first axis on the way
no source                  noise about the usual mean
"""

from __future__ import annotations

import math

import numpy as np

NOISE, BACKGROUND, CLOSEST, TRIALS = 0.5, 0.1, 1e-4, 30


def _outcome_of(sources, design):
    """log mu [R] of sources [R, K, d] at designs [R, d]."""
    square = np.square(sources - design[:, None]).sum(-1)
    return np.log(BACKGROUND + (1.0 / (CLOSEST + square)).sum(1))


def _signals(mean, count=1):
    """Subjects whose log signal is `mean(sources [R, K, d], design [R, d], trial)` and noise."""

    def subjects(rng, runs):
        sources = rng.random((runs, count, 2))
        return lambda design, t: mean(sources, design, t, NOISE * rng.standard_normal(runs))

    return subjects


def _moving(sources, design, t, noise):
    away = np.array([0.6 * (t / (TRIALS - 1) - 0.5), 0.0])
    return _outcome_of(sources + away, design) + noise


#: Name -> subjects.
MISFITS = {
    "two sources for one": _signals(lambda s, x, t, noise: _outcome_of(s, x) + noise, count=2),
    "unit: log10 for ln": _signals(
        lambda s, x, t, noise: (_outcome_of(s, x) + noise) / math.log(10.0)
    ),
    "the source moves": _signals(_moving),
    "no source": _signals(lambda s, x, t, noise: 2.0 + 3.0 * noise),
}
