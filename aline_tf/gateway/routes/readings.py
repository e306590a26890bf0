"""Readings in, receipts out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from aline_tf.gateway.intake.bodies import Body
from aline_tf.gateway.routes.access import SendingReadings, Service
from aline_tf.gateway.routes.documents import ClientId, ReceiptDocument, refusals

ROUTER = APIRouter(prefix="/v1", tags=["readings"], responses=refusals())
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "readings": [
                        {
                            "id": "7f3a",
                            "channel": "stress",
                            "value": 7,
                            "time": "2025-03-10T20:00:00+01:00",
                        }
                    ]
                },
            },
            "application/fhir+json": {"schema": {"type": "object"}},
        },
    }
}


@ROUTER.post("/readings", status_code=202, openapi_extra=_BODY, responses=refusals(409, 413))
async def take_readings(
    request: Request,
    person: SendingReadings,
    service: Service,
    idempotency_key: Annotated[ClientId | None, Header()] = None,
    content_encoding: Annotated[str, Header(max_length=40)] = "",
) -> ReceiptDocument:
    """Take readings in: the gateway's own JSON, FHIR R4, or what Health Auto Export posts.

    They are on disk when the receipt is there. The same body under the same Idempotency-Key, or
    without one the same body, may be sent as often as wanted and is kept once.
    """
    settings = service.settings
    body = Body(content_encoding, settings.largest_body, settings.largest_payload)
    async for part in request.stream():
        body.take(part)
    receipt = await run_in_threadpool(service.receive, person, body.whole(), idempotency_key)
    return ReceiptDocument.of(receipt)


@ROUTER.get("/receipts/{client_id}", responses=refusals(404))
def show_receipt(client_id: ClientId, person: SendingReadings, service: Service) -> ReceiptDocument:
    """The receipt of something that was sent before."""
    receipt = service.receipt(person, client_id)
    if receipt is None:
        raise HTTPException(404, "expected the id of something that was sent; received another")
    return ReceiptDocument.of(receipt)
