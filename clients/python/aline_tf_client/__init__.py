"""Ask a served model, or hold a session over it, without TensorFlow.

from aline_tf_client import Client, RemoteModel, Session

with RemoteModel("127.0.0.1:8500", "psychometric") as model:
    session = Session(model, [[stimulus] for stimulus in (-2, -1, 0, 1, 2)])
    session.tell(session.ask(), 1.0)
    session.posterior()["threshold"].mean
"""

from aline_tf_client.acquisition.questions import Answer, Marginal, Question
from aline_tf_client.acquisition.session import Session
from aline_tf_client.errors import InputError, MisfitWarning, RangeWarning, TrustWarning
from aline_tf_client.models.packaged_presets import preset_spec
from aline_tf_client.serving.calls.retry import Retry
from aline_tf_client.serving.calls.tables import answer_tables, batch_of_tables
from aline_tf_client.serving.client import Client
from aline_tf_client.serving.remote_model import RemoteModel
from aline_tf_client.spec import TaskSpec
from aline_tf_client.units.unit_adapter import UnitAdapter
from aline_tf_client.version import __version__

__all__ = [
    "__version__",
    "Answer",
    "Client",
    "InputError",
    "Marginal",
    "MisfitWarning",
    "Question",
    "RangeWarning",
    "RemoteModel",
    "Retry",
    "Session",
    "TaskSpec",
    "TrustWarning",
    "UnitAdapter",
    "answer_tables",
    "batch_of_tables",
    "preset_spec",
]
