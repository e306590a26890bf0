"""What a gateway does, whoever asks for it and however.

Readings are taken in without TensorFlow; it is loaded for the first forecast.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aline_tf.gateway.intake.formats import account_of, loaded
from aline_tf.gateway.intake.timelines import Timelines
from aline_tf.gateway.operation.metrics import Metrics
from aline_tf.gateway.operation.rate_limit import RateLimit
from aline_tf.gateway.settings import Settings
from aline_tf.gateway.storage import payloads, people, services
from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.people import Person
from aline_tf.migraine.records.timeline import Timeline
from aline_tf.migraine.records.timeline_file import timeline_lines

if TYPE_CHECKING:
    from aline_tf.gateway.forecasts.inference import Inference
    from aline_tf.gateway.forecasts.person_forecasts import Forecasts


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Gateway:
    """A person's readings in, forecasts out.

    Args:
        settings: of the operator.
        inference: who computes; None for what the settings say.
        clock: tells the present moment, with a time zone.

    Attributes:
        database: where all is kept.
        timelines: what people have sent, put together.
        metrics: what an operator counts.
        rate_limit: for everybody who asks.

    Raises:
        InputError: the database cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        inference: Inference | None = None,
        clock: Callable[[], datetime] = utc_now,
    ):
        self.settings, self.moment = settings, clock
        self.database = Database(settings.database)
        self.database.upgrade()
        self.timelines, self.metrics = Timelines(self.database), Metrics()
        self._inference, self._forecasts = inference, None
        self._loading, self._listeners = threading.Lock(), list[Person]()
        self.rate_limit = RateLimit(settings.per_minute, settings.burst, time.monotonic)

    @property
    def forecasts(self) -> Forecasts:
        """What people are told."""
        with self._loading:
            if self._forecasts is None:
                from aline_tf.gateway.forecasts.person_forecasts import Forecasts

                self._forecasts = Forecasts(
                    self.database, self.timelines, self.settings, self.moment, self._inference
                )
            return self._forecasts

    @contextmanager
    def stream(self, person: Person) -> Iterator[None]:
        """Somebody listens to the events of a person meanwhile."""
        with self._loading:
            self._listeners.append(person)
        try:
            yield
        finally:
            with self._loading:
                self._listeners.remove(person)

    def streaming(self) -> dict[str, Person]:
        """People to whose events somebody listens, by id."""
        with self._loading:
            return {person.id: person for person in self._listeners}

    def now(self) -> int:
        """Seconds since 1970 UTC."""
        return int(self.moment().timestamp())

    def person_of(self, token: str) -> Person | None:
        """Whose token it is; None for one that does not count."""
        with self.database.reading() as connection:
            return people.person_of(connection, token)

    def service_of(self, token: str) -> str | None:
        """Which service a token is of; None for one that does not count."""
        with self.database.reading() as connection:
            return services.service_of(connection, token)

    def person_for(self, service: str, person: str) -> Person | None:
        """A person for whom a service may act; None for all others."""
        with self.database.reading() as connection:
            return services.person_for(connection, service, person)

    def receive(self, person: Person, content: bytes, client_id: str | None) -> payloads.Receipt:
        """Keep what was sent, with an account of it.

        Args:
            person: who sent it.
            content: JSON of one of the formats.
            client_id: the same however often the same is sent; None for the digest of the content.

        Raises:
            InputError: it is of no format.
            ClientIdTaken: another content had that client id.
            PersonErased: there is no such person any more.
        """
        kind, document = loaded(content)
        made = account_of(kind, document, content, person.zone)
        receipt = payloads.keep(
            self.database, person.id, client_id, kind, content, made, self.now()
        )
        if not receipt.repeated:
            self.metrics.kept(kind, made)
        return receipt

    def receipt(self, person: Person, client_id: str) -> payloads.Receipt | None:
        """The receipt of a payload of this person; None where there is none."""
        with self.database.reading() as connection:
            return payloads.receipt(connection, person.id, client_id)

    def timeline(self, person: Person) -> Timeline:
        """All that a person has sent, put together.

        Raises:
            InputError: nothing is left of what could be used.
        """
        return self.timelines.of(person, self.moment())

    def timeline_lines(self, person: Person) -> Iterator[str]:
        """All that a person has sent, as lines of a timeline file."""
        return timeline_lines(self.timeline(person))

    def erase(self, person: Person) -> None:
        """Remove a person, their tokens, and all that they sent or were answered."""
        with self.database.writing() as connection:
            people.erase(connection, person, self.now())
        self.timelines.forget(person.id)
        if self._forecasts is not None:
            self._forecasts.forget(person.id)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
