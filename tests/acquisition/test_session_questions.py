"""Questions and answers as laboratories use them: pending, several, taken back, repeated, threads,
copies."""

import copy
import json
import pickle
import random
import threading

import numpy as np
import pandas as pd
import pytest

from aline_tf.acquisition import RandomPolicy, Session
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.serving.calls.tables import batch_of_tables
from aline_tf.spec import Channel, Parameter, TaskSpec, history_columns
from aline_tf.tasks.psychometric import SPEC, Psychometric

POOL = np.linspace(-5, 5, 21)[:, None]


@pytest.fixture
def model(psychometric_model):
    return psychometric_model


def test_pending_questions_are_not_asked_again_and_are_answered_in_any_order(model):
    session = Session(model, POOL)
    questions = [session.ask(), *session.ask(3), session.ask()]
    indices = [question.index for question in questions]
    assert len(set(indices)) == 5
    assert [question.index for question in session.pending] == indices
    for question in reversed(questions):
        session.tell(question, 1.0)
    assert session.pending == () and session.steps == 5
    assert [answer.index for answer in session.answers] == indices[::-1]
    assert all(answer.was_pending for answer in session.answers)


def test_a_pending_question_is_answered_by_its_design_too(model):
    session = Session(model, POOL)
    question = session.ask()
    session.tell(question.design, 0.0)
    assert session.pending == () and session.answers[0].index == question.index


def test_looking_is_not_asking(model):
    session = Session(model, POOL)
    seen = session.ask(2, remember=False)
    assert session.pending == ()
    assert [q.index for q in session.ask(2)] == [q.index for q in seen]


def test_pending_questions_say_nothing_of_the_posterior(model):
    session = Session(model, POOL)
    before = session.posterior()
    session.ask(4)
    assert session.posterior() == before


def test_a_released_question_can_be_asked_again(model):
    session = Session(model, POOL, repeats=False)
    first, second = session.ask(2)
    session.release(first)
    assert session.ask().index == first.index
    session.release()
    assert session.pending == ()
    with pytest.raises(InputError, match="expected a pending question"):
        session.release(second)


def test_more_questions_than_candidates_are_refused_and_none_is_left_pending(model):
    session = Session(model, POOL[:3])
    with pytest.raises(InputError, match="3 pending questions and an exhausted pool"):
        session.ask(4)
    assert session.pending == ()
    for count in (0, -1, 1.5, True, "2"):
        with pytest.raises(InputError, match="number of questions"):
            session.ask(count)


@pytest.mark.parametrize("repeats", [True, False, None])
@pytest.mark.parametrize("seed", range(4))
def test_undo_is_the_inverse_of_tell_whatever_was_done_before(model, seed, repeats):
    rng = random.Random(seed)
    session = Session(model, POOL, policy="random", repeats=repeats)
    trail = []
    for _ in range(25):
        if rng.random() < 0.4:
            session.ask()
        elif session.pending and rng.random() < 0.5:
            trail.append(session.to_json())
            session.tell(rng.choice(session.pending), rng.choice([0, 1, None]))
        elif rng.random() < 0.3:
            trail.append(session.to_json())
            session.tell([rng.uniform(-5, 5)], 1)
        # Only what was told is taken back here.
        while trail and rng.random() < 0.2 and not session.pending:
            session.undo()
            assert session.to_json() == trail.pop()
    while session.steps:
        session.release()
        session.undo()
    assert session.batch()["context_mask"].sum() == 0
    session.release()
    assert session.batch()["candidate_mask"].all()
    with pytest.raises(InputError, match="expected an answer to take back"):
        session.undo()


def test_a_mistyped_answer_is_corrected(model):
    session = Session(model, POOL)
    question = session.ask()
    session.tell(question, 1)
    assert session.undo().outcome == [1.0]
    assert session.pending[0].index == question.index
    session.tell(question, 0)
    other = Session(model, POOL)
    other.tell(question.index, 0)
    assert session.posterior() == other.posterior()


def test_few_levels_repeat_once_all_were_answered_and_it_is_said_once(model):
    session = Session(model, POOL[:4])
    for _ in range(4):
        session.tell(session.ask(), 1)
    with pytest.warns(UserWarning, match="they are asked again"):
        session.tell(session.ask(), 0)
    for _ in range(4):
        session.tell(session.ask(), 0)
    assert session.steps == 9


