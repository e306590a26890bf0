"""The study of plans: all sets are tried, and the recommended one is among them."""

import numpy as np

from aline_tf.migraine.evaluation import planning
from aline_tf.migraine.evaluation.planning import Tried, share_text, tried_options


def test_a_person_is_planned_for_and_every_set_tried(compiled_model, monkeypatch):
    monkeypatch.setattr(planning, "TWINS", 8)
    monkeypatch.setattr(planning, "EVENINGS", (3,))
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
    assert "gains 45.0 millinats" in text and "90.0% of the best" in text
    assert "100.0% of it in draws it was not found in" in text
