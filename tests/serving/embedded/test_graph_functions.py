"""Functions handed to the runtime as they are stored answer as TensorFlow's own loader does."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from aline_tf.serving.embedded.loading import load_model


@pytest.fixture
def requests(tiny_batch):
    def of(definition):
        batch = tiny_batch(2, 4)
        counts = {"context_count": 3, "target_count": 3, "candidate_count": 6}
        batch |= {name: np.full([2], count, np.int32) for name, count in counts.items()}
        return {name: tf.constant(batch[name]) for name in definition.inputs}

    return of


def test_every_signature_answers_as_by_tensorflows_own_loader(tiny_models, requests):
    path = tiny_models / "tiny" / "1"
    model = load_model(path)
    assert model.owner is None
    reference = tf.saved_model.load(str(path))
    assert set(model.functions) == set(reference.signatures)
    for name, function in model.functions.items():
        inputs = requests(model.definitions[name])
        found, expected = function(**inputs), reference.signatures[name](**inputs)
        assert set(found) == set(expected)
        for output, tensor in expected.items():
            np.testing.assert_allclose(found[output], tensor, rtol=1e-5, atol=1e-5)


def test_two_names_of_one_function_share_it(tiny_models):
    functions = load_model(tiny_models / "tiny" / "1").functions
    assert functions["serving_default"] is functions["step"]
    assert functions["answer"] is not functions["step"]


def test_two_versions_do_not_share_weights(toy_models):
    models = {number: load_model(toy_models / "toy" / str(number)) for number in (1, 12)}
    inputs = {"context_design": tf.ones([1, 1, 2]), "context_mask": tf.constant([[True]])}
    for number, model in models.items():
        assert float(model.functions["total"](**inputs)["total"][0]) == 2 * number


def test_what_is_let_go_leaves_nothing_in_the_runtime(toy_models):
    model = load_model(toy_models / "toy" / "1")
    function = model.functions["total"]
    name, gone = function._name.decode(), weakref.ref(function)
    assert context.context().has_function(name)
    del model, function
    gc.collect()
    assert gone() is None
    assert not context.context().has_function(name)


class WithTable(tf.Module):
    def __init__(self):
        super().__init__()
        pairs = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
        self.table = tf.lookup.StaticHashTable(pairs, -1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
    def number(self, word):
        return {"number": self.table.lookup(word)}


def test_a_model_with_tables_is_loaded_node_by_node(tmp_path):
    module = WithTable()
    tf.saved_model.save(module, str(tmp_path), signatures={"number": module.number})
    model = load_model(tmp_path)
    assert model.owner is not None
    answer = model.functions["number"](word=tf.constant(["b", "c"]))
    np.testing.assert_array_equal(answer["number"], [2, -1])


def test_a_file_without_a_graph_to_serve_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="expected a graph to serve"):
        load_model(tmp_path)
