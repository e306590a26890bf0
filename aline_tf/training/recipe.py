"""Hyper-parameters of training: one frozen, JSON-able description in four parts.

    recipe = Recipe(phases=Phases(warmup_steps=500), rollout=Rollout(pool=64))
    recipe = Recipe(warmup_steps=500, pool=64)          # the same: settings find their part

A setting's name is unique among the parts, so it may be given flat, or as "rollout.pool".
"""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
import warnings
from pathlib import Path

from aline_tf.errors import InputError

CREDITS = ("immediate_reward", "reward_to_go")

#: Numbers from here to its inverse stay numbers in float32, whatever is made of them.
_SMALLEST = 1e-30

#: Settings as recipes up to version 0.1 named them, and values: those still load, with a warning.
RENAMED = {
    "portions": "gradient_accumulation_steps",
    "offer": "candidates_per_step",
    "near": "local_share",
    "states": "steps_per_episode",
    "reveal": "conditioning_rate",
    "refresh": "random_design_weight",
    "alternatives": "num_posterior_labels",
    "sharpness": "teacher_inverse_temperature",
    "tried": "num_counterfactuals",
    "price": "cost_weight",
    "group": "group_size",
    "own_step": "immediate_reward",
}


@dataclasses.dataclass(frozen=True)
class Phases:
    """How long each phase of training is, and what inference learns from in it.

        >>> Phases(warmup_steps=500, joint_steps=0).steps
        500

    Args:
        warmup_steps: steps of inference alone, on random designs.
        joint_steps: steps of inference and policy together.
        warmup_batch: episodes per warm-up step.
        batch: B, episodes per joint step (a multiple of `Rollout.group_size`).
        gradient_accumulation_steps: parts of the batch that the gradient pass of a joint step takes
            one after the other, each with means of its own: memory for the same time. Divides
            `batch`.
        steps_per_episode: S, steps of every episode that enter the gradient pass of a joint step.
        conditioning_rate: share of rows, in [0, 1], in which some parameters are given as known.
        random_design_weight: weight, in the joint phase, of the warm-up's loss on new random
            designs: it keeps the inference general where rollouts show few people; 0 leaves it out.
        long_batch: episodes per step, beside those of the warm-up, with histories of up to four
            horizons and designs anywhere or close together; the teacher is imitated there in both
            phases. 0 leaves long histories untaught.
        num_posterior_labels: n, parameters drawn from q beside the true ones, which share the role
            of the label by their posterior odds (see `posterior_labels`): less noise in the
            inference loss for a likelihood's cost. Needs a task with `log_likelihood` or
            `history_log_likelihood`, and `log_prior`.

    Raises:
        ValueError: a setting out of its range.
    """

    warmup_steps: int = 2000
    joint_steps: int = 1000
    warmup_batch: int = 256
    batch: int = 128
    gradient_accumulation_steps: int = 1
    steps_per_episode: int = 8
    conditioning_rate: float = 0.25
    random_design_weight: float = 0.0
    long_batch: int = 0
    num_posterior_labels: int = 0

    def __post_init__(self):
        for name in ("warmup_batch", "batch", "gradient_accumulation_steps", "steps_per_episode"):
            _require_whole(self, name, 1)
        for name in ("warmup_steps", "joint_steps", "long_batch", "num_posterior_labels"):
            _require_whole(self, name, 0)
        _require_number(self, "conditioning_rate", 0.0, 1.0)
        _require_number(self, "random_design_weight", 0.0)
        if self.batch % self.gradient_accumulation_steps:
            raise ValueError(
                "Expected batch to be a multiple of gradient_accumulation_steps. Received: "
                f"batch={self.batch}, "
                f"gradient_accumulation_steps={self.gradient_accumulation_steps}"
            )
        if self.steps < 1:
            raise ValueError(
                "Expected at least one step in all. "
                f"Received: warmup_steps={self.warmup_steps}, joint_steps={self.joint_steps}"
            )

    @property
    def steps(self) -> int:
        """Optimiser steps of both phases."""
        return self.warmup_steps + self.joint_steps


