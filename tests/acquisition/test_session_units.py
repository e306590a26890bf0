"""A session in other units: the same session, said in other numbers."""

import copy
import json
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.acquisition import Session, SessionUnits
from aline_tf.errors import InputError, RangeWarning
from aline_tf.models.aline import ALINE
from aline_tf.tasks.gp import GP1D
from aline_tf.tasks.psychometric import SPEC
from aline_tf.units import UnitAdapter
from tests.seeds import seed_weights

POOL = np.linspace(-5, 5, 41)
SIZES = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8, "components": 2}
FUNCTION = 0.7 * np.sin(1.3 * POOL) + 0.2 * np.cos(3.1 * POOL)
scales = st.floats(1e-3, 1e6)
shifts = st.floats(-1e3, 1e3)
few = settings(max_examples=6, deadline=None, derandomize=True)


def built(spec, **options):
    seed_weights(6)
    model = ALINE(spec, **SIZES, **options)
    model.build()
    # An untrained policy has one score for all: these are as different as a trained one's.
    rng = np.random.default_rng(6)
    model.set_weights([w + 0.2 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def yes_no():
    return built(SPEC)


@pytest.fixture(scope="module")
def functions():
    return built(GP1D().spec, relative_position_dim=4, num_processes=3)


def played(session, trials=6):
    """The session after answers that depend on what was asked alone."""
    asked = []
    for _ in range(trials):
        question = session.ask()
        asked.append(question.index)
        session.tell(question, float(question.index % 3 > 0))
    return asked


def told(session, outcome, places=(3, 30, 17, 9, 36)):
    for place in places:
        session.tell(place, outcome[place])
    return session


def assert_moved(found, expected, loc, scale):
    """A `Marginal` is another one in other units."""
    size = 1.0 + abs(loc) / scale
    places = {"mean": loc, "quantiles": loc, "sd": 0.0}
    for name, start in places.items():
        there = (np.array(getattr(found, name)) - start) / scale
        np.testing.assert_allclose(there, getattr(expected, name), rtol=2e-4, atol=3e-6 * size)
    assert found.probability == pytest.approx(expected.probability, abs=1e-4)


class TestStatedBounds:
    @pytest.fixture
    def pair(self, yes_no):
        """One in trained units, one in percent."""
        here = Session(yes_no, POOL[:, None])
        there = Session(yes_no, 10.0 * POOL[:, None] + 50.0, design_bounds=(0, 100))
        return here, there

    def test_the_model_is_asked_the_very_same(self, pair):
        assert played(pair[0]) == played(pair[1])
        for options in ({}, {"predict_designs": None}):
            one, other = (session.batch(**options) for session in pair)
            for name, array in one.items():
                np.testing.assert_array_equal(array, other[name])

    def test_everything_comes_back_in_percent(self, pair):
        for session in pair:
            played(session)
        here, there = pair
        maps = {"threshold": (50, 10), "slope": (0, 10), "guess": (0, 1), "lapse": (0, 1)}
        for name, (loc, scale) in maps.items():
            one, other = here.posterior()[name], there.posterior()[name]
            assert other.mean == loc + scale * one.mean and other.sd == scale * one.sd
            assert other.quantiles == tuple(loc + scale * q for q in one.quantiles)
            one, other = here.quantile([0.1, 0.6])[name], there.quantile([0.1, 0.6])[name]
            np.testing.assert_allclose(other, loc + scale * one, rtol=1e-6)
            one, other = here.entropy()[name], there.entropy()[name]
            assert other == pytest.approx(one + np.log(scale), abs=1e-5)
            at = np.array([0.3, 0.45])
            one = here.log_prob({name: at})
            assert there.log_prob({name: loc + scale * at}) == pytest.approx(one - np.log(scale))
            one, other = here.distributions()[name], there.distributions()[name]
            np.testing.assert_allclose(
                other.log_prob(loc + scale * at), one.log_prob(at) - np.log(scale), atol=1e-4
            )
        assert there.predict([[60.0]]) == here.predict([[1.0]])
        np.testing.assert_array_equal(
            there.expected_gain([[60.0], [20.0]]), here.expected_gain([[1.0], [-3.0]])
        )
        assert there.history["stimulus"].between(0, 100).all()
        assert there.log_prob({"threshold": 3.0}) == -np.inf

    def test_the_refined_joint_too(self, yes_no):
        pool = POOL[:, None]
        here = Session(yes_no, pool, refine=True)
        there = Session(yes_no, 10.0 * pool + 50.0, refine=True, design_bounds=(0, 100))
        for session in (here, there):
            told(session, np.arange(len(pool)) % 2)
        one, other = here.refined(), there.refined()
        np.testing.assert_allclose(other.theta[:, 0], 50 + 10 * one.theta[:, 0], rtol=1e-9)
        np.testing.assert_allclose(other.theta[:, 1], 10 * one.theta[:, 1], rtol=1e-9)
        np.testing.assert_array_equal(other.weight, one.weight)
        assert other.log_evidence == one.log_evidence
        assert_moved(there.posterior()["threshold"], here.posterior()["threshold"], 50, 10)
        theta = {"threshold": 0.5, "slope": 1.0, "guess": 0.5, "lapse": 0.1}
        moved = theta | {"threshold": 55.0, "slope": 10.0}
        expected = here.log_prob(theta) - 2 * np.log(10)
        assert there.log_prob(moved) == pytest.approx(expected, abs=1e-4)
        draws = here.sample(50), there.sample(50)
        np.testing.assert_allclose(draws[1]["threshold"], 50 + 10 * draws[0]["threshold"])

    def test_known_parameters_are_given_in_percent(self, yes_no):
        options = {"refine": False, "policy": "random"}
        here = Session(yes_no, POOL[:, None], known={"threshold": 1.0, "slope": 0.5}, **options)
        there = Session(
            yes_no,
            10.0 * POOL[:, None] + 50.0,
            known={"threshold": 60.0, "slope": 5.0},
            design_bounds=(0, 100),
            **options,
        )
        np.testing.assert_array_equal(here.batch()["known_theta"], there.batch()["known_theta"])
        assert there.posterior()["threshold"].mean == 60.0
        with pytest.raises(InputError, match="a known threshold from 20 to 80; received 10"):
            Session(yes_no, [[50.0]], known={"threshold": 10.0}, design_bounds=(0, 100))

    def test_they_travel_with_the_state(self, pair, yes_no):
        session = pair[1]
        played(session)
        copies = [
            copy.copy(session),
            copy.deepcopy(session),
            pickle.loads(pickle.dumps(session)),
            Session.from_json(session.to_json(), yes_no),
        ]
        for other in copies:
            assert other.units == session.units == UnitAdapter((50.0,), (10.0,))
            assert other.posterior() == session.posterior()
            assert other.ask(remember=False).index == session.ask(remember=False).index

    def test_a_state_without_units_is_in_trained_ones(self, yes_no):
        session = Session(yes_no, POOL[:, None])
        played(session)
        state = json.loads(session.to_json())
        for name in ("units", "rescale", "strict"):
            del state[name]
        again = Session.from_json(json.dumps(state), yes_no)
        assert again.units.is_identity and again.posterior() == session.posterior()

    @pytest.mark.parametrize(
        "damage",
        [
            {"units": {"design_loc": [0.0]}},
            {"units": UnitAdapter((0.0, 0.0), (1.0, 1.0)).to_dict()},
            {"units": UnitAdapter((0.0,), (1.0,)).to_dict() | {"design_scale": [-1.0]}},
            {"rescale": "perhaps"},
            {"strict": 3},
        ],
    )
    def test_units_that_cannot_be_are_refused_on_reading(self, yes_no, damage):
        state = json.loads(Session(yes_no, POOL[:, None]).to_json()) | damage
        with pytest.raises(InputError, match=r"expected .*; received"):
            Session.from_json(json.dumps(state), yes_no)

    @few
    @given(shifts, scales)
    def test_any_affine_map_of_designs_commutes(self, yes_no, shift, scale):
        here = Session(yes_no, POOL[:, None])
        units = UnitAdapter((shift,), (scale,))
        there = Session(yes_no, units.design_from_model(POOL[:, None]), units=units)
        assert played(here, 4) == played(there, 4)
        one, other = here.posterior(), there.posterior()
        assert_moved(other["threshold"], one["threshold"], shift, scale)
        assert_moved(other["slope"], one["slope"], 0.0, scale)
        assert_moved(other["guess"], one["guess"], 0.0, 1.0)
        place = units.design_from_model([[0.7]])
        assert_moved(there.predict(place)[0], here.predict([[0.7]])[0], 0.0, 1.0)

    def test_a_preset_may_keep_them(self, yes_no):
        model = built(SPEC)
        model.units = UnitAdapter((50.0,), (10.0,))
        session = Session(model, [[0.0], [100.0]], strict=True)
        assert session.units == model.units and session.spec.design_high == (100.0,)
        stated = Session(model, [[0.0], [1.0]], design_bounds=(0, 1))
        assert stated.units.design_scale == (0.1,)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"design_bounds": (0, 1), "units": UnitAdapter((0.0,), (1.0,))}, "received both"),
            ({"units": 3}, "units as a UnitAdapter"),
            ({"units": UnitAdapter((0.0,), (1.0,), 5.0)}, "not one continuous number"),
            ({"design_bounds": (1, 0)}, "low < high"),
            ({"rescale": "maybe"}, "rescale to be True"),
            ({"rescale": True}, "outcome is one continuous number"),
            ({"strict": 2}, "strict True or False"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, yes_no, options, message):
        with pytest.raises(InputError, match=f"expected .*{message}"):
            Session(yes_no, POOL[:, None], **options)


