"""Each parameter of a refined posterior by itself: in figures, and as a distribution.

Weighted draws have no density. Of an interval or a real parameter the distribution is a mixture of
K normals (truncated to the interval) around the draws' quantiles at (k - 1/2) / K, drawn together
so that the draws' variance is kept:

    m + sqrt(1 - h^2) s / s_q (q_k - m_q),   each of sd h s,   h = .15

with m and s the mean and sd of the draws, m_q and s_q of the quantiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from aline_tf.acquisition.questions import Marginal
from aline_tf.models.protocol import QUANTILE_LEVELS

if TYPE_CHECKING:
    from aline_tf.acquisition.refined.refinement import WeightedDraws

_COMPONENTS, _WIDTH = 64, 0.15


def refined_marginals(spec, posterior: WeightedDraws) -> dict[str, Marginal]:
    """Every parameter of weighted draws by itself, by name."""
    mean, sd = posterior.mean(), posterior.sd()
    quantiles = posterior.quantiles(QUANTILE_LEVELS)
    present = posterior.weight @ (posterior.theta != 0.0)
    return {
        parameter.name: Marginal(
            float(mean[p]),
            float(sd[p]),
            tuple(map(float, quantiles[p])),
            float(present[p]) if parameter.kind in ("binary", "spike_slab") else 1.0,
        )
        for p, parameter in enumerate(spec.parameters)
    }


def refined_distributions(spec, posterior: WeightedDraws) -> dict:
    """Every parameter of weighted draws as a tfp distribution of batch shape [1], by name."""
    import tensorflow_probability as tfp

    tfd, found = tfp.distributions, {}
    for column, parameter in zip(posterior.theta.T, spec.parameters, strict=True):
        name = parameter.name
        present = float(posterior.weight @ (column != 0.0))
        if parameter.kind == "binary":
            found[name] = tfd.Bernoulli(probs=[np.float32(present)], dtype="float32", name=name)
        elif parameter.kind != "spike_slab":
            found[name] = _continuous(tfd, parameter, column, posterior.weight)
        elif present == 0.0:
            found[name] = tfd.Deterministic([np.float32(0.0)], name=name)
        else:
            slab = _continuous(tfd, parameter, column, posterior.weight * (column != 0.0))
            shares = tfd.Categorical(probs=np.array([[1.0 - present, present]], np.float32))
            found[name] = tfd.Mixture(
                shares, [tfd.Deterministic([np.float32(0.0)]), slab], name=name
            )
    return found


def refined_entropies(spec, posterior: WeightedDraws) -> dict[str, float]:
    """Entropy of every parameter in nats, by name; as `SessionPosterior.entropy` defines it."""
    import tensorflow_probability as tfp

    found = {}
    for column, parameter in zip(posterior.theta.T, spec.parameters, strict=True):
        present, entropy = float(posterior.weight @ (column != 0.0)), 0.0
        if parameter.kind in ("binary", "spike_slab"):
            shares = np.clip([present, 1.0 - present], 1e-12, 1.0)
            entropy = -float((shares * np.log(shares)).sum())
        if parameter.kind != "binary" and present > 0.0:
            kept = column != 0.0 if parameter.kind == "spike_slab" else np.ones(len(column), bool)
            own = _continuous(tfp.distributions, parameter, column, posterior.weight * kept)
            share = present if parameter.kind == "spike_slab" else 1.0
            entropy += share * float(own.entropy().numpy()[0])
        found[parameter.name] = entropy
    return found


def _continuous(tfd, parameter, value, weight):
    """Draws [I] of weights [I], which need not sum to one, as a smooth mixture."""
    from aline_tf.acquisition.refined.refinement import WeightedDraws
    from aline_tf.models.distributions.theta_posterior import continuous_marginal

    kept = weight > 0.0
    own = WeightedDraws(value[kept, None], weight[kept] / weight[kept].sum())
    mean, sd = float(own.mean()[0]), float(own.sd()[0])
    # One value alone has no width of its own: then next to none of what the parameter could have.
    room = parameter.high - parameter.low if parameter.kind == "interval" else parameter.scale
    sd = max(sd, 1e-4 * room)
    levels = (np.arange(_COMPONENTS) + 0.5) / _COMPONENTS
    place = own.quantiles(levels)[0]
    away = (place - place.mean()) / max(float(place.std()), 1e-9 * room)
    center = mean + math.sqrt(1.0 - _WIDTH**2) * sd * away
    center = center[None].astype(np.float32)
    scale = np.full_like(center, _WIDTH * sd)
    if parameter.kind == "interval":
        part = tfd.TruncatedNormal(center, scale, parameter.low, parameter.high)
    else:
        part = tfd.Normal(center, scale)
    shares = tfd.Categorical(logits=np.zeros_like(center))
    return continuous_marginal()(shares, part, name=parameter.name)
