"""A session over a served model: the questions and the posterior of one in this process."""

import json
import subprocess
import sys

import numpy as np
import pytest

from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError
from aline_tf.models.packaged_presets import packaged_presets, preset_spec
from aline_tf.models.protocol import SessionModel
from aline_tf.serving import remote_model
from aline_tf.serving.client import Client
from aline_tf.serving.remote_model import RemoteModel


def assert_close(left, right):
    """Marginals, one by one, equal to 1e-5."""
    for a, b in zip(left, right, strict=True):
        for name in ("mean", "sd", "probability", "quantiles"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-5, atol=1e-5)


def assert_same_session(here, there, outcomes, predict_at):
    for outcome in outcomes:
        local, remote = here.ask(), there.ask()
        assert local.index == remote.index
        assert local.score == pytest.approx(remote.score, abs=1e-4, rel=1e-5)
        assert local.probability == pytest.approx(remote.probability, abs=1e-5)
        here.tell(local.index, outcome)
        there.tell(remote.index, outcome)
        left, right = here.posterior(), there.posterior()
        assert list(left) == list(right)
        assert_close(left.values(), right.values())
        assert_close(here.predict(predict_at), there.predict(predict_at))
    states = [json.loads(session.to_json()) for session in (here, there)]
    for state in states:
        # The clock, and weights that a served model does not show.
        state["context"] = [token | {"time": None} for token in state["context"]]
        state["weights"] = None
    assert states[0] == states[1]


@pytest.fixture(scope="module")
def tiny(tiny_server, tiny_model):
    with RemoteModel(tiny_server.target, "tiny", tiny_model.spec, timeout=60) as model:
        yield model


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(5)
    first = rng.integers(0, 2, 40)
    return np.stack([rng.uniform(-2, 2, 40), first, 1 - first], axis=1).astype(np.float32)


def test_it_is_a_model_for_a_session(tiny):
    assert isinstance(tiny, SessionModel)


# Asked of a known parameter in the end, both say that there is nothing to learn.
@pytest.mark.filterwarnings("ignore:nothing is left to learn")
@pytest.mark.parametrize("known", [{}, {"anywhere": 1.5, "either": 1.0}])
@pytest.mark.parametrize("target", [None, "inside,maybe", []])
def test_the_questions_and_the_posterior_are_those_of_the_model_here(
    tiny, tiny_model, pool, known, target
):
    arguments = {"known": known, "target": target, "costs": np.linspace(0, 1, 40)}
    arguments |= {"target_designs": pool[:2], "cost_weight": 0.3}
    here, there = (Session(model, pool, refine=False, **arguments) for model in (tiny_model, tiny))
    outcomes = [[0.3, 1.0], None, [float("nan"), 0.0], [-1.2, float("nan")]]
    assert_same_session(here, there, outcomes, pool[5:9])
    here.retarget("either")
    there.retarget("either")
    assert here.ask().index == there.ask().index


def test_a_real_preset_too(psychometric_server):
    from aline_tf.models.presets import load_preset

    pool = np.linspace(-5, 5, 200)[:, None]
    model = load_preset(packaged_presets()["psychometric"])
    with RemoteModel(psychometric_server.target, "psychometric", timeout=60) as served:
        assert served.spec == model.spec
        # Named, the task says that training shows no refusals; here it is found by itself.
        settings = {"task": "psychometric", "refine": False}
        here, there = (Session(one, pool, "threshold,slope", **settings) for one in (model, served))
        assert_same_session(here, there, [1.0, 0.0, 0.0, 1.0, None], [[-1.0], [2.0]])
        again = Session.from_json(here.to_json(), served, **settings)
        assert again.ask().index == here.ask().index


