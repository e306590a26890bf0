"""The client completes requests, explains refusals, and needs no TensorFlow."""

import dataclasses
import socket
import subprocess
import sys

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.serving import wire
from aline_tf.serving.client import Client
from aline_tf.serving.remote_model import RemoteModel
from aline_tf.units import UnitAdapter


@pytest.fixture
def client(tiny_server):
    with Client(tiny_server.target, "tiny", timeout=60) as client:
        yield client


class TestAnswers:
    def test_nothing_given_is_the_prior(self, client):
        answer = client.infer({})
        assert set(answer) == {"theta_mean", "theta_sd", "theta_probability", "theta_quantiles"}
        assert answer["theta_mean"].shape == (1, 4)
        assert answer["theta_quantiles"].shape == (1, 4, 5)

    def test_a_pool_is_enough_to_propose(self, client):
        answer = client.propose({"candidate_design": np.zeros([2, 6, 3])})
        assert answer["probabilities"].shape == (2, 6)
        np.testing.assert_allclose(answer["probabilities"].sum(-1), 1.0, rtol=1e-5)
        assert answer["index"].shape == (2,) and answer["index"].dtype == np.int32

    def test_target_designs_are_enough_to_predict(self, client):
        answer = client.predict({"target_design": np.tile([[[0.5, 0, 1]]], [2, 3, 1])})
        assert set(answer) == {"mean", "sd", "quantiles"}
        assert answer["mean"].shape == (2, 3)
        assert ((answer["mean"] > 0) & (answer["mean"] < 1)).all()

    def test_what_is_not_given_changes_nothing(self, client, tiny_batch):
        batch = tiny_batch(2, 4)
        batch["context_mask"][:] = True
        batch["known_mask"][:] = False
        short = {k: v for k, v in batch.items() if k not in ("context_mask", "known_mask")}
        del short["known_theta"]
        for name, array in client.step(batch).items():
            np.testing.assert_array_equal(client.step(short)[name], array)

    def test_quantiles_are_given_where_they_are_asked_for(self, client, tiny_batch):
        batch = tiny_batch(1, 2)
        step, answer = client.step(batch), client.answer(batch)
        assert set(answer) - set(step) == {"quantiles", "theta_quantiles"}
        found = client.step(batch, outputs=["quantiles", "index"])
        np.testing.assert_array_equal(found["quantiles"], answer["quantiles"])
        for name, array in step.items():
            np.testing.assert_allclose(array, answer[name], rtol=1e-6, atol=1e-6)

    def test_nothing_empty_is_sent_and_no_padding_comes_back(self, client, monkeypatch):
        sent = []
        to_tensors = wire.to_tensors
        monkeypatch.setattr(wire, "to_tensors", lambda x: sent.append(x) or to_tensors(x))
        answer = client.answer({"candidate_design": np.zeros([1, 2, 3])})
        assert sent[0]["context_design"].shape == (1, 1, 3) and sent[0]["context_count"] == [0]
        assert not sent[0]["context_mask"].any() and not sent[0]["target_mask"].any()
        assert answer["mean"].shape == (1, 0) and answer["quantiles"].shape == (1, 0, 5)
        empty = client.propose({"candidate_design": np.zeros([1, 0, 3])})
        assert empty["scores"].shape == (1, 0) and empty["index"] == [-1]

    def test_outputs_may_be_chosen(self, client):
        answer = client.propose({"candidate_design": np.zeros([1, 2, 3])}, outputs=["index"])
        assert list(answer) == ["index"]

    def test_metadata_describes_every_signature(self, client):
        metadata = client.metadata()
        assert (metadata["model"], metadata["version"]) == ("tiny", 1)
        inputs = metadata["signatures"]["infer"]["inputs"]
        assert inputs["context_outcome"] == {"dtype": "float32", "shape": [None, None, 2]}

    def test_status(self, client):
        assert client.status() == {1: {"state": "AVAILABLE", "error": ""}}


class TestRefusals:
    def test_a_batch_that_does_not_fit(self, client):
        with pytest.raises(InputError, match=r"\[B, N, 3\]; received \[1, 2, 2\]"):
            client.propose({"candidate_design": np.zeros([1, 2, 2])})

    def test_an_output_that_is_not_there(self, client, tiny_server):
        with pytest.raises(InputError, match=rf"received 'x' .answered by {tiny_server.target}"):
            client.infer({}, outputs=["x"])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"model": "other"}, "expected a model of tiny; received 'other'"),
            ({"model": "tiny", "version": 9}, r"version of model 'tiny' \(1\); received 9"),
            ({"model": "tiny", "label": "stable"}, "received 'stable'"),
        ],
    )
    def test_a_model_that_is_not_there(self, tiny_server, arguments, message):
        with Client(tiny_server.target, **arguments) as client:
            for ask in (client.metadata, client.status, lambda: client.infer({})):
                with pytest.raises(InputError, match=message):
                    ask()

    def test_a_model_of_another_kind(self, toy_server):
        with (
            Client(toy_server.target, "toy") as client,
            pytest.raises(InputError, match="a model with signature infer; received 'toy'"),
        ):
            client.infer({})

    @pytest.mark.parametrize("arguments", [{"timeout": 0}, {"version": 1, "label": "stable"}])
    def test_arguments_that_cannot_be_meant(self, arguments):
        with pytest.raises(InputError, match=r"expected .*; received"):
            Client("127.0.0.1:1", "tiny", **arguments)


