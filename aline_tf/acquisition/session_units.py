"""The units of a session: those that were stated, and those found in the answers.

Where a task says that offset and scale of its outcomes mean nothing (`TaskSpec.any_scale`, as of
functions drawn from Gaussian processes), both are estimated anew from whatever has been told
(`aline_tf.units.rescaling`), and so is by how much the function is too smooth for the trained range
of designs. The model is asked about outcomes of the size that it knows, and answers come back:

- predictions average over a few scales that are equally likely, which few answers leave far apart;
- choices that are after predictions are made in one scale, that in which errors are smallest;
- hyper-parameters have a prior in trained units, so outcomes that training could have shown are
  taken as they are, and others are brought to the middle one of those scales.

A known parameter that is measured in units says which they are: then nothing is estimated.
"""

from __future__ import annotations

import copy
from functools import cached_property

import numpy as np

from aline_tf.acquisition import session_input
from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.units.rescaling import ProcessGrids, estimate_rescaling, estimate_scales
from aline_tf.units.trained_range import RangeWatch
from aline_tf.units.unit_adapter import UnitAdapter

#: Standard deviation of the outcomes that `aline_tf.units.rescaling` takes for those of training,
#: and half the width of its designs.
_SD, _HALF = 0.742, 5.0
#: Outcomes as training could have shown them: no farther from the middle than so many scales and,
#: once there are that many answers, of a scale not smaller than this share of the trained one.
_FARTHEST, _ANSWERS, _SMALLEST = 5.0, 5, 0.05


