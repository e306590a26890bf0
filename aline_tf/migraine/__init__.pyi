"""The migraine application: simulator, timeline, importers, forecast and report."""

from aline_tf.migraine import evaluation as evaluation
from aline_tf.migraine import forecast as forecast
from aline_tf.migraine import interview as interview
from aline_tf.migraine import records as records
from aline_tf.migraine import report as report
from aline_tf.migraine import schema as schema
from aline_tf.migraine import simulation as simulation
from aline_tf.migraine import task as task
