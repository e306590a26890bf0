"""What a session knows: quantiles, entropies, joints, gains, and when to stop."""

import numpy as np
import pytest

from aline_tf.acquisition import Session
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.models.frozen import Frozen
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.psychometric import SPEC, Psychometric
from tests.seeds import seed_weights

POOL = np.linspace(-5, 5, 21)[:, None]
EVERY_KIND = TaskSpec(
    name="every",
    design_names=("x",),
    design_low=(0.0,),
    design_high=(1.0,),
    fields=(Channel("y"),),
    outcomes=(Channel("y"),),
    parameters=(
        Parameter("inside", low=-1.0, high=4.0),
        Parameter("anywhere", "real", loc=2.0, scale=3.0),
        Parameter("either", "binary"),
        Parameter("maybe", "spike_slab", scale=2.0),
    ),
    horizon=5,
)


def build(spec):
    seed_weights(4)
    model = ALINE(spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=3)
    model.build()
    return model


@pytest.fixture(scope="module")
def model():
    return build(SPEC)


@pytest.fixture(scope="module")
def session(model):
    session = Session(model, POOL)
    session.tell(8, 1.0)
    session.tell(12, 0.0)
    return session


@pytest.fixture(scope="module")
def every():
    return Session(build(EVERY_KIND), [[0.5]], refine=False)


def test_quantiles_are_where_the_distribution_says(session):
    levels = [0.025, 0.5, 0.975]
    found = session.quantile(levels)
    for name, marginal in session.distributions().items():
        np.testing.assert_allclose(
            marginal.cdf(np.float32(found[name])[:, None]).numpy()[:, 0], levels, atol=1e-4
        )
        np.testing.assert_allclose(marginal.quantile(0.975).numpy()[0], found[name][2], atol=1e-3)
    assert session.quantile(0.5)["slope"] == pytest.approx(found["slope"][1], abs=1e-5)
    for wrong in (0.0, 1.0, float("nan"), "0.5", [[0.5]]):
        with pytest.raises(InputError, match="levels"):
            session.quantile(wrong)


def test_entropies_agree_with_sums_over_a_fine_grid(session):
    found = session.entropy()
    for parameter, marginal in zip(SPEC.parameters, session.distributions().values(), strict=True):
        places = np.linspace(parameter.low, parameter.high, 40001)
        middle = np.float32((places[1:] + places[:-1]) / 2)
        log_p = marginal.log_prob(middle[:, None]).numpy()[:, 0].astype(float)
        exact = -np.sum(np.exp(log_p) * log_p) * (places[1] - places[0])
        assert found[parameter.name] == pytest.approx(exact, abs=2e-3)
        assert marginal.entropy().numpy()[0] == pytest.approx(exact, abs=2e-3)


def test_entropies_of_every_kind(every):
    found, marginals = every.entropy(), every.distributions()
    places = np.float32(np.linspace(-60, 60, 100001))
    log_p = marginals["anywhere"].log_prob(places[:, None]).numpy()[:, 0].astype(float)
    exact = -np.sum(np.exp(log_p) * log_p) * 120 / 100000
    assert found["anywhere"] == pytest.approx(exact, abs=2e-3)
    assert found["either"] == pytest.approx(marginals["either"].entropy().numpy()[0], abs=1e-5)
    draws = every.sample(4000, seed=1)["maybe"].to_numpy()
    log_p = every.log_prob({"maybe": draws})
    assert found["maybe"] == pytest.approx(-log_p.mean(), abs=0.08)


def test_draws_of_one_seed_are_equal_and_honour_what_is_known(model):
    session = Session(model, POOL, known={"lapse": 0.1})
    session.tell(8, 1.0)
    draws = session.sample(50, seed=3)
    assert draws.equals(session.sample(50, seed=3)) and not draws.equals(session.sample(50, 4))
    assert list(draws) == list(SPEC.parameter_names) and (draws["lapse"] == 0.1).all()
    assert draws["threshold"].between(-3, 3).all()
    found = session.log_prob(draws)
    assert found.shape == (50,) and np.isfinite(found).all()
    assert session.entropy()["lapse"] == 0.0 and session.quantile(0.3)["lapse"] == 0.1
    lapse = session.distributions()["lapse"]
    assert lapse.mean().numpy()[0] == np.float32(0.1) and lapse.stddev().numpy()[0] == 0.0
    assert session.log_prob({"lapse": 0.1}) == 0.0
    assert session.log_prob({"lapse": 0.2, "slope": 1.0}) == -np.inf


