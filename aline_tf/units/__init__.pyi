"""Units: between the numbers of a user and the range that a model was trained on."""

from aline_tf.units.rescaling import Rescaling as Rescaling
from aline_tf.units.rescaling import TrainingRange as TrainingRange
from aline_tf.units.trained_range import RangeWatch as RangeWatch
from aline_tf.units.trained_range import trained_ranges as trained_ranges
from aline_tf.units.unit_adapter import UnitAdapter as UnitAdapter
