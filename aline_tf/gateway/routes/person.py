"""What is kept of a person, for them: all of it, or none any more."""

from __future__ import annotations

import io
import json
import zipfile

from fastapi import APIRouter, Response

from aline_tf.gateway.routes.access import Asking, Service
from aline_tf.gateway.routes.documents import AuditLine, ReceiptDocument, refusals
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage import audit
from aline_tf.gateway.storage.payloads import payloads_after
from aline_tf.gateway.storage.people import Person

ROUTER = APIRouter(prefix="/v1/me", tags=["person"], responses=refusals())


@ROUTER.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "an archive"}},
)
def export(person: Asking, service: Service) -> Response:
    """All that is kept of this person: what was sent as it came, its receipts, and one timeline,
    which `aline-tf migraine import` reads."""
    return archive_of(person, service)


def archive_of(person: Person, service: Gateway) -> Response:
    """An archive of all that is kept of a person."""
    with service.database.writing() as connection:
        audit.note(connection, person.id, person.label, audit.EXPORTED, service.now())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        receipts = []
        with service.database.reading() as connection:
            for receipt, content in payloads_after(connection, person.id, 0):
                archive.writestr(f"sent/{receipt.number:08d}-{receipt.kind}.json", content)
                receipts.append(ReceiptDocument.of(receipt).model_dump())
        archive.writestr("receipts.json", json.dumps(receipts, ensure_ascii=False, indent=1))
        archive.writestr("timeline.jsonl", "\n".join(service.timeline_lines(person)) + "\n")
    named = {"Content-Disposition": 'attachment; filename="records.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=named)


@ROUTER.get("/audit")
def show_audit(person: Asking, service: Service) -> list[AuditLine]:
    """Who did what with the records of this person, newest first."""
    with service.database.reading() as connection:
        return [AuditLine(**line) for line in audit.lines(connection, person.id)]


@ROUTER.delete("", status_code=204)
def erase(person: Asking, service: Service) -> None:
    """Erase this person: all that was sent, what was answered, and every token."""
    service.erase(person)
