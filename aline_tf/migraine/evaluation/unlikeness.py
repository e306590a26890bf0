"""What simulated people's records are like: the ends of every feature, and of the distance.

Two groups of people who share nothing: the first gives the ends of each feature, the second how far
people stay within them.
"""

from __future__ import annotations

import numpy as np

from aline_tf.migraine.forecast import unlikeness
from aline_tf.migraine.simulation.cohort import sample_cohort
from aline_tf.migraine.simulation.population import WorldSettings

#: Histories as long as these are looked at.
DAYS = (112, 56, 28)
#: Ends between which 99% of people lie, and the share of people within the limit.
LEVELS, WITHIN = (0.005, 0.5, 0.995), 0.99


def simulated_features(
    seed: int, people: int, settings: WorldSettings | None = None
) -> dict[str, np.ndarray]:
    """Features of simulated people whose records are partial ones, each seen on three evenings.

    Args:
        seed: of the people.
        people: S.
        settings: of the simulated world, where it is not that of training.

    Returns:
        name -> [3 S], NaN where too few days tell of it.
    """
    cohort = sample_cohort(seed, people, max(DAYS), min(DAYS), settings)
    seen = [unlikeness.features(*cohort.records(days)) for days in DAYS]
    return {name: np.concatenate([part[name] for part in seen]) for name in seen[0]}


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
    """The measurement as a table: ends of every feature as measured and as used, and the share of
    other people within the limit, in the world of training and in a shifted one.

    Args:
        people: S of each group.
        seed: of the first; the others follow.
    """
    from aline_tf.migraine.simulation.population import SHIFTED

    measured = reference(simulated_features(seed, people))
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
        far = distances(simulated_features(seed + 1, people, settings))
        share, most, half = (
            100 * np.mean(far <= unlikeness.LIMIT),
            np.quantile(far, WITHIN),
            np.median(far),
        )
        lines.append(
            f"{people} other people of {world}: {share:.1f}% within {unlikeness.LIMIT:g};"
            f" {100 * WITHIN:g}% within {most:.2f}, half within {half:.2f}"
        )
    return "\n".join(lines)
