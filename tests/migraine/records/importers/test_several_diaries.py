"""Files of one diary that give a day's attacks other hours: one answer, the same in any order."""

import json
import random
from datetime import datetime
from itertools import permutations

import pytest

from aline_tf.cli import main
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import import_timeline, read_records
from aline_tf.migraine.records.timeline_file import read_timeline

HEAD = "date,answered_at,attack,attack_start,attack_end,pain\n"
NOW = datetime(2025, 3, 20, 23)
BUDDY = '"#","Started","Lasted","Start UTC Offset (min)","Pain Level"\n'


def told(folder, files):
    """What all orders of some files have in common: attacks, slots of days, and what is said."""
    found = []
    for order in permutations(sorted(files)):
        place = folder / "-".join(order)
        place.mkdir()
        # Neither the order of the arguments nor that of the names decides.
        for number, name in enumerate(order):
            (place / f"{number}.csv").write_text(files[name])
        records = read_records(
            [place / f"{n}.csv" for n in reversed(range(len(order)))], zone="UTC"
        )
        history = day_history(records.timeline, NOW, 20)
        attacks = [
            (str(start)[5:16], str(end)[5:16])
            for start, end in records.timeline.attacks().itertuples(index=False)
        ]
        fields = [f"{name}_{slot}" for name in ("attack", "pain") for slot in range(4)]
        days = str([history.column(field).tolist() for field in fields])
        notes = tuple(note for note in records.timeline.summary.notes if "on the hours" in note)
        found.append((attacks, days, notes, records.conflicts, history))
    assert all(str(other[:4]) == str(found[0][:4]) for other in found[1:])
    return found[0]


def row(day, hours="", at="", pain="", attack="yes"):
    return f"2025-03-{day:02d},{at},{attack},{hours or ','},{pain}\n"


@pytest.mark.parametrize(
    ("one", "other", "attacks"),
    [
        # As new, and as long a file: more hours.
        (row(3, "14:00,18:00"), row(3, "08:00,10:00"), ["03-03 14:00"]),
        (row(3, "14:00,18:00"), row(3, "15:00,18:00"), ["03-03 14:00"]),
        # Filled in later.
        (row(3, "14:00,18:00", "21:00"), row(3, "08:00,10:00", "22:00"), ["03-03 08:00"]),
        (row(3, "14:00,18:00"), row(3, "17:00,18:00", "2025-03-04 07:00"), ["03-03 17:00"]),
        # A file that goes on longer was exported later.
        (row(3, "14:00,18:00"), row(3, "08:00,10:00") + row(5, attack="no"), ["03-03 08:00"]),
        # The same attack and another one; what is newer may be short of it.
        (
            row(3, "08:00,10:00") + row(5, attack="no"),
            row(3, "08:00,10:00") + row(3, "15:00,16:00"),
            ["03-03 08:00", "03-03 15:00"],
        ),
        (
            row(3, "08:00,10:00", "22:00"),
            row(3, "08:00,10:00") + row(3, "15:00,16:00"),
            ["03-03 08:00"],
        ),
        (row(3, "22:00,05:00"), row(3, "22:00,23:00") + row(4, attack="no"), ["03-03 22:00"]),
    ],
)
def test_of_other_hours_of_one_day_one_counts_and_it_is_told(tmp_path, one, other, attacks):
    found, _, notes, conflicts, _ = told(tmp_path, {"a": HEAD + one, "b": HEAD + other})
    assert [start for start, _ in found] == attacks
    (note,) = notes
    assert "of attacks of 1 days" in note
    assert conflicts["days with an attack at other hours"] == 1


@pytest.mark.parametrize(
    ("one", "other", "attacks"),
    [
        (row(3, "08:00,10:00"), row(3, "08:00,10:00"), ["03-03 10:00"]),
        # An hour or an end that only one of them knows.
        (row(3), row(3, "08:00,10:00"), ["03-03 10:00"]),
        (row(3, "08:00,"), row(3, "08:00,10:00"), ["03-03 10:00"]),
        # One attack, told of by each of the days that it is in.
        (
            row(3, "22:00,04:00") + row(4, attack="no"),
            row(3, "22:00,24:00") + row(4, "00:00,04:00"),
            ["03-04 04:00"],
        ),
        # Two attacks of one day in one file.
        (row(3, "08:00,10:00") + row(3, "14:00,15:00"), "", ["03-03 10:00", "03-03 15:00"]),
        # Nothing is said of the time after a row was filled in.
        (row(3, attack="no", at="07:30"), row(3, "08:00,10:00"), ["03-03 10:00"]),
    ],
)
def test_what_does_not_contradict_is_not_spoken_of(tmp_path, one, other, attacks):
    found, _, notes, conflicts, _ = told(
        tmp_path, {"a": HEAD + one, "b": HEAD + (other or row(1, attack="no"))}
    )
    assert [end for _, end in found] == attacks
    assert not notes and not conflicts


def test_what_was_said_of_hours_that_do_not_count_goes_with_them(tmp_path):
    files = {
        "a": HEAD + row(3, "14:00,18:00", "21:00", 7),
        "b": HEAD + row(3, "08:00,10:00", "22:00", 4),
    }
    history = told(tmp_path, files)[-1]
    pains = [history.column(f"pain_{slot}")[2] for slot in range(4)]
    assert pains[1] == 4.0 and pains[2] != pains[2]
    assert [history.column(f"attack_{slot}")[2] for slot in range(4)] == [0, 1, 0, 0]


