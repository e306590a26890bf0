"""A session: the loop, the change of target, the state that travels."""

import numpy as np
import pytest

from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.tasks.psychometric import SPEC

POOL = np.linspace(-5, 5, 21)[:, None]


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(4)
    network = ALINE(SPEC, width=16, depth=1, heads=2, hidden=16, components=3)
    network.build()
    return network


def test_a_candidate_told_about_leaves_the_pool(model):
    session = Session(model, POOL)
    asked = []
    for _ in range(len(POOL)):
        question = session.ask()
        asked.append(question.index)
        session.tell(question.index, 1.0)
    assert sorted(asked) == list(range(len(POOL)))
    with pytest.raises(InputError, match="exhausted"):
        session.ask()


def test_context_beyond_one_bucket_is_still_read(model):
    session = Session(model, POOL)
    for index in range(17):
        session.tell(index, float(index % 2))
    before = session.posterior()["guess"].mean
    session.tell(17, 1.0)
    assert session.steps == 18
    assert session.posterior()["guess"].mean != before


def test_retargeting_changes_scores_but_not_beliefs(model):
    session = Session(model, POOL, target="threshold,slope")
    session.tell(3, 0.0)
    beliefs, question = session.posterior(), session.ask()
    session.retarget(["guess", "lapse"])
    assert session.target == ("guess", "lapse")
    assert session.posterior() == beliefs
    assert session.ask().score != question.score


def test_the_same_state_elsewhere_asks_the_same_question(model):
    session = Session(
        model, POOL, target="slope", costs=np.linspace(0, 1, 21), price=0.5, known={"lapse": 0.1}
    )
    session.tell(2, 1.0)
    session.tell(5, None)
    session.tell([0.25], 0.0)
    copy = Session.from_json(session.to_json(), model)
    assert copy.ask()._replace(design=None) == session.ask()._replace(design=None)
    assert copy.posterior() == session.posterior()
    assert copy.to_json() == session.to_json()


def test_no_answer_is_an_outcome_of_its_own(model):
    answered, refused = Session(model, POOL), Session(model, POOL)
    empty = answered.posterior()
    answered.tell(4, 0.0)
    refused.tell(4, None)
    assert refused.posterior() != empty
    assert refused.posterior() != answered.posterior()


def test_a_parameter_given_as_known_is_that_value(model):
    session = Session(model, POOL, known={"lapse": 0.1})
    beliefs = session.posterior()
    assert beliefs["lapse"].mean == 0.1 and beliefs["lapse"].sd == 0.0
    assert beliefs["guess"] != Session(model, POOL).posterior()["guess"]


def test_price_moves_the_choice_to_cheap_candidates(model):
    costs = np.where(np.arange(21) == 11, 0.0, 1.0)
    assert Session(model, POOL, costs=costs, price=1e3).ask().index == 11


def test_posterior_agrees_with_its_tfp_distributions(model):
    session = Session(model, POOL)
    session.tell(8, 1.0)
    threshold = session.distributions()["threshold"]
    posterior = session.posterior()["threshold"]
    np.testing.assert_allclose(threshold.mean().numpy()[0], posterior.mean, atol=1e-4)
    np.testing.assert_allclose(
        threshold.cdf(np.float32(posterior.quantiles)).numpy().ravel(),
        posterior.quantile_levels,
        atol=1e-4,
    )


def test_prediction_of_a_yes_is_a_probability(model):
    predictions = Session(model, POOL).predict([[-4.0], [0.0], [4.0]])
    assert len(predictions) == 3
    assert all(0.0 < p.mean < 1.0 and p.probability == p.mean for p in predictions)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.tell(0, float("nan")), "finite outcome"),
        (lambda s: s.tell(0, float("inf")), "finite outcome"),
        (lambda s: s.tell(0, 0.5), "whole number from 0 to 1"),
        (lambda s: s.tell(0, [1.0, 0.0]), "1 outcome fields"),
        (lambda s: s.tell(99, 1.0), "still in the pool"),
        (lambda s: s.tell([0.0, 1.0], 1.0), r"shape \[n, 1\]"),
        (lambda s: s.tell([float("nan")], 1.0), "NaN"),
        (lambda s: s.retarget("treshold"), "treshold"),
        (lambda s: s.retarget([]), "at least one"),
        (lambda s: s.predict([1.0, 2.0]), r"shape \[n, 1\]"),
        (lambda s: Session(s.model, np.zeros((0, 1))), "empty"),
        (lambda s: Session(s.model, POOL, costs=[1.0]), "21 finite costs"),
        (lambda s: Session(s.model, POOL, known={"bias": 1.0}), "bias"),
        (lambda s: Session.from_json("{}", s.model), "JSON of a session"),
        (lambda s: Session.from_json("not json", s.model), "JSON of a session"),
        (
            lambda s: Session.from_json(s.to_json().replace("psychometric", "ces"), s.model),
            "ces",
        ),
    ],
)
def test_bad_input_says_what_was_expected_and_changes_nothing(model, call, message):
    session = Session(model, POOL)
    before = session.to_json()
    with pytest.raises(InputError, match=message):
        call(session)
    assert session.to_json() == before
