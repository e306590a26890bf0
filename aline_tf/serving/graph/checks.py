"""What a served graph refuses: TensorFlow Serving runs nothing but the graph.

A refusal is INVALID_ARGUMENT, in one sentence: "expected ...; received ...". All conditions are
met in one place, and the sentences are only made where one of them fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from aline_tf.batch import LETTER_MEANING, MISSING, NO_ANSWER, OBSERVED
from aline_tf.serving.limits import Limits, pairs_of
from aline_tf.serving.signatures import COUNTED_MASKS, NO_COUNT, free_shape, letters

Message = Callable[[], tf.Tensor]


class Checks(NamedTuple):
    """Conditions bool [k], and a sentence for each of them."""

    passed: tf.Tensor
    messages: list[Message]


def refuse(*groups: Checks) -> tf.Tensor:
    """A tensor that fails with the sentence of the first condition that is not met.

    What must not run before depends on it (`tf.control_dependencies`).
    """
    passed = tf.concat([group.passed for group in groups], axis=0)
    messages = [message for group in groups for message in group.messages]

    def fail():
        sentences = tf.stack([message() for message in messages])
        first = tf.argmin(tf.cast(passed, tf.int32))
        failed = tf.raw_ops.Assert(condition=False, data=[sentences[first]])
        with tf.control_dependencies([failed]):
            return tf.constant(False)

    return tf.cond(tf.reduce_all(passed), lambda: tf.constant(True), fail)


def of_unknown_shape(tensor: tf.Tensor) -> tf.Tensor:
    """`tensor`, of whose shape the graph assumes nothing.

    TensorFlow Serving does not hold a request to the shape of the signature, and TensorFlow takes
    it for granted when it simplifies a graph: a check against it would be simplified away.
    """
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))


def of_known_shape(tensor: tf.Tensor, shape: list[int | None]) -> tf.Tensor:
    """`tensor` with the static shape that was checked; None where a size is free.

    Unlike `tf.ensure_shape`, which TensorFlow reads backwards: it would take for granted before
    the check what holds after it.
    """
    found = tf.unstack(tf.shape(tensor), len(shape))
    return tf.reshape(
        tensor, [found[axis] if size is None else size for axis, size in enumerate(shape)]
    )


def shape_checks(
    inputs: Mapping[str, tf.Tensor], sizes: Mapping[str, int], limits: Limits
) -> Checks:
    """Ranks, the sizes that belong to the task, agreement about the others, and limits.

    Args:
        inputs: fields of a Batch and counts, `of_unknown_shape`.
        sizes: the task's D, F and P.
        limits: of B, C, M, N and their product.
    """
    place: dict[tuple[str, int], int] = {}
    for name in inputs:
        for axis in range(len(letters(name))):
            place[name, axis] = len(place)
    # Where a rank is wrong the others shift, and its own sentence comes first.
    shapes = tf.concat([tf.shape(x) for x in inputs.values()] + [[0] * len(place)], 0)[: len(place)]
    shape_messages = {name: _shape_message(name, inputs[name], sizes) for name in inputs}

    ranks = tf.stack([tf.rank(x) for x in inputs.values()])
    conditions = [ranks == [len(letters(name)) for name in inputs]]
    messages = list(shape_messages.values())

    fixed = {
        key: sizes[letters(key[0])[key[1]]] for key in place if letters(key[0])[key[1]] in sizes
    }
    conditions.append(tf.gather(shapes, [place[key] for key in fixed]) == list(fixed.values()))
    messages += [shape_messages[name] for name, _ in fixed]

    first, received = {}, {"B": 0, "C": 0, "M": 0, "N": 0} | dict(sizes)
    for letter in "BCMN":
        holders = [
            key
            for key in place
            if letters(key[0])[key[1]] == letter and key[0] not in COUNTED_MASKS
        ]
        if holders:
            found = tf.gather(shapes, [place[key] for key in holders])
            first[letter], received[letter] = found[0], tf.cast(found[0], tf.int64)
            conditions.append(found == found[0])
            messages += [_agreement_message(letter, holders, found)] * len(holders)

    for name in inputs:
        if name not in COUNTED_MASKS:
            continue
        count = shapes[place[name, 0]]
        conditions.append([(count == first["B"]) | (count == 1)])
        messages.append(_row_message(name, count))

    for letter in first:
        conditions.append([received[letter] <= getattr(limits, letter)])
        messages.append(_formatted(limits.message(letter), received[letter]))
    pairs = pairs_of(received)
    conditions.append([pairs <= limits.pairs])
    messages.append(_formatted(limits.message("pairs"), pairs))
    return Checks(tf.concat(conditions, axis=0), messages)


def with_counts(inputs: Mapping[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], Checks]:
    """The fields of a Batch, their masks False beyond the counts; and what counts must be."""
    fields = {name: tensor for name, tensor in inputs.items() if name not in COUNTED_MASKS}
    conditions, messages = [], []
    for name in inputs:
        if name not in COUNTED_MASKS:
            continue
        mask, count = inputs[COUNTED_MASKS[name]], inputs[name]
        rows, size = tf.unstack(tf.shape(mask), 2)
        given, merged = count != NO_COUNT, tf.size(count) > 1
        within = (count >= 0) & (count <= size)
        conditions += [
            tf.reduce_all(within | ~given),
            tf.reduce_all(given) | ~merged,
            tf.reduce_all(~given) | (tf.size(count) == rows),
        ]
        messages += [
            _formatted(f"expected {name} from 0 to {{}}; received {{}}", size, count),
            _formatted(
                f"expected {name} in every request where a server merges requests, since it pads "
                f"masks with their first element; received requests without ({{}})",
                count,
            ),
            _row_message(name, tf.size(count)),
        ]
        own = (tf.range(size)[None] < count[:, None]) | ~given[:, None]
        fields[COUNTED_MASKS[name]] = mask & own
    return fields, Checks(tf.stack(conditions), messages)


def value_checks(fields: Mapping[str, tf.Tensor], all_targets: bool) -> Checks:
    """Every number that is read is finite, and every status one of the three.

    What masks and statuses leave unread may be anything.

    Args:
        fields: of a Batch.
        all_targets: whether target designs are read where `target_mask` is False too.
    """
    status, shown = fields["context_status"], fields["context_mask"]
    wrong = {"context_design": ~tf.math.is_finite(fields["context_design"]) & shown[..., None]}
    known_status = (status >= MISSING) & (status <= NO_ANSWER)
    wrong["context_outcome"] = (
        ~tf.math.is_finite(fields["context_outcome"]) & shown[..., None] & (status == OBSERVED)
    )
    wrong["known_theta"] = ~tf.math.is_finite(fields["known_theta"]) & fields["known_mask"]
    if "candidate_design" in fields:
        allowed = fields["candidate_mask"][..., None]
        wrong["candidate_design"] = ~tf.math.is_finite(fields["candidate_design"]) & allowed
    if "target_design" in fields:
        wrong["target_design"] = ~tf.math.is_finite(fields["target_design"])
        if not all_targets:
            wrong["target_design"] &= fields["target_mask"][..., None]
    where = {
        "context_design": " where context_mask is True",
        "context_outcome": " where context_status is 1 (observed)",
        "known_theta": " where known_mask is True",
        "candidate_design": " where candidate_mask is True",
        "target_design": "" if all_targets else " where target_mask is True",
    }
    messages = [
        _value_message(f"expected finite numbers in {name}{where[name]}", fields[name], at)
        for name, at in wrong.items()
    ]
    statuses = f"{MISSING} (missing), {OBSERVED} (observed) or {NO_ANSWER} (no answer)"
    wrong["context_status"] = ~known_status & shown[..., None]
    messages.append(
        _value_message(f"expected context_status of {statuses}", status, wrong["context_status"])
    )
    return Checks(tf.stack([~tf.reduce_any(at) for at in wrong.values()]), messages)


def readable(fields: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The fields with zeros for what masks and statuses leave unread, be it NaN."""
    seen = fields["context_mask"][..., None]
    masks = {
        "context_design": seen,
        "context_outcome": seen & (fields["context_status"] == OBSERVED),
        "context_status": seen,
        "known_theta": fields["known_mask"],
    }
    if "candidate_design" in fields:
        masks["candidate_design"] = fields["candidate_mask"][..., None]
    if "target_design" in fields:
        masks["target_design"] = finite_rows(fields["target_design"])[..., None]
    return dict(fields) | {
        name: tf.where(mask, fields[name], tf.zeros([], fields[name].dtype))
        for name, mask in masks.items()
    }


