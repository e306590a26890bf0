"""A Gaussian process regressor whose hyper-parameters are refitted to every context.

    y = m + c (f(x) + e),   f ~ GP(0, v k(r)),  e ~ N(0, s^2),  r^2 = sum_j ((x_j - x'_j) / l_j)^2

m and c are the mean and the spread of the outcomes seen; v, l and s^2 maximise the marginal
likelihood, within bounds (scikit-learn's GaussianProcessRegressor). Here is also the algebra that
the acquisition rules need: what one more observation at x does to the variance at x*.

Sizes: n observations, D design dimensions, N candidates, M target inputs.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

KERNELS = ("rbf", "matern32", "matern52")
_JITTER = 1e-9


def unit_kernel(name: str, lengthscale, bounds="fixed"):
    """scikit-learn's kernel of unit variance.

    Args:
        name: one of `KERNELS`.
        lengthscale: a number or [D], in design units.
        bounds: of the lengthscale, (low, high); "fixed" is not fitted.

    Raises:
        ValueError: another name.
    """
    if name == "rbf":
        return RBF(lengthscale, bounds)
    if name in KERNELS:
        return Matern(lengthscale, bounds, nu=1.5 if name == "matern32" else 2.5)
    raise ValueError(f"Expected a kernel of {KERNELS}. Received: kernel={name!r}")


@dataclass(frozen=True)
class GPSettings:
    """How a Gaussian process is fitted.

    Attributes:
        kernels: those that compete by their marginal likelihood; one name fits that one alone.
        starts: lengthscales that the search starts from, in design units, times sqrt(D).
        lengthscale: bounds, in design units, times sqrt(D).
        variance: bounds of v; 1 is the spread of the outcomes seen.
        noise: bounds of s^2, in the same unit.
        standardise: whether m and c follow the outcomes; otherwise they are 0 and 1.
        iterations: most steps of L-BFGS-B from one start.

    Raises:
        ValueError: an unknown kernel, or no kernel or start.

    Example:
        >>> from aline_tf.acquisition import GPSettings
        >>> GPSettings(kernels=("rbf",)).kernels
        ('rbf',)
    """

    kernels: tuple[str, ...] = ("matern52",)
    starts: tuple[float, ...] = (0.5, 2.0)
    lengthscale: tuple[float, float] = (0.05, 20.0)
    variance: tuple[float, float] = (0.05, 20.0)
    noise: tuple[float, float] = (1e-6, 0.1)
    standardise: bool = True
    iterations: int = 40

    def __post_init__(self):
        if not self.kernels or set(self.kernels) - set(KERNELS):
            raise ValueError(f"Expected kernels of {KERNELS}. Received: kernels={self.kernels}")
        if not self.starts:
            raise ValueError(f"Expected at least one start. Received: starts={self.starts}")


@dataclass(frozen=True)
class JointVariance:
    """The posterior of f at candidates and targets together, before another observation.

    Attributes:
        candidate: [N], variance of f.
        target: [M], variance of f.
        between: [N, M], covariance of f.
        noise: s^2, that every observation adds.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import JointVariance
        >>> variance = JointVariance(np.ones(2), np.ones(1), np.array([[0.5], [0.0]]), noise=1.0)
        >>> variance.variance_reduction()
        array([0.125, 0.   ])
    """

    candidate: np.ndarray
    target: np.ndarray
    between: np.ndarray
    noise: float

    def variance_reduction(self) -> np.ndarray:
        """By how much an observation of each candidate lowers the mean variance at the targets:
        mean over x* of cov(x, x*)^2 / (var(x) + s^2), [N]."""
        return np.mean(np.square(self.between), axis=1) / (self.candidate + self.noise)

    def expected_information(self) -> np.ndarray:
        """Mutual information of an observation at x and one at x*, averaged over the targets:
        -1/2 log(1 - cor(y, y*)^2), [N] in nats.

        Source: Bickford Smith et al., "Prediction-oriented Bayesian active learning" (EPIG), 2023.
        """
        total = np.outer(self.candidate + self.noise, self.target + self.noise)
        # Rounding must not make two observations of one function the same number.
        correlated = np.minimum(np.square(self.between) / total, 1.0 - 1e-12)
        return -0.5 * np.mean(np.log1p(-correlated), axis=1)


class GPPosterior:
    """A Gaussian process with given hyper-parameters, conditioned on a context.

    Args:
        signal: scikit-learn kernel of f.
        noise: s^2.
        design: [n, D].
        outcome: [n].
        offset, scale: m and c.

    Example:
        >>> import numpy as np
        >>> from aline_tf.acquisition import GPPosterior
        >>> from aline_tf.acquisition.baselines.gp_regression import unit_kernel
        >>> process = GPPosterior(unit_kernel("rbf", 1.0), 1.0, [[0.0]], [2.0])
        >>> mean, sd = process.predict(np.array([[0.0]]))
        >>> mean.round(3), sd.round(3)
        (array([1.]), array([1.225]))
    """

    def __init__(self, signal, noise: float, design, outcome, offset=0.0, scale=1.0):
        self.signal, self.noise = signal, float(noise)
        self.offset, self.scale = float(offset), float(scale)
        self._design = np.asarray(design, float)
        total = signal(self._design)
        total[np.diag_indices_from(total)] += self.noise + _JITTER
        self._factor = cholesky(total, lower=True)
        self._weights = cho_solve(
            (self._factor, True), (np.asarray(outcome, float) - self.offset) / self.scale
        )

    def _whitened(self, points):
        return solve_triangular(self._factor, self.signal(self._design, points), lower=True)

    def _variance(self, points, whitened):
        return np.maximum(self.signal.diag(points) - np.sum(np.square(whitened), axis=0), 0.0)

    def predict(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of an outcome, noise included.

        Args:
            points: [M, D], natural units.

        Returns:
            two [M].
        """
        points = np.asarray(points, float)
        mean = self.signal(points, self._design) @ self._weights
        sd = np.sqrt(self._variance(points, self._whitened(points)) + self.noise)
        return self.offset + self.scale * mean, self.scale * sd

    def joint(self, candidates: np.ndarray, targets: np.ndarray) -> JointVariance:
        """What is uncertain at candidates and targets together, in the unit of c^2.

        Args:
            candidates: [N, D].
            targets: [M, D].
        """
        candidates, targets = np.asarray(candidates, float), np.asarray(targets, float)
        at_candidates, at_targets = self._whitened(candidates), self._whitened(targets)
        return JointVariance(
            self._variance(candidates, at_candidates),
            self._variance(targets, at_targets),
            self.signal(candidates, targets) - at_candidates.T @ at_targets,
            self.noise,
        )


