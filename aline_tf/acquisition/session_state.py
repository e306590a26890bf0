"""A session's state as JSON: written whole, and checked number by number when it is read.

    format, task      what it is
    version, weights  of the package; fingerprint of the weights, None of a served model
    candidates, costs, left, context, known, target, target_designs, price    as they are told
    units, rescale, strict    of the numbers above: `UnitAdapter.to_dict`, and two flags
    pending, repeats, pool    questions without an answer; the rule; how often the pool was changed

States of versions that had fewer entries still load: of their answers the index is found again by
the design, and the time is not known.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np

from aline_tf.acquisition import session_input
from aline_tf.acquisition.questions import Answer
from aline_tf.batch import MISSING, NO_ANSWER, OBSERVED
from aline_tf.errors import InputError
from aline_tf.units.unit_adapter import UnitAdapter

FORMAT = 1
_NEEDED = (
    *("candidates", "costs", "left", "context", "known"),
    *("target", "target_designs", "price", "task", "format"),
)


def fingerprint(model) -> str | None:
    """A hash of a model's weights: equal weights, equal fingerprints.

    Args:
        model: with `weights`, as Keras models have them.

    Returns:
        16 hexadecimal digits; None of a model that shows no weights, such as one behind a server.
    """
    weights = getattr(model, "weights", None)
    if not weights:
        return None
    digest = hashlib.sha256()
    for variable in weights:
        array = np.asarray(variable)
        digest.update(f"{array.shape} {array.dtype};".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def to_json(session) -> str:
    """The state of a `Session` as text.

    Args:
        session: whose model and policy object stay behind.
    """
    from aline_tf import __version__

    return json.dumps(
        {
            "format": FORMAT,
            "version": __version__,
            "task": session.spec.name,
            "weights": fingerprint(session.model),
            "candidates": session.candidates.tolist(),
            "costs": session.costs.tolist(),
            # The file's word for cost_weight, which older versions read.
            "price": session.cost_weight,
            "left": (session._pool.counts == 0).tolist(),
            "context": [_token(answer) for answer in session.answers],
            "pending": sorted(question.index for question in session.pending),
            "repeats": session.repeats,
            "pool": session.pool,
            "known": dict(session.known),
            "target": list(session.target),
            "target_designs": session.target_designs.tolist(),
            "units": session.units.to_dict(),
            "rescale": session._units.rescale,
            "strict": session._units.watch.strict,
            "policy": session.policy.name,
            "policy_is_named": session.policy_is_named,
        }
    )


def _token(answer: Answer) -> dict[str, Any]:
    time = answer.time
    return {
        "design": answer.design.tolist(),
        "outcome": answer.outcome.tolist(),
        "status": answer.status.tolist(),
        "index": answer.index,
        "pool": answer.pool,
        "was_pending": answer.was_pending,
        "time": None if time is None else time.isoformat(timespec="seconds"),
    }


def read(text: str, model, force: bool = False) -> dict[str, Any]:
    """The entries of `to_json`'s text, or a sentence.

    Args:
        text: of this version or an older one.
        model: that the session is to go on with.
        force: whether another model's weights will do.

    Returns:
        the entries; `context` a list of `Answer`, and `old`, whether the text has no indices.

    Raises:
        InputError: not such a text, of another task or model, or a number that cannot be.
    """
    try:
        state = json.loads(text, object_pairs_hook=_each_once)
        lacking = [name for name in _NEEDED if name not in state]
        if lacking:
            raise KeyError(lacking[0])
        _check_kinds(state)
        if state["format"] != FORMAT:
            raise InputError(f"expected format {FORMAT}; received {state['format']}")
        if state["task"] != model.spec.name:
            raise InputError(
                f"expected a session of task {model.spec.name!r}; received {state['task']!r}"
            )
        _check_weights(state, model, force)
        count = len(state["candidates"])
        left = state["left"]
        if len(left) != count or not all(isinstance(flag, bool) for flag in left):
            raise InputError(f"expected {count} flags in 'left'; received {len(left)} entries")
        pools = _whole(state.get("pool", 0), "pool", 0, None)
        state["old"] = "repeats" not in state
        repeats = state["repeats"] = state.get("repeats", False)
        if repeats is not None and not isinstance(repeats, bool):
            raise InputError(f"expected repeats true, false or null; received {repeats!r}")
        _read_units(state, model.spec)
        spec = state["units"].spec(model.spec)
        answers = [_answer(token, spec, count, pools) for token in state["context"]]
        times = [answer.time for answer in answers if answer.time is not None]
        if times != sorted(times):
            raise InputError("expected answers in the order of their times; received another")
        pending = [_whole(i, "a pending index", 0, count - 1) for i in state.get("pending", ())]
        if len(set(pending)) != len(pending):
            raise InputError(f"expected each pending index once; received {pending}")
        if state["old"]:
            answers = _with_indices(answers, state["candidates"], left)
        return state | {"pool": pools, "pending": pending, "context": answers}
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"expected the JSON of a session; received: {error!r}") from error


def check_pool(session, left) -> None:
    """Refuses a state whose answers and pool do not go together.

    Args:
        session: with its pool and its answers.
        left: bool [N], of the text: which candidates were not answered.

    Raises:
        InputError: an answer by a candidate of the present pool that lies elsewhere, or a candidate
            of which 'left' says something else.
    """
    rows = session.candidates
    for answer in session.answers:
        if answer.index is None or answer.pool != session.pool:
            continue
        if not session_input.same_designs(rows[answer.index], answer.design):
            raise InputError(
                f"expected the design of candidate {answer.index}, {rows[answer.index].tolist()}; "
                f"received an answer at {answer.design.tolist()}"
            )
    wrong = np.flatnonzero(np.array(left, bool) != (session._pool.counts == 0))
    if len(wrong):
        raise InputError(
            f"expected 'left' to be {str(not left[wrong[0]]).lower()} of candidate {wrong[0]}, "
            f"as its answers are; received {str(left[wrong[0]]).lower()}"
        )


def _each_once(pairs):
    """The entries of a JSON object, none of them twice: the second would win."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"expected each entry of a session once; received {twice!r} twice")
    return found


