"""`aline-tf migraine forecast`, from files to a report, and every way in which it says no."""

import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aline_tf import cli

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
EXPORT, DIARY = EXAMPLES / "export.zip", EXAMPLES / "diary.csv"


@pytest.fixture
def forecast(preset, tmp_path):
    """Run the command on the examples, with any option replaced; its exit code."""

    def _forecast(**changes):
        options = {
            "apple_health": EXPORT,
            "diary": DIARY,
            "out": tmp_path / "out",
            "model": preset,
        }
        words = ["migraine", "forecast"]
        for name, value in (options | changes).items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return cli.main(words)

    return _forecast


def test_examples_give_a_forecast_and_a_report(forecast, tmp_path, capsys):
    assert forecast(now="2025-04-17") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for expected in (
        "within 24 h:",
        "within 48 h:",
        "90% interval",
        "one of yours",
        "  1. ",
        "  3. ",
        "millinats",
        "prompt",
        "not a medical device",
        "urgent care",
        f"Report: {tmp_path / 'out' / 'report.html'}",
    ):
        assert expected in printed.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_a_supposition_is_answered(forecast, tmp_path, capsys):
    assert forecast(now="2025-04-17", what_if="alcohol@1=7") == 0
    printed = capsys.readouterr().out
    assert "What if" in printed and "Drinks yesterday: 7" in printed
    assert "Drinks yesterday: 7" in (tmp_path / "out" / "report.html").read_text()


def test_same_seed_gives_the_same_report(forecast, tmp_path):
    for name in ("one", "two"):
        assert forecast(out=tmp_path / name, seed=5) == 0
    first, second = ((tmp_path / n / "report.html").read_bytes() for n in ("one", "two"))
    assert first == second


def test_diary_alone_is_enough(forecast, tmp_path):
    assert forecast(apple_health=None) == 0
    assert (tmp_path / "out" / "report.html").is_file()


def test_long_silence_is_forecast_and_said(forecast, capsys):
    assert forecast(now="2025-12-24") == 0
    printed = capsys.readouterr().out
    assert "Nothing is recorded in the last 112 days" in printed
    assert forecast(now="2025-05-03") == 0
    assert "The last record is 6 days old" in capsys.readouterr().out


def test_columns_of_another_diary_are_mapped(forecast, tmp_path, capsys):
    diary, column_map = tmp_path / "other.csv", tmp_path / "map.json"
    diary.write_text("Tag;Stress\n2025-04-01;3\n2025-04-02;8\n")
    column_map.write_text(json.dumps({"date": "Tag", "stress": "Stress"}))
    assert forecast(apple_health=None, diary=diary, column_map=column_map) == 0
    assert "Only 2 days with records" in capsys.readouterr().out


def truncated_zip(folder: Path) -> Path:
    path = folder / "cut.zip"
    path.write_bytes(EXPORT.read_bytes()[:20_000])
    return path


def zip_with_entities(folder: Path) -> Path:
    path = folder / "entities.zip"
    text = (
        '<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY a "b">]><HealthData>&a;</HealthData>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("apple_health_export/export.xml", text)
    return path


def diary_of_other_columns(folder: Path) -> Path:
    path = folder / "other.csv"
    path.write_text("Tag,Laune\n2025-04-01,3\n")
    return path


def preset_of_another_task(folder: Path) -> Path:
    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import save_preset
    from aline_tf.tasks.psychometric import Psychometric

    model = ALINE(
        Psychometric().spec,
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=16,
        components=2,
    )
    model.build()
    save_preset(model, folder / "other")
    return folder / "other"


def preset_of_other_channels(folder: Path) -> Path:
    from aline_tf.migraine.schema.spec import SPEC
    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import save_preset

    spec = dataclasses.replace(SPEC, fields=SPEC.fields[::-1])
    model = ALINE(spec, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16, components=2)
    model.build()
    save_preset(model, folder / "reversed")
    return folder / "reversed"


def file_in_the_way(folder: Path) -> Path:
    path = folder / "taken"
    path.write_text("mine")
    return path


@pytest.mark.parametrize(
    ("option", "make", "said"),
    [
        ("apple_health", truncated_zip, "expected"),
        ("apple_health", zip_with_entities, "expected"),
        ("apple_health", lambda folder: folder / "absent.zip", "expected"),
        ("diary", diary_of_other_columns, "Laune"),
        ("model", preset_of_another_task, "psychometric"),
        ("model", preset_of_other_channels, "channels of this version"),
        ("model", lambda folder: folder, "config.json"),
        ("out", file_in_the_way, "expected a directory after --out"),
        ("now", lambda folder: "tomorrow", "expected --now"),
        ("now", lambda folder: "2025-04-17T09:00", "18:00"),
        ("now", lambda folder: "1999-01-01", "1999-01-01"),
        ("cost_weight", lambda folder: "-1", "expected --cost-weight"),
        ("cost_weight", lambda folder: "nan", "expected --cost-weight"),
        ("seed", lambda folder: "-1", "expected --seed"),
        ("what_if", lambda folder: "mood=3", "expected --what-if"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(forecast, tmp_path, capsys, option, make, said):
    value = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert forecast(**{option: value}) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("aline-tf: error: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert "received" in printed.err
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_to_read_is_said(forecast, capsys):
    assert forecast(apple_health=None, diary=None) == 2
    assert "expected --records, --apple-health or --diary" in capsys.readouterr().err


def test_unwritable_place_leaves_nothing(forecast, tmp_path, capsys):
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    assert forecast() == 2
    assert list((tmp_path / "out" / "report.html").iterdir()) == []
    assert capsys.readouterr().out == ""


def test_help_needs_no_tensorflow():
    code = (
        "import sys, argparse\n"
        "from aline_tf.migraine.commands import forecast as forecast_command\n"
        "forecast_command.add_arguments(argparse.ArgumentParser())\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_numbers_are_written_for_programs(forecast, tmp_path, capsys):
    assert forecast(now="2025-04-17", json=tmp_path / "out.json") == 0
    document = json.loads((tmp_path / "out.json").read_text())
    page = (tmp_path / "out" / "report.html").read_text()
    days = document["days"]
    told = f"{days['with_an_attack']} of {days['told_by_the_diary']} had an attack"
    printed = capsys.readouterr().out
    assert told in page and told in printed
    assert document["not_a_device"] in printed
    assert f"Report: {tmp_path / 'out' / 'report.html'}, {tmp_path / 'out.json'}" in printed


def test_a_first_reading_this_morning_is_forecast_this_evening(forecast, tmp_path, capsys):
    diary = tmp_path / "one.csv"
    diary.write_text("date,answered_at,resting_hr\n2025-03-03,08:00,60\n")
    assert forecast(apple_health=None, diary=diary) == 0
    printed = capsys.readouterr().out
    assert "at 20:00 on Monday, 3 March 2025" in printed
    assert "Only 1 day with records" in printed and printed.startswith("No diary tells")


def test_a_date_in_the_future_is_set_aside_and_said(forecast, tmp_path, capsys):
    diary = tmp_path / "typing.csv"
    days = [f"2025-03-{day:02d},no" for day in range(1, 31)]
    diary.write_text("\n".join(["date,attack", *days, "2052-03-30,no", ""]))
    assert forecast(apple_health=None, diary=diary) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1 record is set aside: it is dated 2052-03-30, after today.")
    assert "at 20:00 on Sunday, 30 March 2025" in printed
    assert "tells of 30 days, none of them with an attack" in printed
    assert "set aside" in (tmp_path / "out" / "report.html").read_text()
