"""When a session may rely on its model's posterior, and what it does where it may not.

Training shows a model complete answers, up to the task's horizon, and hardly any parameter that is
given as known; marginals are taught, joints are not. Beyond that a session refines the posterior by
the task's likelihood (see `aline_tf.acquisition.refined`), or says once what is untaught.
Nothing here imports TensorFlow before a posterior is refined.
"""

from __future__ import annotations

import contextlib
import functools
import warnings

import numpy as np

from aline_tf.acquisition import session_input
from aline_tf.acquisition.misfit import (
    LOOK_EVERY,
    THRESHOLD,
    Fit,
    covers,
    fit_of,
    predicts_exactly,
)
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.errors import InputError, MisfitWarning, TrustWarning
from aline_tf.spec import TaskSpec, same_task

#: What is not taught, reason by reason: (what there is, what follows).
UNTAUGHT = {
    "length": "its history is longer than the {horizon} answers that training shows, and the "
    "model's posterior stays too wide or goes astray",
    "missing": "answers are missing, which the model may read as evidence",
    "known": "parameters are given as known, from which the model learns too little about the "
    "others",
    "joint": "a joint posterior was asked for, of which the model knows the marginals",
}
_HELP = (
    "give it a task with log_likelihood and log_prior (task=...), by which posteriors are refined"
)


