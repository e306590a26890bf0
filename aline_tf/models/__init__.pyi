"""The ALINE model: embedder, encoder, three heads; presets, compiled and frozen forms."""

from aline_tf.models.aline import ALINE as ALINE
from aline_tf.models.compiled import Compiled as Compiled
from aline_tf.models.frozen import Frozen as Frozen
from aline_tf.models.heads import OutcomeHead as OutcomeHead
from aline_tf.models.heads import PolicyHead as PolicyHead
from aline_tf.models.heads import ThetaHead as ThetaHead
from aline_tf.models.joint import joint_log_prob as joint_log_prob
from aline_tf.models.joint import sample_joint as sample_joint
from aline_tf.models.presets import load_preset as load_preset
from aline_tf.models.presets import preset_metadata as preset_metadata
from aline_tf.models.presets import save_preset as save_preset
from aline_tf.models.protocol import QUANTILE_LEVELS as QUANTILE_LEVELS
from aline_tf.models.protocol import SessionModel as SessionModel
