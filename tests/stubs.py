"""Stubs of the rooms: what `lazy_exports` resolves when it is used, said to editors and checkers.

`python -m tests.stubs` writes them anew.
"""

import ast
from pathlib import Path

from aline_tf.runtime import lazy_exports as module

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "aline_tf"


def rooms() -> list[Path]:
    """The `__init__.py` files whose names are resolved lazily."""
    return [
        path
        for path in sorted(PACKAGE.rglob("__init__.py"))
        if "lazy_exports(" in path.read_text() or path.parent == PACKAGE
    ]


def stub(path: Path) -> str:
    """What the stub of a room says: where each of its names is from."""
    tree = ast.parse(path.read_text())
    room = ".".join(path.parent.relative_to(ROOT).parts)
    lines = [f'"""{ast.get_docstring(tree).splitlines()[0]}"""', ""]
    if path.parent == PACKAGE:
        places = {name: (module, name) for name, module in _constant(tree, "_EXPORTS").items()}
        lines += ["__version__: str", ""]
        places["InputError"] = ("aline_tf.errors", "InputError")
        lines += [f"from aline_tf import {each} as {each}" for each in _constant(tree, "_ROOMS")]
    else:
        places = {}
        for name, place in _exports(path).items():
            module = place if place.startswith("aline_tf.") else f"{room}.{place}"
            above, _, last = module.rpartition(".")
            places[name] = (above, name) if last == name else (module, name)
    lines += [
        f"from {module} import {name} as {name}"
        for name, (module, name) in sorted(places.items(), key=lambda item: (item[1][0], item[0]))
    ]
    return "\n".join(lines) + "\n"


def _exports(path: Path) -> dict[str, str]:
    """The names and places that a room hands to `lazy_exports`, some of them worked out there."""
    found: dict[str, str] = {}

    def listen(room, names):
        found.update(names)
        return real(room, names)

    real, module.lazy_exports = module.lazy_exports, listen
    try:
        room = ".".join(path.parent.relative_to(ROOT).parts)
        exec(compile(path.read_text(), path, "exec"), {"__name__": room})
    finally:
        module.lazy_exports = real
    return found


def _constant(tree, name):
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"no {name}")


if __name__ == "__main__":
    for path in rooms():
        path.with_suffix(".pyi").write_text(stub(path))
