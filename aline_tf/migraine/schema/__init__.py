"""What can be recorded, acquired and forecast: channels, candidates, designs, parameters, spec."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Candidate": "candidates",
        "candidates_for": "candidates",
        "CAPACITY": "designs",
        "CHANNELS": "channels",
        "design": "designs",
        "field_name": "channels",
        "FIELDS": "channels",
        "FORECASTS": "channels",
        "LIBRARY": "candidates",
        "OUTCOMES": "channels",
        "PARAMETERS": "parameters",
        "places": "channels",
        "SPEC": "spec",
        "Trigger": "parameters",
        "TRIGGERS": "parameters",
    },
)
