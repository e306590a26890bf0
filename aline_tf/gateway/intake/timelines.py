"""The timelines of people, put together from their payloads when they are wanted.

Each is kept at hand, and put together again when more has come.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from aline_tf.gateway.intake.devices import Devices
from aline_tf.gateway.intake.series import Series
from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.device_priority import priority_of
from aline_tf.gateway.storage.payloads import number_of_payloads, payloads_after
from aline_tf.gateway.storage.people import Person
from aline_tf.migraine.records.timeline import Timeline

#: People whose records are kept at hand.
AT_HAND = 64


class Timelines:
    """The timelines of people.

    Args:
        database: that has their payloads.
        most: people whose records are kept at hand.
    """

    def __init__(self, database: Database, most: int = AT_HAND):
        self._database, self._most = database, most
        self._turn = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def of(self, person: Person, now: datetime) -> Timeline:
        """All that a person has sent, put together.

        Args:
            person: who.
            now: the present moment, with its time zone.

        Raises:
            InputError: nothing is left of what could be used.
        """
        kept = self._at_hand(person)
        with kept.turn:
            return kept.timeline(self._database, person, now)

    def devices(self, person: Person, now: datetime) -> Devices:
        """The devices that told of a person, and how often their list decided between them.

        Args:
            person: who.
            now: the present moment, with its time zone.

        Raises:
            InputError: nothing is left of what could be used.
        """
        kept = self._at_hand(person)
        with kept.turn:
            kept.timeline(self._database, person, now)
            return kept.devices

    def until(self, person: Person, received: int, now: datetime) -> Timeline:
        """What was there of a person at a moment, put together as it would be now.

        Args:
            person: who.
            received: the moment, in seconds since 1970 UTC.
            now: the present moment, with its time zone.

        Raises:
            InputError: nothing is left of what could be used.
        """
        series = Series()
        with self._database.reading() as connection:
            for receipt, content in payloads_after(connection, person.id, 0):
                if receipt.received <= received:
                    series.take(receipt.kind, content, receipt.account["read"])
            priority = priority_of(connection, person.id)
        return series.timeline(person.zone, now, priority)

    def _at_hand(self, person: Person) -> _Kept:
        with self._turn:
            kept = self._kept.setdefault(person.id, _Kept())
            self._kept.move_to_end(person.id)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return kept

    def forget(self, person: str) -> None:
        """Keep nothing of a person at hand."""
        with self._turn:
            self._kept.pop(person, None)


class _Kept:
    """What was put together of one person, up to a payload."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._start()

    def timeline(self, database: Database, person: Person, now: datetime) -> Timeline:
        with database.reading() as connection:
            count = number_of_payloads(connection, person.id)
            said = person.zone, priority_of(connection, person.id)
            if count == self._count and self._timeline is not None and said == self._said:
                return self._timeline
            if said != self._said:
                self._start()
            self._take(connection, person)
            if self._count != count:
                # One with a smaller number was kept after one with a larger; or all were erased.
                self._start()
                self._take(connection, person)
        self._said = said
        self._timeline = self._series.timeline(person.zone, now, said[1])
        return self._timeline

    @property
    def devices(self) -> Devices:
        return self._series.devices

    def _take(self, connection, person: Person) -> None:
        for receipt, content in payloads_after(connection, person.id, self._newest):
            self._series.take(receipt.kind, content, receipt.account["read"])
            self._count, self._newest = self._count + 1, receipt.number

    def _start(self) -> None:
        self._series, self._timeline = Series(), None
        self._count = self._newest = 0
        # The time zone and the list of devices that it was put together by.
        self._said: tuple[str | None, tuple[str, ...]] = (None, ())
