"""The application: routes, and what every failure is in HTTP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from sqlalchemy import text
from starlette.routing import compile_path

from aline_tf import __version__
from aline_tf.gateway.attending.attendant import Attendant, Rounds
from aline_tf.gateway.attending.courier import Courier
from aline_tf.gateway.failures import ModelAway
from aline_tf.gateway.operation.access_log import AccessLog
from aline_tf.gateway.operation.metrics import CONTENT_TYPE
from aline_tf.gateway.routes import (
    consent,
    events,
    forecasts,
    page,
    person,
    readings,
    stream,
)
from aline_tf.gateway.routes.failing import KNOWN, failure
from aline_tf.gateway.service import Gateway, utc_now
from aline_tf.gateway.settings import Settings

if TYPE_CHECKING:
    from aline_tf.gateway.forecasts.inference import Inference

#: Seconds between looks for calls to make.
COURIER_S = 5.0


def create_app(
    settings: Settings | None = None,
    *,
    inference: Inference | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The gateway as an ASGI application; its database is opened and brought up to date here.

    Args:
        settings: of the operator; the usual ones when None.
        inference: who computes; None for what the settings say.
        clock: tells the present moment, with a time zone.

    Raises:
        InputError: the database cannot be opened.
    """
    service = Gateway(settings or Settings(), inference, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        rounds = _rounds(service)
        for each in rounds:
            each.start()
        yield
        for each in rounds:
            await run_in_threadpool(each.stop)
        service.close()

    app = FastAPI(
        title="aline_tf gateway",
        version=__version__,
        description="A person's readings in; forecasts, questions and what-ifs out.",
        lifespan=lifespan,
    )
    app.state.gateway = service
    for room in (readings, stream, forecasts, events, person, consent, page):
        app.include_router(room.ROUTER)

    @app.get("/health", tags=["operator"])
    def health() -> dict[str, str]:
        """Whether the process answers and its database can be read."""
        with service.database.reading() as connection:
            connection.execute(text("SELECT 1"))
        return {"status": "ok", "version": __version__}

    @app.get("/metrics", tags=["operator"], response_class=Response)
    def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    _refusals(app)
    if service.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Encoding",
                "Content-Type",
                "Idempotency-Key",
                "X-Aline-Person",
            ],
        )
    app.add_middleware(AccessLog, metrics=service.metrics)
    return app


def _rounds(service: Gateway) -> list[Rounds]:
    """What goes on beside requests."""
    settings = service.settings
    if not settings.attend_seconds:
        return []
    courier = Courier(service.database, settings.webhook_hosts, service.now)
    # Calls do not wait for the model.
    return [
        Rounds(Attendant(service).look, settings.attend_seconds),
        Rounds(courier.deliver, min(settings.attend_seconds, COURIER_S)),
    ]


def _refusals(app: FastAPI) -> None:
    """What each error of the service is in HTTP; the sentence says what was expected."""

    def known(_: Request, error: Exception) -> JSONResponse:
        return _said(*failure(error))

    for kind in KNOWN:
        app.add_exception_handler(kind, known)

    @app.exception_handler(RequestValidationError)
    def of_another_form(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        # Not the value: it may be a reading.
        return _said(422, f"expected another {place}: {first['msg']}")

    @app.exception_handler(400)
    def no_json(_: Request, error: HTTPException) -> JSONResponse:
        # Bytes that are no text, of which FastAPI says so much and no more.
        return _said(422, "expected a body of JSON in UTF-8; received something else")

    @app.exception_handler(405)
    def another_method(request: Request, error: HTTPException) -> JSONResponse:
        # Of all doors at the path; what raises knows the first of them alone.
        methods = set(filter(None, (error.headers or {}).get("Allow", "").split(", ")))
        for path, there in app.openapi()["paths"].items():
            if compile_path(path)[0].match(request.url.path):
                methods |= {method.upper() for method in there}
        allow = ", ".join(sorted(methods))
        return _said(405, f"expected {allow}; received {request.method}", {"Allow": allow})

    @app.exception_handler(ModelAway)
    def away(_: Request, error: ModelAway) -> JSONResponse:
        status, detail, headers = failure(error)
        content = {"detail": detail, "last": error.last, "age_s": error.age}
        return JSONResponse(content, status, headers)


def _said(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status, headers)