def test_with_repeats_an_answered_candidate_stays(model):
    session = Session(model, POOL, repeats=True)
    for _ in range(3):
        session.tell(7, 1)
    assert session.batch()["candidate_mask"].all()
    once = Session(model, POOL, repeats=False)
    once.tell(7, 1)
    with pytest.raises(InputError, match="still in the pool"):
        once.tell(7.0, 1)


def test_another_pool_knows_what_was_answered_and_counts_anew(model):
    session = Session(model, POOL)
    session.tell(3, 1)
    asked = session.ask()
    with pytest.raises(InputError, match="no pending question when the pool changes"):
        session.set_candidates(POOL[::-1])
    session.release(asked)
    session.set_candidates(POOL[::-1])
    assert not session.batch()["candidate_mask"][0, 17]
    session.tell(3, 0)
    np.testing.assert_array_equal(session.answers[-1].design, POOL[17].astype(np.float32))
    assert list(session.history["pool"]) == [0, 1]
    with pytest.raises(InputError, match="question of the present pool"):
        session.tell(asked._replace(index=0), 1)
    again = Session.from_json(session.to_json(), model)
    for one in (session, again):
        one.undo()
        one.undo()
        assert one.batch()["candidate_mask"].all()


@pytest.mark.parametrize("way", [3, 3.0, np.int64(3), np.float32(3), np.array(3), np.array(3.0)])
def test_one_index_in_every_spelling(model, way):
    session = Session(model, POOL)
    session.tell(way, 1)
    assert session.answers[0].index == 3


@pytest.mark.parametrize("way", [3.5, True, np.bool_(True), "3", None, float("nan"), np.inf])
def test_what_is_no_index_is_refused_in_a_sentence(model, way):
    session = Session(model, POOL)
    with pytest.raises(InputError, match="expected the index of a candidate, a whole number"):
        session.tell(way, 1)
    assert session.steps == 0


def test_tables_are_read_by_the_names_of_their_columns(model):
    table = pd.DataFrame({"stimulus": POOL[:, 0]})
    session = Session(model, table)
    np.testing.assert_array_equal(session.candidates, POOL.astype(np.float32))
    for row in (table.iloc[2], {"stimulus": POOL[2, 0]}, table.iloc[[2]], POOL[2]):
        session.tell(row, 1)
        assert session.answers[-1].design == np.float32(POOL[2, 0])
    for wrong in ({"x": [1.0]}, {"stimulus": [1.0], "x": [1.0]}, {}):
        with pytest.raises(InputError, match="candidates with the columns stimulus; received"):
            Session(model, pd.DataFrame(wrong))
    with pytest.raises(InputError, match="expected candidates of numbers"):
        Session(model, pd.DataFrame({"stimulus": ["1", "2"]}))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: Session(m, POOL).tell(0, "1"), "outcome of numbers; received '1'"),
        (lambda m: Session(m, POOL).tell(0, 1e300), "expected outcome up to"),
        (
            lambda m: Session(m, POOL, known={"threshold": 99}),
            "threshold from -3 to 3",
        ),
        (lambda m: Session(m, POOL, known={"lapse": "0.1"}), "finite values.*lapse='0.1'"),
        (lambda m: Session(m, POOL, known=["lapse"]), "known as a dict"),
        (lambda m: Session(m, POOL, cost_weight=float("nan")), "finite cost_weight; received nan"),
        (lambda m: Session(m, POOL, costs=[np.nan] * 21), "21 finite costs"),
        (lambda m: Session(m, POOL, repeats="no"), "repeats True, False or None"),
        (lambda m: Session(m, POOL, target="threshold, slope"), " slope"),
    ],
)
def test_numbers_that_cannot_be_meant_are_one_sentence(model, call, message):
    with pytest.raises(InputError, match=message):
        call(model)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: Session(m, np.ma.array(POOL, mask=POOL > 4)),
        lambda m: Session(m, POOL, costs=np.ma.array(np.ones(21), mask=True)),
        lambda m: Session(m, POOL, known={"lapse": np.ma.masked}),
        lambda m: Session(m, POOL).tell(0, np.ma.masked),
        lambda m: Session(m, POOL).tell(np.ma.masked, 1),
        lambda m: Session(m, POOL).predict(np.ma.array(POOL, mask=True)),
        lambda m: Session(m, POOL).log_prob({"slope": np.ma.array([1.0], mask=[True])}),
    ],
)
def test_what_is_masked_is_not_read(model, call):
    with pytest.raises(InputError, match="masked"):
        call(model)


