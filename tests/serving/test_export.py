"""The SavedModel stands alone, and its signatures are the ones that were promised."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from aline_tf.errors import InputError
from aline_tf.serving.export import export_model
from aline_tf.serving.graph.signature_functions import NOT_ALLOWED, choice
from aline_tf.serving.signatures import NO_COUNT, SIGNATURES, counts, dtype, free_shape
from aline_tf.units import trained_ranges

OUTPUTS = {
    "predict": {"mean", "sd", "quantiles"},
    "infer": {"theta_mean", "theta_sd", "theta_quantiles", "theta_probability"},
    "propose": {"scores", "probabilities", "index", "entropy"},
}
OUTPUTS["answer"] = OUTPUTS["predict"] | OUTPUTS["infer"] | OUTPUTS["propose"]
OUTPUTS["step"] = OUTPUTS["answer"] - {"quantiles", "theta_quantiles"}
OUTPUTS["distributions"] = {"theta_raw", "target_raw", "candidate_logits"}
OUTPUTS["serving_default"] = OUTPUTS["step"]


@pytest.fixture(scope="module")
def stored(tiny_models):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((tiny_models / "tiny" / "1" / "saved_model.pb").read_bytes())
    (graph,) = saved.meta_graphs
    return graph


@pytest.fixture(scope="module")
def loaded(tiny_models):
    return tf.saved_model.load(str(tiny_models / "tiny" / "1"))


class TestSignatures:
    @pytest.mark.parametrize("name", [*SIGNATURES, "serving_default"])
    def test_inputs_have_the_names_of_the_batch_and_free_sizes(self, stored, tiny_model, name):
        definition = stored.signature_def[name]
        signature = "step" if name == "serving_default" else name
        expected = {*SIGNATURES[signature], *counts(signature)}
        assert set(definition.inputs) == expected
        assert set(definition.defaults) == set(counts(signature))
        for key, info in definition.inputs.items():
            sizes = [dim.size if dim.size >= 0 else None for dim in info.tensor_shape.dim]
            assert sizes == free_shape(key, tiny_model.spec.sizes)
            assert tf.as_dtype(info.dtype).name == dtype(key)

    @pytest.mark.parametrize("name", OUTPUTS)
    def test_outputs_have_their_names_and_the_batch_first(self, stored, name):
        outputs = stored.signature_def[name].outputs
        assert set(outputs) == OUTPUTS[name]
        assert all(info.tensor_shape.dim[0].size == -1 for info in outputs.values())

    def test_there_are_no_others(self, stored):
        assert set(stored.signature_def) - {"__saved_model_init_op"} == set(OUTPUTS)

    @pytest.mark.parametrize("name", SIGNATURES)
    @pytest.mark.parametrize(
        "sizes", [(1, 0, 0, 0), (2, 0, 3, 5), (3, 4, 0, 5), (3, 4, 3, 0), (0, 2, 2, 2)]
    )
    def test_any_size_may_be_nothing(self, loaded, tiny_batch, name, sizes):
        rows, context, targets, candidates = sizes
        batch = tiny_batch(max(rows, 1), context, targets, max(candidates, 1))
        batch["candidate_design"] = batch["candidate_design"][:, :candidates]
        batch["candidate_mask"] = batch["candidate_mask"][:, :candidates]
        batch = {key: array[:rows] for key, array in batch.items()}
        outputs = run(loaded, name, batch)
        for array in outputs.values():
            assert array.shape[0] == rows
            assert np.isfinite(array).all()
        if "index" in outputs and candidates == 0:
            np.testing.assert_array_equal(outputs["index"], np.full(rows, -1))

    def test_a_mask_of_one_row_does_not_stand_for_all(self, loaded, tiny_batch):
        batch = tiny_batch(3, 4)
        batch["context_mask"] = batch["context_mask"][:1]
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected one size B"):
            run(loaded, "infer", batch)


def run(loaded, name, batch):
    inputs = {key: tf.constant(batch[key]) for key in SIGNATURES[name]}
    inputs |= {key: tf.constant([NO_COUNT]) for key in counts(name)}
    return {key: tensor.numpy() for key, tensor in loaded.signatures[name](**inputs).items()}


#: Starts a script that has TensorFlow and nothing else. `import tensorflow` imports Keras by
#: itself, so Keras is taken away again, and neither it nor the others can be imported after that.
TENSORFLOW_ALONE = """
import sys
import tensorflow as tf
absent = {"keras", "tf_keras", "tensorflow_probability", "aline_tf"}
for module in [name for name in sys.modules if name.split(".")[0] in absent]:
    del sys.modules[module]
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in absent:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
"""


#: Says which operations there are, which of them TensorFlow has not, and which signatures answer.
LOOK = """
import json
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry
saved = saved_model_pb2.SavedModel()
saved.ParseFromString(open(sys.argv[1] + "/saved_model.pb", "rb").read())
graph = saved.meta_graphs[0].graph_def
functions = {function.signature.name for function in graph.library.function}
nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
ops = {node.op for node in nodes} - functions
unknown = sorted(op for op in ops if op_def_registry.get(op) is None)
answered = []
for name, function in tf.saved_model.load(sys.argv[1]).signatures.items():
    _, specs = function.structured_input_signature
    outputs = function(
        **{key: tf.zeros([size or 1 for size in spec.shape], spec.dtype)
           for key, spec in specs.items()}
    )
    assert outputs
    answered.append(name)
