"""Readings over one WebSocket: the same receipts, checks, limits and tokens as over requests."""

import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from aline_tf.gateway.app import create_app
from tests.gateway.conftest import NOW, Running, settings_in
from tests.gateway.test_readings import stress, values_of
from tests.gateway.test_services import new_service


def opened(running, **headers):
    url = running.url.replace("http", "ws") + "/v1/stream"
    return connect(url, additional_headers=headers, proxy=None, open_timeout=60)


def bearer(token, **others):
    return {"Authorization": f"Bearer {token}"} | others


def say(socket, message):
    socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    return json.loads(socket.recv(timeout=60))


def test_readings_are_kept_once_whichever_way_they_come(gateway, person):
    body = '{"readings":  [' + json.dumps(stress(7)) + "]}"
    with opened(gateway, **bearer(person.token)) as socket:
        first = say(socket, '{"id": "a", "send": ' + body + "}")
        assert first["status"] == 202 and first["id"] == "a" and first["receipt"]["read"] == 1
        again = say(socket, '{"send":' + body + ' , "id":"a"}')
        assert again["receipt"] == first["receipt"] | {"repeated": True}
        # The same bytes as a request.
        headers = {"Idempotency-Key": "a", "Content-Type": "application/json"}
        posted = person.post("/v1/readings", content=body, headers=headers)
        assert posted.status_code == 202 and posted.json()["repeated"]
        without = say(socket, {"send": {"readings": [stress(3, 11)]}})
        assert without["status"] == 202 and len(without["id"]) == 64
        assert say(socket, {"id": "a", "send": {"readings": []}})["status"] == 409
        assert say(socket, b'{"send": {"readings": []}}')["status"] == 202
    assert sorted(values_of(person)) == [3, 7]


@pytest.mark.parametrize(
    "message",
    [
        "nonsense", "[]", "{}", '{"send": 3}', '{"send": {}}', '{"send": {"readings": 1}}',
        '{"id": 3, "send": {"readings": []}}', '{"id": "", "send": {"readings": []}}',
        '{"send": {"readings": []}, "more": 1}', b"\xff\xfe", "{" * 2000,
        '{"id": "\\u0000", "send": {"readings": []}}',
    ],
)  # fmt: skip
def test_what_is_refused_does_not_end_the_stream(gateway, person, message):
    with opened(gateway, **bearer(person.token)) as socket:
        refused = say(socket, message)
        assert refused["status"] == 422 and refused["detail"].startswith("expected")
        assert say(socket, {"send": {"readings": [stress(7)]}})["status"] == 202


class TestTokens:
    def test_a_page_sends_its_token_first(self, gateway, person):
        with opened(gateway) as socket:
            socket.send(json.dumps({"token": person.token}))
            assert say(socket, {"send": {"readings": [stress(7)]}})["status"] == 202
        assert values_of(person) == [7]

    @pytest.mark.parametrize("first", ['{"token": "aline_wrong"}', '{"send": {}}', "x"])
    def test_without_one_that_counts_the_stream_ends(self, gateway, first):
        with opened(gateway) as socket:
            assert say(socket, first)["status"] in (401, 422)
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=60)

    def test_one_that_is_revoked_counts_no_more(self, gateway, person):
        from aline_tf.gateway.storage.people import revoke_token

        with opened(gateway, **bearer(person.token)) as socket:
            assert say(socket, {"send": {"readings": [stress(7)]}})["status"] == 202
            with gateway.service.database.writing() as connection:
                revoke_token(connection, person.token, 1)
            assert say(socket, {"send": {"readings": [stress(8)]}})["status"] == 401
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=60)

    def test_services_send_for_whom_they_may(self, gateway, person):
        service, token = new_service(gateway)
        named = {"X-Aline-Person": person.person}
        person.put(f"/v1/me/services/{service}", json={"scopes": ["forecasts"]})
        # Refused before anything is sent, so nothing is: the stream may end at any moment.
        with opened(gateway, **bearer(token, **named)) as socket:
            assert json.loads(socket.recv(timeout=60))["status"] == 403
            with pytest.raises(ConnectionClosed, match=r"1008 .* expected a service"):
                socket.recv(timeout=60)
        person.put(f"/v1/me/services/{service}", json={"scopes": ["readings"]})
        with opened(gateway, **bearer(token, **named)) as socket:
            assert say(socket, {"send": {"readings": [stress(7)]}})["status"] == 202


class TestLimits:
    @pytest.fixture
    def narrow(self, tmp_path, inference):
        settings = settings_in(tmp_path, burst=3, per_minute=1, largest_body=2000)
        running = Running(create_app(settings, inference=inference, clock=lambda: NOW))
        yield running
        running.stop()

    def test_somebody_who_sends_too_often_waits(self, narrow):
        with narrow.person() as person, opened(narrow, **bearer(person.token)) as socket:
            answers = [say(socket, {"send": {"readings": [stress(n)]}}) for n in range(4)]
        # The first one is for the stream itself.
        assert [answer["status"] for answer in answers] == [202, 202, 429, 429]
        assert answers[-1]["retry_after"] > 0

    def test_messages_are_no_larger_than_bodies(self, narrow):
        with narrow.person() as person, opened(narrow, **bearer(person.token)) as socket:
            assert say(socket, {"send": {"readings": [], "x": "y" * 2000}})["status"] == 413
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=60)
