"""The description of a task: JSON round-trip, and what it refuses."""

import dataclasses
import json
import subprocess
import sys

import pytest

from aline_tf.spec import Channel, Parameter, TaskSpec
from tests.models.batches import EVERY_KIND


def test_json_round_trip():
    text = json.dumps(EVERY_KIND.to_dict())
    assert TaskSpec.from_dict(json.loads(text)) == EVERY_KIND


def test_the_description_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        EVERY_KIND.horizon = 3


def test_sizes_and_names():
    assert EVERY_KIND.sizes == {"D": 4, "F": 2, "P": 4}
    assert EVERY_KIND.parameter_names == ("share", "shift", "present", "effect")


def test_parameters_are_selected_by_name():
    expected = [True, False, False, True]
    assert EVERY_KIND.parameter_mask("effect,share") == expected
    assert EVERY_KIND.parameter_mask(["share", "effect"]) == expected
    assert EVERY_KIND.parameter_mask("") == [False] * 4
    with pytest.raises(ValueError, match=r"share, shift, present, effect. Received: shape"):
        EVERY_KIND.parameter_mask("share,shape")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"design_low": (0.0,)}, "Expected 4 design bounds"),
        ({"horizon": 0}, "horizon >= 1. Received: horizon=0"),
        ({"parameters": (Parameter("a"), Parameter("a"))}, "unique parameter names"),
    ],
)
def test_a_wrong_description_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(EVERY_KIND, **change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Parameter("a", "fuzzy"), "kind='fuzzy'"),
        (lambda: Parameter("a", low=1.0, high=1.0), r"low < high for 'a'. Received: \[1.0, 1.0\]"),
        (lambda: Parameter("a", "real", scale=0.0), "scale > 0 for 'a'"),
        (lambda: Parameter("a", "real", scale=float("nan")), "scale > 0 for 'a'"),
        (lambda: Channel("a", "shares"), "kind='shares'"),
        (lambda: Channel("a", scale=-1.0), "scale > 0 for 'a'"),
    ],
)
def test_a_wrong_parameter_or_channel_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("change", [{"extra": 1}, {"name": None}])
def test_a_damaged_description_is_refused(change):
    config = EVERY_KIND.to_dict() | change
    if "name" in change:
        del config["name"]
    with pytest.raises(ValueError, match="Expected a task description with"):
        TaskSpec.from_dict(config)


def test_a_description_needs_no_tensorflow():
    code = (
        "import sys, aline_tf.spec, aline_tf.tasks, aline_tf.batch; "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
