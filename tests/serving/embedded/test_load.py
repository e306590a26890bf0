"""Mixed requests at half of what can be answered, while versions come: none is lost.

A moment of it with toys; ALINE_TF_LOAD_SECONDS=600 holds shipped models in a process of their own
for so long, and its memory to 5%.
"""

import itertools
import os
import shutil
import subprocess
import sys
import threading

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from aline_tf.bench.serving_speed import saturated, settle, steady
from aline_tf.serving import Client
from aline_tf.serving.embedded.repository import ModelRepository
from aline_tf.serving.embedded.server import Server
from tests.resident import growth, resident
from tests.serving.embedded.test_server import predict_request

SECONDS = float(os.environ.get("ALINE_TF_LOAD_SECONDS", "0"))
CLIENTS = 8


@pytest.fixture
def served(tmp_path, toy_models):
    """(functions that ask, the directory of a model, the process)"""
    if SECONDS:
        yield from shipped(tmp_path)
        return
    models = shutil.copytree(toy_models, tmp_path / "models")
    repository, settings = ModelRepository(models), {"poll_seconds": 0.02, "warm_up": False}
    with (
        Server(repository, port=0, **settings) as server,
        grpc.insecure_channel(server.target) as channel,
    ):
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        yield [lambda: predict(predict_request(), timeout=60)], models / "toy", os.getpid()


def shipped(folder):
    from aline_tf.models.packaged_presets import preset_spec, savedmodels_dir
    from aline_tf.serving.extras.example_requests import example_request

    names, models = ("psychometric", "migraine"), folder / "models"
    for name in names:
        shutil.copytree(savedmodels_dir() / name, models / name)
    command = [sys.executable, "-m", "aline_tf.cli", "serve", "--model-base-path", str(models)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--rest-port", "none", "--quiet"],
        stdout=subprocess.PIPE,
        text=True,
    )
    asks = []
    try:
        lines = iter(process.stdout.readline, "")
        address = next(line.split()[-1] for line in lines if line.startswith("serving "))
        next(line for line in lines if line.startswith("ready "))
        for name in names:
            client, spec = Client(address, name, timeout=60), preset_spec(name)
            for signature, sizes in itertools.product(
                ("propose", "step", "infer", "predict"), ((0, 1, 5), (9, 3, 60), (30, 2, 200))
            ):
                request = example_request(spec, signature, *sizes)
                batch = {n: array for n, array in request.items() if not n.endswith("_count")}
                asks.append(lambda c=client, s=signature, b=batch: getattr(c, s)(b))
        yield asks, models / "psychometric", process.pid
    finally:
        process.terminate()
        process.communicate()


def test_half_of_what_can_be_answered_is_answered_while_versions_come(served):
    asks, model, pid = served
    for ask in asks * (30 if SECONDS else 1):
        ask()
    turn, draws = threading.Lock(), np.random.default_rng(0)

    def ask():
        with turn:
            number = int(draws.integers(len(asks)))
        asks[number]()

    for _ in range(2 if SECONDS else 1):
        rate = saturated(ask, CLIENTS, max(SECONDS / 30, 0.2)) / 2
        if SECONDS:  # what was asked for often is being compiled
            settle(pid)
    versions, stopping = [], threading.Event()

    def reload():
        """A version above all others, again and again."""
        while not stopping.wait(max(SECONDS / 10, 0.05)):
            number = max(int(path.name) for path in model.iterdir() if path.name.isdigit())
            arriving = shutil.copytree(model / str(number), model / ".arriving")
            versions.append(arriving.rename(model / str(number + 1)))
            if len(versions) > 2:
                shutil.rmtree(model / str(number - 1))

    thread = threading.Thread(target=reload)
    thread.start()
    try:
        with resident(pid, max(SECONDS / 600, 0.01)) as memory:
            times = steady(ask, rate, int(rate * max(SECONDS, 0.5)))
    finally:
        stopping.set()
        thread.join()
    assert len(times) == int(rate * max(SECONDS, 0.5)) and versions
    p50, p99 = np.quantile(times, [0.5, 0.99])
    print(f"{len(times)} requests at {rate:.0f} a second, {len(versions)} versions came")
    print(f"p50 {1e3 * p50:.1f} ms, p99 {1e3 * p99:.1f} ms, {memory[-1]:.0f} MB")
    if SECONDS:
        print(f"memory grew by {growth(memory):+.1%}")
        assert growth(memory) < 0.05