class TestConnection:
    def test_no_server(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{taken.getsockname()[1]}"
            with (
                Client(target, "tiny", timeout=5) as client,
                pytest.raises(ConnectionError, match=f"expected a model server at {target}"),
            ):
                client.status()

    def test_a_server_that_never_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            target = f"127.0.0.1:{silent.getsockname()[1]}"
            with (
                Client(target, "tiny", timeout=0.3) as client,
                pytest.raises(ConnectionError, match=rf"expected .* {target}"),
            ):
                client.status()


def test_it_needs_no_tensorflow(tiny_server):
    script = """
import sys
from aline_tf.serving import Client
with Client(sys.argv[1], "tiny", timeout=60) as client:
    print(client.infer({})["theta_mean"].shape)
print("tensorflow" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tiny_server.target],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split("\n")[:2] == ["(1, 4)", "False"], done.stderr


class TestUnits:
    """Designs from 0 to 40 of a model whose x is from -2 to 2."""

    UNITS = UnitAdapter((20.0, 0.0, 0.0), (10.0, 1.0, 1.0))

    @pytest.fixture
    def spec(self, tiny_model):
        inside = dataclasses.replace(tiny_model.spec.parameters[0], axis=0)
        anywhere = dataclasses.replace(tiny_model.spec.parameters[1], scales_with=(("x", 2),))
        rest = tiny_model.spec.parameters[2:]
        return dataclasses.replace(tiny_model.spec, parameters=(inside, anywhere, *rest))

    def test_answers_are_those_of_trained_units_brought_back(self, client, tiny_server, spec):
        trained = {
            "context_design": np.array([[[1.5, 1.0, 0.0]]]),
            "context_outcome": np.array([[[0.3, np.nan]]]),
            "context_status": np.array([[[1, 0]]]),
            "candidate_design": np.array([[[-1.0, 1.0, 0.0], [0.5, 0.0, 1.0]]]),
            "known_theta": np.array([[1.0, 0.0, 0.0, 0.0]]),
            "known_mask": np.array([[True, False, False, False]]),
        }
        own = trained | {
            name: trained[name] * [10.0, 1.0, 1.0] + [20.0, 0.0, 0.0]
            for name in ("context_design", "candidate_design")
        }
        own["known_theta"] = np.array([[30.0, 0.0, 0.0, 0.0]])
        with Client(tiny_server.target, "tiny", timeout=60, units=self.UNITS, spec=spec) as there:
            found, expected = there.answer(own), client.answer(trained)
        assert set(found) == set(expected)
        loc, scale = np.array([20.0, 0, 0, 0]), np.array([10.0, 100.0, 1, 1])
        expected["theta_mean"] = loc + scale * expected["theta_mean"]
        expected["theta_sd"] = scale * expected["theta_sd"]
        expected["theta_quantiles"] = loc + scale * expected["theta_quantiles"].swapaxes(1, 2)
        expected["theta_quantiles"] = expected["theta_quantiles"].swapaxes(1, 2)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)

    def test_units_of_another_task_and_shapeless_arrays_are_refused(self, tiny_server, spec):
        with pytest.raises(InputError, match="the 3 designs"):
            Client(tiny_server.target, "tiny", units=UnitAdapter((0.0,), (1.0,)), spec=spec)
        with pytest.raises(InputError, match="expected a preset"):
            Client(tiny_server.target, "tiny", units=self.UNITS)
        with Client(tiny_server.target, "tiny", timeout=60, units=self.UNITS, spec=spec) as there:
            for wrong in ([[1.0, 2.0]], [["a"]], [[[1.0], [2.0, 3.0]]]):
                with pytest.raises(InputError, match="expected"):
                    there.propose({"candidate_design": wrong})

    def test_a_session_has_its_own(self, tiny_server, spec):
        client = Client(tiny_server.target, "tiny", timeout=60, units=self.UNITS, spec=spec)
        with client, pytest.raises(InputError, match="a client without units"):
            RemoteModel(client, spec=spec)
