"""The files around the package say what is so: they parse, and what they name is there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from aline_tf import __version__, cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / name
    for name in (
        "CONTRIBUTING.md",
        "SECURITY.md",
        "README.md",
        ".github/RELEASE_CHECKLIST.md",
        "examples/README.md",
        "clients/python/README.md",
    )
]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def loaded(path):
    return yaml.safe_load(path.read_text())


def commands_in(text):
    """Words after `aline-tf` and after `make` of every command: lines of code and code in text."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = [*"\n".join(blocks).splitlines(), *lines, *spans]
    found = [re.sub(r"^(?:\$ )?(?:\.venv/bin/)?", "", line.strip()) for line in found]
    return [
        shlex.split(line, comments=True)
        for line in found
        if line.partition(" ")[0] in ("aline-tf", "make")
    ]


def parses(words):
    """Whether the command line takes these words; `--help` and `--version` count."""
    try:
        cli.build_parser(cli.COMMANDS).parse_args(words)
    except SystemExit as stopped:
        return stopped.code == 0
    return True


class TestCitation:
    def test_it_has_the_fields_that_the_format_requires_and_no_unknown_ones(self):
        citation = loaded(ROOT / "CITATION.cff")
        assert citation["cff-version"] == "1.2.0"
        assert citation["type"] == "software"
        assert citation["message"] and citation["title"]
        assert citation["authors"] and all(author["name"] for author in citation["authors"])
        known = {"cff-version", "message", "type", "title", "abstract", "authors", "version"}
        assert set(citation) <= known | {"license", "keywords", "preferred-citation"}

    def test_version_and_licence_are_those_of_the_package(self):
        citation = loaded(ROOT / "CITATION.cff")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert str(citation["version"]) == __version__
        assert citation["license"] == project["license"]

    def test_the_paper_is_the_one_the_readme_names(self):
        paper = loaded(ROOT / "CITATION.cff")["preferred-citation"]
        readme = " ".join((ROOT / "README.md").read_text().split())
        assert paper["title"] in readme
        assert paper["identifiers"][0]["value"].removeprefix("arXiv:") in readme
        assert str(paper["year"]) in readme
        families = [author["family-names"] for author in paper["authors"]]
        assert ", ".join(families[:-1]) + " and " + families[-1] in readme


class TestWorkflow:
    def test_every_python_that_is_supported_does_the_whole_check(self):
        (job,) = loaded(ROOT / ".github" / "workflows" / "check.yml")["jobs"].values()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        tried = job["strategy"]["matrix"]["python"]
        supported = SpecifierSet(project["requires-python"])
        assert tried == [f"3.{minor}" for minor in range(40) if f"3.{minor}" in supported]
        named = "Programming Language :: Python :: "
        said = [line.removeprefix(named) for line in project["classifiers"] if named in line]
        assert said == tried
        steps = [step["run"] for step in job["steps"] if "run" in step]
        assert steps == [".ci/run"] and (ROOT / ".ci" / "run").is_file()

    def test_the_check_has_types_the_site_and_the_wheel(self):
        goals = re.findall(r"^make (\w+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
        assert {"lint", "docs", "wheel", "test"} <= set(goals) <= TARGETS
        assert "-m mypy" in (ROOT / "Makefile").read_text()


class TestIssueForms:
    def test_there_is_one_for_each_kind_of_issue(self):
        assert {path.stem for path in FORMS} == {"bug", "config", "import", "proposal"}

    @pytest.mark.parametrize(
        "path", [path for path in FORMS if path.stem != "config"], ids=lambda path: path.stem
    )
    def test_it_is_a_form_that_asks_something(self, path):
        form = loaded(path)
        assert form["name"] and form["description"]
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert fields and all(field["attributes"]["label"] for field in fields)
        names = [field["id"] for field in fields]
        assert len(set(names)) == len(names)
        assert any(field["validations"]["required"] for field in fields)

    def test_whoever_reports_records_is_told_to_send_none_of_somebody_real(self):
        for name in ("bug", "import"):
            (warning, *_) = loaded(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")["body"]
            assert "no real" in warning["attributes"]["value"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
class TestPages:
    def test_every_link_leads_to_a_file_and_a_heading_that_are_there(self, path):
        links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text())
        assert links or path.name == "SECURITY.md" or "clients" in path.parts
        for link in links:
            file, _, heading = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.exists() and target.is_relative_to(ROOT), link
            if heading:
                titles = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
                slugs = {
                    re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles
                }
                assert heading in slugs, link

    def test_every_command_is_one_that_there_is(self, path):
        for command, *words in commands_in(path.read_text()):
            if command == "make":
                goals = [word for word in words if "=" not in word]
                assert set(goals) <= TARGETS, words
            elif not any(word in ("...", "…") for word in words):
                assert parses(words) or is_a_command(words), words

    def test_every_file_named_in_the_text_is_there(self, path):
        named = re.findall(r"`((?:aline_tf|tests|examples|\.ci)/[\w/.-]+)`", path.read_text())
        for name in named:
            assert (ROOT / name).exists(), name


def is_a_command(words):
    """Whether they are the words of a sub-command alone, as a text names it."""
    return any(tuple(words) == command.words[: len(words)] for command in cli.COMMANDS)


def test_an_unknown_command_or_target_would_be_found():
    text = "Say `aline-tf nonsense` or\n\n    make nothing\n"
    (shell, *words), (make, goal) = sorted(commands_in(text))
    assert (shell, make) == ("aline-tf", "make")
    assert not parses(words) and not is_a_command(words)
    assert goal not in TARGETS
