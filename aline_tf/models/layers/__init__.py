"""Keras layers of the model, one a file."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "ConstantVector": "constant_vector",
        "Embedder": "embedder",
        "EncoderLayer": "encoder_layer",
        "EvidenceSum": "evidence_sum",
        "GaussianProcessMixture": "gaussian_process_mixture",
        "HistorySummary": "history_summary",
        "KernelSmoother": "kernel_smoother",
        "LayerNormalization": "layer_normalization",
        "Linear": "linear",
        "LocationFrame": "location_frame",
        "MLP": "mlp",
        "Observations": "gaussian_process_mixture",
        "PosteriorDistance": "posterior_distance",
        "Processes": "gaussian_process_mixture",
        "RelativePositionBias": "relative_position_bias",
    },
)
