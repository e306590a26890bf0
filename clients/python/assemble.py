"""The modules of the client, taken from the package under another name when it is built.

There is one source of the wire format, the client and the session: `aline_tf`. What the public
names of the client import, and what these import in turn, is copied with `aline_tf` renamed to
`aline_tf_client`, so that both can be installed side by side. Nothing of it is kept in the
repository, and so nothing can fall behind.
"""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "aline_tf"
CLIENT = "aline_tf_client"
#: Imported inside of functions, and yet of use to somebody without TensorFlow.
LATE = (
    "acquisition/baselines/uncertainty.py",
    "batch_ops.py",
    "units/mixed_summaries.py",
)


def assemble(target: Path, source: Path = SOURCE) -> list[str]:
    """Write the modules of the client beside its `__init__.py`.

    Args:
        target: the folder of the package; what is there of an earlier build is replaced.
        source: the folder of `aline_tf`.

    Returns:
        the files that were written, relative to `target`.
    """
    public = (HERE / CLIENT / "__init__.py").read_text(encoding="utf-8")
    roots = [path for path in _imported(public.replace(CLIENT, "aline_tf"), source) if path]
    found = _closure([*roots, *(source / name for name in LATE)], source)
    for old in target.glob("*"):
        if old.name not in ("__init__.py", ".gitignore"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    written = {"version.py": _version(source), "py.typed": ""}
    if target.resolve() != (HERE / CLIENT).resolve():
        written["__init__.py"] = public
    for path in sorted(found):
        name = path.relative_to(source).as_posix()
        written[name] = re.sub(r"\baline_tf\b", CLIENT, path.read_text(encoding="utf-8"))
        for folder in list(Path(name).parents)[:-1]:
            written[f"{folder.as_posix()}/__init__.py"] = ""
    for config in sorted(source.glob("presets/*/config.json")):
        # The task alone: weights stay with the server.
        written[config.relative_to(source).as_posix()] = config.read_text(encoding="utf-8")
    for name, text in written.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return sorted(written)


def _closure(paths: list[Path], source: Path) -> set[Path]:
    """The modules, with all that is imported while they are."""
    found: set[Path] = set()
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found and path.name != "__init__.py":
            found.add(path)
            waiting += _imported(path.read_text(encoding="utf-8"), source)
    return found


def _imported(text: str, source: Path) -> list[Path]:
    """Modules of the package that a source imports at its top level."""
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, *parts = name.split(".")
            module = source.joinpath(*parts).with_suffix(".py") if parts else source
            if package == "aline_tf" and module.is_file():
                found.append(module)
    return found


def _version(source: Path) -> str:
    text = (source / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = ".+"$', text, re.MULTILINE)[0] + "\n"
