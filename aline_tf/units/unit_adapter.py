"""A user's units as affine maps of those that a model was trained in.

    x_j = design_loc_j + design_scale_j x'_j       designs, dimension by dimension
    y   = outcome_loc + outcome_scale y'           the outcome, where it is one continuous number

A dash marks the model's side. Parameters follow: a position on design axis j is mapped as x_j is,
and one that scales with units (`Parameter.scales_with`) is multiplied by them,

    theta = theta' prod_u scale_u^power_u

so a density of theta is the model's divided by that factor. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from aline_tf.errors import InputError
from aline_tf.spec import Parameter, TaskSpec

_DESIGNS = ("context_design", "candidate_design", "target_design")


@dataclasses.dataclass(frozen=True)
class UnitAdapter:
    """The maps above, of one task.

    Attributes:
        design_loc: [D], the user's number for a model's design of 0.
        design_scale: [D], the user's size of one unit of the model's design, above 0.
        outcome_loc, outcome_scale: the same of the outcome.

    Raises:
        InputError: numbers that are not finite, scales that are not above 0, or tuples of two
            lengths.

    Example:
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> from aline_tf.units import UnitAdapter
        >>> percent = UnitAdapter.from_bounds(SPEC, (0.0, 100.0))
        >>> percent.design_to_model([[75.0]]).tolist()
        [[2.5]]
        >>> [(p.name, p.low, p.high) for p in percent.spec(SPEC).parameters][:2]
        [('threshold', 20.0, 80.0), ('slope', 1.0, 20.0)]
    """

    design_loc: tuple[float, ...]
    design_scale: tuple[float, ...]
    outcome_loc: float = 0.0
    outcome_scale: float = 1.0

    def __post_init__(self):
        for name in ("design_loc", "design_scale"):
            object.__setattr__(self, name, _floats(getattr(self, name), name))
        for name in ("outcome_loc", "outcome_scale"):
            object.__setattr__(self, name, _floats((getattr(self, name),), name)[0])
        if len(self.design_loc) != len(self.design_scale):
            raise InputError(
                f"expected as many design_loc as design_scale; received {len(self.design_loc)} "
                f"and {len(self.design_scale)}"
            )
        if not min((*self.design_scale, self.outcome_scale)) > 0:
            raise InputError(
                f"expected scales above 0; received design_scale={self.design_scale}, "
                f"outcome_scale={self.outcome_scale}"
            )

    @classmethod
    def identity(cls, spec: TaskSpec) -> UnitAdapter:
        """The user's units are the model's.

        Args:
            spec: of the task.
        """
        dims = spec.sizes["D"]
        return cls((0.0,) * dims, (1.0,) * dims)

    @classmethod
    def from_bounds(cls, spec: TaskSpec, bounds) -> UnitAdapter:
        """The adapter that brings designs between bounds to the whole trained range.

        Args:
            spec: of the task, as trained.
            bounds: (low, high), numbers for all dimensions or D numbers each; or design name to
                (low, high), for those dimensions alone.

        Raises:
            InputError: unknown names, low that is not below high, or other bounds than 0 and 1 of a
                dimension that is a code (which outcome, one of several).
        """
        names, low, high = spec.design_names, [*spec.design_low], [*spec.design_high]
        if isinstance(bounds, Mapping):
            unknown = [name for name in bounds if name not in names]
            if unknown:
                raise InputError(
                    f"expected design_bounds of {', '.join(names)}; received {unknown[0]!r}"
                )
            for name, pair in bounds.items():
                edges = _pair(pair, name)
                column = names.index(name)
                low[column], high[column] = (_floats(np.ravel(edge), name)[0] for edge in edges)
        else:
            edges = _pair(bounds, "all designs")
            try:
                low, high = (np.broadcast_to(_edge(edge), [len(names)]).tolist() for edge in edges)
            except (TypeError, ValueError) as error:
                raise InputError(
                    f"expected design_bounds as numbers, or {len(names)} each; received {bounds!r}"
                ) from error
        codes = _codes(spec)
        scale, loc = [], []
        for column, (name, first, last) in enumerate(zip(names, low, high, strict=True)):
            if not (math.isfinite(first) and math.isfinite(last) and first < last):
                raise InputError(
                    f"expected finite design_bounds, low < high, for {name}; received "
                    f"({first:g}, {last:g})"
                )
            if column in codes and (first, last) != (0.0, 1.0):
                raise InputError(
                    f"expected the bounds 0 and 1 of {name}, which is a code (state bounds of the "
                    f"others by name); received ({first:g}, {last:g})"
                )
            trained = spec.design_low[column], spec.design_high[column]
            scale.append((last - first) / (trained[1] - trained[0]))
            loc.append(first - scale[-1] * trained[0])
        return cls(tuple(loc), tuple(scale))

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        still = self.outcome_loc == 0.0 and self.outcome_scale == 1.0
        return still and set(self.design_loc) <= {0.0} and set(self.design_scale) <= {1.0}

    def check(self, spec: TaskSpec) -> None:
        """Refuses a task that this is no adapter of.

        Args:
            spec: of the task.

        Raises:
            InputError: another number of design dimensions, units of one that is a code, or of an
                outcome that is not one continuous number.
        """
        if len(self.design_loc) != spec.sizes["D"]:
            raise InputError(
                f"expected units of the {spec.sizes['D']} designs {', '.join(spec.design_names)}; "
                f"received {len(self.design_loc)}"
            )
        for column in sorted(_codes(spec)):
            if (self.design_loc[column], self.design_scale[column]) != (0.0, 1.0):
                raise InputError(
                    f"expected no units of {spec.design_names[column]}, which is a code; received "
                    f"{self.design_loc[column]:g} and {self.design_scale[column]:g}"
                )
        moved = (self.outcome_loc, self.outcome_scale) != (0.0, 1.0)
        if moved and not spec.has_one_continuous_outcome:
            raise InputError(
                "expected outcome_loc=0 and outcome_scale=1 of a task whose outcome is not one "
                f"continuous number; received {self.outcome_loc:g} and {self.outcome_scale:g}"
            )

    def then(self, inner: UnitAdapter) -> UnitAdapter:
        """The adapter of both: `inner`'s model lies behind this one's.

        Args:
            inner: whose user's side is this one's model's side.
        """
        pairs = zip(self.design_loc, self.design_scale, inner.design_loc, strict=True)
        return UnitAdapter(
            tuple(loc + scale * within for loc, scale, within in pairs),
            tuple(np.multiply(self.design_scale, inner.design_scale).tolist()),
            self.outcome_loc + self.outcome_scale * inner.outcome_loc,
            self.outcome_scale * inner.outcome_scale,
        )

    def design_to_model(self, design) -> np.ndarray:
        """Designs [..., D] as the model's: float64 [..., D]."""
        return (np.asarray(design, float) - self.design_loc) / self.design_scale

    def design_from_model(self, design) -> np.ndarray:
        """The model's designs [..., D] in the user's units."""
        return np.asarray(self.design_loc) + np.asarray(design, float) * self.design_scale

    def outcome_to_model(self, outcome) -> np.ndarray:
        """Outcomes of any shape as the model's."""
        return (np.asarray(outcome, float) - self.outcome_loc) / self.outcome_scale

    def outcome_from_model(self, outcome) -> np.ndarray:
        """The model's outcomes of any shape in the user's units."""
        return self.outcome_loc + self.outcome_scale * np.asarray(outcome, float)

    def parameter_maps(self, spec: TaskSpec) -> tuple[np.ndarray, np.ndarray]:
        """loc and scale [P] of every parameter, theta = loc + scale theta'.

        Args:
            spec: of the task, as trained.
        """
        sizes = dict(zip(spec.design_names, self.design_scale, strict=True))
        # A design and an outcome of one name are one thing, measured in the design's units.
        sizes = {channel.name: self.outcome_scale for channel in spec.outcomes} | sizes
        loc, scale = np.zeros(len(spec.parameters)), np.ones(len(spec.parameters))
        for place, parameter in enumerate(spec.parameters):
            if parameter.axis is not None:
                loc[place] = self.design_loc[parameter.axis]
                scale[place] = self.design_scale[parameter.axis]
            for name, power in parameter.scales_with:
                scale[place] *= sizes[name] ** power
        return loc, scale

    def theta_to_model(self, spec: TaskSpec, theta) -> np.ndarray:
        """Parameters [..., P] as the model's: float64 [..., P].

        Args:
            spec: of the task, as trained.
            theta: in the user's units.
        """
        loc, scale = self.parameter_maps(spec)
        return (np.asarray(theta, float) - loc) / scale

    def theta_from_model(self, spec: TaskSpec, theta) -> np.ndarray:
        """The model's parameters [..., P] in the user's units.

        Args:
            spec: of the task, as trained.
            theta: the model's.
        """
        loc, scale = self.parameter_maps(spec)
        return loc + scale * np.asarray(theta, float)

    def spec(self, trained: TaskSpec) -> TaskSpec:
        """The task in the user's units: bounds of designs, supports and priors of parameters,
        location and scale of the outcome.

        Args:
            trained: the task, as trained.
        """
        if self.is_identity:
            return trained
        self.check(trained)
        low, high = (self.design_from_model(e) for e in (trained.design_low, trained.design_high))
        loc, scale = self.parameter_maps(trained)
        channels = {}
        for name in ("fields", "outcomes"):
            channels[name] = getattr(trained, name)
            if (self.outcome_loc, self.outcome_scale) != (0.0, 1.0):
                channels[name] = tuple(
                    dataclasses.replace(
                        channel,
                        loc=float(self.outcome_from_model(channel.loc)),
                        scale=channel.scale * self.outcome_scale,
                    )
                    for channel in channels[name]
                )
        parameters = zip(trained.parameters, loc.tolist(), scale.tolist(), strict=True)
        return dataclasses.replace(
            trained,
            design_low=tuple(low.tolist()),
            design_high=tuple(high.tolist()),
            parameters=tuple(_moved(*each) for each in parameters),
            **channels,
        )

    def to_model(self, spec: TaskSpec, batch: Mapping[str, Any]) -> dict[str, Any]:
        """A Batch, whole or in part, as the model should see it; padding of the context is
        0, as is a parameter that is not known.

        Args:
            spec: of the task, as trained.
            batch: fields of a Batch in the user's units.
        """
        mapped = dict(batch)
        for name in _DESIGNS:
            if batch.get(name) is not None:
                mask = batch.get("context_mask") if name == "context_design" else None
                mapped[name] = _there(self.design_to_model(batch[name]), mask)
        if batch.get("context_outcome") is not None:
            outcome = np.asarray(batch["context_outcome"], float)
            if (self.outcome_loc, self.outcome_scale) != (0.0, 1.0):
                outcome = self.outcome_to_model(outcome)
            mask = batch.get("context_mask")
            if mask is not None and outcome.ndim < 3:
                outcome = np.where(np.asarray(mask), outcome, 0.0)
            elif mask is not None:
                outcome = _there(outcome, mask)
            mapped["context_outcome"] = outcome.astype(np.float32)
        if batch.get("known_theta") is not None:
            theta, mask = np.asarray(batch["known_theta"], float), batch.get("known_mask")
            known = True if mask is None else np.asarray(mask, bool)
            if np.any(known):
                theta = self.theta_to_model(spec, theta)
            mapped["known_theta"] = np.where(known, theta, 0.0).astype(np.float32)
        return mapped

    def from_model(self, spec: TaskSpec, found: Mapping[str, Any]) -> dict[str, Any]:
        """Summaries of parameters and of outcomes in the user's units, by the names that
        `SessionModel.answer` and served signatures have for them; others are left as they are.

        Args:
            spec: of the task, as trained.
            found: name to array, [B, P] of parameters, [B, M] of outcomes, quantiles [..., Q].
        """
        loc, scale = self.parameter_maps(spec)
        moved = dict(found)
        outcome = spec.has_one_continuous_outcome
        for name, value in found.items():
            if name in ("theta_mean", "theta_sd"):
                moved[name] = scale * np.asarray(value, float)
                moved[name] += loc if name == "theta_mean" else 0.0
            elif name == "theta_quantiles":
                moved[name] = loc[:, None] + scale[:, None] * np.asarray(value, float)
            elif outcome and name.removeprefix("target_") in ("mean", "quantiles"):
                moved[name] = self.outcome_from_model(value)
            elif outcome and name.removeprefix("target_") == "sd":
                moved[name] = self.outcome_scale * np.asarray(value, float)
        return moved

    def to_dict(self) -> dict[str, Any]:
        """Lists and numbers, as JSON has them."""
        return {
            "design_loc": list(self.design_loc),
            "design_scale": list(self.design_scale),
            "outcome_loc": self.outcome_loc,
            "outcome_scale": self.outcome_scale,
        }

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> UnitAdapter:
        """The adapter that `to_dict` gave.

        Raises:
            InputError: an entry too few or too many, or a number that the class refuses.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(config, Mapping) or set(config) != set(names):
            raise InputError(f"expected units with {', '.join(names)}; received {config!r}")
        return cls(**config)


def _codes(spec: TaskSpec) -> set[int]:
    """Columns of a design that are codes: which outcome, one of several."""
    return {*spec.outcome_code, *(column for group in spec.groups for column in group)}


def _floats(values, name: str) -> tuple[float, ...]:
    if isinstance(values, tuple) and all(type(v) is float and math.isfinite(v) for v in values):
        return values
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise InputError(f"expected finite numbers as {name}; received {values!r}")
    return tuple(array.astype(float).tolist())


def _edge(edge) -> np.ndarray:
    """A number, or several; text is none, whatever it looks like."""
    array = np.asarray(edge)
    if array.dtype.kind not in "iuf":
        raise TypeError("no numbers")
    return array.astype(float)


def _pair(bounds, what: str):
    if isinstance(bounds, str) or not hasattr(bounds, "__len__") or len(bounds) != 2:
        raise InputError(f"expected design_bounds as (low, high) of {what}; received {bounds!r}")
    return bounds


def _there(values: np.ndarray, mask) -> np.ndarray:
    """float32, and 0 in rows [B, n, ...] that are not there."""
    if mask is not None:
        values = np.where(np.asarray(mask, bool)[..., None], values, 0.0)
    return values.astype(np.float32)


def _moved(parameter: Parameter, loc: float, scale: float) -> Parameter:
    if parameter.kind == "interval":
        edges = {name: loc + scale * getattr(parameter, name) for name in ("low", "high")}
        return dataclasses.replace(parameter, **edges)
    if (loc, scale) == (0.0, 1.0):
        return parameter
    return dataclasses.replace(
        parameter, loc=loc + scale * parameter.loc, scale=scale * parameter.scale
    )
