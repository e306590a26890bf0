"""Every command that takes records hears all that a person says of them."""

import datetime
from pathlib import Path

import pytest

from aline_tf.cli import main
from aline_tf.migraine.records import importers


@pytest.mark.parametrize("command", ["forecast", "ask", "plan"])
def test_what_is_said_of_a_diary_reaches_its_import(command, monkeypatch, tmp_path):
    heard = []

    class Heard(Exception):
        pass

    def import_timeline(*arguments):
        heard.append(arguments)
        raise Heard

    monkeypatch.setattr(importers, "import_timeline", import_timeline)
    said = ["--diary", "d.csv", "--column-map", "m.json", "--zone", "Europe/Berlin"]
    said += ["--dates", "day-first", "--words", "w.json", "--accept-losses"]
    out = ["--out", str(tmp_path)] if command == "forecast" else []
    with pytest.raises(Heard):
        main(["migraine", command, *said, *out])
    expected = (None, Path("d.csv"), Path("m.json"), [], "Europe/Berlin", True, "day-first")
    assert [each[:8] for each in heard] == [(*expected, Path("w.json"))]
    # And, for what cannot have been yet, the time that it is.
    assert all(isinstance(now, datetime.datetime) for now in heard[0][8:])
