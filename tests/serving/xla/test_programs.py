"""What XLA has compiled answers as the graph does, refuses nothing by itself and stays bounded."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from aline_tf.batch import BATCH_FIELDS
from aline_tf.serving.embedded import merging
from aline_tf.serving.embedded.answers import _run, _Work
from aline_tf.serving.embedded.loading import load_model
from aline_tf.serving.embedded.work_queue import Pass
from aline_tf.serving.limits import Limits
from aline_tf.serving.xla import programs as programs_module
from aline_tf.serving.xla.checked_copy import NoCopyError, checked_copy
from aline_tf.serving.xla.programs import Programs, padded_sizes

SIGNATURES = ("propose", "step", "predict")


@pytest.fixture(scope="module")
def model(tiny_models):
    return load_model(tiny_models / "tiny" / "1")


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def programs(model, patch):
    """Of one size, for one row and for four."""
    # Which is faster on a busy machine is not what is tested.
    patch.setattr(programs_module, "_RUNS", 0)
    patch.setattr(programs_module, "_is_faster", lambda seconds, than: True)
    made = Programs(often=1)
    for signature in SIGNATURES:
        for rows in (1, 4) if signature == "step" else (1,):
            made.answer(model.functions[signature], [random_request(model, signature, rows)], None)
    made.wait()
    return made


def random_request(model, signature, rows=1, seed=0, context=4, targets=2, candidates=5):
    """With masks, statuses and counts of every kind; what is not read is NaN."""
    rng = np.random.default_rng(seed)
    sizes = {"B": rows, "C": context, "M": targets, "N": candidates, "D": 3, "F": 2, "P": 4}
    arrays = {}
    for name, info in model.definitions[signature].inputs.items():
        letters = BATCH_FIELDS.get(name, ("B",))
        shape = [sizes[letter] for letter in letters]
        dtype = tf.as_dtype(info.dtype).as_numpy_dtype
        if dtype is np.bool_:
            arrays[name] = rng.random(shape) < 0.7
        elif name == "context_status":
            arrays[name] = rng.integers(0, 3, shape).astype(dtype)
        elif name.endswith("_count"):
            most = sizes[{"context": "C", "target": "M", "candidate": "N"}[name.split("_")[0]]]
            arrays[name] = rng.integers(0, most + 1, shape).astype(dtype)
            if rng.random() < 0.5:
                arrays[name] = np.array([-1], np.int32)
        else:
            arrays[name] = rng.random(shape).astype(dtype)
    shown = arrays["context_mask"][..., None] & (arrays["context_status"] == 1)
    arrays["context_outcome"][~shown] = np.nan
    arrays["known_theta"][~arrays["known_mask"]] = np.nan
    if "target_mask" in arrays:
        arrays["target_design"][~arrays["target_mask"]] = np.nan
    return arrays


def by_graph(model, signature, arrays):
    found = model.functions[signature](**{name: tf.constant(x) for name, x in arrays.items()})
    return {name: tensor.numpy() for name, tensor in found.items()}


def answers(model, signature, programs, *requests):
    passes = [Pass(_Work(model, signature, arrays, programs)) for arrays in requests]
    _run(passes)
    return passes


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        if name == "index" and not np.array_equal(found[name], array):
            # Of candidates whose scores are equal but for rounding either is the choice.
            rows = np.arange(len(array))
            chosen, best = (expected["scores"][rows, index] for index in (found[name], array))
            np.testing.assert_allclose(chosen, best, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_program_answers_as_the_graph_does_whatever_masks_and_counts_say(
    model, programs, signature
):
    rng, ran = np.random.default_rng(5), 0
    for seed in range(12):
        sizes = {"context": rng.integers(0, 17), "targets": 2, "candidates": 5}
        arrays = random_request(model, signature, seed=seed, **sizes)
        found = programs.answer(model.functions[signature], [arrays], None)
        ran += found is not None
        expected = by_graph(model, signature, arrays)
        (asked,) = answers(model, signature, programs, arrays)
        assert_same(asked.result, expected)
        if found is not None:
            assert_same(found[0], expected)
    assert ran == 12


def test_rows_that_were_merged_are_answered_by_one_program(model, programs, monkeypatch):
    requests = [random_request(model, "step", seed=seed, context=seed) for seed in range(2, 5)]
    monkeypatch.setattr(model.functions["step"], "_run", only_copies(model.functions["step"]))
    found = answers(model, "step", programs, *requests)
    monkeypatch.undo()
    for asked, arrays in zip(found, requests, strict=True):
        assert_same(asked.result, by_graph(model, "step", arrays))


def only_copies(function):
    run = function._run

    def call(name, *arguments):
        assert name.startswith(b"xla_")
        return run(name, *arguments)

    return call


REFUSED = {
    "a candidate that is NaN": {"candidate_design": np.nan},
    "an infinite design": {"context_design": np.inf},
    "an observed outcome that is NaN": {"context_outcome": np.nan},
    "a status of none of the three": {"context_status": 7},
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED)
def test_what_the_graph_refuses_is_refused_in_its_words(model, programs, values):
    arrays = random_request(model, "propose")
    for mask in ("context_mask", "candidate_mask"):
        arrays[mask][:] = True
    for count in ("context_count", "target_count", "candidate_count"):
        arrays[count] = np.array([-1], np.int32)
    arrays["context_status"][:] = 1
    arrays["context_outcome"][:] = 0.0
    for name, value in values.items():
        arrays[name][:] = value
    with pytest.raises(tf.errors.InvalidArgumentError) as expected:
        by_graph(model, "propose", arrays)
    assert programs.answer(model.functions["propose"], [arrays], None) is None
    (asked,) = answers(model, "propose", programs, arrays)
    assert isinstance(asked.error, tf.errors.InvalidArgumentError)
    refusal = str(expected.value).split("assertion failed: ")[1].split("]")[0]
    assert refusal in str(asked.error)


@pytest.mark.parametrize("count", [np.array([5]), np.array([-2]), np.array([1, 1]), np.array([])])
def test_a_request_whose_counts_do_not_fit_is_left_to_its_graph(model, count):
    # With the room of a program five of four tokens would be nothing strange.
    arrays = random_request(model, "infer") | {"context_count": count.astype(np.int32)}
    assert merging.size_class(arrays) is None


def test_sizes_are_padded_to_few_and_by_little():
    def padded(**sizes):
        return padded_sizes([dict.fromkeys("BCMN", 0) | sizes])

    assert padded(B=1, C=15, M=1, N=200) == {"B": 1, "C": 16, "M": 1, "N": 208}
    assert padded(B=2, C=17, M=3) == {"B": 4, "C": 32, "M": 4, "N": 1}
    for size in range(1, 3000):
        room = padded(B=size, C=size, M=size, N=size)
        assert all(room[letter] >= size for letter in "BCMN")
        assert room["M"] < 2 * size and room["N"] < size + max(1, size / 8)
    assert len({padded(N=size)["N"] for size in range(1024)}) < 80


def counted_compilations(monkeypatch):
    made = []
    monkeypatch.setattr(programs_module, "_compile", lambda *of: made.append(1))
    monkeypatch.setattr(programs_module, "_is_better", lambda *arguments: False)
    return made


def test_nothing_is_compiled_before_it_was_asked_for_often_or_beyond_the_bound(model, monkeypatch):
    made = counted_compilations(monkeypatch)
    programs, function = Programs(most=2, often=3), model.functions["infer"]

    def ask(context, limits=None):
        arrays = random_request(model, "infer", context=context)
        assert programs.answer(function, [arrays], limits) is None
        programs.wait()
        return len(made)

    assert [ask(4), ask(9), ask(16), ask(16)] == [0, 0, 1, 1]
    assert [ask(4, Limits(C=16)) for _ in range(4)] == [1] * 4
    # With the room of a program it would be above the limits.
    assert [ask(20, Limits(C=30)) for _ in range(4)] == [1] * 4
    assert [ask(17) for _ in range(4)] == [1, 1, 2, 2]
    assert [ask(33) for _ in range(4)] == [2] * 4
    programs.stop()
    assert not Programs(most=0).answer(function, [random_request(model, "infer")], None)


def test_what_cannot_be_compiled_is_answered_by_the_graph(model, monkeypatch):
    def fail(*of):
        raise tf.errors.UnimplementedError(None, None, "XLA cannot do this")

    monkeypatch.setattr(programs_module, "_compile", fail)
    programs, arrays = Programs(often=1), random_request(model, "infer")
    for _ in range(3):
        (asked,) = answers(model, "infer", programs, arrays)
        programs.wait()
        assert_same(asked.result, by_graph(model, "infer", arrays))
    assert programs._of[model.functions["infer"]].has_none


def test_a_program_that_answers_otherwise_is_not_used(model, programs, monkeypatch):
    function, key = model.functions["propose"], (1, 16, 2, 8)
    arrays, room = random_request(model, "propose"), dict(zip("BCMN", key, strict=True))
    copy = programs._of[function].copy
    assert programs_module._is_better(function, copy, [arrays], room)
    run = programs_module._run

    def otherwise(*arguments):
        found, is_sound = run(*arguments)
        return found | {"entropy": found["entropy"] + 0.01}, is_sound

    monkeypatch.setattr(programs_module, "_run", otherwise)
    assert programs_module._is_better(function, copy, [arrays], room) is False


def test_a_version_that_is_let_go_is_not_kept_by_what_was_compiled_of_it(tiny_models, monkeypatch):
    made = counted_compilations(monkeypatch)
    programs = Programs(often=1)
    for _ in range(2):
        model = load_model(tiny_models / "tiny" / "1")
        programs.answer(model.functions["infer"], [random_request(model, "infer")], None)
        programs.wait()
        gone = weakref.ref(model.functions["infer"])
        del model
        gc.collect()
        assert gone() is None
    # The second is the same but for its weights: there is no more to compile.
    assert len(made) == 1
    assert not programs._of


def scale_weights(model, signature, factor):
    for argument in model.functions[signature]._arguments:
        if not isinstance(argument, str):
            value = tf.raw_ops.ReadVariableOp(resource=argument, dtype=tf.float32)
            tf.raw_ops.AssignVariableOp(resource=argument, value=factor * value)


def test_versions_share_a_copy_and_answer_by_their_own_weights(model, tiny_models, programs):
    other = load_model(tiny_models / "tiny" / "1")
    name = checked_copy(other.functions["propose"].name)
    assert name == checked_copy(model.functions["propose"].name)
    assert name != checked_copy(model.functions["step"].name)
    scale_weights(other, "propose", 0.5)
    arrays = random_request(model, "propose")
    inputs = merging.merged([arrays], padded_sizes([merging.sizes_of(arrays)]))
    for each in (model, other):
        found, is_sound = programs_module._run(each.functions["propose"], name, inputs)
        assert is_sound
        assert_same(merging.split(found, [arrays])[0], by_graph(each, "propose", arrays))
        # A new version need not be asked often: what it would have compiled is there.
        (found,) = programs.answer(each.functions["propose"], [arrays], None)
        assert_same(found, by_graph(each, "propose", arrays))
    scale_weights(other, "propose", np.nan)
    _, is_sound = programs_module._run(other.functions["propose"], name, inputs)
    assert not is_sound
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not finite"):
        by_graph(other, "propose", arrays)


def test_a_function_that_refuses_nothing_or_has_effects_has_no_copy(toy_models):
    toy = load_model(toy_models / "toy" / "1")
    with pytest.raises(NoCopyError, match="that refuses what it cannot answer"):
        checked_copy(toy.functions["total"].name)

    variable = tf.Variable(0.0)

    def count(x):
        variable.assign_add(1.0)
        return x

    def asserted(x):
        tf.raw_ops.Assert(condition=tf.reduce_all(x > 0), data=[x])
        return x

    for function, effect in (
        (count, "AssignAddVariableOp"),
        (lambda x: tf.debugging.check_numerics(x, "x"), "CheckNumerics"),
        (
            lambda x: tf.ensure_shape(x, [2]) + tf.raw_ops.RandomUniform(shape=[2], dtype=1),
            "Random",
        ),
        (asserted, "Assert"),
    ):
        concrete = tf.function(function, autograph=False).get_concrete_function(
            tf.TensorSpec([None], tf.float32)
        )
        context.context().add_function_def(concrete.function_def)
        with pytest.raises(NoCopyError, match=effect):
            checked_copy(concrete.function_def.signature.name)