class TestUnitsFoundInTheAnswers:
    @few
    @given(shifts, scales, st.integers(0, 3))
    def test_any_affine_map_of_outcomes_commutes(self, functions, shift, scale, seed):
        rng = np.random.default_rng(seed)
        outcome = FUNCTION * rng.uniform(0.5, 1.5) + rng.normal(0, 0.01, len(POOL))
        options = {"target": "", "target_designs": [[0.1], [2.2]]}
        here = told(Session(functions, POOL[:, None], **options), outcome)
        there = told(Session(functions, POOL[:, None], **options), scale * outcome + shift)
        assert here.ask().index == there.ask().index
        for one, other in zip(here.predict([[1.1]]), there.predict([[1.1]]), strict=True):
            assert_moved(
                other._replace(probability=0.0), one._replace(probability=0.0), shift, scale
            )

    @few
    @given(shifts, scales)
    def test_parameters_follow_where_they_are_asked_for_in_any_scale(self, functions, shift, scale):
        here = told(Session(functions, POOL[:, None], rescale=True), FUNCTION)
        there = told(Session(functions, POOL[:, None], rescale=True), scale * FUNCTION + shift)
        one, other = here.posterior(), there.posterior()
        assert_moved(other["variance"], one["variance"], 0.0, scale**2)
        assert_moved(other["lengthscale_1"], one["lengthscale_1"], 0.0, 1.0)
        assert here.ask().index == there.ask().index
        at = one["variance"].mean
        expected = here.log_prob({"variance": at}) - 2 * np.log(scale)
        assert there.log_prob({"variance": at * scale**2}) == pytest.approx(expected, abs=1e-3)

    def test_parameters_of_outcomes_like_those_of_training_are_the_models_own(self, functions):
        own = told(Session(functions, POOL[:, None], rescale=False), FUNCTION)
        session = told(Session(functions, POOL[:, None]), FUNCTION)
        assert session.posterior() == own.posterior()
        assert session.ask().index == own.ask().index
        for factor, shift in ((100.0, 0.0), (1e-3, 0.0), (1.0, 1000.0)):
            moved = told(Session(functions, POOL[:, None]), factor * FUNCTION + shift)
            assert moved.parameter_units != moved.units

    def test_a_known_parameter_in_units_says_which_they_are(self, functions):
        known = {"known": {"variance": 0.5}, "target": "", "target_designs": [[0.0]]}
        session = told(Session(functions, POOL[:, None], **known), FUNCTION)
        assert session.prediction_units == (session.units,) == (session.choice_units,)
        with pytest.raises(InputError, match="no known parameter that is measured in units"):
            Session(functions, POOL[:, None], rescale=True, **known)

    def test_stated_units_come_first(self, functions):
        options = {"target": "", "target_designs": [[0.1]]}
        here = told(Session(functions, POOL[:, None], **options), FUNCTION)
        moved = options | {"target_designs": [[501.0]]}
        there = Session(functions, 10.0 * POOL[:, None] + 500.0, design_bounds=(450, 550), **moved)
        told(there, 7.0 * FUNCTION)
        assert here.ask().index == there.ask().index
        assert_moved(there.predict([[501.0]])[0]._replace(probability=0.0),
                     here.predict([[0.1]])[0]._replace(probability=0.0), 0.0, 7.0)  # fmt: skip

    def test_a_session_goes_on_elsewhere_as_it_was(self, functions):
        options = {"target": "", "target_designs": [[0.1]]}
        session = told(Session(functions, POOL[:, None], **options), 1e5 * FUNCTION + 1e6)
        again = Session.from_json(session.to_json(), functions)
        assert again.predict([[1.0]]) == session.predict([[1.0]])
        assert again.ask().index == session.ask().index
        before = session.predict([[1.0]])
        session.tell(20, 0.0)
        session.undo()
        assert session.predict([[1.0]]) == before

    def test_the_shipped_model_covers_a_function_in_any_unit(self):
        model = ALINE.from_preset("gp1d")
        design, rng = np.linspace(-5, 5, 60)[:, None], np.random.default_rng(3)
        covariance = 0.4 * np.exp(-0.5 * np.square(design - design.T)) + 1e-8 * np.eye(60)
        outcome = np.linalg.cholesky(covariance) @ rng.standard_normal(60)
        outcome += 0.01 * rng.standard_normal(60)
        inside = []
        for factor, shift in ((1.0, 0.0), (1e6, -1000.0), (1e-3, 1000.0)):
            session = Session(model, design, target="", target_designs=design[::3])
            told(session, factor * outcome + shift, places=range(1, 60, 4))
            found = np.array([each.quantiles for each in session.predict(design[::3])])
            truth = factor * outcome[::3] + shift
            inside.append(((truth > found[:, 0]) & (truth < found[:, -1])).mean())
        assert min(inside) > 0.75
        assert np.ptp(inside) < 0.06


