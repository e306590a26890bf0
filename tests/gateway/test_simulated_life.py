"""Days of a phone that posts every quarter of an hour: the forecast is that of one whole file."""

import json
import os
from datetime import datetime, timedelta, timezone

import numpy as np

from tests.gateway.test_readings import assert_same_forecast

#: More of them by hand: a day is 96 posts.
DAYS = int(os.environ.get("ALINE_TF_LIFE_DAYS", "2"))
BERLIN = timezone(timedelta(hours=2))


def metric(name, units, entries):
    return {"name": name, "units": units, "data": entries}


def entries_of_days(days, draws):
    """Everything a phone has measured in the end: metric -> (moment of the entry, entry)."""
    found = {"heart_rate": [], "step_count": [], "sleep_analysis": [], "resting_heart_rate": []}
    start = datetime(2025, 5, 1, tzinfo=BERLIN) - timedelta(days=days)
    for day in range(days):
        midnight = start + timedelta(days=day)
        for quarter in range(96):
            at = midnight + timedelta(minutes=15 * quarter)
            rate = {"Avg": int(draws.integers(50, 120)), "source": "A Watch"}
            found["heart_rate"].append((at, {"date": stamp(at)} | rate))
            if quarter % 4 == 0:
                steps = {"qty": int(draws.integers(0, 900)), "source": "A Phone"}
                found["step_count"].append((at, {"date": stamp(at)} | steps))
        waking, hours = midnight + timedelta(hours=7), float(draws.uniform(5, 9))
        night = {"date": stamp(midnight), "totalSleep": hours, "inBed": hours + 0.5}
        found["sleep_analysis"].append((waking, night | {"source": "A Watch"}))
        pulse = {"date": stamp(midnight), "qty": int(draws.integers(50, 70)), "source": "A Watch"}
        found["resting_heart_rate"].append((midnight + timedelta(hours=12), pulse))
    return found


def stamp(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")


UNITS = {"heart_rate": "count/min", "step_count": "count", "sleep_analysis": "hr"}
UNITS["resting_heart_rate"] = "count/min"


def posts(found, days, draws):
    """What is posted every quarter of an hour: what is new, hours as far as they have come, now and
    then a whole day again, some of it late."""
    start = datetime(2025, 5, 1, tzinfo=BERLIN) - timedelta(days=days)
    late = []
    for quarter in range(96 * days):
        now = start + timedelta(minutes=15 * quarter)
        body = []
        for name, entries in found.items():
            if name == "step_count":
                hour = now.replace(minute=0)
                done = (now.minute // 15 + 1) / 4
                new = [e | {"qty": e["qty"] * done} for at, e in entries if at == hour]
            else:
                new = [entry for at, entry in entries if at == now]
            body += [metric(name, UNITS[name], new)] if new else []
        if draws.random() < 0.1:
            late.append(body)
            continue
        yield body
        if late and draws.random() < 0.3:
            yield late.pop(0)
        if quarter % 96 == 95 and draws.random() < 0.5:
            yesterday = now.replace(hour=0, minute=0)
            yield [
                metric(name, UNITS[name], [e for at, e in entries if yesterday <= at <= now])
                for name, entries in found.items()
            ]
    yield from late


def test_the_forecast_is_that_of_one_file(gateway, compiled_model, tmp_path, monkeypatch):
    monkeypatch.setattr(gateway.service.rate_limit, "_burst", 1_000_000)
    draws = np.random.default_rng(7)
    found = entries_of_days(DAYS, draws)
    with gateway.person() as person:
        for body in posts(found, DAYS, draws):
            answer = person.post("/v1/readings", json={"data": {"metrics": body}})
            assert answer.status_code == 202, answer.text
        whole = tmp_path / "HealthAutoExport.json"
        metrics = [metric(n, UNITS[n], [e for _, e in entries]) for n, entries in found.items()]
        whole.write_text(json.dumps({"data": {"metrics": metrics}}))
        assert_same_forecast(person, compiled_model, [whole])