class SessionUnits:
    """What the numbers of one session mean.

    Args:
        model: a `SessionModel`; `units` of a preset, if it has them, are those of its sessions.
        design_bounds: see `UnitAdapter.from_bounds`.
        units: a `UnitAdapter` instead.
        rescale: True, False, or "auto": as the task says.
        strict: see `RangeWatch`.

    Raises:
        InputError: bounds and units at once, units of another task, or `rescale=True` of a task
            whose outcome is not one continuous number.

    Example:
        >>> import aline_tf
        >>> from aline_tf.acquisition import SessionUnits
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> units = SessionUnits(aline_tf.ALINE(SPEC, num_layers=1), design_bounds=(0, 100))
        >>> units.spec.design_high, units.is_rescaled
        ((100.0,), False)
    """

    def __init__(self, model, design_bounds=None, units=None, rescale="auto", strict=False):
        self.trained = model.spec
        rescale = session_input.flag(rescale, "rescale to be", "auto")
        if design_bounds is not None and units is not None:
            raise InputError("expected design_bounds or units; received both")
        if units is not None and not isinstance(units, UnitAdapter):
            raise InputError(f"expected units as a UnitAdapter; received {units!r}")
        if design_bounds is not None:
            units = UnitAdapter.from_bounds(self.trained, design_bounds)
        if units is None:
            kept = getattr(model, "units", None)
            units = kept if isinstance(kept, UnitAdapter) else UnitAdapter.identity(self.trained)
        units.check(self.trained)
        if rescale is True and not self.trained.has_one_continuous_outcome:
            raise InputError(
                "expected rescale=True of a task whose outcome is one continuous number; received "
                f"{self.trained.name!r}"
            )
        self.stated = units
        self.spec = units.spec(self.trained)
        self.rescale = rescale
        self.watch = RangeWatch(strict)
        self._grids = ProcessGrids(self.trained.sizes["D"])
        self._found: tuple = (None, None)

    def __copy__(self) -> SessionUnits:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__, watch=copy.copy(self.watch))
        return copied

    @property
    def is_rescaled(self) -> bool:
        """Whether offset and scale of the outcomes come from the answers."""
        return self.rescale is True or (self.rescale == "auto" and self.trained.any_scale)

    def check_known(self, known) -> None:
        """Refuses known parameters whose units are to be estimated at the same time.

        Args:
            known: parameter name to value.

        Raises:
            InputError: there is such a one and `rescale=True`.
        """
        if self.rescale is True and self._states_units(known):
            raise InputError(
                "expected no known parameter that is measured in units of the outcome or of a "
                f"design with rescale=True; received {', '.join(known)}"
            )

    def check_pool(self, designs) -> None:
        """Refuses designs that could be asked, where the session is strict; otherwise there will be
        a word for whoever asks, see `check_designs`.

        Args:
            designs: [n, D].

        Raises:
            InputError: one is outside of the trained range, and the session is strict.
        """
        if self.watch.strict:
            self.watch.designs(self.spec, designs)

    def check_designs(self, designs, stacklevel: int) -> None:
        """Says so, once, where a design is outside of the trained range.

        Args:
            designs: [n, D].
            stacklevel: of the warning, counted from here.

        Raises:
            InputError: one is, and the session is strict.
        """
        self.watch.designs(self.spec, designs, stacklevel + 1)

    def check_outcome(self, value, status, known, stacklevel: int) -> None:
        """Says so, once, where an outcome is outside of the trained range.

        Args:
            value, status: [F], of one answer.
            known: parameter name to value.
            stacklevel: of the warning, counted from here.

        Raises:
            InputError: it is, and the session is strict.
        """
        if not self.is_rescaled or self._states_units(known):
            self.watch.outcome(self.spec, value, status == OBSERVED, stacklevel + 1)

    def of_predictions(self, answers, known) -> tuple[UnitAdapter, ...]:
        """Adapters whose answers are averaged.

        Args:
            answers: a list of `Answer`.
            known: parameter name to value.
        """
        data = self._data(answers, known)
        return (self.stated,) if data is None else data.of_predictions

    def of_choice(self, answers, known, parameters: bool) -> UnitAdapter:
        """The adapter in which a policy chooses.

        Args:
            answers, known: as of `of_predictions`.
            parameters: whether parameters are selected.
        """
        if parameters:
            return self.of_parameters(answers, known)
        data = self._data(answers, known)
        return self.stated if data is None else data.of_choice

    def of_parameters(self, answers, known) -> UnitAdapter:
        """The adapter of posteriors of parameters.

        Args:
            answers, known: as of `of_predictions`.
        """
        data = self._data(answers, known)
        if data is None or (self.rescale == "auto" and data.is_as_trained):
            return self.stated
        return data.of_predictions[len(data.of_predictions) // 2]

    def _states_units(self, known) -> bool:
        return any(
            parameter.name in known and (parameter.scales_with or parameter.axis is not None)
            for parameter in self.trained.parameters
        )

    def _data(self, answers, known):
        """What the answers say, remembered for the present ones; None if nothing is estimated."""
        if not self.is_rescaled or self._states_units(known):
            return None
        seen = [answer for answer in answers if answer.status[0] == OBSERVED]
        design = np.array([answer.design for answer in seen], float)
        outcome = np.array([answer.outcome[0] for answer in seen], float)
        key = design.tobytes(), outcome.tobytes()
        # Read once: another thread may look at another history meanwhile.
        found = self._found
        if found[0] != key:
            design = design.reshape(-1, self.trained.sizes["D"])
            data = _FoundUnits(self.trained, self.stated, design, outcome, self._grids)
            self._found = found = key, data
        return found[1]


class _FoundUnits:
    """Adapters from the answers of a function, each estimated when it is first asked for.

    Args:
        trained: the `TaskSpec`.
        stated: the `UnitAdapter` of the session.
        design, outcome: [n, D] and [n], in the session's units.
        grids: of the session, which keep what they found of fewer answers.
    """

    def __init__(self, trained, stated, design, outcome, grids):
        low, high = np.array(trained.design_low), np.array(trained.design_high)
        self._stated, self._grids, self._channel = stated, grids, trained.fields[0]
        self._middle = 0.5 * (low + high)
        # In the units of the estimate designs are in [-5, 5], and outcomes of a certain size.
        design = stated.design_to_model(design)
        self._place = _HALF * (design - self._middle) / (0.5 * (high - low))
        self._outcome = stated.outcome_to_model(outcome)
        self._size = self._channel.scale / _SD

    @cached_property
    def _rescaling(self):
        return estimate_rescaling(self._place, self._outcome, self._grids)

    @cached_property
    def _scales(self):
        return estimate_scales(self._place, self._outcome, grids=self._grids)

    @cached_property
    def of_choice(self) -> UnitAdapter:
        """That in which a policy chooses what predictions are after."""
        offset, scale, _ = self._rescaling
        return self._adapter(offset, scale)

    @cached_property
    def of_predictions(self) -> tuple[UnitAdapter, ...]:
        """Those over which predictions are averaged."""
        center, scales = self._scales
        return tuple(self._adapter(center, each) for each in np.unique(scales).tolist())

    @cached_property
    def is_as_trained(self) -> bool:
        """Whether training could have shown these outcomes."""
        away = np.abs(self._outcome - self._channel.loc).max(initial=0.0)
        if away > _FARTHEST * self._channel.scale:
            return False
        if len(self._outcome) < _ANSWERS:
            return True
        _, scales = self._scales
        return bool(scales[len(scales) // 2] >= _SMALLEST * self._size)

    def _adapter(self, offset, scale):
        shrink = self._rescaling[2]
        inner = UnitAdapter(
            tuple((self._middle - self._middle / shrink).tolist()),
            tuple((1.0 / shrink).tolist()),
            offset - scale * self._channel.loc / self._size,
            scale / self._size,
        )
        return self._stated.then(inner)