class TestTheTrainedRange:
    def test_a_pool_outside_is_warned_of_once_when_it_is_asked(self, yes_no):
        session = Session(yes_no, [[0.0], [40.0], [1.0]], target_designs=[[99.0]])
        with pytest.warns(RangeWarning, match=r"stimulus from -5 to 5, .*received 40 .design_b"):
            session.ask()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session.tell(1, 1.0)
            session.tell([77.0], 1.0)
            session.predict([[88.0]])
            session.ask()

    @pytest.mark.parametrize(
        "use",
        [
            lambda session: session.tell([40.0], 1.0),
            lambda session: session.predict([[40.0]]),
            lambda session: session.expected_gain([[40.0]]),
        ],
    )
    def test_a_design_of_ones_own_is_warned_of(self, yes_no, use):
        with pytest.warns(RangeWarning, match="received 40"):
            use(Session(yes_no, POOL[:, None]))

    def test_the_range_is_said_in_the_sessions_units(self, yes_no):
        session = Session(yes_no, [[0.0], [100.0]], design_bounds=(0, 100))
        with pytest.warns(RangeWarning, match="stimulus from 0 to 100"):
            session.tell([140.0], 1.0)

    def test_a_strict_session_refuses_and_is_as_before(self, yes_no):
        for designs in ({"candidates": [[0.0], [40.0]]}, {"target_designs": [[40.0]]}):
            with pytest.raises(InputError, match="stimulus from -5 to 5"):
                Session(yes_no, **({"candidates": POOL[:, None]} | designs), strict=True)
        session = Session(yes_no, POOL[:, None], strict=True)
        before = session.to_json()
        for use in (
            lambda: session.tell([40.0], 1.0),
            lambda: session.predict([[40.0]]),
            lambda: session.set_candidates([[40.0]]),
            lambda: session.retarget("slope", [[40.0]]),
        ):
            with pytest.raises(InputError, match="stimulus from -5 to 5"):
                use()
        assert session.to_json() == before

    def test_outcomes_are_looked_at_where_they_mean_what_they_say(self, functions):
        session = Session(functions, POOL[:, None], rescale=False)
        with pytest.warns(RangeWarning, match="y from -7.42 to 7.42"):
            session.tell(3, 100.0)
        strict = Session(functions, POOL[:, None], rescale=False, strict=True)
        with pytest.raises(InputError, match=r"received 100 .units"):
            strict.tell(3, 100.0)
        assert strict.steps == 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session.tell(4, 100.0)
            Session(functions, POOL[:, None], strict=True).tell(3, 100.0)

    def test_units_of_a_spec_are_found_without_a_network(self):
        class Bare:
            spec = GP1D().spec

        units = SessionUnits(Bare(), design_bounds=(0, 1))
        assert units.is_rescaled and units.spec.parameters[1].high == pytest.approx(0.2)
