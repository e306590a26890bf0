"""What is sent is kept once, with an account; and the forecast is that of the same files."""

import gzip
import io
import json
import zipfile
from datetime import timedelta

import numpy as np
import pytest

from aline_tf.migraine.forecast.forecast import attack_risks
from aline_tf.migraine.forecast.moment import standpoint
from aline_tf.migraine.forecast.person_batch import history_batch
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.fhir_export import observations
from aline_tf.migraine.records.importers.records import read_records
from aline_tf.migraine.records.timeline_file import write_timeline
from tests.gateway.conftest import NOW


def stress(value, day=10, own_id=None, **fields):
    reading = {"channel": "stress", "value": value, "time": f"2025-03-{day:02d}T20:00:00+01:00"}
    return reading | ({} if own_id is None else {"id": own_id}) | fields


def bundle(resources):
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def health_auto_export(days, zone="+0200"):
    """{day: [entries of each metric]} as the application writes it."""
    steps, nights = [], []
    for day in days:
        for hour in (8, 12, 17):
            at = f"2025-05-{day:02d} {hour:02d}:00:00 {zone}"
            steps.append({"date": at, "qty": 100 * day + hour, "source": "A Phone"})
        night = {"date": f"2025-05-{day:02d} 00:00:00 {zone}", "totalSleep": 5 + day % 4}
        nights.append(night | {"inBed": 9.5, "source": "A Watch"})
    metrics = [
        {"name": "step_count", "units": "count", "data": steps},
        {"name": "sleep_analysis", "units": "hr", "data": nights},
        {"name": "flights_climbed", "units": "count", "data": [{"qty": 3}]},
    ]
    return {"data": {"metrics": metrics}}


def risks_of_files(model, paths, zone="Europe/Berlin"):
    """What the command line computes of the same records."""
    stand = standpoint(read_records(paths, None, zone, today=NOW).timeline, None, NOW)
    batch, _ = history_batch(day_history(stand.timeline, stand.now, 112), [])
    found = attack_risks(model, batch, 0)[0]
    return stand.now.isoformat(), [[r.probability, r.low, r.high] for r in found]


def risks_of(answer):
    return answer["evening"], [[r["probability"], r["low"], r["high"]] for r in answer["risks"]]


def assert_same_forecast(person, model, paths):
    answer = person.get("/v1/risk")
    assert answer.status_code == 200, answer.text
    (evening, here), (expected, there) = risks_of(answer.json()), risks_of_files(model, paths)
    assert evening == expected
    np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-6)


def values_of(person):
    """The values of a person's timeline, as their export has them."""
    packed = person.get("/v1/me/export").content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        rows = archive.read("timeline.jsonl").decode().splitlines()[1:]
    return [json.loads(row)["value"] for row in rows]


