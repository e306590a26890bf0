"""A stream of readings over one WebSocket: the same as `POST /v1/readings`, without a request each.

    client   {"token": "aline_..."}                         where no header can be sent
    client   {"id": "17", "send": {"readings": [...]}}      id: as Idempotency-Key; may be left out
    gateway  {"id": "17", "status": 202, "receipt": {...}}  once it is on disk
    gateway  {"id": "17", "status": 422, "detail": "expected ..."}

Messages are answered in their order. What a message may be, what is kept once, and how many there
may be are those of the request; a message that is refused does not end the stream.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError

from aline_tf.errors import InputError
from aline_tf.gateway.routes.access import Service, allowed
from aline_tf.gateway.routes.documents import ClientId, ReceiptDocument
from aline_tf.gateway.routes.failing import failure
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage.people import Person
from aline_tf.gateway.storage.services import READINGS
from aline_tf.migraine.records.importers.json_stream import parse

ROUTER = APIRouter(prefix="/v1")
#: Codes with which a stream ends: who asks may not, or asks too often; a message is too large.
REFUSED, TOO_LARGE = 1008, 1009
#: Bytes of a reason that the protocol has room for.
LONGEST_REASON = 123
#: Seconds to wait for a token.
PATIENCE_S = 10.0
_CLIENT_ID = TypeAdapter(ClientId)
_DECODER = json.JSONDecoder()
_SPACE, _COMMA = re.compile(r"[ \t\r\n]*"), re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


@ROUTER.websocket("/stream")
async def stream(socket: WebSocket, service: Service) -> None:
    """Readings in and receipts out, for as long as somebody sends."""
    await socket.accept()
    try:
        credentials = _Credentials(socket)
        if credentials.token is None:
            credentials.take(await asyncio.wait_for(_next(socket), PATIENCE_S))
        await run_in_threadpool(credentials.person, service)
        while True:
            message = await _next(socket)
            if len(message) > service.settings.largest_body:
                most = f"{service.settings.largest_body:,}"
                detail = f"expected a message of at most {most} bytes; received more"
                await _end(socket, 413, detail, TOO_LARGE)
                return
            answer = await run_in_threadpool(_answer, credentials, service, message)
            await socket.send_text(json.dumps(answer))
            if answer["status"] in (401, 403):
                await _close(socket, REFUSED, answer["detail"])
                return
    except HTTPException as error:
        await _end(socket, error.status_code, error.detail)
    except InputError as error:
        await _end(socket, 422, str(error))
    except TimeoutError:
        await _end(socket, 401, f"expected a token within {PATIENCE_S:g} s; received none")
    except WebSocketDisconnect:
        return


class _Credentials:
    """Who sends, by headers or by the first message."""

    def __init__(self, socket: WebSocket):
        self._socket = socket
        kind, _, token = socket.headers.get("authorization", "").partition(" ")
        self.token = token.strip() if kind.lower() == "bearer" and token.strip() else None
        self.named = socket.headers.get("x-aline-person")

    def take(self, message: bytes) -> None:
        """The first message."""
        found = parse(message.decode("utf-8", "replace"))
        if not isinstance(found, dict) or not isinstance(found.get("token"), str):
            raise InputError('expected {"token": ...} first; received another message')
        self.token = found["token"]
        named = found.get("person")
        self.named = named if isinstance(named, str) else self.named

    def person(self, service: Gateway) -> Person:
        """For whom they send; asked again with every message, for a token may be revoked."""
        return allowed(self._socket, service, self.token, self.named, READINGS)


async def _next(socket: WebSocket) -> bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    return message["bytes"] if text is None else text.encode("utf-8", "surrogatepass")


def _answer(credentials: _Credentials, service: Gateway, message: bytes) -> dict[str, Any]:
    """What becomes of one message."""
    client_id = None
    try:
        person = credentials.person(service)
        found = _members(message)
        if not set(found) <= {"id", "send"} or not isinstance(found.get("send"), str):
            raise InputError('expected {"id": ..., "send": {...}}; received another message')
        if found.get("id", "null") != "null":
            client_id = _CLIENT_ID.validate_json(found["id"], strict=True)
        receipt = service.receive(person, found["send"].encode(), client_id)
    except ValidationError as error:
        return {"id": None, "status": 422, "detail": f"expected another id: {_first(error)}"}
    except Exception as error:
        status, detail, headers = failure(error)
        later = {"retry_after": int(headers["Retry-After"])} if "Retry-After" in headers else {}
        return {"id": client_id, "status": status, "detail": detail, **later}
    document = ReceiptDocument.of(receipt).model_dump()
    return {"id": receipt.client_id, "status": 202, "receipt": document}


def _members(message: bytes) -> dict[str, str]:
    """Name -> value of an object, as they are written: what is sent is kept as it came.

    Raises:
        InputError: it is no object in JSON.
    """
    found: dict[str, str] = {}
    try:
        text = message.decode("utf-8")
        parse(text)
        place = _SPACE.match(text, 0).end()
        if text[place] != "{":
            raise ValueError("not an object")
        place = _SPACE.match(text, place + 1).end()
        while text[place] != "}":
            name, place = _DECODER.raw_decode(text, place)
            place = _SPACE.match(text, _SPACE.match(text, place).end() + 1).end()
            _, end = _DECODER.raw_decode(text, place)
            found[name] = text[place:end]
            place = _COMMA.match(text, end).end()
    except ValueError as error:
        raise InputError("expected an object in JSON; received another message") from error
    return found


def _first(error: ValidationError) -> str:
    return error.errors(include_url=False, include_input=False)[0]["msg"]


async def _end(socket: WebSocket, status: int, detail: str, code: int = REFUSED) -> None:
    await socket.send_text(json.dumps({"id": None, "status": status, "detail": detail}))
    await _close(socket, code, detail)


async def _close(socket: WebSocket, code: int, detail: str) -> None:
    """With the reason once more, for whoever was sending and has not read the last message."""
    reason = detail.encode()[:LONGEST_REASON].decode("utf-8", "ignore")
    await socket.close(code, reason)
