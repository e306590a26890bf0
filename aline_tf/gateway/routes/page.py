"""The page of a person: today's risk, the next question, what an answer moved.

The token is kept in a cookie that no script reads and no other site sends along. There is no
script, and the headers allow none.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from aline_tf.errors import InputError
from aline_tf.gateway.failures import ModelAway, NothingRecorded
from aline_tf.gateway.routes.access import Service, known
from aline_tf.gateway.routes.person import archive_of
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage.people import Person

ROUTER = APIRouter(include_in_schema=False)
COOKIE = "aline_token"
_LARGEST_FORM = 1 << 13
_MONTH_S = 30 * 86_400


@ROUTER.get("/")
def home(request: Request, service: Service) -> Response:
    """Where a person stands; a form to sign in for others."""
    person = _person(request, service)
    return _sign_in() if person is None else _shown(service, person)


@ROUTER.post("/sign-in")
async def sign_in(request: Request, service: Service) -> Response:
    """Keep the token in a cookie, if it counts."""
    token = (await _form(request)).get("token", "").strip()
    if await run_in_threadpool(known, request, service, token) is None:
        return _sign_in("This token does not count.", 401)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(
        COOKIE, token, max_age=_MONTH_S, httponly=True, samesite="strict", secure=secure
    )
    return answer


@ROUTER.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Forget the token."""
    await _form(request)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


@ROUTER.post("/answer")
async def answer(request: Request, service: Service) -> Response:
    """Take an answer, and show how it moved the risks."""
    form = await _form(request)
    person = await run_in_threadpool(_person, request, service)
    if person is None:
        return _sign_in(status=401)
    return await run_in_threadpool(_answered, service, person, form)


@ROUTER.post("/erase")
async def erase(request: Request, service: Service) -> Response:
    """Erase a person who is sure of it."""
    form = await _form(request)
    person = await run_in_threadpool(_person, request, service)
    if person is None:
        return _sign_in(status=401)
    if form.get("sure") != "ERASE":
        problem = "To erase everything, type ERASE in capital letters."
        return await run_in_threadpool(_shown, service, person, problem, None, 422)
    await run_in_threadpool(service.erase, person)
    gone = _sign_in("Everything was erased.", 200)
    gone.delete_cookie(COOKIE)
    return gone


@ROUTER.get("/records.zip")
def records(request: Request, service: Service) -> Response:
    """All that is kept of a person."""
    person = _person(request, service)
    return _sign_in(status=401) if person is None else archive_of(person, service)


def _answered(service: Gateway, person: Person, form: dict[str, str]) -> Response:
    try:
        asked = {
            "evening": form.get("evening", ""),
            "channel": form.get("channel", ""),
            "days_ago": int(form.get("days_ago", "")),
            "slot": int(form.get("slot", "")),
            "value": None if form.get("refused") else form.get("value", ""),
        }
    except ValueError:
        return _shown(service, person, "This answer is to no question.", status=422)
    try:
        moved = service.forecasts.answer(person, asked)
    except (InputError, NothingRecorded) as error:
        return _shown(service, person, f"{str(error)[:1].upper()}{str(error)[1:]}.", status=422)
    pairs = zip(moved["before"] or (), moved["after"] or (), strict=False)
    return _shown(service, person, moved=list(pairs))


def _shown(
    service: Gateway,
    person: Person,
    problem: str | None = None,
    moved: Any = None,
    status: int = 200,
) -> HTMLResponse:
    values: dict[str, Any] = {"risk": None, "asked": None, "age": None, "evening": ""}
    try:
        values["risk"] = service.forecasts.risk(person)
        values["asked"] = service.forecasts.next_question(person)
    except NothingRecorded:
        problem = problem or "Nothing is recorded yet: a forecast begins with your first readings."
    except ModelAway as error:
        problem = problem or "No forecast can be made at the moment. Readings are kept meanwhile."
        if error.last is not None:
            values["risk"], values["age"] = error.last, _in_words(error.age or 0)
    except InputError as error:
        problem = problem or str(error)
    if values["risk"]:
        evening = datetime.fromisoformat(values["risk"]["evening"])
        values["evening"] = f"{evening:%A, %d %B %Y, %H:%M}"
    return _html("home", status, problem=problem, moved=moved, **values)


def _sign_in(problem: str | None = None, status: int = 200) -> HTMLResponse:
    return _html("sign_in", status, problem=problem)


def _html(name: str, status: int, **values: Any) -> HTMLResponse:
    from aline_tf.gateway.pages.rendering import page

    nonce = secrets.token_urlsafe(12)
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'"
    headers = {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page(name, nonce=nonce, **values), status, headers)


def _person(request: Request, service: Gateway) -> Person | None:
    token = request.cookies.get(COOKIE)
    return None if token is None else known(request, service, token)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form of this very page.

    Raises:
        HTTPException: it is of another site, too large, or no form.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "expected a form of this page; received one of another site")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST_FORM:
            raise HTTPException(413, f"expected a form of at most {_LARGEST_FORM} bytes")
    try:
        return dict(parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise HTTPException(422, "expected a form; received something else") from error


def _in_words(seconds: int) -> str:
    for length, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = seconds // length
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"
