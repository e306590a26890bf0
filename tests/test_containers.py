"""The containers: pinned images, consistent places, health checks that tell the truth."""

import json
import re
import subprocess
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from aline_tf import __version__

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES, VOLUMES = COMPOSE["services"], COMPOSE["volumes"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROMETHEUS = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())


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
        source, target, _ = SERVICES["serving"]["volumes"][0].split(":")
        assert (ROOT / source).resolve() == ROOT / "savedmodels"
        assert f"--model_config_file={target}/models.config" in SERVICES["serving"]["command"]
        for model in served_models():
            assert model.base_path == f"{target}/{model.name}"
            assert model.model_platform == "tensorflow"
            assert model.model_version_policy.WhichOneof("policy_choice")

    def test_labels_name_versions_that_are_there(self):
        assert "--allow_version_labels_for_unavailable_models=true" in command_of("serving")
        for model in served_models():
            assert set(model.version_labels) == {"stable", "canary"}
            for number in model.version_labels.values():
                assert (ROOT / "savedmodels" / model.name / str(number)).is_dir()

    def test_requests_are_merged_only_if_every_graph_has_counts(self):
        graphs = (ROOT / "savedmodels").glob("*/*/saved_model.pb")
        counted = all(b"context_count" in path.read_bytes() for path in graphs)
        assert counted or "--enable_batching=true" not in command_of("serving")

    def test_the_health_check_asks_for_every_model(self):
        script = SERVICES["serving"]["healthcheck"]["test"][-1]
        (names,) = re.findall(r"for model in ([\w ]+);", script)
        assert sorted(names.split()) == sorted(model.name for model in served_models())

    def test_files_that_it_reads_are_mounted(self):
        mounts = [volume.split(":") for volume in SERVICES["serving"]["volumes"]]
        for word in command_of("serving"):
            option, _, path = word.partition("=")
            if option.endswith("_file"):
                (source,) = [
                    path.replace(target, source, 1)
                    for source, target, mode in mounts
                    if path.startswith(target) and mode == "ro"
                ]
                assert (ROOT / source).is_file()


def command_of(service):
    return SERVICES[service]["command"]


class TestMonitoring:
    def test_serving_gives_figures_where_prometheus_asks(self):
        text = (ROOT / "deploy" / "monitoring.config").read_text()
        config = text_format.Parse(text, monitoring_config()).prometheus_config
        assert config.enable
        (job,) = [job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "serving"]
        assert job["metrics_path"] == config.path
        assert job["static_configs"] == [{"targets": ["serving:8501"]}]

    def test_every_target_is_a_service(self):
        for job in PROMETHEUS["scrape_configs"]:
            for target in job["static_configs"][0]["targets"]:
                assert target.partition(":")[0] in SERVICES

    def test_the_gateways_path_of_figures_is_one_that_it_has(self):
        (job,) = [job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "gateway"]
        routes = (ROOT / "aline_tf" / "gateway" / "app.py").read_text()
        assert f'get("{job["metrics_path"]}"' in routes

    def test_what_is_mounted_is_there(self):
        for name in ("serving", "prometheus", "grafana"):
            for volume in SERVICES[name]["volumes"]:
                source = volume.partition(":")[0]
                assert source in VOLUMES or (ROOT / source).exists(), source

    def test_the_dashboard_reads_the_source_that_is_set_up(self):
        place = ROOT / "deploy" / "grafana"
        sources = yaml.safe_load(
            (place / "provisioning" / "datasources" / "prometheus.yml").read_text()
        )["datasources"]
        assert sources[0]["url"] == "http://prometheus:9090"
        (folder,) = yaml.safe_load(
            (place / "provisioning" / "dashboards" / "files.yml").read_text()
        )["providers"]
        mounted = dict(volume.split(":")[1::-1] for volume in SERVICES["grafana"]["volumes"][:2])
        files = list((ROOT / mounted[folder["options"]["path"]]).glob("*.json"))
        assert files
        for file in files:
            panels = json.loads(file.read_text())["panels"]
            assert len({panel["id"] for panel in panels}) == len(panels)
            for panel in panels:
                assert panel["datasource"]["uid"] == sources[0]["uid"]
                assert panel["description"] and panel["targets"]
                for target in panel["targets"]:
                    assert target["expr"].count("(") == target["expr"].count(")")


