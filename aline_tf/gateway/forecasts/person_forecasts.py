"""What a person is told: risks, triggers, the next question, how an answer moved the risks."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError

from aline_tf import batch_ops
from aline_tf.errors import InputError
from aline_tf.gateway.failures import ModelAway, NothingRecorded
from aline_tf.gateway.forecasts.changes import risks_and_moves, sent, shown_risks
from aline_tf.gateway.forecasts.inference import Inference, inference_of
from aline_tf.gateway.forecasts.plans import Plans, shown_plan
from aline_tf.gateway.forecasts.standing import Standing, history_at, standing_of
from aline_tf.gateway.intake.formats import ANSWERS, account
from aline_tf.gateway.intake.timelines import Timelines
from aline_tf.gateway.operation.json_lines import line
from aline_tf.gateway.settings import Settings
from aline_tf.gateway.storage import payloads
from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.last_forecasts import keep_forecast, last_forecast
from aline_tf.gateway.storage.people import Person
from aline_tf.migraine.forecast import what_if, wording
from aline_tf.migraine.interview.answers import Answer, answers_timeline, expected, parse
from aline_tf.migraine.interview.interview import meaning
from aline_tf.migraine.interview.prompt_budget import PromptBudget
from aline_tf.migraine.records.timeline_file import timeline_lines
from aline_tf.migraine.records.wall_clock import time_zone
from aline_tf.migraine.schema.candidates import LIBRARY, Candidate

LOG = logging.getLogger("aline_tf.gateway")
#: Whatever can be asked, by channel, days ago and slot.
CANDIDATES = {(c.channel, c.days_ago, c.slot): c for c in LIBRARY}
#: Suppositions of one request.
MOST_SUPPOSED = 20


class Forecasts:
    """Forecasts of people whose records are in a database.

    Args:
        database: that has them.
        timelines: of the people in it.
        settings: of the operator.
        moment: tells the present moment, with a time zone.
        inference: who computes; None for what the settings say.
    """

    def __init__(
        self,
        database: Database,
        timelines: Timelines,
        settings: Settings,
        moment: Callable[[], datetime],
        inference: Inference | None = None,
    ):
        self._database, self._timelines, self._settings = database, timelines, settings
        self._moment, self._inference = moment, inference
        self._loading, self._plans = threading.Lock(), Plans()

    @property
    def inference(self) -> Inference:
        """Who computes. A model is loaded when it is wanted first."""
        with self._loading:
            if self._inference is None:
                self._inference = inference_of(self._settings)
            return self._inference

    def risk(self, person: Person, evening: str | None = None) -> dict[str, Any]:
        """The risks at the last evening that the records support, or at one in the past.

        Raises:
            InputError: no such evening.
            NothingRecorded: there is no record yet.
            ModelAway: no model answers; with the last forecast and its age.
        """
        standing = self._standing(person, evening)
        try:
            risks = self.inference.risks(standing.batch)
        except ConnectionError as error:
            raise self._away(person, error) from error
        document = {
            "evening": standing.now.isoformat(),
            "risks": risks,
            "remarks": list(standing.remarks),
            "computed": self._moment().isoformat(timespec="seconds"),
            "not_a_device": wording.NOT_A_DEVICE,
        }
        if evening is None:
            self._keep(person, document)
        return document

    def triggers(self, person: Person) -> dict[str, Any]:
        """What may be triggers of this person; errors as for `risk`."""
        standing = self._standing(person)
        try:
            found = self.inference.triggers(standing.batch)
        except ConnectionError as error:
            raise self._away(person, error) from error
        return {"evening": standing.now.isoformat(), "triggers": found}

    def next_question(self, person: Person) -> dict[str, Any]:
        """The question most worth asking this evening, if there is one within the budget of
        prompts; errors as for `risk`."""
        standing = self._standing(person)
        evening = standing.now.isoformat()
        left, limit = PromptBudget().left(standing.timeline, standing.now)
        if not left:
            return {"evening": evening, "question": None, "why": f"the budget of {limit} is spent"}
        try:
            found = self.inference.next_question(standing.batch, standing.candidates)
        except ConnectionError as error:
            raise self._away(person, error) from error
        if found is None:
            return {"evening": evening, "question": None, "why": "everything is known already"}
        if found.worth is False:
            why = wording.nothing_worth_it(self._settings.cost_weight)
            return {"evening": evening, "question": None, "why": why}
        return {"evening": evening, "question": _question(found.candidate, found.gain), "why": None}

    def question_at(
        self, person: Person, evening: str, but: Sequence[Mapping[str, Any]] = ()
    ) -> dict[str, Any] | None:
        """The prompt most worth sending on an evening, as `next_question` gives it; None where
        there is none. The budget is the caller's. Errors as for `risk`.

        Args:
            person: who would be asked.
            evening: its date, 2025-03-10.
            but: questions that were asked already.
        """
        standing = self._standing(person, evening)
        asked = {(each["channel"], each["days_ago"], each["slot"]) for each in but}
        kept = [
            place
            for place, c in enumerate(standing.candidates)
            if c.is_prompt and (c.channel, c.days_ago, c.slot) not in asked
        ]
        try:
            found = self.inference.next_question(
                batch_ops.narrow(standing.batch, kept), [standing.candidates[i] for i in kept]
            )
        except ConnectionError as error:
            raise self._away(person, error) from error
        if found is None:
            return None
        question = _question(found.candidate, found.gain)
        return {"evening": standing.now.isoformat(), "question": question}

    def answer(self, person: Person, asked: dict[str, Any]) -> dict[str, Any]:
        """Take the answer to a question, and tell how it moved the risks.

        Args:
            person: who answers.
            asked: "evening", "channel", "days_ago" and "slot" of the question; "value", a text or a
                number, or None for no answer; "id" of the answer, where the client has one.

        Returns:
            "receipt", and the risks "before" and "after"; the latter None where no model answers.

        Raises:
            InputError: no such question this evening, or an answer that is none to it.
            ClientIdTaken, PersonErased: as for `receive`.
            NothingRecorded: there is no record yet.
        """
        evening, standing = self._asked_about(person, asked["evening"])
        place = (asked["channel"], asked["days_ago"], asked["slot"])
        candidate = CANDIDATES.get(place)
        if candidate is None:
            raise InputError(
                f"expected a question that there is; received {place[0][:40]!r} {place[1]} days"
                f" ago, slot {place[2]}"
            )
        value = None if asked["value"] is None else parse(candidate, str(asked["value"]))
        timeline = answers_timeline([Answer(candidate, value)], standing.now)
        content = "\n".join(timeline_lines(timeline)).encode() + b"\n"
        client_id = asked.get("id") or payloads.digest_of(content)
        if candidate not in standing.candidates and not self._is_kept(person, client_id):
            raise InputError(
                f"expected a question that is open this evening; received {candidate.label!r}"
            )
        before = self._risks(standing)
        kept = payloads.keep(
            self._database,
            person.id,
            client_id,
            ANSWERS,
            content,
            account(timeline.summary),
            int(self._moment().timestamp()),
        )
        after = self._risks(self._standing(person, evening))
        return {"receipt": kept, "before": before, "after": after}

    def what_if(self, person: Person, texts: list[str]) -> dict[str, Any]:
        """The risks had something been otherwise; errors as for `risk`.

        Args:
            person: who.
            texts: what is supposed, as "stress=8" or "alcohol@1=5" (one day ago).
        """
        supposed = [what_if.parse(text) for text in texts]
        if len(supposed) > MOST_SUPPOSED:
            raise InputError(
                f"expected at most {MOST_SUPPOSED} suppositions; received {len(supposed)}"
            )
        standing = self._standing(person)
        try:
            found = self.inference.what_ifs(standing.history, supposed)
        except ConnectionError as error:
            raise self._away(person, error) from error
        return {"evening": standing.now.isoformat(), "what_ifs": found}

    def plan(self, person: Person, budget: float) -> dict[str, Any]:
        """Which reading and which question is worth it in the coming two weeks; errors as for
        `risk`.

        Args:
            person: who.
            budget: burden a day at most, in prompts.

        Raises:
            Busy: the plan of somebody else is being made.
        """
        standing, twins = self._standing(person), self._settings.plan_twins
        evening, history = standing.now.isoformat(), standing.history

        def make() -> dict[str, Any]:
            plan = self.inference.plan(history, budget, twins)
            return {"evening": evening, "twins": twins, **shown_plan(plan)}

        known = history.values.tobytes(), history.status.tobytes()
        try:
            return self._plans.of((person.id, (evening, budget, *known)), make)
        except ConnectionError as error:
            raise self._away(person, error) from error

    def forget(self, person: str) -> None:
        """Keep nothing of a person at hand."""
        self._plans.forget(person)

    def changes(self, person: Person, since: str) -> dict[str, Any]:
        """How the risks of the last evening moved by what was sent since; errors as for `risk`.

        Args:
            person: who.
            since: a moment, as an ISO date and time; without a time zone that of the person.

        Raises:
            InputError: no such moment, or one that is not over.
        """
        standing, moment = self._standing(person), self._moment()
        start = _moment_from(since, person.zone)
        if start > moment:
            raise InputError(f"expected a moment that is over; received {since[:40]!r}")
        received = int(start.timestamp())
        earlier = self._timelines.until(person, received, moment)
        try:
            was, now, moves = risks_and_moves(
                self.inference.probabilities,
                history_at(earlier, standing.now),
                standing.history,
            )
        except ConnectionError as error:
            raise self._away(person, error) from error
        with self._database.reading() as connection:
            receipts = payloads.receipts_since(connection, person.id, received)
        return {
            "since": start.isoformat(timespec="seconds"),
            "evening": standing.now.isoformat(),
            "before": shown_risks(was),
            "after": shown_risks(now),
            "sent": sent(receipts),
            "moved": [dataclasses.asdict(move) for move in moves],
        }

    def _standing(self, person: Person, evening: str | None = None) -> Standing:
        timeline = self._timelines.of(person, self._moment())
        if not len(timeline):
            raise NothingRecorded("expected records of this person; received none yet")
        return standing_of(timeline, self._moment(), evening)

    def _asked_about(self, person: Person, asked: str) -> tuple[str | None, Standing]:
        """The evening that an answer is about, None for the last one that the records support, and
        where the person stands then; it may also be this very evening, whatever is recorded."""
        last = self._standing(person)
        if asked == last.now.isoformat():
            return None, last
        here = self._moment().astimezone(last.now.tzinfo)
        if asked[:10] == here.date().isoformat():
            today = self._standing(person, asked[:10])
            if asked == today.now.isoformat():
                return asked[:10], today
        raise InputError(
            f"expected an answer about the evening of {last.now.isoformat()}; received one about"
            f" {asked[:40]!r}"
        )

    def _is_kept(self, person: Person, client_id: str) -> bool:
        with self._database.reading() as connection:
            return payloads.receipt(connection, person.id, client_id) is not None

    def _risks(self, standing: Standing) -> list[dict[str, Any]] | None:
        try:
            return self.inference.risks(standing.batch)
        except ConnectionError:
            return None

    def _keep(self, person: Person, document: dict[str, Any]) -> None:
        try:
            with self._database.writing() as connection:
                keep_forecast(connection, person.id, document, int(self._moment().timestamp()))
        except IntegrityError:
            # Erased in the meantime: then nothing of them is to be kept.
            self._timelines.forget(person.id)
        except OperationalError as error:
            # A forecast that is there is told, whether it can be kept or not.
            LOG.warning(line(forecast="not kept", why=type(error.orig).__name__))

    def _away(self, person: Person, error: ConnectionError) -> ModelAway:
        with self._database.reading() as connection:
            found = last_forecast(connection, person.id)
        if found is None:
            return ModelAway(str(error))
        computed, document = found
        return ModelAway(str(error), document, max(int(self._moment().timestamp()) - computed, 0))


def _moment_from(text: str, zone: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=time_zone(zone) if zone else UTC)
        moment.timestamp()
    except (ValueError, OverflowError):
        raise InputError(
            f"expected a moment like 2025-04-27T20:00; received {text[:40]!r}"
        ) from None
    return moment


def _question(candidate: Candidate, gain: float | None) -> dict[str, Any]:
    return {
        "channel": candidate.channel,
        "days_ago": candidate.days_ago,
        "slot": candidate.slot,
        "label": candidate.label,
        "meaning": meaning(candidate),
        "expected": expected(candidate),
        "gain": gain,
    }
