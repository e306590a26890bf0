"""The active loop in a terminal: the most valuable candidate, its answer, the risk it moves to.

An answer enters the model as one more token that carries one field; a prompt that was not
answered enters as that. The session reads and writes through two functions, so that a terminal, a
test or anything else can hold it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import NO_ANSWER, OBSERVED
from aline_tf.errors import InputError
from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.forecast import Risk, attack_risks
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.forecast.value_of_information import (
    ValuedCandidate,
    value_candidates,
    worth_asking,
)
from aline_tf.migraine.interview.answers import Answer, expected, parse
from aline_tf.migraine.interview.prompt_budget import PROMPTS_A_DAY
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.candidates import LOOK_UPS, NOW_SLOT, Candidate, candidates_for
from aline_tf.migraine.schema.channels import CHANNEL
from aline_tf.migraine.schema.evening_batch import candidate_designs

SKIP, STOP = ("s", "skip"), ("q", "quit")
KEYS = "Enter = no answer, s = skip it, q = stop"
#: What is shown of the rest when nothing is worth its burden.
SHOWN = 3


class Interview:
    """One session with one person, on one evening.

    Args:
        model: an ALINE of the migraine task.
        history: the days known, the last one today; possibly nothing.
        cost_weight: nats that one unit of burden has to be worth.
        budget: prompts at most. What can be looked up does not count, and neither does a prompt
            that the person skips.
        seed: of the intervals.
        read: shows its argument and returns a line that was typed; EOFError when there is no more.
        write: shows a line.
        limit: the budget in words, for when it is spent: "10 prompts a week".

    Attributes:
        history: the days known, answers included.
        answers: given so far, "asked and not answered" included.
        risks: within 24 and 48 hours, as the answers so far have it.

    Example:
        >>> from datetime import UTC, datetime
        >>> from aline_tf import ALINE
        >>> from aline_tf.migraine.interview import Interview
        >>> from aline_tf.migraine.records.days import day_history
        >>> from aline_tf.migraine.records.timeline import Timeline
        >>> from aline_tf.migraine.schema.spec import SPEC
        >>> model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16)
        >>> history = day_history(Timeline.empty(), datetime(2025, 4, 17, 20, tzinfo=UTC), 7)
        >>> quiet = {"read": lambda prompt: "q", "write": lambda line: None}
        >>> Interview(model, history, cost_weight=0.001, **quiet).run()
        []
    """

    def __init__(
        self,
        model,
        history: DayHistory,
        cost_weight: float,
        budget: int = PROMPTS_A_DAY,
        seed: int = 0,
        read: Callable[[str], str] = input,
        write: Callable[[str], None] = print,
        limit: str | None = None,
    ) -> None:
        self._model, self._cost_weight, self._budget, self._seed = model, cost_weight, budget, seed
        self._read, self._write = read, write
        self._limit = limit or f"{budget} {'prompt' if budget == 1 else 'prompts'}"
        self.history = history
        self.answers: list[Answer] = []
        self._pool = answerable(history)
        self._batch, _ = history_batch(history, self._pool)
        self.risks = self._forecast()

    def run(self) -> list[Answer]:
        """Hold the session, until nothing is worth its burden, the budget is spent, or a stop."""
        self._write(wording.risks(self.history.now, self.risks))
        self._write(f"\nFor every question: {KEYS}.")
        number = 0
        while (valued := self._next()) is not None:
            number += 1
            self._write(f"\n{number}. {valued.candidate.label}: {wording.worth(valued)}")
            reason = wording.reason(valued, self.risks[0].probability, self.history)
            self._write(f"   {reason}")
            reply = self._reply(valued.candidate)
            if reply in STOP:
                self._write("\nStopped.")
                break
            self._remove(valued.candidate)
            if isinstance(reply, Answer):
                self._take(reply)
        return self.answers

    @property
    def prompts(self) -> int:
        """Prompts sent so far."""
        return sum(answer.candidate.is_prompt for answer in self.answers)

    def _next(self) -> ValuedCandidate | None:
        """The question most worth asking; None, and why, when there is none."""
        if self.prompts >= self._budget:
            self._write(f"\nThe budget of {self._limit} is spent.")
            return None
        if not self._pool:
            self._write("\nEverything that you could be asked this evening is known already.")
            return None
        found = worth_asking(
            value_candidates(self._model, self._batch, self._pool, self._cost_weight),
            len(self._pool),
        )
        if found[0].value > 0:
            return found[0]
        self._write(f"\n{wording.nothing_worth_it(self._cost_weight)}")
        for valued in found[:SHOWN]:
            self._write(f"   {valued.candidate.label}: {wording.worth(valued)}")
        return None

    def _reply(self, candidate: Candidate) -> Answer | str:
        """What the person answers, or one of `SKIP` or `STOP`; asks until it can be read."""
        format_text = expected(candidate)
        self._write(f"   {meaning(candidate)}")
        while True:
            try:
                text = self._read(f"   {format_text}> ").strip()
            except EOFError:
                return STOP[0]
            if text.lower() in SKIP + STOP:
                return text.lower()
            if not text:
                return Answer(candidate, None)
            try:
                return Answer(candidate, parse(candidate, text))
            except InputError as error:
                self._write(f"   {error} ({KEYS})")

    def _take(self, answer: Answer) -> None:
        """Append an answer to what is known, forecast again and show what moved."""
        self.answers.append(answer)
        self._batch = with_answer(self._batch, answer, self.history)
        ago, field = answer.candidate.days_ago, answer.candidate.field
        self.history = self.history.changed(ago, [field], answer.field_value, answer.status)
        before, self.risks = self.risks, self._forecast()
        self._write(f"   {moved_text(before, self.risks)}")

    def _remove(self, candidate: Candidate) -> None:
        keep = [index for index, other in enumerate(self._pool) if other != candidate]
        self._pool = [self._pool[index] for index in keep]
        self._batch = batch_ops.narrow(self._batch, keep)

    def _forecast(self) -> list[Risk]:
        return attack_risks(self._model, self._batch, self._seed)[0]


def answerable(history: DayHistory) -> list[Candidate]:
    """What is not known yet and a person could tell: prompts, and what can be looked up."""
    offered = candidates_for(history.status)
    return [c for c in offered if c.is_prompt or c.channel in LOOK_UPS]


def meaning(candidate: Candidate) -> str:
    """What is asked for, and of which hours: "how stressed, 0 to 10, since 18:00"."""
    text = CHANNEL[candidate.channel].description.removesuffix(" in the slot")
    if candidate.slot < 0:
        return text
    begin, end = (6 * slot for slot in (candidate.slot, candidate.slot + 1))
    is_now = (candidate.days_ago, candidate.slot) == (0, NOW_SLOT)
    return f"{text}, {f'since {begin}:00' if is_now else f'from {begin}:00 to {end}:00'}"


def with_answer(batch: dict, answer: Answer, history: DayHistory) -> dict:
    """One row with one more token: the field that was answered, or that it was not."""
    candidate = answer.candidate
    today = np.array([history.dates[-1].weekday()], np.int32)
    design = candidate_designs([candidate], today)[:, 0].numpy()
    status = OBSERVED if answer.value is not None else NO_ANSWER
    fields = batch["context_status"].shape[2]
    token = batch_ops.one_field([candidate.field], [answer.field_value], fields, status)
    return batch_ops.append(batch, design, *token)


def moved_text(before: list[Risk], after: list[Risk]) -> str:
    """How an answer moved the risks: "24 h: 23% -> 31% (+8.1 points); 48 h: ..."."""
    return "; ".join(
        f"{new.hours} h: {wording.percent(old.probability)} -> {wording.percent(new.probability)}"
        f" ({wording.points(new.probability - old.probability)},"
        f" 90% interval {wording.percent_range(new.low, new.high)})"
        for old, new in zip(before, after, strict=True)
    )
