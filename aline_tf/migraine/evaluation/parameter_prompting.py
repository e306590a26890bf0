"""Prompting for parameters: their posterior error after twenty prompts, by policy.

Nobody was asked anything before: after two weeks come ten evenings with two prompts each, and the
error of the parameters queried is what counts. Those who wear everything are asked for all of them,
which ten evenings tell little of. Those who wear nothing are asked for the physiology that a
wearable would have shown, and can be measured all the same: a minute of rest is a prompt, too.
"""

from __future__ import annotations

import numpy as np

from aline_tf import batch_ops
from aline_tf.evaluation.results import Result
from aline_tf.migraine.evaluation.prompting import PromptingRun, study_evenings
from aline_tf.migraine.schema.spec import SPEC
from aline_tf.migraine.simulation.cohort import Cohort

#: Evenings, and prompts of each.
PARAMETER_EVENINGS, A_DAY = 10, 2
#: What is queried: the parameters, and whether people wear everything, or nothing.
QUERIES = {
    "parameters": (SPEC.parameter_names, True),
    "physiology, without devices": (("hrv_baseline", "hrv_stress"), False),
}
PARAMETER_POLICIES = ("aline", "random", "evening diary")


def parameter_study(model, cohort: Cohort, seed: int = 0, report=lambda line: None) -> dict:
    """Follows each policy for twenty prompts after each kind of parameters.

    Args:
        model: a migraine model, or a `Compiled`.
        cohort: whose last evening is day `RUN_IN + EVENINGS` of `prompting`, or later.
        seed: of the random policy.
        report: called with a line of progress.

    Returns:
        by (what is queried, policy): errors [S, p] of the posterior means of those parameters, in
        prior standard deviations.
    """
    theta = np.asarray(cohort.world["theta"])
    spread = np.maximum(theta.std(axis=0), 1e-6)
    made = {}
    for query, (names, devices) in QUERIES.items():
        evenings = study_evenings(cohort, run_in=0, devices=devices)[:PARAMETER_EVENINGS]
        mask = np.array(SPEC.parameter_mask(names))
        for policy in PARAMETER_POLICIES:
            run = PromptingRun(cohort, policy, np.random.default_rng([seed, A_DAY]))
            for evening in evenings:
                for _ in range(A_DAY):
                    run.prompt(model, evening, mask)
            last = cohort.batch(evenings[-1].known_days, run.records(evenings[-1]))
            mean = model.theta_summary(batch_ops.map_rows(model, last))["mean"].numpy()
            made[query, policy] = ((mean - theta) / spread)[:, mask]
            report(f"prompting for {query}: {policy}, done")
    return made


def parameter_prompting_rows(study: dict) -> list[Result]:
    """Root mean square error after all prompts, in prior standard deviations: of every parameter
    that was queried, and of all of them together.

    Args:
        study: of `parameter_study`.
    """
    rows, prompts = [], PARAMETER_EVENINGS * A_DAY
    for (query, policy), errors in study.items():
        squared = np.square(errors)
        names = [name for name in SPEC.parameter_names if name in QUERIES[query][0]]
        columns = {"all": squared.mean(axis=1)} | dict(zip(names, squared.T, strict=True))
        for name, square in columns.items():
            rmse = float(np.sqrt(square.mean()))
            # Of the root, from the spread of the squares.
            ci95 = 1.96 * float(square.std()) / np.sqrt(len(square)) / (2.0 * max(rmse, 1e-6))
            target = f"prompting for {query} | {name}"
            rows.append(Result(policy, target, prompts, "rmse", rmse, ci95, len(square)))
    return rows
