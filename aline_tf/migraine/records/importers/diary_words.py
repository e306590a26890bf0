"""Words that diaries answer with, in the languages most spoken and most written in such diaries.

The tables stand in `diary_words.json`, by meaning and by language: yes and no, how bad something
is, what was not answered, months and days of the week. What is missing there can be given as a
file of words (`read_words`). A degree of pain or stress stands for the middle of what the scale
from 0 to 10 calls so: mild 1 to 3, moderate 4 to 6, severe 7 to 10.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary_clock import plain

_TABLES = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_DEGREES = {"none": 0.0, "mild": 2.0, "moderate": 5.0, "severe": 8.0, "worst": 10.0}
#: Meanings that a file of words can add to.
MEANINGS = ("yes", "no", *_DEGREES, "refused", "blank", "medicine")
_DOSE = re.compile(r"\d\s?(?:mg|mcg|\u00b5g|\u03bcg|ml|tabs?|tablets?|tabletten?|pills?)\b")
_SPLIT = re.compile(r"[,;/+&|]|\band\b|\bund\b")
#: A number of tablets or a dose that says that there was none.
_ZERO = re.compile(r"(?<![\d.,:])0+(?:[.,]0+)?(?![\d.,:])")
_WORD = re.compile(r"[^\W\d_']+(?:'[^\W\d_]+)?")
_MOST_WORDS = 1 << 20


def folded(text: str) -> str:
    """A text as it is looked up: in small letters, without signs around it."""
    return plain(text).casefold().strip(" .!,;:'\"")


def _listed(meaning: str) -> frozenset[str]:
    languages = _TABLES["answers"][meaning].values()
    words = (word for words in languages for word in words.split(", "))
    return frozenset(folded(word) or word for word in words)


def _weekdays() -> dict[str, frozenset[int]]:
    days: dict[str, frozenset[int]] = {}
    for names in _TABLES["weekdays"].values():
        for number, words in enumerate(names):
            for word in map(folded, words.split()):
                days[word] = days.get(word, frozenset()) | {number}
    return days


#: Name of a month in small letters -> its number.
MONTHS: Mapping[str, int] = {
    folded(word): number
    for names in _TABLES["months"].values()
    for number, words in enumerate(names, 1)
    for word in words.split()
}
#: Day of the week in small letters -> the days it may be, 0 for Monday; "so" is two of them.
WEEKDAYS: Mapping[str, frozenset[int]] = _weekdays()
#: Words beside the numbers of a date that say nothing.
FILLERS = frozenset(_TABLES["fillers"].split())
TOTALS = _listed("totals")
MIGRAINE = _listed("migraine")
TICKS = _listed("ticks")
#: Words that turn the name of a medicine into its opposite.
NEGATIONS = frozenset(map(folded, _TABLES["negations"].split()))
#: Words beside which nobody knows whether a medicine was taken, or an attack was one.
DOUBTS = frozenset(map(folded, _TABLES["doubts"].split()))
#: Words of taking a medicine, which say nothing beside one that turns it into its opposite.
TAKING = frozenset(map(folded, _TABLES["taking"].split()))
#: An x, Latin or Cyrillic: it says yes, but beside ticks nobody knows.
CROSSES = frozenset(("x", "\u0445"))


@dataclasses.dataclass(frozen=True)
class Words:
    """What the words of a diary mean.

    Attributes:
        yes, no, refused, blank, medicine: words in small letters.
        degrees: word -> 0 to 10.

    Example:
        >>> from aline_tf.migraine.records.importers.diary_words import WORDS
        >>> WORDS.yes_or_no("Nein"), WORDS.degree("modérée")
        (0.0, 5.0)
    """

    yes: frozenset[str]
    no: frozenset[str]
    refused: frozenset[str]
    blank: frozenset[str]
    medicine: frozenset[str]
    degrees: Mapping[str, float]

    def yes_or_no(self, text: str) -> float | None:
        """1 or 0 for a word that says yes, no or none; None for any other."""
        word = folded(text) or text.strip()
        if word in self.yes or word in CROSSES:
            return 1.0
        return 0.0 if word in self.no or self.degrees.get(word) == 0.0 else None

    def degree(self, text: str) -> float | None:
        """0 to 10 for a word that says how bad something is; None for any other."""
        return self.degrees.get(folded(text))

    def is_refused(self, text: str) -> bool:
        """Whether it says that there was a question and no answer."""
        return folded(text) in self.refused

    def is_blank(self, text: str) -> bool:
        """Whether it stands for nothing known."""
        return (folded(text) or text.strip()) in self.blank

    def is_medicine(self, text: str) -> bool:
        """Whether it names a medicine against attacks, or the dose of any, as taken."""
        if self.is_doubtful(text):
            return False
        text = folded(text)
        if _DOSE.search(text):
            return True
        parts = [part.strip() for part in _SPLIT.split(text)]
        return any(
            word in self.medicine for part in parts for word in (part, *re.findall(r"\w+", part))
        )

    def is_doubtful(self, text: str) -> bool:
        """Whether it says more of something than that it was there: "no sumatriptan", "forgot
        sumatriptan", "sumatriptan?", "sumatriptan (0)"."""
        words = _WORD.findall(folded(text))
        return (
            not (NEGATIONS | DOUBTS).isdisjoint(words)
            or "?" in plain(text)
            or _ZERO.search(folded(text)) is not None
        )

    def is_not_taken(self, text: str) -> bool:
        """Whether it says of a medicine that it was not taken and says nothing else: "no
        ibuprofen", "didn't take sumatriptan"; who had "no relief from" it took it."""
        words = _WORD.findall(folded(text))
        rest = [word for word in words if word not in self.medicine]
        return (
            len(rest) < len(words)
            and not NEGATIONS.isdisjoint(rest)
            and NEGATIONS.union(TAKING).issuperset(rest)
        )

    def is_familiar(self, word: str) -> bool:
        """Whether a word of small letters is in any table: it tells an encoding."""
        return word in self._familiar

    @cached_property
    def _familiar(self) -> frozenset[str]:
        tables = (self.yes, self.no, self.refused, self.blank, self.medicine, self.degrees)
        tables += (MONTHS, WEEKDAYS, TOTALS, MIGRAINE)
        return frozenset(word for table in tables for phrase in table for word in phrase.split())