def fit(design: np.ndarray, outcome: np.ndarray, settings: GPSettings) -> GPPosterior:
    """The Gaussian process of the largest marginal likelihood found; a function of its arguments.

    Args:
        design: [n, D], n >= 1.
        outcome: [n].
        settings: of the fit.

    Returns:
        the `GPPosterior` given the context.
    """
    design, outcome = np.asarray(design, float), np.asarray(outcome, float)
    offset, scale = 0.0, 1.0
    if settings.standardise:
        offset, spread = outcome.mean(), outcome.std()
        # One outcome, or equal ones, have no spread: any scale explains them.
        scale = spread if spread > 1e-8 * max(1.0, abs(offset)) else 1.0
    fitted = [
        _fitted(name, start, design, (outcome - offset) / scale, settings)
        for name in settings.kernels
        for start in settings.starts
    ]
    best = max(fitted, key=lambda regressor: regressor.log_marginal_likelihood_value_).kernel_
    return GPPosterior(best.k1, best.k2.noise_level, design, outcome, offset, scale)


def _fitted(name, start, design, outcome, settings):
    """scikit-learn's regressor, its hyper-parameters searched from one start."""
    dims = design.shape[1]
    root = np.sqrt(dims)
    bounds = (settings.lengthscale[0] * root, settings.lengthscale[1] * root)
    noise = float(np.clip(1e-3, *settings.noise))
    kernel = ConstantKernel(float(np.clip(0.5, *settings.variance)), settings.variance)
    kernel *= unit_kernel(name, np.full(dims, start * root), bounds)
    kernel += WhiteKernel(
        noise, settings.noise if settings.noise[0] < settings.noise[1] else "fixed"
    )
    regressor = GaussianProcessRegressor(
        kernel, alpha=_JITTER, optimizer=_search(settings.iterations), copy_X_train=False
    )
    with warnings.catch_warnings():
        # A hyper-parameter at its bound is what bounds are for.
        warnings.simplefilter("ignore")
        return regressor.fit(design, outcome)


def _search(iterations):
    def search(objective, start, bounds):
        found = minimize(
            objective, start, jac=True, bounds=bounds, method="L-BFGS-B",
            # A millionth of the log-likelihood tells no two functions apart.
            options={"maxiter": iterations, "ftol": 1e-6, "gtol": 1e-4},
        )  # fmt: skip
        return found.x, found.fun

    return search
