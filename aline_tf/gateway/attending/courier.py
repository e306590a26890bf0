"""Calls to webhooks: signed, tried again with growing pauses, and never twice by two processes.

    X-Aline-Signature: t=1741636800,v1=<hex of HMAC-SHA256(secret, "1741636800." + body)>
    X-Aline-Event: 17

The number of an event is the same in every try, so that who is called can tell a repetition. What
answers with 2xx has taken it. Nobody is called whom the operator has not named.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from aline_tf.errors import InputError
from aline_tf.gateway.operation.json_lines import line
from aline_tf.gateway.storage.database import Database
from aline_tf.gateway.storage.events import Call, claim_call, settle_call

LOG = logging.getLogger("aline_tf.gateway")
#: Seconds for an answer, and until a call whose maker has died is made by another.
TIMEOUT_S, CLAIM_S = 5, 60
FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_ATTEMPTS = 10, 3600, 10
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class Courier:
    """Makes the calls that are due.

    Args:
        database: that has them.
        hosts: who may be called, as host or host:port.
        clock: seconds since 1970 UTC.
    """

    def __init__(self, database: Database, hosts: Iterable[str], clock: Callable[[], int]):
        self._database, self._hosts, self._clock = database, tuple(hosts), clock

    def deliver(self) -> int:
        """Make every call that is due; how many were taken."""
        taken = 0
        while (call := self._claimed()) is not None:
            done = self._make(call)
            taken += done
            attempts = call.attempts + 1
            pause = min(FIRST_PAUSE_S * 2**call.attempts, LONGEST_PAUSE_S)
            due = None if done or attempts >= MOST_ATTEMPTS else self._clock() + pause
            with self._database.writing() as connection:
                settle_call(connection, call.webhook, call.event.number, due, attempts)
        return taken

    def _claimed(self) -> Call | None:
        now = self._clock()
        with self._database.writing() as connection:
            return claim_call(connection, now, now + CLAIM_S)

    def _make(self, call: Call) -> bool:
        try:
            # Who may be called may have changed since.
            checked_url(call.url, self._hosts)
            with _OPENER.open(signed_request(call, self._clock()), timeout=TIMEOUT_S) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except (OSError, ValueError) as error:
            status = type(error).__name__
        LOG.info(
            line(
                webhook=call.webhook,
                event=call.event.number,
                attempt=call.attempts + 1,
                status=status,
            )
        )
        return isinstance(status, int) and 200 <= status < 300


def checked_url(url: str, hosts: Iterable[str]) -> str:
    """A URL that may be called.

    Args:
        url: as somebody asked for it.
        hosts: who may be called.

    Raises:
        InputError: another host, no https (which this machine alone may do without), or a URL with
            a name and a password.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.netloc not in hosts or len(url) > 500 or not url.isprintable():
        named = ", ".join(hosts) or "none: the operator has named no host"
        raise InputError(f"expected a URL of one of these hosts: {named}; received {url[:100]!r}")
    here = parts.netloc.rpartition(":")[0] in _LOOPBACK or parts.netloc in _LOOPBACK
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        raise InputError(f"expected https; received {url[:100]!r}")
    return url


def signed_request(call: Call, now: int) -> urllib.request.Request:
    """The request of a call.

    Args:
        call: whom, and about what.
        now: seconds since 1970 UTC; whoever is called can refuse what is old.
    """
    event = call.event
    document = {"event": event.number, "kind": event.kind, "at": event.at, **event.document}
    body = json.dumps(document).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Aline-Event": str(event.number),
        "X-Aline-Signature": f"t={now},v1={signature(call.secret, now, body)}",
    }
    return urllib.request.Request(call.url, body, headers, method="POST")


def signature(secret: str, now: int, body: bytes) -> str:
    """HMAC-SHA256 of the moment and the body, in hexadecimal digits."""
    return hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Nobody is called because another one says so."""

    def redirect_request(self, *_):
        return None


# Neither proxies of the environment: who is called is who was named.
_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
