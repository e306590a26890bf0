"""The account of an import: sums that can be checked, and examples that can be printed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aline_tf.migraine.records.import_summary import EXAMPLE_LENGTH, ImportSummary, shown_example

counts = st.dictionaries(st.sampled_from("abc"), st.integers(1, 9), max_size=3)


@st.composite
def summaries(draw):
    read, skipped, unused = draw(counts), draw(counts), draw(counts)
    total = sum(sum(part.values()) for part in (read, skipped, unused))
    return ImportSummary(read, skipped, (), unused, {}, draw(st.sampled_from((None, total))))


@given(st.lists(summaries(), max_size=4))
def test_what_is_accounted_for_stays_so_when_added(parts):
    whole = sum(parts, ImportSummary())
    assert whole.counted == sum(part.counted for part in parts)
    assert whole.accounted
    if any(part.cells is None and part.counted for part in parts):
        assert whole.cells is None


def test_a_cell_that_nobody_counted_shows():
    assert not ImportSummary({"steps": 2}, cells=3).accounted
    assert not (
        ImportSummary({"steps": 2}, cells=3) + ImportSummary({"pain": 1}, cells=1)
    ).accounted


@settings(deadline=None)
@given(st.text())
def test_an_example_can_be_printed(text):
    shown = shown_example(text)
    assert len(shown) <= EXAMPLE_LENGTH and (shown.isprintable() or not shown)


def test_the_first_example_is_kept():
    one = ImportSummary(skipped={"pain": 1}, examples={"pain": "meh"})
    two = ImportSummary(skipped={"pain": 1, "date": 1}, examples={"pain": "ow", "date": "31.31."})
    assert (one + two).examples == {"pain": "meh", "date": "31.31."}
    assert "pain: 2 (such as meh)" in str(one + two)
