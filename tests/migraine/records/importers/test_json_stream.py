"""JSON cut at the elements of one array: the same as parsing it whole, for any chunks."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers import json_stream
from aline_tf.migraine.records.importers.json_stream import OversizedElement, elements

TEXT = st.text(st.sampled_from('ab"\\{}[]:, é☃\n'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


class Chunks(io.BytesIO):
    """A stream that hands out `size` bytes at a time, however many are asked for."""

    size = 7

    def read(self, _=-1):
        return super().read(self.size)


def stream(text, size=7):
    made = Chunks(text.encode())
    made.size = size
    return made


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    items=st.lists(VALUES, max_size=4),
    before=VALUES,
    size=st.sampled_from([1, 2, 5, 1000]),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_elements_are_those_of_the_whole(items, before, size, ascii_only, indent):
    for document in ({"x": before, "entry": items, "y": before}, items):
        text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
        assert list(elements(stream(text, size), "entry")) == items


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(items=st.lists(VALUES, min_size=1, max_size=3), share=st.floats(0, 0.999))
def test_a_file_that_breaks_off_is_refused(items, share):
    whole = json.dumps({"entry": items})
    with pytest.raises(InputError, match="expected"):
        list(elements(stream(whole[: int(share * len(whole))]), "entry"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[1,]",
        "[1 2]",
        "[,]",
        '{"entry": [1}',
        '{"entry" 1}',
        '{"entry": }',
        "{1: 2}",
        '{"a": 1 "b": 2}',
        "[1] 2",
        "[nul]",
        '["\\x"]',
        "[" * 200 + "]" * 200,
        '{"entry": [' + "[" * 5000,
        "[\\u0041]",
        "[1" + "0" * 2000 + "]",
    ],
)
def test_what_is_not_json_is_refused(text):
    with pytest.raises(InputError, match="expected"):
        list(elements(stream(text), "entry"))


def test_other_encodings_are_refused():
    for data in (b"[\xff]", '["é'.encode()[:-1], '{"entry": []}'.encode("utf-16")):
        with pytest.raises(InputError, match="expected"):
            list(elements(io.BytesIO(data), "entry"))


def test_an_oversized_element_is_passed_over_and_not_kept(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_ELEMENT", 100)
    found = list(elements(stream('{"entry": [1, "' + "x" * 500 + '", {"a": 2}]}'), "entry"))
    assert found[0] == 1 and isinstance(found[1], OversizedElement) and found[2] == {"a": 2}
