"""Forecasts out, answers in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from aline_tf.gateway.routes.access import Answering, AskingForecasts, Service
from aline_tf.gateway.routes.documents import (
    AnswerDocument,
    AwayDocument,
    ChangesDocument,
    MovedDocument,
    PlanDocument,
    QuestionDocument,
    ReceiptDocument,
    RisksDocument,
    SupposedDocument,
    TriggersDocument,
    WhatIfsDocument,
    refusals,
)

#: Of a plan, in prompts a day.
BUDGET, MOST_BUDGET = 2.0, 30.0
ROUTER = APIRouter(
    prefix="/v1",
    tags=["forecasts"],
    responses=refusals(404)
    | {
        503: {"model": AwayDocument, "description": "no model answers"},
    },
)


@ROUTER.get("/risk")
def show_risk(
    person: AskingForecasts,
    service: Service,
    evening: Annotated[
        str | None, Query(max_length=40, description="one in the past, like 2025-04-27")
    ] = None,
) -> RisksDocument:
    """The risk of an attack within 24 and 48 hours, at the last evening that records support."""
    return RisksDocument(**service.forecasts.risk(person, evening))


@ROUTER.get("/triggers")
def show_triggers(person: AskingForecasts, service: Service) -> TriggersDocument:
    """What may be triggers of this person, strongest first."""
    return TriggersDocument(**service.forecasts.triggers(person))


@ROUTER.get("/question")
def show_question(person: AskingForecasts, service: Service) -> QuestionDocument:
    """The question most worth asking this evening, within the budget of prompts."""
    return QuestionDocument(**service.forecasts.next_question(person))


@ROUTER.get("/plan")
def show_plan(
    person: AskingForecasts,
    service: Service,
    budget: Annotated[
        float, Query(gt=0, le=MOST_BUDGET, description="burden a day at most, in prompts")
    ] = BUDGET,
) -> PlanDocument:
    """Which device, reading and question is worth it in the coming two weeks. It takes half a
    minute where more is known since the last one; 503 while that of somebody else is made."""
    return PlanDocument(**service.forecasts.plan(person, budget))


@ROUTER.get("/changes")
def show_changes(
    person: AskingForecasts,
    service: Service,
    since: Annotated[
        str, Query(max_length=40, description="a moment that is over, like 2025-04-27T20:00")
    ],
) -> ChangesDocument:
    """What was sent since, how it moved the risks of the last evening, and which of it most."""
    return ChangesDocument(**service.forecasts.changes(person, since))


@ROUTER.post("/answers", status_code=202, responses=refusals(404, 409))
def take_answer(answer: AnswerDocument, person: Answering, service: Service) -> MovedDocument:
    """Take the answer to a question that is open this evening; tells how the risks moved."""
    moved = service.forecasts.answer(person, answer.model_dump())
    return MovedDocument(**moved | {"receipt": ReceiptDocument.of(moved["receipt"])})


@ROUTER.post("/what-if")
def suppose(
    supposed: SupposedDocument, person: AskingForecasts, service: Service
) -> WhatIfsDocument:
    """The risks had something been otherwise: a prediction, and no cause."""
    return WhatIfsDocument(**service.forecasts.what_if(person, supposed.suppose))
