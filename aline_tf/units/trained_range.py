"""The range that a model was trained on, and a word, once, about numbers outside of it.

Designs lie between the bounds of the spec. Outcomes that are continuous or counts lie within ten
scales of their location, as the model standardises them: every simulator of the package stays
within eight.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from aline_tf.errors import InputError, RangeWarning
from aline_tf.spec import Channel, TaskSpec

#: Scales of a channel on both sides of its location.
_SCALES = 10.0
#: Share of a range's width that rounding may add to it.
_ROUNDING = 1e-6


def trained_ranges(spec: TaskSpec) -> dict[str, dict[str, list[float]]]:
    """What designs and outcomes a model of a task has met, as JSON has it.

    Args:
        spec: of the task.

    Returns:
        {"designs": {name: [low, high]}, "outcomes": {name: [low, high]}}, in the units of the spec.

    Example:
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> from aline_tf.units import trained_ranges
        >>> trained_ranges(SPEC)
        {'designs': {'stimulus': [-5.0, 5.0]}, 'outcomes': {'response': [0.0, 1.0]}}
    """
    edges = zip(spec.design_names, spec.design_low, spec.design_high, strict=True)
    return {
        "designs": {name: [float(low), float(high)] for name, low, high in edges},
        "outcomes": {channel.name: list(outcome_range(channel)) for channel in spec.fields},
    }


def outcome_range(channel: Channel) -> tuple[float, float]:
    """Lowest and highest usual outcome of a channel, in its own units.

    Args:
        channel: of a `TaskSpec`.
    """
    if channel.kind in ("binary", "ordered"):
        return 0.0, float(channel.levels - 1 if channel.kind == "ordered" else 1)
    if channel.kind == "count":
        return 0.0, channel.loc + channel.scale * math.sinh(_SCALES)
    return channel.loc - _SCALES * channel.scale, channel.loc + _SCALES * channel.scale


class RangeWatch:
    """Says once that a design, and once that an outcome, is outside of the trained range.

    Args:
        strict: whether to refuse instead.

    Raises:
        InputError: `strict` is neither True nor False.

    Example:
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> from aline_tf.units import RangeWatch
        >>> RangeWatch(strict=True).designs(SPEC, [[4.0], [5.0]])
    """

    def __init__(self, strict: bool = False):
        if not isinstance(strict, bool | np.bool_):
            raise InputError(f"expected strict True or False; received {strict!r}")
        self.strict = bool(strict)
        self.said: set[str] = set()

    def __copy__(self) -> RangeWatch:
        copied = RangeWatch(self.strict)
        copied.said = set(self.said)
        return copied

    def designs(self, spec: TaskSpec, designs, stacklevel: int = 2) -> None:
        """Looks at designs.

        Args:
            spec: in the units of the designs.
            designs: [n, D].
            stacklevel: of the warning.

        Raises:
            InputError: one is outside and the watch is strict.

        Warns:
            RangeWarning: one is outside, for the first time.
        """
        if "designs" in self.said:
            return
        low, high = np.asarray(spec.design_low), np.asarray(spec.design_high)
        room = _ROUNDING * (high - low)
        designs = np.asarray(designs, float)
        outside = (designs < low - room) | (designs > high + room)
        if outside.any():
            row, column = np.argwhere(outside)[0]
            self._say(
                "designs",
                f"expected {spec.design_names[column]} from {low[column]:g} to {high[column]:g}, "
                f"the range of designs that the model was trained on; received "
                f"{designs[row, column]:g}{_many(outside.any(axis=1).sum(), len(designs))} "
                "(design_bounds=(low, high) states the units of other designs)",
                stacklevel,
            )

    def outcome(self, spec: TaskSpec, value, observed, stacklevel: int = 2) -> None:
        """Looks at an outcome.

        Args:
            spec: in the units of the outcome.
            value: [F].
            observed: bool [F].
            stacklevel: of the warning.

        Raises:
            InputError: it is outside and the watch is strict.

        Warns:
            RangeWarning: it is outside, for the first time.
        """
        if "outcomes" in self.said:
            return
        for channel, number, counts in zip(spec.fields, value, observed, strict=True):
            low, high = outcome_range(channel)
            room = _ROUNDING * (high - low)
            if counts and not low - room <= number <= high + room:
                self._say(
                    "outcomes",
                    f"expected {channel.name} from {low:g} to {high:g}, the range of outcomes that "
                    f"the model was trained on; received {number:g} (units=UnitAdapter(...) states "
                    "the units of other outcomes)",
                    stacklevel,
                )
                return

    def _say(self, kind, sentence, stacklevel):
        if self.strict:
            raise InputError(sentence)
        self.said.add(kind)
        # Seen from whoever called the watch, which called this.
        warnings.warn(sentence, RangeWarning, stacklevel=stacklevel + 1)


def _many(outside: int, count: int) -> str:
    return f" and {outside - 1} more of {count}" if outside > 1 else ""
