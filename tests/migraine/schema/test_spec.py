"""The task specification of migraine."""

from aline_tf.migraine.schema.spec import SPEC
from aline_tf.spec import TaskSpec


def test_spec_survives_json():
    assert TaskSpec.from_dict(SPEC.to_dict()) == SPEC
