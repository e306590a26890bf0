"""Imports run downhill only: a room may import the rooms before it, never one after it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "aline_tf"

# Each entry may import what stands before it, and what stands beside it.
ORDER = (
    ("errors", "files", "memory", "quiet_start"),
    ("batch", "draws"),
    ("tasks",),
    ("models",),
    ("training",),
    ("acquisition",),
    ("evaluation",),
    ("bench",),
    ("serving",),
    ("migraine",),
    ("gateway",),
    ("cli",),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
# The command line and the package's own exports reach every room, by name and on demand.
DOORS = ("cli.py", "__init__.py")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """The part of the package that `path`, relative to it, belongs to."""
    return path.parts[0].removesuffix(".py")


def imported_rooms(source: str, module: str) -> list[tuple[int, str]]:
    """(line, room) of every import of this package in `source`, at any depth of the code.

    Args:
        source: the text of a module.
        module: its dotted name, ending in `.__init__` for a package, against which relative
            imports are resolved.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *filter(None, [base])])
            # `from aline_tf import tasks` names a room; `from aline_tf.tasks import x` does too.
            targets = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                targets = [node.args[0].value]
        for target in targets:
            parts = target.split(".")
            if parts[0] == "aline_tf" and len(parts) > 1 and parts[1] in RANK:
                found.append((node.lineno, parts[1]))
    return found


def dotted(path: Path) -> str:
    return ".".join(("aline_tf", *path.with_suffix("").parts))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_what_stands_before_it(path):
    relative = path.relative_to(PACKAGE)
    if str(relative) in DOORS:
        return
    room = room_of(relative)
    uphill = [
        f"{relative}:{line} imports aline_tf.{target}"
        for line, target in imported_rooms(path.read_text(), dotted(relative))
        if target != room and RANK[target] > RANK[room]
    ]
    assert not uphill, f"{room} stands before what it imports: {uphill}"


def test_every_part_of_the_package_has_its_place():
    parts = {room_of(path.relative_to(PACKAGE)) for path in SOURCES} - {"__init__"}
    assert parts <= set(RANK), f"give these a place in ORDER: {sorted(parts - set(RANK))}"


def test_no_module_has_a_name_that_says_nothing():
    named = {part for path in SOURCES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not named & FORBIDDEN_NAMES


def test_imports_are_seen_however_they_are_written():
    source = (
        "import aline_tf.migraine.channels\n"
        "from aline_tf import serving\n"
        "from ..evaluation import eig\n"
        "def later():\n"
        "    from aline_tf.gateway.app import app\n"
        "    import_module('aline_tf.cli')\n"
        "import numpy\n"
        "from .base import Task\n"
    )
    found = imported_rooms(source, "aline_tf.tasks.psychometric")
    assert sorted(found) == [
        (1, "migraine"),
        (2, "serving"),
        (3, "evaluation"),
        (5, "gateway"),
        (6, "cli"),
        (8, "tasks"),
    ]


def test_relative_import_in_a_package_file_stays_in_its_room():
    assert imported_rooms("from .base import Task", "aline_tf.tasks.__init__") == [(1, "tasks")]
