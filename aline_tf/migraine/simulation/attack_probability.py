"""The attack probability of somebody whose state is known: the soft label of training.

Whether an attack comes is a coin toss even for one who knows the phase, the vulnerability and
tomorrow's triggers. A model taught with that chance instead of the toss learns the same answer
from far fewer people: E[y | records] = E[chance | records].

    free'      = interictal + .15 (prodrome that ends) + (postdrome that ends)
    prodrome'  = .4 prodrome + hazard free'            attack'_0 = .85 (prodrome that ends)

with attacks removed, so that what is left is the chance of none so far.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from aline_tf.migraine.simulation.simulator import (
    ATTACK,
    GOES_ON,
    INTERICTAL,
    POSTDROME,
    POSTDROME_ENDS,
    PRODROME,
    PRODROME_ENDS,
    SLOT_ROUNDING,
)

#: Slots of the longest attack.
LONGEST = 12
#: Usual lengths of attacks, in hours, to which those of people are rounded.
MEDIANS = np.exp(np.linspace(np.log(6.0), np.log(54.0), 16))


def ending_probabilities(median: np.ndarray, treated: bool) -> np.ndarray:
    """Chance [n, 12] that an attack of age k ends with that slot.

    Args:
        median: [n] hours of the person's usual untreated attack.
        treated: whether this one is.
    """
    from scipy.special import ndtri

    z = ndtri((np.arange(64) + 0.5) / 64)
    rounding = (np.arange(8) + 0.5) / 8
    hours = np.clip(median[:, None] * np.exp(0.6 * z) * (0.45 if treated else 1.0), 2.0, 72.0)
    filled = np.floor(SLOT_ROUNDING * rounding[:, None] + hours[:, None] / 6.0)
    filled = np.clip(filled, 1, LONGEST).reshape(len(median), -1)
    share = np.stack([(filled == k + 1).mean(1) for k in range(LONGEST)], axis=1)
    left = np.cumsum(share[:, ::-1], axis=1)[:, ::-1]
    return np.divide(share, left, out=np.ones_like(share), where=left > 1e-9)


_ENDS = np.stack([ending_probabilities(MEDIANS, treated) for treated in (False, True)], axis=1)


def true_attack_probabilities(phase, age, treated, median_hours, hazard) -> tf.Tensor:
    """Chances of at least one attack slot among the next 4 and the next 8: [R, 2].

    Args:
        phase, age: [R] int32, of the slot under way; `age` of its attack, -1 outside attacks.
        treated: [R], 1 when that attack is.
        median_hours: [R].
        hazard: [R, 8], of the slots to come.
    """
    grid = tf.constant(np.log(MEDIANS), tf.float32)
    nearest = tf.argmin(tf.abs(tf.math.log(median_hours)[:, None] - grid), axis=1)
    place = tf.stack(
        [tf.cast(nearest, tf.int32), tf.cast(treated, tf.int32), tf.maximum(age, 0)], 1
    )
    ends = tf.gather_nd(tf.constant(_ENDS, tf.float32), place)
    interictal, prodrome, postdrome = (
        tf.cast(phase == kind, tf.float32) for kind in (INTERICTAL, PRODROME, POSTDROME)
    )
    # An attack that ends with this slot is followed by a postdrome; one that goes on is an attack.
    attack = tf.cast(phase == ATTACK, tf.float32)
    over = attack * ends
    without = []
    for slot in range(hazard.shape[1]):
        free = interictal + PRODROME_ENDS * (1.0 - GOES_ON) * prodrome + POSTDROME_ENDS * postdrome
        begins = hazard[:, slot] * free
        postdrome = (1.0 - POSTDROME_ENDS) * postdrome + over
        prodrome = (1.0 - PRODROME_ENDS) * prodrome + begins
        interictal, over = free - begins, tf.zeros_like(over)
        without.append(interictal + prodrome + postdrome)
    half = hazard.shape[1] // 2
    return 1.0 - tf.stack([without[half - 1], without[-1]], axis=1)
