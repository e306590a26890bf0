"""What the gateway does by itself: tells of forecasts that move, prompts when it is worth it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.gateway.attending import courier as couriers
from aline_tf.gateway.attending.attendant import Attendant, Rounds
from aline_tf.gateway.attending.courier import Courier, checked_url, signature
from aline_tf.gateway.forecasts.inference import NextQuestion
from aline_tf.gateway.service import Gateway
from aline_tf.gateway.storage import events, prompting
from aline_tf.gateway.storage.people import Person, add_person
from tests.gateway.conftest import settings_in
from tests.gateway.test_readings import stress


class Scripted:
    """Stands in for a model: a risk and a gain that the test sets."""

    def __init__(self):
        self.risk, self.gain, self.offered = 0.2, 0.01, []

    def risks(self, batch):
        probability = (self.risk, min(1.0, 1.5 * self.risk))
        return [
            {"hours": hours, "probability": p, "low": None, "high": None}
            for hours, p in zip((24, 48), probability, strict=True)
        ]

    def next_question(self, batch, candidates):
        assert batch["candidate_design"].shape[1] == len(candidates)
        self.offered.append(candidates)
        worth = None if self.gain is None else self.gain > 0
        return NextQuestion(candidates[0], self.gain, worth) if candidates else None


class Scene:
    """A service with a clock, a person and a scripted model."""

    def __init__(self, folder):
        self.now, self.model = datetime(2025, 3, 10, 18, 30, tzinfo=UTC), Scripted()
        self.service = Gateway(settings_in(folder), self.model, lambda: self.now)
        self.attendant, self.sent = Attendant(self.service), 0
        with self.service.database.writing() as connection:
            self.id = add_person(connection, 0, "UTC")
        self.person = Person(self.id, "UTC", "test")

    def post(self, value=5):
        self.sent += 1
        reading = stress(value, channel="stress", id=str(self.sent))
        reading["time"] = self.now.isoformat()
        self.service.receive(self.person, json.dumps({"readings": [reading]}).encode(), None)

    def wish(self, day=2, week=10, quiet_from=22 * 60):
        with self.service.database.writing() as connection:
            wishes = prompting.Wishes(day, week, quiet_from)
            prompting.keep_wishes(connection, self.id, wishes)

    def call(self, url="https://app.example.org/hook"):
        with self.service.database.writing() as connection:
            return events.add_webhook(connection, self.id, url, self.service.now())

    def look(self):
        """The kinds of the events that a look finds."""
        with self.service.database.reading() as connection:
            before = events.events_after(connection, self.id, 0)
        self.attendant.look()
        with self.service.database.reading() as connection:
            after = events.events_after(connection, self.id, 0)
        return [event.kind for event in after[len(before) :]]


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.service.close()


class TestRisks:
    def test_a_forecast_that_moved_is_told_once_and_a_rise_is_called_out(self, scene):
        scene.post()
        assert scene.look() == [], "nobody wants to know"
        scene.call()
        assert scene.look() == ["risk"]
        assert scene.look() == []
        scene.model.risk = 0.205
        scene.post()
        assert scene.look() == [], "it hardly moved"
        scene.model.risk = 0.31
        assert scene.look() == [], "nothing was sent since"
        scene.post()
        assert scene.look() == ["risk", "risk_rose"]
        scene.model.risk = 0.1
        scene.post()
        assert scene.look() == ["risk"]
        assert Attendant(scene.service).look() is None and scene.look() == []

    def test_who_listens_wants_to_know_and_a_failure_stops_nobody(self, scene):
        scene.post()
        with scene.service.database.writing() as connection:
            empty = add_person(connection, 0, None)
            events.add_webhook(connection, empty, "https://x", 0)
        with scene.service.stream(scene.person):
            assert scene.look() == ["risk"]
        assert scene.service.streaming() == {}


class TestPrompts:
    def test_quiet_hours_are_kept(self, scene):
        scene.post()
        scene.wish(quiet_from=19 * 60)
        for hour, minute, expected in ((17, 59, []), (19, 0, []), (18, 0, ["question"])):
            scene.now = scene.now.replace(hour=hour, minute=minute)
            assert scene.look() == expected, f"{hour}:{minute:02d}"

    def test_hours_are_those_of_the_person(self, scene):
        scene.post()
        scene.wish()
        tokyo = Person(scene.id, "Asia/Tokyo", "test")
        assert not scene.attendant.prompt(tokyo, prompting.Wishes())
        assert scene.attendant.prompt(scene.person, prompting.Wishes())

    def test_the_budget_is_kept_and_no_question_is_asked_twice(self, scene):
        scene.post()
        scene.wish(day=2, week=3)
        other = Attendant(scene.service)
        for day in range(4):
            told = scene.look() + scene.look() + scene.look()
            other.look()
            assert told == ["question"] * (2, 1, 0, 0)[day]
            scene.now += timedelta(days=1)
        scene.now += timedelta(days=3)
        assert scene.look() == ["question"], "those of a week ago are forgotten"
        with scene.service.database.reading() as connection:
            found = events.events_after(connection, scene.id, 0)
        asked = [json.dumps(event.document) for event in found]
        assert len(set(asked)) == len(asked) == 4
        assert all(candidate.is_prompt for pool in scene.model.offered for candidate in pool)

    def test_whoever_wished_none_is_left_alone(self, scene):
        scene.post()
        assert scene.look() == []
        scene.wish(day=0, week=0)
        assert scene.look() == []

    def test_an_evening_is_weighed_again_when_more_is_known_and_not_before(self, scene):
        scene.post()
        scene.wish()
        scene.model.gain = 0.0
        for _ in range(3):
            assert scene.look() == []
        assert len(scene.model.offered) == 1
        scene.model.gain = 0.02
        scene.now += timedelta(minutes=5)
        scene.post()
        assert scene.look() == ["question"] and len(scene.model.offered) == 2
        with scene.service.database.reading() as connection:
            assert prompting.gains_before(connection, scene.id, "2025-03-11") == [0.02]

    def test_what_is_not_worth_its_burden_is_not_asked(self, scene):
        scene.post()
        scene.wish()
        scene.model.gain = scene.service.settings.cost_weight
        assert scene.look() == []

    def test_a_prompt_can_be_answered(self, scene):
        scene.post()
        scene.wish()
        scene.look()
        with scene.service.database.reading() as connection:
            asked = events.last_event(connection, scene.id, "question").document
        question = {name: asked["question"][name] for name in ("channel", "days_ago", "slot")}
        answer = question | {"evening": asked["evening"], "value": None}
        kept = scene.service.forecasts.answer(scene.person, answer)
        assert kept["receipt"].account["read"] == 1
        # One was answered and one more may be sent.
        assert scene.look() == ["question"] and scene.look() == []

    def test_without_gains_there_is_one_an_evening(self, scene):
        scene.post()
        scene.wish()
        scene.model.gain = None
        assert scene.look() == ["question"] and scene.look() == []

    def test_prompts_tell_more_than_as_many_at_fixed_hours(self, scene):
        """Eight weeks of evenings, some of which would tell much more than others."""
        scene.post()
        scene.wish(day=1, week=2)
        gains = np.random.default_rng(3).exponential(0.01, 56)
        told = []
        for gain in gains:
            scene.model.gain = float(gain)
            told += [gain] * len(scene.look())
            scene.now += timedelta(days=1)
        assert 8 <= len(told) <= 16
        assert np.mean(told) > 1.3 * gains.mean()


class Receiver:
    """Whom a courier calls: answers by a list of statuses, and remembers what came."""

    def __init__(self):
        self.statuses, self.calls = [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((dict(self.headers), body))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"http://{receiver.host}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


class TestCourier:
    @pytest.fixture
    def called(self, scene, receiver):
        """A person about whom the receiver is called, and the secret."""
        _, secret = scene.call(f"http://{receiver.host}/hook")
        return secret

    def event(self, scene, name="one"):
        with scene.service.database.writing() as connection:
            return events.add_event(
                connection, scene.id, name, events.QUESTION, {"q": 1}, scene.service.now()
            )

    def test_calls_are_signed_and_made_once(self, scene, receiver, called):
        number = self.event(scene)
        assert self.event(scene) is None
        courier = Courier(scene.service.database, [receiver.host], scene.service.now)
        assert courier.deliver() == 1 and courier.deliver() == 0
        ((headers, body),) = receiver.calls
        assert json.loads(body) == {
            "event": number,
            "kind": "question",
            "at": scene.service.now(),
            "q": 1,
        }
        moment, _, found = headers["X-Aline-Signature"].partition(",v1=")
        assert moment == f"t={scene.service.now()}"
        assert found == signature(called, scene.service.now(), body)
        assert found != signature(called, scene.service.now(), body + b" ")

    def test_what_is_not_taken_is_tried_again_after_longer_and_longer(
        self, scene, receiver, called
    ):
        receiver.statuses = [500, 302, 404]
        number, courier = self.event(scene), None
        for waited, calls in ((0, 1), (9, 1), (1, 2), (19, 2), (1, 3), (40, 4), (9999, 4)):
            scene.now += timedelta(seconds=waited)
            # A new courier each time: what there is to do is in the database.
            courier = Courier(scene.service.database, [receiver.host], scene.service.now)
            courier.deliver()
            assert len(receiver.calls) == calls, waited
        assert {headers["X-Aline-Event"] for headers, _ in receiver.calls} == {str(number)}

    def test_it_gives_up(self, scene, receiver, called, monkeypatch):
        monkeypatch.setattr(couriers, "MOST_ATTEMPTS", 3)
        receiver.statuses = [500] * 9
        self.event(scene)
        courier = Courier(scene.service.database, [receiver.host], scene.service.now)
        for _ in range(6):
            courier.deliver()
            scene.now += timedelta(hours=2)
        assert len(receiver.calls) == 3

    def test_two_couriers_make_each_call_once(self, scene, receiver, called):
        for name in range(12):
            self.event(scene, str(name))
        threads = [
            threading.Thread(
                target=Courier(scene.service.database, [receiver.host], scene.service.now).deliver
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({headers["X-Aline-Event"] for headers, _ in receiver.calls}) == 12
        assert len(receiver.calls) == 12

    def test_a_host_that_is_named_no_more_is_not_called(self, scene, receiver, called):
        self.event(scene)
        assert Courier(scene.service.database, [], scene.service.now).deliver() == 0
        assert receiver.calls == []

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example.org/hook",
            "http://app.example.org/hook",
            "https://app.example.org@evil.example.org/",
            "https://me:secret@app.example.org/",
            "file:///etc/passwd",
            "https://app.example.org:8443/hook",
            "https://app.example.org/" + "x" * 600,
            "app.example.org",
        ],
    )
    def test_urls_that_are_not_called(self, url):
        with pytest.raises(InputError, match="expected"):
            checked_url(url, ["app.example.org"])

    def test_urls_that_are(self):
        for url in ("https://app.example.org/hook?x=1", "http://127.0.0.1:99/"):
            assert checked_url(url, ["app.example.org", "127.0.0.1:99"]) == url


def test_rounds_go_on_after_a_failure_and_stop(caplog):
    seen, enough = [], threading.Event()

    def what():
        seen.append(1)
        if len(seen) == 3:
            enough.set()
        raise RuntimeError("a failure")

    rounds = Rounds(what, 0.001)
    rounds.start()
    assert enough.wait(30)
    rounds.stop()
    count = len(seen)
    assert not rounds._thread.is_alive() and len(seen) == count
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert lines[0]["rounds"] == "failed" and lines[0]["error"] == "RuntimeError"
    assert any("what" in place for place in lines[0]["traceback"])
    assert "a failure" not in caplog.text
