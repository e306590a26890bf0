"""A session: ask for the next design, tell its outcome, look at what is believed.

    session = Session(load_preset("savedmodels/psychometric/1"), np.linspace(-5, 5, 200)[:, None])
    session.retarget(["threshold", "slope"])
    question = session.ask()
    session.tell(question.index, 1.0)
    session.posterior()["threshold"].mean

The user owns the loop. The state is plain data: `to_json` and `from_json` carry it to another
process, which then asks the same question.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from aline_tf.batch import NO_ANSWER, OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.models.compiled import candidate_scores
from aline_tf.models.distributions.theta_posterior import QUANTILE_LEVELS

_FORMAT = 1
_BUCKET = 16
# No belief depends on the pool: one candidate stands for all of it.
_ONE = 1


class Question(NamedTuple):
    """What to acquire next.

    Attributes:
        index: position in the session's pool.
        design: [D], natural units.
        score: of the policy, after costs were weighed.
        probability: softmax of the scores over what is left of the pool.
        cost: burden, in units of one prompt.
    """

    index: int
    design: np.ndarray
    score: float
    probability: float
    cost: float


class Marginal(NamedTuple):
    """One marginal of a posterior or a prediction.

    Attributes:
        mean, sd: in natural units.
        quantiles: at `quantile_levels`.
        probability: P(1) of a binary, P(not 0) of a spike-and-slab parameter, 1 otherwise.
        quantile_levels: the levels.
    """

    mean: float
    sd: float
    quantiles: tuple[float, ...]
    probability: float
    quantile_levels: tuple[float, ...] = QUANTILE_LEVELS


class Session:
    """One person, experiment or subject under study.

    Args:
        model: a built `ALINE` model, or a `Frozen` one for speed.
        candidates: the pool, [N, D] in natural units.
        target: parameter names (a list, or comma-joined); all parameters when None.
        target_designs: [M, D] inputs whose outcomes are wanted too; none when None.
        costs: [N] burden of each candidate; 1 each when None.
        price: how much one unit of burden lowers a candidate's score (0: costs do not weigh).
        known: parameters given as known, name to value.

    Raises:
        InputError: shapes, names or numbers that do not fit the model's task.
    """

    def __init__(
        self,
        model,
        candidates,
        target=None,
        target_designs=None,
        costs=None,
        price: float = 0.0,
        known: dict[str, float] | None = None,
    ):
        self.model = model
        self.spec = model.spec
        self._scores = candidate_scores(model)
        self._candidates = self._designs(candidates, "candidates")
        if not len(self._candidates):
            raise InputError("expected a pool of at least one candidate; received an empty one")
        count = len(self._candidates)
        self._costs = np.ones(count) if costs is None else np.asarray(costs, float)
        if self._costs.shape != (count,) or not np.isfinite(self._costs).all():
            raise InputError(
                f"expected {count} finite costs, one per candidate; "
                f"received an array of shape {self._costs.shape}"
            )
        self.price = float(price)
        self._left = np.ones(count, bool)
        self._context: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._known = self._checked_known(known or {})
        self.retarget(self.spec.parameter_names if target is None else target, target_designs)

    def retarget(self, target, target_designs=None) -> None:
        """Changes what is wanted; at any step, without losing what is known.

        Args:
            target: parameter names, a list or comma-joined; may be empty when designs are given.
            target_designs: [M, D], or None.

        Raises:
            InputError: an unknown parameter, or nothing wanted at all.
        """
        try:
            mask = np.array(self.spec.parameter_mask(target), bool)
        except ValueError as error:
            raise InputError(str(error)) from error
        designs = np.zeros((0, self.spec.sizes["D"]), np.float32)
        if target_designs is not None:
            designs = self._designs(target_designs, "target_designs")
        if not mask.any() and not len(designs):
            raise InputError("expected at least one parameter or target design; received none")
        self._theta_mask, self._target_designs = mask, designs

    @property
    def target(self) -> tuple[str, ...]:
        """Names of the parameters that are wanted."""
        names = self.spec.parameter_names
        return tuple(name for name, wanted in zip(names, self._theta_mask, strict=True) if wanted)

    @property
    def steps(self) -> int:
        """How many outcomes (or refusals) have been told."""
        return len(self._context)

    def ask(self) -> Question:
        """The candidate that the policy would acquire next.

        Raises:
            InputError: the pool is exhausted.
        """
        if not self._left.any():
            raise InputError(
                f"expected a candidate left to ask for; received {self.steps} answers "
                "and an exhausted pool"
            )
        logits = self._scores(self.batch())[0]
        score = np.where(self._left, logits - self.price * self._costs, -np.inf)
        index = int(np.argmax(score))
        probability = 1.0 / np.exp(score - score[index]).sum()
        return Question(
            index,
            self._candidates[index].copy(),
            float(score[index]),
            float(probability),
            float(self._costs[index]),
        )

    def tell(self, design, outcome) -> None:
        """Adds an outcome to what is known.

        Args:
            design: the index of a candidate (it leaves the pool), or a design [D] of one's own.
            outcome: a number, F numbers (NaN: that field was not observed), or None: asked but
                not answered.

        Raises:
            InputError: an index already taken, a design or outcome of the wrong shape, an
                infinite or missing number; the state is unchanged.
        """
        index = None
        if isinstance(design, (int, np.integer)):
            index = int(design)
            if not 0 <= index < len(self._left) or not self._left[index]:
                raise InputError(
                    f"expected the index of a candidate still in the pool of {len(self._left)}; "
                    f"received {index}"
                )
            row = self._candidates[index]
        else:
            row = self._designs(np.atleast_2d(np.asarray(design, float)), "design")[0]
        value, status = self._checked_outcome(outcome)
        self._context.append((row, value, status))
        if index is not None:
            self._left[index] = False

    def posterior(self) -> dict[str, Marginal]:
        """q(parameter | everything told), by name; a parameter given as known is exactly that."""
        outputs = self._answers()
        columns = [outputs[f"theta_{name}"].numpy()[0] for name in _SUMMARY]
        beliefs = {}
        for name, mean, sd, quantiles, probability in zip(
            self.spec.parameter_names, *columns, strict=True
        ):
            beliefs[name] = Marginal(
                float(mean), float(sd), tuple(map(float, quantiles)), float(probability)
            )
        for name, value in self._known.items():
            present = float(value != 0.0)
            beliefs[name] = Marginal(value, 0.0, (value,) * len(QUANTILE_LEVELS), present)
        return beliefs

    def distributions(self) -> dict:
        """The same marginals as tensorflow_probability distributions, by name."""
        outputs = self.model(self._tensors(self._batch_of(_ONE)))
        made = self.model.theta_distributions(outputs)
        return dict(zip(self.spec.parameter_names, made, strict=True))

    def predict(self, designs) -> list[Marginal]:
        """p(outcome | design, everything told).

        Args:
            designs: [M, D] in natural units.

        Returns:
            one `Marginal` per design; of a binary outcome, `mean` is its probability.
        """
        outputs = self._answers(self._designs(designs, "designs"))
        mean, sd, quantiles = (
            outputs[f"target_{name}"].numpy()[0] for name in ("mean", "sd", "quantiles")
        )
        return [
            Marginal(float(m), float(s), tuple(map(float, q)), float(m))
            for m, s, q in zip(mean, sd, quantiles, strict=True)
        ]

    def to_json(self) -> str:
        """The whole state but the model, as JSON."""
        return json.dumps(
            {
                "format": _FORMAT,
                "task": self.spec.name,
                "candidates": self._candidates.tolist(),
                "costs": self._costs.tolist(),
                "price": self.price,
                "left": self._left.tolist(),
                "context": [
                    {"design": d.tolist(), "outcome": y.tolist(), "status": s.tolist()}
                    for d, y, s in self._context
                ],
                "known": self._known,
                "target": list(self.target),
                "target_designs": self._target_designs.tolist(),
            }
        )

    @classmethod
    def from_json(cls, text: str, model) -> Session:
        """A session from `to_json`'s text and the model it was with.

        Raises:
            InputError: not such a text, or of another task.
        """
        try:
            state = json.loads(text)
            if state["format"] != _FORMAT:
                raise InputError(f"expected format {_FORMAT}; received {state['format']}")
            if state["task"] != model.spec.name:
                raise InputError(
                    f"expected a session of task {model.spec.name!r}; received {state['task']!r}"
                )
            designs = state["target_designs"] or None
            session = cls(
                model,
                state["candidates"],
                state["target"],
                designs,
                state["costs"],
                state["price"],
                state["known"],
            )
            left = np.array(state["left"], bool)
            if left.shape != session._left.shape:
                raise InputError(
                    f"expected {len(session._left)} flags in 'left'; received {left.size}"
                )
            session._left = left
            for token in state["context"]:
                status = np.array(token["status"], np.int32)
                value = np.array(token["outcome"], np.float32)
                design = session._designs([token["design"]], "design")[0]
                if value.shape != (session.spec.sizes["F"],) or value.shape != status.shape:
                    raise InputError(
                        f"expected {session.spec.sizes['F']} fields; received {value.shape}"
                    )
                session._context.append((design, value, status))
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"expected the JSON of a session; received: {error!r}") from error
        return session

    def batch(self, predict_designs=None) -> dict[str, np.ndarray]:
        """The state as a Batch of one row, its context padded to a multiple of 16.

        Args:
            predict_designs: [M, D] to predict at instead of the wanted ones; never selected.
        """
        return self._batch_of(len(self._candidates), predict_designs)

    def _batch_of(self, pool, predict_designs=None):
        """The same with the first `pool` candidates alone."""
        # Padded, because matrix products of a new size take some setting up.
        capacity = -(-len(self._context) // _BUCKET) * _BUCKET
        targets = self._target_designs if predict_designs is None else predict_designs
        batch = empty_batch(self.spec.sizes | {"C": capacity, "N": pool, "M": len(targets)})
        for position, (design, value, status) in enumerate(self._context):
            batch["context_design"][0, position] = design
            batch["context_outcome"][0, position] = value
            batch["context_status"][0, position] = status
            batch["context_mask"][0, position] = True
        for name, value in self._known.items():
            column = self.spec.parameter_names.index(name)
            batch["known_theta"][0, column] = value
            batch["known_mask"][0, column] = True
        batch["theta_mask"][0] = self._theta_mask
        batch["target_design"][0] = targets
        batch["target_mask"][0] = predict_designs is None
        batch["candidate_design"][0] = self._candidates[:pool]
        batch["candidate_mask"][0] = self._left[:pool]
        return batch

    def _answers(self, predict_designs=None):
        return self.model.answer(self._tensors(self._batch_of(_ONE, predict_designs)))

    @staticmethod
    def _tensors(batch):
        return {name: tf.convert_to_tensor(array) for name, array in batch.items()}

    def _designs(self, designs, what) -> np.ndarray:
        array = np.asarray(designs, np.float32)
        dims = self.spec.sizes["D"]
        if array.ndim != 2 or array.shape[1] != dims:
            raise InputError(
                f"expected {what} of shape [n, {dims}] ({', '.join(self.spec.design_names)}); "
                f"received shape {array.shape}"
            )
        if not np.isfinite(array).all():
            raise InputError(f"expected finite {what}; received NaN or infinite numbers")
        return array

    def _checked_outcome(self, outcome):
        fields = self.spec.fields
        if outcome is None:
            return np.zeros(len(fields), np.float32), np.full(len(fields), NO_ANSWER, np.int32)
        value = np.atleast_1d(np.asarray(outcome, np.float32))
        if value.shape != (len(fields),):
            raise InputError(
                f"expected {len(fields)} outcome fields; received shape {np.shape(outcome)}"
            )
        observed = ~np.isnan(value)
        if not observed.any() or np.isinf(value).any():
            raise InputError(
                "expected a finite outcome, or None when there was no answer; "
                f"received {np.asarray(outcome).tolist()}"
            )
        for channel, number in zip(fields, value, strict=True):
            top = {"binary": 1, "ordered": channel.levels - 1}.get(channel.kind)
            if top is not None and np.isfinite(number) and number not in range(top + 1):
                raise InputError(
                    f"expected {channel.name} to be a whole number from 0 to {top}; "
                    f"received {number:g}"
                )
        return np.where(observed, value, 0.0), np.where(observed, OBSERVED, 0).astype(np.int32)

    def _checked_known(self, known):
        for name, value in known.items():
            if name not in self.spec.parameter_names or not np.isfinite(value):
                raise InputError(
                    f"expected finite values of {', '.join(self.spec.parameter_names)}; "
                    f"received {name}={value}"
                )
        return {name: float(value) for name, value in known.items()}


_SUMMARY = ("mean", "sd", "quantiles", "probability")
