"""Plans of people, made one at a time and kept until more is known of them."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from aline_tf.gateway.failures import Busy

if TYPE_CHECKING:
    from aline_tf.migraine.forecast.plan import Gain, Option, Plan

Key = tuple[str, Hashable]
#: Plans that are kept at hand.
AT_HAND = 64


class Plans:
    """Plans by what they were made of. One takes half a minute of every core."""

    def __init__(self) -> None:
        self._turn, self._keeping = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[Key, dict[str, Any]] = OrderedDict()

    def forget(self, person: str) -> None:
        """Keep no plan of a person."""
        with self._keeping:
            for key in [key for key in self._kept if key[0] == person]:
                del self._kept[key]

    def of(self, key: Key, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The plan of a key; made where there is none.

        Args:
            key: the person, and whatever it depends on.
            make: makes it.

        Raises:
            Busy: another is being made.
        """
        if (found := self._found(key)) is not None:
            return found
        if not self._turn.acquire(blocking=False):
            raise Busy("expected no other plan to be in the making; one is: ask again")
        try:
            made = self._found(key) or make()
        finally:
            self._turn.release()
        with self._keeping:
            self._kept[key] = made
            while len(self._kept) > AT_HAND:
                self._kept.popitem(last=False)
        return made

    def _found(self, key: Key) -> dict[str, Any] | None:
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)


def shown_plan(plan: Plan) -> dict[str, Any]:
    """A plan as JSON values."""
    return {
        "budget": plan.budget,
        "chosen": _gain(plan.chosen),
        "without": [_gain(gain) for gain in plan.without],
        "alone": [_gain(gain) for gain in plan.alone],
        "devices": {device: _gain(gain) for device, gain in plan.devices.items()},
        "log_score": plan.log_score,
        "brier": plan.brier,
    }


def _gain(gain: Gain) -> dict[str, Any]:
    values = {
        field.name: getattr(gain, field.name)
        for field in dataclasses.fields(gain)
        if field.name != "options"
    }
    return {"options": [_option(option) for option in gain.options], **values}


def _option(option: Option) -> dict[str, Any]:
    return {
        "channel": option.channel,
        "slot": option.slot,
        "device": option.device,
        "cost": option.cost,
        "label": option.label,
    }
