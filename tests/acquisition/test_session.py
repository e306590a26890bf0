"""A session: the loop, the change of target, the state that travels."""

import json

import numpy as np
import pytest

from aline_tf.acquisition.policies import RandomPolicy
from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError
from aline_tf.models.aline import ALINE
from aline_tf.models.frozen import Frozen
from aline_tf.models.protocol import SessionModel
from aline_tf.tasks.psychometric import SPEC, Psychometric
from tests.seeds import seed_weights

POOL = np.linspace(-5, 5, 21)[:, None]


def without_time_and_weights(session):
    state = json.loads(session.to_json())
    for token in state["context"]:
        del token["time"]
    del state["weights"]
    return state


@pytest.fixture(scope="module")
def model():
    seed_weights(4)
    model = ALINE(SPEC, hidden_dim=16, num_layers=1, num_heads=2, intermediate_dim=16, components=3)
    model.build()
    return model


def test_an_observed_candidate_leaves_the_pool(model):
    session = Session(model, POOL, repeats=False)
    chosen = []
    for _ in range(len(POOL)):
        question = session.ask()
        chosen.append(question.index)
        session.tell(question.index, 1.0)
    assert sorted(chosen) == list(range(len(POOL)))
    with pytest.raises(InputError, match="exhausted"):
        session.ask()


def test_context_beyond_one_bucket_is_still_read(model):
    session = Session(model, POOL)
    for index in range(17):
        session.tell(index, float(index > 9))
    before = session.posterior()["guess"].mean
    session.tell(17, 1.0)
    assert session.steps == 18
    assert session.posterior()["guess"].mean != before


def test_retargeting_changes_scores_but_not_the_posterior(model):
    session = Session(model, POOL, target="threshold,slope")
    session.tell(3, 0.0)
    posterior, question = session.posterior(), session.ask()
    session.retarget(["guess", "lapse"])
    assert session.target == ("guess", "lapse")
    assert session.posterior() == posterior
    assert session.ask().score != question.score


def test_the_same_state_elsewhere_asks_the_same_question(model):
    session = Session(
        model,
        POOL,
        target="slope",
        costs=np.linspace(0, 1, 21),
        cost_weight=0.5,
        known={"lapse": 0.1},
    )
    session.tell(2, 1.0)
    session.tell(5, None)
    session.tell([0.25], 0.0)
    copy = Session.from_json(session.to_json(), model)
    assert copy.ask()._replace(design=None) == session.ask()._replace(design=None)
    assert copy.posterior() == session.posterior()
    assert copy.to_json() == session.to_json()


class Refusals(Psychometric):
    teaches_missing = True


def test_no_answer_is_an_outcome_of_its_own_where_training_shows_it(model):
    answered, refused = (Session(model, POOL, task=Refusals()) for _ in range(2))
    empty = answered.posterior()
    answered.tell(4, 0.0)
    refused.tell(4, None)
    assert refused.posterior() != empty
    assert refused.posterior() != answered.posterior()


def test_a_parameter_given_as_known_is_that_value(model):
    session = Session(model, POOL, known={"lapse": 0.1})
    posterior = session.posterior()
    assert posterior["lapse"].mean == 0.1 and posterior["lapse"].sd == 0.0
    assert posterior["guess"] != Session(model, POOL).posterior()["guess"]


def test_cost_weight_moves_the_choice_to_cheap_candidates(model):
    costs = np.where(np.arange(21) == 11, 0.0, 1.0)
    assert Session(model, POOL, costs=costs, cost_weight=1e3).ask().index == 11


def test_the_old_name_of_the_cost_weight_still_weighs_and_says_so(model):
    costs = np.where(np.arange(21) == 11, 0.0, 1.0)
    with pytest.warns(DeprecationWarning, match="cost_weight"):
        session = Session(model, POOL, costs=costs, price=1e3)
    assert session.ask().index == 11