def monitoring_config():
    """An empty MonitoringConfig, declared as in TensorFlow Serving's monitoring_config.proto, which
    tensorflow-serving-api leaves out."""
    file = descriptor_pb2.FileDescriptorProto(name="monitoring.proto", package="m", syntax="proto3")
    inner = file.message_type.add(name="PrometheusConfig")
    inner.field.add(name="enable", number=1, label=1, type=8)
    inner.field.add(name="path", number=2, label=1, type=9)
    outer = file.message_type.add(name="MonitoringConfig")
    field = outer.field.add(name="prometheus_config", number=1, label=1, type=11)
    field.type_name = ".m.PrometheusConfig"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("m.MonitoringConfig"))()


def served_models():
    from tensorflow_serving.config import model_server_config_pb2

    text = (ROOT / "savedmodels" / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    return config.model_config_list.config


class TestContainers:
    def test_images_are_pinned(self):
        stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", DOCKERFILE, re.MULTILINE)
        named = {name for _, name in stages if name} | {"${VARIANT}"}
        (base,) = {image for image, _ in stages} - named
        assert base.startswith("python:3.11-slim")
        for image in (base, *(service["image"] for service in SERVICES.values())):
            assert re.fullmatch(r"[\w/.-]+:v?\d[\w.-]*", image), image

    def test_each_variant_of_the_image_is_a_stage_with_extras_that_there_are(self):
        assert re.search(r"^ARG VARIANT=cpu$", DOCKERFILE, re.MULTILINE)
        extras = dict(re.findall(r"^FROM \S+ AS (\w+)\nENV EXTRAS=(\S+)", DOCKERFILE, re.MULTILINE))
        assert set(extras) == {"cpu", "gpu"}
        assert set(extras["gpu"].split(",")) - set(extras["cpu"].split(",")) == {"gpu"}
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        for names in extras.values():
            assert set(names.split(",")) <= set(project["optional-dependencies"])

    def test_own_images_carry_the_version_of_the_package(self):
        assert SERVICES["jupyter"]["image"] == f"aline-tf:{__version__}"
        assert SERVICES["jupyter-gpu"]["image"] == f"aline-tf:{__version__}-gpu"

    def test_the_profiles_differ_by_the_device_and_by_nothing_that_is_reached(self):
        cpu, gpu = SERVICES["jupyter"], SERVICES["jupyter-gpu"]
        assert (cpu["profiles"], gpu["profiles"]) == (["cpu"], ["gpu"])
        assert gpu["build"]["args"] == {"VARIANT": "gpu"}
        (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
        for name in set(cpu) - {"profiles", "build", "image", "mem_limit"}:
            assert cpu[name] == gpu[name], name
        # What somebody waits for is there whichever profile is chosen.
        for service in SERVICES.values():
            for other in service.get("depends_on", ()):
                assert "profiles" not in SERVICES[other]

    def test_the_image_runs_as_nobody_in_particular_and_its_notebooks_ask_for_a_token(self):
        assert re.search(r"^USER aline$", DOCKERFILE, re.MULTILINE)
        assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nRUN ")
        (command,) = re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)
        assert "token" not in command and "password" not in command
        assert SERVICES["jupyter"]["environment"]["JUPYTER_TOKEN"] == "${JUPYTER_TOKEN:-}"

    def test_every_service_has_a_health_check_and_stays_on_this_machine(self):
        assert set(SERVICES) >= {"jupyter", "serving"}
        for service in SERVICES.values():
            assert service["healthcheck"]["test"][0] == "CMD"
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))

    def test_every_service_comes_back_and_is_held_to_its_memory(self):
        for service in SERVICES.values():
            assert service["restart"] == "unless-stopped"
            assert re.fullmatch(r"\d+[mg]", service["mem_limit"])

    def test_what_is_reached_from_outside_may_do_little(self):
        for name in ("serving", "gateway", "prometheus", "grafana"):
            assert SERVICES[name]["cap_drop"] == ["ALL"] and SERVICES[name]["read_only"]
        assert SERVICES["serving"]["user"] == "1000:1000"
        assert SERVICES["serving"]["platform"] == "linux/amd64"

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
        assert ignored[0] == "*"
        for line in DOCKERFILE.splitlines():
            if line.startswith("COPY "):
                words = [word for word in line.split()[1:] if not word.startswith("--")]
                for source in words[:-1]:
                    assert (ROOT / source).exists() and f"!{source}" in ignored

    @pytest.mark.parametrize(
        ("states", "healthy"),
        [
            ({}, True),
            ({"migraine": "LOADING"}, False),
            ({"hpo": None}, False),
        ],
    )
    def test_serving_is_healthy_when_every_model_is_available(self, states, healthy):
        available = {model.name: "AVAILABLE" for model in served_models()}
        with model_status_server(available | states) as port:
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
