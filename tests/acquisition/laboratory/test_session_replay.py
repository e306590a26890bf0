"""A session is seen again as it was, and a moving picture has a frame for each of its states."""

import io

import numpy as np
import pytest
from PIL import Image

from aline_tf.acquisition import Session
from aline_tf.acquisition.laboratory import animate, plot_queries, replay
from aline_tf.errors import InputError
from tests.acquisition.laboratory.plain_model import PlainModel


def test_states_are_those_that_the_session_was_in():
    session = Session(PlainModel(), np.linspace(-5, 5, 21)[:, None], refine=False)
    seen = [session.posterior()["threshold"].mean]
    for outcome in (1.0, 0.0, 1.0):
        session.tell(session.ask(), outcome)
        seen.append(session.posterior()["threshold"].mean)
    before = session.to_json()
    states = replay(session)
    assert [state.steps for state in states] == [0, 1, 2, 3]
    assert [state.posterior()["threshold"].mean for state in states] == pytest.approx(seen)
    # What was asked next is pending, as it was.
    asked = [answer.index for answer in session.answers]
    assert [[each.index for each in state.pending] for state in states] == [
        *([index] for index in asked),
        [],
    ]
    assert session.to_json() == before


def test_of_nothing_told_there_is_one_state_and_one_frame():
    states = replay(Session(PlainModel(), np.linspace(-5, 5, 21)[:, None], refine=False))
    assert [state.steps for state in states] == [0]
    movie = animate(states, lambda state, figure: plot_queries(state, figure.add_subplot()))
    assert Image.open(io.BytesIO(movie)).size == (480, 256)


def test_a_frame_for_each_state_and_the_last_one_stays():
    def draw(state, figure):
        figure.add_subplot().plot([0, state])

    movie = animate([1, 2, 3], draw, size=(2.0, 1.0), milliseconds=200, dpi=50)
    picture = Image.open(io.BytesIO(movie))
    assert picture.is_animated and picture.n_frames == 3 and picture.size == (100, 50)
    stays = []
    for frame in range(3):
        picture.seek(frame)
        stays.append(picture.info["duration"])
    assert stays == [200, 200, 600]
    assert animate([1, 2, 3], draw, size=(2.0, 1.0), milliseconds=200, dpi=50) == movie


@pytest.mark.parametrize("wrong", [{"states": []}, {"states": [1], "milliseconds": 0}])
def test_nothing_to_show_is_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        animate(**wrong, draw=lambda state, figure: None)