@dataclasses.dataclass(frozen=True)
class Rollout:
    """How the policy plays its training episodes.

        >>> Rollout(pool=64, candidates_per_step=16).pool
        64

    Args:
        horizon: T; None takes the task's.
        joint_horizon: T of the episodes that the policy plays; None takes `horizon`. A longer one
            shows it pools whose best candidates are used up, and leaves the other histories alone.
        pool: N, candidates of a training episode.
        smallest_pool: where it is given, each group of episodes has a number of candidates of its
            own, from this to `pool`, evenly in its logarithm; whoever had few acquires them all.
        candidates_per_step: how many of them are scored at each step of a rollout.
        local_share: share of those, in [0, 1], drawn by their closeness to the model's own
            posterior, where parameters are places: what a pool much larger than
            `candidates_per_step` has. 0 draws all evenly.
        group_size: episodes that share theta and pool.
        temperature: (first, last) of the behaviour policy, above 0; towards the one that is
            deployed.

    Raises:
        ValueError: a setting out of its range.
    """

    horizon: int | None = None
    joint_horizon: int | None = None
    pool: int = 200
    smallest_pool: int | None = None
    candidates_per_step: int = 48
    local_share: float = 0.0
    group_size: int = 4
    temperature: tuple[float, float] = (1.0, 0.25)

    def __post_init__(self):
        for name in ("pool", "candidates_per_step", "group_size"):
            _require_whole(self, name, 1)
        _require_pair(self, "temperature")
        _require_number(self, "local_share", 0.0, 1.0)
        if min(self.temperature) <= 0:
            raise ValueError(f"Expected temperature > 0. Received: temperature={self.temperature}")
        if self.candidates_per_step > self.pool:
            raise ValueError(
                "Expected candidates_per_step <= pool. Received: "
                f"candidates_per_step={self.candidates_per_step}, pool={self.pool}"
            )
        for name in ("horizon", "joint_horizon", "smallest_pool"):
            count = getattr(self, name)
            if count is None:
                continue
            _require_whole(self, name, 1)
            if count > self.pool:
                raise ValueError(
                    f"Expected {name} to be at most the pool. "
                    f"Received: {name}={count}, pool={self.pool}"
                )


@dataclasses.dataclass(frozen=True)
class PolicyLoss:
    """What the policy is taught by, and how much of it.

        >>> PolicyLoss(teacher=(1.0, 0.5), policy_weight=0.1).credit
        'reward_to_go'

    Args:
        credit: "reward_to_go" against the group's mean, or the paper's "immediate_reward".
        discount: gamma of "immediate_reward", in [0, 1].
        policy_weight: of the reward-driven policy loss.
        cost_weight: nats per unit of burden.
        entropy: (first, last) weight of the entropy bonus.
        teacher: (first, last) weight of the imitation of information gains; 0 switches it off.
            Needs a task with `log_likelihood` and `log_prior`, or one with `expected_gain`.
        teacher_states: states per episode that it looks at.
        teacher_draws: parameter draws it takes for each side; its cost grows with the square.
        teacher_inverse_temperature: of its softmax.
        counterfactual: weight of the all-action gradient over candidates acquired one by one.
        look_ahead: weight of the imitation of what the model expects each of those candidates to
            tell (see `aline_tf.information.look_ahead`).
        num_counterfactuals: K, candidates acquired one by one at every state, for both.

    Raises:
        ValueError: a setting out of its range.
    """

    credit: str = "reward_to_go"
    discount: float = 1.0
    policy_weight: float = 1.0
    cost_weight: float = 0.0
    entropy: tuple[float, float] = (0.01, 0.001)
    teacher: tuple[float, float] = (0.0, 0.0)
    teacher_states: int = 2
    teacher_draws: int = 18
    teacher_inverse_temperature: float = 15.0
    counterfactual: float = 0.0
    look_ahead: float = 0.0
    num_counterfactuals: int = 6

    def __post_init__(self):
        if self.credit not in CREDITS:
            raise ValueError(f"Expected credit in {CREDITS}. Received: credit={self.credit!r}")
        for name in ("teacher_states", "teacher_draws", "num_counterfactuals"):
            _require_whole(self, name, 1)
        for name in ("entropy", "teacher"):
            _require_pair(self, name)
        for name in ("policy_weight", "teacher_inverse_temperature"):
            _require_number(self, name, 0.0)
        for name in ("counterfactual", "look_ahead"):
            _require_number(self, name, 0.0)
        _require_number(self, "discount", 0.0, 1.0)
        # Negative ones pay for what is acquired: a constant that a baseline takes off again.
        _require_number(self, "cost_weight")


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """AdamW and its cosine.

        >>> Optimizer(learning_rate=3e-3).final_learning_rate
        1e-05

    Args:
        learning_rate: peak, above 0; a cosine takes it to `final_learning_rate`.
        final_learning_rate: at the last step, from 0 to the peaks.
        joint_learning_rate: where a second cosine begins with the joint phase; None keeps to one.
            A policy that starts when the rate is nearly spent learns nothing.
        weight_decay: per unit of learning rate, decoupled.
        clip_norm: of the gradients of all weights together, above 0.

    Raises:
        ValueError: a setting out of its range.
    """

    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-5
    joint_learning_rate: float | None = None
    weight_decay: float = 0.01
    clip_norm: float = 1.0

    def __post_init__(self):
        for name in ("learning_rate", "final_learning_rate", "weight_decay", "clip_norm"):
            _require_number(self, name, 0.0)
        peaks = ["learning_rate"]
        if self.joint_learning_rate is not None:
            _require_number(self, "joint_learning_rate", 0.0)
            peaks.append("joint_learning_rate")
        # At 0, and at what float32 makes of it, a whole run would be taken and nothing learned.
        for name in (*peaks, "clip_norm"):
            value = getattr(self, name)
            if not _SMALLEST <= value <= 1 / _SMALLEST:
                raise ValueError(
                    f"Expected {name} as a number > 0 that float32 can hold. "
                    f"Received: {name}={value!r}"
                )
        for name in peaks:
            if getattr(self, name) < self.final_learning_rate:
                raise ValueError(
                    f"Expected {name} to be at least the final_learning_rate. Received: "
                    f"{name}={getattr(self, name)!r}, "
                    f"final_learning_rate={self.final_learning_rate!r}"
                )


