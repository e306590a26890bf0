"""The documents that come and go, for the description of the interface."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from aline_tf.gateway.storage.payloads import Receipt
from aline_tf.gateway.storage.tables import CLIENT_ID

#: Text of a database has no NUL.
ClientId = Annotated[str, Field(min_length=1, max_length=CLIENT_ID, pattern=r"^[^\x00]+$")]


class Sent(BaseModel):
    """What somebody sends: no more than is asked for, and nothing of another type. Otherwise true
    would be one prompt, and "3" three."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: JSON has one kind of number: 2.0 is whole.
Whole = Annotated[int, BeforeValidator(_whole)]


class Refusal(BaseModel):
    """Why there is no other answer."""

    detail: str = Field(description="what was expected, and what was received")


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """What every door may answer, and these besides, for the description of the interface."""
    return {
        code: {"model": Refusal, "description": _REFUSED[code]}
        for code in sorted({401, 403, 422, 429, 503, *codes})
    }


_REFUSED = {
    401: "no token that counts",
    403: "a service that may not do this for this person",
    404: "there is no such thing",
    409: "the id is that of another content",
    413: "more than may be sent at once",
    422: "something that cannot be used",
    429: "too many requests",
    503: "the database or the model does not answer, or is busy: ask again",
}


class ReceiptDocument(BaseModel):
    """That something was kept, and what could be made of it."""

    id: str = Field(description="of the payload: the client's own, or a digest of the content")
    format: str
    received: int = Field(description="seconds since 1970 UTC")
    repeated: bool = Field(description="it had been kept before, and is there once")
    read: int = Field(description="records that are used")
    skipped: int = Field(description="records that could not be used")
    unused: int = Field(description="records of kinds that have no use here")
    by: dict[str, dict[str, int]] = Field(description="the same by channel, reason and type")
    examples: dict[str, str] = Field(description="reason -> a value that was skipped for it")
    notes: list[str]

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptDocument:
        """The document of a receipt."""
        return cls(
            id=receipt.client_id,
            format=receipt.kind,
            received=receipt.received,
            repeated=receipt.repeated,
            **receipt.account,
        )


class AuditLine(BaseModel):
    """Something that was done with the records of a person."""

    at: int = Field(description="seconds since 1970 UTC")
    actor: str = Field(description="the label of the token that was used, or operator")
    action: str


class RiskDocument(BaseModel):
    """The probability of an attack within some hours."""

    hours: int
    probability: float
    low: float | None = Field(description="90% interval; null where a served model computes")
    high: float | None


class RisksDocument(BaseModel):
    """The risks of an evening."""

    evening: str
    risks: list[RiskDocument]
    remarks: list[str]
    computed: str
    not_a_device: str


class AwayDocument(BaseModel):
    """No model answers; what was said last."""

    detail: str
    last: dict[str, Any] | None = None
    age_s: int | None = None


class Trigger(BaseModel):
    """What may be a trigger of a person."""

    model_config = ConfigDict(extra="ignore")

    name: str
    probability: float = Field(description="that it is one of this person's")
    odds_ratio: float = Field(description="of an attack starting, if it is")
    low: float | None
    high: float | None
    days_recorded: int
    usual: float = Field(description="the probability with nothing recorded at all")


class TriggersDocument(BaseModel):
    """Triggers, strongest first."""

    evening: str
    triggers: list[Trigger]


class Question(BaseModel):
    """What is worth asking."""

    channel: str
    days_ago: int
    slot: int = Field(description="of six hours, from 0; -1 for a whole day")
    label: str
    meaning: str
    expected: str = Field(description="what an answer looks like")
    gain: float | None = Field(description="nats; null where a served model computes")


class QuestionDocument(BaseModel):
    """The next question, or why there is none."""

    evening: str
    question: Question | None
    why: str | None


class AnswerDocument(Sent):
    """The answer to a question."""

    evening: Annotated[str, Field(max_length=40)]
    channel: Annotated[str, Field(max_length=40)]
    days_ago: Whole
    slot: Whole
    value: Annotated[str, Field(max_length=100)] | float | bool | None = Field(
        description="null where it was asked and not answered"
    )
    id: ClientId | None = None


class MovedDocument(BaseModel):
    """How an answer moved the risks; null where no model answers, or for an answer that was
    repeated."""

    receipt: ReceiptDocument
    before: list[RiskDocument] | None
    after: list[RiskDocument] | None


class Probability(BaseModel):
    """The probability of an attack within some hours."""

    hours: int
    probability: float


class SentDocument(BaseModel):
    """What was sent in one format."""

    format: str
    payloads: int
    read: dict[str, int] = Field(description="records by channel")


class MoveDocument(BaseModel):
    """What the records of a channel did."""

    channel: str
    days: int = Field(description="on which it is not as it was before")
    newest: str = Field(description="the last of these days")
    move_24h: float = Field(description="of the risk; above 0 where they raised it")
    move_48h: float


class ChangesDocument(BaseModel):
    """How the risks of one evening moved by what was sent."""

    since: str
    evening: str
    before: list[Probability]
    after: list[Probability]
    sent: list[SentDocument]
    moved: list[MoveDocument] = Field(
        description="largest first; each by itself, so that they need not add up"
    )


class OptionDocument(BaseModel):
    """Something that could be recorded every day."""

    channel: str
    slot: int = Field(description="of six hours, of a question about it; -1 for a day")
    device: str
    cost: float = Field(description="burden a day, in prompts")
    label: str


class GainDocument(BaseModel):
    """What a set of options adds to the forecast."""

    options: list[OptionDocument]
    log_score: float = Field(description="nats an evening that the expected log score gains")
    brier: float = Field(description="fall of the expected Brier score")
    error: float = Field(description="standard error of log_score")
    cost: float
    answered: float = Field(description="share of the attempts that give a value")


class PlanDocument(BaseModel):
    """A plan for two weeks."""

    evening: str
    twins: int = Field(description="simulated people like this one that it was tried on")
    budget: float
    chosen: GainDocument
    without: list[GainDocument] = Field(description="the chosen set without each of its options")
    alone: list[GainDocument] = Field(description="every option by itself, the best first")
    devices: dict[str, GainDocument] = Field(description="all readings of a device together")
    log_score: float = Field(description="expected when nothing more is recorded")
    brier: float


class SupposedDocument(Sent):
    """What is supposed."""

    suppose: Annotated[list[Annotated[str, Field(max_length=80)]], Field(min_length=1)] = Field(
        description="channel=value, or channel@days_ago=value", examples=[["stress=8"]]
    )


class WhatIf(BaseModel):
    """The risks under a supposition."""

    channel: str
    days_ago: int
    value: float
    risk_24h: float
    risk_48h: float


class WhatIfsDocument(BaseModel):
    """What is so already is left out."""

    evening: str
    what_ifs: list[WhatIf]
