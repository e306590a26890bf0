"""Looks after people: tells when a forecast has moved, and when a question is worth a prompt.

A question is worth a prompt where it tells more now than a prompt that is kept for later is
expected to, within the person's budget and before their quiet hours
(`aline_tf.migraine.interview.prompt_schedule`). The model knows evenings, so that is when it asks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from aline_tf.errors import InputError
from aline_tf.gateway.failures import ModelAway, NothingRecorded
from aline_tf.gateway.operation.json_lines import failure, line
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage import events, prompting
from aline_tf.gateway.storage.payloads import number_of_payloads
from aline_tf.gateway.storage.people import Person
from aline_tf.migraine.interview.prompt_budget import sent
from aline_tf.migraine.interview.prompt_schedule import ask_now
from aline_tf.migraine.records.wall_clock import time_zone

LOG = logging.getLogger("aline_tf.gateway")
#: A forecast that moves by less is the same; one that rises by so much is called out.
LEAST_MOVE, MUCH = 0.01, 0.1
#: Evenings for which a week's prompts have to last.
WEEK = 7


class Attendant:
    """Looks after everybody, one after the other.

    Args:
        service: of the gateway.

    Every method may be called again and again: what was told is not told twice, by this process or
    another.
    """

    def __init__(self, service: Gateway):
        self._service = service
        self._seen: dict[str, int] = {}
        # What was weighed last of a person: the evening, how much was sent and asked by then.
        self._weighed: dict[str, tuple] = {}

    def look(self) -> None:
        """Look after everybody once. One whose records or model fail does not stop the others."""
        with self._service.database.reading() as connection:
            called = events.people_with_webhooks(connection)
            prompted = prompting.who_may_be_prompted(connection)
        for person in ({each.id: each for each in called} | self._service.streaming()).values():
            self._guarded(lambda person=person: self.tell_of_risk(person))
        for person, zone, wishes in prompted:
            who = Person(person, zone, "attendant")
            self._guarded(lambda who=who, wishes=wishes: self.prompt(who, wishes))

    def tell_of_risk(self, person: Person) -> None:
        """Tell of a forecast that has moved since the last one, where more was sent since."""
        with self._service.database.reading() as connection:
            count = number_of_payloads(connection, person.id)
            if not count or self._seen.get(person.id) == count:
                return
            last = events.last_event(connection, person.id, events.RISK)
        before = last.document["risks"][0]["probability"] if last else None
        document = self._service.forecasts.risk(person)
        self._seen[person.id] = count
        after = document["risks"][0]["probability"]
        move = after - before if before is not None else None
        if move is not None and abs(move) < LEAST_MOVE:
            return
        said = {"evening": document["evening"], "risks": document["risks"], "before_24h": before}
        with self._service.database.writing() as connection:
            now = self._service.now()
            events.add_event(connection, person.id, f"risk {count}", events.RISK, said, now)
            if move is not None and move >= MUCH:
                name = f"rose {count}"
                events.add_event(connection, person.id, name, events.RISK_ROSE, said, now)

    def prompt(self, person: Person, wishes: prompting.Wishes) -> bool:
        """Send a prompt if one is worth it now; whether one was sent."""
        here = self._service.moment().astimezone(time_zone(person.zone or "UTC"))
        minutes = 60 * here.hour + here.minute
        if not prompting.EVENING <= minutes < wishes.quiet_from:
            return False
        evening, midnight = here.date().isoformat(), here.replace(hour=0, minute=0, second=0)
        with self._service.database.reading() as connection:
            past = prompting.gains_before(connection, person.id, evening)
            asked = events.events_since(
                connection, person.id, events.QUESTION, midnight - timedelta(days=WEEK - 1)
            )
        timeline = self._service.timeline(person)
        # Questions that a person looked up and answered count as well.
        today, week = (
            max(
                sum(event.at >= since.timestamp() for event in asked),
                sent(timeline, since, here.replace(hour=23, minute=59)),
            )
            for since in (midnight, midnight - timedelta(days=WEEK - 1))
        )
        if min(wishes.week - week, wishes.day - today) < 1:
            return False
        before = [event.document["question"] for event in asked if event.at >= midnight.timestamp()]
        state = evening, len(timeline), len(before)
        if self._weighed.get(person.id) == state:
            return False
        question = self._service.forecasts.question_at(person, evening, before)
        self._weighed[person.id] = state
        if question is None:
            return False
        gain = question["question"]["gain"]
        if gain is not None:
            least = self._service.settings.cost_weight
            if not before:
                # Later questions of an evening are not its best.
                with self._service.database.writing() as connection:
                    prompting.keep_gain(connection, person.id, evening, gain)
            if not ask_now(gain, past, WEEK, wishes.week - week, least):
                return False
        elif today:
            # Nobody knows what a second one would tell.
            return False
        place = "channel", "days_ago", "slot"
        name = " ".join(["question", evening, *(str(question["question"][p]) for p in place)])
        with self._service.database.writing() as connection:
            now = self._service.now()
            number = events.add_event(connection, person.id, name, events.QUESTION, question, now)
        return number is not None

    def _guarded(self, look: Callable[[], object]) -> None:
        try:
            look()
        except (ModelAway, NothingRecorded, InputError, SQLAlchemyError) as error:
            # The sentence may show what was recorded.
            LOG.warning(line(attendant=type(error).__name__))


class Rounds:
    """A thread that does something again and again until it is stopped.

    Args:
        what: is done.
        seconds: between the end of one round and the next.
    """

    def __init__(self, what: Callable[[], object], seconds: float):
        self._what, self._seconds = what, seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-rounds", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present round, which is waited for a few seconds."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._what()
            except Exception as error:
                LOG.error(line(rounds="failed", **failure(error)))