PARTS = {"phases": Phases, "rollout": Rollout, "policy_loss": PolicyLoss, "optimizer": Optimizer}
#: Setting -> the part it is in.
SETTINGS = {field.name: part for part, kind in PARTS.items() for field in dataclasses.fields(kind)}


@dataclasses.dataclass(frozen=True, init=False)
class Recipe:
    """Settings of a training run; the defaults work for tasks of a few parameters.

        >>> recipe = Recipe(phases=Phases(warmup_steps=500), pool=64)
        >>> recipe.rollout.pool, recipe.steps
        (64, 1500)
        >>> Recipe.from_dict(recipe.to_dict()) == recipe
        True

    `dataclasses.replace(recipe, pool=100)` changes a setting wherever it is.

    Args:
        phases: lengths and batches of the two phases; a `Phases`.
        rollout: how episodes are played; a `Rollout`.
        policy_loss: what the policy is taught by; a `PolicyLoss`.
        optimizer: learning rates; an `Optimizer`.
        **settings: any setting of these parts by its own name, or as "part.name"; they change the
            part that is given, or its defaults.

    Raises:
        TypeError: a setting that no part has.
        ValueError: a setting out of its range, or two that do not go together.
    """

    phases: Phases
    rollout: Rollout
    policy_loss: PolicyLoss
    optimizer: Optimizer

    def __init__(self, phases=None, rollout=None, policy_loss=None, optimizer=None, **settings):
        parts = {
            "phases": phases,
            "rollout": rollout,
            "policy_loss": policy_loss,
            "optimizer": optimizer,
        }
        changes = {part: {} for part in PARTS}
        for name, value in settings.items():
            part, own = setting_place(name)
            changes[part][own] = _today(value) if own == "credit" else value
        for part, kind in PARTS.items():
            value = kind() if parts[part] is None else parts[part]
            if not isinstance(value, kind):
                raise ValueError(
                    f"Expected {part} as a {kind.__name__}. Received: {part}={value!r}"
                )
            object.__setattr__(self, part, dataclasses.replace(value, **changes[part]))
        self._check()

    def _check(self):
        batch, group_size = self.phases.batch, self.rollout.group_size
        if batch % group_size:
            raise ValueError(
                "Expected batch to be a multiple of group_size. "
                f"Received: batch={batch}, group_size={group_size}"
            )
        count = self.policy_loss.num_counterfactuals
        used = max(self.policy_loss.counterfactual, self.policy_loss.look_ahead) > 0
        if used and count > self.rollout.candidates_per_step:
            raise ValueError(
                "Expected num_counterfactuals <= candidates_per_step. Received: "
                f"num_counterfactuals={count}, "
                f"candidates_per_step={self.rollout.candidates_per_step}"
            )

    def check_task(self, task) -> None:
        """Whether the recipe can train `task` at all.

        Args:
            task: a `Task`.

        Raises:
            ValueError: the pool is smaller than the task's horizon, or the teacher or posterior
                labels are asked for without a likelihood and a prior.
        """
        from aline_tf.information.posterior_sampling import has_exact_posterior

        pool, teacher = self.rollout.pool, self.policy_loss.teacher
        horizon = self.rollout.joint_horizon or self.rollout.horizon or task.spec.horizon
        joint = self.phases.joint_steps > 0
        if joint and pool < 2:
            raise ValueError(f"Expected a pool of at least 2 to choose from. Received: pool={pool}")
        if joint and horizon > pool:
            raise ValueError(
                f"Expected a pool of at least the horizon. Received: horizon={horizon}, pool={pool}"
            )
        if self.phases.num_posterior_labels and not has_exact_posterior(task):
            raise ValueError(
                "Expected a task with log_likelihood (or history_log_likelihood) and log_prior for "
                "posterior labels. "
                f"Received: {type(task).__name__}, "
                f"num_posterior_labels={self.phases.num_posterior_labels}"
            )
        known = task.log_likelihood is not None and task.log_prior is not None
        known = known or task.expected_gain is not None
        if joint and max(teacher) > 0 and not known:
            raise ValueError(
                "Expected a task with expected_gain, or log_likelihood and log_prior, for the "
                f"teacher. Received: {type(task).__name__}, teacher={teacher}"
            )

    @property
    def steps(self) -> int:
        """Optimiser steps of both phases."""
        return self.phases.steps

    def to_dict(self) -> dict:
        """Part -> setting -> value: what `from_dict` takes, also after a journey through JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: dict) -> Recipe:
        """The recipe of `to_dict`, or of a flat file as version 0.1 wrote it.

        Args:
            settings: part -> setting -> value, or setting -> value; lists stand for pairs.

        Raises:
            TypeError: a setting that no part has.
            ValueError: a setting out of its range.
        """
        flat = {}
        for name, value in settings.items():
            if name in PARTS and isinstance(value, dict):
                flat |= {f"{name}.{own}": each for own, each in value.items()}
            else:
                flat[name] = value
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in flat.items()})


def with_settings(recipe: Recipe, texts) -> Recipe:
    """The recipe with changes that came as text, from a command line.

    Args:
        recipe: to begin with.
        texts: each "name=value", the value as JSON; names as in `setting_place`.

    Raises:
        InputError: a text that is no such change, or settings that do not go together.
    """
    changes = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            _, name = setting_place(name)
        except TypeError as error:
            raise InputError(
                f"expected --set with a setting of {', '.join(SETTINGS)}; received {text!r}"
            ) from error
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InputError(f"expected --set {name}=VALUE in JSON; received {text!r}") from error
        changes[name] = tuple(value) if isinstance(value, list) else value
    try:
        return dataclasses.replace(recipe, **changes)
    except (ValueError, TypeError) as error:
        raise InputError(f"expected settings of a recipe; received: {error}") from error


def recipe_in(path) -> Recipe:
    """The recipe of a JSON file: what `Recipe.to_dict` gives, or some of its settings, flat or by
    part; the others are the defaults.

    Args:
        path: of the file; the metadata.json of a preset serves too.

    Raises:
        InputError: no such file, no JSON, or settings that no recipe has.
    """
    try:
        settings = json.loads(Path(path).read_text())
        return Recipe.from_dict(settings.get("recipe", settings))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"expected --recipe shipped, or a JSON file of settings; received {path}: {error}"
        ) from error


def setting_place(name: str) -> tuple[str, str]:
    """(part, setting) of a setting given flat or as "part.setting", by today's or an older name.

    Args:
        name: of the setting.

    Raises:
        TypeError: no part has it.
    """
    part, _, own = name.rpartition(".")
    own = own if own in SETTINGS else _today(own)
    if own not in SETTINGS or part not in ("", SETTINGS[own]):
        raise TypeError(f"Expected a setting of {', '.join(SETTINGS)}. Received: {name}")
    return SETTINGS[own], own


def _today(name):
    """Today's name of a setting, or of a credit, that an older recipe may hold."""
    if not isinstance(name, str) or name not in RENAMED:
        return name
    warnings.warn(
        f"{name!r} of a recipe is called {RENAMED[name]!r} now", DeprecationWarning, stacklevel=4
    )
    return RENAMED[name]


def _require_whole(part, name, least):
    value = getattr(part, name)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(
            f"Expected {name} as a whole number >= {least}. Received: {name}={value!r}"
        )


def _require_number(part, name, low=-math.inf, high=math.inf):
    value = getattr(part, name)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        within = f" in [{low:g}, {high:g}]" if math.isfinite(high) else f" >= {low:g}"
        within = within if math.isfinite(low) else ""
        raise ValueError(f"Expected {name} as a number{within}. Received: {name}={value!r}")


def _require_pair(part, name):
    pair = getattr(part, name)
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ValueError(f"Expected {name} as (first, last) >= 0. Received: {name}={pair!r}")
    numeric = all(isinstance(value, numbers.Real) for value in pair)
    if not numeric or not all(math.isfinite(value) and value >= 0 for value in pair):
        raise ValueError(f"Expected {name} as (first, last) >= 0. Received: {name}={pair!r}")
