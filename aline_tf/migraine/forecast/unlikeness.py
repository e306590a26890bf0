"""How far a person's records are from those of simulated people: the model has met no others.

    feature f     a level, a spread or a share of the last 112 days, where 14 days tell of it
    deviation     (f - median) / (high - median) above the median, (median - f) / (median - low)
                  below; low and high hold 99% of simulated people between them
    distance      the largest deviation of all features

A distance of 1 is one feature at the edge of what is met. `LIMIT` is the distance that 99% of other
simulated people stay within; beyond it a forecast rests on records unlike any the model was taught.
`aline-tf migraine evaluate --study unlikeness` measures both again.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.records.attack_slots import attack_days, attacks_alone
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.channels import CHANNEL, CHANNELS, places

#: Days that have to tell of a feature.
LEAST_DAYS = 14
_SPREADS = tuple(c.name for c in CHANNELS if c.kind == "continuous" and c.name != "ln_rmssd_spot")
#: Channels whose description is no name.
_NAMED = {
    "attack": "attacks",
    "alcohol": "drinks a day",
    "caffeine": "cups of coffee a day",
    "missed_meal": "missed meals",
    "stress": "stress",
    "pain": "head pain",
    "prodrome": "warning signs",
    "medication": "acute medication",
    "menstrual_window": "days around menstruation",
    "pressure_change": "change of air pressure",
    "busy_hours": "busy hours in the calendar",
    "sleep_hours": "hours of sleep",
    "sleep_efficiency": "sleep efficiency",
    "skin_temperature": "skin temperature at night",
    "ln_rmssd_spot": "heart rate variability of one minute",
}
#: Feature -> its low end, median and high end among 3000 simulated people on three evenings.
REFERENCE: dict[str, tuple[float, float, float]] = {
    "pressure_change, level": (-0.8994, 0.006183, 0.9857),
    "pressure_change, spread": (3.921, 5.608, 7.444),
    "busy_hours, level": (0.4138, 1.634, 2.98),
    "busy_hours, spread": (0.6447, 1.434, 2.227),
    "menstrual_window, level": (0, 0.1786, 0.2857),
    "ln_rmssd, level": (2.119, 3.375, 4.597),
    "ln_rmssd, spread": (0.1527, 0.2372, 0.3463),
    "ln_sdnn, level": (2.689, 3.738, 4.773),
    "ln_sdnn, spread": (0.1541, 0.2366, 0.3314),
    "resting_hr, level": (44.56, 62.29, 78.59),
    "resting_hr, spread": (1.541, 2.284, 3.076),
    "sleep_hours, level": (5.554, 7.365, 9.191),
    "sleep_hours, spread": (0.5721, 1.002, 1.574),
    "sleep_efficiency, level": (0.8184, 0.8899, 0.9536),
    "sleep_efficiency, spread": (0.02698, 0.03963, 0.05187),
    "skin_temperature, level": (-0.1561, -0.008414, 0.08924),
    "skin_temperature, spread": (0.1107, 0.1833, 0.2451),
    "ln_steps, level": (7.407, 8.686, 9.75),
    "ln_steps, spread": (0.2429, 0.3653, 0.4849),
    "ln_screen_time, level": (0.0387, 1.091, 2.057),
    "ln_screen_time, spread": (0.2099, 0.3089, 0.4175),
    "alcohol, level": (0, 0.2857, 1.49),
    "caffeine, level": (0, 1.533, 5.167),
    "missed_meal, level": (0, 0.07042, 0.4163),
    "ln_rmssd_spot, level": (2.508, 3.376, 4.382),
    "stress, level": (1.5, 3.944, 6.768),
    "stress, spread": (1.186, 1.96, 2.692),
    "pain, level": (0.1194, 1.142, 7.505),
    "prodrome, level": (0, 0.14, 0.572),
    "medication, level": (0, 0.04762, 0.4135),
    "attack, share": (0, 0.1613, 0.5597),
    "attack, run": (0, 2, 5),
}
#: The distance that 99% of other people stay within.
LIMIT = 1.45


@dataclasses.dataclass(frozen=True)
class Unlikeness:
    """How far records are from simulated ones.

    Attributes:
        distance: the largest deviation; 0 where nothing can be compared.
        feature: whose deviation that is, as "resting_hr, level"; "" where nothing can be compared.
        value: of that feature, in the units of its channel.
        low, high: between which it lies in 99% of simulated people.
        features: how many could be compared.

    Example:
        >>> from aline_tf.migraine.forecast import Unlikeness
        >>> Unlikeness(3.2, "resting_hr, level", 110.0, 45.0, 80.0, features=12).is_unlike
        True
    """

    distance: float
    feature: str = ""
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    features: int = 0

    @property
    def is_unlike(self) -> bool:
        """Whether 99% of simulated people are nearer."""
        return self.distance > LIMIT


def unlikeness(history: DayHistory) -> Unlikeness:
    """How far the records of a history are from those of simulated people.

    Args:
        history: of up to 112 days.
    """
    found = features(history.values[None], history.status[None], history.hourless[None])
    deviation = {
        name: float(deviations(name, value)[0])
        for name, value in found.items()
        if name in REFERENCE and np.isfinite(value[0])
    }
    if not deviation:
        return Unlikeness(0.0)
    worst = max(deviation, key=deviation.get)
    low, _, high = REFERENCE[worst]
    return Unlikeness(deviation[worst], worst, float(found[worst][0]), low, high, len(deviation))


def deviations(name: str, value: np.ndarray) -> np.ndarray:
    """How far values [S] of a feature are from the median, 1 being the end of 99% of people."""
    low, middle, high = REFERENCE[name]
    # Where half of all people have the same value, an end may be the median itself.
    least = 0.25 * max(high - low, 1e-6)
    scale = np.where(value > middle, max(high - middle, least), max(middle - low, least))
    return np.abs(value - middle) / scale


def features(
    values: np.ndarray, status: np.ndarray, hourless: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Features of S people, NaN where too few days tell of one.

    Args:
        values, status: [S, C, F], as in a `DayHistory`.
        hourless: bool [S, C], likewise; no such day when omitted.

    Returns:
        name -> [S].
    """
    found = {}
    for channel in CHANNELS:
        fields = list(places(channel.name))
        seen = status[:, :, fields] == OBSERVED
        known = np.where(seen, values[:, :, fields].astype(float), np.nan)
        with warnings.catch_warnings():
            # Days without a value have no mean, and are left out.
            warnings.simplefilter("ignore", RuntimeWarning)
            of_day = np.nanmean(known, axis=2)
            enough = np.isfinite(of_day).sum(axis=1) >= LEAST_DAYS
            if channel.name != "attack":
                level = np.nanmean(of_day, axis=1)
                found[f"{channel.name}, level"] = np.where(enough, level, np.nan)
            if channel.name in _SPREADS or channel.name == "stress":
                spread = np.nanstd(of_day, axis=1)
                found[f"{channel.name}, spread"] = np.where(enough, spread, np.nan)
    return found | _attack_features(values, status, hourless)