@pytest.mark.parametrize("name", ["refine", "rescale", "repeats", "strict"])
@pytest.mark.parametrize("value", [0, 1, "no", [], 0.0])
def test_a_flag_is_true_or_false_and_no_number(model, name, value):
    with pytest.raises(InputError, match=f"expected {name} .*True.*; received"):
        Session(model, POOL, **{name: value})


def test_flags_of_numpy_are_those_of_python(model):
    session = Session(model, POOL, repeats=np.False_, refine=np.True_, strict=np.bool_(True))
    again = Session.from_json(session.to_json(), model)
    assert session.repeats is False and again.repeats is False
    with pytest.raises(InputError, match="the range of designs"):
        again.tell([7.0], 1)
    for wrong in ({"remember": "no"}, {"gain": 1}):
        with pytest.raises(InputError, match="True or False"):
            session.ask(**wrong)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble, np.int8])
def test_every_kind_of_number_is_read_without_a_word(model, kind, recwarn):
    session = Session(model, np.array([[1], [2]], kind), costs=np.array([1, 2], kind))
    session.tell(kind(1), kind(1))
    assert session.answers[0].design == 2.0 and session.candidates.dtype == float
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_a_pool_is_not_changed_in_passing(model):
    costs, candidates, targets = np.ones(21), POOL.copy(), POOL[:2].copy()
    session = Session(model, candidates, costs=costs, target_designs=targets)
    for own in (costs, candidates, targets):
        own[:] = 3.0
    assert session.costs.sum() == 21 and session.candidates[0] == -5 == session.target_designs[0]
    for array in (session.costs, session.candidates, session.target_designs):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3.0


def test_values_by_name_come_from_a_series_too(model):
    known = pd.Series({"lapse": 0.02, "guess": 0.5})
    session = Session(model, POOL, known=known)
    assert session.known == {"lapse": 0.02, "guess": 0.5}
    assert not session.done(sd=pd.Series({"slope": 1e-3}))
    twice = pd.Series([0.1, 0.2], index=["lapse", "lapse"])
    for wrong in (twice, [], 0, pd.DataFrame({"lapse": [0.1]}), {"guess": True}):
        with pytest.raises(InputError, match=r"expected .*; received"):
            Session(model, POOL, known=wrong)


@pytest.mark.parametrize("wrong", ["psychometric", None, ALINE, SPEC])
def test_what_is_no_model_is_refused_in_a_sentence(model, wrong):
    with pytest.raises(InputError, match="expected a model"):
        Session(wrong, POOL)
    with pytest.raises(InputError, match="expected a model"):
        Session.from_json(Session(model, POOL).to_json(), wrong)


@pytest.mark.parametrize("wrong", [3, Psychometric, object()])
def test_what_is_no_task_is_refused_in_a_sentence(model, wrong):
    with pytest.raises(InputError, match="expected a Task, or the name of one"):
        Session(model, POOL, task=wrong)


@pytest.mark.parametrize("wrong", [0, 3.5, {"slope": False}, b"slope"])
def test_a_target_is_names(model, wrong):
    with pytest.raises(InputError, match="expected a target of names among threshold, slope"):
        Session(model, POOL, target=wrong)


def test_nothing_left_to_learn_is_said(model):
    with pytest.warns(UserWarning, match="nothing is left to learn: lapse given as known"):
        session = Session(model, POOL, target="lapse", known={"lapse": 0.1})
    session.retarget("lapse,slope")
    session.retarget("lapse", POOL[:1])


