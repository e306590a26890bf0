"""Imports run downhill only: a room may import the rooms before it, never one after it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "aline_tf"

# Each entry may import what stands before it. Rooms of one entry are neighbours, and none knows
# another; the files of the first stand on their own ground together.
ORDER = (
    ("errors",),
    ("runtime",),
    ("spec", "batch", "draws"),
    ("plots",),
    ("units",),
    ("tasks", "batch_ops"),
    ("models",),
    ("information",),
    ("training", "acquisition", "serving"),
    ("evaluation",),
    ("experiments", "migraine"),
    ("bench", "gateway", "federated"),
    ("commands",),
    ("cli",),
    # Old doors, which lead to what has moved.
    ("files",),
)
#: Inside the application, in the same manner; its commands are reached by name alone.
MIGRAINE_ORDER = (
    ("schema",),
    ("records",),
    ("simulation",),
    ("task",),
    ("forecast",),
    ("interview",),
    ("report",),
    ("evaluation",),
    ("commands",),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
#: What still stands in the wrong place: (module, room it imports). It only ever gets shorter.
DEBTS = set()
#: Modules that still parse arguments outside of commands/.
PARSERS_ELSEWHERE = set()
#: Neighbours that share a row and may see each other: the description of a task and its batches.
BESIDE = ({"spec", "batch"}, {"batch", "draws"}, {"tasks", "batch_ops"})
# The command line and the package's own exports reach every room, by name and on demand.
DOORS = ("cli.py", "__init__.py")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """The part of the package that `path`, relative to it, belongs to."""
    return path.parts[0].removesuffix(".py")


def nodes(tree: ast.AST, deep: bool):
    """Every node; those inside functions only where `deep`."""
    yield tree
    if deep or not isinstance(tree, ast.FunctionDef):
        for child in ast.iter_child_nodes(tree):
            yield from nodes(child, deep)


def imported_modules(
    source: str, module: str, deep: bool = True
) -> list[tuple[int, tuple[str, ...]]]:
    """(line, parts below the package) of every import of this package in `source`.

    Args:
        source: the text of a module.
        module: its dotted name, ending in `.__init__` for a package, against which relative
            imports are resolved.
        deep: at any depth of the code; otherwise what is imported while the module is.
    """
    found = []
    for node in nodes(ast.parse(source), deep):
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
                found.append((node.lineno, tuple(parts[1:])))
    return found


def imported_rooms(source: str, module: str) -> list[tuple[int, str]]:
    """As `imported_modules`, with the room alone."""
    return [(line, parts[0]) for line, parts in imported_modules(source, module)]


def dotted(path: Path) -> str:
    return ".".join(("aline_tf", *path.with_suffix("").parts))


@cache
def uphill(path: Path) -> set[tuple[str, str]]:
    """(module, room) of every import that does not run downhill, inside the application too."""
    relative = path.relative_to(PACKAGE)
    room, found = room_of(relative), set()
    inner = {name: rank for rank, rooms in enumerate(MIGRAINE_ORDER) for name in rooms}
    for _, parts in imported_modules(path.read_text(), dotted(relative)):
        target = parts[0]
        if target != room and RANK[target] >= RANK[room] and {target, room} not in BESIDE:
            found.add((str(relative), target))
        if room == target == "migraine" and len(parts) > 1 and parts[1] in inner:
            own = relative.parts[1]
            if own in inner and parts[1] != own and inner[parts[1]] >= inner[own]:
                found.add((str(relative), f"migraine.{parts[1]}"))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_what_stands_before_it(path):
    if str(path.relative_to(PACKAGE)) in DOORS:
        return
    wrong = uphill(path) - DEBTS
    assert not wrong, f"a room stands before what it imports: {sorted(wrong)}"


def test_a_debt_that_was_paid_is_struck_off():
    inside = [path for path in SOURCES if str(path.relative_to(PACKAGE)) not in DOORS]
    owed = set().union(*(uphill(path) for path in inside))
    assert owed >= DEBTS, sorted(DEBTS - owed)


def module_graph() -> dict[str, set[str]]:
    """Module -> modules of the package that it imports while it is being imported itself."""
    names = {dotted(path.relative_to(PACKAGE)).removesuffix(".__init__") for path in SOURCES}
    graph = {}
    for path in SOURCES:
        module = dotted(path.relative_to(PACKAGE))
        found = set()
        for _, parts in imported_modules(path.read_text(), module, deep=False):
            whole = ".".join(("aline_tf", *parts))
            found.add(whole if whole in names else whole.rpartition(".")[0])
        graph[module.removesuffix(".__init__")] = found & names
    return graph


def test_no_module_imports_itself_in_a_circle():
    graph, done = module_graph(), set()

    def visit(module, trail):
        assert module not in trail, f"a circle: {[*trail[trail.index(module) :], module]}"
        if module in done:
            return
        for target in sorted(graph[module]):
            # A package does not wait for the modules inside it, nor they for it.
            if target != module and not module.startswith(f"{target}."):
                visit(target, [*trail, module])
        done.add(module)

    for module in sorted(graph):
        visit(module, [])


def test_every_part_of_the_package_has_its_place():
    parts = {room_of(path.relative_to(PACKAGE)) for path in SOURCES} - {"__init__"}
    assert parts <= set(RANK), f"give these a place in ORDER: {sorted(parts - set(RANK))}"
    rooms = {path.name for path in (PACKAGE / "migraine").iterdir() if path.is_dir()}
    placed = {room for rooms in MIGRAINE_ORDER for room in rooms}
    assert rooms - {"__pycache__"} == placed


def test_no_module_has_a_name_that_says_nothing():
    named = {part for path in SOURCES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not named & FORBIDDEN_NAMES


def test_no_module_is_named_as_if_it_were_a_test():
    assert not [path for path in SOURCES if path.name.startswith("test_")]


def test_no_room_is_crowded():
    """At most 14 files, so that a glance takes it in; importers, one a format, are many."""
    sizes = {}
    for path in SOURCES:
        if path.name != "__init__.py" and path.parent.name != "importers":
            sizes[path.parent] = sizes.get(path.parent, 0) + 1
    crowded = {str(room): count for room, count in sizes.items() if count > 14}
    assert not crowded


def test_no_draw_depends_on_a_generator_that_everybody_shares():
    """TensorFlow's and Keras's own; tests count on it, which seed neither (tests/seeds.py)."""
    shared = re.compile(r"\b(?:tf\.random\.(?!(?:experimental\.)?stateless_)|keras\.random\.)\w+")
    found = {
        f"{path.name}: {draw}"
        for root in (PACKAGE, PACKAGE.parent / "tests")
        for path in root.rglob("*.py")
        for draw in shared.findall(path.read_text())
    }
    assert not found, f"take the seed as an argument (aline_tf/draws.py): {sorted(found)}"


def test_arguments_are_parsed_in_commands_alone():
    parsing = [path.relative_to(PACKAGE) for path in SOURCES if "argparse" in path.read_text()]
    strangers = {
        str(path) for path in parsing if path.parent.name != "commands" and str(path) != "cli.py"
    }
    assert strangers == PARSERS_ELSEWHERE


def test_imports_are_seen_however_they_are_written():
    source = (
        "import aline_tf.migraine.schema.channels\n"
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
