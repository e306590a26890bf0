"""Events: as they happen, by calls to others, and how often a person will be prompted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from aline_tf.gateway.attending.courier import checked_url
from aline_tf.gateway.routes.access import Asking, AskingForecasts, Service
from aline_tf.gateway.routes.documents import Sent, Whole, refusals
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage import events, prompting
from aline_tf.gateway.storage.people import Person

ROUTER = APIRouter(prefix="/v1", tags=["events"], responses=refusals())
#: Seconds between looks for events, between signs of life, and until a stream ends: whoever
#: listens connects again and goes on where they were.
LOOK_S, ALIVE_S, STREAM_S = 1.0, 15.0, 600.0


class WishesDocument(Sent):
    """How often, and until when in the evening, a person will be prompted."""

    day: Whole = Field(ge=0, le=100, description="prompts at most; 0 for none")
    week: Whole = Field(ge=0, le=100, description="no fewer than those of a day")
    quiet_from: str = Field(
        description="local time from which there are none, 18:00 to 24:00",
        pattern=r"^(1[89]|2[0-3]):[0-5][0-9]$|^24:00$",
    )


class WantedCall(Sent):
    """Whom to call."""

    url: Annotated[str, Field(max_length=500)]


class WebhookDocument(BaseModel):
    """Who is called about events."""

    id: int
    url: str


class NewWebhookDocument(WebhookDocument):
    """The same, with what signs the calls; it is not shown again."""

    secret: str


@ROUTER.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "server-sent events"}},
)
async def listen(
    person: AskingForecasts,
    service: Service,
    last_event_id: Annotated[int, Header(ge=0, le=2**62)] = 0,
) -> StreamingResponse:
    """Events of this person as they happen: a forecast that moved (risk), one that rose by much
    (risk_rose), a question that is worth a prompt now (question). With Last-Event-ID those after it
    come first, without it all that are kept."""
    stream = _lines(service, person, last_event_id)
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _lines(service: Gateway, person: Person, number: int) -> AsyncIterator[str]:
    def found() -> list[events.Event]:
        with service.database.reading() as connection:
            return events.events_after(connection, person.id, number)

    with service.stream(person):
        yield ": here\n\n"
        for look in range(int(STREAM_S / LOOK_S)):
            for event in await run_in_threadpool(found):
                number = event.number
                said = json.dumps({"at": event.at, **event.document})
                yield f"id: {event.number}\nevent: {event.kind}\ndata: {said}\n\n"
            if look % int(ALIVE_S / LOOK_S) == 0:
                yield ": alive\n\n"
            await asyncio.sleep(LOOK_S)


@ROUTER.post("/webhooks", status_code=201)
def add_webhook(wanted: WantedCall, person: Asking, service: Service) -> NewWebhookDocument:
    """Call a URL when the risk rose by much or a question is worth a prompt. Calls are signed by
    the secret, HMAC-SHA256 of "t.body" in X-Aline-Signature, and tried again until they are taken.
    """
    url = checked_url(wanted.url, service.settings.webhook_hosts)
    with service.database.writing() as connection:
        number, secret = events.add_webhook(connection, person.id, url, service.now())
    return NewWebhookDocument(id=number, url=url, secret=secret)


@ROUTER.get("/webhooks")
def show_webhooks(person: Asking, service: Service) -> list[WebhookDocument]:
    """Who is called about this person."""
    with service.database.reading() as connection:
        found = events.webhooks(connection, person.id)
    return [WebhookDocument(id=number, url=url) for number, url in found]


@ROUTER.delete("/webhooks/{number}", status_code=204, responses=refusals(404))
def remove_webhook(
    number: Annotated[int, Path(ge=0, le=2**62)], person: Asking, service: Service
) -> None:
    """Call no more."""
    with service.database.writing() as connection:
        if not events.remove_webhook(connection, person.id, number):
            raise HTTPException(404, "expected the id of a webhook of this person")


@ROUTER.get("/me/prompting")
def show_wishes(person: Asking, service: Service) -> WishesDocument:
    """How often this person will be prompted; never, unless they said so."""
    with service.database.reading() as connection:
        wishes = prompting.wishes_of(connection, person.id) or prompting.Wishes(0, 0)
    at = f"{wishes.quiet_from // 60:02d}:{wishes.quiet_from % 60:02d}"
    return WishesDocument(day=wishes.day, week=wishes.week, quiet_from=at)


@ROUTER.put("/me/prompting")
def keep_wishes(wished: WishesDocument, person: Asking, service: Service) -> WishesDocument:
    """Prompt this person so often at most, when the model expects that an answer tells more now
    than later."""
    hours, minutes = map(int, wished.quiet_from.split(":"))
    wishes = prompting.Wishes(wished.day, wished.week, 60 * hours + minutes)
    with service.database.writing() as connection:
        prompting.keep_wishes(connection, person.id, wishes)
    return wished