class TestReceipts:
    def test_it_says_what_became_of_every_reading(self, person):
        readings = [stress(7), stress(11), stress(3, channel="mood"), {"channel": 4}, "x"]
        answer = person.post("/v1/readings", json={"readings": readings})
        assert answer.status_code == 202
        receipt = answer.json()
        assert (receipt["read"], receipt["skipped"], receipt["unused"]) == (1, 3, 1)
        assert receipt["by"]["unused"] == {"mood": 1}
        assert receipt["by"]["skipped"]["stress: a value out of range"] == 1
        assert receipt["examples"]["stress: a value out of range"] == "11"
        assert not receipt["repeated"]
        again = person.get(f"/v1/receipts/{receipt['id']}").json()
        assert again == receipt

    def test_the_same_is_kept_once(self, person):
        body = {"readings": [stress(7)]}
        first, second = (person.post("/v1/readings", json=body).json() for _ in range(2))
        assert second == first | {"repeated": True}
        key = {"Idempotency-Key": "morning-1"}
        third = person.post("/v1/readings", json={"readings": [stress(8)]}, headers=key).json()
        assert third["id"] == "morning-1" and not third["repeated"]
        other = person.post("/v1/readings", json={"readings": [stress(9)]}, headers=key)
        assert other.status_code == 409 and "Idempotency-Key" in other.json()["detail"]

    def test_compressed_bodies_are_unpacked(self, person):
        body = gzip.compress(json.dumps({"readings": [stress(7)]}).encode())
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = person.post("/v1/readings", content=body, headers=headers)
        assert answer.status_code == 202 and answer.json()["read"] == 1
        for broken in (body[:-5], body + b"x", b"not gzip"):
            answer = person.post("/v1/readings", content=broken, headers=headers)
            assert answer.status_code == 422 and "gzip" in answer.json()["detail"]

    def test_nothing_that_can_be_used_is_a_receipt_too(self, person):
        answer = person.post(
            "/v1/readings", json={"data": {"metrics": [{"name": "vo2", "data": []}]}}
        )
        assert answer.status_code == 202 and answer.json()["read"] == 0
        assert person.get("/v1/risk").status_code == 404

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "expected JSON"),
            (b"{", "JSON"),
            (b"[1]", "received another document"),
            (b'{"readings": 3}', "expected .*readings"),
            (b'{"resourceType": "Patient"}', ""),
            (b'\xff\xfe{"a"', "UTF-8"),
            (b"[" * 100_000, "JSON"),
        ],
    )
    def test_what_is_of_no_format_is_refused_in_a_sentence(self, person, body, message):
        answer = person.post("/v1/readings", content=body)
        assert answer.status_code == 422 or b"Patient" in body
        assert isinstance(answer.json().get("detail", ""), str)

    def test_bodies_beyond_their_limit_are_refused(self, gateway, person):
        settings = gateway.service.settings
        bomb = gzip.compress(b" " * (settings.largest_payload + 1))
        answer = person.post("/v1/readings", content=bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 413 and "when unpacked" in answer.json()["detail"]
        answer = person.post("/v1/readings", content=b" " * (settings.largest_body + 1))
        assert answer.status_code == 413


class TestForecastsOfFiles:
    def test_bundles_in_any_order_and_again(self, person, life, compiled_model, tmp_path):
        parts = np.array_split(np.array(list(observations(life)), dtype=object), 9)
        for part in [*parts[::-1], parts[3], parts[0]]:
            answer = person.post("/v1/readings", json=bundle(part.tolist()))
            assert answer.status_code == 202 and answer.json()["skipped"] == 0
        whole = tmp_path / "bundle.json"
        whole.write_text(json.dumps(bundle(list(observations(life)))))
        assert_same_forecast(person, compiled_model, [whole])

    def test_what_health_auto_export_posts_day_by_day(self, person, compiled_model, tmp_path):
        for days in ([3], [4], [4], [6, 7], [5], [8], range(3, 8)):
            answer = person.post("/v1/readings", json=health_auto_export(days))
            assert answer.status_code == 202
            assert answer.json()["by"]["unused"] == {"flights_climbed": 1}
        whole = tmp_path / "HealthAutoExport.json"
        whole.write_text(json.dumps(health_auto_export(range(3, 9))))
        assert_same_forecast(person, compiled_model, [whole])

    def test_own_readings(self, person, life, compiled_model, tmp_path):
        frame, readings = life.frame, []
        for place, row in enumerate(frame.itertuples()):
            here = [
                None
                if moment is None
                else (moment + timedelta(minutes=120)).isoformat()[:19] + "+02:00"
                for moment in (row.time, None if frame["end"].isna()[place] else row.end)
            ]
            reading = {"id": str(place), "channel": row.channel, "time": here[0], "end": here[1]}
            reading |= {"value": row.value} if row.status == 1 else {"answered": False}
            readings.append(reading | {"source": row.source})
        draws = np.random.default_rng(2)
        for part in np.array_split(draws.permutation(len(readings)), 7):
            # A value that is wrong comes first, and is put right by the same id.
            wrong = [
                readings[i] | {"value": 0.0} for i in part[:2] if readings[i]["channel"] == "stress"
            ]
            for some in (wrong, [readings[i] for i in part]):
                answer = person.post("/v1/readings", json={"readings": some}).json()
                assert (answer["skipped"], answer["unused"]) == (0, 0), answer
        path = tmp_path / "timeline.jsonl"
        write_timeline(life, path)
        assert_same_forecast(person, compiled_model, [path])

    def test_a_resource_that_is_sent_again_counts_once_and_a_correction_in_place_of_it(
        self, person
    ):
        def pulse(value, **others):
            quantity = {"value": value, "unit": "/min", "code": "/min"}
            coding = [{"system": "http://loinc.org", "code": "8867-4"}]
            observation = {"resourceType": "Observation", "status": "final", "id": "a"}
            at = {"effectiveDateTime": "2025-05-03T08:00:00+02:00", "valueQuantity": quantity}
            return observation | {"code": {"coding": coding}} | at | others

        second = pulse(90, id="b", effectiveDateTime="2025-05-03T08:10:00+02:00")
        for document in (pulse(60), bundle([pulse(60), second]), bundle([second])):
            assert person.post("/v1/readings", json=document).json()["read"]
        assert values_of(person) == [75.0]
        later = {"versionId": "2", "lastUpdated": "2025-05-04T08:00:00Z"}
        person.post("/v1/readings", json=pulse(80, meta=later, status="amended"))
        assert values_of(person) == [85.0]

    def test_a_count_that_grew_is_not_added_to_itself(self, person):
        for count in (200, 350, 300):
            entry = {"date": "2025-05-03 08:00:00 +0200", "qty": count, "source": "A Phone"}
            metric = {"name": "step_count", "units": "count", "data": [entry]}
            person.post("/v1/readings", json={"data": {"metrics": [metric]}})
        assert values_of(person) == [350.0]
