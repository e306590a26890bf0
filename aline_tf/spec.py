"""What can be learned about: the description of a task and the contract of a simulator.

`TaskSpec` is plain data (no TensorFlow): the model is built from it, presets store it, clients
read it. `Task` adds the generative model p(theta) p(y | x, theta) and the design space.
"""

from __future__ import annotations

import dataclasses
import math

PARAMETER_KINDS = ("interval", "real", "binary", "spike_slab")
CHANNEL_KINDS = ("continuous", "binary", "ordered", "count")


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One unknown of the task.

    Attributes:
        name: unique within the task.
        kind: "interval" (bounded: a mixture truncated to [low, high]), "real" (a mixture of
            normals), "binary" (0 or 1), "spike_slab" (exactly 0, or a mixture of normals).
        low, high: support; used by "interval".
        loc, scale: prior location and spread; they standardise "real" and "spike_slab".
        unit, description: for people.
        axis: the design dimension along which the parameter is a position (a source, a
            threshold), for "interval"; None when it is none.
    """

    name: str
    kind: str = "interval"
    low: float = 0.0
    high: float = 1.0
    loc: float = 0.0
    scale: float = 1.0
    unit: str = ""
    description: str = ""
    axis: int | None = None

    def __post_init__(self):
        if self.axis is not None and (self.kind != "interval" or self.axis < 0):
            raise ValueError(
                f"Expected an axis >= 0 only for an interval. Received: kind={self.kind!r}, "
                f"axis={self.axis}"
            )
        if self.kind not in PARAMETER_KINDS:
            raise ValueError(
                f"Expected a parameter kind of {PARAMETER_KINDS}. Received: kind={self.kind!r}"
            )
        if self.kind == "interval" and not self.low < self.high:
            raise ValueError(
                f"Expected low < high for {self.name!r}. Received: [{self.low}, {self.high}]"
            )
        if not self.scale > 0:
            raise ValueError(f"Expected scale > 0 for {self.name!r}. Received: {self.scale}")


@dataclasses.dataclass(frozen=True)
class Channel:
    """One kind of outcome.

    Attributes:
        name: unique within its list.
        kind: "continuous" (mixture of normals), "binary" (0 or 1), "ordered" (0..levels-1), "count"
            (0, 1, 2, ... without end: a mixture of negative binomials).
        levels: number of ordered categories; 2 for the other kinds.
        loc, scale: standardise the value before the network sees it, (y - loc) / scale; of a count
            asinh((y - loc) / scale), so that a count of thousands is still a small number. For
            counts, give the usual count as loc and how far counts usually vary as scale.
        unit, description: for people.
        cost: burden of acquiring it once, in units of one prompt.
    """

    name: str
    kind: str = "continuous"
    levels: int = 2
    loc: float = 0.0
    scale: float = 1.0
    unit: str = ""
    description: str = ""
    cost: float = 1.0

    def __post_init__(self):
        if self.kind not in CHANNEL_KINDS:
            raise ValueError(
                f"Expected a channel kind of {CHANNEL_KINDS}. Received: kind={self.kind!r}"
            )
        if not self.scale > 0:
            raise ValueError(f"Expected scale > 0 for {self.name!r}. Received: {self.scale}")

    @property
    def allowed(self) -> str:
        """Which values an outcome can have, in words; "" where any finite number will do."""
        top = self._top
        if top is None:
            return ""
        if top == math.inf:
            return "a whole number, 0 or more"
        return f"a whole number from 0 to {top}"

    def allows(self, value: float) -> bool:
        """Whether a finite number can be an outcome of this kind."""
        return self._top is None or (0 <= value <= self._top and value == math.floor(value))

    @property
    def _top(self):
        return {"binary": 1, "ordered": self.levels - 1, "count": math.inf}.get(self.kind)


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """All that the network needs to know about a task; JSON round-trip through `to_dict`.

    Attributes:
        name: the task's name, as on the command line.
        design_names: D names of the design dimensions.
        design_low, design_high: D bounds, used to bring designs to [-1, 1].
        fields: the F outcome fields that a context token can carry.
        outcomes: what a predictive target can be. When there are several, the last
            `len(outcomes)` design dimensions are their one-hot code.
        parameters: the P unknowns.
        horizon: T, how many acquisitions an episode has.
        features: name of the map by which the network is shown designs and outcomes, or a whole
            history, beside their scaled values (see `aline_tf.tasks.feature_maps`); "" for none.
    """

    name: str
    design_names: tuple[str, ...]
    design_low: tuple[float, ...]
    design_high: tuple[float, ...]
    fields: tuple[Channel, ...]
    outcomes: tuple[Channel, ...]
    parameters: tuple[Parameter, ...]
    horizon: int
    features: str = ""

    def __post_init__(self):
        dims = len(self.design_names)
        if len(self.design_low) != dims or len(self.design_high) != dims:
            raise ValueError(
                f"Expected {dims} design bounds, one for each of {self.design_names}. "
                f"Received: design_low={self.design_low}, design_high={self.design_high}"
            )
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise ValueError(f"Expected unique parameter names. Received: {names}")
        astray = [p.name for p in self.parameters if p.axis is not None and p.axis >= dims]
        if astray:
            raise ValueError(
                f"Expected parameters on one of {dims} design axes. Received: {astray[0]!r}"
            )
        if self.horizon < 1:
            raise ValueError(f"Expected horizon >= 1. Received: horizon={self.horizon}")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def sizes(self) -> dict[str, int]:
        """The task's own letters of the shape glossary: D, F, P."""
        return {"D": len(self.design_names), "F": len(self.fields), "P": len(self.parameters)}

    def parameter_mask(self, names) -> list[bool]:
        """Which parameters are selected, in order: a list of P booleans.

        Args:
            names: parameter names, as an iterable or one comma-joined string.

        Raises:
            ValueError: a name that the task does not have.
        """
        wanted = tuple(filter(None, names.split(","))) if isinstance(names, str) else tuple(names)
        unknown = [name for name in wanted if name not in self.parameter_names]
        if unknown:
            raise ValueError(
                f"Expected parameters of task {self.name!r}: {', '.join(self.parameter_names)}. "
                f"Received: {', '.join(map(str, unknown))}"
            )
        return [name in wanted for name in self.parameter_names]

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, config: dict) -> TaskSpec:
        known = {field.name for field in dataclasses.fields(cls)}
        if not known - {"features"} <= set(config) <= known:
            raise ValueError(
                f"Expected a task description with {sorted(known)}. Received: {sorted(config)}"
            )
        return cls(
            name=config["name"],
            design_names=tuple(config["design_names"]),
            design_low=tuple(config["design_low"]),
            design_high=tuple(config["design_high"]),
            fields=tuple(Channel(**channel) for channel in config["fields"]),
            outcomes=tuple(Channel(**channel) for channel in config["outcomes"]),
            parameters=tuple(Parameter(**parameter) for parameter in config["parameters"]),
            horizon=int(config["horizon"]),
            features=config.get("features", ""),
        )
