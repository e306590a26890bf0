"""A served model in the place of one in this process: the same session, without TensorFlow.

    from aline_tf import Session
    from aline_tf.serving import RemoteModel

    with RemoteModel("127.0.0.1:8500", "psychometric") as model:
        session = Session(model, np.linspace(-5, 5, 200)[:, None])
        question = session.ask()

A server tells the sizes of a model and not what its numbers mean, so the task's description comes
from the caller: by the name of a preset, as a `TaskSpec`, or as its dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf.batch import check
from aline_tf.errors import InputError
from aline_tf.serving.client import Client, task_spec
from aline_tf.serving.limits import Limits, pairs_of
from aline_tf.spec import TaskSpec

#: Candidates in one request: they do not see each other, so a pool may be scored in parts.
PART = 2**14
#: Pairs of tokens in one request (see `aline_tf.serving.limits`), unless that is one candidate.
PAIRS = Limits().pairs
_COUNTED_BY = {"C": "context_mask", "M": "target_mask", "P": "known_mask"}
_POOL = ("candidate_design", "candidate_mask")
#: Output of `answer` -> the name that `SessionModel.answer` has for it.
_NAMES = {"mean": "target_mean", "sd": "target_sd", "quantiles": "target_quantiles"} | {
    f"theta_{name}": f"theta_{name}" for name in ("mean", "sd", "probability", "quantiles")
}


class RemoteModel:
    """A `SessionModel` behind a server: TensorFlow Serving or `aline-tf serve`.

    Args:
        server: "host:port" of a gRPC port, or a `Client`, which then stays its owner's to close.
        name: of the model there; not needed with a client.
        spec: its task: a `TaskSpec`, its dict, or the name of a packaged preset; by default the
            preset of the model's own name.
        timeout: seconds to wait for each answer; a client has its own.

    Raises:
        InputError: no such model or preset, the served model has other sizes than the task, or the
            client has units.
        ConnectionError: no server answers there.

    Example:
        >>> from aline_tf.serving import RemoteModel
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> try:
        ...     RemoteModel("127.0.0.1:1", "psychometric", SPEC, timeout=5)
        ... except ConnectionError:
        ...     print("no server there")
        no server there
    """

    def __init__(
        self,
        server: Client | str,
        name: str | None = None,
        spec: TaskSpec | Mapping[str, Any] | str | None = None,
        *,
        timeout: float = 10.0,
    ):
        self._owns_client = not isinstance(server, Client)
        if self._owns_client and name is None:
            raise InputError(f"expected the name of a model at {server}; received none")
        if not self._owns_client and name not in (None, server.model):
            raise InputError(f"expected a client of {name!r}; received one of {server.model!r}")
        if not self._owns_client and server.units is not None:
            raise InputError(
                "expected a client without units (a session has its own); received one with "
                f"{server.units}"
            )
        self.client = Client(server, name, timeout=timeout) if self._owns_client else server
        try:
            self.spec = self._task() if spec is None else task_spec(spec)
            self._check_sizes()
        except BaseException:
            self.close()
            raise

    def _task(self) -> TaskSpec:
        """That of the preset of the model's own name."""
        try:
            return task_spec(self.client.model)
        except InputError as error:
            raise InputError(f"{error} (spec= says the task of a model of one's own)") from error

    def answer(self, batch: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Every summary of a Batch, as `ALINE.answer` gives them.

        Args:
            batch: whole, of numpy arrays; shapes as in `aline_tf.batch`.

        Returns:
            theta_mean, theta_sd, theta_probability [B, P], theta_quantiles [B, P, Q], target_mean,
            target_sd [B, M], target_quantiles [B, M, Q] and candidate_logits [B, N].

        Raises:
            InputError: the batch does not fit the model.
            ConnectionError: no answer in time.
        """
        check(batch, self.spec)
        size = _part_size(batch)
        found = self.client.answer(_part_of_pool(batch, 0, size), outputs=[*_NAMES, "scores"])
        answer = {name: found[output] for output, name in _NAMES.items()}
        rest = np.asarray(batch["candidate_mask"]).shape[1] > size
        answer["candidate_logits"] = self.candidate_logits(batch) if rest else found["scores"]
        return answer

    def candidate_logits(self, batch: Mapping[str, Any]) -> np.ndarray:
        """The policy's scores alone: [B, N]; a big pool is scored in parts.

        Args:
            batch: as for `answer`.

        Raises:
            InputError: the batch does not fit the model.
            ConnectionError: no answer in time.
        """
        check(batch, self.spec)
        pool, size = np.asarray(batch["candidate_mask"]).shape[1], _part_size(batch)
        parts = (_part_of_pool(batch, start, size) for start in range(0, max(pool, 1), size))
        scores = [self.client.propose(part, outputs=["scores"])["scores"] for part in parts]
        return np.concatenate(scores, axis=1)

    def close(self) -> None:
        """Close the connection, unless it is that of a client that was handed in."""
        if self._owns_client:
            self.client.close()

    def __enter__(self) -> RemoteModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteModel({self.client.model!r} at {self.client.target})"

    def _check_sizes(self) -> None:
        sizes = self.client.sizes()
        if sizes != self.spec.sizes:
            raise InputError(
                f"expected a model of task {self.spec.name!r} ({_shown(self.spec.sizes)}); received"
                f" {self.client.model!r} at {self.client.target} ({_shown(sizes)})"
            )


def _shown(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{letter}={size}" for letter, size in sorted(sizes.items()))


def _part_size(batch: Mapping[str, Any]) -> int:
    """How many candidates of the batch go into one request."""
    shapes = {letter: np.shape(batch[name]) for letter, name in _COUNTED_BY.items()}
    sizes = {letter: shape[1] for letter, shape in shapes.items()} | {"B": shapes["C"][0] or 1}
    context, whole = (pairs_of(sizes | {"N": count}) for count in (0, 1))
    return max(1, min(PART, (PAIRS - context) // (whole - context)))


def _part_of_pool(batch: Mapping[str, Any], start: int, size: int) -> dict[str, Any]:
    part = slice(start, start + size)
    return {**batch, **{name: np.asarray(batch[name])[:, part] for name in _POOL}}
