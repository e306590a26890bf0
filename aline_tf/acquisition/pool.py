"""The pool of a session: what can be asked, what has been, and which questions wait for an answer.

A candidate is idle, pending (asked, neither answered nor released) or answered, some number of
times; the rule of repeats says which of the idle ones are free to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aline_tf.acquisition import session_input
from aline_tf.acquisition.questions import Answer, Question
from aline_tf.errors import InputError
from aline_tf.spec import TaskSpec

_INDEX_OR_DESIGN = "the index of a candidate, a whole number, or, as a list, a design of numbers"


class Pool:
    """Candidates, their costs, how often each was answered, and the pending questions.

    Args:
        spec: of the task.
        candidates: [N, D] in natural units, or a table by the names of the design dimensions.
        costs: [N] burden of each candidate; 1 each when None.
        repeats: whether a candidate that was answered may be asked again; None: not before each
            has been.

    Attributes:
        candidates: float64 [N, D].
        costs: [N].
        counts: int [N], answers of each.
        pending: index to `Question`, oldest first.
        number: how often the candidates were replaced.

    Raises:
        InputError: no candidates, or shapes or numbers that do not fit the task.

    Example:
        >>> from aline_tf.acquisition.pool import Pool
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> pool = Pool(SPEC, [[-1.0], [1.0]])
        >>> pool.resolve([1.0])[0] is None, pool.resolve(1)[1].tolist()
        (True, [1.0])
    """

    def __init__(self, spec: TaskSpec, candidates, costs=None, repeats: bool | None = None):
        self.repeats = session_input.flag(repeats, "repeats", None)
        self.spec, self.number = spec, 0
        self.pending: dict[int, Question] = {}
        self._set(candidates, costs)

    def _set(self, candidates, costs):
        candidates = session_input.designs(self.spec, candidates, "candidates")
        if not len(candidates):
            raise InputError("expected a pool of at least one candidate; received an empty one")
        costs = session_input.costs(costs, len(candidates))
        # A pool that is changed in passing would not be that of the answers.
        for array in (candidates, costs):
            array.setflags(write=False)
        self.candidates, self.costs = candidates, costs
        self.counts = np.zeros(len(candidates), int)

    def __len__(self) -> int:
        return len(self.candidates)

    def copy(self) -> Pool:
        """One of its own, which shares what never changes."""
        copied = type(self).__new__(type(self))
        own = {"counts": self.counts.copy(), "pending": dict(self.pending)}
        copied.__dict__.update(self.__dict__ | own)
        return copied

    def replace(self, candidates, costs, answers: Sequence[Answer]) -> None:
        """Other candidates from now on.

        Args:
            candidates, costs: as for `Pool`.
            answers: so far; a new candidate of a design that was answered has been answered.

        Raises:
            InputError: as for `Pool`, or questions are pending.
        """
        if self.pending:
            raise InputError(
                "expected no pending question when the pool changes (tell or release them); "
                f"received {len(self.pending)}"
            )
        self._set(candidates, costs)
        self.number += 1
        self.recount(answers)

    def recount(self, answers: Sequence[Answer]) -> None:
        """Counts anew how often each candidate was answered."""
        counts = np.zeros(len(self), int)
        for answer in answers:
            if answer.index is None:
                continue
            if answer.pool == self.number:
                counts[answer.index] += 1
            else:
                counts[session_input.same_designs(self.candidates, answer.design)] += 1
        self.counts = counts

    def free(self) -> np.ndarray:
        """Which candidates can be asked now: bool [N]."""
        idle = np.ones(len(self), bool)
        if self.pending:
            idle[list(self.pending)] = False
        fresh = idle & (self.counts == 0)
        if self.repeats or (self.repeats is None and not fresh.any()):
            return idle
        return fresh

    def question(self, index: int) -> Question:
        """What is asked by a candidate, without what a policy thinks of it."""
        return Question(index, self.candidates[index].copy(), None, None, float(self.costs[index]))

    def resolve(self, design: Any) -> tuple[int | None, np.ndarray]:
        """Index (None for a design of one's own) and row [D] of what was answered.

        Args:
            design: a `Question`, an index however it is written, or a design; the design of a
                pending question is that question.

        Raises:
            InputError: a question of another pool, an index that cannot be answered, or no design.
        """
        if isinstance(design, Question):
            index = design.index
            there = 0 <= index < len(self)
            if not there or not _same(self.candidates[index], design.design):
                raise InputError(
                    f"expected a question of the present pool; received {design.index} at "
                    f"{session_input.shown(np.asarray(design.design).tolist())}"
                )
        else:
            index = session_input.whole_number(design, _INDEX_OR_DESIGN)
        if index is None:
            row = session_input.one_design(self.spec, design)
            return self._pending_at(row), row
        if not 0 <= index < len(self) or not (index in self.pending or self.free()[index]):
            raise InputError(
                f"expected the index of a candidate still in the pool of {len(self)}; "
                f"received {index}"
            )
        return index, self.candidates[index]

    def release(self, question: Any) -> None:
        """Gives a pending question up, or all of them.

        Args:
            question: a `Question`, an index, a design, or None for all.

        Raises:
            InputError: it is not pending.
        """
        if question is None:
            self.pending.clear()
            return
        if isinstance(question, Question):
            question = question.index
        index = session_input.whole_number(question, "the index of a pending question")
        if index is None:
            index = self._pending_at(session_input.one_design(self.spec, question))
        if index not in self.pending:
            raise InputError(
                f"expected a pending question of {sorted(self.pending)}; received "
                f"{session_input.shown(question)}"
            )
        del self.pending[index]

    def _pending_at(self, row):
        """Index of the pending question at a design, or None."""
        same = (i for i, q in self.pending.items() if _same(q.design, row))
        return next(same, None)


def _same(first, second) -> bool:
    return bool(session_input.same_designs(first, second))