def _check_kinds(state) -> None:
    """Refuses what a new session would take for nothing said at all, such as costs of null."""
    lists = ("candidates", "costs", "left", "context", "target", "target_designs", "pending")
    for name, kind, word in (*((name, list, "a list") for name in lists), ("known", dict, "names")):
        if name in state and not isinstance(state[name], kind):
            raise InputError(
                f"expected {name} as {word} in the JSON of a session; received "
                f"{session_input.shown(state[name])}"
            )


def _read_units(state, spec):
    """Units and their flags in their places; those of older states are the trained ones."""
    units = state.get("units")
    units = UnitAdapter.identity(spec) if units is None else UnitAdapter.from_dict(units)
    units.check(spec)
    flags = {"rescale": state.get("rescale", "auto"), "strict": state.get("strict", False)}
    rescale, strict = flags.values()
    if not isinstance(strict, bool) or not (isinstance(rescale, bool) or rescale == "auto"):
        raise InputError(
            f"expected rescale true, false or 'auto' and strict true or false; received {flags}"
        )
    state.update(flags, units=units)


def _check_weights(state, model, force):
    stored, own = state.get("weights"), fingerprint(model)
    if not force and None not in (stored, own) and stored != own:
        raise InputError(
            f"expected the model that the session was made with, whose weights have the "
            f"fingerprint {stored}; received one of {own} (force=True goes on with it)"
        )


def _answer(token, spec, count, pools) -> Answer:
    """Design, outcome and status of a stored token, checked as those that are told."""
    design = session_input.designs(spec, [token["design"]], "design")[0]
    value = session_input.numbers(token["outcome"], "outcome")
    status = np.asarray(token["status"])
    size = spec.sizes["F"]
    if value.shape != (size,) or value.shape != status.shape:
        raise InputError(f"expected {size} fields; received {value.shape}")
    if status.dtype.kind != "i" or not np.isin(status, (MISSING, OBSERVED, NO_ANSWER)).all():
        raise InputError(
            f"expected a status of {MISSING}, {OBSERVED} or {NO_ANSWER} for every field; "
            f"received {status.tolist()}"
        )
    if not np.isfinite(value).all():
        raise InputError(f"expected finite outcomes; received {value.tolist()}")
    observed = status == OBSERVED
    if not observed.any() and (status != NO_ANSWER).any():
        raise InputError(
            f"expected a field that was observed, or {NO_ANSWER} for every one; "
            f"received the status {status.tolist()}"
        )
    session_input.check_outcome(spec, value, observed)
    value = np.where(observed, value, 0.0)
    pool = _whole(token.get("pool", 0), "a pool", 0, pools)
    index = token.get("index")
    if index is not None:
        index = _whole(index, "an index", 0, count - 1 if pool == pools else None)
    was_pending, time = token.get("was_pending", False), token.get("time")
    if not isinstance(was_pending, bool):
        raise InputError(f"expected was_pending true or false; received {was_pending!r}")
    if time is not None:
        time = datetime.fromisoformat(time)
        if time.tzinfo is None:
            raise InputError(f"expected a time with its offset from UTC; received {token['time']}")
        time = time.astimezone(UTC)
    return Answer(design, value, status.astype(np.int32), index, pool, time, was_pending)


def _with_indices(answers, candidates, left):
    """Answers of an older state, each with the candidate of its design that had left the pool."""
    rows = np.asarray(candidates, float)
    free, found = ~np.array(left, bool), []
    for answer in answers:
        match = np.flatnonzero(free & session_input.same_designs(rows, answer.design))
        if len(match):
            free[match[0]] = False
            answer = answer._replace(index=int(match[0]))
        found.append(answer)
    return found


def _whole(value, what, least, most):
    number = session_input.whole_number(value, f"{what} as a whole number")
    if number is None or number < least or (most is not None and number > most):
        top = "" if most is None else f" to {most}"
        raise InputError(f"expected {what} from {least}{top}; received {value!r}")
    return number
