"""Burden curves: log score against the cost of acquired prompts and readings, by policy.

Everybody starts an evening with what their records hold and acquires a few data points, one after
the other, of all that can be asked or fetched. The log probability of what followed, before
and after each, says what they were worth; their costs say what was asked of the person.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from aline_tf import batch_ops, draws
from aline_tf.migraine.evaluation.acquisition_policies import POLICIES, Scorer, choose, scorer
from aline_tf.migraine.schema.candidates import LIBRARY
from aline_tf.migraine.schema.channels import FORECASTS
from aline_tf.migraine.schema.designs import DESIGN_NAMES
from aline_tf.migraine.task.simulated import MigraineTask

STEPS = 10
#: Evenings per person, evenly spaced.
OCCASIONS = 4
_WARNING = DESIGN_NAMES.index("is_prodrome")


def burden_curves(model, cohort, seed: int = 0, report=lambda line: None) -> dict:
    """Follows every policy on the same people and evenings.

    Args:
        model: a migraine model, or a `Compiled`.
        cohort: an `aline_tf.migraine.simulation.cohort.Cohort`; each evening sees its people
        through newly
            drawn recordings, some of whose latest readings are yet to be fetched.
        seed: of the recordings and of the random policy.
        report: called with a line of progress.

    Returns:
        by policy: dict of log_prob [S, STEPS + 1, 2], the log probability of what followed within
        24 h and 48 h; cost [S, STEPS + 1], spent so far in prompts; warning_prompts
        [S, STEPS + 1], questions about warning signs so far. All are means over the evenings of a
        person.
    """
    evenings = np.unique(
        np.linspace(cohort.first_evening, cohort.days, OCCASIONS).round().astype(int)
    ).tolist()
    sums: dict[str, dict] = {policy: {} for policy in POLICIES}
    for known_days in evenings:
        episode_seed = draws.fold_in(draws.as_seed(seed), known_days)
        start = evening_episode(cohort, known_days, episode_seed)
        for policy in POLICIES:
            generator = np.random.default_rng(seed + known_days)
            score = scorer(policy, start["candidate_design"], generator)
            made = follow(model, start, score)
            for name, values in made.items():
                sums[policy][name] = sums[policy].get(name, 0.0) + values / len(evenings)
        report(f"burden: day {known_days} done")
    return sums


def evening_episode(cohort, known_days: int, seed) -> dict:
    """An Episode of everybody at 20:00 of day `known_days`, after the forecasts only."""
    people = cohort.people
    task = MigraineTask(days=known_days, targets=len(FORECASTS), attack_probability=False)
    episode = task.episodes(
        seed,
        cohort.world,
        tf.range(people),
        tf.fill([people], known_days - 1),
        tf.fill([people], known_days),
        len(LIBRARY),
    )
    everything = tf.ones_like(episode["target_mask"])
    return episode | {
        "theta_mask": tf.zeros_like(episode["theta_mask"]),
        "target_mask": everything,
    }


def follow(model, episode: dict, score: Scorer) -> dict[str, np.ndarray]:
    """Acquires the best-scored candidate that is left, `STEPS` times.

    Args:
        model: as above.
        episode: B rows.
        score: from `scorer`.

    Returns:
        log_prob [B, STEPS + 1, M], cost and warning_prompts [B, STEPS + 1], floats.
    """
    first = episode["context_mask"].shape[1]
    state = {name: np.asarray(array) for name, array in episode.items()}
    state = batch_ops.extend_context(state, STEPS)
    rows = np.arange(len(state["candidate_mask"]))
    cost = state["candidate_cost"]
    is_warning = state["candidate_design"][..., _WARNING] > 0.5
    log_probs, costs, warnings = [], [np.zeros(len(rows))], [np.zeros(len(rows))]
    for step in range(STEPS + 1):
        left = state["candidate_mask"]
        # Tokens yet to come are cut off, not only masked: attention is paid for by length.
        seen = batch_ops.cut_context(state, first + step)
        outputs = batch_ops.map_rows(model, seen)
        log_probs.append(model.target_log_prob(outputs, seen, state["target_outcome"]).numpy())
        if step == STEPS:
            break
        logits = outputs["candidate_logits"]
        chosen = choose(score(lambda logits=logits: logits, left), left)
        # Where nothing is left, nothing is acquired and nothing spent.
        some, chosen = chosen >= 0, np.maximum(chosen, 0)
        state = batch_ops.append_candidate(state, first + step, chosen, some)
        state = batch_ops.take_candidate(state, chosen)
        costs.append(costs[-1] + np.where(some, cost[rows, chosen], 0.0))
        warnings.append(warnings[-1] + (some & is_warning[rows, chosen]))
    return {
        "log_prob": np.stack(log_probs, axis=1),
        "cost": np.stack(costs, axis=1),
        "warning_prompts": np.stack(warnings, axis=1),
    }
