"""A frozen model answers as the model does, with the weights it was frozen with."""

import gc
import pickle
import threading

import numpy as np
import pytest

from aline_tf.models.aline import ALINE
from aline_tf.models.frozen import Frozen
from tests.models.batches import EVERY_KIND, SIZES, SURFACE, random_batch
from tests.seeds import seed_weights

#: A program takes seconds for each layer.
SHALLOW = SIZES | {"num_layers": 1}


@pytest.fixture(scope="module")
def model():
    seed_weights(5)
    model = ALINE(EVERY_KIND, **SHALLOW, relative_position_dim=4)
    model.build()
    return model


@pytest.fixture(scope="module")
def frozen(model):
    return Frozen(model)


def assert_same(found, expected, **tolerance):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].shape == value.shape, name
        np.testing.assert_allclose(found[name], value, err_msg=name, **tolerance)


@pytest.mark.parametrize("sizes", [{}, {"B": 1, "C": 0, "M": 0}, {"B": 1, "C": 17}], ids=str)
def test_raw_outputs_are_the_models(model, frozen, sizes):
    batch = random_batch(3, **sizes)
    batch["candidate_mask"][:, 1] = False
    batch["context_outcome"][batch["context_status"] != 1] = np.nan
    expected = model(batch)
    for _ in ("by the graph for all shapes", "by a program of its own"):
        assert_same(frozen(batch), expected, atol=1e-5, rtol=1e-5)
        frozen.wait()


def test_gaussian_processes_are_the_models():
    """Whose algebra is another one in a program."""
    seed_weights(5)
    model = ALINE(SURFACE, **SIZES, num_processes=3)
    model.build()
    batch = random_batch(3, SURFACE, B=1, C=20)
    batch["context_mask"][:, 3] = False
    for background in (True, False):
        assert_same(Frozen(model, background=background)(batch), model(batch), atol=1e-5, rtol=1e-5)


def test_summaries_are_the_models(model, frozen):
    batch = random_batch(4)
    expected = model.answer(batch)
    for _ in ("by the graph for all shapes", "by a program of its own"):
        assert_same(frozen.answer(batch), expected, atol=1e-4, rtol=1e-4)
        frozen.wait()


def test_what_only_reads_outputs_is_the_models(model, frozen):
    batch = random_batch(5)
    theta = np.full((3, 4), 1.0, np.float32)
    assert frozen.spec is model.spec
    np.testing.assert_allclose(
        frozen.theta_log_prob(frozen(batch), theta),
        model.theta_log_prob(model(batch), theta),
        atol=1e-4,
    )


def compile_nothing(sizes_seen):
    """Stands in for `Frozen._compile`: notes sizes; its programs give back what they get."""

    def compile_sizes(kind, sizes):
        sizes_seen.append(sizes)
        return lambda packed: packed

    return compile_sizes


def test_a_growing_context_is_compiled_at_few_sizes(frozen, monkeypatch):
    compiled, frozen = [], another(frozen)
    monkeypatch.setattr(frozen, "_compile", compile_nothing(compiled))
    for size in range(40):
        frozen(random_batch(6, B=1, C=size, N=7))
    frozen.wait()
    assert [sizes[1] for sizes in compiled] == [16, 32, 64]


def test_later_weights_are_not_seen():
    seed_weights(5)
    model = ALINE(EVERY_KIND, **SHALLOW)
    model.build()
    frozen, batch = Frozen(model), random_batch(7)
    before = model(batch)["candidate_logits"].numpy()
    model.policy_head.mlp.outer.bias.assign_add([1.0])
    for _ in ("by the graph for all shapes", "by a program of its own"):
        np.testing.assert_allclose(frozen(batch)["candidate_logits"], before, atol=1e-5)
        frozen.wait()
    np.testing.assert_allclose(model(batch)["candidate_logits"], before + 1.0, atol=1e-5)


