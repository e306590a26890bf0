"""The report: complete, self-contained, escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from aline_tf.migraine.forecast.forecast import Risk
from aline_tf.migraine.records.timeline import ImportSummary
from aline_tf.migraine.report.report import render

SECTIONS = (
    "summary",
    "risk",
    "moved",
    "next",
    "over-time",
    "triggers",
    "what-if",
    "information",
    "read",
    "safety",
)
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Collects tags and checks that they nest."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(example_outlook):
    return render(example_outlook)


def test_every_section_is_there_with_its_plot(page):
    tags = read(page).tags
    assert [a["id"] for tag, a in tags if tag == "section"] == list(SECTIONS)
    assert [tag for tag, _ in tags].count("svg") == 2
    assert 'class="track"' in page and 'class="bar"' in page


def test_page_reads_on_a_phone(page):
    assert 'name="viewport" content="width=device-width' in page


def test_nothing_is_fetched_from_anywhere(page):
    for tag, attributes in read(page).tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed")
        assert not {"src", "href", "srcset", "data", "action"} & set(attributes)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", page)


def test_every_drawing_has_words_for_those_who_cannot_see_it(page):
    drawings = [a for _, a in read(page).tags if a.get("role") == "img"]
    assert len(drawings) > 10
    assert all(len(attributes["aria-label"]) > 10 for attributes in drawings)


def test_three_questions_are_shown_with_gain_burden_and_reason(page):
    items = re.findall(r'<li class="card">(.*?)</li>', page, re.S)
    assert len(items) == 3
    for item in items:
        assert "Expected gain" in item and "millinats" in item and "cost" in item
        assert "24 h risk would" in item


def test_safety_is_spoken_of_and_no_attack_is_announced(page):
    assert "not a medical device" in page and "urgent care" in page
    assert "you will have" not in page.lower()
    assert not re.search(r"\b\d+ ?mg\b", page)


def test_text_from_inputs_is_escaped(example_outlook):
    nasty = "<script>alert('x')</script> & \"quotes\""
    summary = ImportSummary({nasty: 1}, {nasty: 2}, (nasty,))
    page = render(replace(example_outlook, summary=summary))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3
    read(page)


def test_report_of_somebody_of_whom_little_is_known(example_outlook):
    bare = replace(
        example_outlook,
        risks=[Risk(24, 0.001, 0.0001, 0.01), Risk(48, 0.999, 0.99, 1.0)],
        attributions=[],
        valued_candidates=[],
        next_candidates=[],
        evenings=[],
        score=None,
        summary=ImportSummary(),
    )
    page = render(bare)
    assert "under 1%" in page and "over 99%" in page
    assert "known already" in page and "no evening with records to look back on" in page
    read(page)
