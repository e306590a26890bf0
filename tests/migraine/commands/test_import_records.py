"""`aline-tf migraine import` from the outside: what is written, what is said, what is refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from aline_tf.cli import main
from aline_tf.migraine.records.importers import read_records
from aline_tf.migraine.records.timeline_file import read_timeline

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def run(*args):
    return main(["migraine", "import", *map(str, args)])


def test_it_writes_a_timeline_and_a_bundle_of_the_same(tmp_path, capsys):
    out, bundle = tmp_path / "new" / "t.jsonl.gz", tmp_path / "b.json"
    assert run(EXAMPLES / "more", "--out", out, "--fhir", bundle) == 0
    said = capsys.readouterr().out
    assert "calendar.ics: calendar, 6 records read" in said
    assert "menstrual_flow: predicted, not noted: 1" in said
    assert ".csv files that hold nothing known: 2" in said
    timeline = read_timeline(out)
    expected = read_records([EXAMPLES / "more"]).timeline
    pd.testing.assert_frame_equal(timeline.frame, expected.frame)
    assert len(json.loads(bundle.read_text())["entry"]) == len(timeline)
    pd.testing.assert_frame_equal(read_records([bundle]).timeline.frame, timeline.frame)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["{more}/absent.csv", "--out", "{tmp}/t"], "expected a file, a folder"),
        (["{more}", "--out", "{tmp}"], "received the directory"),
        (["{more}", "--out", "{tmp}/t", "--fhir", "{tmp}/t"], "two different files"),
        (["{tmp}/in.csv", "--out", "{tmp}/in.csv"], "another file to write than those read"),
        (["{more}", "--out", "{tmp}/t", "--zone", "Mars/Olympus"], "time zone"),
        (["{tmp}/in.csv", "--out", "{tmp}/t", "--column-map", "{tmp}/no.json"], "column map"),
        (["{tmp}/empty.csv", "--out", "{tmp}/t", "--fhir", "{tmp}/b"], "empty"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys, args, message):
    (tmp_path / "in.csv").write_text("date,stress\n2025-03-09,3\n")
    (tmp_path / "empty.csv").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert run(*(a.format(more=EXAMPLES / "more", tmp=tmp_path) for a in args)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "in.csv").read_text() == "date,stress\n2025-03-09,3\n"


def test_programs_get_json_that_adds_up(tmp_path, capsys):
    assert run(EXAMPLES / "more", "--out", tmp_path / "t.jsonl", "--json") == 0
    account = json.loads(capsys.readouterr().out)
    assert account["observations"] == len(read_timeline(tmp_path / "t.jsonl"))
    assert account["written"] == [str(tmp_path / "t.jsonl")]
    assert {file["name"] for file in account["files"]} >= {"calendar.ics", "observations.json"}
    assert len(account["passed_over"]) == 2
    for file in account["files"]:
        parts = (file[name].values() for name in ("read", "skipped", "unused"))
        assert file["cells"] in (None, sum(map(sum, parts))), file["name"]


def test_losses_are_refused_with_the_remedy_and_can_be_accepted(tmp_path, capsys):
    path = tmp_path / "d.csv"
    rows = [f"2025-03-{day:02d},{'3' if day < 3 else 'rather bad'}" for day in range(1, 10)]
    path.write_text("\n".join(["date,stress", *rows]))
    assert run(path, "--out", tmp_path / "t.jsonl") == 2
    error = capsys.readouterr().err
    assert "2 of 9" in error and "rather bad" in error and "--accept-losses" in error
    assert run(path, "--out", tmp_path / "t.jsonl", "--accept-losses") == 0
    assert "accepted" in capsys.readouterr().out


def test_a_file_is_explained_and_nothing_is_written(tmp_path, capsys):
    path = tmp_path / "d.csv"
    path.write_text("date,stress,Laune\n2025-03-01,3,gut\n")
    assert run("--explain", path) == 0
    said = capsys.readouterr().out
    assert "taken for: diary" in said and "column 'stress' is read as stress" in said
    assert "'Laune'" in said and "--column-map" in said
    assert json.loads(said.split(", like ")[1].split(". Fields")[0]) == {
        "date": "date",
        "stress": "Laune",
    }
    assert list(tmp_path.iterdir()) == [path]
    assert run("--explain", path, "--out", tmp_path / "t") == 2
    assert run(path) == 2
    assert "--out" in capsys.readouterr().err


def test_a_file_that_an_import_refuses_is_explained_with_the_reason(tmp_path, capsys):
    path = tmp_path / "export.xml"
    record = (
        '<Record type="HKQuantityTypeIdentifierHeartRate" unit="furlong" value="60"'
        ' startDate="2025-03-0{0} 10:00:00 +0100" endDate="2025-03-0{0} 10:00:00 +0100"/>'
    )
    good = record.format(9).replace("furlong", "bpm")
    path.write_text(
        "<HealthData>" + "".join(map(record.format, range(1, 7))) + good + "</HealthData>"
    )
    assert run("--explain", path) == 0
    said = capsys.readouterr().out
    assert "taken for: Apple Health export" in said
    assert "As it is, an import stops: " in said and "unit furlong instead of bpm" in said
    assert "1 read as heart_rate, in bpm" in said


def test_a_failed_write_leaves_neither_file(tmp_path, monkeypatch):
    real, calls = os.replace, []

    def fail(source, target):
        calls.append(target)
        # The bundle is whole and the timeline under way.
        if len(calls) == 2:
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        run(EXAMPLES / "diary.csv", "--out", tmp_path / "t.jsonl", "--fhir", tmp_path / "b.json")
    assert list(tmp_path.iterdir()) == []


def test_importing_loads_no_tensorflow(tmp_path):
    code = "import sys; from aline_tf.cli import main;"
    code += f"main(['migraine', 'import', {str(EXAMPLES / 'diary.csv')!r},"
    code += f" '--out', {str(tmp_path / 't.jsonl')!r}]); assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES.parent)


def test_what_a_diary_leaves_open_is_asked_for_and_can_be_said(tmp_path, capsys):
    diary, out = tmp_path / "d.csv", tmp_path / "t.jsonl"
    diary.write_text("date,attack\n02.03.2025,joo\n03.03.2025,ei\n04.03.2025,no\n")
    words = tmp_path / "words.json"
    words.write_text('{"yes": "joo"}')
    assert run(diary, "--out", out) == 2
    assert "--dates day-first" in capsys.readouterr().err
    assert run(diary, "--out", out, "--dates", "day-first") == 2
    error = capsys.readouterr().err
    assert "'joo'" in error and "--words" in error and "--accept-losses" in error
    assert run(diary, "--out", out, "--dates", "day-first", "--words", words) == 0
    options = ("--dates", "day-first", "--accept-losses", "--words", words)
    assert run(diary, "--out", out, *options) == 0
    frame = read_timeline(out).frame
    assert sorted(frame["value"][frame["channel"] == "attack_report"]) == [0.0, 0.0, 1.0]


UNREADABLE = {
    "save the sheet as CSV": ("d.xlsx", "D.XLS", "d.ods"),
    "unpack it": ("records.tgz", "records.tar.gz", "records.7z", "records.rar"),
    "as a table, such as CSV": ("letter.pdf", "letter.docx", "diary.jpg", "diary.PNG"),
}


@pytest.mark.parametrize("remedy", UNREADABLE)
def test_files_that_cannot_be_read_are_refused_with_the_remedy_wherever_they_lie(
    tmp_path, capsys, remedy
):
    out = tmp_path / "t.jsonl"
    for name in UNREADABLE[remedy]:
        (folder := tmp_path / f"of_{name}").mkdir()
        (folder / name).write_bytes(b"PK\x03\x04")
        (folder / "d.csv").write_text("date,stress\n2025-03-09,3\n")
        packed = shutil.make_archive(str(folder), "zip", folder)
        assert run(folder / name, "--out", out) == 2
        assert name in (error := capsys.readouterr().err) and remedy in error
        for where in (folder, packed):
            # Pictures lie beside records in many an archive.
            if name.lower().endswith(("jpg", "png")):
                assert run(where, "--out", out) == 0
            else:
                assert run(where, "--out", out) == 2
                assert name in (error := capsys.readouterr().err) and remedy in error
                assert run(where, "--out", out, "--accept-losses") == 0
            assert name in (told := capsys.readouterr().out) and remedy in told


def test_an_archive_inside_an_archive_is_refused_by_name(tmp_path, capsys):
    (folder := tmp_path / "all").mkdir()
    (folder / "d.csv").write_text("date,stress\n2025-03-09,3\n")
    inner = shutil.make_archive(str(tmp_path / "inner"), "zip", folder)
    shutil.move(inner, folder / "Inner.ZIP")
    outer = shutil.make_archive(str(tmp_path / "outer"), "zip", folder)
    out = tmp_path / "t.jsonl"
    assert run(outer, "--out", out) == 2
    error = capsys.readouterr().err
    assert "Inner.ZIP" in error and "unpack the outer archive" in error and not out.exists()
    assert run(outer, "--out", out, "--accept-losses") == 0
    assert "Inner.ZIP" in capsys.readouterr().out
    assert run(folder, "--out", out) == 0


@pytest.mark.parametrize("first", [b"PK\x03\x04", b"%PDF-1.7", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"])
def test_a_workbook_that_is_called_a_table_is_refused_by_name(tmp_path, capsys, first):
    (tmp_path / "stress.csv").write_bytes(first + b"\x00\x01")
    (tmp_path / "d.csv").write_text("date,stress\n2025-03-09,3\n")
    for where in (tmp_path, tmp_path / "stress.csv"):
        assert run(where, "--out", tmp_path.parent / "t.jsonl") == 2
        assert "stress.csv" in capsys.readouterr().err
