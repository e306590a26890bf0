"""Spike-and-slab posteriors of trigger effects: which are a person's, and how strong they are.

The effect of a trigger is exactly zero (it is not one of theirs) or a number on the scale of log
odds: the odds that an attack starts in six hours are multiplied by exp(effect) for each unit of the
trigger. q(effect | D) keeps both parts.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import OBSERVED
from aline_tf.migraine.schema.channels import places
from aline_tf.migraine.schema.parameters import TRIGGERS
from aline_tf.migraine.simulation.population import WorldSettings

#: The channel that tells of each trigger.
SOURCE_CHANNEL = {
    "stress": "stress",
    "stress_fall": "stress",
    "sleep_deviation": "sleep_hours",
    "low_efficiency": "sleep_efficiency",
    "pressure": "pressure_change",
    "menstrual": "menstrual_window",
    "caffeine_drop": "caffeine",
    "alcohol": "alcohol",
    "missed_meal": "missed_meal",
}
LEVELS = (0.05, 0.95)
_CERTAIN = 30.0  # sigmoid(30) is 1 in float32


@dataclasses.dataclass(frozen=True)
class TriggerPosterior:
    """The posterior of one trigger's effect.

    Attributes:
        name: that of the trigger.
        probability: that it is one of this person's.
        odds_ratio: exp of the mean effect, if it is.
        low, high: 90% interval of the odds ratio, if it is.
        strength: mean absolute effect, counting zero where it is none of theirs.
        days_recorded: days whose record tells of it. Where that is 0, the posterior is
            what holds of people in general.
        usual: the probability with nothing recorded at all, which says nothing of the person.

    Example:
        >>> from aline_tf.migraine.forecast import TriggerPosterior
        >>> TriggerPosterior("stress", 0.7, 1.5, 1.1, 2.0, strength=0.3, days_recorded=40).name
        'stress'
    """

    name: str
    probability: float
    odds_ratio: float
    low: float
    high: float
    strength: float
    days_recorded: int
    usual: float = WorldSettings().slab_probability


def trigger_posteriors(model, batch: dict) -> list[TriggerPosterior]:
    """The posterior of every trigger, strongest first; unrecorded triggers come last.

    Of a trigger that is not recorded it is what holds with nothing recorded at all.

    Args:
        model: an ALINE of the migraine task.
        batch: from `history_batch`; its first row is looked at.
    """
    outputs = batch_ops.map_rows(model, own_and_nothing(batch))
    raw = outputs["theta_raw"]
    posterior = model.theta_posterior(outputs)
    # The last raw output is the logit of "not zero": with it certain, what remains is the slab.
    certain = np.concatenate([raw[..., :-1], np.full_like(raw[..., -1:], _CERTAIN)], axis=-1)
    slab = model.theta_posterior({"theta_raw": certain})
    probability = posterior.probability().numpy()
    mean, sd = (part.numpy() for part in slab.mean_sd())
    low, high = np.moveaxis(slab.quantiles(LEVELS).numpy(), -1, 0)
    return trigger_table(batch, model.spec.parameter_names, probability, mean, sd, low, high)


def own_and_nothing(batch: dict) -> dict:
    """Two rows without candidates: the first one of the batch, and the same with nothing recorded.

    Args:
        batch: from `history_batch`.
    """
    own = batch_ops.take_rows(batch_ops.drop_candidates(batch), slice(0, 1))
    nothing = own | {
        "context_mask": np.zeros_like(own["context_mask"]),
        "context_status": np.zeros_like(own["context_status"]),
    }
    return batch_ops.stack([own, nothing])


def trigger_table(batch: dict, names, probability, mean, sd, low, high) -> list[TriggerPosterior]:
    """Triggers, strongest first and unrecorded ones last, from the posteriors of two rows.

    Args:
        batch: from `history_batch`; its first row is looked at.
        names: of the P parameters.
        probability: [2, P] that a parameter is not zero, of the rows of `own_and_nothing`.
        mean, sd, low, high: [2, P] of those that are not; NaN where nobody knows.
    """
    found = []
    for trigger in TRIGGERS:
        index = names.index(f"beta_{trigger.name}")
        days_recorded = _days_recorded(batch, SOURCE_CHANNEL[trigger.name])
        at = (0 if days_recorded else 1, index)
        found.append(
            TriggerPosterior(
                name=trigger.name,
                probability=float(probability[at]),
                odds_ratio=math.exp(mean[at]),
                low=math.exp(low[at]),
                high=math.exp(high[at]),
                strength=float(probability[at] * _mean_absolute(mean[at], sd[at])),
                days_recorded=days_recorded,
                usual=float(probability[1, index]),
            )
        )
    return sorted(found, key=lambda trigger: (trigger.days_recorded == 0, -trigger.strength))


def _days_recorded(batch: dict, channel: str) -> int:
    observed = batch["context_status"][0][:, list(places(channel))] == OBSERVED
    return int((observed.any(axis=1) & batch["context_mask"][0]).sum())


def _mean_absolute(mean: float, sd: float) -> float:
    """E|x| of a normal with this mean and spread."""
    if sd <= 0.0:
        return abs(mean)
    z = mean / sd
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return 2.0 * sd * density + mean * math.erf(z / math.sqrt(2.0))
