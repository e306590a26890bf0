"""One measurement, one process: no figure is warmed, or its memory filled, by the one before it.

The parent hands a job to a fresh Python as JSON on standard input and reads the result as the
last line of its standard output. The parent itself never loads TensorFlow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module

#: Functions that a job may name, with the module that each is in.
MEASUREMENTS = {
    "acquisition": "aline_tf.bench.acquisition_speed",
    "training": "aline_tf.bench.training_speed",
    "plan": "aline_tf.bench.budget",
    "budget": "aline_tf.bench.budget",
}
# Libraries under numpy and scikit-learn read their number of threads when they are loaded.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(measurement: str, threads: int, **arguments) -> dict:
    """The result of one measurement, made in a process of its own.

    Args:
        measurement: a key of `MEASUREMENTS`.
        threads: of TensorFlow, within and between operations.
        arguments: of the function, JSON.

    Returns:
        what the function returned, and `peak_bytes` of its process.

    Raises:
        RuntimeError: the process failed; its messages are in the error.
    """
    job = {"measurement": measurement, "threads": threads, "arguments": arguments}
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
    environment |= dict.fromkeys(_THREAD_VARIABLES, str(threads))
    process = subprocess.run(
        [sys.executable, "-m", "aline_tf.bench.isolation"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if process.returncode != 0:
        raise RuntimeError(
            f"Expected a figure of {measurement} {arguments}. "
            f"Received: exit code {process.returncode}\n{process.stderr[-4000:]}"
        )
    return json.loads(process.stdout.strip().splitlines()[-1])


def peak_bytes() -> int:
    """The largest resident memory of this process so far."""
    try:
        # Unlike ru_maxrss, this starts afresh with the program, whoever its parent was.
        with open("/proc/self/status") as lines:
            kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
        return 1024 * int(kilobytes)
    except (OSError, StopIteration):
        import resource

        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest if sys.platform == "darwin" else 1024 * largest


def main() -> None:
    """Runs the job on standard input."""
    from aline_tf.runtime.malloc import keep_memory
    from aline_tf.runtime.quiet_import import quiet_tensorflow_start

    quiet_tensorflow_start()
    keep_memory()
    job = json.load(sys.stdin)

    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(job["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(job["threads"])
    module = import_module(MEASUREMENTS[job["measurement"]])
    result = getattr(module, job["measurement"])(**job["arguments"])
    print(json.dumps(result | {"peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
