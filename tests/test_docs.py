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
from aline_tf.serving import preset_exports
from aline_tf.spec import Channel
from aline_tf.tasks import CES, task_by_name
from aline_tf.training import Recipe
from aline_tf.units import UnitAdapter
from docs import messages

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, PAGES_DIR = ROOT / "aline_tf", ROOT / "docs" / "pages"
PAGES = {path.relative_to(PAGES_DIR).as_posix(): path for path in sorted(PAGES_DIR.rglob("*.md"))}
#: Made when the site is built; see docs/hooks.py.
GENERATED = {f"models/{path.name}.md" for path in (PACKAGE / "presets").iterdir()}
GENERATED |= {"messages.md"}
GENERATED |= {f"tutorials/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")}
MADE = ["tutorials/", "models/", "reference/", "messages/"]


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
    """A page is a program of its own; what pages load from the package is loaded once, and what
    they would export is there (`.ci/try_wheel.py` exports it)."""
    monkeypatch.setattr(ALINE, "from_preset", loaded)
    monkeypatch.setattr(preset_exports, "is_export_of", lambda version, preset: True)
    monkeypatch.setattr(preset_exports, "default_cache", lambda: ROOT / "savedmodels")
    monkeypatch.chdir(tmp_path)


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


@pytest.fixture(scope="module")
def known():
    """The texts of the page of messages, by family."""
    return messages.texts()


def pattern(text):
    """What a text looks like once its ellipses are filled in."""
    return re.compile(".*".join(map(re.escape, " ".join(text.split()).split("…"))), re.DOTALL)


def test_every_error_text_is_one_that_the_package_has(known):
    texts = blocks("text", PAGES["troubleshooting.md"].read_text())
    assert len(texts) >= 15
    said = {text for texts in known.values() for text in texts}
    for text in texts:
        assert any(pattern(text).search(message) for message in said), text


class TestEveryMessage:
    def test_every_room_that_refuses_something_has_advice(self, known):
        # What belongs to no family is an error while the texts are collected.
        assert set(messages.ROOMS.values()) == set(messages.FAMILIES) == set(known)
        assert all(known.values())

    def test_every_plain_sentence_that_is_raised_is_among_them(self, known):
        said = {text for texts in known.values() for text in texts}
        for path in PACKAGE.rglob("*.py"):
            source = re.sub(r'"\s*\n?\s*"', "", path.read_text())
            for text in re.findall(r'raise InputError\(\s*"([^"\\]+)"\s*\)', source):
                assert text in said, (path, text)

    def test_what_somebody_meets_is_found(self, known):
        met = [
            (lambda: Recipe(warmup_steps=-1), "Training"),
            (lambda: Channel("rating", kind="stars"), "A task"),
            (lambda: task_by_name("nonsense"), "A task"),
            (lambda: from_preset("nonsense"), "Models and presets"),
            (lambda: UnitAdapter.from_bounds(CES().spec, {"x": (0, 1)}), "A session"),
        ]
        for refused, family in met:
            with pytest.raises(ValueError) as error:
                refused()
            assert any(pattern(text).fullmatch(str(error.value)) for text in known[family]), error

    def test_its_links_lead_to_pages(self):
        for link in re.findall(r"\]\(([^)]+)\)", messages.page()):
            assert link in PAGES