@pytest.mark.parametrize("name", ["trial", "index", "time", "y", "design_time"])
def test_every_column_of_a_history_is_there_whatever_it_is_called(name):
    spec = TaskSpec(
        "named",
        (name, "design_time" if name == "time" else "other"),
        (0.0, 0.0),
        (1.0, 1.0),
        (Channel("y"), Channel("time")),
        (Channel("y"),),
        (Parameter("a"),),
        5,
    )
    small = ALINE(spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    session = Session(small, [[0.25, 0.5]])
    session.tell(0, [3.0, 4.0])
    designs, fields = history_columns(spec)
    row = session.history.iloc[0]
    assert list(row[designs]) == [0.25, 0.5] and list(row[fields]) == [3.0, 4.0]
    assert row["trial"] == 1 and row["index"] == 0 and row["answered"]
    assert row["time"] == session.answers[0].time
    batch = batch_of_tables(spec, session.history)
    assert batch["context_design"][0].tolist() == [[0.25, 0.5]]
    assert batch["context_outcome"][0].tolist() == [[3.0, 4.0]]


def test_an_outcome_out_of_all_proportion_is_refused():
    from aline_tf.tasks.gp import GP1D

    other = ALINE(
        GP1D().spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
    )
    other.build()
    session = Session(other, POOL)
    with pytest.raises(InputError, match="times its scale"):
        session.tell(3, 1e20)
    session.tell(3, 1e6)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_goes_its_own_way(model, copied):
    session = Session(model, POOL)
    session.tell(session.ask(), 1)
    session.ask()
    before = session.to_json()
    other = copied(session)
    assert other.to_json() == before and other.model is model
    other.tell(other.ask(), 0)
    other.tell(other.pending[0], 0)
    assert session.to_json() == before


def test_a_pickle_is_the_session_with_its_model(model):
    session = Session(model, POOL, target="slope", known={"lapse": 0.1})
    session.tell(session.ask(), 1)
    again = pickle.loads(pickle.dumps(session))
    assert again.to_json() == session.to_json()
    assert again.posterior()["slope"].mean == pytest.approx(session.posterior()["slope"].mean)
    assert again.ask().index == session.ask().index


# Somebody who always says yes is a misfit, and the session says so; here it is about threads.
@pytest.mark.filterwarnings("ignore::aline_tf.errors.MisfitWarning")
def test_threads_share_a_session(model):
    session = Session(model, np.linspace(-5, 5, 80)[:, None], policy="random")
    asked, wrong = [], []

    def station():
        try:
            for _ in range(10):
                question = session.ask()
                asked.append(question.index)
                session.tell(question, 1)
                session.posterior()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=station) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert session.steps == 60 and len(set(asked)) == 60 and session.pending == ()
    times = session.history["time"]
    assert times.is_monotonic_increasing


def test_interleaved_sessions_on_one_model_do_not_mix(model):
    alone, first, second = (Session(model, POOL) for _ in range(3))
    for outcome in (1, 0, 1):
        alone.tell(alone.ask(), outcome)
        question, other = first.ask(), second.ask()
        second.tell(other, 1 - outcome)
        first.tell(question, outcome)
    assert first.posterior() == alone.posterior()


def test_history_is_a_table_with_times(model):
    session = Session(model, POOL, known={"lapse": 0.1})
    assert len(session.history) == 0
    session.tell(4, 1)
    session.tell([0.3], None)
    table = session.history
    assert list(table.columns) == [
        *("trial", "stimulus", SPEC.fields[0].name, "answered", "index", "pool", "time")
    ]
    assert table["index"].isna().tolist() == [False, True]
    assert table["answered"].tolist() == [True, False]
    assert str(table["time"].dt.tz) == "UTC" and table["time"].is_monotonic_increasing
    assert "2 answers, 0 pending, 20 of 21" in repr(session) and "lapse=0.1" in repr(session)
    again = Session.from_json(session.to_json(), model).history
    assert abs((again["time"] - table["time"]).dt.total_seconds()).max() <= 1.0


def test_a_policy_that_does_not_heed_what_is_known_says_so(model):
    with pytest.warns(UserWarning, match="chooses as if lapse were not known"):
        Session(model, POOL, known={"lapse": 0.1}, policy="gp-us")
    Session(model, POOL, known={"lapse": 0.1}, policy="ace-us")


