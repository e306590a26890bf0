"""What surrounds the package: a light first import, dependencies, and a README that is true."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import aline_tf
from aline_tf import cli

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = (
    "tensorflow",
    "keras",
    "tensorflow_probability",
    "pandas",
    "scipy",
    "sklearn",
    "matplotlib",
)


def printed_by(statements):
    """The last line that a fresh interpreter prints."""
    result = subprocess.run(
        [sys.executable, "-c", statements], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return result.stdout.splitlines()[-1]


def loaded_by(statements):
    """Which of the heavy packages a fresh interpreter has loaded after `statements`."""
    report = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"
    return printed_by(f"{statements}\n{report}")


@pytest.fixture(scope="module")
def loaded_by_help():
    """Words of a command -> packages loaded by its `--help`, and by that of those before it, in one
    fresh interpreter."""
    return json.loads(
        printed_by(
            "import json, sys\n"
            "from aline_tf.cli import COMMANDS, main\n"
            "found = {}\n"
            "for words in [(), *(command.words for command in COMMANDS)]:\n"
            "    try:\n"
            "        main([*words, '--help'])\n"
            "    except SystemExit as stopped:\n"
            "        assert stopped.code == 0\n"
            f"    found[' '.join(words)] = [name for name in {HEAVY} if name in sys.modules]\n"
            "print(json.dumps(found))"
        )
    )


class TestFirstImport:
    def test_importing_the_package_loads_nothing_heavy(self):
        assert loaded_by("import aline_tf; dir(aline_tf)") == "[]"

    @pytest.mark.parametrize(
        "words",
        [(), *(command.words for command in cli.COMMANDS)],
        ids=lambda words: " ".join(words),
    )
    def test_help_loads_no_tensorflow(self, words, loaded_by_help):
        loaded = loaded_by_help[" ".join(words)]
        assert "tensorflow" not in loaded and "keras" not in loaded
        assert "scipy" not in loaded

    def test_importing_a_session_loads_nothing_heavy(self):
        assert loaded_by("from aline_tf import Session") == "[]"

    def test_console_script_is_the_command_line(self):
        (script,) = entry_points(group="console_scripts", name="aline-tf")
        assert script.load() is cli.main


class TestPublicNames:
    @pytest.mark.parametrize("name", sorted({*aline_tf.__all__} - {"__version__"}))
    def test_public_name_is_there(self, name):
        assert getattr(aline_tf, name).__name__.rpartition(".")[2] == name

    def test_unknown_name_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            aline_tf.nonsense  # noqa: B018


class TestDependencies:
    def test_extras_are_there_and_each_is_for_a_room_that_exists(self):
        rooms = {"notebook": ROOT / "notebooks", "dev": ROOT / "tests"}
        rooms["gateway"] = ROOT / "aline_tf" / "gateway"
        rooms["docs"] = ROOT / "docs" / "pages"
        rooms["gpu"] = ROOT / "aline_tf" / "training"
        assert set(PROJECT["optional-dependencies"]) == set(rooms)
        assert all(room.is_dir() for room in rooms.values())

    def test_python_range_is_the_one_that_was_tried(self):
        assert PROJECT["requires-python"] == ">=3.11,<3.14"

    @pytest.mark.parametrize(
        "requirement",
        PROJECT["dependencies"]
        + PROJECT["optional-dependencies"]["notebook"]
        + PROJECT["optional-dependencies"]["gateway"]
        + PROJECT["optional-dependencies"]["docs"]
        + PROJECT["optional-dependencies"]["gpu"]
        + PROJECT["optional-dependencies"]["dev"],
    )
    def test_constraint_pins_a_version_in_the_declared_range(self, requirement):
        wanted = Requirement(requirement)
        assert wanted.specifier.contains(pins()[normalised(wanted.name)])

    def test_constraints_hold_versions_and_nothing_else(self):
        lines = [line for line in constraint_lines() if not line.startswith("#")]
        assert lines and all(re.fullmatch(r"[\w.-]+==[\w.+!]+", line) for line in lines)

    def test_licence_is_the_one_declared(self):
        assert PROJECT["license"] == "Apache-2.0"
        text = (ROOT / "LICENSE").read_text()
        assert "Apache License" in text and "Version 2.0, January 2004" in text
        assert "END OF TERMS AND CONDITIONS" in text


def constraint_lines():
    return [line.strip() for line in (ROOT / "constraints.txt").read_text().splitlines() if line]


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins():
    pairs = (line.split("==") for line in constraint_lines() if not line.startswith("#"))
    return {normalised(name): version for name, version in pairs}


class TestReadme:
    def test_every_command_shown_is_one_that_parses(self):
        shown = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?aline-tf (.+)$", readme(), re.MULTILINE)
        assert shown
        parser = cli.build_parser(cli.COMMANDS)
        for line in shown:
            try:
                parser.parse_args(shlex.split(line, comments=True))
            except SystemExit as stopped:
                assert stopped.code == 0 and "--help" in line, line

    def test_every_path_named_is_there(self):
        for path in re.findall(r"\]\((?!https?:|#)([^)]+)\)", readme()):
            assert (ROOT / path).exists(), path

    def test_session_example_runs_and_every_other_is_python(self):
        session, *others = re.findall(r"^```python\n(.*?)^```", readme(), re.MULTILINE | re.DOTALL)
        for example in others:
            compile(example, "README.md", "exec")
        names = {}
        exec(compile(session, "README.md", "exec"), names)
        assert json.loads(names["state"])


def readme():
    return (ROOT / "README.md").read_text()
