"""Names that are resolved when they are used are there for editors and type checkers too; `make
lint` has mypy read a user's program, tests/typed/program.py."""

import importlib

import pytest

from tests.stubs import ROOT, rooms, stub


@pytest.mark.parametrize("path", rooms(), ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_the_stub_of_a_room_says_what_the_room_resolves(path):
    kept = path.with_suffix(".pyi")
    assert kept.read_text() == stub(path), "python -m tests.stubs writes it anew"
    room = importlib.import_module(".".join(path.parent.relative_to(ROOT).parts))
    lines = kept.read_text().splitlines()
    shown = {line.rpartition(" as ")[2] for line in lines if line.startswith("from ")}
    assert set(room.__all__) == shown | {"__version__"} & set(room.__all__)


def test_no_stub_is_left_of_a_room_that_is_gone():
    assert set(ROOT.glob("aline_tf/**/*.pyi")) == {path.with_suffix(".pyi") for path in rooms()}
