"""One line of JSON for every request: what was asked for, by which door, and what became of it.

A line has ids, sizes and durations. It has no address with parameters, no token and no value.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Any

from aline_tf.gateway.operation.json_lines import line
from aline_tf.gateway.operation.metrics import Metrics

LOG = logging.getLogger("aline_tf.gateway")
REQUEST_ID = "x-request-id"
_REQUEST_ID_FORM = re.compile(rb"[A-Za-z0-9._:/+=-]{1,64}")
UNKNOWN = "(none)"
#: The status of a request that became a stream; its line is written when that ends.
SWITCHED = 101


class AccessLog:
    """Wraps an application: logs and counts every request, and gives each an id.

    A client may choose the id by the header X-Request-ID; every answer returns it.

    Args:
        app: an ASGI application.
        metrics: that count.
    """

    def __init__(self, app: Any, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id, started = _request_id(scope), time.monotonic()
        seen = {"status": 500, "received": 0, "sent": 0}

        async def counted_receive() -> dict:
            message = await receive()
            seen["received"] += _size(message)
            return message

        async def counted_send(message: dict) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                seen["status"] = message.get("status", SWITCHED)
                named = (REQUEST_ID.encode(), request_id.encode())
                message["headers"] = [*message.get("headers", ()), named]
            seen["sent"] += _size(message)
            await send(message)

        try:
            await self._app(scope, counted_receive, counted_send)
        finally:
            seconds = time.monotonic() - started
            route = getattr(scope.get("route"), "path", UNKNOWN)
            # Whatever else is asked for has no route.
            method = scope.get("method", "WEBSOCKET") if route != UNKNOWN else UNKNOWN
            self._metrics.answered(method, route, seen["status"], seconds)
            person, ms = scope.get("state", {}).get("person"), round(1000 * seconds, 1)
            LOG.info(line(id=request_id, method=method, route=route, **seen, person=person, ms=ms))


def _size(message: dict) -> int:
    """Bytes of what a message carries."""
    text = message.get("text")
    return len(message.get("body") or message.get("bytes") or b"") + len((text or "").encode())


def _request_id(scope: dict) -> str:
    """The client's id if it is short and safe to print, otherwise a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID.encode() and _REQUEST_ID_FORM.fullmatch(value):
            return value.decode("ascii")
    return uuid.uuid4().hex[:16]
