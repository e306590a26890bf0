"""TensorFlow's start-up notices stay off stderr; errors, and everything after, do not."""

import os
import subprocess
import sys

import pytest

NOTICE = "import os; os.write(2, b'notice from a library\\n')\n"


@pytest.fixture
def start(tmp_path):
    """Run a program that starts quietly and imports a stand-in for TensorFlow."""

    def _start(package_source, after="", asked="", **environment):
        (tmp_path / "tensorflow").mkdir()
        (tmp_path / "tensorflow" / "__init__.py").write_text(package_source)
        program = (
            "import sys\n"
            f"sys.path.insert(0, {str(tmp_path)!r})\n"
            "from aline_tf.runtime.quiet_import import quiet_tensorflow_start\n"
            f"quiet_tensorflow_start({asked})\n"
            f"import tensorflow\n{after}"
        )
        base = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=base | environment
        )

    return _start


def test_notices_of_the_import_are_held_back(start):
    result = start(NOTICE, after="print(tensorflow.__name__)")
    assert (result.returncode, result.stdout, result.stderr) == (0, "tensorflow\n", "")


def test_what_comes_after_the_import_is_shown(start):
    result = start(NOTICE, after="print('later', file=sys.stderr)")
    assert result.stderr == "later\n"


def test_a_failing_import_shows_everything(start):
    result = start(NOTICE + "raise ImportError('no such library')")
    assert result.returncode == 1
    assert "notice from a library" in result.stderr and "no such library" in result.stderr


def test_notices_are_shown_to_who_asks_for_them(start):
    assert start(NOTICE, TF_CPP_MIN_LOG_LEVEL="0").stderr == "notice from a library\n"


def test_hidden_packages_cannot_be_imported_by_it_and_can_be_afterwards(start):
    tries = (
        "try:\n    import colorsys\nexcept ImportError:\n    print('hidden')\n"
        "import fractions\nprint('fractions' in __import__('sys').modules)\n"
    )
    # What was loaded before stays where it is.
    result = start(
        "import json\n" + tries,
        after="import colorsys; print(colorsys.__name__)",
        asked="without=['colorsys', 'json']); import json; quiet_tensorflow_start(",
    )
    assert (result.stdout, result.stderr) == ("hidden\nTrue\ncolorsys\n", "")


def test_garbage_is_collected_again_after_the_import(start):
    result = start(
        "import gc\nprint(gc.isenabled())\n",
        after="import gc; print(gc.isenabled(), gc.get_freeze_count() > 0)",
    )
    assert result.stdout == "False\nTrue True\n"


def test_a_failing_import_leaves_the_collector_and_the_packages_as_they_were():
    program = (
        "import gc\n"
        "from aline_tf.runtime.quiet_import import hidden, uncollected\n"
        "try:\n"
        "    with hidden(['colorsys']), uncollected():\n"
        "        raise ImportError\n"
        "except ImportError:\n"
        "    import colorsys\n"
        "print(gc.isenabled(), colorsys.__name__)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("True colorsys\n", "")


def test_tensorflow_itself_starts_silently():
    program = (
        "from aline_tf.runtime.quiet_import import quiet_tensorflow_start\n"
        "quiet_tensorflow_start()\n"
        "import tensorflow as tf\n"
        "print(float(tf.reduce_sum(tf.ones([2, 2]))))"
    )
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert (result.stdout, result.stderr) == ("4.0\n", "")
