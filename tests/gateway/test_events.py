"""Events over HTTP: a stream that can be taken up again, webhooks, wishes about prompts."""

import pytest

from aline_tf.gateway.app import create_app
from aline_tf.gateway.storage import events
from tests.gateway.conftest import NOW, Running, settings_in


@pytest.fixture(scope="module")
def calling(tmp_path_factory, inference):
    settings = settings_in(tmp_path_factory.mktemp("calling"), webhook_hosts=("app.example.org",))
    running = Running(create_app(settings, inference=inference, clock=lambda: NOW))
    yield running
    running.stop()


def happen(gateway, person, *names):
    with gateway.service.database.writing() as connection:
        for name in names:
            events.add_event(connection, person.person, name, "risk", {"name": name}, 7)


def listened(person, count, last=None):
    """(id, data) of the first events of a stream."""
    headers, found = {} if last is None else {"Last-Event-ID": last}, []
    with person.stream("GET", "/v1/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        number = None
        for line in stream.iter_lines():
            if line.startswith("id: "):
                number = line.removeprefix("id: ")
            if line.startswith("data: "):
                found.append((number, line.removeprefix("data: ")))
            if len(found) == count:
                return found


def test_a_stream_is_taken_up_where_it_ended_and_tells_nothing_of_others(calling):
    with calling.person() as person, calling.person() as other:
        happen(calling, person, "a", "b")
        happen(calling, other, "secret")
        first = listened(person, 2)
        assert [data for _, data in first] == [f'{{"at": 7, "name": "{n}"}}' for n in "ab"]
        happen(calling, person, "c")
        assert listened(person, 1, last=first[0][0])[0] == first[1]
        assert listened(person, 1, last=first[1][0])[0][1] == '{"at": 7, "name": "c"}'
        refused = person.get("/v1/events", headers={"Last-Event-ID": "x"})
        assert refused.status_code == 422


def test_webhooks_are_those_of_the_person(calling):
    with calling.person() as person, calling.person() as other:
        url = "https://app.example.org/hook"
        made = person.post("/v1/webhooks", json={"url": url})
        assert made.status_code == 201 and len(made.json()["secret"]) == 64
        shown = person.get("/v1/webhooks").json()
        assert shown == [{"id": made.json()["id"], "url": url}]
        assert other.get("/v1/webhooks").json() == []
        assert other.delete(f"/v1/webhooks/{shown[0]['id']}").status_code == 404
        assert person.delete(f"/v1/webhooks/{shown[0]['id']}").status_code == 204
        assert person.get("/v1/webhooks").json() == []
        refused = person.post("/v1/webhooks", json={"url": "https://evil.example.org/"})
        assert refused.status_code == 422 and "one of these hosts" in refused.json()["detail"]


def test_nobody_is_prompted_who_did_not_say_so(calling):
    with calling.person() as person:
        assert person.get("/v1/me/prompting").json()["week"] == 0
        wishes = {"day": 1, "week": 5, "quiet_from": "21:30"}
        assert person.put("/v1/me/prompting", json=wishes).status_code == 200
        assert person.get("/v1/me/prompting").json() == wishes
        for wrong in (
            {"day": 6, "week": 5, "quiet_from": "21:30"},
            {"day": -1, "week": 5, "quiet_from": "21:30"},
            {"day": 1, "week": 5, "quiet_from": "08:00"},
            {"day": 1, "week": 5, "quiet_from": "24:30"},
            {"day": 1, "week": 5},
        ):
            assert person.put("/v1/me/prompting", json=wrong).status_code == 422
        assert person.get("/v1/me/prompting").json() == wishes
