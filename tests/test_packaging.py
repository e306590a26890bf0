"""What surrounds the package: dependencies, containers, make targets, and a light first import."""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from aline_tf import cli

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
HEAVY = ("tensorflow", "keras", "tensorflow_probability", "pandas", "sklearn", "matplotlib")
DEMO = (
    "$(BIN)/aline-tf migraine forecast --apple-health examples/export.zip"
    " --diary examples/diary.csv --out build/demo"
)


def loaded_by(statements):
    """Which of the heavy packages a fresh interpreter has loaded after `statements`."""
    report = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", f"{statements}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return result.stdout.splitlines()[-1]


class TestFirstImport:
    def test_importing_the_package_loads_nothing_heavy(self):
        assert loaded_by("import aline_tf; dir(aline_tf)") == "[]"

    @pytest.mark.parametrize(
        "words",
        [(), *(command.words for command in cli.COMMANDS)],
        ids=lambda words: " ".join(words),
    )
    def test_help_loads_no_tensorflow(self, words):
        loaded = loaded_by(
            "from aline_tf.cli import main\n"
            "try:\n"
            f"    main({[*words, '--help']!r})\n"
            "except SystemExit:\n"
            "    pass"
        )
        assert "tensorflow" not in loaded and "keras" not in loaded

    def test_console_script_is_the_command_line(self):
        (script,) = entry_points(group="console_scripts", name="aline-tf")
        assert script.load() is cli.main


class TestDependencies:
    def test_extras_are_there(self):
        assert {"notebook", "gateway", "federated", "dev"} <= set(PROJECT["optional-dependencies"])

    def test_python_range_is_the_one_that_was_tried(self):
        assert PROJECT["requires-python"] == ">=3.11,<3.13"

    @pytest.mark.parametrize(
        "requirement",
        PROJECT["dependencies"]
        + PROJECT["optional-dependencies"]["notebook"]
        + PROJECT["optional-dependencies"]["dev"],
    )
    def test_constraint_pins_a_version_in_the_declared_range(self, requirement):
        wanted = Requirement(requirement)
        assert wanted.specifier.contains(pins()[normalised(wanted.name)])

    def test_constraints_hold_versions_and_nothing_else(self):
        lines = [line for line in constraint_lines() if not line.startswith("#")]
        assert lines and all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in lines)

    def test_licence_is_the_one_declared(self):
        assert PROJECT["license"] == "Apache-2.0"
        text = (ROOT / "LICENSE").read_text()
        assert "Apache License" in text and "Version 2.0, January 2004" in text
        assert "END OF TERMS AND CONDITIONS" in text


def constraint_lines():
    return [line.strip() for line in (ROOT / "constraints.txt").read_text().splitlines() if line]


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins():
    pairs = (line.split("==") for line in constraint_lines() if not line.startswith("#"))
    return {normalised(name): version for name, version in pairs}


class TestServing:
    def test_every_model_directory_is_served_and_no_other(self):
        present = {path.name for path in (ROOT / "savedmodels").iterdir() if path.is_dir()}
        assert {model.name for model in served_models()} == present

    def test_every_model_has_a_numbered_version_with_a_saved_model(self):
        for model in served_models():
            versions = [path for path in (ROOT / "savedmodels" / model.name).iterdir()]
            assert versions and all(path.name.isdecimal() for path in versions)
            assert all((path / "saved_model.pb").is_file() for path in versions)

    def test_base_paths_are_where_compose_mounts_them(self):
        (mount,) = SERVICES["serving"]["volumes"]
        source, target, _ = mount.split(":")
        assert (ROOT / source).resolve() == ROOT / "savedmodels"
        assert f"--model_config_file={target}/models.config" in SERVICES["serving"]["command"]
        for model in served_models():
            assert model.base_path == f"{target}/{model.name}"
            assert model.model_platform == "tensorflow"
            assert model.model_version_policy.WhichOneof("policy_choice")


