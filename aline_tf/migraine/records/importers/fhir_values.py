"""What a FHIR observation says: the channel of its code, and its value in the unit of that.

A code counts as LOINC's when it is one of those that are read and says so, in any of the ways in
which people write that, or says nothing of where it is from.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from aline_tf.migraine.records.fhir_codes import CHANNEL_OF, LOINC, REFUSALS, SYSTEM
from aline_tf.migraine.records.timeline import KINDS, NOT_ANSWERED, OBSERVED
from aline_tf.migraine.records.units import convert

_LOINC_SPELLINGS = ("loinc.org", "loinc", "2.16.840.1.113883.6.1")


class Skip(Exception):
    """What cannot be used: the reason, and what stands there instead."""

    def __init__(self, reason: str, example: object = None) -> None:
        super().__init__(reason)
        self.example = example


class Unused(Exception):
    """What has no use here; the message is its code or its type."""


def channel_of(code: Any) -> tuple[str, bool]:
    """The channel of a CodeableConcept, and whether this project wrote it.

    Raises:
        Unused: no code of it is read.
    """
    codings = code.get("coding") if isinstance(code, dict) else None
    pairs = [
        (coding.get("system"), coding.get("code"))
        for coding in (codings if isinstance(codings, list) else ())
        if isinstance(coding, dict) and isinstance(coding.get("code"), str)
    ]
    for system, name in pairs:
        if system == SYSTEM and name in KINDS:
            return name, True
    for system, name in pairs:
        if name in CHANNEL_OF and (system == LOINC or system is None or _is_loinc(system)):
            return CHANNEL_OF[name], False
    raise Unused(_name_of(code, codings))


def _is_loinc(system: Any) -> bool:
    text = str(system).strip().lower().removeprefix("https://").removeprefix("http://")
    return text.removeprefix("www.").removeprefix("urn:oid:").strip("/") in _LOINC_SPELLINGS


def _name_of(code: Any, codings: Any) -> str:
    """An observation that is not used, by its code and what the code stands for."""
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            display = coding.get("display")
            return f"{coding['code']} {display if isinstance(display, str) else ''}".strip()
    text = code.get("text") if isinstance(code, dict) else None
    return f"text {text}" if isinstance(text, str) else "observations without a code"


def value_of(resource: dict, channel: str) -> tuple[float, int]:
    """The value in the unit of the channel and its status.

    Args:
        resource: an observation, or a component of one.
        channel: of its code.

    Raises:
        Skip: there is no value that can be used.
    """
    kind = KINDS[channel]
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict):
        if quantity.get("comparator"):
            raise Skip(f"{channel}: only a bound on the value", quantity.get("value"))
        value = _converted(quantity, channel)
    elif isinstance(resource.get("valueBoolean"), bool) and kind.unit == "":
        value = float(resource["valueBoolean"])
    elif isinstance(resource.get("valueInteger"), int) and kind.unit in ("0-10", "count"):
        value = float(resource["valueInteger"])
    else:
        reason = resource.get("dataAbsentReason")
        codings = reason.get("coding") if isinstance(reason, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and coding.get("code") in REFUSALS:
                return 0.0, NOT_ANSWERED
        others = {name: value for name, value in resource.items() if name.startswith("value")}
        for name, other in others.items():
            if other is not None:
                raise Skip(f"{channel}: a value of another form", f"{name}: {other}")
        raise Skip(f"{channel}: without a value")
    if not (math.isfinite(value) and kind.low <= value <= kind.high):
        raise Skip(f"{channel}: a value out of range", value)
    return value, OBSERVED


def _converted(quantity: dict, channel: str) -> float:
    number = quantity.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Skip(f"{channel}: not a number", number)
    unit = KINDS[channel].unit
    stated = (quantity.get(name) for name in ("code", "unit"))
    spellings = [text for text in stated if isinstance(text, str)] or [""]
    for spelling in spellings:
        try:
            factor, shift = _conversion(spelling, unit)
            return float(number) * factor + shift
        except (KeyError, OverflowError):
            continue
    shown = "".join(c for c in spellings[0] if c.isprintable())[:12] or "(none)"
    raise Skip(f"{channel}: unit {shown} instead of {unit}", number)


@lru_cache(1000)
def _conversion(spelling: str, unit: str) -> tuple[float, float]:
    shift = convert(0.0, spelling, unit)
    return convert(1.0, spelling, unit, difference=True), shift