def finite_rows(design: tf.Tensor) -> tf.Tensor:
    """Which designs [B, M, D] are finite: bool [B, M]."""
    return tf.reduce_all(tf.math.is_finite(design), axis=-1)


def finite_outputs(outputs: Mapping[str, tf.Tensor]) -> Checks:
    """Numbers that are finite but too large for float32's range to work with end as NaN."""
    messages = [
        _formatted(
            "expected inputs near the range that the model was trained on; received some so large "
            f"that its {name} is not finite"
        )
        for name in outputs
    ]
    finite = [tf.reduce_all(tf.math.is_finite(output)) for output in outputs.values()]
    return Checks(tf.stack(finite), messages)


def _formatted(template: str, *tensors: Any) -> Message:
    return lambda: tf.strings.format(template, tensors, summarize=8)


def _shape_message(name: str, tensor: tf.Tensor, sizes: Mapping[str, int]) -> Message:
    shown = [
        letter if size is None else size
        for letter, size in zip(letters(name), free_shape(name, dict(sizes)), strict=True)
    ]
    template = f"expected {name} of shape [{', '.join(map(str, shown))}]; received shape {{}}"
    return lambda: tf.strings.format(template, tf.shape(tensor))


def _agreement_message(letter: str, holders: list[tuple[str, int]], found: tf.Tensor) -> Message:
    names = ", ".join(name for name, _ in holders)
    return _formatted(
        f"expected one size {letter} ({LETTER_MEANING[letter]}) of {names}; received {{}}", found
    )


def _row_message(name: str, size: tf.Tensor) -> Message:
    return _formatted(f"expected {name} of one number for each row; received {{}}", size)


def _value_message(expectation: str, values: tf.Tensor, wrong: tf.Tensor) -> Message:
    def message():
        places, values_there = tf.where(wrong)[:1], tf.boolean_mask(values, wrong)[:1]
        count = tf.math.count_nonzero(wrong)
        template = f"{expectation}; received {{}}, the first of {{}} such, in place {{}}"
        return tf.strings.format(template, (values_there, count, tf.reshape(places, [-1])))

    return message
