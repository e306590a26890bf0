"""Posteriors refined by a task's likelihood: weighted draws, and each parameter by itself."""

from aline_tf.acquisition.refined.refinement import Refinement as Refinement
from aline_tf.acquisition.refined.refinement import WeightedDraws as WeightedDraws
