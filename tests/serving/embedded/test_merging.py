"""Requests that the embedded server merges are answered as each alone."""

import numpy as np
import pytest
import tensorflow as tf

from aline_tf.serving.embedded import answers, merging
from aline_tf.serving.embedded.answers import _run, _Work
from aline_tf.serving.embedded.loading import load_model
from aline_tf.serving.embedded.work_queue import Pass


@pytest.fixture(scope="module")
def model(tiny_models):
    return load_model(tiny_models / "tiny" / "1")


@pytest.fixture
def request_of(model, tiny_batch):
    """A function that gives a random request; counts are given, left out or short."""

    def build(rng, signature, rows=1, context=4, targets=2, candidates=5):
        batch = tiny_batch(rows, context, targets, candidates)
        counts = {"context_count": context, "target_count": targets, "candidate_count": candidates}
        for name, most in counts.items():
            batch[name] = np.full([rows], rng.integers(min(1, most), most + 1), np.int32)
            if rng.random() < 0.5:
                batch[name] = np.array([-1], np.int32)
        return {name: batch[name] for name in model.definitions[signature].inputs}

    return build


def alone(model, signature, arrays):
    found = model.functions[signature](**{name: tf.constant(x) for name, x in arrays.items()})
    return {name: tensor.numpy() for name, tensor in found.items()}


def run_together(model, signature, requests):
    passes = [Pass(_Work(model, signature, arrays)) for arrays in requests]
    _run(passes)
    return passes


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("signature", ["answer", "predict"])
def test_whatever_their_sizes_every_request_gets_its_own_answer(
    model, request_of, signature, seed, monkeypatch
):
    rng = np.random.default_rng(seed)
    requests = [
        request_of(rng, signature, *sizes)
        for sizes in zip(
            rng.integers(1, 3, 5),
            rng.integers(0, 7, 5),
            rng.integers(signature == "predict", 4, 5),
            rng.integers(1, 9, 5),
            strict=True,
        )
    ]
    calls = []
    monkeypatch.setattr(answers, "_outputs", counted(answers._outputs, calls))
    for asked, arrays in zip(run_together(model, signature, requests), requests, strict=True):
        expected = alone(model, signature, arrays)
        assert set(asked.result) == set(expected)
        for name, array in expected.items():
            found = asked.result[name]
            assert found.shape == array.shape
            if name == "index":
                # Of candidates whose scores are equal but for rounding either is the choice.
                rows = np.arange(len(array))
                found, array = (expected["scores"][rows, index] for index in (found, array))
            np.testing.assert_allclose(found, array, rtol=1e-4, atol=1e-4)
    assert len(calls) == 1


def counted(function, calls):
    def call(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return call


def test_one_refused_request_leaves_the_others_their_answers(model, request_of):
    rng = np.random.default_rng(7)
    requests = [request_of(rng, "propose") for _ in range(3)]
    requests[1]["candidate_design"][:] = np.nan
    first, second, third = run_together(model, "propose", requests)
    assert isinstance(second.error, tf.errors.InvalidArgumentError)
    assert first.error is None and third.error is None
    expected = alone(model, "propose", requests[2])
    np.testing.assert_allclose(third.result["scores"], expected["scores"], rtol=1e-4, atol=1e-4)


def test_only_a_graph_with_counts_takes_part(model, toy_models):
    assert all(merging.can_merge(definition) for definition in model.definitions.values())
    toy = load_model(toy_models / "toy" / "1")
    assert not any(merging.can_merge(definition) for definition in toy.definitions.values())
    without = type(model.definitions["step"])()
    without.CopyFrom(model.definitions["step"])
    del without.inputs["target_count"]
    assert not merging.can_merge(without)


def test_requests_are_alike_when_padding_at_most_doubles_them(request_of):
    rng = np.random.default_rng(1)

    def size_class(**sizes):
        return merging.size_class(request_of(rng, "propose", **sizes))

    assert size_class(candidates=129) == size_class(candidates=256)
    assert size_class(candidates=128) != size_class(candidates=129)
    assert size_class(rows=1) == size_class(rows=3)


def test_counts_that_do_not_fit_their_rows_are_left_to_the_graph(request_of):
    request = request_of(np.random.default_rng(1), "infer", rows=2)
    request["context_count"] = np.array([3], np.int32)
    assert merging.size_class(request) is None
