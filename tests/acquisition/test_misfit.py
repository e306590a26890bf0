"""A word about a subject that the model cannot describe."""

import warnings

import numpy as np
import pytest

from aline_tf.acquisition.misfit import THRESHOLD, covers, prequential_p_value
from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError, MisfitWarning, RangeWarning
from aline_tf.models.aline import ALINE
from aline_tf.tasks import CES, GP1D, Psychometric

POOL = np.linspace(-5, 5, 200)[:, None]


@pytest.fixture(scope="module")
def model():
    return ALINE.from_preset("psychometric")


def told(model, answer, count=30, **settings):
    """A session of random stimuli answered by `answer(stimulus, rng)`."""
    session, rng = Session(model, POOL, **settings), np.random.default_rng(1)
    for stimulus in rng.uniform(-5, 5, count):
        session.tell([stimulus], float(answer(stimulus, rng)))
    return session


def chance(stimulus):
    return 0.02 + 0.93 * (1.0 - np.exp(-(10.0 ** min(stimulus / 0.5, 3.0))))


def test_right_predictions_raise_the_alarm_in_one_run_of_a_hundred():
    rng, codes, alarms = np.random.default_rng(0), np.tile([0.0, 1.0], (30, 1)), 0
    for _ in range(1000):
        yes = rng.uniform(0.05, 0.95, 30)
        probability = np.stack([1.0 - yes, yes], 1)
        category = (rng.random(30) < yes).astype(int)
        alarms += (
            prequential_p_value(probability, category, codes, -np.log(probability)) < THRESHOLD
        )
    assert 2 <= alarms <= 20


@pytest.mark.parametrize("settings", [{}, {"refine": False}])
def test_inverted_buttons_are_seen_and_said_once(model, settings):
    session = told(model, lambda x, rng: rng.random() >= chance(x), **settings)
    with pytest.warns(MisfitWarning, match="30 answers surprise the model"):
        fit = session.fit
    assert fit.is_suspect and fit.answers == 30 and fit.exact
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert session.fit == fit and session.posterior()


def test_the_posterior_looks_by_itself(model):
    session = told(model, lambda x, rng: x < 0.0, count=12)
    with pytest.warns(MisfitWarning):
        session.posterior()


def test_a_subject_of_the_task_is_not_suspected(model):
    session = told(model, lambda x, rng: rng.random() < chance(x))
    assert not session.fit.is_suspect and session.fit == session.fit
    assert Session(model, POOL).fit.p_value == 1.0


def test_the_models_own_predictions_see_them_too(model):
    from aline_tf.acquisition.misfit import fit_of

    wrong = told(model, lambda x, rng: x < 0.0)
    right = told(model, lambda x, rng: rng.random() < chance(x))
    assert fit_of(model, wrong.batch()).is_suspect
    assert not fit_of(model, right.batch()).is_suspect and not fit_of(model, right.batch()).exact


def test_a_wrong_unit_of_a_continuous_outcome_is_seen():
    model = ALINE.from_preset("gp1d")
    places = np.linspace(-4.0, 4.0, 9)
    # By default such a session finds the scale in the answers.
    good, bad = (Session(model, places[:, None], rescale=False) for _ in range(2))
    for index, place in enumerate(places):
        good.tell(index, np.sin(place))
        if index == 0:
            with pytest.warns(RangeWarning, match="expected y from"):
                bad.tell(index, 100.0 * np.sin(place))
        else:
            bad.tell(index, 100.0 * np.sin(place))
    assert not good.fit.is_suspect
    with pytest.warns(MisfitWarning):
        assert bad.fit.is_suspect


def test_looks_share_what_may_be_wrong_in_a_session(model, monkeypatch):
    """Whoever reads the posterior after every answer is warned no more often than who does once."""
    from aline_tf.acquisition.trust import Trust

    looks = []
    monkeypatch.setattr(
        Trust, "fit", lambda self, batch, threshold: looks.append((self._watched, threshold))
    )
    often, once, silent = Session(model, POOL), Session(model, POOL), Session(model, POOL)
    silent._trust.refine = False
    for index in range(60):
        often.tell(index, 1.0)
        often._trust.watch(often.batch())
    assert [answers for answers, _ in looks] == [10, 20, 30, 40, 50, 60]
    np.testing.assert_allclose([share for _, share in looks], THRESHOLD / 3)
    looks.clear()
    for session in (once, silent):
        for index in range(30):
            session.tell(index, 1.0)
        for _ in range(2):
            session._trust.watch(session.batch())
    assert looks == [(30, pytest.approx(THRESHOLD))]


def test_what_is_not_covered_is_refused():
    assert covers(Psychometric.spec) and covers(GP1D().spec) and not covers(CES().spec)
    model = ALINE(CES().spec, num_layers=1)
    model.build()
    with pytest.raises(InputError, match="one binary or continuous outcome"):
        _ = Session(model, np.zeros([3, 6])).fit