def test_the_answers_of_the_file_that_goes_on_longer_count_where_they_are_as_new(tmp_path):
    files = {
        "a": "date,stress\n2025-03-03,7\n2025-03-04,2\n",
        "b": "date,stress\n2025-03-03,3\n2025-03-04,5\n2025-03-05,1\n",
        "c": "date,answered_at,stress\n2025-03-04,21:00,6\n",
    }
    *_, conflicts, history = told(tmp_path, files)
    assert history.column("stress_3")[2:5].tolist() == [3.0, 6.0, 1.0]
    assert conflicts == {"answers": 2}


def test_an_attack_at_other_hours_in_an_app_is_kept_beside_a_diary_and_told(tmp_path):
    app = BUDDY + '"1","03/03/25 13:12","01h 00m","0","5"\n"2","03/14/25 13:12","01h 00m","0","5"\n'
    found, _, _, conflicts, _ = told(tmp_path, {"a": HEAD + row(3, "08:00,10:00"), "m": app})
    assert [start for start, _ in found] == ["03-03 08:00", "03-03 13:12", "03-14 13:12"]
    assert conflicts == {"days with an attack at other hours": 1}
    (tmp_path / "same").mkdir()
    agreeing = {"a": HEAD + row(3, "13:00,14:00"), "m": app}
    assert not told(tmp_path / "same", agreeing)[3]


def test_another_export_of_an_app_corrects_an_attack(tmp_path):
    first = '"1","03/03/25 13:12","01h 00m","0","5"\n'
    longer = '"1","03/03/25 13:12","09h 00m","0","5"\n"2","03/14/25 13:12","01h 00m","0","5"\n'
    found, _, _, conflicts, _ = told(tmp_path, {"a": BUDDY + first, "m": BUDDY + longer})
    assert found[0] == ("03-03 13:12", "03-03 22:12") and len(found) == 2
    assert conflicts["days with an attack at other hours"] == 1


def test_an_earlier_import_beside_the_corrected_diary(tmp_path, capsys):
    (tmp_path / "old.csv").write_text(HEAD + row(3, "14:00,18:00"))
    (tmp_path / "new.csv").write_text(HEAD + row(3, "08:00,10:00"))
    timeline = tmp_path / "old.jsonl"
    assert main(["migraine", "import", str(tmp_path / "old.csv"), "--out", str(timeline)]) == 0
    capsys.readouterr()
    out = ["--out", str(tmp_path / "all.jsonl"), "--json"]
    assert main(["migraine", "import", str(timeline), str(tmp_path / "new.csv"), *out]) == 0
    account = json.loads(capsys.readouterr().out)
    assert account["conflicts"] == {"days with an attack at other hours": 1}
    assert any("of attacks of 1 days" in note for note in account["notes"])
    # A file is newer than what was imported of it, with fewer hours too.
    attacks = read_timeline(tmp_path / "all.jsonl").attacks()
    assert [start.hour for start in attacks["start"]] == [8]


def test_a_diary_named_beside_other_records_is_settled_with_them(tmp_path):
    (tmp_path / "a.csv").write_text(HEAD + row(3, "14:00,18:00"))
    (tmp_path / "b.csv").write_text(HEAD + row(3, "08:00,10:00"))
    for diary, other in (("a", "b"), ("b", "a")):
        timeline = import_timeline(
            diary=tmp_path / f"{diary}.csv", records=[tmp_path / f"{other}.csv"], zone="UTC"
        )
        assert [start.hour for start in timeline.attacks()["start"]] == [14]
        assert any("of attacks of 1 days" in note for note in timeline.summary.notes)


def _editions(rng):
    """Files of one diary, what is true at last, and on how many days they give other hours."""
    files = dict.fromkeys("abc"[: rng.randint(2, 3)], HEAD)
    truth, conflicts = {}, 0
    for day in range(1, 11):
        versions = []
        for age, name in enumerate(rng.sample(sorted(files), rng.randint(1, len(files)))):
            kind = rng.choice(("hours", "hours", "two", "yes", "no"))
            kind = kind if not versions or versions[0][0] == "no" else rng.choice(("hours", "yes"))
            if versions and versions[0][0] == "no":
                kind = "no"
            begin = rng.randrange(0, 11)
            spans = {"hours": [(begin, begin + 2)], "two": [(begin, begin + 1), (15, 17)]}
            versions.append((kind, spans.get(kind, [])))
            for start, end in spans.get(kind, [(None, None)]):
                hours = f"{start:02d}:00,{end:02d}:00" if start is not None else ""
                attack = "no" if kind == "no" else "yes"
                files[name] += row(day, hours, f"{18 + age}:30", attack=attack)
        told_hours = [spans for _, spans in versions if spans]
        truth[day] = told_hours[-1] if told_hours else []
        conflicts += len({str(spans) for spans in told_hours}) > 1
    return files, truth, conflicts


def test_the_newest_hours_come_out_of_any_number_of_files_in_any_order(tmp_path):
    rng = random.Random(7)
    for number in range(10):
        files, truth, conflicts = _editions(rng)
        (tmp_path / str(number)).mkdir()
        found, _, _, counted, _ = told(tmp_path / str(number), files)
        expected = [
            (f"03-{day:02d} {start:02d}:00", f"03-{day:02d} {end:02d}:00")
            for day, spans in truth.items()
            for start, end in spans
        ]
        assert found == expected, (number, files)
        assert counted.get("days with an attack at other hours", 0) == conflicts, number
