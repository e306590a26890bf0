"""The description of a task: its parameters, its design space, its kinds of outcome.

`TaskSpec` is plain data (no TensorFlow): the model is built from it, presets store it, clients
read it. `aline_tf.tasks.Task` adds the generative model p(theta) p(y | x, theta).
"""

from __future__ import annotations

import dataclasses
import math
import struct

PARAMETER_KINDS = ("interval", "real", "binary", "spike_slab")
CHANNEL_KINDS = ("continuous", "binary", "ordered", "count")
#: Of float32, in which models and simulators compute.
_SMALLEST, _LARGEST = 1.1754943508222875e-38, 3.4028234663852886e38
#: Columns of a history that are neither designs nor outcomes.
_HISTORY_COLUMNS = ("trial", "answered", "index", "pool", "time")


def _check_name(name, what: str) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"Expected a name for every {what}. Received: name={name!r}")


def _check_number(value, name: str, what: str) -> None:
    number = not isinstance(value, bool) and hasattr(value, "__float__")
    if not number or not math.isfinite(value) or abs(value) > _LARGEST:
        raise ValueError(f"Expected a finite {what} for {name!r}. Received: {what}={value!r}")


def _check_scale(value, name: str) -> None:
    number = not isinstance(value, bool) and hasattr(value, "__float__")
    if not number or not _SMALLEST <= value <= _LARGEST:
        raise ValueError(f"Expected scale > 0 for {name!r}. Received: {value!r}")


def _check_interval(low, high, name: str) -> None:
    """Of finite numbers."""
    if not low < high:
        raise ValueError(f"Expected low < high for {name!r}. Received: [{low}, {high}]")
    as_stored = struct.unpack("2f", struct.pack("2f", low, high))
    if not as_stored[0] < as_stored[1]:
        raise ValueError(
            f"Expected low and high for {name!r} that differ in float32. Received: [{low!r}, "
            f"{high!r}]"
        )


def _is_whole(value) -> bool:
    number = not isinstance(value, bool) and hasattr(value, "__float__")
    return number and math.isfinite(value) and value == int(value)


def _check_unique(names, what: str) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"Expected unique {what} names. Received: {list(names)}")


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
        scales_with: what it is measured in, where that is designs or outcomes: (name, power) each,
            (("stimulus", 1),) of a slope, (("y", 2),) of a variance. Such a number is 0 where the
            unit does not matter. Specs that differ by it alone are equal.

    Raises:
        ValueError: an empty name, an unknown kind, a number that is not finite, low >= high,
            scale <= 0, an axis of what is no interval, scales_with that is no such list, or of a
            binary parameter or one with an axis.

    Example:
        >>> Parameter("threshold", low=-3.0, high=3.0, axis=0).kind
        'interval'
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
    scales_with: tuple[tuple[str, float], ...] = dataclasses.field(default=(), compare=False)

    def __post_init__(self):
        _check_name(self.name, "parameter")
        self._check_scales_with()
        placed = self.axis is not None
        if placed and (self.kind != "interval" or not _is_whole(self.axis) or self.axis < 0):
            raise ValueError(
                "Expected an axis, a whole number >= 0, only for an interval. "
                f"Received: kind={self.kind!r}, axis={self.axis!r}"
            )
        if self.kind not in PARAMETER_KINDS:
            raise ValueError(
                f"Expected a parameter kind of {PARAMETER_KINDS}. Received: kind={self.kind!r}"
            )
        for what in ("low", "high", "loc"):
            _check_number(getattr(self, what), self.name, what)
        if self.kind == "interval":
            _check_interval(self.low, self.high, self.name)
        _check_scale(self.scale, self.name)

    def _check_scales_with(self) -> None:
        pairs = self.scales_with
        if not isinstance(pairs, list | tuple) or any(
            not isinstance(pair, list | tuple) or len(pair) != 2 for pair in pairs
        ):
            raise ValueError(
                f"Expected scales_with as pairs of a name and a power, (('x', 1),). Received: "
                f"scales_with={pairs!r}"
            )
        for name, power in pairs:
            _check_name(name, "unit")
            _check_number(power, self.name, "power")
        if pairs and (self.kind == "binary" or self.axis is not None):
            raise ValueError(
                f"Expected scales_with of a parameter that is neither binary nor a position on an "
                f"axis. Received: {self.name!r}, kind={self.kind!r}, axis={self.axis}"
            )
        object.__setattr__(self, "scales_with", tuple((name, power) for name, power in pairs))