print(json.dumps({"ops": sorted(ops), "unknown": unknown, "answered": answered}))
"""


@pytest.fixture(scope="module")
def seen_alone(tiny_models):
    """What `LOOK` says of the tiny export."""
    return json.loads(tensorflow_alone(LOOK, tiny_models / "tiny" / "1").splitlines()[-1])


class TestStandsAlone:
    def test_every_operation_is_one_of_tensorflows_own(self, seen_alone):
        ops = seen_alone["ops"]
        assert not seen_alone["unknown"]
        assert not [op for op in ops if op.startswith(("PyFunc", "EagerPyFunc", "XlaCallModule"))]
        assert len(ops) > 20

    def test_it_loads_and_answers_without_keras_tfp_or_this_package(self, seen_alone):
        assert set(seen_alone["answered"]) == set(OUTPUTS)

    def test_the_session_loader_answers_with_the_same_numbers(
        self, tiny_models, loaded, tiny_batch
    ):
        batch = tiny_batch(5, 6)
        expected = {name: run(loaded, name, batch) for name in SIGNATURES}
        with tf.compat.v1.Session(graph=tf.Graph()) as session:
            graph = tf.compat.v1.saved_model.loader.load(
                session, ["serve"], str(tiny_models / "tiny" / "1")
            )
            for name in SIGNATURES:
                definition = graph.signature_def[name]
                answers = session.run(
                    {key: info.name for key, info in definition.outputs.items()},
                    {
                        info.name: batch.get(key, [NO_COUNT])
                        for key, info in definition.inputs.items()
                    },
                )
                for key, array in expected[name].items():
                    np.testing.assert_allclose(answers[key], array, rtol=1e-5, atol=1e-5)

    def test_it_is_small(self, tiny_models):
        files = (tiny_models / "tiny" / "1").rglob("*")
        assert sum(file.stat().st_size for file in files if file.is_file()) < 10e6


def tensorflow_alone(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", TENSORFLOW_ALONE + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


class TestChoice:
    def test_it_is_the_softmax_over_what_is_allowed(self):
        logits = np.array([[1.0, 3.0, 2.0], [0.0, 0.0, 9.0]], np.float32)
        mask = np.array([[True, False, True], [True, True, False]])
        chosen = choice(tf.constant(logits), tf.constant(mask))
        first = np.exp(1.0) / (np.exp(1.0) + np.exp(2.0))
        np.testing.assert_allclose(
            chosen["probabilities"], [[first, 0, 1 - first], [0.5, 0.5, 0]], rtol=1e-6
        )
        np.testing.assert_array_equal(chosen["index"], [2, 0])
        entropy = -first * np.log(first) - (1 - first) * np.log(1 - first)
        np.testing.assert_allclose(chosen["entropy"], [entropy, np.log(2)], rtol=1e-6)
        assert chosen["scores"].numpy()[0, 1] == np.float32(NOT_ALLOWED)

    def test_where_nothing_is_allowed_nothing_is_chosen(self):
        chosen = choice(tf.zeros([2, 3]), tf.zeros([2, 3], tf.bool))
        np.testing.assert_array_equal(chosen["index"], [-1, -1])
        assert not np.any(chosen["probabilities"])
        np.testing.assert_array_equal(chosen["entropy"], [0, 0])

    def test_scores_far_below_zero_are_still_chosen(self):
        logits = tf.constant([[-1e8, -2e8]])
        assert choice(logits, tf.constant([[True, True]]))["index"].numpy()[0] == 0


@pytest.fixture
def export_stub(monkeypatch):
    """Exports without the seconds that writing a graph takes."""

    def save(module, path, signatures):
        from pathlib import Path

        Path(path).mkdir()
        (Path(path) / "saved_model.pb").write_bytes(b"graph")

    monkeypatch.setattr(tf.saved_model, "save", save)
    monkeypatch.setattr(
        "aline_tf.serving.export.SignatureFunctions.signature", lambda self, name: name
    )


@pytest.mark.usefixtures("export_stub")
class TestPlace:
    def test_a_preset_stands_beside_the_graph(self, tiny_model, tmp_path):
        from aline_tf.models.presets import load_preset

        out = export_model(tiny_model, tmp_path / "tiny" / "1", metadata={"seed": 3})
        again = load_preset(out / "preset")
        for before, after in zip(tiny_model.weights, again.weights, strict=True):
            np.testing.assert_array_equal(before.numpy(), after.numpy())

    def test_a_preset_that_is_given_is_copied(self, tiny_model, tmp_path):
        given = tmp_path / "given"
        given.mkdir()
        for name in ("config.json", "model.weights.h5", "metadata.json", "checkpoint"):
            (given / name).write_text(name)
        out = export_model(tiny_model, tmp_path / "out", preset=given)
        copied = {path.name: path.read_text() for path in (out / "preset").iterdir()}
        assert set(copied) == {"config.json", "model.weights.h5", "metadata.json"}
        assert all(name == text for name, text in copied.items())

    def test_an_older_preset_is_given_its_trained_ranges(self, tiny_model, tmp_path):
        given = tmp_path / "given"
        tiny_model.save_to_preset(given, {"seed": 3})
        (given / "metadata.json").write_text('{"seed": 3}')
        out = export_model(tiny_model, tmp_path / "out", preset=given)
        expected = {"seed": 3, "ranges": trained_ranges(tiny_model.spec)}
        assert json.loads((out / "preset" / "metadata.json").read_text()) == expected

    def test_what_exists_is_not_replaced_unless_forced(self, tiny_model, tmp_path):
        out = export_model(tiny_model, tmp_path / "1")
        (out / "saved_model.pb").write_bytes(b"older")
        with pytest.raises(InputError, match=r"--force to replace an export; received"):
            export_model(tiny_model, out)
        assert (out / "saved_model.pb").read_bytes() == b"older"

    def test_force_replaces_the_export_and_keeps_the_card_beside_it(self, tiny_model, tmp_path):
        out = export_model(tiny_model, tmp_path / "1")
        (out / "saved_model.pb").write_bytes(b"older")
        (out / "MODEL_CARD.md").write_text("card")
        (out / "figures").mkdir()
        (out / "figures" / "curve.txt").write_text("curve")
        # Even where only an export would write.
        (out / "preset" / "notes.txt").write_text("notes")
        (out / "variables").mkdir()
        (out / "variables" / "mine.npy").write_text("mine")
        # The preset of the export itself may be the one that is exported again.
        export_model(tiny_model, out, preset=out / "preset", force=True)
        assert (out / "saved_model.pb").read_bytes() == b"graph"
        assert (out / "MODEL_CARD.md").read_text() == "card"
        assert (out / "figures" / "curve.txt").read_text() == "curve"
        assert (out / "preset" / "notes.txt").read_text() == "notes"
        assert (out / "variables" / "mine.npy").read_text() == "mine"
        assert (out / "preset" / "config.json").is_file()
        assert [path.name for path in tmp_path.iterdir()] == ["1"]

    def test_force_does_not_replace_a_directory_of_something_else(self, tiny_model, tmp_path):
        (tmp_path / "precious.txt").write_text("mine")
        with pytest.raises(InputError, match="expected an earlier export to replace"):
            export_model(tiny_model, tmp_path, force=True)
        assert (tmp_path / "precious.txt").read_text() == "mine"

    def test_force_does_not_replace_a_saved_model_of_something_else(self, tiny_model, tmp_path):
        (tmp_path / "saved_model.pb").write_bytes(b"mine")
        with pytest.raises(InputError, match=r"holds no preset/config\.json"):
            export_model(tiny_model, tmp_path, force=True)
        assert [path.name for path in tmp_path.iterdir()] == ["saved_model.pb"]

    def test_a_file_in_the_way_is_refused(self, tiny_model, tmp_path):
        (tmp_path / "1").write_text("file")
        with pytest.raises(InputError, match="expected a directory to write to"):
            export_model(tiny_model, tmp_path / "1", force=True)

    def test_a_failure_leaves_nothing_behind(self, tiny_model, tmp_path):
        with pytest.raises(FileNotFoundError):
            export_model(tiny_model, tmp_path / "tiny" / "1", preset=tmp_path / "absent")
        assert list(tmp_path.iterdir()) == []
