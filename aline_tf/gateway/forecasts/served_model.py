"""A served model in the place of one in this process, where forecasts are made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aline_tf import batch_ops
from aline_tf.batch import BATCH_FIELDS
from aline_tf.errors import InputError
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.models.packaged_presets import preset_directory
from aline_tf.serving.limits import Limits, pairs_of


class ServedModel:
    """What a server's `distributions` give, read as the model in this process would read it.

    The heads of a model give the parameters of distributions; what is drawn from these, and how a
    quantile of them is found, is not the server's.

    Args:
        client: an `aline_tf.serving.Client` of the migraine model.
        preset: of the same configuration; None for the one that is shipped.

    Attributes:
        spec: the task.
    """

    def __init__(self, client, preset: Path | None = None):
        from aline_tf.models.aline import ALINE

        directory = preset_directory(SPEC.name) if preset is None else preset
        config = json.loads((Path(directory) / "config.json").read_text(encoding="utf-8"))
        self._client = client
        # Without weights: what it is asked for reads the settings alone.
        self._reader = ALINE.from_config(config["config"])
        self.spec = self._reader.spec

    def __call__(self, batch: dict) -> dict[str, np.ndarray]:
        """theta_raw, target_raw and candidate_logits of a Batch.

        Raises:
            ConnectionError: the server does not answer, or has another model.
        """
        return in_parts(self._client.distributions, batch)

    def theta_posterior(self, outputs: dict):
        """As of an `ALINE`."""
        return self._reader.theta_posterior(outputs)

    def outcome_prediction(self, outputs: dict, batch: dict):
        """As of an `ALINE`."""
        return self._reader.outcome_prediction(outputs, batch)


class ServedMeans:
    """Stands in for a model where only the means of predicted outcomes are read.

    Args:
        client: an `aline_tf.serving.Client` of the migraine model.
    """

    def __init__(self, client):
        self._client = client

    def __call__(self, batch: dict) -> dict[str, np.ndarray]:
        """mean and sd of the targets."""
        return in_parts(self._client.predict, batch, ["mean", "sd"])

    def outcome_prediction(self, outputs: dict, batch: dict) -> _Moments:
        """As of an `ALINE`, as far as `mean_sd` goes."""
        return _Moments(outputs["mean"], outputs["sd"])


class _Moments:
    def __init__(self, mean: np.ndarray, sd: np.ndarray):
        self._moments = mean, sd

    def mean_sd(self):
        import tensorflow as tf

        return tuple(map(tf.constant, self._moments))


def asked(call: Callable, *arguments: Any, **named: Any) -> Any:
    """What a server answers. Batches are made here, so that one which a server refuses is no fault
    of who asks: it has another model, or none of that name.

    Raises:
        ConnectionError: it refuses, or does not answer.
    """
    try:
        return call(*arguments, **named)
    except InputError as error:
        raise ConnectionError(str(error)) from error


def in_parts(call: Callable, batch: dict, outputs: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """What a server answers to a batch of any size, asked in parts that it does not refuse.

    Args:
        call: a method of a client.
        batch: numpy arrays.
        outputs: names of what is to be sent.

    Raises:
        ConnectionError: it refuses, or does not answer.
    """
    batch = {name: np.asarray(batch[name]) for name in BATCH_FIELDS}
    sizes = {
        letter: batch[name].shape[1]
        for letter, name in zip(
            "CPMN", ("context_mask", "known_mask", "target_mask", "candidate_mask"), strict=True
        )
    }
    rows, limits = len(batch["context_mask"]), Limits()
    most = max(1, min(limits.B, limits.pairs // pairs_of(sizes | {"B": 1})))
    parts = [
        asked(call, batch_ops.take_rows(batch, slice(start, start + most)), outputs=outputs)
        for start in range(0, rows, most)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
