"""Whatever is logged is one line that is a JSON object, and no error's sentence is in it."""

import ast
import json
import logging
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies

import aline_tf.gateway
from aline_tf.gateway.operation.json_lines import JsonLines, failure, line

GATEWAY = Path(aline_tf.gateway.__file__).parent
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")


def calls(tree):
    """The calls of a logger in a module."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("LOG", "logging", "logger")
            and node.func.attr in LEVELS
        ):
            yield node


def test_everything_that_a_gateway_logs_is_a_line():
    seen = 0
    for path in GATEWAY.rglob("*.py"):
        for call in calls(ast.parse(path.read_text())):
            (message,), place = call.args, f"{path.name}:{call.lineno}"
            assert isinstance(message, ast.Call) and message.func.id == "line", place
            assert not call.keywords and call.func.attr != "exception", place
            seen += 1
    assert seen > 3


def logged(message, arguments=(), error=None):
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("x", logging.ERROR, "f", 1, message, arguments, info)
    text = JsonLines().format(record)
    assert text.isascii() and "\n" not in text and "\r" not in text

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(text, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


def raised(depth):
    try:
        try:
            raise ValueError("secret")
        except ValueError as error:
            if depth:
                raise KeyError("secret") from (error if depth == 1 else raised(depth - 1))
            raise
    except (ValueError, KeyError) as error:
        return error


json_values = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=5,
)


@hypothesis.given(
    message=strategies.text()
    | strategies.sampled_from(["%s", "%d of %s", "{", '{"a": 1e999, "b": NaN}', "[1]", "\ud800"])
    | json_values.map(json.dumps),
    arguments=strategies.lists(strategies.text() | strategies.integers(), max_size=2).map(tuple),
    depth=strategies.none() | strategies.integers(0, 3),
)
@hypothesis.settings(max_examples=200, deadline=None)
def test_whatever_others_log_is_one_object_on_one_line(message, arguments, depth):
    found = logged(message, arguments, None if depth is None else raised(depth))
    if depth is not None:
        assert found["error"] in ("ValueError", "KeyError") and "secret" not in json.dumps(found)
        assert any("raised" in place for place in found["traceback"])


def test_lines_stay_as_they_are_and_others_say_who_wrote_them():
    assert logged(line(id="a", ms=1.5)) == {"id": "a", "ms": 1.5}
    assert logged("%s went\nwrong", ("it",)) == {
        "level": "ERROR",
        "logger": "x",
        "message": "it went",
    }


def test_an_error_that_led_to_itself_is_told_once():
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert [found["error"] for found in failure(first)["after"]] == ["KeyError"]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_line_of_what_is_no_number_is_refused(wrong):
    with pytest.raises(ValueError, match="not JSON compliant"):
        line(ms=wrong)
