"""The study of plans: all sets are tried, and the recommended one is among them."""

import numpy as np

from aline_tf.migraine.evaluation.studies import planning
from aline_tf.migraine.evaluation.studies.planning import (
    Tried,
    affordable_sets,
    share_text,
    tried_options,
)
from aline_tf.migraine.forecast.plan import Gain


def test_a_person_is_planned_for_and_every_set_tried(compiled_model, monkeypatch):
    for twins in ("TWINS", "TRIED_ON", "JUDGED_ON"):
        monkeypatch.setattr(planning, twins, 8)
    monkeypatch.setattr(planning, "tried_options", lambda: tried_options()[:3])
    found = planning.try_all(compiled_model, 2, 1, lambda line: None)
    assert len(found) == 2
    for tried in found:
        assert tried.recommended <= tried.best + 1e-9 and tried.size <= 3
        assert np.isfinite(tried.crossed)


def test_options_that_are_tried_share_no_field():
    fields = [field for option in tried_options() for field in option.fields]
    assert len(fields) == len(set(fields))


def test_shares_are_of_mean_gains():
    text = share_text([Tried(0.09, 0.1, 0.095, 2), Tried(0.0, 0.0, -0.005, 1)])
    assert "gains 45.0 millinats" in text
    assert "90.0% (90% interval 90.0 to 90.0) of the best of its cost where that was" in text
    assert "100.0% (90% interval 0.0 to 100.0) of it in draws it was not found in" in text


def test_the_best_is_looked_for_among_all_sets_that_cost_no_more():
    options = tried_options()
    assert len(affordable_sets(options, 10.0)) == 64
    assert affordable_sets(options, 0.0) == [()]
    cheap = affordable_sets(options, 1.3)
    assert {sum(o.cost for o in chosen) <= 1.3 for chosen in cheap} == {True}
    assert len(cheap) == len(set(cheap)) == 4 + 4 * 3


class Table:
    """Scores that are known beforehand, a row of gains a set."""

    def __init__(self, gains):
        self._gains = gains

    def __call__(self, sets):
        return [self.by_twin(chosen) for chosen in sets]

    def by_twin(self, chosen):
        return self._gains[tuple(chosen)]


def test_a_set_that_is_clearly_worse_is_judged_no_further_and_the_advice_always_is():
    first, second, third = tried_options()[:3]
    wave = np.tile([0.0, 0.01], 4)
    tried_on = Table({(first,): 0.1 + wave, (second,): 0.101 + wave[::-1], (third,): -1.0 + wave})
    judged_on = Table({(first,): 0.3 + wave, (second,): 0.1 + wave})
    sets = [(first,), (second,), (third,)]
    found = planning._compared(tried_on, judged_on, sets, Gain((first,), 0, 0, 0, 0, 1))
    assert np.isclose(found.recommended, 0.205) and np.isclose(found.best, 0.205)
    judged_on = Table({(second,): 0.1 + wave, (third,): 9.0 + wave, (first,): wave})
    found = planning._compared(tried_on, judged_on, sets, Gain((third,), 0, 0, 0, 0, 1))
    assert np.isclose(found.recommended, (-0.995 + 9.005) / 2) and found.best == found.recommended
