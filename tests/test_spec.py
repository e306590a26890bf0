"""The description of a task: JSON round-trip, and what it refuses."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aline_tf.spec import Channel, Parameter, TaskSpec
from tests.models.batches import EVERY_KIND


def test_json_round_trip():
    text = json.dumps(EVERY_KIND.to_dict())
    assert TaskSpec.from_dict(json.loads(text)) == EVERY_KIND


def test_lists_are_taken_for_tuples():
    lists = {name: list(value) for name, value in vars(EVERY_KIND).items() if type(value) is tuple}
    assert dataclasses.replace(EVERY_KIND, **lists) == EVERY_KIND


@pytest.mark.parametrize("member", ["fields", "outcomes", "parameters"])
@pytest.mark.parametrize("change", [{"colour": "red"}, {"name": None}])
def test_a_damaged_member_is_refused(member, change):
    config = json.loads(json.dumps(EVERY_KIND.to_dict()))
    config[member][0] |= change
    if "name" in change:
        del config[member][0]["name"]
    kind = "parameter" if member == "parameters" else "channel"
    with pytest.raises(ValueError, match=f"Expected a {kind} with a name and any of"):
        TaskSpec.from_dict(config)


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(low=NUMBERS, high=NUMBERS, loc=NUMBERS, scale=NUMBERS)
def test_a_parameter_is_sound_or_refused(low, high, loc, scale):
    # In float32, in which everything is computed.
    limits, every = np.finfo(np.float32), np.abs([low, high, loc, scale])
    sound = (every <= float(limits.max)).all() and scale >= float(limits.tiny)
    sound = sound and np.float32(low) < np.float32(high)
    try:
        Parameter("a", low=low, high=high, loc=loc, scale=scale)
    except ValueError as error:
        assert not sound and "Expected" in str(error) and "Received" in str(error)
    else:
        assert sound


@pytest.mark.parametrize(
    "make",
    [
        lambda: Parameter("a", scale="1"),
        lambda: Parameter("a", scale=True),
        lambda: Parameter("a", low=1.0, high=1.0 + 1e-12),
        lambda: Parameter("a", high=1e40),
        lambda: Parameter("a", axis=0.5),
        lambda: Parameter("a", axis="x"),
        lambda: Channel("a", scale="1"),
        lambda: Channel("a", "ordered", levels="3"),
        lambda: Channel("a", levels=7),
        lambda: Channel("a", "binary", levels=3),
        lambda: dataclasses.replace(EVERY_KIND, horizon="4"),
        lambda: dataclasses.replace(EVERY_KIND, horizon=None),
        lambda: dataclasses.replace(EVERY_KIND, horizon=float("nan")),
    ],
)
def test_what_is_no_number_is_refused_in_a_sentence(make):
    with pytest.raises(ValueError, match=r"Expected .*Received: "):
        make()


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
        ({"horizon": 2.5}, "horizon >= 1. Received: horizon=2.5"),
        ({"horizon": True}, "horizon >= 1. Received: horizon=True"),
        ({"name": ""}, "a name for every task. Received: name=''"),
        ({"design_names": "wxyz"}, "design_names as a tuple. Received: design_names='wxyz', a str"),
        ({"design_names": ("x", "x", "y", "z")}, "unique design names"),
        ({"design_names": ("x", "", "y", "z")}, "a name for every design dimension"),
        ({"design_low": (6.0, 0.0, 0.0, 0.0)}, r"low < high for 'x'. Received: \[6.0, 6.0\]"),
        ({"design_high": (np.inf, 1.0, 1.0, 1.0)}, "a finite high for 'x'. Received: high=inf"),
        ({"design_low": (np.nan, 0.0, 0.0, 0.0)}, "a finite low for 'x'. Received: low=nan"),
        ({"fields": (Channel("a"), Channel("a"))}, "unique field names"),
        ({"fields": ()}, "at least one channel. Received: fields="),
        ({"outcomes": ()}, "at least one channel. Received: outcomes="),
        ({"outcomes": (Channel("a"), Channel("a"))}, "unique outcome names"),
        ({"outcomes": ("level",)}, "outcomes of class Channel. Received: 'level'"),
        ({"outcomes": tuple(map(Channel, "abcd"))}, "last 4 design dimensions, from 0 to 1 each"),
        ({"outcomes": tuple(map(Channel, "abcde"))}, "last 5 design dimensions"),
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
        (lambda: Channel("a", scale=np.inf), "scale > 0 for 'a'"),
        (lambda: Channel(""), "a name for every channel. Received: name=''"),
        (
            lambda: Channel("a", "ordered", levels=1),
            "at least 2 levels for 'a'. Received: levels=1",
        ),
        (lambda: Channel("a", "ordered", levels=2.5), "at least 2 levels for 'a'"),
        (lambda: Channel("a", loc=np.nan), "a finite loc for 'a'. Received: loc=nan"),
        (lambda: Channel("a", loc="1"), "a finite loc for 'a'. Received: loc='1'"),
        (lambda: Channel("a", cost=np.inf), "a finite cost for 'a'. Received: cost=inf"),
        (lambda: Channel("a", cost=-1.0), "cost >= 0 for 'a'. Received: -1.0"),
        (lambda: Parameter(" "), "a name for every parameter. Received: name=' '"),
        (lambda: Parameter("a", low=-np.inf), "a finite low for 'a'. Received: low=-inf"),
        (lambda: Parameter("a", "real", loc=np.nan), "a finite loc for 'a'. Received: loc=nan"),
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


def in_units(scales_with, **options):
    spec = json.loads(json.dumps(EVERY_KIND.to_dict()))
    spec["parameters"][0] |= {"axis": None, "scales_with": scales_with} | options
    return TaskSpec.from_dict(spec)


def test_what_a_parameter_scales_with_survives_json_and_makes_no_other_task():
    spec = in_units([[EVERY_KIND.design_names[0], 2]])
    assert spec.parameters[0].scales_with == ((EVERY_KIND.design_names[0], 2),)
    again = TaskSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again.parameters[0].scales_with == spec.parameters[0].scales_with
    assert spec == in_units([])


@pytest.mark.parametrize(
    ("scales_with", "options", "message"),
    [
        ([["nowhere", 1]], {}, "to scale with any of"),
        ("x", {}, "pairs of a name and a power"),
        ([["x"]], {}, "pairs of a name and a power"),
        ([["x", "y"]], {}, "a finite power"),
        ([["x", float("nan")]], {}, "a finite power"),
        ([["", 1]], {}, "a name for every unit"),
        ([["x", 1]], {"kind": "binary"}, "neither binary nor a position"),
    ],
)
def test_units_that_cannot_be_are_refused(scales_with, options, message):
    with pytest.raises(ValueError, match=message):
        in_units(scales_with, **options)


def test_any_scale_is_for_one_continuous_outcome():
    from aline_tf.tasks.gp import GP1D

    spec = GP1D().spec
    assert TaskSpec.from_dict(json.loads(json.dumps(spec.to_dict()))).any_scale
    assert spec == dataclasses.replace(spec, any_scale=False)
    with pytest.raises(ValueError, match="whose one field and outcome is continuous"):
        dataclasses.replace(EVERY_KIND, any_scale=True)
    with pytest.raises(ValueError, match="any_scale True or False"):
        dataclasses.replace(spec, any_scale=1)