@pytest.mark.parametrize(("limit", "value"), [("PART", 4), ("PAIRS", 400)])
def test_a_big_pool_is_scored_in_parts(tiny, tiny_batch, monkeypatch, limit, value):
    batch = tiny_batch(2, 3, candidates=11)
    whole = tiny.answer(batch)
    monkeypatch.setattr(remote_model, limit, value)
    # Two rows of 1 + 4 + 3 tokens, and of 4 + 3 targets: 400 = 2 (8 + 7) (8 + N).
    assert remote_model._part_size(batch) in (4, 5)
    parts = tiny.answer(batch)
    for name, array in whole.items():
        np.testing.assert_allclose(parts[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


def test_what_is_no_batch_of_the_task_is_refused_before_it_is_sent(tiny, tiny_batch):
    batch = tiny_batch(2, 3)
    for ask in (tiny.answer, tiny.candidate_logits):
        with pytest.raises(InputError, match="expected theta_mask in the batch"):
            ask({name: array for name, array in batch.items() if name != "theta_mask"})
        with pytest.raises(InputError, match=r"known_theta of shape \[B, 4\]; received \[2, 3\]"):
            ask(batch | {"known_theta": batch["known_theta"][:, :3]})


@pytest.mark.parametrize("policy", ["random", "ace-us"])
def test_other_policies_ask_of_a_served_model(psychometric_server, policy):
    pool = np.linspace(-5, 5, 50)[:, None]
    with RemoteModel(psychometric_server.target, "psychometric", timeout=60) as served:
        session = Session(served, pool, policy=policy)
        first = session.ask()
        session.tell(first.index, 1.0)
        assert session.ask().index != first.index


def test_uncertainty_of_binary_outcomes_is_that_of_the_model_here(psychometric_server):
    from aline_tf.models.presets import load_preset

    model = load_preset(packaged_presets()["psychometric"])
    pool = np.linspace(-5, 5, 50)[:, None]
    with RemoteModel(psychometric_server.target, "psychometric", timeout=60) as served:
        sessions = [Session(one, pool, policy="ace-us") for one in (model, served)]
        for outcome in (1.0, 0.0, 1.0):
            first, second = (session.ask() for session in sessions)
            assert first.index == second.index
            for session in sessions:
                session.tell(first.index, outcome)


class TestConnecting:
    def test_a_client_that_is_handed_in_stays_open(self, tiny_server, tiny_model):
        with Client(tiny_server.target, "tiny", timeout=60) as client:
            with RemoteModel(client, spec=tiny_model.spec.to_dict()) as model:
                assert model.spec == tiny_model.spec
            assert client.status()[1]["state"] == "AVAILABLE"

    def test_another_task_than_the_server_has(self, tiny_server):
        with pytest.raises(
            InputError,
            match=r"'psychometric' \(D=1, F=1, P=4\); received 'tiny' at .* \(D=3, F=2, P=4\)",
        ):
            RemoteModel(tiny_server.target, "tiny", "psychometric", timeout=60)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"spec": "psychometrics"}, "expected a preset of .*psychometric.*'psychometrics'"),
            ({}, r"expected a preset of .*received 'tiny' \(spec= says"),
            ({"spec": {"name": "tiny"}}, "expected a TaskSpec, its dict or the name"),
            ({"name": None}, "expected the name of a model"),
            ({"name": "other", "spec": "ces"}, "expected a model of tiny; received 'other'"),
        ],
    )
    def test_what_cannot_be_meant(self, tiny_server, arguments, message):
        with pytest.raises(InputError, match=message):
            RemoteModel(tiny_server.target, **{"name": "tiny", "timeout": 60} | arguments)

    def test_a_client_of_another_model(self, tiny_server):
        with (
            Client(tiny_server.target, "tiny") as client,
            pytest.raises(InputError, match="a client of 'ces'; received one of 'tiny'"),
        ):
            RemoteModel(client, "ces")

    def test_distributions_need_the_model_here(self, tiny, pool):
        with pytest.raises(InputError, match="in this process for distributions; received Remote"):
            Session(tiny, pool).distributions()


def test_every_preset_tells_its_task():
    for name in packaged_presets():
        assert preset_spec(name).name == name


def test_a_session_over_a_server_needs_no_tensorflow(psychometric_server):
    script = """
import sys
import numpy as np
from aline_tf import Session
from aline_tf.serving import RemoteModel
with RemoteModel(sys.argv[1], "psychometric", timeout=60) as model:
    session = Session(model, np.linspace(-5, 5, 30)[:, None], target="threshold")
    session.tell(session.ask().index, 1.0)
    print(sorted(session.posterior()), len(session.predict([[0.0]])))
print("tensorflow" in sys.modules, "keras" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, psychometric_server.target],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split("\n")[:2] == [
        "['guess', 'lapse', 'slope', 'threshold'] 1",
        "False False",
    ], done.stderr
