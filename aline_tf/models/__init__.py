"""The ALINE model: embedder, encoder, three heads; presets, compiled and frozen forms."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "ALINE": "aline",
        "Compiled": "compiled",
        "Frozen": "frozen",
        "OutcomeHead": "heads",
        "PolicyHead": "heads",
        "QUANTILE_LEVELS": "protocol",
        "SessionModel": "protocol",
        "ThetaHead": "heads",
        "joint_log_prob": "joint",
        "load_preset": "presets",
        "preset_metadata": "presets",
        "sample_joint": "joint",
        "save_preset": "presets",
    },
)
