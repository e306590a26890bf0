"""The client without TensorFlow: what it is made of, and that it says what the package says."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from aline_tf import __version__
from aline_tf.acquisition.session import Session
from aline_tf.models.packaged_presets import packaged_presets, savedmodels_dir

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "clients" / "python"

# Everything beyond what it declares is shut out: TensorFlow, the package, pandas, scipy.
BLOCKED = """
import sys
class Blocked:
    names = {"tensorflow", "keras", "tensorflow_probability", "tensorflow_serving", "aline_tf"}
    names |= {"pandas", "scipy", "sklearn"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""

ASK = """
import json
import numpy as np
from aline_tf_client import Client, InputError, RemoteModel, Session, __version__

target, found = sys.argv[1], {"version": __version__}
pool = np.linspace(-5, 5, 50)[:, None]
with RemoteModel(target, "psychometric", timeout=120) as model:
    session = Session(model, pool, target="threshold,slope")
    asked = []
    for outcome in (1.0, 0.0, None, 1.0):
        question = session.ask()
        asked.append(question.index)
        session.tell(question, outcome)
    posterior = session.posterior()
    found["asked"], found["state"] = asked, session.to_json()
    found["posterior"] = {name: [m.mean, m.sd, *m.quantiles] for name, m in posterior.items()}
    found["predicted"] = [m.mean for m in session.predict([[-1.0], [2.0]])]
    refused = []
    for attempt in (
        lambda: session.sample(3),
        lambda: Session(model, pool, policy="gp-epig"),
        lambda: Session(model, pool, task="psychometric"),
    ):
        try:
            attempt()
        except InputError as error:
            refused.append(str(error))
    found["refused"] = refused
    found["uncertainty"] = Session(model, pool, policy="random").ask().index
with Client(target, "psychometric", timeout=120) as client:
    answer = client.step({"candidate_design": pool[None]})
    found["step"] = {name: array.ravel().tolist() for name, array in answer.items()}
found["loaded"] = sorted(Blocked.names & set(sys.modules))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def assembled(tmp_path_factory):
    """A folder with the client as it is built."""
    folder = tmp_path_factory.mktemp("client")
    code = "import sys; sys.path.insert(0, sys.argv[1]); from assemble import *; "
    code += "print(*assemble(Path(sys.argv[2])), sep='\\n')"
    subprocess.run([sys.executable, "-c", code, CLIENT, folder / "aline_tf_client"], check=True)
    return folder


@pytest.fixture(scope="module")
def served():
    from aline_tf.serving.embedded.repository import ModelRepository
    from aline_tf.serving.embedded.server import Server

    repository = ModelRepository(savedmodels_dir() / "psychometric")
    with Server(repository, port=0, warm_up=False, poll_seconds=0) as server:
        yield server


def run(folder, code, *arguments):
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PYTHONPATH": str(folder)},
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def found(assembled, served):
    return json.loads(run(assembled, BLOCKED + ASK, served.target).splitlines()[-1])


def test_it_needs_none_of_what_it_does_not_declare(found):
    assert found["loaded"] == [] and found["version"] == __version__


def test_the_session_is_that_of_the_package(found):
    from aline_tf.models.presets import load_preset

    pool = np.linspace(-5, 5, 50)[:, None]
    model = load_preset(packaged_presets()["psychometric"])
    session = Session(model, pool, target="threshold,slope", refine=False)
    for index, outcome in zip(found["asked"], (1.0, 0.0, None, 1.0), strict=True):
        question = session.ask()
        assert question.index == index
        session.tell(question, outcome)
    for name, marginal in session.posterior().items():
        here = [marginal.mean, marginal.sd, *marginal.quantiles]
        np.testing.assert_allclose(found["posterior"][name], here, rtol=1e-5, atol=1e-5)
    here = [marginal.mean for marginal in session.predict([[-1.0], [2.0]])]
    np.testing.assert_allclose(found["predicted"], here, rtol=1e-5, atol=1e-5)
    # What one wrote the other reads.
    again = Session.from_json(found["state"], model, refine=False)
    assert again.ask().index == session.ask().index


def test_a_call_gives_the_numbers_of_the_packages_client(found, served):
    from aline_tf.serving.client import Client

    with Client(served.target, "psychometric", timeout=120) as client:
        answer = client.step({"candidate_design": np.linspace(-5, 5, 50)[None, :, None]})
    assert set(answer) == set(found["step"])
    for name, array in answer.items():
        np.testing.assert_allclose(found["step"][name], array.ravel(), rtol=1e-5, atol=1e-5)


def test_what_needs_more_is_refused_in_a_sentence(found):
    joint, policy, task = found["refused"]
    assert "expected a model in this process for joint draws" in joint
    assert "received 'gp-epig', which needs" in policy
    assert "expected a place with" in task and "received 'psychometric'" in task


def test_it_declares_little_and_weighs_little(assembled):
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    names = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert names == {"numpy", "grpcio", "protobuf"}
    assert sum(path.stat().st_size for path in assembled.rglob("*.*")) < 1_000_000
    assert not list(assembled.rglob("*.h5"))


def test_every_preset_tells_its_task(assembled):
    code = "from aline_tf_client import preset_spec; import sys\n"
    code += "print(*(preset_spec(name).sizes for name in sys.argv[1:]))"
    out = run(assembled, code, *packaged_presets())
    assert out.count("'D'") == len(packaged_presets())


@pytest.mark.slow
def test_it_is_built_whole_from_its_own_source_distribution(tmp_path):
    """The archive carries the modules, so that a wheel is built without the package beside it."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist"]
    copy = tmp_path / "checkout" / "clients" / "python"
    shutil.copytree(CLIENT, copy, ignore=shutil.ignore_patterns("__pycache__", "build"))
    (tmp_path / "checkout" / "aline_tf").symlink_to(ROOT / "aline_tf")
    done = subprocess.run([*build, copy], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    code = "import aline_tf_client as a; print(a.__version__, a.Session.__name__, a.__file__)"
    version, name, file = run(tmp_path / "installed", code).split()
    assert (version, name) == (__version__, "Session") and "installed" in file
