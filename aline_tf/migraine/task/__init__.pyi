"""Migraine as a task: simulated and recorded episodes, features of days, the pretrained model."""

from aline_tf.migraine.task.day_features import DayFeatures as DayFeatures
from aline_tf.migraine.task.fine_tuning import fine_tune as fine_tune
from aline_tf.migraine.task.pretrained import load_model as load_model
from aline_tf.migraine.task.recorded import RecordedTask as RecordedTask
from aline_tf.migraine.task.recorded import read_histories as read_histories
from aline_tf.migraine.task.simulated import MigraineTask as MigraineTask
