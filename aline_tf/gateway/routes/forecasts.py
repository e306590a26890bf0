"""Forecasts out, answers in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from aline_tf.gateway.routes.access import Asking, Service
from aline_tf.gateway.routes.documents import (
    AnswerDocument,
    AwayDocument,
    MovedDocument,
    QuestionDocument,
    ReceiptDocument,
    RisksDocument,
    SupposedDocument,
    TriggersDocument,
    WhatIfsDocument,
)

ROUTER = APIRouter(
    prefix="/v1",
    tags=["forecasts"],
    responses={
        404: {"description": "nothing is recorded yet"},
        503: {"model": AwayDocument, "description": "no model answers"},
    },
)


@ROUTER.get("/risk")
def show_risk(
    person: Asking,
    service: Service,
    evening: Annotated[
        str | None, Query(max_length=40, description="one in the past, like 2025-04-27")
    ] = None,
) -> RisksDocument:
    """The risk of an attack within 24 and 48 hours, at the last evening that records support."""
    return RisksDocument(**service.forecasts.risk(person, evening))


@ROUTER.get("/triggers")
def show_triggers(person: Asking, service: Service) -> TriggersDocument:
    """What may be triggers of this person, strongest first."""
    return TriggersDocument(**service.forecasts.triggers(person))


@ROUTER.get("/question")
def show_question(person: Asking, service: Service) -> QuestionDocument:
    """The question most worth asking this evening, within the budget of prompts."""
    return QuestionDocument(**service.forecasts.next_question(person))


@ROUTER.post("/answers", status_code=202)
def take_answer(answer: AnswerDocument, person: Asking, service: Service) -> MovedDocument:
    """Take the answer to a question that is open this evening; tells how the risks moved."""
    moved = service.forecasts.answer(person, answer.model_dump())
    return MovedDocument(**moved | {"receipt": ReceiptDocument.of(moved["receipt"])})


@ROUTER.post("/what-if")
def suppose(supposed: SupposedDocument, person: Asking, service: Service) -> WhatIfsDocument:
    """The risks had something been otherwise: a prediction, and no cause."""
    return WhatIfsDocument(**service.forecasts.what_if(person, supposed.suppose))