class Trust:
    """What a session knows of its model's limits.

    Args:
        model: a `SessionModel`.
        task: a `Task`, its name (see `aline_tf.tasks.task_by_name`), or None: the task of the
            package that the model was made for, if there is one and the model is in this process.
        refine: True, always; False, never; "auto", where the model's own posterior is untaught.

    Raises:
        InputError: a task of another specification, another word in `refine`, or `refine=True`
            where no likelihood is known.

    Example:
        >>> import aline_tf
        >>> from aline_tf.acquisition import Trust
        >>> from aline_tf.tasks import Psychometric
        >>> model = aline_tf.ALINE(Psychometric.spec, num_layers=1)
        >>> Trust(model, Psychometric(), "auto").has_likelihood
        True
    """

    def __init__(self, model, task=None, refine: bool | str = "auto"):
        refine = session_input.flag(refine, "refine to be", "auto")
        self.model, self.refine = model, refine
        self._task, self._looked_up = task, False
        self._refinement, self._prepared = None, False
        self._found: tuple = (None, None)
        self._warned: set[str] = set()
        self._watched, self._spent = 0, 0.0
        if task is not None:
            self._task, self._looked_up = self.checked(task), True
        if refine is True and not self.has_likelihood:
            raise InputError(
                "expected a task with log_likelihood and log_prior with refine=True; received "
                f"{'none' if self.task is None else type(self.task).__name__}"
            )

    def __getstate__(self):
        # Graphs and what they found are made anew.
        fresh = {"_refinement": None, "_prepared": False, "_found": (None, None)}
        return self.__dict__ | fresh | {"_warned": set(self._warned)}

    @property
    def task(self):
        """The task at hand, or None."""
        if not self._looked_up:
            self._looked_up = True
            self._task = self._of_the_package()
        return self._task

    @property
    def has_likelihood(self) -> bool:
        """Whether posteriors can be refined."""
        if self.task is None:
            # The client has no tasks, nor what their posteriors are sampled with.
            return False
        from aline_tf.information.posterior_sampling import has_exact_posterior

        return has_exact_posterior(self.task)

    def check_outcome(self, units, value, status) -> None:
        """Refuses an answer whose fields do not go together, where the task is at hand.

        Args:
            units: a `UnitAdapter`, of the outcome.
            value, status: [F].

        Raises:
            InputError: no answer of the task.
        """
        if self.task is not None and len(value) > 1:
            self.task.check_outcome(units.outcome_to_model(value), status == OBSERVED)

    def fit(self, batch, threshold: float = THRESHOLD) -> Fit:
        """How well the answers of a session fit; a warning, once, where they do not.

        Args:
            batch: a numpy Batch of one row.
            threshold: of the p-value for the warning.

        Raises:
            InputError: outcomes that cannot be tested.
        """
        found = fit_of(self.model, batch, self.task)
        if found.p_value < threshold and "misfit" not in self._warned:
            self._warned.add("misfit")
            warnings.warn(
                f"these {found.answers} answers surprise the model as those of one subject in "
                f"{round(1.0 / found.p_value)} would (p = {found.p_value:.4f}): its posterior may "
                "not mean anything for this one; see that answers are coded and designs scaled as "
                "in training, and that the subject is of the kind that the task simulates",
                MisfitWarning,
                stacklevel=4,
            )
        return found

    def watch(self, batch) -> None:
        """Looks at the fit of a session whenever ten answers more have come, where the predictions
        are exact: the likelihood is known, and not `refine=False`.

        Each look may be wrong; together they are in one session of a hundred at most for as many
        answers as the task has steps. A look has what of that has come due and was not spent by
        looks before: all of it, if it is the only one and at the end.

        Args:
            batch: a numpy Batch of one row.
        """
        answers = int((batch["context_mask"] & (batch["context_status"] == OBSERVED).any(-1)).sum())
        horizon = self.model.spec.horizon
        enough = answers - self._watched >= min(LOOK_EVERY, horizon)
        if not enough or "misfit" in self._warned or self.refine is False:
            return
        self._watched = answers
        if covers(self.model.spec) and predicts_exactly(self.task):
            due = THRESHOLD * answers / horizon
            share, self._spent = min(due - self._spent, THRESHOLD), due
            self.fit(batch, share)

    def heeds_missing(self) -> bool:
        """Whether the model is to see answers that are missing: not where its task is known to
        train on complete ones alone."""
        return self.task is None or self.task.teaches_missing

    def refined(self, batch, joint: bool = False):
        """The exact posterior of a state where the model's own is not to be relied on.

        Args:
            batch: a numpy Batch of one row, with every answer that is missing.
            joint: whether the joint posterior is wanted.

        Returns:
            `WeightedDraws`; None where the model's own answer stands, after one warning for each
            reason why it should not.
        """
        if self.refine is False:
            return None
        reasons = self._reasons(batch, joint)
        if not reasons and self.refine == "auto":
            # Who has a model compiled does not want to wait in the middle of a session.
            if not self._prepared and hasattr(self.model, "warm_up"):
                self.prepare(batch)
            return None
        partly = self._partly_observed(batch)
        if self.has_likelihood and (self.refine is True or not partly):
            return self._posterior(batch)
        for reason in reasons:
            self._warn(reason)
        return None

    def prepare(self, batch) -> None:
        """Makes the graphs that a posterior is refined by, seconds, before one has to be.

        Args:
            batch: as for `refined`.
        """
        self._prepared = True
        if self.refine is not False and self.has_likelihood:
            # What the task cannot have is refused when it is asked for.
            with contextlib.suppress(InputError):
                self._posterior(batch)

    def log_prob(self, batch, theta) -> np.ndarray:
        """log p(theta | D) of the exact joint, [n] in nats; minus infinity outside the support.

        Args:
            batch: as for `refined`.
            theta: [n, P].

        Raises:
            InputError: no likelihood is known.
        """
        if not self.has_likelihood:
            raise InputError("expected a task with log_likelihood and log_prior; received none")
        posterior = self._posterior(batch)
        return self._refinement.log_prob(batch, theta, posterior)

    def _posterior(self, batch):
        names = ("context_design", "context_outcome", "context_status", "context_mask")
        key = tuple(batch[name].tobytes() for name in (*names, "known_theta", "known_mask"))
        # Read once: another thread may look at another state meanwhile.
        found = self._found
        if found[0] != key:
            if self._refinement is None:
                from aline_tf.acquisition.refined.refinement import Refinement

                self._refinement = Refinement(self.task, self.model)
            self._found = found = key, self._refinement.posterior(batch)
        return found[1]

    def _reasons(self, batch, joint) -> list[str]:
        mask, status = batch["context_mask"], batch["context_status"]
        observed = mask & (status == OBSERVED).any(-1)
        # Of a task not at hand, fields that answers lack may be its way; whole answers are not.
        lost = status != OBSERVED
        lost = mask & (lost.all(-1) if self.task is None else lost.any(-1))
        missing = lost.any() and (self.task is None or not self.task.teaches_missing)
        if missing and self.task is not None and not self.has_likelihood:
            # Whole answers that are missing are hidden from the model: as if not asked.
            missing = self._partly_observed(batch)
        found = {
            "length": observed.sum() > self.model.spec.horizon,
            "missing": missing,
            "known": batch["known_mask"].any() and not batch["known_mask"].all(),
            "joint": joint,
        }
        return [reason for reason, there in found.items() if there]

    def _partly_observed(self, batch) -> bool:
        """Whether some answer has fields that were observed and others that were not, which a
        likelihood of whole answers cannot use."""
        observed = batch["context_status"] == OBSERVED
        partly = observed.any(-1) & (batch["context_status"] == MISSING).any(-1)
        return bool((batch["context_mask"] & partly).any())

    def _warn(self, reason):
        if reason not in self._warned:
            self._warned.add(reason)
            text = UNTAUGHT[reason].format(horizon=self.model.spec.horizon)
            warnings.warn(
                f"this session's posterior is not to be relied on: {text}; {_HELP}",
                TrustWarning,
                stacklevel=4,
            )

    def checked(self, task):
        """A task that this model was made for.

        Args:
            task: a `Task`, or its name.

        Raises:
            InputError: neither, or one of another specification.
        """
        if isinstance(task, str):
            task = _task_by_name(task)
        if isinstance(task, type) or not isinstance(getattr(task, "spec", None), TaskSpec):
            raise InputError(
                f"expected a Task, or the name of one; received {session_input.shown(task)}"
            )
        if not same_task(task.spec, self.model.spec):
            raise InputError(
                f"expected a task of the model's own specification {self.model.spec.name!r}; "
                f"received {task.spec.name!r} with parameters "
                f"{', '.join(task.spec.parameter_names)}"
            )
        return task

    def _of_the_package(self):
        # A model behind a server serves those who have no TensorFlow, which a task needs.
        if not hasattr(self.model, "theta_posterior"):
            return None
        from aline_tf.tasks.registry import TASKS, split_name

        name = self.model.spec.name
        if split_name(name)[0] not in TASKS:
            return None
        try:
            task = _task_by_name(name)
        except InputError:
            # A form of a task that is not at hand, such as tables recorded elsewhere.
            return None
        return task if same_task(task.spec, self.model.spec) else None


def _task_by_name(name: str):
    try:
        from aline_tf.tasks.registry import TASKS, split_name, task_by_name
    except ModuleNotFoundError as error:
        raise InputError(
            f"expected a place with {error.name} for a task's likelihood; received {name!r} where"
            " it is not installed"
        ) from error

    packaged, _ = split_name(name)
    own = packaged in TASKS and TASKS[packaged].task.startswith("aline_tf.")
    return _packaged_task(name) if own else task_by_name(name)


@functools.lru_cache(maxsize=8)
def _packaged_task(name: str):
    """One task for all sessions, so that they share its graphs; tasks are only read."""
    from aline_tf.tasks import task_by_name

    return task_by_name(name)
