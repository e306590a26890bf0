"""Serving: named signatures, their export, a server that speaks TensorFlow Serving, a client."""

from aline_tf.serving.calls.retry import Retry as Retry
from aline_tf.serving.calls.tables import answer_tables as answer_tables
from aline_tf.serving.calls.tables import batch_of_tables as batch_of_tables
from aline_tf.serving.client import Client as Client
from aline_tf.serving.embedded.repository import ModelRepository as ModelRepository
from aline_tf.serving.embedded.server import Server as Server
from aline_tf.serving.embedded.versions import NotFoundError as NotFoundError
from aline_tf.serving.export import export_model as export_model
from aline_tf.serving.preset_exports import export_presets as export_presets
from aline_tf.serving.remote_model import RemoteModel as RemoteModel
