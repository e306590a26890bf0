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
        states: S, states per episode that enter the gradient pass of a joint step.
        credit: "reward_to_go" against the group's mean, or the paper's "own_step".
        group: episodes that share theta and pool.
        discount: gamma of "own_step".
        policy_weight: of the reward-driven policy loss.
        entropy: (first, last) weight of the entropy bonus.
        temperature: (first, last) of the behaviour policy; towards the one that is deployed.
        teacher: (first, last) weight of the imitation of information gains; 0 switches it off.
            Needs a task with `log_likelihood`, `log_prior` and one binary outcome.
        teacher_states: states per episode that it looks at.
        teacher_draws: parameter draws it takes for each side; its cost grows with the square.
        sharpness: of its softmax.
        counterfactual: weight of the all-action gradient over candidates tried one by one.
        tried: K, candidates tried per state for it.
        price: nats per unit of burden.
        reveal: share of rows in which some parameters are given as known.
        learning_rate: peak; a cosine takes it to `final_learning_rate`.
        final_learning_rate: at the last step.
        weight_decay, clip_norm: of AdamW.
    """

    batch: int = 128
    warmup_batch: int = 256
    warmup_steps: int = 2000
    joint_steps: int = 1000
    horizon: int | None = None
    pool: int = 200
    offer: int = 48
    states: int = 8
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
    tried: int = 6
    price: float = 0.0
    reveal: float = 0.25
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-5
    weight_decay: float = 0.01
    clip_norm: float = 1.0

    def __post_init__(self):
        if self.credit not in CREDITS:
            raise ValueError(f"Expected credit in {CREDITS}. Received: credit={self.credit!r}")
        if self.batch % self.group:
            raise ValueError(
                "Expected batch to be a multiple of group. "
                f"Received: batch={self.batch}, group={self.group}"
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

    @property
    def steps(self) -> int:
        return self.warmup_steps + self.joint_steps

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)
