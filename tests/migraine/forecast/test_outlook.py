"""The outlook: what it counts."""

from dataclasses import replace

import numpy as np

from aline_tf.migraine.schema.channels import FIELD_INDEX, places


def test_days_are_counted_by_what_was_recorded(example_outlook):
    history = example_outlook.history
    status = np.zeros_like(history.status)
    bare = replace(example_outlook, history=replace(history, status=status))
    assert (bare.days_recorded, bare.silent_days) == (0, len(history.dates))
    assert bare.attack_days == (0, 0)
    status[:, FIELD_INDEX["menstrual_window"]] = 1
    assert bare.days_recorded == 0
    status[-4, FIELD_INDEX["stress_1"]] = 1
    assert (bare.days_recorded, bare.silent_days) == (1, 3)


def test_attack_of_today_is_seen(example_outlook):
    history = example_outlook.history
    values = history.values.copy()
    values[-1, places("attack")[2]] = 1.0
    during = replace(example_outlook, history=replace(history, values=values))
    assert any(during.attacks_today)
    assert not any(example_outlook.attacks_today)


def test_shown_questions_are_among_all_of_them(example_outlook):
    assert len(example_outlook.next_candidates) == 3
    assert set(example_outlook.next_candidates) <= set(example_outlook.valued_candidates)
