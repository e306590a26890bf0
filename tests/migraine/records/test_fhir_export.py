"""FHIR out: the form of a resource, and back again without loss."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from aline_tf.migraine.records.fhir_codes import CHANNEL_OF, CODINGS, UNITS
from aline_tf.migraine.records.fhir_export import observations, write_bundle
from aline_tf.migraine.records.importers.documents import open_documents
from aline_tf.migraine.records.importers.fhir import read_fhir
from aline_tf.migraine.records.timeline import KINDS, Timeline
from tests.migraine.records.timelines import timelines


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("bundles")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(timeline=timelines())
def test_a_bundle_is_read_back_row_for_row(place, timeline):
    write_bundle(timeline, place / "bundle.json")
    with open_documents(place / "bundle.json") as (document,):
        again = read_fhir(document)
    pd.testing.assert_frame_equal(again.frame, timeline.frame)
    assert not again.summary.skipped


def test_a_resource_is_this():
    row = (1_741_500_000, 1_741_500_060, 1_741_500_062, 60, 60, "sdnn", 51.5, "ms", 1, "watch")
    (made,) = observations(Timeline.from_rows([row]))
    assert made == {
        "resourceType": "Observation",
        "id": made["id"],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {
            "coding": [
                {
                    "system": "http://loinc.org",
                    "code": "80404-7",
                    "display": "R-R interval.standard deviation (Heart rate variability)",
                },
                {"system": "urn:aline-tf:channel", "code": "sdnn"},
            ],
            "text": "sdnn",
        },
        "effectivePeriod": {
            "start": "2025-03-09T07:00:00+01:00",
            "end": "2025-03-09T07:01:00+01:00",
        },
        "issued": "2025-03-09T07:01:02+01:00",
        "valueQuantity": {
            "value": 51.5,
            "unit": "ms",
            "system": "http://unitsofmeasure.org",
            "code": "ms",
        },
        "device": {"display": "watch"},
    }


def test_a_bundle_is_json_with_identifiers_of_its_own(tmp_path):
    row = (1_741_500_000, 1_741_500_000, 1_741_500_000, 60, 60, "steps", 5.0, "count", 1, "phone")
    write_bundle(Timeline.from_rows([row, row]), tmp_path / "b.json")
    bundle = json.loads((tmp_path / "b.json").read_text())
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "collection"
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == 2
    assert all(
        url == f"urn:uuid:{e['resource']['id']}"
        for url, e in zip(urls, bundle["entry"], strict=True)
    )


def test_every_channel_can_be_said():
    assert {kind.unit for kind in KINDS.values()} - {""} <= set(UNITS)
    assert set(CODINGS) <= set(KINDS) and set(CHANNEL_OF.values()) <= set(KINDS)
