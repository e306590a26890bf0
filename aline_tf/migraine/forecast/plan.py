"""A plan for two weeks: what each device, reading and question would add to the forecast.

    score(S) = E[ log q(attack within 24 h | D, what S shows) ]
    gain(S)  = score(S) - score(nothing)

over twins of the person (`aline_tf.migraine.forecast.twins`) and evenings of the coming two weeks.
Each twin is looked at on one of the evenings: another twin tells more than another evening of the
same one. All sets are tried on the same twins, so that they differ by what they show alone. The
expectation over attacks is exact, for a twin's chance of one is known; that of the Brier score
likewise. A prompt that would not be answered is in the figures: silence is what it then gives.
The set of options is found by adding, within a budget, what gains most, or most for its burden; of
the two the better one, less whatever it hardly loses by leaving out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import OBSERVED
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.forecast.twins import AHEAD, Twins
from aline_tf.migraine.schema.channels import (
    CHANNEL,
    DAILY_REPORT_NAMES,
    FIELD_INDEX,
    PASSIVE_NAMES,
    SLOT_NAMES,
    SLOT_REPORT_NAMES,
    WEARABLE_NAMES,
    field_name,
    places,
)

#: Evenings of the two weeks that are looked at, 0 for tomorrow: tiring and learning are in them.
EVENINGS = (2, 7, 12)
#: Twins of a person: with fewer, the set that seems best owes too much to luck.
TWINS = 128
#: Of the gain of a set, what may be lost for a smaller burden.
SPARED = 0.03
#: Options that a set is made of at most: those with the largest gains alone.
CONSIDERED = 10


@dataclasses.dataclass(frozen=True)
class Option:
    """Something that could be recorded every day of two weeks.

    Attributes:
        channel: its name, of a question or a reading.
        fields: indices into `FIELDS` that it fills.
        cost: burden a day, in prompts.
        device: "watch", "phone", "look-up", "calendar", "cycle", or "question".
        slot: of a question about a part of the day, 0 to 3; -1 for a day.

    Example:
        >>> from aline_tf.migraine.forecast import Option
        >>> Option("ln_rmssd", (3,), 0.05, "watch").label
        'Nightly heart rate variability, RMSSD'
    """

    channel: str
    fields: tuple[int, ...]
    cost: float
    device: str
    slot: int = -1

    @property
    def label(self) -> str:
        """How a person would name it: "Stress, asked in the evening"."""
        name = _LABELS.get(self.channel, CHANNEL[self.channel].description)
        name = name[0].upper() + name[1:]
        if self.device != "question":
            return name
        when = f"in the {SLOT_NAMES[self.slot]}" if self.slot >= 0 else "once a day"
        return f"{name}, asked {when}"


@dataclasses.dataclass(frozen=True)
class Gain:
    """What a set of options adds to the forecast of the coming two weeks.

    Attributes:
        options: the set.
        log_score: gain of the expected log score of the 24 h forecast, nats an evening.
        brier: fall of its expected Brier score.
        error: standard error of `log_score`, over twins.
        cost: burden a day, in prompts.
        answered: share of the attempts of these two weeks that give a value.

    Example:
        >>> from aline_tf.migraine.forecast import Gain
        >>> Gain((), 0.0, 0.0, 0.0, 0.0, 1.0).cost
        0.0
    """

    options: tuple[Option, ...]
    log_score: float
    brier: float
    error: float
    cost: float
    answered: float


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan for two weeks.

    Attributes:
        budget: burden a day at most, in prompts.
        alone: gain of every option by itself, largest first.
        devices: device -> gain of all its readings together.
        chosen: the recommended set.
        without: for each option of it, in its order, the gain of the set without it.
        log_score, brier: expected scores of the forecast when nothing more is recorded.

    Example:
        >>> import dataclasses
        >>> from aline_tf.migraine.forecast import Plan
        >>> [field.name for field in dataclasses.fields(Plan)][:3]
        ['budget', 'alone', 'devices']
    """

    budget: float
    alone: tuple[Gain, ...]
    devices: dict[str, Gain]
    chosen: Gain
    without: tuple[Gain, ...]
    log_score: float
    brier: float

    def by_slot(self) -> dict[int, tuple[Gain, ...]]:
        """Gains of the questions about parts of the day, by the part: when to prompt."""
        found: dict[int, list[Gain]] = {slot: [] for slot in range(len(SLOT_NAMES))}
        for gain in self.alone:
            (option,) = gain.options
            if option.slot >= 0:
                found[option.slot].append(gain)
        return {slot: tuple(gains) for slot, gains in found.items()}


