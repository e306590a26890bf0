"""Functions that no prior drew: the benchmarks on which models of Gaussian processes are tried.

Each is defined on its usual domain, which an affine map makes the design space [-5, 5]^D of the
tasks gp1d and gp2d. Outcomes are in the function's own units; there is no noise.

Definitions and domains as in Surjanovic and Bingham, "Virtual Library of Simulation Experiments:
Test Functions and Datasets" (sfu.ca/~ssurjano), which names each function's origin; the logarithmic
form of Goldstein-Price is that of Picheny, Wagner and Ginsbourger, "A benchmark of kriging-based
infill criteria for noisy optimization", 2013. No TensorFlow here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_EDGE = 5.0


@dataclass(frozen=True)
class BenchmarkFunction:
    """A known function.

    Attributes:
        name: as on the command line.
        low, high: its usual domain, [D].
        formula: maps points [..., D] of that domain to values [...].
        source: who proposed it.
    """

    name: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    formula: Callable[[np.ndarray], np.ndarray]
    source: str

    @property
    def dims(self) -> int:
        return len(self.low)

    def at(self, design: np.ndarray) -> np.ndarray:
        """Values [...] at designs [..., D] of the tasks' space, [-5, 5]^D."""
        low, high = np.array(self.low), np.array(self.high)
        share = (np.asarray(design, float) + _EDGE) / (2.0 * _EDGE)
        return self.formula(low + (high - low) * share)

    def spread(self, nodes: int = 400) -> float:
        """Standard deviation of the value over the domain, by the midpoint rule."""
        line = -_EDGE + 2.0 * _EDGE * (np.arange(nodes) + 0.5) / nodes
        grid = np.stack(np.meshgrid(*[line] * self.dims), axis=-1)
        return float(self.at(grid).std())


def _higdon(x):
    x = x[..., 0]
    return np.sin(2.0 * np.pi * x / 10.0) + 0.2 * np.sin(2.0 * np.pi * x / 2.5)


def _gramacy_1d(x):
    x = x[..., 0]
    return np.sin(10.0 * np.pi * x) / (2.0 * x) + (x - 1.0) ** 4


def _gramacy_2d(x):
    return x[..., 0] * np.exp(-np.square(x).sum(-1))


def _goldstein_price(x):
    a, b = x[..., 0], x[..., 1]
    near = 19.0 - 14.0 * a + 3.0 * a**2 - 14.0 * b + 6.0 * a * b + 3.0 * b**2
    far = 18.0 - 32.0 * a + 12.0 * a**2 + 48.0 * b - 36.0 * a * b + 27.0 * b**2
    return (1.0 + (a + b + 1.0) ** 2 * near) * (30.0 + (2.0 * a - 3.0 * b) ** 2 * far)


def _log_goldstein_price(x):
    return (np.log(_goldstein_price(x)) - 8.693) / 2.427


def _ackley(x):
    bowl = -20.0 * np.exp(-0.2 * np.sqrt(np.square(x).mean(-1)))
    return bowl - np.exp(np.cos(2.0 * np.pi * x).mean(-1)) + 20.0 + np.e


def _branin(x):
    a, b = x[..., 0], x[..., 1]
    valley = b - 5.1 / (4.0 * np.pi**2) * a**2 + 5.0 / np.pi * a - 6.0
    return valley**2 + 10.0 * (1.0 - 1.0 / (8.0 * np.pi)) * np.cos(a) + 10.0


def _three_hump_camel(x):
    a, b = x[..., 0], x[..., 1]
    return 2.0 * a**2 - 1.05 * a**4 + a**6 / 6.0 + a * b + b**2


BENCHMARKS = {
    function.name: function
    for function in (
        BenchmarkFunction("higdon", (0.0,), (10.0,), _higdon, "Higdon, 2002"),
        BenchmarkFunction("gramacy_1d", (0.5,), (2.5,), _gramacy_1d, "Gramacy and Lee, 2012"),
        BenchmarkFunction(
            "gramacy_2d", (-2.0, -2.0), (6.0, 6.0), _gramacy_2d, "Gramacy and Lee, 2008"
        ),
        BenchmarkFunction(
            "goldstein_price",
            (-2.0,) * 2,
            (2.0,) * 2,
            _goldstein_price,
            "Goldstein and Price, 1971",
        ),
        BenchmarkFunction(
            "log_goldstein_price",
            (-2.0,) * 2,
            (2.0,) * 2,
            _log_goldstein_price,
            "Picheny, Wagner and Ginsbourger, 2013",
        ),
        # Its larger domain, 33 in every direction, has a thousand ripples where 50 points are few.
        BenchmarkFunction("ackley", (-5.0,) * 2, (5.0,) * 2, _ackley, "Ackley, 1987"),
        BenchmarkFunction("branin", (-5.0, 0.0), (10.0, 15.0), _branin, "Branin, 1972"),
        BenchmarkFunction(
            "three_hump_camel", (-5.0,) * 2, (5.0,) * 2, _three_hump_camel, "Dixon and Szego, 1978"
        ),
    )
}


def benchmarks_of(dims: int) -> tuple[str, ...]:
    """Names of the functions of D dimensions."""
    return tuple(name for name, function in BENCHMARKS.items() if function.dims == dims)
