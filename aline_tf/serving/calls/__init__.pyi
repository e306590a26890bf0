"""What makes calls to a server comfortable: another try when it was away, tables in and out."""

from aline_tf.serving.calls.retry import Retry as Retry
from aline_tf.serving.calls.tables import answer_tables as answer_tables
from aline_tf.serving.calls.tables import batch_of_tables as batch_of_tables
