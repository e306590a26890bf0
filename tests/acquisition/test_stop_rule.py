"""When a session is over, and what is no rule to stop by."""

import numpy as np
import pytest

from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.tasks.psychometric import SPEC


@pytest.fixture
def session():
    model = ALINE(SPEC, hidden_dim=16, num_layers=1, num_heads=2, intermediate_dim=16, components=2)
    model.build()
    return Session(model, [[-1.0], [1.0]], repeats=False)


def test_nothing_can_be_gained_where_nothing_is_left_to_ask(session):
    session.tell(0, 1.0)
    assert not session.exhausted and not session.done(gain=-1.0)
    session.tell(1, 0.0)
    assert session.exhausted and session.done(gain=-1.0) and not session.done(trials=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sd": 0.1},
        {"sd": {"threshold": np.nan}},
        {"trials": 0, "sd": {"nothing": 0.1}},
        {"trials": 0, "gain": "much"},
        {"sd": {}},
        {"trials": 0},
        {"trials": -5},
        {"trials": 2.5},
        {"trials": True},
        {"sd": {"slope": 0}},
        {"sd": {"slope": -0.1}},
        {"gain": True},
    ],
)
def test_a_criterion_that_is_none_is_refused_before_any_is_met(session, wrong):
    with pytest.raises(InputError, match=r"expected .*; received"):
        session.done(**wrong)
