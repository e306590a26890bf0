"""The example files through the whole way, against numbers that were checked by eye."""

import csv
import io
import runpy
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.migraine.records.days import day_history
from aline_tf.migraine.records.importers import import_timeline, read_diary
from aline_tf.migraine.schema.channels import FIELD_NAMES

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2025, 4, 27, 20, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture(scope="module")
def timeline():
    return import_timeline(EXAMPLES / "export.zip", EXAMPLES / "diary.csv")


def table(history, names) -> str:
    """Days as CSV: a value, nothing where missing, "refused" where asked and not answered."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["date", *names])
    for day, values, status in zip(history.dates, history.values, history.status, strict=True):
        cells = {0: "", 2: "refused"}
        row = [
            cells.get(int(s), f"{v:.4f}".rstrip("0").rstrip("."))
            for v, s in zip(values, status, strict=True)
        ]
        out.writerow([day.isoformat(), *row])
    return text.getvalue()


def test_the_examples_become_these_days(timeline):
    """The golden table changes with a rule of `day_history` or with the examples: read it then."""
    assert timeline.evening() == NOW
    made = table(day_history(timeline, NOW, 90), FIELD_NAMES)
    assert made == (GOLDEN / "example_days.csv").read_text(encoding="utf-8")


def test_the_examples_can_be_made_again_byte_for_byte():
    script = runpy.run_path(str(EXAMPLES / "make_examples.py"))
    days = script["live"](script["SEED"])
    assert script["health_export"](days, script["SEED"]) == (EXAMPLES / "export.zip").read_bytes()
    assert script["diary"](days, script["SEED"]) == (EXAMPLES / "diary.csv").read_text("utf-8")


def test_the_example_is_believable(timeline):
    history = day_history(timeline, NOW, 90)
    attacks = len(timeline.attacks())
    assert 12 <= attacks <= 18
    assert history.dates[-1].weekday() == 6
    assert (EXAMPLES / "export.zip").stat().st_size < 300_000
    sleep = history.column("sleep_hours")
    assert 6.5 < np.nanmean(sleep) < 8.5 and 0.02 < np.isnan(sleep).mean() < 0.2
    reported = ~np.isnan(history.column("attack_2"))
    assert 0.8 < reported.mean() < 0.98


def test_days_of_the_past_do_not_depend_on_what_came_after(timeline):
    """The last row of a shorter history is what a person knew that evening."""
    evening = NOW - timedelta(days=30)
    cut = timeline.frame["known"] <= evening
    past = day_history(type(timeline)(timeline.frame[cut]), evening, 20)
    history = day_history(timeline, evening, 20)
    np.testing.assert_array_equal(history.values, past.values)
    np.testing.assert_array_equal(history.status, past.status)


def test_the_diary_follows_the_clock_of_the_phone(timeline):
    diary = timeline.frame[timeline.frame["source"] == "diary"]
    summer = diary["time"] >= "2025-03-30T12:00:00+00:00"
    assert set(diary["offset"][summer]) == {120}
    assert set(diary["offset"][diary["time"] < "2025-03-29T12:00:00+00:00"]) == {60}


def test_a_diary_alone_gives_the_same_self_reports(timeline):
    alone = day_history(read_diary(EXAMPLES / "diary.csv"), NOW.replace(tzinfo=None), 90)
    together = day_history(timeline, NOW, 90)
    for field in ("stress_1", "attack_0", "attack_3", "prodrome_3", "caffeine"):
        np.testing.assert_array_equal(alone.column(field), together.column(field))


def test_either_file_will_do_and_none_will_not(tmp_path):
    assert len(import_timeline(apple_health=EXAMPLES / "export.zip"))
    assert len(import_timeline(diary=EXAMPLES / "diary.csv"))
    (tmp_path / "diary.csv").write_text("date,stress\n2025-03-09,\n")
    with pytest.raises(InputError, match="files without any"):
        import_timeline(diary=tmp_path / "diary.csv")


def test_the_summary_names_no_person(timeline):
    text = str(timeline.summary) + "".join(timeline.frame["source"].unique())
    assert "Mira" not in text
    assert timeline.summary.unused["notes"] > 0


def test_importing_loads_no_tensorflow():
    code = "import sys, aline_tf.migraine.records.importers as i;"
    code += "import aline_tf.migraine.records.days;"
    code += "from aline_tf.migraine.records import *;"
    code += "assert i.import_timeline is import_timeline and day_history and Timeline;"
    code += "assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES.parent)
