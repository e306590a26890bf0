"""Predictive probability of an attack within 24 and 48 hours, with its posterior spread.

    risk      p(attack | D)
    interval  the spread of p(attack | D, theta) over theta ~ q(theta | D)

The base rate is drawn first and the other parameters given it, by the model itself: drawn values
enter as known parameters. The interval says how far the risk depends on what is not known about the
person; it is not a promise about days.

By the law of total probability the mean of p(attack | D, theta) is p(attack | D). A model keeps
to that approximately; `recentred` shifts the draws on the logit scale so that it holds exactly.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from aline_tf import batch_ops
from aline_tf.migraine.schema.channels import FORECASTS
from aline_tf.migraine.schema.parameters import PARAMETERS

#: Parameters drawn together, given those of the groups before. The level of risk comes first, for
#: the effects of triggers depend on it.
DRAW_ORDER = (
    ("alpha",),
    tuple(parameter.name for parameter in PARAMETERS if parameter.name != "alpha"),
)
DRAWS = 64
LEVELS = (0.05, 0.95)


@dataclasses.dataclass(frozen=True)
class Risk:
    """Probability of an attack within some hours, with a 90% interval; all between 0 and 1.

    Attributes:
        hours: 24 or 48.
        probability: of an attack.
        low, high: its interval over the parameters that the records leave open.

    Example:
        >>> from aline_tf.migraine.forecast import Risk
        >>> Risk(hours=24, probability=0.2, low=0.1, high=0.35).hours
        24
    """

    hours: int
    probability: float
    low: float
    high: float


def attack_risks(model, batch: dict, seed: int = 0, draws: int = DRAWS) -> list[list[Risk]]:
    """Risks of every row.

    Args:
        model: an ALINE of the migraine task.
        batch: B rows whose first two targets are attack_24h and attack_48h, as from
            `history_batch`.
        seed: of the parameter draws; every row uses the same uniforms.
        draws: parameter draws per row.

    Returns:
        B lists of two risks, for 24 and 48 hours.
    """
    batch = batch_ops.drop_candidates(towards_forecasts(batch))
    probability = attack_probabilities(model, batch)
    theta, drawn = sample_theta(model, batch, seed, draws)
    known = batch_ops.condition_on(batch_ops.repeat(batch, draws), theta, drawn)
    given = attack_probabilities(model, known).reshape(len(probability), draws, len(FORECASTS))
    weights = np.full(draws, 1.0 / draws)
    spread = recentred(given, weights, probability)
    low, high = np.quantile(spread, LEVELS, axis=1)
    hours = [int(channel.name.split("_")[1][:-1]) for channel in FORECASTS]
    return [
        [Risk(*values) for values in zip(hours, *row, strict=True)]
        for row in zip(probability.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def attack_probabilities(model, batch: dict) -> np.ndarray:
    """p(attack | D) of the first two targets of every row: [B, 2], the second not below the first.

    An attack within 24 hours is one within 48 hours. Candidates and other targets change nothing
    and are left out.

    Args:
        model: an ALINE of the migraine task.
        batch: B rows whose first two targets are attack_24h and attack_48h.
    """
    batch = batch_ops.drop_candidates(towards_forecasts(batch))
    outputs = batch_ops.map_rows(model, batch)
    prediction = model.outcome_prediction(outputs, batch)
    mean, _ = prediction.mean_sd()
    return np.maximum.accumulate(mean.numpy().astype(np.float64), axis=1)


def sample_theta(model, batch: dict, seed: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Joint draws of the parameters of `DRAW_ORDER`, group by group.

    Every row is given the same uniforms, so that rows differ by what is known and not by luck.

    Returns:
        (theta [B * draws, P], the draws of a row together; which parameters were drawn, bool [P]).
    """
    names = model.spec.parameter_names
    rows, count = len(batch["context_mask"]), len(names)
    uniforms = np.random.default_rng(seed).random([len(DRAW_ORDER), 3, draws, count])
    uniforms = np.clip(uniforms, 1e-6, 1.0 - 1e-6).astype(np.float32)
    theta = np.zeros([rows * draws, count], np.float32)
    drawn = np.zeros(count, bool)
    state = batch
    for index, group in enumerate(DRAW_ORDER):
        # The first group is drawn from the posterior of the row, the same for all its draws.
        outputs = batch_ops.map_rows(model, state)
        if index == 0:
            outputs = {name: np.repeat(raw, draws, axis=0) for name, raw in outputs.items()}
        pick, position, spike = (np.tile(part, [rows, 1]) for part in uniforms[index])
        fresh = model.theta_posterior(outputs).from_uniform(pick, position, spike).numpy()
        now = np.array([name in group for name in names])
        theta = np.where(now, fresh, theta)
        drawn |= now
        if index + 1 < len(DRAW_ORDER):
            state = batch_ops.condition_on(batch_ops.repeat(batch, draws), theta, drawn)
    return theta, drawn


def recentred(given: np.ndarray, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Conditional probabilities shifted on the logit scale until their mean is the total.

    Args:
        given: [B, S, ...] p(event | case).
        weights: [S] or [B, S], probability of each case; sums to 1.
        total: [B, ...] p(event).

    Returns:
        [B, S, ...]; order and spread in logits are kept.
    """
    given = np.clip(np.asarray(given, np.float64), 1e-6, 1.0 - 1e-6)
    total = np.clip(np.asarray(total, np.float64), 1e-6, 1.0 - 1e-6)
    weights = np.broadcast_to(weights, given.shape[:2])
    weights = weights.reshape(given.shape[:2] + (1,) * (given.ndim - 2))
    logits = np.log(given / (1.0 - given))
    low, high = np.full(total.shape, -30.0), np.full(total.shape, 30.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        mean = (weights / (1.0 + np.exp(-(logits + middle[:, None])))).sum(axis=1)
        low, high = np.where(mean < total, middle, low), np.where(mean < total, high, middle)
    return 1.0 / (1.0 + np.exp(-(logits + 0.5 * (low + high)[:, None])))


def towards_forecasts(batch: dict) -> dict:
    """The same rows with the two forecasts as their only targets."""
    count = len(FORECASTS)
    return batch | {
        "target_design": batch["target_design"][:, :count],
        "target_mask": np.ones([len(batch["target_mask"]), count], bool),
        "theta_mask": np.zeros_like(batch["theta_mask"]),
    }
