"""Amortized active learning and inference: which data point to acquire next, and what is known."""

__version__: str

from aline_tf import acquisition as acquisition
from aline_tf import evaluation as evaluation
from aline_tf import experiments as experiments
from aline_tf import migraine as migraine
from aline_tf import models as models
from aline_tf import plots as plots
from aline_tf import serving as serving
from aline_tf import tasks as tasks
from aline_tf import training as training
from aline_tf.acquisition.session import Session as Session
from aline_tf.errors import InputError as InputError
from aline_tf.experiments.table import evaluate as evaluate
from aline_tf.models.aline import ALINE as ALINE
from aline_tf.models.frozen import Frozen as Frozen
from aline_tf.models.presets import load_preset as load_preset
from aline_tf.models.presets import presets as presets
from aline_tf.models.presets import save_preset as save_preset
from aline_tf.serving.client import Client as Client
from aline_tf.spec import TaskSpec as TaskSpec
from aline_tf.training.trainer import Trainer as Trainer
