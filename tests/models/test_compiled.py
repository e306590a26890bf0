"""Scores of a pool of any size: the same in parts as in one pass, compiled once."""

import gc
import weakref

import keras
import numpy as np
import pytest

from aline_tf.acquisition.policies import LearnedPolicy
from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError
from aline_tf.models import compiled
from aline_tf.models.aline import ALINE
from aline_tf.models.compiled import Compiled, in_parts
from aline_tf.models.frozen import Frozen
from aline_tf.tasks.psychometric import SPEC
from tests.acquisition.batches import batch_of
from tests.seeds import seed_weights


def network():
    seed_weights(6)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.mark.parametrize("part", [1, 7, 24, 36, 1000])
def test_parts_give_the_scores_of_one_pass(model, part):
    batch = batch_of(rows=3, candidates=12)
    whole = model(batch)["candidate_logits"].numpy()
    found = Compiled(model, part).candidate_logits(batch)
    assert found.shape == (3, 12)
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_sizes_that_change_are_not_compiled_again(model):
    passes = []

    class Counted:
        spec = model.spec

        def __call__(self, batch):
            passes.append(1)
            return model(batch)

    counted = Counted()
    scores = Compiled(counted, part=20).candidate_logits
    for rows, candidates in ((1, 5), (2, 9), (3, 60)):
        batch = batch_of(rows, candidates)
        assert scores(batch).shape == (rows, candidates)
    assert len(passes) == 1


def test_a_graph_is_made_where_it_is_asked_for_again():
    model = network()
    batch, larger = batch_of(rows=1, candidates=5), batch_of(rows=2, candidates=5)
    quick, graphs = Compiled(model, eager_first=True), lambda: compiled._GRAPHS[model]
    first = quick.answer(batch)
    assert list(graphs().values()) == [None]
    again = quick.answer(batch)
    assert [callable(graph) for graph in graphs().values()] == [True]
    for name in first:
        np.testing.assert_allclose(first[name], again[name], rtol=1e-5, atol=1e-5)
    # More than one row are worth a graph at once.
    quick.candidate_logits(larger)
    assert all(callable(graph) for graph in graphs().values()) and len(graphs()) == 2


def test_a_pass_without_a_graph_refuses_what_the_graph_refuses(model):
    batch = batch_of(rows=1, candidates=5)
    batch["candidate_design"][:] = np.nan
    with pytest.raises(InputError, match="candidate_design"):
        Compiled(network(), eager_first=True).candidate_logits(batch)


def test_a_pool_beyond_one_part_is_scored_and_chosen_from(model):
    batch = batch_of(rows=2, candidates=3 * 2**13)
    chosen = LearnedPolicy(model).choose(batch)
    logits = model(batch)["candidate_logits"].numpy()
    np.testing.assert_allclose(logits[[0, 1], chosen], logits.max(axis=1), atol=1e-5)


def test_everybody_shares_the_graphs_of_a_model(model):
    own = network()
    assert own not in compiled._GRAPHS
    for kind in ("outputs", "answer", "candidate_logits"):
        for _ in range(2):
            compiled.run(own, kind, batch_of(rows=1))
    assert len(compiled._GRAPHS[own]) == 3
    assert compiled._GRAPHS[own] is not compiled._GRAPHS.get(model)


@pytest.mark.parametrize("rows", [1, 5])
def test_what_stands_in_for_a_model_answers_as_it_does(model, rows):
    batch, quick = batch_of(rows=rows), Compiled(model)
    for found, expected in (
        (quick(batch), model(batch)),
        (quick.answer(batch), model.summaries(model(batch), batch)),
    ):
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5)
    assert quick.spec is model.spec
    assert quick.theta_summary(quick(batch))["mean"].shape == (rows, 4)


def test_scores_follow_the_weights():
    model = network()
    batch = batch_of(rows=1)
    before = model.candidate_logits(batch)
    model.policy_head.mlp.outer.bias.assign_add([1.0])
    np.testing.assert_allclose(
        model.candidate_logits(batch)[:, 1:-1], before[:, 1:-1] + 1.0, atol=1e-5
    )


def test_a_model_nobody_needs_any_more_is_let_go():
    model = network()
    model.candidate_logits(batch_of(rows=1))
    gone = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert gone() is None


def test_beliefs_do_not_depend_on_the_pool(model):
    sessions = [Session(model, np.linspace(-5, 5, count)[:, None]) for count in (2, 30)]
    for session in sessions:
        session.tell([0.5], 1.0)
    assert sessions[0].posterior() == sessions[1].posterior()
    assert sessions[0].predict([[1.0]]) == sessions[1].predict([[1.0]])


def test_a_frozen_model_asks_and_believes_the_same(model):
    pool = np.linspace(-5, 5, 9)[:, None]
    first, second = Session(model, pool), Session(Frozen(model), pool)
    for outcome in (1.0, 0.0):
        one, other = first.ask(), second.ask()
        assert one.index == other.index
        assert one.score == pytest.approx(other.score, abs=1e-5)
        first.tell(one.index, outcome)
        second.tell(other.index, outcome)
    beliefs = second.posterior()
    for name, marginal in first.posterior().items():
        assert beliefs[name].mean == pytest.approx(marginal.mean, abs=1e-4)
    (one,), (other,) = first.predict([[1.0]]), second.predict([[1.0]])
    assert one.mean == pytest.approx(other.mean, abs=1e-4)


def test_a_frozen_model_scores_in_parts_too(model):
    frozen, batch = Frozen(model), batch_of(rows=1, candidates=10)
    found = in_parts(frozen.candidate_logits, batch, part=5)
    np.testing.assert_allclose(found, model(batch)["candidate_logits"], atol=1e-5)


def test_a_part_holds_at_least_one_candidate(model):
    with pytest.raises(ValueError, match="part=0"):
        Compiled(model, part=0)