@dataclasses.dataclass(frozen=True)
class Channel:
    """One kind of outcome.

    Attributes:
        name: unique within its list.
        kind: "continuous" (mixture of normals), "binary" (0 or 1), "ordered" (0..levels-1), "count"
            (0, 1, 2, ... without end: a mixture of negative binomials).
        levels: number of ordered categories; 2 for the other kinds.
        loc, scale: standardise the value before the model sees it, (y - loc) / scale; of a count
            asinh((y - loc) / scale), so that a count of thousands is still a small number. For
            counts, give the usual count as loc and how far counts usually vary as scale.
        unit, description: for people.
        cost: burden of acquiring it once, in units of one prompt.

    Raises:
        ValueError: an empty name, an unknown kind, fewer than two levels of an ordered channel, a
            number that is not finite, scale <= 0, a negative cost.

    Example:
        >>> Channel("stress", "ordered", levels=11).levels
        11
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
        _check_name(self.name, "channel")
        if self.kind not in CHANNEL_KINDS:
            raise ValueError(
                f"Expected a channel kind of {CHANNEL_KINDS}. Received: kind={self.kind!r}"
            )
        if not _is_whole(self.levels) or self.levels < 2:
            raise ValueError(
                f"Expected at least 2 levels for {self.name!r}. Received: levels={self.levels!r}"
            )
        if self.kind != "ordered" and self.levels != 2:
            raise ValueError(
                f"Expected levels only of an ordered channel. Received: {self.name!r}, "
                f"kind={self.kind!r}, levels={self.levels}"
            )
        for what in ("loc", "cost"):
            _check_number(getattr(self, what), self.name, what)
        _check_scale(self.scale, self.name)
        if self.cost < 0:
            raise ValueError(f"Expected cost >= 0 for {self.name!r}. Received: {self.cost}")

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
    """All that the model needs to know about a task; JSON round-trip through `to_dict`.

    Attributes:
        name: the task's name, as on the command line.
        design_names: D names of the design dimensions.
        design_low, design_high: D bounds, used to bring designs to [-1, 1].
        fields: the F outcome fields that a context token can carry.
        outcomes: what a predictive target can be. When there are several, the last
            `len(outcomes)` design dimensions are their one-hot code.
        parameters: the P unknowns.
        horizon: T, how many acquisitions an episode has.
        one_of: groups of design names of which exactly one is 1 and the others are 0: which of k
            drugs, say. Such a name has the bounds 0 and 1.
        any_scale: whether the offset and the scale of the outcome mean nothing, so that sessions
            find them in the answers (see `aline_tf.units`): functions, say, in whatever unit. Specs
            that differ by it alone are equal.

    Raises:
        ValueError: names that are empty or not unique, bounds that do not match or are not finite,
            no field or outcome, several outcomes without their one-hot code, horizon < 1, a
            parameter in units that are neither a design's nor an outcome's, any_scale of a task
            without one continuous outcome.

    Example:
        >>> spec = TaskSpec(
        ...     name="dose",
        ...     design_names=("hours",),
        ...     design_low=(0.0,),
        ...     design_high=(24.0,),
        ...     fields=(Channel("level"),),
        ...     outcomes=(Channel("level"),),
        ...     parameters=(Parameter("decay_time", low=1.0, high=12.0),),
        ...     horizon=5,
        ... )
        >>> spec.sizes
        {'D': 1, 'F': 1, 'P': 1}
    """

    name: str
    design_names: tuple[str, ...]
    design_low: tuple[float, ...]
    design_high: tuple[float, ...]
    fields: tuple[Channel, ...]
    outcomes: tuple[Channel, ...]
    parameters: tuple[Parameter, ...]
    horizon: int
    one_of: tuple[tuple[str, ...], ...] = ()
    any_scale: bool = dataclasses.field(default=False, compare=False)

    def __post_init__(self):
        _check_name(self.name, "task")
        for field in _TUPLES:
            value = getattr(self, field)
            if not isinstance(value, list | tuple):
                raise ValueError(
                    f"Expected {field} as a tuple. Received: {field}={value!r}, a "
                    f"{type(value).__name__}"
                )
            object.__setattr__(self, field, tuple(value))
        dims = len(self.design_names)
        if len(self.design_low) != dims or len(self.design_high) != dims:
            raise ValueError(
                f"Expected {dims} design bounds, one for each of {self.design_names}. "
                f"Received: design_low={self.design_low}, design_high={self.design_high}"
            )
        for field, kind in _MEMBERS.items():
            strangers = [each for each in getattr(self, field) if not isinstance(each, kind)]
            if strangers:
                raise ValueError(
                    f"Expected {field} of class {kind.__name__}. Received: {strangers[0]!r}"
                )
            names = [each.name for each in getattr(self, field)]
            _check_unique(names, _SINGULAR[field])
        self._check_designs(dims)
        self._check_one_of()
        astray = [p.name for p in self.parameters if p.axis is not None and p.axis >= dims]
        if astray:
            raise ValueError(
                f"Expected parameters on one of {dims} design axes. Received: {astray[0]!r}"
            )
        if not _is_whole(self.horizon) or self.horizon < 1:
            raise ValueError(
                "Expected a whole number of steps, horizon >= 1. "
                f"Received: horizon={self.horizon!r}"
            )
        object.__setattr__(self, "horizon", int(self.horizon))
        self._check_units()

    def _check_units(self) -> None:
        named = {*self.design_names, *(channel.name for channel in self.outcomes)}
        for parameter in self.parameters:
            for name, _ in parameter.scales_with:
                if name not in named:
                    raise ValueError(
                        f"Expected {parameter.name!r} to scale with any of {sorted(named)}. "
                        f"Received: {name!r}"
                    )
        if not isinstance(self.any_scale, bool):
            raise ValueError(f"Expected any_scale True or False. Received: {self.any_scale!r}")
        if self.any_scale and not self.has_one_continuous_outcome:
            raise ValueError(
                "Expected any_scale of a task whose one field and outcome is continuous. Received: "
                f"fields={[field.name for field in self.fields]}"
            )

    @property
    def has_one_continuous_outcome(self) -> bool:
        """Whether one continuous number is all that is observed, and all that is predicted."""
        one = len(self.fields) == len(self.outcomes) == 1
        return one and {self.fields[0].kind, self.outcomes[0].kind} == {"continuous"}

    def _check_designs(self, dims: int) -> None:
        for name in self.design_names:
            _check_name(name, "design dimension")
        _check_unique(self.design_names, "design")
        bounds = zip(self.design_names, self.design_low, self.design_high, strict=True)
        for name, low, high in bounds:
            _check_number(low, name, "low")
            _check_number(high, name, "high")
            _check_interval(low, high, name)
        if not dims:
            raise ValueError("Expected at least one design dimension. Received: design_names=()")
        for field in ("fields", "outcomes"):
            if not getattr(self, field):
                raise ValueError(f"Expected at least one channel. Received: {field}=()")
        count = len(self.outcomes)
        if count == 1:
            return
        code = tuple(zip(self.design_low, self.design_high, strict=True))[-count:]
        if dims < count or any((low, high) != (0, 1) for low, high in code):
            raise ValueError(
                f"Expected the last {count} design dimensions, from 0 to 1 each, to be the one-hot "
                f"code of the {count} outcomes. Received: design_names={self.design_names}, "
                f"design_low={self.design_low}, design_high={self.design_high}"
            )

    def _check_one_of(self) -> None:
        if any(isinstance(group, str) or len(group) < 2 for group in self.one_of):
            raise ValueError(
                "Expected one_of as groups of two design names or more, (('a', 'b'),). "
                f"Received: one_of={self.one_of!r}"
            )
        object.__setattr__(self, "one_of", tuple(map(tuple, self.one_of)))
        bounds = zip(self.design_low, self.design_high, strict=True)
        bounds = dict(zip(self.design_names, bounds, strict=True))
        code = {self.design_names[column] for column in self.outcome_code}
        members = [name for group in self.one_of for name in group]
        for name in members:
            if bounds.get(name) != (0, 1) or members.count(name) > 1 or name in code:
                raise ValueError(
                    "Expected each name of one_of to be a design dimension from 0 to 1, once, and "
                    f"not the code of an outcome. Received: {name!r}"
                )

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Columns of the design in which exactly one is 1, group by group."""
        place = {name: column for column, name in enumerate(self.design_names)}
        return tuple(tuple(place[name] for name in group) for group in self.one_of)

    @property
    def outcome_code(self) -> tuple[int, ...]:
        """Columns of a target design that say which outcome it is; none where there is one."""
        dims, count = len(self.design_names), len(self.outcomes)
        return tuple(range(dims - count, dims)) if count > 1 else ()

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The P names, in order."""
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
        selected = tuple(filter(None, names.split(","))) if isinstance(names, str) else tuple(names)
        unknown = [name for name in selected if name not in self.parameter_names]
        if unknown:
            raise ValueError(
                f"Expected parameters of task {self.name!r}: {', '.join(self.parameter_names)}. "
                f"Received: {', '.join(map(str, unknown))}"
            )
        return [name in selected for name in self.parameter_names]

    def to_dict(self) -> dict:
        """Plain dicts, tuples, numbers and strings."""
        config = dataclasses.asdict(self)
        # Absent where there is none, so that older descriptions stay what they were.
        for name in ("one_of", "any_scale"):
            if not config[name]:
                del config[name]
        for parameter in config["parameters"]:
            if not parameter["scales_with"]:
                del parameter["scales_with"]
        return config

    @classmethod
    def from_dict(cls, config: dict) -> TaskSpec:
        """The spec that `to_dict` gave, from JSON or not.

        Raises:
            ValueError: an entry too few or too many, here or in a parameter or channel; a value
                that the class refuses.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        # Of version 0.1, whose features were named here: `ALINE` reads that, see its `old_names`.
        if not known - {"one_of", "any_scale"} <= set(config) <= known | {"features"}:
            raise ValueError(
                f"Expected a task description with {sorted(known)}. Received: {sorted(config)}"
            )
        return cls(
            name=config["name"],
            design_names=tuple(config["design_names"]),
            design_low=tuple(config["design_low"]),
            design_high=tuple(config["design_high"]),
            fields=_members(Channel, config["fields"]),
            outcomes=_members(Channel, config["outcomes"]),
            parameters=_members(Parameter, config["parameters"]),
            horizon=config["horizon"],
            one_of=tuple(tuple(group) for group in config.get("one_of", ())),
            any_scale=config.get("any_scale", False),
        )


