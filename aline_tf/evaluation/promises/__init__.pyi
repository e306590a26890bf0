"""Promises of a session, each measured against an exact posterior; see `suite`."""

from aline_tf.evaluation.promises.figure import PROMISES as PROMISES
from aline_tf.evaluation.promises.figure import PromiseFigure as PromiseFigure
from aline_tf.evaluation.promises.inference import Inference as Inference
from aline_tf.evaluation.promises.inference import ModelInference as ModelInference
from aline_tf.evaluation.promises.inference import Summary as Summary
from aline_tf.evaluation.promises.policy_runs import PolicyRuns as PolicyRuns
from aline_tf.evaluation.promises.refined import RefinedInference as RefinedInference
from aline_tf.evaluation.promises.suite import Examined as Examined
from aline_tf.evaluation.promises.suite import measure as measure
