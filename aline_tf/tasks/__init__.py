"""Tasks: what can be learned about. `task_by_name` finds one of the package or one of your own."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "CES": "ces",
        "GP1D": "gp",
        "GP2D": "gp",
        "HPO": "hpo",
        "LocationFinding": "location_finding",
        "NumpyTask": "numpy_task",
        "Psychometric": "psychometric",
        "RecordedDataTask": "recorded_data",
        "TASKS": "registry",
        "Task": "task",
        "check_contract": "contract",
        "uniform_designs": "task",
        "task_by_name": "registry",
    },
)
