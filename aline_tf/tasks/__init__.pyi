"""Tasks: what can be learned about. `task_by_name` finds one of the package or one of your own."""

from aline_tf.tasks.ces import CES as CES
from aline_tf.tasks.contract import check_contract as check_contract
from aline_tf.tasks.gp import GP1D as GP1D
from aline_tf.tasks.gp import GP2D as GP2D
from aline_tf.tasks.hpo import HPO as HPO
from aline_tf.tasks.location_finding import LocationFinding as LocationFinding
from aline_tf.tasks.numpy_task import NumpyTask as NumpyTask
from aline_tf.tasks.psychometric import Psychometric as Psychometric
from aline_tf.tasks.recorded_data import RecordedDataTask as RecordedDataTask
from aline_tf.tasks.registry import TASKS as TASKS
from aline_tf.tasks.registry import task_by_name as task_by_name
from aline_tf.tasks.task import Task as Task
from aline_tf.tasks.task import uniform_designs as uniform_designs
