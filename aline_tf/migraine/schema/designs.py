"""Where and when a measurement was made, as numbers: the design of a token, candidate or target.

A design says how long ago (several scales, so that today, last week and last month are all easy to
tell apart), which weekday, which six-hour slot (none for a whole day), and which channel (none for
a token that carries a whole day). Days in the future count negative.
"""

from __future__ import annotations

import math

import tensorflow as tf

from aline_tf.migraine.schema.channels import OUTCOMES, SLOTS

#: Days of history that a context holds; also the unit of the linear age.
CAPACITY = 112
_DECAYS = (0.5, 2.0, 7.0, 28.0)

DESIGN_NAMES = (
    "age",
    *(f"recent_{decay:g}d" for decay in _DECAYS),
    "future",
    "weekday_sin",
    "weekday_cos",
    *(f"slot_{slot}" for slot in range(SLOTS)),
    *(f"is_{channel.name}" for channel in OUTCOMES),
)
DESIGN_LOW = tuple(-1.0 if name.startswith("weekday") else 0.0 for name in DESIGN_NAMES)
DESIGN_HIGH = tuple(1.0 for _ in DESIGN_NAMES)


def design(days_ago, weekday, slot, outcome) -> tf.Tensor:
    """Designs [..., D] from integers that broadcast against each other.

    Args:
        days_ago: days before the day of `now`; negative in the future.
        weekday: 0 (Monday) to 6, of the day described.
        slot: 0 to 3, or -1 for a whole day.
        outcome: index into `OUTCOMES`, or -1 for a token that carries a whole day.
    """
    days_ago, weekday, slot, outcome = (
        tf.convert_to_tensor(part, tf.int32) for part in (days_ago, weekday, slot, outcome)
    )
    shape = tf.broadcast_dynamic_shape(
        tf.broadcast_dynamic_shape(tf.shape(days_ago), tf.shape(weekday)),
        tf.broadcast_dynamic_shape(tf.shape(slot), tf.shape(outcome)),
    )
    age = tf.cast(tf.broadcast_to(days_ago, shape), tf.float32)
    angle = tf.cast(tf.broadcast_to(weekday, shape), tf.float32) * (2.0 * math.pi / 7.0)
    time = [
        age / CAPACITY,
        *(tf.exp(-tf.abs(age) / decay) for decay in _DECAYS),
        tf.cast(age < 0.0, tf.float32),
        tf.sin(angle),
        tf.cos(angle),
    ]
    # The one-hot code of -1 is all zeros.
    return tf.concat(
        [
            tf.stack(time, axis=-1),
            tf.one_hot(tf.broadcast_to(slot, shape), SLOTS),
            tf.one_hot(tf.broadcast_to(outcome, shape), len(OUTCOMES)),
        ],
        axis=-1,
    )