def describe(name: str) -> str:
    """A feature in words: "level of resting heart rate"."""
    channel, _, what = name.partition(", ")
    if channel == "attack":
        return {"share": "share of days with an attack", "run": "longest run of attack days"}[what]
    kind = "usual level" if what == "level" else "day-to-day spread"
    return f"{kind} of {_NAMED.get(channel, CHANNEL[channel].description)}"


def _attack_features(values, status, hourless) -> dict[str, np.ndarray]:
    people, days, _ = values.shape
    flat = None if hourless is None else hourless.reshape(-1)
    attack, whole = (
        part.reshape(people, days)
        for part in attack_days(
            values.reshape(people * days, -1), status.reshape(people * days, -1), flat
        )
    )
    known = whole.sum(axis=1)
    # A diary of attacks alone tells of no share.
    enough = (known >= LEAST_DAYS) & ~attacks_alone(attack & whole, whole)
    share = (attack & whole).sum(axis=1) / np.maximum(known, 1)
    run, longest = np.zeros(people), np.zeros(people)
    for day in range(days):
        run = np.where(attack[:, day] & whole[:, day], run + 1, 0)
        longest = np.maximum(longest, run)
    return {
        "attack, share": np.where(enough, share, np.nan),
        "attack, run": np.where(enough, longest, np.nan),
    }
