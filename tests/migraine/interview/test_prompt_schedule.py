"""When to prompt: against every plan there is, and in the limits where the answer is known."""

import itertools

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.interview.prompt_schedule import ask_now, worth_if_kept


def best_value(gains, evenings, prompts, least):
    """The value of the best policy, by going through every sequence of gains that may come."""

    def value(n, k):
        if not n or not k:
            return 0.0
        return np.mean([max(g - least + value(n - 1, k - 1), value(n - 1, k)) for g in gains])

    return value(evenings, prompts)


@pytest.mark.parametrize("seed", range(6))
def test_a_kept_prompt_is_worth_what_the_best_plan_makes_of_it(seed):
    draws = np.random.default_rng(seed)
    gains, least = draws.exponential(0.01, 4).tolist(), 0.003
    for evenings, prompts in itertools.product(range(4), range(1, 4)):
        expected = best_value(gains, evenings, prompts, least)
        expected -= best_value(gains, evenings, prompts - 1, least)
        found = worth_if_kept(gains, evenings, prompts, least)
        # With a prompt for every evening none is kept for later.
        assert found == pytest.approx(expected if prompts <= evenings else 0.0, abs=1e-12)


def test_following_it_tells_more_than_the_same_number_at_fixed_times():
    draws = np.random.default_rng(0)
    scheduled, fixed, sent = 0.0, 0.0, 0
    for _ in range(200):
        gains = draws.exponential(0.01, 35)
        past, left = gains[:7].tolist(), 3
        for evening, gain in enumerate(gains[7:14]):
            if ask_now(gain, past, 7 - evening, left, 0.0):
                scheduled, left, sent = scheduled + gain, left - 1, sent + 1
        fixed += gains[7:14:2][:3].sum()
    assert sent / 200 > 2.5
    assert scheduled / sent > 1.3 * fixed / 600


def test_the_last_evening_asks_whatever_is_worth_it():
    assert ask_now(0.004, [0.5, 0.9], evenings=1, prompts=1, least=0.003)
    assert not ask_now(0.002, [0.5, 0.9], evenings=1, prompts=1, least=0.003)
    assert not ask_now(0.004, [0.5, 0.9], evenings=5, prompts=1, least=0.003)
    assert ask_now(0.004, [0.5, 0.9], evenings=5, prompts=5, least=0.003)
    assert not ask_now(1.0, [0.5], evenings=5, prompts=0, least=0.0)
    assert not ask_now(float("nan"), [0.5], evenings=5, prompts=2, least=0.0)


@pytest.mark.parametrize(
    "arguments", [([], 3, 1), ([float("nan")], 3, 1), ([1.0], -1, 1), ([1.0], 3, 0)]
)
def test_what_cannot_be_meant(arguments):
    with pytest.raises(InputError, match="expected gains"):
        worth_if_kept(*arguments, least=0.0)
