"""A session seen once more, answer by answer: its states on the way, and a moving picture of them.

matplotlib and Pillow are imported when something is drawn.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Sequence

import numpy as np

from aline_tf.acquisition.session import Session
from aline_tf.errors import InputError


def replay(session: Session) -> list[Session]:
    """A session as it was before each of its answers, and as it is.

    What is replayed are the answers. Targets, candidates and known values are those of now in every
    state: a session does not keep what they were.

    Args:
        session: stays as it is.

    Returns:
        n + 1 sessions after 0 to n answers; in each but the last only the question that was
        answered next is pending, if it had been asked.

    Example:
        >>> import numpy as np
        >>> import aline_tf
        >>> from aline_tf.acquisition import Session
        >>> from aline_tf.acquisition.laboratory import replay
        >>> from aline_tf.tasks.psychometric import SPEC
        >>> model = aline_tf.ALINE(SPEC, num_layers=1)
        >>> model.build()
        >>> session = Session(model, np.linspace(-5, 5, 9)[:, None])
        >>> session.tell(session.ask(), 1.0)
        >>> [state.steps for state in replay(session)]
        [0, 1]
    """
    states = [copy.copy(session)]
    while states[-1].steps:
        earlier = copy.copy(states[-1])
        # What is answered later had not been asked yet.
        earlier.release()
        earlier.undo()
        states.append(earlier)
    return states[::-1]


def animate(
    states: Sequence,
    draw: Callable,
    size: tuple[float, float] = (6.0, 3.2),
    milliseconds: int = 700,
    dpi: int = 80,
) -> bytes:
    """A moving picture of states, one frame each, as an animated PNG.

    A browser, a notebook and GitHub show it as they show any picture; what shows no motion shows
    the first frame.

    Args:
        states: of a session, as from `replay`, or anything else that `draw` takes.
        draw: called with a state and an empty matplotlib figure, on which it draws.
        size: of the figure, inches.
        milliseconds: that a frame stays; the last one stays three times as long.
        dpi: pixels an inch.

    Returns:
        the file's content.

    Raises:
        InputError: no state, or a frame that would not stay.

    Example:
        >>> from aline_tf.acquisition.laboratory import animate
        >>> movie = animate([1, 2], lambda state, figure: figure.suptitle(str(state)))
        >>> movie[1:4]
        b'PNG'
    """
    if not len(states):
        raise InputError("expected at least one state to draw; received none")
    if milliseconds < 1:
        raise InputError(f"expected milliseconds of 1 or more; received {milliseconds}")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=size, dpi=dpi, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    frames = []
    for state in states:
        figure.clear()
        draw(state, figure)
        canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    times = [milliseconds] * (len(frames) - 1) + [3 * milliseconds]
    file = io.BytesIO()
    frames[0].save(
        file, "png", save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True
    )
    return file.getvalue()