def options() -> tuple[Option, ...]:
    """Everything that could be recorded: readings, and questions by the part of the day."""
    readings = [
        Option(name, places(name), CHANNEL[name].cost, _DEVICE.get(name, "phone"))
        for name in (*PASSIVE_NAMES, "ln_rmssd_spot")
    ]
    daily = [
        Option(name, places(name), CHANNEL[name].cost, "question")
        for name in DAILY_REPORT_NAMES
        if name != "ln_rmssd_spot"
    ]
    by_slot = [
        Option(name, (FIELD_INDEX[field_name(name, slot)],), CHANNEL[name].cost, "question", slot)
        for name in SLOT_REPORT_NAMES
        for slot in range(len(SLOT_NAMES))
    ]
    return tuple(readings + daily + by_slot)


class Scores:
    """Expected scores of forecasts of twins, by what is recorded of them.

    Args:
        model: an ALINE of the migraine task, or a `Compiled`.
        twins: K of one person.
        evenings: of the coming two weeks, 0 for tomorrow; twins take turns in them.

    Raises:
        ValueError: fewer twins than evenings.

    Example:
        >>> from aline_tf.migraine.forecast.plan import Scores
        >>> Scores.__call__.__name__
        '__call__'
    """

    def __init__(self, model, twins: Twins, evenings: Sequence[int] = EVENINGS) -> None:
        if len(twins) < len(evenings):
            raise ValueError(
                f"Expected at least a twin an evening. Received: {len(twins)} twins, evenings"
                f" {tuple(evenings)}"
            )
        self._model, self._twins, self._evenings = model, twins, tuple(evenings)
        self._known: dict[tuple[int, ...], np.ndarray] = {}

    def __call__(self, sets: Iterable[Sequence[Option]]) -> list[Gain]:
        """Gains of sets of options over recording nothing, in their order."""
        sets = [tuple(chosen) for chosen in sets]
        self._measure([(), *sets])
        base = self._known[()]
        found = []
        for chosen in sets:
            log_score, brier = self._known[_key(chosen)] - base
            found.append(
                Gain(
                    chosen,
                    float(log_score.mean()),
                    -float(brier.mean()),
                    float(log_score.std() / np.sqrt(len(log_score))),
                    round(sum(option.cost for option in chosen), 6),
                    self._answered(chosen),
                )
            )
        return found

    def by_twin(self, chosen: Sequence[Option]) -> np.ndarray:
        """Gain [K] in log score of one set, twin by twin."""
        self._measure([(), tuple(chosen)])
        return self._known[_key(chosen)][0] - self._known[()][0]

    def nothing(self) -> tuple[float, float]:
        """Expected log score and Brier score when nothing more is recorded."""
        self._measure([()])
        log_score, brier = self._known[()].mean(axis=1)
        return float(log_score), float(brier)

    def _measure(self, sets: Sequence[tuple[Option, ...]]) -> None:
        """Scores [2, K], log and Brier, of sets that are not known yet, in one pass."""
        fresh = [key for key in dict.fromkeys(map(_key, sets)) if key not in self._known]
        if not fresh:
            return
        both = np.zeros([len(fresh), 2, len(self._twins)])
        for place, evening in enumerate(self._evenings):
            turn = slice(place, None, len(self._evenings))
            twins = self._twins.some(turn)
            batches = [twins.batch(evening, key) for key in fresh]
            q = attack_probabilities(self._model, batch_ops.stack(batches))[:, 0]
            q = np.clip(q, 1e-4, 1.0 - 1e-4).reshape(len(fresh), -1)
            p = twins.chance[:, evening, 0]
            both[:, 0, turn] = p * np.log(q) + (1.0 - p) * np.log1p(-q)
            both[:, 1, turn] = p * np.square(1.0 - q) + (1.0 - p) * np.square(q)
        self._known |= dict(zip(fresh, both, strict=True))

    def _answered(self, chosen: Sequence[Option]) -> float:
        fields = [field for option in chosen for field in option.fields]
        ahead = self._twins.tried[:, -AHEAD:, fields]
        return float((ahead == OBSERVED).mean()) if fields else 1.0


