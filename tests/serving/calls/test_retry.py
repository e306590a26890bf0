"""A call that did not reach the server is tried again, within its deadline and not beyond."""

from concurrent import futures

import grpc
import pytest

from aline_tf.errors import InputError
from aline_tf.serving import wire
from aline_tf.serving.calls.retry import PUSHBACK, Retry
from aline_tf.serving.client import Client

QUICK = Retry(attempts=4, first_pause=0.01, longest_pause=0.02, seed=0)


@pytest.fixture
def flaky():
    """A server that answers the status of a model after so many refusals; counts what it got."""

    class Flaky:
        refusals, code, calls = 0, grpc.StatusCode.UNAVAILABLE, 0
        details, metadata = "not now", ()

        def status(self, request, context):
            self.calls += 1
            if self.calls <= self.refusals:
                context.set_trailing_metadata(self.metadata)
                context.abort(self.code, self.details)
            status = wire.message("ModelVersionStatus", version=3, state=30)
            answer = wire.message("GetModelStatusResponse", model_version_status=[status])
            return answer.SerializeToString()

    flaky = Flaky()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handlers = {"GetModelStatus": grpc.unary_unary_rpc_method_handler(flaky.status)}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", handlers),)
    )
    flaky.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield flaky
    server.stop(None)


def test_it_is_tried_until_the_server_is_there(flaky):
    flaky.refusals = 3
    with Client(flaky.target, "any", retry=QUICK) as client:
        assert client.status() == {3: {"state": "AVAILABLE", "error": ""}}
    assert flaky.calls == 4


def test_after_so_many_tries_it_is_said(flaky):
    flaky.refusals = 9
    with (
        Client(flaky.target, "any", retry=QUICK) as client,
        pytest.raises(ConnectionError, match=r"expected a model server at .*not now"),
    ):
        client.status()
    assert flaky.calls == 4


def test_a_full_queue_is_asked_again(flaky):
    flaky.refusals, flaky.code = 2, grpc.StatusCode.RESOURCE_EXHAUSTED
    with Client(flaky.target, "any", retry=QUICK) as client:
        assert client.status()[3]["state"] == "AVAILABLE"
        flaky.refusals = 99
        with pytest.raises(ConnectionError, match=r"expected room at .*not now"):
            client.status()
    assert flaky.calls == 3 + 4


@pytest.mark.parametrize(
    "refusal",
    [
        {"details": "Received message larger than max (9 vs. 4)"},
        {"metadata": ((PUSHBACK, "-1"),)},
        {"metadata": ((PUSHBACK, "soon"),)},
    ],
)
def test_what_is_too_large_is_not_asked_again(flaky, refusal):
    flaky.refusals, flaky.code = 9, grpc.StatusCode.RESOURCE_EXHAUSTED
    vars(flaky).update(refusal)
    with Client(flaky.target, "any", retry=QUICK) as client, pytest.raises(InputError):
        client.status()
    assert flaky.calls == 1


def test_a_server_says_when_another_try_has_a_point(flaky):
    flaky.refusals, flaky.code = 9, grpc.StatusCode.RESOURCE_EXHAUSTED
    flaky.metadata = ((PUSHBACK, "60000"),)
    with (
        Client(flaky.target, "any", timeout=20, retry=QUICK) as client,
        pytest.raises(ConnectionError, match="expected room"),
    ):
        client.status()
    # It would be beyond the deadline.
    assert flaky.calls == 1


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL"])
def test_what_the_server_refused_is_not_asked_again(flaky, code):
    flaky.refusals, flaky.code = 9, grpc.StatusCode[code]
    with (
        Client(flaky.target, "any", retry=QUICK) as client,
        pytest.raises((InputError, ConnectionError), match="not now"),
    ):
        client.status()
    assert flaky.calls == 1


def test_no_pause_goes_beyond_the_deadline(flaky):
    flaky.refusals = 9
    patient = Retry(attempts=9, first_pause=60, longest_pause=60)
    with (
        Client(flaky.target, "any", timeout=20, retry=patient) as client,
        pytest.raises(ConnectionError, match="not now"),
    ):
        client.status()
    assert flaky.calls == 1


def test_pauses_grow_up_to_the_longest_and_are_drawn():
    retry = Retry(attempts=90, first_pause=0.5, longest_pause=3.0, seed=5)
    pauses, most = list(retry.pauses()), [min(3.0, 0.5 * 2.0**i) for i in range(89)]
    assert len(pauses) == 89
    assert all(half <= 2 * pause <= 2 * half for pause, half in zip(pauses, most, strict=True))
    assert len(set(pauses)) == 89 and pauses == list(retry.pauses())
    assert list(Retry(1).pauses()) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempts": 2.5},
        {"first_pause": 0.0},
        {"first_pause": 3.0, "longest_pause": 2.0},
        {"longest_pause": float("inf")},
        {"first_pause": float("nan")},
    ],
)
def test_settings_that_cannot_be_meant(settings):
    with pytest.raises(InputError, match=r"expected .*; received"):
        Retry(**settings)
