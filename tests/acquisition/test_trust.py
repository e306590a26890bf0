"""A session refines what its model was not taught, or says so once."""

import pickle
import warnings

import numpy as np
import pytest

from aline_tf.acquisition.session import Session
from aline_tf.acquisition.trust import Trust
from aline_tf.errors import InputError, TrustWarning
from aline_tf.models.aline import ALINE
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks import GP1D, Psychometric
from aline_tf.tasks.psychometric import SPEC

POOL = np.linspace(-5, 5, 21)[:, None]
OWN = TaskSpec(
    "own", ("x",), (-5.0,), (5.0,), (Channel("y", "binary"),), (Channel("y", "binary"),),
    (Parameter("a"), Parameter("b")), horizon=4,
)  # fmt: skip


def built(spec):
    model = ALINE(spec, hidden_dim=16, num_layers=1, num_heads=2, intermediate_dim=16)
    model.build()
    return model


@pytest.fixture(scope="module")
def model():
    return built(SPEC)


@pytest.fixture(scope="module")
def own():
    return built(OWN)


def test_ten_refusals_leave_the_prior(model):
    session = Session(model, POOL)
    for index in range(10):
        session.tell(index, None)
    threshold = session.posterior()["threshold"]
    assert threshold.mean == pytest.approx(0.0, abs=0.1)
    assert threshold.sd == pytest.approx(3.0**0.5, rel=0.03)


def test_a_refusal_is_hidden_from_a_policy_that_never_met_one(model):
    asked, never = Session(model, POOL), Session(model, POOL)
    asked.tell(3, None)
    assert not asked.batch()["context_mask"].any()
    index = asked.ask().index
    batch = never.batch()
    batch["candidate_mask"][0, 3] = False
    assert index == int(np.argmax(model.candidate_logits(batch)))


def test_known_parameters_and_joints_are_refined_and_equal_states_agree(model):
    session = Session(model, POOL, known={"lapse": 0.1}, refine="auto")
    plain = Session(model, POOL, known={"lapse": 0.1}, refine=False)
    for each in (session, plain):
        each.tell(3, 1.0)
    assert session.refined() is not None and plain.refined() is None
    again = Session(model, POOL, known={"lapse": 0.1})
    again.tell(3, 1.0)
    assert again.posterior() == session.posterior() != plain.posterior()
    assert Session(model, POOL).refined() is None
    assert Session(model, POOL).refined(joint=True).theta.shape[1] == 4


def test_within_what_is_taught_the_model_answers_unless_asked_otherwise(model):
    session = Session(model, POOL)
    always = Session(model, POOL, refine=True)
    for each in (session, always):
        each.tell(3, 1.0)
    assert session.refined() is None and always.refined() is not None


@pytest.mark.parametrize(
    ("reason", "known", "answers", "word"),
    [
        ("length", None, [1.0] * 5, "longer than the 4 answers"),
        ("missing", None, [1.0, None], "missing"),
        ("known", {"a": 0.5}, [1.0], "given as known"),
    ],
)
def test_without_a_likelihood_each_reason_is_said_once(own, reason, known, answers, word):
    session = Session(own, POOL, known=known)
    for index, answer in enumerate(answers):
        session.tell(index, answer)
    with pytest.warns(TrustWarning, match=word):
        session.posterior()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.posterior()
        assert Session(own, POOL, known=known, refine=False).posterior()


def test_what_cannot_be_refined_is_refused(model, own):
    with pytest.raises(InputError, match=r"refine=True.*received none"):
        Session(own, POOL, refine=True)
    with pytest.raises(InputError, match=r"'own'.*psychometric"):
        Session(own, POOL, task=Psychometric())
    with pytest.raises(InputError, match="received 'perhaps'"):
        Session(model, POOL, refine="perhaps")


def test_a_task_is_found_by_name_and_by_the_models_own(model):
    assert isinstance(Trust(model, "psychometric").task, Psychometric)
    assert isinstance(Trust(model).task, Psychometric)
    with pytest.raises(InputError, match="specification"):
        Trust(model, GP1D())


def test_a_trust_travels_without_its_graphs(model):
    session = Session(model, POOL, known={"lapse": 0.1})
    session.tell(3, 1.0)
    session.posterior()
    again = pickle.loads(pickle.dumps(session))
    assert again.posterior() == session.posterior()


@pytest.mark.parametrize(
    ("bounds", "name", "edge", "beyond"),
    [
        (None, "lapse", 0.0, -1e-9),
        (None, "lapse", 0.5, 0.5 + 1e-7),
        (None, "guess", 0.9, 0.9 + 1e-7),
        ((0, 70), "threshold", 56.0, 56.0 + 1e-6),
        ((-1e4, 3), "slope", 100.03, 100.03 - 1e-5),
    ],
)
def test_a_known_value_that_rounding_put_outside_is_its_bound(model, bounds, name, edge, beyond):
    """Outside of its support a prior is nothing, and what is left of a posterior is noise."""
    found = []
    for value in (edge, beyond):
        pool = POOL if bounds is None else np.linspace(*bounds, 21)[:, None]
        session = Session(model, pool, known={name: value}, design_bounds=bounds)
        for index in range(0, 21, 4):
            session.tell(index, float(index > 10))
        found.append(session.posterior())
    assert found[0] == found[1]
    assert found[0][name].mean == pytest.approx(edge)
    guess = "lapse" if name == "guess" else "guess"
    assert 0.03 < found[0][guess].sd < 0.25
