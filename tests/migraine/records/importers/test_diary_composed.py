"""Whatever form a diary has, what is read of it is true; what is not read is refused or counted.

`ALINE_TF_COMPOSITIONS=100000 pytest -s` on this file tries so many; on the tests of Apple Health,
FHIR and calendars, whose files are composed in the same spirit, a share of that.
"""

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from aline_tf.errors import InputError
from aline_tf.migraine.records.importers.diary import diary_rows, familiar
from aline_tf.migraine.records.importers.diary_table import table_from
from aline_tf.migraine.records.importers.diary_words import WORDS
from aline_tf.migraine.records.wall_clock import WallClock
from tests.migraine.records.importers.composed_diaries import COMPOSITIONS, ZONES, compose

EPOCH = date(1970, 1, 1)
CLOCKS = {zone: WallClock(ZoneInfo(zone)) for zone in ZONES}
KNOWN = familiar(WORDS, None)
#: Forms in which short diaries may leave open what they say, and kinds of damage that are refused.
OPEN_DATES = ("dmy", "mdy")
REFUSED_DAMAGE = ("more", "fewer", "unclosed", "unknown", "bad date", "scale")


def read(made):
    table = table_from(made.data, "d.jsonl" if made.form["objects"] else "d.csv", KNOWN)
    return diary_rows(table, clock=CLOCKS[made.zone])


def day_and_minute(second, offset):
    wall = second // 60 + offset
    return EPOCH + timedelta(days=wall // 1440), wall % 1440


def check(made):
    """What becomes of a composition: "read", "counted", or the reason of a refusal."""
    form = made.form
    try:
        rows, summary = read(made)
    except InputError as error:
        asks = "--dates" in str(error) and form["date"].startswith(OPEN_DATES)
        assert asks or form["damage"] in REFUSED_DAMAGE, (form, str(error))
        return "asked for the order of dates" if asks else f"refused: {form['damage']}"
    assert summary.accounted, (form, summary)
    told = {}
    attacks, free, somewhere = {}, set(), set()
    for time, end, _, offset, end_offset, channel, value, *_ in rows:
        day, minute = day_and_minute(time, offset)
        if channel == "attack":
            stop = None if end is None else (end // 60 + end_offset) - (time // 60 + offset)
            attacks.setdefault(day, []).append((minute, stop and minute + stop))
        elif channel == "attack_report":
            (somewhere if value else free).add(day)
        else:
            told.setdefault((day, channel), set()).add(value)
    for place, values in told.items():
        assert values == {made.truth.get(place)}, (form, place, values, made.truth.get(place))
    for day, told_attacks in attacks.items():
        assert told_attacks == [made.attacks.get(day)], (form, day, told_attacks)
    for day in somewhere:
        assert made.attacks[day] == (), (form, day)
    for day in free - set(attacks):
        assert made.attacks[day] is None, (form, day)
    missing = {place for place in made.truth if place not in told}
    missing = {p for p in missing if p not in made.doubtful and p[0] not in made.doubtful}
    assert not missing, (form, missing)
    known = set(attacks) | somewhere | free
    assert all(day in known or day in made.doubtful for day in made.attacks), form
    if made.others and made.others != {k: made.truth[k] for k in made.others}:
        assert None in made.others.values() or any("two answers" in n for n in summary.notes), form
    if made.doubtful:
        # A quote behind one that closes is a letter: nothing is lost.
        assert summary.skipped or form["damage"] == "unclosed", form
        return f"counted: {form['damage']}"
    return "read"


def test_what_is_read_is_true_and_what_is_not_is_said():
    became = Counter()
    for seed in range(COMPOSITIONS):
        try:
            became[check(compose(seed))] += 1
        except AssertionError as error:
            raise AssertionError(f"composition {seed}: {error}") from error
    print(f"\n{COMPOSITIONS} compositions: {dict(became.most_common())}")
    assert became["read"] > COMPOSITIONS / 3
    # Most damage can be told from what is sound: the rest of the diary is read.
    assert sum(n for what, n in became.items() if what.startswith("counted")) > COMPOSITIONS / 20
