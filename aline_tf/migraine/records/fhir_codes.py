"""How the channels of a timeline are called in HL7 FHIR R4: LOINC codes, and UCUM units.

Not every channel has a LOINC code, and none has one that says all of what is meant here, so every
observation that is written carries a code of `SYSTEM` as well: the name of the channel. One that
has it reads back exactly; others are recognised by their LOINC code alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
#: Code system of this project: the names of the channels of a timeline.
SYSTEM = "urn:aline-tf:channel"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
#: Reasons for which a value is absent that mean: the person was asked, and gave no answer.
REFUSALS = ("asked-declined", "asked-unknown")


@dataclasses.dataclass(frozen=True)
class Coding:
    """A channel's LOINC code, its name there, and the category FHIR files it under.

    Example:
        >>> from aline_tf.migraine.records.fhir_codes import CODINGS
        >>> CODINGS["heart_rate"].code
        '8867-4'
    """

    code: str
    display: str
    category: str


#: Channel -> the LOINC code it is written with.
CODINGS: Mapping[str, Coding] = {
    "heart_rate": Coding("8867-4", "Heart rate", "vital-signs"),
    "resting_hr": Coding("40443-4", "Heart rate --resting", "vital-signs"),
    "sdnn": Coding(
        "80404-7", "R-R interval.standard deviation (Heart rate variability)", "vital-signs"
    ),
    "respiratory_rate": Coding("9279-1", "Respiratory rate", "vital-signs"),
    "sleep_hours": Coding("93832-4", "Sleep duration", "activity"),
    "steps": Coding("55423-8", "Number of steps in unspecified time Pedometer", "activity"),
    "pain": Coding(
        "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported", "survey"
    ),
}

#: LOINC code -> channel, those that are read and never written included.
CHANNEL_OF: Mapping[str, str] = {
    **{coding.code: channel for channel, coding in CODINGS.items()},
    "41950-7": "steps",  # Number of steps in 24 hour Measured
}

#: Unit of a channel -> (UCUM code, the unit in words). Channels without a unit are booleans.
UNITS: Mapping[str, tuple[str, str]] = {
    "ms": ("ms", "ms"),
    "bpm": ("/min", "beats/minute"),
    "/min": ("/min", "breaths/minute"),
    "count": ("{#}", "count"),
    "C": ("Cel", "degree Celsius"),
    "h": ("h", "hours"),
    "hPa": ("hPa", "hPa"),
    "fraction": ("1", "fraction"),
    "0-10": ("{score}", "score"),
    "drinks": ("{drinks}", "drinks"),
    "cups": ("{cups}", "cups"),
}