class TestPolicies:
    @pytest.mark.parametrize("given", ["psi-marginal", "ace-us", "random", "gp-us", "gp-rs"])
    def test_any_policy_chooses_as_it_does_for_the_batch(self, model, given):
        from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy

        policy = PsiMarginalPolicy((8, 6, 4, 4)) if given == "psi-marginal" else given
        session = Session(model, POOL, target="threshold,slope", policy=policy)
        session.tell(3, 0.0)
        session.tell(15, 1.0)
        for _ in range(3):
            chosen = session.policy.choose(session.batch())[0]
            question = session.ask()
            assert question.index == chosen
            assert question.score is None and question.probability is None
            assert question.index not in (3, 15)
            session.tell(question.index, 1.0)
        assert session.steps == 5

    def test_greedy_design_from_sampled_posteriors(self):
        from aline_tf.acquisition import SampledGreedyPolicy
        from tests.information.linear_task import LinearWithMoments

        task = LinearWithMoments()
        model = ALINE(
            task.spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
        )
        model.build()
        dims = task.spec.sizes["D"]
        pool = np.random.default_rng(0).uniform(-1, 1, size=(9, dims))
        session = Session(model, pool, policy=SampledGreedyPolicy(task, 64, 32, 4))
        first = session.ask()
        session.tell(first.index, 0.3)
        assert session.ask().index != first.index

    def test_learned_is_the_default_and_has_scores(self, model):
        by_default, by_name = Session(model, POOL), Session(model, POOL, policy="learned")
        assert by_default.ask()._replace(design=None) == by_name.ask()._replace(design=None)
        assert by_default.ask().score is not None

    def test_targets_reach_the_policy(self, model):
        class Reads(RandomPolicy):
            def _choose(self, batch, mask):
                self.selected = batch["theta_mask"][0].tolist()
                return super()._choose(batch, mask)

        policy = Reads()
        session = Session(model, POOL, policy=policy)
        session.retarget("slope")
        session.ask()
        assert policy.selected == [False, True, False, False]

    def test_a_named_policy_travels_and_an_object_has_to_be_given_again(self, model):
        named = Session(model, POOL, policy="random")
        assert Session.from_json(named.to_json(), model).ask() == named.ask()
        given = Session(model, POOL, policy=RandomPolicy(3))
        with pytest.raises(InputError, match="expected the policy 'random'"):
            Session.from_json(given.to_json(), model)
        again = Session.from_json(given.to_json(), model, policy=RandomPolicy(3))
        assert again.ask().index == given.ask().index

    def test_a_state_of_before_there_were_policies_still_loads(self, model):
        session = Session(model, POOL, target="slope", costs=np.linspace(0, 1, 21), cost_weight=0.5)
        session.tell(2, 1.0)
        state = json.loads(session.to_json())
        del state["policy"], state["policy_is_named"]
        assert state["format"] == 1 and state["price"] == 0.5
        again = Session.from_json(json.dumps(state), model)
        assert again.ask()._replace(design=None) == session.ask()._replace(design=None)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"policy": "psi"}, "expected a policy of learned, random.*received 'psi'"),
            ({"policy": 3}, "expected a Policy or the name of one; received 3"),
            ({"policy": "random", "cost_weight": 1.0}, "expected cost_weight=0 with a policy"),
            ({"cost_weight": float("nan")}, "finite cost_weight"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, model, arguments, message):
        with pytest.raises(InputError, match=message):
            Session(model, POOL, **arguments).ask()

    def test_a_policy_of_another_task_is_refused(self):
        from aline_tf.experiments.psychometric.psi_marginal import PsiMarginalPolicy
        from aline_tf.tasks.gp import GP1D

        other = ALINE(
            GP1D().spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2
        )
        other.build()
        with pytest.raises(InputError, match="received 'psi-marginal', made for a task 'psycho"):
            Session(other, POOL, policy=PsiMarginalPolicy((4, 4, 2, 2)))


def test_session_of_any_model_that_answers_needs_nothing_else(model):
    """What the session uses of a model is the protocol and no more."""

    class Bare:
        spec = model.spec

        def answer(self, batch):
            return {name: value.numpy() for name, value in model.answer(batch).items()}

        def candidate_logits(self, batch):
            return model.candidate_logits(batch)

    assert all(isinstance(one, SessionModel) for one in (model, Frozen(model), Bare()))
    here, there = Session(model, POOL), Session(Bare(), POOL)
    for session in (here, there):
        session.tell(session.ask().index, 1.0)
    assert without_time_and_weights(here) == without_time_and_weights(there)
    assert here.posterior() == there.posterior()
    assert here.predict([[0.3]]) == there.predict([[0.3]])
    with pytest.raises(InputError, match="in this process for distributions"):
        there.distributions()


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
        (lambda s: s.tell(0, "yes"), "outcome of numbers; received 'yes'"),
        (lambda s: s.tell("left", 1.0), "design of numbers; received 'left'"),
        (lambda s: s.tell([[1.0], [2.0]], 1.0), "expected one design; received 2"),
        (lambda s: Session(s.model, POOL, known={"lapse": None}), "finite values.*lapse=None"),
        (lambda s: Session(s.model, [["a"]]), "candidates of numbers"),
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": [5.0]}, "to be 0 or 1|whole number from 0 to 1"),
        ({"outcome": [float("nan")]}, "finite outcomes"),
        ({"status": [7]}, r"expected a status of 0, 1 or 2 for every field; received \[7\]"),
        ({"outcome": [1.0, 0.0]}, "expected 1 fields"),
        ({"design": [0.0, 1.0]}, r"shape \[n, 1\]"),
    ],
)
def test_a_damaged_state_is_refused_as_tell_would(model, change, message):
    session = Session(model, POOL)
    session.tell(3, 1.0)
    state = json.loads(session.to_json())
    state["context"][0].update(change)
    with pytest.raises(InputError, match=message):
        Session.from_json(json.dumps(state), model)
