"""A panel asks, takes answers and says what is wrong, all of it without a browser."""

import io
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from aline_tf.acquisition import Session
from aline_tf.acquisition.laboratory import SessionPanel, session_picture
from aline_tf.errors import InputError
from aline_tf.spec import Channel, TaskSpec
from tests.acquisition.laboratory.plain_model import PlainModel


@pytest.fixture
def session():
    return Session(PlainModel(), np.linspace(-5, 5, 9)[:, None], "threshold", refine=False)


def buttons(panel):
    return {button.description: button for button in panel.answer_buttons}


def test_a_click_tells_the_outcome_of_the_question_that_is_shown(session):
    panel = SessionPanel(session, answers=("no", "yes"))
    shown = panel.question
    assert f"<b>{shown.design[0]:.4g}</b>" in panel.prompt.value and "Trial 1" in panel.prompt.value
    before = panel.picture.value
    buttons(panel)["yes"].click()
    (answer,) = session.answers
    assert answer.index == shown.index and answer.outcome[0] == 1.0
    assert "Trial 2" in panel.prompt.value and panel.picture.value != before
    assert panel.question.index != shown.index
    assert panel.message.value == ""
    panel.no_answer.click()
    assert session.history["answered"].tolist() == [True, False]


def test_an_answer_is_taken_back_and_its_question_shown_again(session):
    panel = SessionPanel(session)
    assert panel.take_back.disabled
    first = panel.question
    buttons(panel)["0"].click()
    assert not panel.take_back.disabled
    panel.take_back.click()
    assert session.steps == 0 and panel.question.index == first.index
    assert [question.index for question in session.pending] == [first.index]
    panel.undo()
    assert "expected an answer to take back" in panel.message.value


def test_other_targets_are_learned_from_then_on_and_none_is_refused(session):
    panel = SessionPanel(session)
    assert panel.question.design[0] < 0
    panel.targets.value = ("lapse",)
    assert session.target == ("lapse",) and panel.question.design[0] > 0
    panel.targets.value = ()
    assert session.target == panel.targets.value == ("lapse",)
    assert "expected at least one parameter" in panel.message.value
    panel.retarget(["threshold", "lapse"])
    assert panel.targets.value == session.target == ("threshold", "lapse")
    assert panel.message.value == "" and len(session.pending) == 1


def test_what_cannot_be_an_outcome_is_said_and_changes_nothing(session):
    panel = SessionPanel(session)
    shown = panel.question
    panel.answer(0.5)
    assert "expected" in panel.message.value and "0.5" in panel.message.value
    assert session.steps == 0 and panel.question == shown


def test_warnings_are_shown_where_the_experimenter_looks():
    panel = SessionPanel(Session(PlainModel(), [[-7.0], [0.0]], refine=False))
    assert "expected stimulus from -5 to 5" in panel.message.value
    panel.answer(1.0)
    assert panel.message.value == ""


def test_warnings_of_others_go_where_they_go(session, monkeypatch):
    panel = SessionPanel(session)

    def ask():
        warnings.warn("an old name", DeprecationWarning, stacklevel=1)

    monkeypatch.setattr(session, "ask", ask)
    with pytest.warns(DeprecationWarning, match="an old name"):
        panel.answer(1.0)
    assert panel.message.value == ""


def test_when_nothing_is_left_to_ask_nothing_can_be_answered():
    session = Session(PlainModel(), [[-1.0], [1.0]], repeats=False, refine=False)
    panel = SessionPanel(session)
    panel.answer(1.0)
    panel.answer(0.0)
    assert panel.question is None and "every candidate has been asked" in panel.prompt.value
    assert all(button.disabled for button in (*panel.answer_buttons, panel.no_answer))
    panel.answer(1.0)
    assert "received an answer to none" in panel.message.value and session.steps == 2
    panel.undo()
    assert panel.question is not None and not panel.no_answer.disabled


def test_a_number_is_typed_where_outcomes_are_numbers():
    y = Channel("y")
    spec = TaskSpec("line", ("x",), (0.0,), (1.0,), (y,), (y,), (), horizon=3)
    designs = np.linspace(0, 1, 5)[:, None]
    session = Session(PlainModel(spec), designs, target=[], target_designs=designs)
    panel = SessionPanel(session)
    field, tell = panel.answer_buttons
    field.value = 0.7
    tell.click()
    assert session.answers[0].outcome[0] == pytest.approx(0.7)
    assert panel.targets.layout.display == "none"
    assert Image.open(io.BytesIO(panel.picture.value)).format == "PNG"


def test_names_that_do_not_fit_and_several_fields_are_refused(session):
    with pytest.raises(InputError, match="expected 2 names of outcomes; received"):
        SessionPanel(session, answers=("no", "perhaps", "yes"))
    pair = (Channel("a"), Channel("b"))
    names, low, high = ("x", "a", "b"), (0.0,) * 3, (1.0,) * 3
    spec = TaskSpec("two", names, low, high, pair, pair, (), horizon=3)
    two = Session(PlainModel(spec), [[0.0, 1.0, 0.0]], target=[], target_designs=[[0.5, 1.0, 0.0]])
    with pytest.raises(InputError, match="one outcome field; received 2: a, b"):
        SessionPanel(two)


def test_without_ipywidgets_one_sentence_says_what_to_install(session, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(InputError, match=r"pip install 'aline_tf\[notebook\]'"):
        SessionPanel(session)


def test_a_picture_is_that_of_the_session(session):
    before = session_picture(session)
    assert session_picture(session) == before
    session.tell(3, 1)
    assert session_picture(session) != before
