"""Words of many languages, and those that a person adds."""

import json

import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_words import (
    MEANINGS,
    MONTHS,
    WORDS,
    read_words,
)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        *(("Yes", "NO"), ("ja", "Nein"), ("Oui", "non"), ("s\u00ed", "no"), ("S\u00ec", "no")),
        *(
            ("sim", "n\u00e3o"),
            ("ja", "nee"),
            ("tak", "nie"),
            ("\u0414\u0430", "\u043d\u0435\u0442"),
        ),
        *(
            ("\u662f", "\u5426"),
            ("\u306f\u3044", "\u3044\u3044\u3048"),
            ("\ub124", "\uc544\ub2c8\uc694"),
        ),
        *(
            ("\u0646\u0639\u0645", "\u0644\u0627"),
            ("\u0939\u093e\u0901", "\u0928\u0939\u0940\u0902"),
        ),
        *(("evet", "hay\u0131r"), ("ya", "tidak"), ("\u2705", "\u274c"), ("\u2713", "\u2717")),
        *(("\u2714\ufe0f", "\u2716"), ("x", "0"), ("1", "false"), ("Y", "n")),
    ],
)
def test_yes_and_no(yes, no):
    assert (WORDS.yes_or_no(yes), WORDS.yes_or_no(no)) == (1.0, 0.0)


@pytest.mark.parametrize(
    "degrees",
    [
        *(
            "none mild moderate severe",
            "keine leicht mittel stark",
            "aucune l\u00e9g\u00e8re mod\u00e9r\u00e9e s\u00e9v\u00e8re",
        ),
        *(
            "ninguno leve moderado fuerte",
            "nessuno lieve moderato forte",
            "nenhuma leve moderada forte",
        ),
        *(
            "geen licht matig ernstig",
            "brak lekki umiarkowany silny",
            "\u65e0\u75db \u8f7b\u5ea6 \u4e2d\u5ea6 \u91cd\u5ea6",
        ),
    ],
)
def test_degrees_rise(degrees):
    assert [WORDS.degree(word) for word in degrees.split()] == [0.0, 2.0, 5.0, 8.0]


def test_no_word_means_two_things_and_every_month_has_names():
    named = (WORDS.yes, WORDS.no, WORDS.refused, WORDS.blank, WORDS.medicine, set(WORDS.degrees))
    assert sum(map(len, named)) == len(frozenset().union(*named))
    assert set(MONTHS.values()) == set(range(1, 13))


def test_medicines_and_doses_are_told_from_other_words():
    taken = (
        "Sumatriptan",
        "ibuprofen 400",
        "Aspirin; coffee",
        "Foo 20 mg",
        "2 tablets",
        "rizatriptan",
    )
    assert all(map(WORDS.is_medicine, taken))
    assert not any(map(WORDS.is_medicine, ("hmpf", "nothing helped", "walk", "asap", "")))


def test_a_file_of_words_adds_to_the_tables_and_wins(tmp_path):
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"yes": ["joo", "NO"], "severe": "kova", "refused": ["pass"]}))
    words = read_words(path)
    assert words.yes_or_no("Joo") == words.yes_or_no("no") == 1.0
    assert words.degree("KOVA") == 8.0 and words.is_refused("pass")
    assert WORDS.yes_or_no("joo") is None and WORDS.yes_or_no("no") == 0.0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"perhaps": ["meh"]}, f"one of {', '.join(MEANINGS)}; received 'perhaps'"),
        ({"yes": [1]}, "no list for yes"),
        ({"yes": ["ok"], "no": ["OK"]}, "'ok' under two"),
        ([], "words like"),
        ("no-such-file.json", "as a JSON file"),
    ],
)
def test_other_words_are_refused(given, expected):
    with pytest.raises(InputError, match=expected):
        read_words(given)
