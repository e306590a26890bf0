"""A session as a PsychoPy staircase: iterate, show the intensity, add the response.

    for intensity in TrialHandler(session, nTrials=30):
        handler.addResponse(show(intensity))

PsychoPy itself is not needed. Names are those of its `QuestPlusHandler`.
"""

from __future__ import annotations

from aline_tf.acquisition.session import Session
from aline_tf.acquisition.session_input import number, whole_number
from aline_tf.errors import InputError
from aline_tf.spec import history_columns


class TrialHandler:
    """Trials of a session of one design dimension, one after the other.

    Args:
        session: that asks and is told; may have answers already.
        nTrials: how many trials at most; the session's horizon when None.
        stopInterval: parameter name to a posterior standard deviation; the trials end when each is
            that small. None: they do not.

    Raises:
        InputError: several design dimensions, or no number of trials.

    Example:
        >>> import numpy as np
        >>> import aline_tf
        >>> from aline_tf.acquisition import Session
        >>> from aline_tf.acquisition.laboratory import TrialHandler
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> handler = TrialHandler(Session(model, np.linspace(-5, 5, 9)[:, None]), nTrials=3)
        >>> for intensity in handler:
        ...     handler.addResponse(intensity > 0)
        >>> len(handler.intensities), handler.finished
        (3, True)
    """

    def __init__(self, session: Session, nTrials: int | None = None, stopInterval=None):
        if session.spec.sizes["D"] != 1 or session.spec.sizes["F"] != 1:
            raise InputError(
                "expected a session of one design dimension and one outcome field; received "
                f"{session.spec.sizes}"
            )
        trials = session.spec.horizon if nTrials is None else nTrials
        count = whole_number(trials, "nTrials as a whole number")
        if count is None or count < 1:
            raise InputError(f"expected nTrials of 1 or more; received {nTrials!r}")
        self.session, self.nTrials, self.stopInterval = session, count, stopInterval
        self.finished = False
        self.otherData: list[dict] = []
        self._question = None

    def __iter__(self) -> TrialHandler:
        return self

    def __next__(self) -> float:
        if self.finished or self._is_done():
            self.finished = True
            raise StopIteration
        if self._question is None:
            self._question = self.session.ask()
        return self.intensity

    def next(self) -> float:
        """The next intensity, as PsychoPy's handlers have it; the same one until it is answered.

        Raises:
            StopIteration: the trials are over.
        """
        return self.__next__()

    @property
    def intensity(self) -> float | None:
        """What to show now, in natural units; None between trials."""
        return None if self._question is None else float(self._question.design[0])

    @property
    def thisTrialN(self) -> int:
        """Number of the present trial, from 0; -1 before the first."""
        return len(self.otherData) - (self._question is None)

    @property
    def intensities(self) -> list[float]:
        """What has been shown and answered."""
        return [float(answer.design[0]) for answer in self.session.answers]

    @property
    def data(self) -> list[float]:
        """The responses; NaN where none came."""
        return self.session.history[self._field].tolist()

    @property
    def _field(self) -> str:
        return history_columns(self.session.spec)[1][0]

    def addResponse(self, response, intensity: float | None = None) -> None:
        """Tells the response to the present trial.

        Args:
            response: 1 or 0, True or False; None: none came.
            intensity: what was shown instead, natural units; the question is then given up.

        Raises:
            InputError: no trial is waiting, or no such response; nothing has changed.
        """
        if self._question is None:
            raise InputError("expected a trial that waits for a response (next()); received none")
        if intensity is None:
            self.session.tell(self._question, response)
        else:
            self.session.tell([number(intensity, "intensity")], response)
            if self._question in self.session.pending:
                self.session.release(self._question)
        self._question = None
        self.otherData.append({})

    def addOtherData(self, name: str, value) -> None:
        """Keeps something beside the last response, such as a reaction time.

        Args:
            name: of the column.
            value: anything.

        Raises:
            InputError: there is no response yet.
        """
        if not self.otherData:
            raise InputError("expected a response to add other data to; received none so far")
        self.otherData[-1][name] = value

    def saveAsText(self, fileName) -> None:
        """Writes the session's history and the other data as CSV.

        Args:
            fileName: a path.
        """
        import pandas as pd

        history = self.session.history
        first = len(history) - len(self.otherData)
        beside = pd.DataFrame(self.otherData, index=history.index[first:])
        beside.columns = [f"{name}_other" if name in history else name for name in beside]
        history.join(beside).to_csv(fileName, index=False)

    def _is_done(self) -> bool:
        if self._question is not None:
            return False
        enough = len(self.otherData) >= self.nTrials
        return enough or bool(self.stopInterval and self.session.done(sd=self.stopInterval))
