"""A session as a panel of a notebook: be the experimenter, see the question, answer by a click.

ipywidgets (extra `notebook`) and matplotlib are imported when a panel is made. What a click does
can be called by its name, so that a panel works, and is tested, without a browser.
"""

from __future__ import annotations

import warnings
from html import escape

from aline_tf import plots
from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError

#: Most categories of an outcome that become buttons; above it a number is typed.
_BUTTONS = 11
_SIZE = (8.0, 3.0)


class SessionPanel:
    """Asks by a session, takes answers, and shows the posterior after each.

    `panel.view` is what a notebook shows: the question, a button for each answer (or a field for a
    number), "no answer", "take back", what is to be learned, and the posterior beside the answers.

    Args:
        session: a `Session` of one outcome field; it stays the user's, and may have answers.
        answers: names of the outcomes 0, 1, ... of a binary or ordered field; numbers when None.

    Raises:
        InputError: several outcome fields, another number of names than there are outcomes, or no
            ipywidgets.

    Example:
        >>> import numpy as np
        >>> import aline_tf
        >>> from aline_tf.acquisition.laboratory import SessionPanel
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> session = aline_tf.Session(model, np.linspace(-5, 5, 9)[:, None])
        >>> panel = SessionPanel(session, answers=("no", "yes"))
        >>> panel.answer(1.0)
        >>> session.steps, panel.question is not None
        (1, True)
    """

    def __init__(self, session: Session, answers=None):
        widgets = _ipywidgets()
        fields = session.spec.fields
        if session.spec.sizes["F"] != 1:
            raise InputError(
                f"expected a session of one outcome field; received {len(fields)}: "
                f"{', '.join(field.name for field in fields)}"
            )
        (self._field,) = fields
        levels = {"binary": 2, "ordered": self._field.levels}.get(self._field.kind)
        if answers is not None and len(answers) != levels:
            expected = f"{levels} names of outcomes" if levels else "no names of outcomes"
            raise InputError(f"expected {expected}; received {list(answers)!r}")
        self.session, self.question, self._widgets = session, None, widgets
        self._names = list(answers or map(str, range(levels or 0)))

        self.prompt, self.message = widgets.HTML(), widgets.HTML()
        self.picture = widgets.Image(format="png")
        self.answer_buttons = self._make_answers(levels)
        self.no_answer = self._button("no answer", lambda _: self.answer(None))
        self.take_back = self._button("take back", lambda _: self.undo())
        self.targets = widgets.SelectMultiple(
            options=session.spec.parameter_names, value=session.target, description="to learn"
        )
        self.targets.observe(self._selected, names="value")
        row = [*self.answer_buttons, self.no_answer, self.take_back]
        self.view = widgets.VBox(
            [self.prompt, widgets.HBox(row), self.message, self.targets, self.picture]
        )
        if not session.spec.parameter_names:
            self.targets.layout.display = "none"
        self._heeding(self._ask)

    def answer(self, value) -> None:
        """Tells the outcome of the question that is shown, and asks the next one.

        Args:
            value: a number, or None: no answer came. What cannot be an outcome is said in `message`
                and changes nothing.
        """
        self._heeding(lambda: self._tell(value))

    def undo(self) -> None:
        """Takes the last answer back; its question is shown again."""
        self._heeding(self._undo)

    def retarget(self, names) -> None:
        """Changes what is to be learned, and with it the question that is shown.

        Args:
            names: of parameters. None at all is said in `message` and changes nothing.
        """
        self._heeding(lambda: self._retarget(tuple(names)))

    def _tell(self, value) -> None:
        if self.question is None:
            raise InputError("expected a question to answer; received an answer to none")
        self.session.tell(self.question, value)
        self._ask()

    def _undo(self) -> None:
        self._release()
        self.session.undo()
        self._ask(next(iter(self.session.pending), None))

    def _selected(self, change) -> None:
        # What a call has changed is shown in the list and needs no second one.
        if change["new"] != self.session.target:
            self.retarget(change["new"])

    def _retarget(self, names) -> None:
        designs = self.session.target_designs
        try:
            self.session.retarget(names, designs if len(designs) else None)
        finally:
            self.targets.value = self.session.target
        self._release()
        self._ask()

    def _release(self) -> None:
        if self.question is not None:
            self.session.release(self.question)
            self.question = None

    def _ask(self, question=None) -> None:
        """Shows a question, or the next one, and the posterior."""
        self.question = None
        if question is None and not self.session.exhausted:
            question = self.session.ask()
        self.question = question
        self._show()

    def _show(self) -> None:
        steps, waits = self.session.steps, self.question is not None
        if waits:
            names = self.session.spec.design_names
            pairs = zip(names, self.question.design, strict=True)
            shown = ", ".join(f"{escape(name)} = <b>{value:.4g}</b>" for name, value in pairs)
            self.prompt.value = f"Trial {steps + 1}: show {shown}"
        else:
            self.prompt.value = f"{steps} answers: every candidate has been asked."
        for button in (*self.answer_buttons, self.no_answer):
            button.disabled = not waits
        self.take_back.disabled = not steps
        self.picture.value = session_picture(self.session)

    def _heeding(self, action) -> None:
        """Does something; what is wrong or worth a warning is shown, for nobody reads a kernel's
        log."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lines = []
            try:
                action()
            except InputError as error:
                lines.append(str(error))
        own = [each for each in caught if issubclass(each.category, UserWarning)]
        lines += [str(each.message) for each in own]
        self.message.value = "<br>".join(map(escape, lines))
        for each in caught:
            if each not in own:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)

    def _button(self, text, act):
        button = self._widgets.Button(description=text)
        button.on_click(act)
        return button

    def _make_answers(self, levels) -> list:
        """A button for each outcome, or a field for a number and one that tells it."""
        if levels and levels <= _BUTTONS:
            return [
                self._button(name, lambda _, value=float(value): self.answer(value))
                for value, name in enumerate(self._names)
            ]
        field = self._widgets.FloatText(description=self._field.name)
        return [field, self._button("tell", lambda _: self.answer(field.value))]


def session_picture(session: Session) -> bytes:
    """Posterior of the parameters, and the answers with the predicted curve (or where they lie, if
    there is no one curve), as a PNG.

    Args:
        session: a `Session`.

    Returns:
        the file's content.

    Example:
        >>> import numpy as np
        >>> import aline_tf
        >>> from aline_tf.acquisition.laboratory import session_picture
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> session_picture(aline_tf.Session(model, np.linspace(-5, 5, 9)[:, None]))[1:4]
        b'PNG'
    """
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    names = session.spec.parameter_names
    *left, right = figure.subplots(1, 1 + bool(names), squeeze=False)[0]
    for axes in left:
        plots.posterior(session, names, axes)
    sizes = session.spec.sizes
    one_curve = sizes["D"] == 1 and sizes["F"] == 1 and len(session.spec.outcomes) == 1
    (plots.prediction if one_curve else plots.queries)(session, right)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=80)
    return file.getvalue()


def _ipywidgets():
    try:
        import ipywidgets
    except ImportError as error:
        raise InputError(
            "expected ipywidgets for a panel (pip install 'aline_tf[notebook]'); received an "
            f"environment without it: {error}"
        ) from error
    return ipywidgets
