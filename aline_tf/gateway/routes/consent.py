"""What a person decides: which services act for them, and which of their devices counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import Field

from aline_tf.gateway.intake.devices import LONGEST, MOST, checked_priority
from aline_tf.gateway.routes.access import Asking, Service
from aline_tf.gateway.routes.documents import Sent, refusals
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage import services
from aline_tf.gateway.storage.device_priority import keep_priority, priority_of
from aline_tf.gateway.storage.people import Person

ROUTER = APIRouter(prefix="/v1/me", tags=["person"], responses=refusals())
ServiceId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class DevicePriority(Sent):
    """Which device counts where several tell the same reading."""

    priority: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST)]], Field(max_length=MOST)
    ] = Field(
        description="names of devices as readings have them in source, the one that counts most"
        " first; of those that are not among them the usual rules decide",
        examples=[["Oura Ring", "Apple Watch"]],
    )


class DevicesDocument(DevicePriority):
    """The same, and what came of it."""

    seen: list[str] = Field(description="devices that told something")
    conflicts: dict[str, int] = Field(
        description="reading -> on how many days (steps and heart rates: hours) several devices"
        " told it and the list decided"
    )


class Scopes(Sent):
    """What a service may do."""

    scopes: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=20)] = Field(
        description="of readings (send them), forecasts (ask for them) and answers (give them)",
        examples=[list(services.SCOPES)],
    )


class GrantDocument(Scopes):
    """A service that may act for this person."""

    service: str
    name: str


@ROUTER.get("/devices")
def show_devices(person: Asking, service: Service) -> DevicesDocument:
    """Which device of this person counts, and how often their list decided."""
    return _devices(service, person)


@ROUTER.put("/devices")
def keep_devices(wanted: DevicePriority, person: Asking, service: Service) -> DevicesDocument:
    """Let the first of these devices count where several tell the same reading of a day, a night
    or an hour, in all that was sent and will be."""
    names = checked_priority(wanted.priority)
    with service.database.writing() as connection:
        keep_priority(connection, person.id, names)
    return _devices(service, person)


def _devices(service: Gateway, person: Person) -> DevicesDocument:
    with service.database.reading() as connection:
        names = priority_of(connection, person.id)
    found = service.timelines.devices(person, service.moment())
    return DevicesDocument(
        priority=list(names), seen=list(found.seen), conflicts=dict(found.conflicts)
    )


@ROUTER.get("/services")
def show_services(person: Asking, service: Service) -> list[GrantDocument]:
    """The services that may act for this person."""
    with service.database.reading() as connection:
        return [_shown(grant) for grant in services.grants_of(connection, person.id)]


@ROUTER.put("/services/{number}")
def let(number: ServiceId, wanted: Scopes, person: Asking, service: Service) -> GrantDocument:
    """Let a service act for this person, with its own token and this person's id in
    X-Aline-Person. It never exports, erases or decides anything for them."""
    with service.database.writing() as connection:
        return _shown(services.grant(connection, person, number, wanted.scopes, service.now()))


@ROUTER.delete("/services/{number}", status_code=204, responses=refusals(404))
def withdraw(number: ServiceId, person: Asking, service: Service) -> None:
    """Let it act no more."""
    with service.database.writing() as connection:
        if not services.withdraw(connection, person, number, service.now()):
            raise HTTPException(404, "expected the id of a service that may act for this person")


def _shown(grant: services.Grant) -> GrantDocument:
    return GrantDocument(service=grant.service, name=grant.name, scopes=list(grant.scopes))
