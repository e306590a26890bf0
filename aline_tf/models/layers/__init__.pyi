"""Keras layers of the model, one a file."""

from aline_tf.models.layers.constant_vector import ConstantVector as ConstantVector
from aline_tf.models.layers.embedder import Embedder as Embedder
from aline_tf.models.layers.encoder_layer import EncoderLayer as EncoderLayer
from aline_tf.models.layers.evidence_sum import EvidenceSum as EvidenceSum
from aline_tf.models.layers.gaussian_process_mixture import GaussianProcessMixture as GaussianProcessMixture
from aline_tf.models.layers.gaussian_process_mixture import Observations as Observations
from aline_tf.models.layers.gaussian_process_mixture import Processes as Processes
from aline_tf.models.layers.history_summary import HistorySummary as HistorySummary
from aline_tf.models.layers.kernel_smoother import KernelSmoother as KernelSmoother
from aline_tf.models.layers.layer_normalization import LayerNormalization as LayerNormalization
from aline_tf.models.layers.linear import Linear as Linear
from aline_tf.models.layers.location_frame import LocationFrame as LocationFrame
from aline_tf.models.layers.mlp import MLP as MLP
from aline_tf.models.layers.posterior_distance import PosteriorDistance as PosteriorDistance
from aline_tf.models.layers.relative_position_bias import RelativePositionBias as RelativePositionBias
