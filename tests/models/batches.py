"""A task description with every kind of parameter and outcome, and random batches for it."""

import numpy as np

from aline_tf.batch import BATCH_FIELDS, MISSING, NO_ANSWER, OBSERVED, empty_batch
from aline_tf.spec import Channel, Parameter, TaskSpec

EVERY_KIND = TaskSpec(
    name="every_kind",
    design_names=("x", "is_level", "is_event", "is_rating"),
    design_low=(-2.0, 0.0, 0.0, 0.0),
    design_high=(6.0, 1.0, 1.0, 1.0),
    fields=(
        Channel("level", "continuous", loc=50.0, scale=10.0),
        Channel("event", "binary"),
    ),
    outcomes=(
        Channel("level", "continuous", loc=50.0, scale=10.0),
        Channel("event", "binary"),
        Channel("rating", "ordered", levels=4),
    ),
    parameters=(
        Parameter("share", "interval", low=-1.0, high=3.0, axis=0),
        Parameter("shift", "real", loc=5.0, scale=2.0),
        Parameter("present", "binary"),
        Parameter("effect", "spike_slab", loc=1.0, scale=0.5),
    ),
    horizon=5,
)
SIZES = {"hidden_dim": 8, "num_layers": 2, "num_heads": 2, "intermediate_dim": 16, "components": 3}
#: One continuous outcome over a plane, and two parameters that are positions on it.
SURFACE = TaskSpec(
    name="surface",
    design_names=("x1", "x2"),
    design_low=(-5.0, 0.0),
    design_high=(5.0, 2.0),
    fields=(Channel("y", loc=3.0, scale=2.0),),
    outcomes=(Channel("y", loc=3.0, scale=2.0),),
    parameters=(
        Parameter("spread"),
        Parameter("peak_1", low=-5.0, high=5.0, axis=0),
        Parameter("peak_2", low=0.0, high=2.0, axis=1),
    ),
    horizon=5,
)


def random_batch(seed: int, spec: TaskSpec = EVERY_KIND, **sizes: int) -> dict:
    """A numpy Batch whose every cell is a plausible number and whose masks are all mixed.

    Args:
        seed: of the numbers.
        spec: the task; its last three design columns are a one-hot code when it is `EVERY_KIND`.
        **sizes: B, C, M, N; defaults 3, 4, 3, 5.
    """
    rng = np.random.default_rng(seed)
    sizes = {"B": 3, "C": 4, "M": 3, "N": 5} | sizes
    batch = empty_batch(spec.sizes | sizes)
    low, high = np.array(spec.design_low), np.array(spec.design_high)
    for name in ("context_design", "target_design", "candidate_design"):
        shape = batch[name].shape
        design = rng.uniform(low, high, shape)
        channels = len(spec.outcomes)
        if channels > 1:
            code = np.eye(channels)[rng.integers(channels, size=shape[:2])]
            design[..., -channels:] = code
        batch[name] = design.astype(np.float32)
    for f, field in enumerate(spec.fields):
        shape = batch["context_outcome"].shape[:2]
        continuous = field.loc + field.scale * rng.standard_normal(shape)
        discrete = rng.integers(field.levels, size=shape)
        batch["context_outcome"][..., f] = continuous if field.kind == "continuous" else discrete
    batch["context_status"] = rng.choice(
        [MISSING, OBSERVED, OBSERVED, NO_ANSWER], batch["context_status"].shape
    ).astype(np.int32)
    batch["context_mask"][:] = True
    batch["candidate_mask"][:] = True
    batch["known_theta"][:] = rng.uniform(0.0, 1.0, batch["known_theta"].shape)
    batch["known_mask"] = rng.uniform(size=batch["known_mask"].shape) < 0.3
    batch["theta_mask"] = rng.uniform(size=batch["theta_mask"].shape) < 0.6
    batch["target_mask"] = rng.uniform(size=batch["target_mask"].shape) < 0.6
    assert set(batch) == set(BATCH_FIELDS)
    return batch


def padded(batch: dict, fill: float, status: int = OBSERVED, **room: int) -> dict:
    """The batch with `room` more slots of the letters C, M, N, full of `fill` and masked out."""
    wider = dict(batch)
    for name, letters in BATCH_FIELDS.items():
        count = room.get(letters[1], 0)
        if not count:
            continue
        shape = [batch[name].shape[0], count, *batch[name].shape[2:]]
        value = False if name.endswith("_mask") else status if name.endswith("_status") else fill
        block = np.full(shape, value, batch[name].dtype)
        wider[name] = np.concatenate([batch[name], block], axis=1)
    return wider


def normal(seed: int, *shape: int) -> np.ndarray:
    """Standard normal numbers, float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
