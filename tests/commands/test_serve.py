"""`aline-tf serve` as a process: it says where it is, answers, and ends when told to."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from aline_tf.cli import main
from aline_tf.commands.serve import _stop_signal

COMMAND = [sys.executable, "-m", "aline_tf.cli", "serve"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_port_and_ends_cleanly(toy_models, number):
    from aline_tf.serving.client import Client

    process = subprocess.Popen(
        [*COMMAND, "--model-base-path", str(toy_models), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("serving toy on 127.0.0.1:"), process.stderr.read()
        with Client(line.split()[-1], "toy", timeout=30) as client:
            assert client.status()[12]["state"] == "AVAILABLE"
        rest = re.fullmatch(r"REST at (http://\S+/v1/models)/NAME\n", process.stdout.readline())
        with urllib.request.urlopen(f"{rest[1]}/toy/versions/12", timeout=30) as response:
            assert b'"AVAILABLE"' in response.read()
        assert re.fullmatch(r"ready after \d+\.\d s\n", process.stdout.readline())
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "method=GetModelStatus" in errors
    assert "Traceback" not in errors


def test_without_a_base_path_the_packaged_models_are_exported_once(tmp_path):
    from aline_tf.serving.client import Client

    command = [*COMMAND, "--models", "psychometric", "--cache", str(tmp_path / "cache")]
    version = tmp_path / "cache" / "psychometric" / "1"
    stamps = []
    for wording in ("exported to", "as exported to"):
        process = subprocess.Popen(
            [*command, "--port", "0", "--quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        try:
            assert process.stdout.readline() == f"psychometric: {wording} {version}\n"
            line = process.stdout.readline()
            assert line.startswith("serving psychometric on"), process.stderr.read()
            with Client(line.split()[-1], "psychometric", timeout=60) as client:
                assert client.infer({})["theta_mean"].shape == (1, 4)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
        stamps.append((version / "saved_model.pb").stat().st_mtime_ns)
    assert stamps[0] == stamps[1]
    assert [path.name for path in version.parent.iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "psychometrics"], "expected models of .*psychometric.*'?psychometrics"),
        (["--model-base-path", "x", "--cache", "y"], "expected --model-base-path or --cache"),
    ],
)
def test_models_that_cannot_be_meant(tmp_path, capsys, options, message):
    if "--cache" not in options:
        options = [*options, "--cache", str(tmp_path / "cache")]
    assert main(["serve", *options]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_models_that_a_base_path_has_not(toy_models, capsys):
    assert main(["serve", "--model-base-path", str(toy_models), "--models", "toy", "ces"]) == 2
    assert "received a directory without ces" in capsys.readouterr().err


def test_a_signal_that_another_thread_is_given_still_stops_the_wait():
    thread = threading.Thread(target=time.sleep, args=(30,), daemon=True)
    thread.start()
    with _stop_signal() as (stop_socket, _):
        stop_socket.settimeout(20)
        signal.pthread_kill(thread.ident, signal.SIGTERM)
        assert stop_socket.recv(1) == bytes([signal.SIGTERM])


def test_no_models_is_bad_input(tmp_path, capsys):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    assert main(["serve", "--model-base-path", str(tmp_path / "absent")]) == 2
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert "expected a directory of models" in capsys.readouterr().err


def test_a_taken_port_is_said_before_anything_is_loaded(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        absent = tmp_path / "absent"
        assert main(["serve", "--model-base-path", str(absent), "--port", str(port)]) == 2
    assert f"free to listen on; received 127.0.0.1:{port}" in capsys.readouterr().err


def test_where_nothing_can_be_served_it_ends_with_one_line(tmp_path, capsys):
    (tmp_path / "toy" / "1").mkdir(parents=True)
    (tmp_path / "toy" / "1" / "saved_model.pb").write_bytes(b"half a mod")
    options = ["--model-base-path", str(tmp_path), "--port", "0", "--quiet"]
    before = signal.getsignal(signal.SIGTERM)
    assert main(["serve", *options]) == 2
    assert signal.getsignal(signal.SIGTERM) == before
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("aline-tf: error: expected a model that")]
    assert not [line for line in lines if "Traceback" in line]


@pytest.mark.parametrize("moment", ["importing", "loading"])
def test_a_stop_is_heard_while_nothing_is_served_yet(toy_models, tmp_path, moment):
    # A model that takes for ever: its file is a pipe into which nobody writes.
    models = shutil.copytree(toy_models, tmp_path / "models")
    stuck = models / "toy" / "12" / "variables" / "variables.index"
    stuck.unlink()
    os.mkfifo(stuck)
    process = subprocess.Popen(
        [*COMMAND, "--model-base-path", str(models), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if moment == "loading":
            # Opened for writing once the other side reads.
            with stuck.open("w"):
                process.send_signal(signal.SIGTERM)
                output, errors = process.communicate(timeout=60)
        else:
            assert "starting" in process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert output.endswith("stopping\n") and "Traceback" not in errors


@pytest.mark.parametrize(
    "option", [["--port", "70000"], ["--port", "x"], ["--rest-port", "no"], ["--workers", "0"]]
)
def test_options_out_of_range(tmp_path, capsys, option):
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--model-base-path", str(tmp_path), *option])
    assert caught.value.code == 2
    assert "expected" in capsys.readouterr().err