def make_plan(scores: Scores, budget: float, offered: Sequence[Option] | None = None) -> Plan:
    """The cheapest set of options among the best within a budget, and what each adds.

    Args:
        scores: of one person's twins.
        budget: burden a day at most, in prompts.
        offered: what could be recorded; `options` when omitted.
    """
    offered = options() if offered is None else offered
    devices: dict[str, list[Option]] = {}
    for option in offered:
        if option.device != "question":
            devices.setdefault(option.device, []).append(option)
    alone = scores([[option] for option in offered])
    alone.sort(key=lambda gain: -gain.log_score)
    chosen = recommended(scores, budget, _candidates(alone, budget))
    without = [[o for o in chosen.options if o != left] for left in chosen.options]
    together = dict(zip(devices, scores(devices.values()), strict=True))
    return Plan(budget, tuple(alone), together, chosen, tuple(scores(without)), *scores.nothing())


def recommended(scores: Scores, budget: float, offered: Sequence[Option]) -> Gain:
    """The set to recommend, of options that may all be combined."""
    (found,) = scores([()])
    for worth in (lambda gain, cost: gain, lambda gain, cost: gain / cost):
        grown = _grow(scores, budget, offered, worth)
        found = max(found, grown, key=lambda gain: gain.log_score)
    least = (1.0 - SPARED) * found.log_score
    while found.options:
        smaller = scores([[o for o in found.options if o != left] for left in found.options])
        enough = [gain for gain in smaller if gain.log_score >= least]
        if not enough:
            break
        found = min(enough, key=lambda gain: (gain.cost, -gain.log_score))
    return found


def _grow(scores: Scores, budget: float, offered, worth: Callable[[float, float], float]) -> Gain:
    """Adds the option that is worth most, as long as one fits and gains."""
    (grown,) = scores([()])
    while True:
        left = [
            option
            for option in offered
            if option not in grown.options and grown.cost + option.cost <= budget + 1e-9
        ]
        larger = [g for g in scores([(*grown.options, o) for o in left]) if _adds(g, grown)]
        if not larger:
            return grown
        base = grown
        grown = max(larger, key=lambda g: worth(g.log_score - base.log_score, g.options[-1].cost))


def _adds(gain: Gain, base: Gain) -> bool:
    return gain.log_score > base.log_score


def _candidates(alone: Sequence[Gain], budget: float) -> list[Option]:
    """What sets are made of: what gains most by itself, of a question its best part of the day."""
    found: list[Option] = []
    for gain in alone:
        (option,) = gain.options
        if option.cost <= budget and option.channel not in {o.channel for o in found}:
            found.append(option)
    return found[:CONSIDERED]


def _key(chosen: Sequence[Option]) -> tuple[int, ...]:
    return tuple(sorted({field for option in chosen for field in option.fields}))


_DEVICE = {
    **dict.fromkeys(WEARABLE_NAMES, "watch"),
    "pressure_change": "look-up",
    "busy_hours": "calendar",
    "menstrual_window": "cycle",
}
_LABELS = {
    "pressure_change": "change of air pressure",
    "busy_hours": "busy hours of the calendar",
    "menstrual_window": "menstrual cycle",
    "sleep_hours": "hours of sleep",
    "sleep_efficiency": "sleep efficiency",
    "skin_temperature": "skin temperature at night",
    "ln_screen_time": "screen time",
    "ln_rmssd_spot": "heart rate variability of one minute",
    "alcohol": "drinks",
    "caffeine": "cups of coffee",
    "missed_meal": "a missed meal",
    "stress": "stress",
    "pain": "head pain",
    "attack": "a migraine attack",
    "prodrome": "warning signs",
    "medication": "acute medication",
}