def read_words(words: Mapping[str, object] | str | Path | None) -> Words:
    """The words of the tables, and those given.

    Args:
        words: {meaning: [word, ...]} with meanings of `MEANINGS`, or a JSON file of that. A word
            that is given means what is said here and nothing else.

    Raises:
        InputError: no such file, another meaning, no list of words, or a word given twice.
    """
    if words is None:
        return WORDS
    given = _given(words)
    tables: dict[str, dict[str, None]] = {name: dict.fromkeys(_ALL[name]) for name in _ALL}
    for meaning, listed in given.items():
        for word in listed:
            for table in tables.values():
                table.pop(word, None)
            tables[meaning][word] = None
    return _made(tables)


def _given(words: Mapping[str, object] | str | Path) -> dict[str, list[str]]:
    if isinstance(words, str | Path):
        path = Path(words)
        try:
            if path.stat().st_size > _MOST_WORDS:
                raise ValueError("too large")
            words = json.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(
                f"expected words as a JSON file; received {path}, which is not one"
            ) from error
    example = '{"yes": ["joo"], "no": ["ei"]}'
    if not isinstance(words, Mapping):
        raise InputError(f"expected words like {example}; received something else")
    given: dict[str, list[str]] = {}
    for meaning, listed in words.items():
        if meaning not in MEANINGS:
            raise InputError(
                f"expected words that mean one of {', '.join(MEANINGS)}; received {meaning!r:.60}"
            )
        listed = [listed] if isinstance(listed, str) else listed
        if not isinstance(listed, list | tuple) or not all(isinstance(w, str) for w in listed):
            raise InputError(f"expected words like {example}; received no list for {meaning}")
        given[meaning] = [folded(word) or word.strip() for word in listed if word.strip()]
    every = [word for listed in given.values() for word in set(listed)]
    twice = next((word for word in every if every.count(word) > 1), None)
    if twice is not None:
        raise InputError(f"expected words of one meaning each; received {twice!r:.60} under two")
    return given


def _made(tables: Mapping[str, Mapping[str, None] | frozenset[str]]) -> Words:
    degrees = {word: value for name, value in _DEGREES.items() for word in tables[name]}
    named = {name: frozenset(tables[name]) for name in MEANINGS if name not in _DEGREES}
    return Words(**named, degrees=degrees)


_ALL = {name: _listed(name) for name in (*MEANINGS[:-1], "flow")}
_ALL["medicine"] = frozenset(map(folded, _TABLES["medicines"]))
FLOW = _ALL.pop("flow")
#: The words of the tables.
WORDS = _made(_ALL)
