"""The task specification of migraine: designs, fields of a day, outcomes, parameters, horizon."""

from __future__ import annotations

from aline_tf.migraine.schema.channels import FIELDS, OUTCOMES
from aline_tf.migraine.schema.designs import DESIGN_HIGH, DESIGN_LOW, DESIGN_NAMES
from aline_tf.migraine.schema.parameters import PARAMETERS
from aline_tf.spec import TaskSpec

SPEC = TaskSpec(
    name="migraine",
    design_names=DESIGN_NAMES,
    design_low=DESIGN_LOW,
    design_high=DESIGN_HIGH,
    fields=FIELDS,
    outcomes=OUTCOMES,
    parameters=PARAMETERS,
    horizon=10,
)
#: The two kinds of parameters: effects of triggers, and everything else about the person.
TRIGGER_NAMES = tuple(name for name in SPEC.parameter_names if name.startswith("beta_"))[:-1]
PHYSIOLOGY_NAMES = tuple(name for name in SPEC.parameter_names if name not in TRIGGER_NAMES)