def test_the_density_is_nothing_outside_of_the_support(session, every):
    marginal = session.distributions()["threshold"]
    inside = session.log_prob({"threshold": 0.4})
    assert inside == pytest.approx(float(marginal.log_prob([0.4])[0]), abs=1e-4)
    found = session.log_prob({"threshold": [-3.0, 3.0, -3.01, 3.01, np.inf]})
    assert np.isfinite(found[:2]).all() and (found[2:] == -np.inf).all()
    assert np.isneginf(marginal.log_prob([3.01])[0])
    assert session.log_prob({"threshold": 0.0, "guess": 2.0}) == -np.inf
    assert every.log_prob({"either": 0.5}) == -np.inf
    assert np.isfinite(every.log_prob({"either": 1.0, "maybe": 0.0, "anywhere": 50.0}))
    for wrong in ({"bias": 0.0}, {}, [0.0], {"threshold": np.nan}, {"threshold": "0"}):
        with pytest.raises(InputError, match="expected"):
            session.log_prob(wrong)


def test_the_chain_integrates_to_one(session):
    threshold, slope = (np.linspace(p.low, p.high, 61) for p in SPEC.parameters[:2])
    middle = [(axis[1:] + axis[:-1]) / 2 for axis in (threshold, slope)]
    grid = np.meshgrid(*middle, indexing="ij")
    log_p = session.log_prob({"threshold": grid[0].ravel(), "slope": grid[1].ravel()})
    cell = (threshold[1] - threshold[0]) * (slope[1] - slope[0])
    assert np.exp(log_p).sum() * cell == pytest.approx(1.0, abs=0.02)


def test_expected_gain_by_look_ahead_and_by_likelihood(session):
    ahead = session.expected_gain(POOL)
    exact = session.expected_gain(POOL, task=Psychometric())
    for gain in (ahead, exact):
        assert gain.shape == (21,) and (gain >= 0).all()
    # One answer of yes or no cannot tell more than ln 2 about the joint.
    assert 0.01 < exact.max() <= np.log(2) + 1e-6
    question = session.ask(remember=False, gain=True)
    assert question.gain == pytest.approx(ahead[question.index], rel=1e-3, abs=1e-6)
    with pytest.raises(InputError, match="with a likelihood; received"):
        session.expected_gain(POOL, task=type("No", (), {"spec": SPEC})())


def test_when_to_stop(session):
    assert not session.done(trials=3) and session.done(trials=2)
    sd = session.posterior()["threshold"].sd
    assert session.done(sd={"threshold": sd + 0.01}) and not session.done(sd={"threshold": sd / 2})
    assert not session.done(sd={"threshold": sd + 0.01, "slope": 1e-6})
    assert session.done(gain=100.0) and not session.done(gain=-1.0)
    assert session.done(trials=99, gain=100.0)
    assert session.pending == ()
    for wrong in ({}, {"sd": {"bias": 1.0}}, {"trials": "3"}, {"gain": float("nan")}):
        with pytest.raises(InputError, match="expected"):
            session.done(**wrong)


def test_a_frozen_model_answers_all_of_it(model):
    session, frozen = (Session(one, POOL, refine=False) for one in (model, Frozen(model)))
    for each in (session, frozen):
        each.tell(8, 1.0)
        each.tell(12, 0.0)
    assert frozen.sample(5, seed=1).equals(session.sample(5, seed=1))
    assert frozen.entropy() == session.entropy()
    assert frozen.log_prob({"slope": 1.0}) == session.log_prob({"slope": 1.0})


def test_refined_joints_have_refined_densities(session):
    draws = session.sample(200, seed=2)
    found = session.log_prob(draws)
    exact = session._trust.log_prob(session.batch(), draws.to_numpy())
    np.testing.assert_allclose(found, exact)
    assert session.log_prob(draws.iloc[0].to_dict() | {"threshold": 3.5}) == -np.inf


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True, [1, 2], float("nan")])
def test_a_seed_is_a_whole_number(session, seed):
    for call in (
        lambda: session.sample(2, seed),
        lambda: session.expected_gain([[0.0]], seed=seed),
    ):
        with pytest.raises(InputError, match="expected a seed, a whole number of 0 or more"):
            call()


def test_large_seeds_are_seeds_of_their_own(session):
    first = [session.sample(1, seed).iloc[0, 0] for seed in (0, 2**31, 2**33, 2**33, 2**70)]
    assert len(set(first)) == 4


def test_gains_take_a_task_by_its_name(session):
    with pytest.raises(InputError, match="expected a task of the model's own specification"):
        session.expected_gain([[0.0]], "ces")
    with pytest.raises(InputError, match="expected a Task, or the name of one"):
        session.expected_gain([[0.0]], 3)
