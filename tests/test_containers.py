"""The containers: pinned images, consistent places, health checks that tell the truth."""

import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from aline_tf import __version__

ROOT = Path(__file__).resolve().parents[1]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


class TestServing:
    def test_every_model_directory_is_served_and_no_other(self):
        present = {
            path.name
            for path in (ROOT / "savedmodels").iterdir()
            if path.is_dir() and not path.name.startswith(".")
        }
        assert {model.name for model in served_models()} == present

    def test_every_model_has_a_numbered_version_with_a_saved_model(self):
        for model in served_models():
            versions = list((ROOT / "savedmodels" / model.name).iterdir())
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
        assert SERVICES["jupyter"]["image"] == f"aline-tf:{__version__}"

    def test_every_service_has_a_health_check_and_stays_on_this_machine(self):
        assert set(SERVICES) >= {"jupyter", "serving"}
        for service in SERVICES.values():
            assert service["healthcheck"]["test"][0] == "CMD"
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))

    def test_the_gateway_uses_the_database_and_the_models_of_its_neighbours(self):
        from sqlalchemy import make_url

        from aline_tf import cli

        gateway, postgres = SERVICES["gateway"], SERVICES["postgres"]
        words = gateway["command"].split()
        args = cli.build_parser(cli.COMMANDS).parse_args(words[1:])
        assert args.served_model == "serving:8500"
        assert f"127.0.0.1:8000:{args.port}" in gateway["ports"]
        url = make_url(gateway["environment"]["ALINE_TF_DATABASE"])
        assert url.host == "postgres" and "ports" not in postgres
        for name, value in (("USER", url.username), ("DB", url.database)):
            assert postgres["environment"][f"POSTGRES_{name}"] == value
        assert set(gateway["depends_on"]) == {"postgres", "serving"}
        assert gateway["image"] == SERVICES["jupyter"]["image"]

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
