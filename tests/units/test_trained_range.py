"""The trained range: what it is, and the one word about what lies outside."""

import copy
import json
import warnings

import numpy as np
import pytest

from aline_tf.errors import InputError, RangeWarning
from aline_tf.models.packaged_presets import packaged_presets, preset_spec
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.units import RangeWatch, trained_ranges
from aline_tf.units.trained_range import outcome_range

SPEC = TaskSpec(
    name="dose",
    design_names=("hours", "grams"),
    design_low=(0.0, 1.0),
    design_high=(24.0, 3.0),
    fields=(Channel("level", loc=2.0, scale=0.5),),
    outcomes=(Channel("level", loc=2.0, scale=0.5),),
    parameters=(Parameter("decay"),),
    horizon=5,
)


def test_ranges_are_those_of_the_spec():
    assert trained_ranges(SPEC) == {
        "designs": {"hours": [0.0, 24.0], "grams": [1.0, 3.0]},
        "outcomes": {"level": [-3.0, 7.0]},
    }


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (Channel("y", "binary"), (0.0, 1.0)),
        (Channel("y", "ordered", levels=11), (0.0, 10.0)),
        (Channel("y", loc=-1.0, scale=2.0), (-21.0, 19.0)),
        (Channel("y", "count", loc=3.0, scale=2.0), (0.0, pytest.approx(3 + 2 * np.sinh(10)))),
    ],
)
def test_outcomes_of_each_kind(channel, expected):
    assert outcome_range(channel) == expected


@pytest.mark.parametrize("name", sorted(packaged_presets()))
def test_metadata_of_every_preset_keep_the_ranges(name):
    metadata = json.loads((packaged_presets()[name] / "metadata.json").read_text())
    assert metadata["ranges"] == trained_ranges(preset_spec(name))


def test_a_word_is_said_once_of_designs_and_once_of_outcomes():
    watch = RangeWatch()
    with pytest.warns(RangeWarning, match=r"hours from 0 to 24.*received 25 and 1 more of 3"):
        watch.designs(SPEC, [[3.0, 1.0], [25.0, 1.0], [1.0, 0.0]])
    with pytest.warns(RangeWarning, match=r"level from -3 to 7.*received 8"):
        watch.outcome(SPEC, [8.0], [True])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch.designs(SPEC, [[99.0, 1.0]])
        watch.outcome(SPEC, [99.0], [True])


def test_what_is_inside_or_not_observed_is_passed_over():
    watch = RangeWatch(strict=True)
    watch.designs(SPEC, [[0.0, 1.0], [24.0, 3.0], [24.0 + 1e-6, 3.0]])
    watch.outcome(SPEC, [99.0], [False])
    watch.outcome(SPEC, [7.0], [True])


def test_a_strict_watch_refuses_every_time():
    watch = RangeWatch(strict=True)
    for _ in range(2):
        with pytest.raises(InputError, match=r"expected grams from 1 to 3.*received 4"):
            watch.designs(SPEC, [[1.0, 4.0]])
        with pytest.raises(InputError, match="expected level from -3 to 7"):
            watch.outcome(SPEC, [-9.0], [True])
    with pytest.raises(InputError, match="strict True or False"):
        RangeWatch(strict="yes")


def test_a_copy_remembers_what_was_said_and_says_its_own():
    watch = RangeWatch()
    copied = copy.copy(watch)
    with pytest.warns(RangeWarning):
        copied.designs(SPEC, [[99.0, 1.0]])
    with pytest.warns(RangeWarning):
        watch.designs(SPEC, [[99.0, 1.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy.copy(watch).designs(SPEC, [[99.0, 1.0]])
