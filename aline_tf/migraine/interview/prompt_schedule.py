"""When to prompt: now, later, or not at all, with so many prompts left. No TensorFlow.

On an evening the best question is expected to tell g nats, and asking takes c. With k prompts left
for n evenings, this one counted, the most that they can be expected to tell is

    V(n, k) = E max( g - c + V(n - 1, k - 1),  V(n - 1, k) ),     V(0, k) = V(n, 0) = 0

over g as it was on earlier evenings of the same person. A prompt is sent where g - c is more than
what the same prompt is worth if it is kept: V(n - 1, k) - V(n - 1, k - 1), which is never negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aline_tf.errors import InputError


def worth_if_kept(gains: Sequence[float], evenings: int, prompts: int, least: float) -> float:
    """What one of the prompts is worth in nats if it is kept for later: V(n, k) - V(n, k - 1).

    Args:
        gains: nats that the best question was expected to tell on evenings before; not empty.
        evenings: n, still to come.
        prompts: k, that are left, 1 or more.
        least: c, nats that asking takes.

    Raises:
        InputError: no gains, or numbers that cannot be meant.
    """
    net = np.asarray(gains, float) - least
    if not net.size or not np.isfinite(net).all() or evenings < 0 or prompts < 1:
        raise InputError(
            "expected gains, 0 or more evenings and 1 or more prompts; received"
            f" {list(gains)[:5]}, {evenings} and {prompts}"
        )
    # More prompts than evenings have nothing to wait for: one is sent an evening.
    if prompts > evenings:
        return 0.0
    value = np.zeros(prompts + 1)
    for _ in range(evenings):
        sent = net[:, None] + value[:-1]
        value = np.concatenate([[0.0], np.maximum(sent, value[1:]).mean(axis=0)])
    return float(value[prompts] - value[prompts - 1])


def ask_now(gain: float, gains: Sequence[float], evenings: int, prompts: int, least: float) -> bool:
    """Whether to send a prompt this evening.

    Args:
        gain: nats that the best question is expected to tell now.
        gains: the same on evenings before; this evening is one of them here.
        evenings: for which the prompts have to last, this one counted.
        prompts: that are left.
        least: nats that asking takes.
    """
    if prompts < 1 or not gain > least:
        return False
    return gain - least >= worth_if_kept([*gains, gain], evenings - 1, prompts, least)
