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
        InputError: no criterion, a name that the task does not have, no finite number, or one that
            can never be met or always is.
    """
    targets = session_input.by_name(sd, "sd as a dict of parameter name and sd")
    if trials is None and not targets and gain is None:
        raise InputError("expected trials, sd or gain to stop by; received none of them")
    # Looked at together, so that what is wrong is said before anything is met.
    most = None
    if trials is not None:
        most = session_input.whole_number_from(1, trials, "a number of trials, 1 or more")
    least = None if gain is None else session_input.number(gain, "gain")
    names, bounds = session.spec.parameter_names, {}
    for name, value in targets.items():
        if name not in names:
            raise InputError(f"expected sd of {', '.join(names)}; received {name}")
        bounds[name] = session_input.number(value, f"sd of {name}")
        if bounds[name] < 0 or (bounds[name] == 0 and name not in session.known):
            raise InputError(f"expected an sd of {name} above 0; received {bounds[name]:g}")
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
