"""Damaged documents of every format: a receipt or a refusal in a sentence, never anything else."""

import copy
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.gateway.intake.formats import account as account_of_summary
from aline_tf.gateway.intake.formats import account_of, loaded
from aline_tf.gateway.intake.own_json import readings_of, readings_timeline
from aline_tf.gateway.intake.series import Series
from aline_tf.migraine.records.fhir_export import observations
from aline_tf.migraine.records.wall_clock import WallClock, time_zone
from tests.gateway.test_readings import bundle, health_auto_export, stress

NOW = datetime(2025, 6, 1, tzinfo=UTC)
#: What may stand where something else is expected.
STRANGE = (
    None, True, False, 0, -1, 1e308, -1e308, 10**400, float("nan"), float("inf"), "", " ", "x",
    "\u0000", "\ud800", "9" * 400, "2025-02-30T25:61:00Z", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2025-03-10T20:00:00+99:99", "2025-03-10", [], {}, [[]],
    [None], {"": None}, {"value": {}}, "Infinity", "1e400", "\U0001f600" * 50,
)  # fmt: skip


def documents(life):
    readings = [
        stress(7, own_id="a"),
        stress(2, channel="attack"),
        stress(7.5, channel="sleep_hours", end="2025-03-11T07:00:00+01:00", source="A Watch"),
        stress(1, channel="asleep", end="2025-03-10T23:00:00+01:00"),
        stress(300, channel="steps", end="2025-03-10T20:30:00+01:00"),
        {"channel": "pain", "time": "2025-03-10T20:00:00", "answered": False},
    ]
    stages = {
        "name": "sleep_analysis",
        "units": "hr",
        "data": [
            {"startDate": "2025-05-03 23:00:00 +0200", "endDate": "2025-05-04 01:00:00 +0200"}
            | {"value": "Deep", "source": "A Watch"}
        ],
    }
    exported = health_auto_export([3, 4])
    exported["data"]["metrics"].append(stages)
    exported["data"]["symptoms"] = [
        {"name": "Headache", "severity": "Mild", "start": "2025-05-03 10:00:00 +0200"}
    ]
    return [{"readings": readings}, exported, bundle(list(observations(life))[:12])]


def places(document, path=()):
    """Every place in a document, as the keys that lead there."""
    yield path
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from places(value, (*path, key))


def mutated(document, draws):
    """One to three things in it removed, doubled, renamed or replaced by something strange."""
    document = copy.deepcopy(document)
    for _ in range(int(draws.integers(1, 4))):
        found = [path for path in places(document) if path]
        if not found:
            break
        path = found[int(draws.integers(len(found)))]
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        kind, key = int(draws.integers(5)), path[-1]
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(parent, list):
            parent.insert(int(draws.integers(len(parent) + 1)), copy.deepcopy(parent[key]))
        elif kind == 2 and isinstance(parent, dict):
            parent[str(STRANGE[int(draws.integers(len(STRANGE)))])] = parent.pop(key)
        else:
            parent[key] = copy.deepcopy(STRANGE[int(draws.integers(len(STRANGE)))])
    return document


def take(content, series):
    """What the service makes of a body: "kept", or "refused"."""
    try:
        kind, document = loaded(content)
        account = account_of(kind, document, content, "Europe/Berlin")
    except InputError as error:
        assert str(error) and "\n" not in str(error)
        return "refused"
    json.dumps(account).encode()
    if kind == "readings":
        # The account is that of the timeline, which can be made of whatever was kept.
        made = readings_timeline(readings_of(document), WallClock(time_zone("Europe/Berlin")))
        assert account == account_of_summary(made.summary)
    assert min(account[name] for name in ("read", "skipped", "unused")) >= 0
    series.take(kind, content, account["read"])
    return "kept"


@pytest.mark.parametrize("seed", range(3))
def test_damaged_documents_are_kept_or_refused_and_spoil_nothing(life, seed):
    draws, series, seen = np.random.default_rng(seed), Series(), []
    originals = documents(life)
    for number in range(150):
        document = mutated(originals[number % len(originals)], draws)
        seen.append(take(json.dumps(document).encode(), series))
    for document in originals:
        assert take(json.dumps(document).encode(), series) == "kept"
    assert seen.count("kept") > 50
    # What was taken in once can always be put together.
    assert len(series.timeline("Europe/Berlin", NOW)) > 10


def test_damaged_bytes_are_kept_or_refused(life):
    draws, series = np.random.default_rng(9), Series()
    contents = [json.dumps(document).encode() for document in documents(life)]
    for number in range(300):
        content = bytearray(contents[number % len(contents)])
        for _ in range(int(draws.integers(1, 6))):
            content[int(draws.integers(len(content)))] = int(draws.integers(256))
        if draws.random() < 0.3:
            del content[int(draws.integers(len(content))) :]
        take(bytes(content), series)
    take(contents[0], series)
    assert len(series.timeline("Europe/Berlin", NOW)) > 0
