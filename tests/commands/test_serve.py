"""`aline-tf serve` as a process: it says where it is, answers, and ends when told to."""

import signal
import subprocess
import sys
import threading
import time

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
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "method=GetModelStatus" in errors
    assert "Traceback" not in errors


def test_a_signal_that_another_thread_is_given_still_stops_the_wait():
    thread = threading.Thread(target=time.sleep, args=(30,), daemon=True)
    thread.start()
    with _stop_signal() as asked_to_stop:
        asked_to_stop.settimeout(20)
        signal.pthread_kill(thread.ident, signal.SIGTERM)
        assert asked_to_stop.recv(1) == bytes([signal.SIGTERM])


def test_no_models_is_bad_input(tmp_path, capsys):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    assert main(["serve", "--model-base-path", str(tmp_path / "absent")]) == 2
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert "expected a directory of models" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--port", "70000"], ["--port", "x"], ["--workers", "0"]])
def test_options_out_of_range(tmp_path, capsys, option):
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--model-base-path", str(tmp_path), *option])
    assert caught.value.code == 2
    assert "expected" in capsys.readouterr().err
