"""Colours can be read, in the light and in the dark: WCAG 2.2, 1.4.3, asks for 4.5 to 1."""

import re

import pytest

from aline_tf.gateway.pages.rendering import _FORMS
from aline_tf.migraine.report.style_sheet import STYLE

LEAST = 4.5


def palettes():
    """Name -> colour, in the light and in the dark."""
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    )
    return {"light": light, "dark": light | dark}


def luminance(colour):
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_stands_out_from_what_is_behind_it(scheme):
    colours = palettes()[scheme]
    texts = set(re.findall(r"(?<![-\w])color: var\(--(\w+)\)", STYLE + _FORMS))
    assert {"ink", "soft", "blue"} <= texts
    for text in texts - {"paper", "card"}:
        for behind in ("paper", "card"):
            assert contrast(colours[text], colours[behind]) >= LEAST, (text, behind)
    # What is behind stands on blue: buttons, marks.
    for text in texts & {"paper", "card"}:
        assert contrast(colours[text], colours["blue"]) >= LEAST


def test_links_have_a_colour_of_the_scheme():
    # A browser's own blue is hardly seen in the dark.
    assert re.search(r"^a \{ color: var\(--blue\); \}$", STYLE, re.MULTILINE)
