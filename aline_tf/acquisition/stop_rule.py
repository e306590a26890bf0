"""When a session is over: enough trials, posteriors narrow enough, or little more to learn."""

from __future__ import annotations

from collections.abc import Mapping

from aline_tf.acquisition import session_input
from aline_tf.errors import InputError


def is_done(
    session, trials: int | None, sd: Mapping[str, float] | None, gain: float | None
) -> bool:
    """Whether any of the criteria is met; see `Session.done`.

    Args:
        session: a `Session`.
        trials: that many answers.
        sd: parameter name to a posterior standard deviation.
        gain: nats that the next question is expected to bring at least.

    Raises:
        InputError: no criterion, a name that the task does not have, no finite number.
    """
    if trials is None and not sd and gain is None:
        raise InputError("expected trials, sd or gain to stop by; received none of them")
    # Looked at together, so that what is wrong is said before anything is met.
    most = None if trials is None else session_input.number(trials, "number of trials")
    least = None if gain is None else session_input.number(gain, "gain")
    names, bounds = session.spec.parameter_names, {}
    if sd is not None and not isinstance(sd, Mapping):
        raise InputError(
            f"expected sd as a dict of parameter name and sd; received {session_input.shown(sd)}"
        )
    for name, value in (sd or {}).items():
        if name not in names:
            raise InputError(f"expected sd of {', '.join(names)}; received {name}")
        bounds[name] = session_input.number(value, f"sd of {name}")
    if most is not None and session.steps >= most:
        return True
    if bounds:
        posterior = session.posterior()
        if all(posterior[name].sd <= bound for name, bound in bounds.items()):
            return True
    if least is None:
        return False
    # Where nothing is left to ask, nothing can be gained.
    return session.exhausted or session.ask(remember=False, gain=True).gain < least
