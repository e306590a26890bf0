"""`make install` against stand-ins for Python: which one it picks, and how often it works."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DEMO = (
    "$(BIN)/aline-tf migraine forecast --apple-health examples/export.zip"
    " --diary examples/diary.csv --out build/demo"
)


@pytest.fixture
def checkout(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "touch", "mkdir", "cp", "echo", "cat"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return tmp_path


def python(checkout, name, supported):
    """A stand-in that knows its version, makes a .venv of itself and keeps a log."""
    script = checkout / "bin" / name
    script.write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        f'"-c "*) exit {0 if supported else 1} ;;\n'
        '"--version "*) echo "Python 3.$((9 + 0)) stand-in" ;;\n'
        f'"-m venv") echo "venv {name}" >> log; mkdir -p .venv/bin;'
        ' cp "$0" .venv/bin/python ;;\n'
        '"-m pip") [ "$3" = --version ] || echo "pip $*" >> log ;;\n'
        "esac\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


def make(checkout, *arguments):
    environment = {**os.environ, "PATH": str(checkout / "bin")}
    environment.pop("MAKEFLAGS", None)
    return subprocess.run(
        [shutil.which("make"), *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
    )


def log(checkout):
    return (checkout / "log").read_text().splitlines()


def test_second_install_does_nothing(checkout):
    python(checkout, "python3", supported=True)
    assert make(checkout, "install").returncode == 0
    first = log(checkout)
    assert first[0] == "venv python3"
    assert "--constraint constraints.txt" in first[1] and "[dev,notebook,gateway]" in first[1]
    assert make(checkout, "install").returncode == 0
    assert log(checkout) == first


def test_changed_constraints_are_installed_into_the_same_environment(checkout):
    python(checkout, "python3", supported=True)
    make(checkout, "install")
    os.utime(checkout / ".venv" / ".installed", (0, 0))
    make(checkout, "install")
    assert [line.split()[0] for line in log(checkout)] == ["venv", "pip", "pip"]


def test_another_python_is_picked_when_python3_is_not_supported(checkout):
    python(checkout, "python3", supported=False)
    python(checkout, "python3.11", supported=True)
    assert make(checkout, "install").returncode == 0
    assert log(checkout)[0] == "venv python3.11"


def test_unsupported_python_is_reported_and_nothing_made(checkout):
    python(checkout, "python3", supported=False)
    result = make(checkout, "install")
    assert result.returncode != 0
    assert "expected Python 3.11 to 3.13" in result.stderr
    assert not (checkout / ".venv").exists()


def test_demo_runs_the_forecast_on_the_examples():
    assert DEMO in (ROOT / "Makefile").read_text()