def test_nothing_compiles_after_the_warm_up():
    from aline_tf.acquisition import Session
    from aline_tf.tasks.psychometric import SPEC

    seed_weights(4)
    model = ALINE(SPEC, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8, components=2)
    model.build()
    fast, pool = Frozen(model), np.linspace(-5, 5, 40)[:, None]
    fast.warm_up(steps=20, candidates=40, predictions=[11])
    ready = fast.num_programs
    # Of the two sizes of context: scores, summaries, and predictions of 9 to 16 designs.
    assert ready == 6
    session, plain = (Session(one, pool, refine=False) for one in (fast, model))
    for step in range(20):
        session.tell(session.ask(), step % 2)
        session.posterior()
    for answer in session.answers:
        plain.tell(answer.index, answer.outcome)
    for count in (11, 12, 16):
        designs = np.linspace(-4, 4, count)[:, None]
        pairs = zip(session.predict(designs), plain.predict(designs), strict=True)
        assert all(abs(one.mean - other.mean) < 1e-4 for one, other in pairs)
    assert fast.num_programs == ready


def test_no_more_programs_are_kept_than_allowed(frozen, monkeypatch):
    compiled, small = [], another(frozen, programs=2)
    monkeypatch.setattr(small, "_compile", compile_nothing(compiled))
    small.warm_up(steps=40, candidates=3)
    assert len(compiled) == 6 and small.num_programs == 2
    # Those used last are kept.
    small.answer(random_batch(8, B=1, C=40, M=0, N=1))
    small.wait()
    assert len(compiled) == 6


def another(frozen, **options):
    """Of the same weights, with the graphs that are there."""
    one = Frozen(frozen.thawed, **options)
    one._graphs = frozen._graphs
    return one


def held(frozen, monkeypatch):
    """Nothing is compiled before it is let go."""
    let_go, compiled = threading.Event(), []

    def compile_later(kind, sizes):
        assert let_go.wait(60)
        compiled.append(sizes)
        return lambda packed: {"theta_raw": packed}

    monkeypatch.setattr(frozen, "_compile", compile_later)
    return let_go, compiled


def test_a_shape_that_is_not_compiled_yet_is_answered_meanwhile(model, frozen, monkeypatch):
    frozen, batch = another(frozen), random_batch(9)
    let_go, compiled = held(frozen, monkeypatch)
    for _ in range(3):
        assert_same(frozen(batch), model(batch), atol=1e-5, rtol=1e-5)
    assert not compiled and frozen.num_programs == 0
    let_go.set()
    frozen.wait()
    # Once, however often it was asked for; and from now on it answers.
    assert len(compiled) == frozen.num_programs == 1
    assert frozen(batch).keys() == {"theta_raw"}


def test_who_waits_is_answered_by_a_program_alone(model, monkeypatch):
    compiled, patient = [], pickle.loads(pickle.dumps(Frozen(model, background=False)))
    monkeypatch.setattr(patient, "_compile", compile_nothing(compiled))
    patient(random_batch(8))
    assert len(compiled) == patient.num_programs == 1


def test_a_shape_that_cannot_be_compiled_is_said_once_and_answered(model, frozen, monkeypatch):
    def fail(kind, sizes):
        raise RuntimeError("XLA cannot do this")

    frozen, batch = another(frozen), random_batch(8)
    monkeypatch.setattr(frozen, "_compile", fail)
    assert_same(frozen(batch), model(batch), atol=1e-5, rtol=1e-5)
    frozen.wait()
    with pytest.warns(RuntimeWarning, match="could not be made: XLA cannot do this"):
        assert_same(frozen(batch), model(batch), atol=1e-5, rtol=1e-5)
    # Warnings are errors here.
    assert_same(frozen(batch), model(batch), atol=1e-5, rtol=1e-5)


def test_a_program_that_is_made_at_last_is_not_said_to_be_missing(frozen, monkeypatch):
    def fail(kind, sizes):
        raise RuntimeError("no memory now")

    frozen, compiled = another(frozen), []
    monkeypatch.setattr(frozen, "_compile", fail)
    frozen.answer(random_batch(8, B=1, C=9, M=0, N=1))
    frozen.wait()
    monkeypatch.setattr(frozen, "_compile", compile_nothing(compiled))
    frozen.warm_up(steps=9, candidates=0)
    frozen.answer(random_batch(8, B=1, C=9, M=0, N=1))
    assert len(compiled) == frozen.num_programs == 1


def test_one_that_nobody_has_any_more_is_not_compiled(frozen, monkeypatch):
    compiled, first, second = [], another(frozen), another(frozen)
    let_go, _ = held(first, monkeypatch)
    monkeypatch.setattr(Frozen, "_compile", lambda self, *key: compiled.append(key))
    first(random_batch(8))
    second(random_batch(8))
    del second
    gc.collect()
    let_go.set()
    first.wait()
    assert first.num_programs == 1 and not compiled
