"""The application: routes, and what every failure is in HTTP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from aline_tf import __version__
from aline_tf.errors import InputError
from aline_tf.gateway.attending.attendant import Attendant, Rounds
from aline_tf.gateway.attending.courier import Courier
from aline_tf.gateway.failures import ModelAway, NothingRecorded
from aline_tf.gateway.intake.bodies import TooLarge
from aline_tf.gateway.operation.access_log import AccessLog
from aline_tf.gateway.operation.metrics import CONTENT_TYPE
from aline_tf.gateway.routes import access, events, forecasts, page, person, readings
from aline_tf.gateway.service import Gateway, utc_now
from aline_tf.gateway.settings import Settings
from aline_tf.gateway.storage.payloads import ClientIdTaken, PersonErased

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
    for room in (readings, forecasts, events, person, page):
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
            allow_headers=["Authorization", "Content-Encoding", "Content-Type", "Idempotency-Key"],
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

    @app.exception_handler(InputError)
    def at_fault(_: Request, error: InputError) -> JSONResponse:
        return _said(422, str(error))

    @app.exception_handler(RequestValidationError)
    def of_another_form(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        # Not the value: it may be a reading.
        return _said(422, f"expected another {place}: {first['msg']}")

    @app.exception_handler(TooLarge)
    def too_large(_: Request, error: TooLarge) -> JSONResponse:
        return _said(413, str(error))

    @app.exception_handler(ClientIdTaken)
    def taken(_: Request, error: ClientIdTaken) -> JSONResponse:
        return _said(
            409, "expected the content that had this Idempotency-Key before; received another"
        )

    @app.exception_handler(PersonErased)
    def erased(_: Request, error: PersonErased) -> JSONResponse:
        refused = access.unauthorized()
        return _said(401, refused.detail, refused.headers)

    @app.exception_handler(NothingRecorded)
    def nothing(_: Request, error: NothingRecorded) -> JSONResponse:
        return _said(404, str(error))

    @app.exception_handler(ModelAway)
    def away(_: Request, error: ModelAway) -> JSONResponse:
        content = {"detail": str(error), "last": error.last, "age_s": error.age}
        return JSONResponse(content, 503, {"Retry-After": "10"})

    @app.exception_handler(OperationalError)
    def database_away(_: Request, error: OperationalError) -> JSONResponse:
        return _said(503, "expected the database to answer; it does not", {"Retry-After": "5"})


def _said(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status, headers)
