"""The docs site says what is so: code runs, commands parse, links lead somewhere, errors exist."""

import ast
import functools
import os
import re
import shlex
from pathlib import Path

import pytest
import yaml

from aline_tf import cli
from aline_tf.models.aline import ALINE

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, PAGES_DIR = ROOT / "aline_tf", ROOT / "docs" / "pages"
PAGES = {path.relative_to(PAGES_DIR).as_posix(): path for path in sorted(PAGES_DIR.rglob("*.md"))}
#: Made when the site is built; see docs/hooks.py.
GENERATED = {f"models/{path.name}.md" for path in (PACKAGE / "presets").iterdir()}
GENERATED |= {f"tutorials/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")}
MADE = ["tutorials/", "models/", "reference/"]


def blocks(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def slug(title):
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def nav_places(entry):
    if isinstance(entry, str):
        return [entry]
    inside = entry.values() if isinstance(entry, dict) else entry
    return [place for item in inside for place in nav_places(item)]


@pytest.fixture
def shared_presets(monkeypatch, tmp_path):
    """A page is a program of its own; what pages load from the package is loaded once."""
    monkeypatch.setattr(ALINE, "from_preset", loaded)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALINE_TF_SAVEDMODELS", os.fspath(ROOT / "savedmodels"))


from_preset = ALINE.from_preset


@functools.cache
def loaded(name):
    return from_preset(name)


WITH_CODE = [name for name, path in PAGES.items() if blocks("python", path.read_text())]


@pytest.mark.parametrize("name", WITH_CODE)
def test_the_code_of_a_page_runs_from_top_to_bottom(name, shared_presets):
    names = {"__name__": "page"}
    for number, block in enumerate(blocks("python", PAGES[name].read_text()), 1):
        exec(compile(block, f"{name}, block {number}", "exec"), names)


def test_the_task_shown_is_that_of_the_examples():
    def task(text):
        tree = ast.parse(text)
        (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
        return {
            getattr(node, "name", "spec"): ast.dump(node)
            for node in found.body
            if getattr(node, "name", "spec") in ("spec", "sample_theta", "simulate")
        }

    page = blocks("python", PAGES["howto/own_task.md"].read_text())[0]
    assert task(page) == task((ROOT / "examples" / "own_task.py").read_text())


@pytest.mark.parametrize("name", PAGES)
class TestPage:
    def test_its_commands_are_those_that_there_are(self, name):
        parser = cli.build_parser(cli.COMMANDS)
        for block in blocks("console", PAGES[name].read_text()):
            for line in block.splitlines():
                command, *words = shlex.split(line)
                assert command in ("aline-tf", "pip"), line
                if command == "aline-tf":
                    parser.parse_args(words)

    def test_its_links_lead_to_pages_and_headings(self, name):
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", PAGES[name].read_text()):
            place, _, heading = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(name), place)) if place else name
            assert target in PAGES or target in GENERATED, link
            if heading:
                titles = re.findall(r"^#+ (.+)$", PAGES[target].read_text(), re.MULTILINE)
                assert heading in {slug(title) for title in titles}, link


def test_every_page_is_in_the_navigation_and_the_navigation_has_no_other():
    places = nav_places(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert {place for place in places if place.endswith(".md")} == set(PAGES)
    assert [place for place in places if not place.endswith(".md")] == MADE


def messages():
    """The texts of the package, what is filled in as an ellipsis."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", None) for part in node.values)
                found.add("".join(part if isinstance(part, str) else "…" for part in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_error_text_is_one_that_the_package_has():
    texts = blocks("text", PAGES["troubleshooting.md"].read_text())
    assert len(texts) >= 15
    known = messages()
    for text in texts:
        parts = [re.escape(part) for part in text.strip().split("…")]
        pattern = re.compile(".*".join(parts), re.DOTALL)
        assert any(pattern.search(message) for message in known), text
