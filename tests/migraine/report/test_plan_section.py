"""The plan in words: whole sentences, and nothing recommended that adds nothing."""

from html.parser import HTMLParser

import pytest

from aline_tf.migraine.forecast.plan import Gain, Option, Plan
from aline_tf.migraine.report import plan_wording
from aline_tf.migraine.report.plan_section import plan_section, plan_text

PAIN = tuple(Option("pain", (slot,), 1.0, "question", slot) for slot in range(4))
WATCH = Option("ln_rmssd", (9,), 0.05, "watch")


def gain(*options, log_score=0.0, error=0.01):
    cost = sum(option.cost for option in options)
    return Gain(options, log_score, log_score / 3, error, cost, 0.625)


@pytest.fixture
def plan():
    alone = (gain(PAIN[3], log_score=0.08), gain(WATCH, log_score=0.01), *map(gain, PAIN[:3]))
    return Plan(
        budget=2.0,
        alone=alone,
        devices={"watch": gain(WATCH, log_score=0.01)},
        chosen=gain(PAIN[3], WATCH, log_score=0.09),
        without=(gain(WATCH, log_score=0.01), gain(PAIN[3], log_score=0.08)),
        log_score=-0.5,
        brier=0.17,
    )


def test_the_plan_is_told_with_gains_errors_and_burdens(plan):
    text = plan_text(plan, 32)
    for sentence in (
        "for 32 simulated people",
        "log score of the 24 h forecast is \u22120.500 and its Brier score 0.170",
        "Recommended within 2 prompts a day (1.05 prompts used): +90.0 \u00b1 10.0 millinats,"
        " Brier score \u22120.0300.",
        "Head pain, asked in the evening: 1 prompt a day; without it +10.0 \u00b1 10.0 millinats",
        "18:00 to 24:00: best asked about is head pain, +80.0 \u00b1 10.0 millinats",
        "62% of such prompts are answered",
        "A watch or ring, with all its readings: +10.0 \u00b1 10.0 millinats",
        "not a medical device",
    ):
        assert sentence in text


def test_what_cannot_be_told_from_nothing_is_not_recommended(plan):
    import dataclasses

    for chosen in (gain(PAIN[3], log_score=0.005), gain()):
        made = dataclasses.replace(plan, chosen=chosen)
        (sentence,) = plan_wording.recommendation(made)
        assert sentence.startswith("Within 2 prompts a day nothing is expected to add")


def test_the_section_nests_and_names_every_option(plan):
    open_tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    section = plan_section(plan, 32)
    Reader().feed(section)
    assert not open_tags
    for option in (*PAIN, WATCH):
        assert option.label in section
