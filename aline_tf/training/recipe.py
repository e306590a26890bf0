"""How a network is trained: one frozen, JSON-able description."""

from __future__ import annotations

import dataclasses

CREDITS = ("own_step", "reward_to_go")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of a training run; the defaults work for tasks of a few parameters.

    Attributes:
        batch: B, episodes per joint step (a multiple of `group`).
        warmup_batch: episodes per warm-up step.
        warmup_steps: steps of inference alone, on random designs.
        joint_steps: steps of inference and policy together.
        horizon: T; None takes the task's.
        pool: N, candidates of a training episode.
        offer: how many of them are scored at each step of a rollout.
        near: share of those offers drawn by their closeness to the network's own belief, where
            parameters are places: what a pool much larger than `offer` has. 0 draws all evenly.
        states: S, states per episode that enter the gradient pass of a joint step.
        portions: parts of the batch that the gradient pass of a joint step takes one after the
            other, each with means of its own: memory for the same time. Divides `batch`.
        credit: "reward_to_go" against the group's mean, or the paper's "own_step".
        group: episodes that share theta and pool.
        discount: gamma of "own_step".
        policy_weight: of the reward-driven policy loss.
        entropy: (first, last) weight of the entropy bonus.
        temperature: (first, last) of the behaviour policy; towards the one that is deployed.
        teacher: (first, last) weight of the imitation of information gains; 0 switches it off.
            Needs a task with `log_likelihood` and `log_prior`, or one with `expected_gain`.
        teacher_states: states per episode that it looks at.
        teacher_draws: parameter draws it takes for each side; its cost grows with the square.
        sharpness: of its softmax.
        counterfactual: weight of the all-action gradient over candidates tried one by one.
        look_ahead: weight of the imitation of what the network expects every tried candidate to
            tell (see `look_ahead`).
        tried: K, candidates tried per state, for both.
        alternatives: n, parameters drawn from q beside the true ones, which share the role of the
            label by their posterior odds (see `labels`): less noise in the inference loss for a
            likelihood's cost. Needs a task with `log_likelihood` and `log_prior`.
        price: nats per unit of burden.
        reveal: share of rows in which some parameters are given as known.
        refresh: weight, in the joint phase, of the warm-up's loss on new random designs: it keeps
            the inference general where rollouts show few people; 0 leaves it out.
        learning_rate: peak; a cosine takes it to `final_learning_rate`.
        final_learning_rate: at the last step.
        joint_learning_rate: where a second cosine begins with the joint phase; None keeps to one.
            A policy that starts when the rate is nearly spent learns nothing.
        weight_decay, clip_norm: of AdamW.
    """

    batch: int = 128
    warmup_batch: int = 256
    warmup_steps: int = 2000
    joint_steps: int = 1000
    horizon: int | None = None
    pool: int = 200
    offer: int = 48
    near: float = 0.0
    states: int = 8
    portions: int = 1
    credit: str = "reward_to_go"
    group: int = 4
    discount: float = 1.0
    policy_weight: float = 1.0
    entropy: tuple[float, float] = (0.01, 0.001)
    temperature: tuple[float, float] = (1.0, 0.25)
    teacher: tuple[float, float] = (0.0, 0.0)
    teacher_states: int = 2
    teacher_draws: int = 18
    sharpness: float = 15.0
    counterfactual: float = 0.0
    look_ahead: float = 0.0
    tried: int = 6
    alternatives: int = 0
    price: float = 0.0
    reveal: float = 0.25
    refresh: float = 0.0
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-5
    joint_learning_rate: float | None = None
    weight_decay: float = 0.01
    clip_norm: float = 1.0

    def __post_init__(self):
        if self.credit not in CREDITS:
            raise ValueError(f"Expected credit in {CREDITS}. Received: credit={self.credit!r}")
        for name in ("batch", "warmup_batch", "group", "states", "portions"):
            self._require_whole(name, 1)
        for name in ("teacher_states", "teacher_draws"):
            self._require_whole(name, 1)
        for name in ("warmup_steps", "joint_steps", "alternatives"):
            self._require_whole(name, 0)
        for name in ("entropy", "temperature", "teacher"):
            pair = getattr(self, name)
            if not isinstance(pair, tuple) or len(pair) != 2 or min(pair) < 0:
                raise ValueError(
                    f"Expected {name} as (first, last) >= 0. Received: {name}={pair!r}"
                )
        if min(self.temperature) <= 0:
            raise ValueError(f"Expected temperature > 0. Received: temperature={self.temperature}")
        if self.batch % self.group:
            raise ValueError(
                "Expected batch to be a multiple of group. "
                f"Received: batch={self.batch}, group={self.group}"
            )
        if self.batch % self.portions:
            raise ValueError(
                "Expected batch to be a multiple of portions. "
                f"Received: batch={self.batch}, portions={self.portions}"
            )
        if not 1 <= self.offer <= self.pool:
            raise ValueError(
                f"Expected 1 <= offer <= pool. Received: offer={self.offer}, pool={self.pool}"
            )
        if self.horizon is not None and not 1 <= self.horizon <= self.pool:
            raise ValueError(
                "Expected a horizon of at least 1 and at most the pool. "
                f"Received: horizon={self.horizon}, pool={self.pool}"
            )
        if max(self.counterfactual, self.look_ahead) > 0 and not 1 <= self.tried <= self.offer:
            raise ValueError(
                f"Expected 1 <= tried <= offer. Received: tried={self.tried}, offer={self.offer}"
            )
        for name in ("reveal", "near"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"Expected {name} in [0, 1]. Received: {name}={value}")
        if self.steps < 1:
            raise ValueError(
                "Expected at least one step in all. "
                f"Received: warmup_steps={self.warmup_steps}, joint_steps={self.joint_steps}"
            )

    def _require_whole(self, name, least):
        value = getattr(self, name)
        if not isinstance(value, int) or value < least:
            raise ValueError(
                f"Expected {name} as a whole number >= {least}. Received: {name}={value!r}"
            )

    def check_task(self, task) -> None:
        """Whether the recipe can train `task` at all.

        Raises:
            ValueError: the pool is smaller than the task's horizon, or the teacher or alternative
                labels are asked for without a likelihood and a prior.
        """
        horizon = self.horizon or task.spec.horizon
        if self.joint_steps and self.pool < 2:
            raise ValueError(
                f"Expected a pool of at least 2 to choose from. Received: pool={self.pool}"
            )
        if self.joint_steps and horizon > self.pool:
            raise ValueError(
                f"Expected a pool of at least the horizon. Received: horizon={horizon}, "
                f"pool={self.pool}"
            )
        known = task.log_likelihood is not None and task.log_prior is not None
        if self.alternatives and not known:
            raise ValueError(
                "Expected a task with log_likelihood and log_prior for alternative labels. "
                f"Received: {type(task).__name__}, alternatives={self.alternatives}"
            )
        known = known or task.expected_gain is not None
        if self.joint_steps and max(self.teacher) > 0 and not known:
            raise ValueError(
                "Expected a task with expected_gain, or log_likelihood and log_prior, for the "
                "teacher. "
                f"Received: {type(task).__name__}, teacher={self.teacher}"
            )

    @property
    def steps(self) -> int:
        return self.warmup_steps + self.joint_steps

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)