def same_task(first: TaskSpec, second: TaskSpec) -> bool:
    """Whether a history of one means the same to the other: equal but for the ranges of designs
    and the horizon."""
    names = ("name", "design_names", "fields", "parameters")
    return all(getattr(first, name) == getattr(second, name) for name in names)


def history_columns(spec: TaskSpec) -> tuple[list[str], list[str]]:
    """Names of the columns of a history that hold its designs, and of those that hold outcomes.

    Each has a column of its own, whatever it is called: a dimension with the name of one of the
    others is design_NAME, a field with the name of one or of a dimension outcome_NAME.

    Args:
        spec: of the task.
    """
    taken, found = set(_HISTORY_COLUMNS), []
    channels = [field.name for field in spec.fields]
    for prefix, names in (("design", spec.design_names), ("outcome", channels)):
        own = []
        for name in names:
            # What is called design_time or outcome_y already is not to be met halfway.
            while name in taken:
                name = f"{prefix}_{name}"
            taken.add(name)
            own.append(name)
        found.append(own)
    return found[0], found[1]


_MEMBERS = {"fields": Channel, "outcomes": Channel, "parameters": Parameter}
_SINGULAR = {"fields": "field", "outcomes": "outcome", "parameters": "parameter"}
_TUPLES = ("design_names", "design_low", "design_high", *_MEMBERS)


def _members(kind: type, configs) -> tuple:
    known = {field.name for field in dataclasses.fields(kind)}
    for config in configs:
        if not {"name"} <= set(config) <= known:
            raise ValueError(
                f"Expected a {kind.__name__.lower()} with a name and any of {sorted(known)}. "
                f"Received: {sorted(config)}"
            )
    return tuple(kind(**config) for config in configs)