class TestState:
    def test_pending_pools_and_indices_travel(self, model):
        session = Session(model, POOL, repeats=True)
        session.tell(session.ask(), 1)
        session.ask(2)
        again = Session.from_json(session.to_json(), model)
        assert again.to_json() == session.to_json()
        assert {q.index for q in again.pending} == {q.index for q in session.pending}
        assert again.repeats is True

    def test_another_model_is_refused_unless_it_is_meant(self, model, make_psychometric):
        session = Session(model, POOL)
        session.tell(3, 1)
        other = make_psychometric(5)
        with pytest.raises(InputError, match="fingerprint"):
            Session.from_json(session.to_json(), other)
        again = Session.from_json(session.to_json(), other, force=True)
        assert again.steps == 1

    def test_a_state_without_indices_still_loads_and_can_be_undone(self, model):
        session = Session(model, POOL)
        session.tell(3, 1)
        session.tell([0.123], 0)
        state = json.loads(session.to_json())
        for name in ("version", "weights", "pending", "repeats", "pool"):
            del state[name]
        for token in state["context"]:
            for name in ("index", "pool", "was_pending", "time"):
                del token[name]
        again = Session.from_json(json.dumps(state), model)
        assert [answer.index for answer in again.answers] == [3, None]
        assert again.history["time"].isna().all()
        again.undo()
        again.undo()
        assert again.batch()["candidate_mask"].all()

    def test_an_entry_that_comes_twice_is_refused(self, model):
        text = Session(model, POOL).to_json()
        with pytest.raises(InputError, match="each entry of a session once; received 'price'"):
            Session.from_json(text[:-1] + ', "price": 3.0}', model)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"pending": [99]}, "pending index from 0 to 20"),
            ({"pending": [1, 1]}, "each pending index once"),
            ({"pool": -1}, "expected pool from 0"),
            ({"left": [1] * 21}, "21 flags"),
            ({"repeats": "yes"}, "repeats true, false or null"),
            ({"price": float("nan")}, "finite cost_weight"),
            ({"costs": [float("inf")] * 21}, "21 finite costs"),
            ({"candidates": [["1"]] * 21}, "candidates of numbers"),
            ({"known": {"lapse": 7}}, "known lapse from 0 to 0.5"),
            ({"target": None}, "."),
            ({"token": {"index": 2.5}}, "index as a whole number"),
            ({"token": {"index": 21}}, "index from 0 to 20"),
            ({"token": {"time": "yesterday"}}, "JSON of a session"),
            ({"token": {"time": "2026-01-01T00:00:00"}}, "offset from UTC"),
            ({"token": {"outcome": ["1"]}}, "outcome of numbers"),
            ({"token": {"status": [True]}}, "status of 0, 1 or 2"),
            ({"token": {"design": [float("nan")]}}, "finite design"),
            ({"token": {"was_pending": 1}}, "was_pending true or false"),
            ({"token": {"design": [1.25]}}, "design of candidate 3"),
            ({"token": {"status": [0]}}, "a field that was observed"),
            ({"left": [True] * 21}, "'left' to be false of candidate 3"),
            ({"known": None}, "known as names"),
            ({"costs": None}, "costs as a list"),
            ({"context": {}}, "context as a list"),
            ({"pending": {}}, "pending as a list"),
            ({"repeats": 0}, "repeats true, false or null"),
            ({"rescale": 0}, "rescale true, false or 'auto'"),
        ],
    )
    def test_every_number_is_checked_on_reading(self, model, change, message):
        session = Session(model, POOL)
        session.tell(3, 1)
        state = json.loads(session.to_json())
        state["context"][0] |= change.pop("token", {})
        if change == {"target": None}:
            state["target"] = [3]
        else:
            state |= change
        with pytest.raises(InputError, match=message):
            Session.from_json(json.dumps(state), model)


def test_a_random_policy_given_as_an_object_is_pickled_with_its_session(model):
    session = Session(model, POOL, policy=RandomPolicy(3))
    assert pickle.loads(pickle.dumps(session)).ask().index == session.ask().index


class TestWarmUp:
    def test_it_says_what_will_be_needed_and_changes_nothing(self, model):
        told = []

        class Compiles(Wrapped):
            def warm_up(self, *arguments):
                told.append(arguments)

        session = Session(
            Compiles(model), POOL, target="slope", target_designs=POOL[:2], refine=False
        )
        before = session.to_json()
        session.warm_up(40, [1, 50])
        session.warm_up()
        assert told == [(40, 21, 2, [1, 50]), (SPEC.horizon, 21, 2, [])]
        assert session.to_json() == before and not session.pending

    def test_what_is_untaught_is_ready_too_and_nothing_is_said(self, model, recwarn):
        session = Session(model, POOL)
        session.warm_up(predictions=[3])
        assert not recwarn.list

    @pytest.mark.parametrize("wrong", [(0,), (2.5,), ("x",), (None, [0]), (None, ["x"]), (True,)])
    def test_a_number_is_whole(self, model, wrong):
        with pytest.raises(InputError, match="a number, 1 or more; received"):
            Session(model, POOL).warm_up(*wrong)


class Wrapped:
    def __init__(self, model):
        self._model = model

    @property
    def spec(self):
        return self._model.spec

    def __getattr__(self, name):
        if name == "_model":
            raise AttributeError(name)
        return getattr(self._model, name)
