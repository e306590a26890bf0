"""Who computes: the model in this process, or one behind a server.

Both are asked for the same things, and answer with the same numbers. A server whose model was
exported without the signature `distributions` answers with means, spreads and the policy's scores:
the draws behind an interval, and the answers that a question could have, are then not to be had.
What is not to be had is None, and no number stands in its place.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aline_tf.gateway.forecasts.served_model import ServedMeans, ServedModel, asked, in_parts
from aline_tf.gateway.settings import Settings
from aline_tf.migraine.forecast.forecast import (
    attack_probabilities,
    attack_risks,
    towards_forecasts,
)
from aline_tf.migraine.forecast.triggers import (
    TriggerPosterior,
    own_and_nothing,
    trigger_posteriors,
    trigger_table,
)
from aline_tf.migraine.forecast.value_of_information import value_candidates, worth_asking
from aline_tf.migraine.forecast.what_if import Supposition, WhatIf, what_ifs
from aline_tf.migraine.records.days import DayHistory
from aline_tf.migraine.schema.candidates import Candidate
from aline_tf.migraine.schema.channels import FORECASTS
from aline_tf.migraine.schema.spec import SPEC

if TYPE_CHECKING:
    from aline_tf.migraine.forecast.plan import Plan

_HOURS = tuple(int(channel.name.split("_")[1][:-1]) for channel in FORECASTS)


@dataclasses.dataclass(frozen=True)
class NextQuestion:
    """A candidate to ask for.

    Attributes:
        candidate: which one.
        gain: nats that its answer is expected to tell of the two forecasts; None where unknown.
        worth: whether that is more than its burden; None where unknown.
    """

    candidate: Candidate
    gain: float | None
    worth: bool | None


class Inference(Protocol):
    """What the gateway asks a model."""

    def risks(self, batch: dict) -> list[dict[str, Any]]:
        """Within 24 and 48 hours: hours, probability, low and high (None where unknown)."""
        ...

    def triggers(self, batch: dict) -> list[dict[str, Any]]:
        """name, probability, odds_ratio, low, high, days_recorded; strongest first."""
        ...

    def next_question(self, batch: dict, candidates: list[Candidate]) -> NextQuestion | None:
        """The candidate to ask for, of those in the batch; None where there is none."""
        ...

    def what_ifs(self, history: DayHistory, supposed: list[Supposition]) -> list[dict[str, Any]]:
        """channel, days_ago, value, risk_24h, risk_48h; what is so already is left out."""
        ...

    def probabilities(self, batch: dict) -> np.ndarray:
        """Of an attack within 24 and 48 hours, of every row: [B, 2]."""
        ...

    def plan(self, history: DayHistory, budget: float, twins: int) -> Plan:
        """What recording which reading or asking which question would add in two weeks."""
        ...


class LocalInference:
    """A model that is at hand; it is asked one thing at a time, for it uses every core.

    Args:
        model: of the migraine task, as evaluations read it.
        cost_weight: nats that one unit of burden has to be worth.
        seed: of the draws behind intervals.
    """

    def __init__(self, model, cost_weight: float, seed: int = 0):
        self._model, self._cost_weight, self._seed = model, cost_weight, seed
        self._turn = threading.Lock()

    def risks(self, batch: dict) -> list[dict[str, Any]]:
        """As `Inference` says."""
        with self._turn:
            risks = attack_risks(self._model, batch, self._seed)[0]
        return [dataclasses.asdict(risk) for risk in risks]

    def triggers(self, batch: dict) -> list[dict[str, Any]]:
        """As `Inference` says."""
        with self._turn:
            found = trigger_posteriors(self._model, batch)
        return [_shown(trigger) for trigger in found]

    def next_question(self, batch: dict, candidates: list[Candidate]) -> NextQuestion | None:
        """As `Inference` says."""
        with self._turn:
            valued = value_candidates(self._model, batch, candidates, self._cost_weight)
        found = worth_asking(valued, 1)
        if not found:
            return None
        return NextQuestion(found[0].candidate, found[0].gain, found[0].value > 0)

    def what_ifs(self, history: DayHistory, supposed: list[Supposition]) -> list[dict[str, Any]]:
        """As `Inference` says."""
        with self._turn:
            return _supposed(what_ifs(self._model, history, supposed))

    def probabilities(self, batch: dict) -> np.ndarray:
        """As `Inference` says."""
        with self._turn:
            return attack_probabilities(self._model, batch)

    def plan(self, history: DayHistory, budget: float, twins: int) -> Plan:
        """As `Inference` says; other requests get their turn in between."""
        from aline_tf.migraine.forecast.plan import Scores, make_plan
        from aline_tf.migraine.forecast.twins import live_twins

        model = _InTurn(self._model, self._turn)
        return make_plan(Scores(model, live_twins(model, history, twins, self._seed)), budget)


class _InTurn:
    """A model that waits for its turn with every pass."""

    def __init__(self, model, turn: threading.Lock):
        self._model, self._turn = model, turn

    def __call__(self, batch: dict):
        with self._turn:
            return self._model(batch)

    def __getattr__(self, name: str):
        return getattr(self._model, name)


class ServedInference:
    """The model behind a server.

    Args:
        client: an `aline_tf.serving.Client` of the migraine model.
        cost_weight, seed: as for `LocalInference`.
        preset: directory of the model that is served; None for the one that is shipped. Its
            configuration is read, and not its weights.

    Every method raises ConnectionError where the server does not answer.
    """

    def __init__(
        self, client, cost_weight: float = 0.001, seed: int = 0, preset: Path | None = None
    ):
        self._client, self._settings = client, (cost_weight, seed)
        self._preset, self._loading = preset, threading.Lock()
        self._decoded: LocalInference | None = None

    def risks(self, batch: dict) -> list[dict[str, Any]]:
        """As `Inference` says; low and high are None where no distributions are served."""
        if (whole := self._whole()) is not None:
            return whole.risks(batch)
        probability = attack_probabilities(ServedMeans(self._client), batch)[0].tolist()
        return [
            {"hours": hours, "probability": value, "low": None, "high": None}
            for hours, value in zip(_HOURS, probability, strict=True)
        ]

    def triggers(self, batch: dict) -> list[dict[str, Any]]:
        """As `Inference` says; low and high are None where no distributions are served."""
        if (whole := self._whole()) is not None:
            return whole.triggers(batch)
        answer = in_parts(self._client.infer, own_and_nothing(batch))
        unknown = np.full_like(answer["theta_mean"], np.nan)
        found = trigger_table(batch, SPEC.parameter_names, *_slabs(answer), unknown, unknown)
        return [_shown(trigger) for trigger in found]

    def next_question(self, batch: dict, candidates: list[Candidate]) -> NextQuestion | None:
        """As `Inference` says; where no distributions are served the policy's choice, of which
        nobody knows what it is worth."""
        if not candidates:
            return None
        if (whole := self._whole()) is not None:
            return whole.next_question(batch, candidates)
        answer = in_parts(self._client.propose, towards_forecasts(batch), ["index"])
        return NextQuestion(candidates[int(answer["index"][0])], None, None)

    def what_ifs(self, history: DayHistory, supposed: list[Supposition]) -> list[dict[str, Any]]:
        """As `Inference` says."""
        return _supposed(what_ifs(ServedMeans(self._client), history, supposed))

    def probabilities(self, batch: dict) -> np.ndarray:
        """As `Inference` says."""
        return attack_probabilities(ServedMeans(self._client), batch)

    def plan(self, history: DayHistory, budget: float, twins: int) -> Plan:
        """As `Inference` says.

        Raises:
            ConnectionError: no distributions are served, too.
        """
        whole = self._whole()
        if whole is None:
            raise ConnectionError(
                "expected a served model with the signature distributions, which a plan needs;"
                " received one that was exported without"
            )
        return whole.plan(history, budget, twins)

    def _whole(self) -> LocalInference | None:
        """The served model in the place of one in this process; None where the server's has no
        distributions."""
        with self._loading:
            if "distributions" not in asked(self._client.signatures):
                self._decoded = None
            elif self._decoded is None:
                model = ServedModel(self._client, self._preset)
                self._decoded = LocalInference(model, *self._settings)
            return self._decoded


def _slabs(answer: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every parameter the probability that it is not zero, and mean and spread if it is not.

    A server tells mean m and spread s of all of it, p that it is not zero:
    m = p mu, s^2 + m^2 = p (sigma^2 + mu^2).
    """
    mean, sd, probability = (
        answer[f"theta_{name}"].astype(np.float64) for name in ("mean", "sd", "probability")
    )
    share = np.maximum(probability, 1e-12)
    slab = mean / share
    return probability, slab, np.sqrt(np.maximum((sd**2 + mean**2) / share - slab**2, 0.0))


def _supposed(found: list[WhatIf]) -> list[dict[str, Any]]:
    return [
        {
            **dataclasses.asdict(each.supposition),
            "risk_24h": each.risk_24h,
            "risk_48h": each.risk_48h,
        }
        for each in found
    ]


def _shown(trigger: TriggerPosterior) -> dict[str, Any]:
    """A trigger as JSON values; what is not known is None."""
    values = dataclasses.asdict(trigger)
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def inference_of(settings: Settings) -> Inference:
    """Who computes, as the settings say."""
    if settings.served_model is not None:
        from aline_tf.serving.client import Client

        client = Client(settings.served_model, "migraine", timeout=settings.model_timeout)
        return ServedInference(client, settings.cost_weight, settings.seed, settings.preset)
    from aline_tf.migraine.task.pretrained import load_model
    from aline_tf.models.compiled import Compiled

    model = Compiled(load_model(settings.preset))
    return LocalInference(model, settings.cost_weight, settings.seed)
