"""The same call in JavaScript and in Go: the numbers of the client in Python."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from aline_tf.models.packaged_presets import savedmodels_dir
from aline_tf.serving import Client, ModelRepository, Server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "clients"
COMMANDS = {"node": ["node", "propose.mjs"], "go": ["go", "run", "propose.go"]}


@pytest.fixture(scope="module")
def served():
    repository = ModelRepository(savedmodels_dir() / "psychometric")
    with Server(repository, port=0, rest_port=0, warm_up=False, poll_seconds=0) as server:
        yield server


def run(language, address, model, tmp_path):
    command = COMMANDS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on this machine")
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, address, model],
        cwd=EXAMPLES,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done


@pytest.mark.parametrize("language", COMMANDS)
def test_the_next_question_is_that_of_the_client(served, language, tmp_path):
    done = run(language, f"http://{served.rest_target}", "psychometric", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    pool = np.linspace(-5, 5, 50, dtype=np.float32)[None, :, None]
    batch = {
        "context_design": [[[-1.0], [2.0]]],
        "context_outcome": [[[0.0], [1.0]]],
        "theta_mask": [[True, True, False, False]],
        "candidate_design": pool,
    }
    with Client(served.target, "psychometric", timeout=60) as client:
        expected = client.propose(batch)
    assert found["index"] == expected["index"][0]
    assert found["stimulus"] == pytest.approx(float(pool[0, found["index"], 0]))
    np.testing.assert_allclose(found["scores"], expected["scores"][0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("language", COMMANDS)
def test_a_refusal_is_told(served, language, tmp_path):
    done = run(language, f"http://{served.rest_target}", "nothing", tmp_path)
    assert done.returncode != 0 and "nothing" in done.stderr and not done.stdout
