"""A session: ask for the next design, tell its outcome, read the posterior.

    session = Session(load_preset("savedmodels/psychometric/1"), np.linspace(-5, 5, 200)[:, None])
    session.retarget(["threshold", "slope"])
    question = session.ask()
    session.tell(question.index, 1.0)
    session.posterior()["threshold"].mean

The user owns the loop. The state is plain data: `to_json` and `from_json` carry it to another
process, which then asks the same question. The model may be in this process or behind a server
(see `aline_tf.models.protocol`); in the latter case TensorFlow is not imported.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aline_tf.acquisition.policies import Policy, policy_by_name
from aline_tf.acquisition.trust import Trust
from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED, empty_batch
from aline_tf.errors import InputError
from aline_tf.models.protocol import QUANTILE_LEVELS, SessionModel
from aline_tf.spec import TaskSpec

if TYPE_CHECKING:
    from aline_tf.acquisition.refinement import WeightedDraws

_FORMAT = 1
_BUCKET = 16
# No posterior depends on the pool: one candidate stands for all of it.
_ONE = 1


class Question(NamedTuple):
    """What to acquire next.

    Attributes:
        index: position in the session's pool.
        design: [D], natural units.
        score: of the policy, after costs were weighed; None where the policy has no scores.
        probability: softmax of the scores over what is left of the pool; None likewise.
        cost: burden, in units of one prompt.

    Example:
        >>> from aline_tf.acquisition import Question
        >>> Question(index=2, design=[0.5], score=None, probability=None, cost=1.0).index
        2
    """

    index: int
    design: np.ndarray
    score: float | None
    probability: float | None
    cost: float


class Marginal(NamedTuple):
    """One marginal of a posterior or a prediction.

    Attributes:
        mean, sd: in natural units.
        quantiles: at `quantile_levels`.
        probability: P(1) of a binary, P(not 0) of a spike-and-slab parameter, 1 otherwise.
        quantile_levels: the levels.

    Example:
        >>> from aline_tf.acquisition import Marginal
        >>> threshold = Marginal(0.1, 0.2, (-0.2, 0.0, 0.1, 0.2, 0.4), 1.0)
        >>> dict(zip(threshold.quantile_levels, threshold.quantiles, strict=True))[0.95]
        0.4
    """

    mean: float
    sd: float
    quantiles: tuple[float, ...]
    probability: float
    quantile_levels: tuple[float, ...] = QUANTILE_LEVELS


class Session:
    """One person, experiment or subject under study.

    Args:
        model: a `SessionModel`: a built `ALINE` model, a `Frozen` one for speed, or a
            `RemoteModel` behind a server.
        candidates: the pool, [N, D] in natural units.
        target: parameter names (a list, or comma-joined); all parameters when None.
        target_designs: [M, D] inputs whose outcomes are selected too; none when None.
        costs: [N] burden of each candidate; 1 each when None.
        cost_weight: how much one unit of burden lowers a candidate's score (0: costs do not
            weigh). Only policies with scores, such as the learned one, can weigh costs.
        known: parameters given as known, name to value.
        policy: who chooses: a `Policy`, or a name of `policy_by_name`; the model's own policy when
            None. Whether it heeds the targets says its `reads_targets`; some need an observation,
            or target designs, before they can choose.
        task: the `Task` that the model was trained on, or its name, for its likelihood; found by
            itself where it is one of the package's and the model is in this process.
        refine: whether posteriors are refined by that likelihood (.1 s each, see
            `aline_tf.acquisition.refinement`): "auto" where the model's own are untaught (longer
            histories than the horizon, missing answers, known parameters, joints), True always,
            False never. Without a likelihood "auto" says once what is untaught.
        price: deprecated, an older name of `cost_weight`.

    Raises:
        InputError: shapes, names or numbers that do not fit the model's task, or a policy of
            another task, or one that cannot weigh costs.

    Example:
        >>> import numpy as np
        >>> import aline_tf
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> session = aline_tf.Session(model, np.linspace(-5, 5, 21)[:, None], policy="random")
        >>> session.tell(session.ask().index, 1.0)
        >>> sorted(session.posterior())
        ['guess', 'lapse', 'slope', 'threshold']
    """

    def __init__(
        self,
        model: SessionModel,
        candidates,
        target=None,
        target_designs=None,
        costs=None,
        cost_weight: float = 0.0,
        known: dict[str, float] | None = None,
        *,
        policy: Policy | str | None = None,
        task=None,
        refine: bool | str = "auto",
        price: float | None = None,
    ):
        if price is not None:
            warnings.warn(
                "price is now named cost_weight", category=DeprecationWarning, stacklevel=2
            )
            cost_weight = price
        self.model = model
        self.spec = model.spec
        self._trust = Trust(model, task, refine)
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
        self.cost_weight = float(cost_weight)
        if not np.isfinite(self.cost_weight):
            raise InputError(f"expected a finite cost_weight; received {self.cost_weight}")
        self._left = np.ones(count, bool)
        self._context: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._known = self._checked_known(known or {})
        self.retarget(self.spec.parameter_names if target is None else target, target_designs)
        self.policy, self._policy_is_named = self._checked_policy(policy)

    def retarget(self, target, target_designs=None) -> None:
        """Changes what is to be learned; at any step, without losing what is known.

        Args:
            target: parameter names, a list or comma-joined; may be empty when designs are given.
            target_designs: [M, D], or None.

        Raises:
            InputError: an unknown parameter, or nothing selected at all.
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
        """Names of the selected parameters."""
        names = self.spec.parameter_names
        return tuple(name for name, chosen in zip(names, self._theta_mask, strict=True) if chosen)

    @property
    def steps(self) -> int:
        """How many outcomes (or refusals) have been observed."""
        return len(self._context)

    def ask(self) -> Question:
        """The candidate that the policy would acquire next.

        Returns:
            the `Question`; its score and probability are None where the policy has no scores.

        Raises:
            InputError: the pool is exhausted, or the policy cannot choose yet.
        """
        if not self._left.any():
            raise InputError(
                f"expected a candidate left to ask for; received {self.steps} answers "
                "and an exhausted pool"
            )
        batch = self.batch()
        logits = self.policy.logits(batch)
        score = probability = None
        if logits is None:
            self._check_costs_are_not_weighed()
            index = int(self.policy.choose(batch)[0])
        else:
            scores = np.where(self._left, logits[0] - self.cost_weight * self._costs, -np.inf)
            index = int(np.argmax(scores))
            score = float(scores[index])
            probability = float(1.0 / np.exp(scores - scores[index]).sum())
        design, cost = self._candidates[index].copy(), float(self._costs[index])
        return Question(index, design, score, probability, cost)

    def tell(self, design, outcome) -> None:
        """Adds an outcome to what is known.

        Args:
            design: the index of a candidate (it leaves the pool), or a design [D] of one's own.
            outcome: a number, F numbers (NaN: that field was not observed), or None: no answer.

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
            rows = self._designs(np.atleast_2d(_numbers(design, "design")), "design")
            if len(rows) != 1:
                raise InputError(f"expected one design; received {len(rows)}")
            row = rows[0]
        value, status = self._checked_outcome(outcome)
        self._context.append((row, value, status))
        if index is not None:
            self._left[index] = False

    def posterior(self) -> dict[str, Marginal]:
        """q(parameter | everything observed), by name; a parameter given as known is exactly
        that. Where the model's own is untaught it is refined, or a word is said (see `refine`).

        Returns:
            parameter name to `Marginal`.
        """
        refined = self.refined()
        if refined is not None:
            return self._conditioned_on_known(_marginals(self.spec, refined))
        answer = self._answer()
        columns = [np.asarray(answer[f"theta_{name}"])[0] for name in _SUMMARY]
        marginals = {}
        for name, mean, sd, quantiles, probability in zip(
            self.spec.parameter_names, *columns, strict=True
        ):
            marginals[name] = Marginal(
                float(mean), float(sd), tuple(map(float, quantiles)), float(probability)
            )
        return self._conditioned_on_known(marginals)

    def _conditioned_on_known(self, marginals):
        for name, value in self._known.items():
            present = float(value != 0.0)
            marginals[name] = Marginal(value, 0.0, (value,) * len(QUANTILE_LEVELS), present)
        return marginals

    def refined(self, joint: bool = False) -> WeightedDraws | None:
        """The exact joint posterior as weighted draws, where this session refines by a likelihood.

        Args:
            joint: whether the joint is what is wanted, which models are not taught.

        Returns:
            `WeightedDraws`, equal for equal states; None where the model's own posterior stands.

        Warns:
            TrustWarning: once for each thing that is untaught, where no likelihood is known.
        """
        return self._trust.refined(self._batch_of(_ONE, all_answers=True), joint)

    def distributions(self) -> dict:
        """The same marginals as tensorflow_probability distributions, by name.

        Raises:
            InputError: the model is behind a server, which sends summaries alone.
        """
        if not hasattr(self.model, "theta_distributions"):
            raise InputError(
                f"expected a model in this process for distributions; received {self.model!r}"
            )
        import tensorflow as tf

        batch = self._batch_of(_ONE)
        outputs = self.model({name: tf.convert_to_tensor(part) for name, part in batch.items()})
        made = self.model.theta_distributions(outputs)
        return dict(zip(self.spec.parameter_names, made, strict=True))

    def predict(self, designs) -> list[Marginal]:
        """p(outcome | design, everything observed).

        Args:
            designs: [M, D] in natural units.

        Returns:
            one `Marginal` per design; of a binary outcome, `mean` is its probability.
        """
        answer = self._answer(self._designs(designs, "designs"))
        mean, sd, quantiles = (
            np.asarray(answer[f"target_{name}"])[0] for name in ("mean", "sd", "quantiles")
        )
        return [
            Marginal(float(m), float(s), tuple(map(float, q)), float(m))
            for m, s, q in zip(mean, sd, quantiles, strict=True)
        ]

    def to_json(self) -> str:
        """The whole state but the model and a policy given as an object, as JSON."""
        return json.dumps(
            {
                "format": _FORMAT,
                "task": self.spec.name,
                "candidates": self._candidates.tolist(),
                "costs": self._costs.tolist(),
                # The file's word for cost_weight, which older versions read.
                "price": self.cost_weight,
                "left": self._left.tolist(),
                "context": [
                    {"design": d.tolist(), "outcome": y.tolist(), "status": s.tolist()}
                    for d, y, s in self._context
                ],
                "known": self._known,
                "target": list(self.target),
                "target_designs": self._target_designs.tolist(),
                "policy": self.policy.name,
                "policy_is_named": self._policy_is_named,
            }
        )

    @classmethod
    def from_json(
        cls, text: str, model: SessionModel, *, policy: Policy | str | None = None
    ) -> Session:
        """A session from `to_json`'s text and the model it was with.

        Args:
            text: of `to_json`, of this version or an older one.
            model: of the same task.
            policy: who chooses from now on. By default the policy by its name, where the session
                was made with a name; a policy that was given as an object has to be given again.

        Raises:
            InputError: not such a text, or of another task, or a policy object is missing.
        """
        try:
            state = json.loads(text)
            if state["format"] != _FORMAT:
                raise InputError(f"expected format {_FORMAT}; received {state['format']}")
            if state["task"] != model.spec.name:
                raise InputError(
                    f"expected a session of task {model.spec.name!r}; received {state['task']!r}"
                )
            if policy is None and "policy" in state:
                policy = state["policy"]
                if not state["policy_is_named"]:
                    raise InputError(
                        f"expected the policy {policy!r} that the session was made with; "
                        "received none"
                    )
            session = cls(
                model,
                state["candidates"],
                state["target"],
                state["target_designs"] or None,
                state["costs"],
                state["price"],
                state["known"],
                policy=policy,
            )
            left = np.array(state["left"], bool)
            if left.shape != session._left.shape:
                raise InputError(
                    f"expected {len(session._left)} flags in 'left'; received {left.size}"
                )
            session._left = left
            session._context = [session._restored_token(token) for token in state["context"]]
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"expected the JSON of a session; received: {error!r}") from error
        return session

    def batch(self, predict_designs=None) -> dict[str, np.ndarray]:
        """The state as a Batch of one row, its context padded to a multiple of 16.

        Args:
            predict_designs: [M, D] to predict at instead of the target designs; never selected.

        Returns:
            every field of `aline_tf.batch.BATCH_FIELDS`, numpy arrays with B = 1.
        """
        return self._batch_of(len(self._candidates), predict_designs)

    def _batch_of(self, pool, predict_designs=None, all_answers=False):
        """The same with the first `pool` candidates alone, and missing answers that the model has
        never met masked out unless `all_answers`."""
        # Padded, because matrix products of a new size take some setting up.
        capacity = -(-len(self._context) // _BUCKET) * _BUCKET
        targets = self._target_designs if predict_designs is None else predict_designs
        batch = empty_batch(self.spec.sizes | {"C": capacity, "N": pool, "M": len(targets)})
        for position, (design, value, status) in enumerate(self._context):
            batch["context_design"][0, position] = design
            batch["context_outcome"][0, position] = value
            batch["context_status"][0, position] = status
            observed = (status == OBSERVED).any()
            batch["context_mask"][0, position] = (
                observed or all_answers or self._trust.heeds_missing()
            )
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

    def _answer(self, predict_designs=None):
        return self.model.answer(self._batch_of(_ONE, predict_designs))

    def _checked_policy(self, policy) -> tuple[Policy, bool]:
        """The policy, and whether its name alone was given."""
        named = policy is None or isinstance(policy, str)
        if named:
            policy = policy_by_name(policy or "learned", self.model)
        if not isinstance(policy, Policy):
            raise InputError(f"expected a Policy or the name of one; received {policy!r}")
        if policy.spec is not None and not _same_task(policy.spec, self.spec):
            raise InputError(
                f"expected a policy for this very task {self.spec.name!r}; received "
                f"{policy.name!r}, made for a task {policy.spec.name!r}"
            )
        return policy, named

    def _check_costs_are_not_weighed(self):
        if self.cost_weight:
            raise InputError(
                "expected cost_weight=0 with a policy that has no scores; received "
                f"cost_weight={self.cost_weight:g} with {self.policy.name!r}"
            )

    def _designs(self, designs, what) -> np.ndarray:
        array = _numbers(designs, what)
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
        value = np.atleast_1d(_numbers(outcome, "outcome"))
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
        self._check_values(value, observed)
        return np.where(observed, value, 0.0), np.where(observed, OBSERVED, 0).astype(np.int32)

    def _check_values(self, value, observed):
        for channel, number, counts in zip(self.spec.fields, value, observed, strict=True):
            allowed = channel.allowed
            if counts and allowed and not channel.allows(number):
                raise InputError(f"expected {channel.name} to be {allowed}; received {number:g}")

    def _restored_token(self, token):
        """Design, outcome and status of a stored token, checked as those that are told."""
        design = self._designs([token["design"]], "design")[0]
        value, status = np.array(token["outcome"], np.float32), np.array(token["status"], np.int32)
        size = self.spec.sizes["F"]
        if value.shape != (size,) or value.shape != status.shape:
            raise InputError(f"expected {size} fields; received {value.shape}")
        if not np.isin(status, (MISSING, OBSERVED, NO_ANSWER)).all():
            raise InputError(
                f"expected a status of {MISSING}, {OBSERVED} or {NO_ANSWER} for every field; "
                f"received {status.tolist()}"
            )
        if not np.isfinite(value).all():
            raise InputError(f"expected finite outcomes; received {value.tolist()}")
        self._check_values(value, status == OBSERVED)
        return design, value, status

    def _checked_known(self, known):
        for name, value in known.items():
            number = _numbers(value, f"a value of {name}")
            if name not in self.spec.parameter_names or number.shape or not np.isfinite(number):
                raise InputError(
                    f"expected finite values of {', '.join(self.spec.parameter_names)}; "
                    f"received {name}={value}"
                )
        return {name: float(value) for name, value in known.items()}


def _marginals(spec, posterior: WeightedDraws) -> dict[str, Marginal]:
    """Every parameter of weighted draws by itself."""
    mean, sd = posterior.mean(), posterior.sd()
    quantiles, present = (
        posterior.quantiles(QUANTILE_LEVELS),
        posterior.weight @ (posterior.theta != 0.0),
    )
    return {
        parameter.name: Marginal(
            float(mean[p]),
            float(sd[p]),
            tuple(map(float, quantiles[p])),
            float(present[p]) if parameter.kind in ("binary", "spike_slab") else 1.0,
        )
        for p, parameter in enumerate(spec.parameters)
    }


_SUMMARY = ("mean", "sd", "quantiles", "probability")


def _numbers(value, what: str) -> np.ndarray:
    """The value as float32, or an InputError."""
    try:
        return np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected {what} of numbers; received {value!r}") from error


def _same_task(first: TaskSpec, second: TaskSpec) -> bool:
    """Whether a history of one means the same to the other."""
    names = ("name", "design_names", "fields", "parameters")
    return all(getattr(first, name) == getattr(second, name) for name in names)
