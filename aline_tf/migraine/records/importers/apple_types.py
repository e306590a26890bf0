"""Types of records of an Apple Health export that are read, their values and their units."""

from __future__ import annotations

from aline_tf.migraine.records.units import convert

QUANTITY = "HKQuantityTypeIdentifier"
CATEGORY = "HKCategoryTypeIdentifier"

#: Quantity -> channel.
QUANTITIES = {
    "HeartRateVariabilitySDNN": "sdnn",
    "HeartRateVariabilityRMSSD": "rmssd",
    "RestingHeartRate": "resting_hr",
    "HeartRate": "heart_rate",
    "RespiratoryRate": "respiratory_rate",
    "StepCount": "steps",
    "AppleSleepingWristTemperature": "wrist_temperature",
}
#: Stage of sleep -> channel.
SLEEP = {
    "InBed": "in_bed",
    "Awake": "awake",
    "Asleep": "asleep",
    "AsleepUnspecified": "asleep",
    "AsleepCore": "asleep",
    "AsleepDeep": "asleep",
    "AsleepREM": "asleep",
}
#: Stages that only a device which measures tells apart.
STAGES = ("AsleepCore", "AsleepDeep", "AsleepREM")
#: Bleeding -> menstrual_flow.
FLOW = {"None": 0.0, "Unspecified": 1.0, "Light": 1.0, "Medium": 1.0, "Heavy": 1.0}
#: Severity of a headache -> pain.
PAIN = {"NotPresent": 0.0, "Mild": 2.0, "Moderate": 5.0, "Severe": 8.0}

#: Older exports write categories as numbers.
_NUMBERED = {
    "SleepAnalysis": ("InBed", "Asleep", "Awake", "AsleepCore", "AsleepDeep", "AsleepREM"),
    "MenstrualFlow": ("", "Unspecified", "Light", "Medium", "Heavy", "None"),
    "Headache": ("Unspecified", "NotPresent", "Mild", "Moderate", "Severe"),
}
_PREFIXES = {
    "SleepAnalysis": ("HKCategoryValueSleepAnalysis",),
    "MenstrualFlow": ("HKCategoryValueMenstrualFlow", "HKCategoryValueVaginalBleeding"),
    "Headache": ("HKCategoryValueSeverity",),
}


def category(name: str, value: str) -> str:
    """The value of a record of a category without its prefix, "" for one that is not known.

    Args:
        name: of the category, a key of the tables above.
        value: as it is written, a word or, in older exports, a number.
    """
    for prefix in _PREFIXES[name]:
        if value.startswith(prefix):
            return value[len(prefix) :]
    names = _NUMBERED[name]
    return names[int(value)] if value in ("0", "1", "2", "3", "4", "5")[: len(names)] else ""


def conversion(spelling: str, unit: str) -> tuple[float, float] | None:
    """Factor and shift from a unit as it is written to that of a channel; None for none."""
    # Without a unit nothing is assumed: what has none in a health export is damaged.
    if not spelling:
        return None
    try:
        shift = convert(0.0, spelling, unit)
        return convert(1.0, spelling, unit) - shift, shift
    except KeyError:
        return None
