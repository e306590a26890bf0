"""What simulated people's records are like: the ends of every feature, and of the distance.

Two groups of people who share nothing: the first gives the ends of each feature, the second how far
people stay within them. The second once more with one thing changed that no simulated person has
says which odd records are found.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aline_tf.batch import OBSERVED
from aline_tf.migraine.forecast import unlikeness
from aline_tf.migraine.schema.channels import places
from aline_tf.migraine.simulation.cohort import Cohort, sample_cohort
from aline_tf.migraine.simulation.population import WorldSettings

#: Histories as long as these are looked at.
DAYS = (112, 56, 28)
#: What is odd: of which channel, and what becomes of its values in natural units.
ODD: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "resting heart rate 40 bpm higher": ("resting_hr", lambda value: value + 40.0),
    "resting heart rate 20 bpm higher": ("resting_hr", lambda value: value + 20.0),
    "nights 4 hours shorter": ("sleep_hours", lambda value: value - 4.0),
    "nights 2 hours shorter": ("sleep_hours", lambda value: value - 2.0),
    "stress always 10": ("stress", lambda value: np.full_like(value, 10.0)),
    "variability in hundredths of a second": ("ln_rmssd", lambda value: value - np.log(10.0)),
    "an attack in every part of the day that is reported": ("attack", np.ones_like),
    "the same resting heart rate every day": ("resting_hr", lambda value: np.full_like(value, 62)),
}
#: Ends between which 99% of people lie, and the share of people within the limit.
LEVELS, WITHIN = (0.005, 0.5, 0.995), 0.99


def simulated_people(seed: int, people: int, settings: WorldSettings | None = None) -> Cohort:
    """People whose records are partial ones.

    Args:
        seed: of the people.
        people: S.
        settings: of the simulated world, where it is not that of training.
    """
    return sample_cohort(seed, people, max(DAYS), min(DAYS), settings)


def cohort_features(cohort: Cohort, odd: str = "") -> dict[str, np.ndarray]:
    """Features of simulated people, each seen on three evenings.

    Args:
        cohort: from `simulated_people`.
        odd: a key of `ODD`; "" leaves records as they are.

    Returns:
        name -> [3 S], NaN where too few days tell of it.
    """
    seen = [unlikeness.features(*_made_odd(*cohort.records(days), odd)) for days in DAYS]
    return {name: np.concatenate([part[name] for part in seen]) for name in seen[0]}


def _made_odd(values: np.ndarray, status: np.ndarray, odd: str) -> tuple[np.ndarray, np.ndarray]:
    """Records [S, C, F] with what is observed of one channel made odd."""
    if not odd:
        return values, status
    channel, change = ODD[odd]
    values, fields = values.copy(), list(places(channel))
    own = values[:, :, fields]
    values[:, :, fields] = np.where(status[:, :, fields] == OBSERVED, change(own), own)
    return values, status


def reference(found: dict[str, np.ndarray]) -> dict[str, tuple[float, float, float]]:
    """Low end, median and high end of every feature."""
    return {
        name: tuple(float(end) for end in np.nanquantile(value, LEVELS))
        for name, value in found.items()
    }


def distances(found: dict[str, np.ndarray]) -> np.ndarray:
    """Of every history its distance from the reference: the largest deviation, 0 without any."""
    table = [
        np.nan_to_num(unlikeness.deviations(name, value), nan=0.0)
        for name, value in found.items()
        if name in unlikeness.REFERENCE
    ]
    return np.max(table, axis=0)


def study_text(people: int, seed: int) -> str:
    """The measurement as a table: ends of every feature as measured and as used; the share of
    other people within the limit, in the world of training and in a shifted one; and the share
    beyond it of the same people with odd records.

    Args:
        people: S of each group.
        seed: of the first; the others follow.
    """
    from aline_tf.migraine.simulation.population import SHIFTED

    measured = reference(cohort_features(simulated_people(seed, people)))
    lines = [
        f"Records of {people} simulated people, on day {', '.join(map(str, DAYS))}: ends that hold"
        " 99% of them, as measured here and (as used)",
        f"{'feature':36s}{'low':>18s}{'median':>18s}{'high':>18s}",
    ]
    for name, ends in measured.items():
        used = unlikeness.REFERENCE.get(name, (float("nan"),) * 3)
        cells = (f"{a:.3g} ({b:.3g})" for a, b in zip(ends, used, strict=True))
        lines.append(f"{name:36s}" + "".join(f"{cell:>18s}" for cell in cells))
    lines.append("")
    for world, settings in (("the world of training", None), ("the shifted world", SHIFTED)):
        far = distances(cohort_features(simulated_people(seed + 1, people, settings)))
        share, most, half = (
            100 * np.mean(far <= unlikeness.LIMIT),
            np.quantile(far, WITHIN),
            np.median(far),
        )
        lines.append(
            f"{people} other people of {world}: {share:.1f}% within {unlikeness.LIMIT:g};"
            f" {100 * WITHIN:g}% within {most:.2f}, half within {half:.2f}"
        )
    lines.append("")
    others = simulated_people(seed + 1, people)
    for odd, (channel, _) in ODD.items():
        found = cohort_features(others, odd)
        known = np.isfinite([found[name] for name in found if name.startswith(f"{channel},")])
        far = distances(found)[known.any(axis=0)] > unlikeness.LIMIT
        share = f"{100 * far.mean():.1f}% beyond {unlikeness.LIMIT:g}" if len(far) else "none"
        lines.append(f"{odd}: {share}, of {len(far)} histories that tell of it")
    return "\n".join(lines)
