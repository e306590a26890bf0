"""A session: ask for the next design, tell its outcome, read the posterior.

    session = Session(aline_tf.ALINE.from_preset("psychometric"), np.linspace(-5, 5, 200)[:, None])
    session.retarget(["threshold", "slope"])
    question = session.ask()
    session.tell(question, 1.0)
    session.posterior()["threshold"].mean

The user owns the loop. Questions stay pending until they are answered or released, so several
stations may ask before the first has told; the last answer can be taken back; what was observed is
a pandas table. The state is plain data: `to_json` and `from_json` carry it to another process,
which then asks the same question. The model may be in this process or behind a server (see
`aline_tf.models.protocol`); in the latter case TensorFlow is not imported.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import threading
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from aline_tf.acquisition import history, session_input, session_state, stop_rule
from aline_tf.acquisition.next_question import (
    checked_policy,
    next_question,
    warn_of_repeats,
)
from aline_tf.acquisition.policies import Policy, policy_by_name
from aline_tf.acquisition.pool import Pool
from aline_tf.acquisition.questions import Answer, Marginal, Question
from aline_tf.acquisition.session_posterior import SessionPosterior
from aline_tf.acquisition.session_units import SessionUnits
from aline_tf.acquisition.trust import Trust
from aline_tf.errors import InputError
from aline_tf.models.protocol import SessionModel
from aline_tf.units.unit_adapter import UnitAdapter

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Answer", "Marginal", "Question", "Session"]

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _locked(method: _Method) -> _Method:
    """One thread at a time."""

    @functools.wraps(method)
    def alone(self, *args, **kwargs):
        with self._lock:
            return method(self, *args, **kwargs)

    return alone


class Session(SessionPosterior):
    """One person, experiment or subject under study.

    Threads may share a session, and sessions a model. Copies and pickles are sessions of their own;
    a copy shares the model and the policy, which a session only reads.

    Args:
        model: a `SessionModel`: a built `ALINE` model, a `Frozen` one for speed, or a
            `RemoteModel` behind a server.
        candidates: the pool, [N, D] in natural units, or a table with a column for each of the
            task's design dimensions, by name.
        target: parameter names (a list, or comma-joined); all parameters when None.
        target_designs: [M, D] inputs whose outcomes are selected too; none when None.
        costs: [N] burden of each candidate; 1 each when None.
        cost_weight: how much one unit of burden lowers a candidate's score (0: costs do not
            weigh). Only policies with scores, such as the learned one, can weigh costs.
        known: parameters given as known, name to value.
        policy: who chooses: a `Policy`, or a name of `policy_by_name`; the model's own policy when
            None. Whether it heeds the targets says its `reads_targets`; some need an observation,
            or target designs, before they can choose.
        repeats: whether a candidate that was answered may be asked again. None: not before each has
            been, then all are in the pool once more, with a warning; False: never.
        task: the `Task` that the model was trained on, or its name, for its likelihood; found by
            itself where it is one of the package's and the model is in this process.
        refine: whether posteriors are refined by that likelihood (.1 s each, see
            `aline_tf.acquisition.refined.refinement`): "auto" where the model's own are untaught
            (longer histories than the horizon, missing answers, known parameters, joints), True
            always, False never. Without a likelihood "auto" says once what is untaught.
        price: deprecated, an older name of `cost_weight`.
        design_bounds: (low, high) of the designs in your units, numbers or D each, or by name, that
            stand for the trained range; None: designs are in trained units, or in those kept in the
            model's preset. All that goes in or comes out is in your units, parameters too.
        units: a `UnitAdapter` instead, which can also say the units of a continuous outcome.
        rescale: whether offset and scale of the outcomes are found in the answers, at each step
            (see `aline_tf.acquisition.session_units`): "auto", where the task says that they mean
            nothing, as the gp tasks do; True, always; False, never.
        strict: whether designs and outcomes outside of the trained range are refused; otherwise
            they are warned of, once for each of the two, when they are first asked or told.

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
        >>> session.tell(session.ask(), 1.0)
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
        known: Mapping[str, float] | None = None,
        *,
        policy: Policy | str | None = None,
        repeats: bool | None = None,
        task=None,
        refine: bool | str = "auto",
        price: float | None = None,
        design_bounds=None,
        units: UnitAdapter | None = None,
        rescale: bool | str = "auto",
        strict: bool = False,
    ):
        if price is not None:
            warnings.warn(
                "price is now named cost_weight", category=DeprecationWarning, stacklevel=2
            )
            cost_weight = price
        self._lock = threading.RLock()
        session_input.check_model(model)
        self.model = model
        self._units = SessionUnits(model, design_bounds, units, rescale, strict)
        self.spec = self._units.spec
        self._trust = Trust(model, task, refine)
        self.cost_weight = session_input.number(cost_weight, "cost_weight")
        self._context: list[Answer] = []
        self._refilled = False
        self._pool = Pool(self.spec, candidates, costs, repeats)
        self._units.check_pool(self.candidates)
        self._known = session_input.known_values(self.spec, known)
        self._units.check_known(self._known)
        self.retarget(self.spec.parameter_names if target is None else target, target_designs)
        self.policy, self.policy_is_named = checked_policy(policy, self.model, self.model.spec)
        if self._known and not self.policy.reads_known:
            warnings.warn(
                f"the policy {self.policy.name!r} chooses as if {', '.join(self._known)} were not "
                "known; the posterior knows",
                stacklevel=2,
            )

    @_locked
    def retarget(self, target, target_designs=None) -> None:
        """Changes what is to be learned; at any step, without losing what is known.

        Args:
            target: parameter names, a list or comma-joined; may be empty when designs are given.
            target_designs: [M, D], or None.

        Raises:
            InputError: an unknown parameter, or nothing selected at all.
        """
        mask = session_input.parameter_mask(self.spec, target)
        designs = np.zeros((0, self.spec.sizes["D"]))
        if target_designs is not None:
            designs = session_input.designs(self.spec, target_designs, "target_designs")
            self._units.check_pool(designs)
        if not mask.any() and not len(designs):
            raise InputError("expected at least one parameter or target design; received none")
        designs.setflags(write=False)
        self._theta_mask, self.target_designs = mask, designs
        if not len(designs) and set(self.target) <= set(self._known):
            warnings.warn(
                f"nothing is left to learn: {', '.join(self.target)} given as known, and nothing "
                "else is a target; whichever question is asked tells nothing of it",
                stacklevel=3,
            )

    @_locked
    def set_candidates(self, candidates, costs=None) -> None:
        """Changes the pool. From then on indices count in the new one; answers keep their designs,
        and a new candidate whose design was answered before has been answered.

        Args:
            candidates: [N, D], or a table by the names of the design dimensions.
            costs: [N]; 1 each when None.

        Raises:
            InputError: as for `Session`, or questions of the old pool are pending.
        """
        pool = self._pool.copy()
        pool.replace(candidates, costs, self._context)
        self._units.check_pool(pool.candidates)
        self._pool = pool

    @property
    def candidates(self) -> np.ndarray:
        """The pool: float64 [N, D], in the session's units."""
        return self._pool.candidates

    @property
    def costs(self) -> np.ndarray:
        """Burden [N] of each candidate."""
        return self._pool.costs

    @property
    def pool(self) -> int:
        """How often the pool was changed."""
        return self._pool.number

    @property
    def repeats(self) -> bool | None:
        """Whether a candidate that was answered may be asked again; None: once each has been."""
        return self._pool.repeats

    @property
    def exhausted(self) -> bool:
        """Whether no candidate is left to ask for."""
        return not self._pool.free().any()

    @property
    def target(self) -> tuple[str, ...]:
        """Names of the selected parameters."""
        names = self.spec.parameter_names
        return tuple(name for name, chosen in zip(names, self._theta_mask, strict=True) if chosen)

    @property
    def known(self) -> Mapping[str, float]:
        """Parameters given as known, name to value."""
        return MappingProxyType(self._known)

    @property
    def units(self) -> UnitAdapter:
        """The units that were stated; `parameter_units` and `prediction_units` start from them."""
        return self._units.stated

    @property
    def parameter_units(self) -> UnitAdapter:
        """How posteriors of parameters are brought to the session's units now."""
        return self._units.of_parameters(self._context, self._known)

    @property
    def choice_units(self) -> UnitAdapter:
        """How the pool is brought to trained units now."""
        after_theta = bool(self._theta_mask.any())
        return self._units.of_choice(self._context, self._known, after_theta)

    @property
    def prediction_units(self) -> tuple[UnitAdapter, ...]:
        """How predictions are brought to the session's units now: averaged over these."""
        return self._units.of_predictions(self._context, self._known)

    @property
    def steps(self) -> int:
        """How many outcomes (or refusals) have been observed."""
        return len(self._context)

    @property
    def pending(self) -> tuple[Question, ...]:
        """Questions that were asked and are neither answered nor released, oldest first."""
        return tuple(self._pool.pending.values())

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Everything observed, oldest first."""
        return tuple(self._context)

    @property
    def history(self) -> pd.DataFrame:
        """Everything observed as a pandas table, one row an answer.

        Columns: trial (from 1), the design's dimensions and the outcome's fields by name (NaN where
        one was not observed), answered (False: asked, and no answer came), index and pool (of the
        candidate; missing for a design of one's own), time (UTC, never before the row above). A
        dimension with the name of another column is design_NAME, such a field outcome_NAME.
        """
        return history.history_table(self.spec, self.answers)

    @overload
    def ask(self, k: None = None, *, remember: bool = True, gain: bool = False) -> Question: ...

    @overload
    def ask(self, k: int, *, remember: bool = True, gain: bool = False) -> list[Question]: ...

    @_locked
    def ask(
        self, k: int | None = None, *, remember: bool = True, gain: bool = False
    ) -> Question | list[Question]:
        """The candidate that the policy would acquire next, or the next k.

        What is asked stays pending, and is not asked again, until it is answered (`tell`) or
        released (`release`). Meanwhile the policy chooses as if each pending question had its
        expected answer, so that questions at one time do not crowd (a "believer", Ginsbourger et
        al., 2010); the posterior knows nothing of that. Tasks of several outcome fields, whose
        answers cannot be expected like that, only leave the pending ones out.

        Args:
            k: how many questions; None for one question by itself.
            remember: False: only look; nothing becomes pending.
            gain: whether to add the expected information of its answer (`expected_gain`), which
                costs about a pass of the model.

        Returns:
            the `Question`, or a list of k; score and probability are None where the policy has no
            scores.

        Raises:
            InputError: fewer than k candidates are left, or the policy cannot choose yet.
        """
        remember = session_input.flag(remember, "remember")
        gain = session_input.flag(gain, "gain")
        if k is not None:
            count = session_input.whole_number_from(1, k, "a number of questions, 1 or more")
        for designs in (self.candidates, self.target_designs):
            self._units.check_designs(designs, stacklevel=4)
        pool, questions = self._pool, []
        before = dict(pool.pending)
        try:
            for _ in range(1 if k is None else count):
                question, repeated = next_question(self, pool, gain)
                if repeated and not self._refilled:
                    self._refilled = True
                    warn_of_repeats(len(pool))
                pool.pending[question.index] = question
                questions.append(question)
        except BaseException:
            pool.pending = before
            raise
        if not remember:
            pool.pending = before
        return questions[0] if k is None else questions

    @_locked
    def warm_up(self, trials: int | None = None, predictions=()) -> None:
        """Does beforehand what trials would have to wait for the first time: compiling, of a
        `Frozen` model seconds for each program. Nothing is asked, told or changed by it.

        Args:
            trials: how many answers the session is to have, those that it has counted too; the
                horizon of the task when None.
            predictions: numbers of designs that `predict` will be asked for, such as [1, 50].

        Raises:
            InputError: numbers that are not whole, or below 1.
        """
        steps, *counts = (
            session_input.whole_number_from(1, number, "a number, 1 or more")
            for number in (self.spec.horizon if trials is None else trials, *predictions)
        )
        compiled = getattr(self.model, "warm_up", None)
        if compiled is not None:
            pool, targets = len(self.candidates), len(self.target_designs)
            compiled(steps, pool, targets, counts)
        trial = copy.copy(self)
        with warnings.catch_warnings():
            # Said when it is so, not now.
            warnings.simplefilter("ignore")
            with contextlib.suppress(InputError):
                # Some policies cannot choose yet.
                trial.ask()
            trial.posterior()
            trial._trust.prepare(trial._state())
            for count in counts:
                trial.predict(np.repeat(self.candidates[:1], count, axis=0))

    @_locked
    def tell(self, design, outcome) -> None:
        """Adds an outcome to what is known; in any order, asked or not.

        Args:
            design: the `Question`; or the index of a candidate, however a whole number is written;
                or a design [D] of one's own, as a list, an array or by names. A design equal to
                that of a pending question answers it.
            outcome: a number, F numbers (NaN: that field was not observed), or None: no answer.

        Raises:
            InputError: an index already taken, a design or outcome of the wrong shape, an
                infinite or missing number; the state is unchanged.
        """
        index, row = self._pool.resolve(design)
        value, status = session_input.outcome(self.spec, outcome)
        self._units.check_designs(row[None], stacklevel=4)
        self._units.check_outcome(value, status, self._known, stacklevel=4)
        self._trust.check_outcome(self.units, value, status)
        now = datetime.now(UTC)
        if self._context and self._context[-1].time is not None:
            # Clocks are set back; a history is not.
            now = max(now, self._context[-1].time)
        was_pending = self._pool.pending.pop(index, None) is not None
        self._context.append(Answer(row, value, status, index, self.pool, now, was_pending))
        if index is not None:
            self._pool.counts[index] += 1

    @_locked
    def undo(self) -> Answer:
        """Takes the last answer back; call it again for the one before. The state is then as it
        was before `tell`: a question that had been asked is pending again.

        Returns:
            the `Answer`.

        Raises:
            InputError: there is none.
        """
        if not self._context:
            raise InputError("expected an answer to take back; received none so far")
        answer = self._context.pop()
        self._pool.recount(self._context)
        if answer.was_pending and answer.pool == self.pool:
            self._pool.pending[answer.index] = self._pool.question(answer.index)
        return answer

    @_locked
    def release(self, question=None) -> None:
        """Gives pending questions up: they may be asked again.

        Args:
            question: a `Question`, an index, or a design; all that are pending when None.

        Raises:
            InputError: it is not pending.
        """
        self._pool.release(question)

    @_locked
    def done(self, trials: int | None = None, sd=None, gain: float | None = None) -> bool:
        """Whether to stop: as soon as any of the criteria is met.

        Args:
            trials: that many answers.
            sd: parameter name to a posterior standard deviation; met when each is that small.
            gain: nats; met when the next question (`ask(remember=False)`) is expected to bring
                less, see `expected_gain`, or nothing is left to ask.

        Raises:
            InputError: no criterion, a name that the task does not have, no finite number.
        """
        return stop_rule.is_done(self, trials, sd, gain)

    @_locked
    def to_json(self) -> str:
        """The whole state but the model and a policy given as an object, as JSON; times to the
        second. See `aline_tf.acquisition.session_state` for its entries."""
        return session_state.to_json(self)

    @classmethod
    def from_json(
        cls,
        text: str,
        model: SessionModel,
        *,
        policy: Policy | str | None = None,
        force: bool = False,
        task=None,
        refine: bool | str = "auto",
    ) -> Session:
        """A session from `to_json`'s text and the model it was with.

        Args:
            text: of `to_json`, of this version or an older one.
            model: of the same task, and with the same weights.
            policy: who chooses from now on. By default the policy by its name, where the session
                was made with a name; a policy that was given as an object has to be given again.
            force: go on with a model of other weights.
            task, refine: as of a new session; the text does not carry them.

        Raises:
            InputError: not such a text, of another task or model, a number that `tell` would
                refuse, or a policy object is missing.
        """
        session_input.check_model(model)
        state = session_state.read(text, model, session_input.flag(force, "force"))
        if policy is None and "policy" in state:
            policy = state["policy"]
            if not state.get("policy_is_named"):
                raise InputError(
                    f"expected the policy {policy!r} that the session was made with; received none"
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
            repeats=state["repeats"],
            task=task,
            refine=refine,
            units=state["units"],
            rescale=state["rescale"],
            strict=state["strict"],
        )
        session._context, pool = state["context"], session._pool
        pool.number = state["pool"]
        pool.recount(session._context)
        if state["old"]:
            # Gone, by an answer that cannot be told from others.
            pool.counts[~np.array(state["left"])] |= 1
        else:
            session_state.check_pool(session, state["left"])
        pool.pending = {index: pool.question(index) for index in state["pending"]}
        return session

    @_locked
    def batch(self, predict_designs=None) -> dict[str, np.ndarray]:
        """The state as a Batch of one row, as the model is asked for a choice, in the units that it
        was trained in; its context is padded to a multiple of 16.

        Args:
            predict_designs: [M, D] to predict at instead of the target designs; never selected.

        Returns:
            every field of `aline_tf.batch.BATCH_FIELDS`, numpy arrays with B = 1; pending questions
            are no candidates.
        """
        return self.batch_of(len(self.candidates), predict_designs)

    @_locked
    def batch_of(
        self,
        pool,
        predict_designs=None,
        expected=(),
        free=None,
        all_answers: bool = False,
        units: UnitAdapter | None = None,
    ):
        """The same with the first `pool` candidates alone.

        Args:
            pool: how many.
            predict_designs: as for `batch`.
            expected: more context tokens, (design, outcome, status).
            free: bool [N], which candidates can be asked; None: as they can now.
            all_answers: whether missing answers that the model has never met are there too.
            units: how the model is asked; as for a choice when None.
        """
        units = self.choice_units if units is None else units
        tokens = [*self._context, *expected]
        targets = self.target_designs if predict_designs is None else predict_designs
        missing = all_answers or self._trust.heeds_missing()
        batch = history.batch_of_history(
            self.spec, tokens, self.candidates[:pool], targets, missing, not units.is_identity
        )
        for name, value in self._known.items():
            column = self.spec.parameter_names.index(name)
            batch["known_theta"][0, column] = value
            batch["known_mask"][0, column] = True
        batch["theta_mask"][0] = self._theta_mask
        batch["target_mask"][0] = predict_designs is None
        batch["candidate_mask"][0] = (self._pool.free() if free is None else free)[:pool]
        if not units.is_identity:
            batch = units.to_model(self.model.spec, batch)
        if self._known:
            batch["known_theta"] = session_input.in_support(
                self.model.spec, batch["known_theta"], batch["known_mask"]
            )
        return batch

    def __repr__(self) -> str:
        left = int(self._pool.free().sum())
        known = "".join(f", {name}={value:g}" for name, value in self._known.items())
        return (
            f"Session({self.spec.name!r}: {self.steps} answers, {len(self._pool.pending)} pending, "
            f"{left} of {len(self.candidates)} candidates left; "
            f"target {', '.join(self.target) or 'none'}, {len(self.target_designs)} designs"
            f"{known}; policy {self.policy.name!r})"
        )

    def __copy__(self) -> Session:
        with self._lock:
            state = self.__dict__ | {
                "_lock": threading.RLock(),
                "_trust": copy.copy(self._trust),
                "_units": copy.copy(self._units),
                "_context": list(self._context),
                "_pool": self._pool.copy(),
                "_known": dict(self._known),
            }
        copied = type(self).__new__(type(self))
        copied.__dict__.update(state)
        return copied

    def __deepcopy__(self, memo) -> Session:
        return self.__copy__()

    def __getstate__(self):
        with self._lock:
            state = self.__copy__().__dict__
        del state["_lock"]
        if self.policy_is_named:
            # Made anew from its name: it may hold graphs.
            state["policy"] = self.policy.name
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.RLock())
        if self.policy_is_named:
            self.policy = policy_by_name(self.policy, self.model)