def served_models():
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    text = (ROOT / "savedmodels" / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    return config.model_config_list.config


class TestContainers:
    def test_images_are_pinned(self):
        base = re.search(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]
        assert base.startswith("python:3.11-slim")
        for image in (base, *(service["image"] for service in SERVICES.values())):
            assert re.fullmatch(r"[\w/.-]+:\d[\w.-]*", image), image

    def test_own_image_carries_the_version_of_the_package(self):
        from aline_tf import __version__

        assert SERVICES["jupyter"]["image"] == f"aline-tf:{__version__}"

    def test_every_service_has_a_health_check_and_stays_on_this_machine(self):
        assert set(SERVICES) >= {"jupyter", "serving"}
        for service in SERVICES.values():
            assert service["healthcheck"]["test"][0] == "CMD"
            assert all(port.startswith("127.0.0.1:") for port in service["ports"])

    def test_serving_listens_where_it_is_published(self):
        command, ports = SERVICES["serving"]["command"], SERVICES["serving"]["ports"]
        assert "--port=8500" in command and "127.0.0.1:8500:8500" in ports
        assert "--rest_api_port=8501" in command and "127.0.0.1:8501:8501" in ports

    def test_what_the_image_copies_is_there_and_not_ignored(self):
        ignored = (ROOT / ".dockerignore").read_text().splitlines()
        for line in (ROOT / "Dockerfile").read_text().splitlines():
            if line.startswith("COPY "):
                *sources, _ = line.removeprefix("COPY ").split()
                for source in sources:
                    assert (ROOT / source).exists() and f"!{source}" in ignored

    @pytest.mark.skipif(not shutil.which("bash"), reason="the check is written for bash")
    @pytest.mark.parametrize(
        ("states", "healthy"),
        [
            ({"psychometric": "AVAILABLE", "migraine": "AVAILABLE"}, True),
            ({"psychometric": "AVAILABLE", "migraine": "LOADING"}, False),
            ({"psychometric": "AVAILABLE"}, False),
        ],
    )
    def test_serving_is_healthy_when_every_model_is_available(self, states, healthy):
        with model_status_server(states) as port:
            assert (run_health_check(port) == 0) is healthy

    @pytest.mark.skipif(not shutil.which("bash"), reason="the check is written for bash")
    def test_serving_is_unhealthy_when_nothing_listens(self):
        with model_status_server({}) as port:
            pass
        assert run_health_check(port) != 0


def run_health_check(port):
    # Compose turns $$ into $ before the container sees it.
    words = [word.replace("$$", "$") for word in SERVICES["serving"]["healthcheck"]["test"][1:]]
    words = [word.replace("/8501", f"/{port}") for word in words]
    return subprocess.run(words, capture_output=True, timeout=20).returncode


class model_status_server:
    """A stand-in for TensorFlow Serving's GET /v1/models/<name>; yields its port."""

    def __init__(self, states):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                state = states.get(self.path.removeprefix("/v1/models/"))
                self.send_response(200 if state else 404)
                self.end_headers()
                body = f'{{"model_version_status": [{{"version": "1",\n  "state": "{state}"}}]}}'
                self.wfile.write((body if state else '{"error": "not found"}').encode())

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_port

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
class TestMake:
    """`make install` against stand-ins for Python: which one it picks, and how often it works."""

    @pytest.fixture
    def checkout(self, tmp_path):
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, tmp_path / name)
        (tmp_path / "bin").mkdir()
        for tool in ("sh", "touch", "mkdir", "cp", "echo", "cat"):
            (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
        return tmp_path

    def python(self, checkout, name, supported):
        """A stand-in that answers the version question, makes a .venv of itself, and keeps a log."""
        script = checkout / "bin" / name
        script.write_text(
            "#!/bin/sh\n"
            'case "$1 $2" in\n'
            f'"-c "*) exit {0 if supported else 1} ;;\n'
            '"--version "*) echo "Python 3.$((9 + 0)) stand-in" ;;\n'
            f'"-m venv") echo "venv {name}" >> log; mkdir -p .venv/bin;'
            ' cp "$0" .venv/bin/python ;;\n'
            '"-m pip") [ "$3" = --version ] || echo "pip $*" >> log ;;\n'
            "esac\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def make(self, checkout, *arguments):
        environment = {**os.environ, "PATH": str(checkout / "bin")}
        environment.pop("MAKEFLAGS", None)
        return subprocess.run(
            [shutil.which("make"), *arguments],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
        )

    def log(self, checkout):
        return (checkout / "log").read_text().splitlines()

    def test_second_install_does_nothing(self, checkout):
        self.python(checkout, "python3", supported=True)
        assert self.make(checkout, "install").returncode == 0
        first = self.log(checkout)
        assert first[0] == "venv python3"
        assert "--constraint constraints.txt" in first[1] and "[dev,notebook]" in first[1]
        assert self.make(checkout, "install").returncode == 0
        assert self.log(checkout) == first

    def test_changed_constraints_are_installed_into_the_same_environment(self, checkout):
        self.python(checkout, "python3", supported=True)
        self.make(checkout, "install")
        os.utime(checkout / ".venv" / ".installed", (0, 0))
        self.make(checkout, "install")
        assert [line.split()[0] for line in self.log(checkout)] == ["venv", "pip", "pip"]

    def test_another_python_is_picked_when_python3_is_not_supported(self, checkout):
        self.python(checkout, "python3", supported=False)
        self.python(checkout, "python3.11", supported=True)
        assert self.make(checkout, "install").returncode == 0
        assert self.log(checkout)[0] == "venv python3.11"

    def test_unsupported_python_is_reported_and_nothing_made(self, checkout):
        self.python(checkout, "python3", supported=False)
        result = self.make(checkout, "install")
        assert result.returncode != 0
        assert "expected Python 3.11 or 3.12" in result.stderr
        assert not (checkout / ".venv").exists()

    def test_demo_runs_the_forecast_on_the_examples(self):
        assert DEMO in (ROOT / "Makefile").read_text()


class TestReadme:
    def test_every_command_shown_is_one_that_parses(self):
        shown = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?aline-tf (.+)$", readme(), re.MULTILINE)
        assert shown
        parser = cli.build_parser(cli.COMMANDS)
        for line in shown:
            assert parser.parse_args(shlex.split(line, comments=True)).handler

    def test_every_path_named_is_there(self):
        for path in re.findall(r"\]\((?!https?:|#)([^)]+)\)", readme()):
            assert (ROOT / path).exists(), path


def readme():
    return (ROOT / "README.md").read_text()
