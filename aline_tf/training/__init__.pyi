"""Training: a model learns to infer and to acquire from the episodes of a task."""

from aline_tf.training.backup import Backup as Backup
from aline_tf.training.callbacks import PresetCheckpoint as PresetCheckpoint
from aline_tf.training.callbacks import StopWhenNotFinite as StopWhenNotFinite
from aline_tf.training.callbacks import TrainingLog as TrainingLog
from aline_tf.training.callbacks import training_callbacks as training_callbacks
from aline_tf.training.recipe import Optimizer as Optimizer
from aline_tf.training.recipe import Phases as Phases
from aline_tf.training.recipe import PolicyLoss as PolicyLoss
from aline_tf.training.recipe import Recipe as Recipe
from aline_tf.training.recipe import Rollout as Rollout
from aline_tf.training.recipe import with_settings as with_settings
from aline_tf.training.run import train as train
from aline_tf.training.schedules import CosineRate as CosineRate
from aline_tf.training.trainer import Trainer as Trainer
