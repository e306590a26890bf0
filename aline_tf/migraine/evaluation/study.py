"""The evaluation on unseen people: forecasts, parameters, burden and prompting.

Rolling origin: every evening at 20:00 is forecast from what the records hold by then, by the
model and by baselines fitted on other simulated people. Nobody here was met in training.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aline_tf import batch_ops
from aline_tf.evaluation.results import Result
from aline_tf.migraine.evaluation import scores
from aline_tf.migraine.evaluation.baselines import Baselines
from aline_tf.migraine.evaluation.burden import STEPS, burden_curves
from aline_tf.migraine.evaluation.parameter_prompting import (
    parameter_prompting_rows,
    parameter_study,
)
from aline_tf.migraine.evaluation.particle_filter import OracleFilters
from aline_tf.migraine.evaluation.prompting import EVENINGS, RUN_IN, prompting_rows, prompting_study
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.schema.channels import FORECASTS
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX
from aline_tf.migraine.simulation.cohort import Cohort, sample_cohort
from aline_tf.migraine.simulation.population import WorldSettings
from aline_tf.models.compiled import Compiled

#: Other people, on whom baselines are fitted, and about how many of their evenings.
FITTING_PEOPLE, FITTING_EVENINGS = 2000, 24_000
#: Forecasts of one run; larger cohorts leave out evenings.
MOST_FORECASTS = 36_000
#: People of the prompting study.
STUDY_PEOPLE = 200
#: Above this a within-person AUC means a leak: a particle filter that knows every parameter of a
#: person and asks everything every day has .736.
LEAK = 0.80
_FORECAST_NAMES = tuple(channel.name for channel in FORECASTS)

Report = Callable[[str], None]


def evaluate(
    model,
    people: int = 400,
    days: int = 112,
    first_evening: int = 28,
    seed: int = 0,
    full_records: bool = False,
    particles: int = 0,
    settings: WorldSettings | None = None,
    report: Report = lambda line: None,
) -> list[Result]:
    """Every figure of the evaluation.

    Args:
        model: an ALINE of the migraine task.
        people: S, at least 2.
        days: of the last evening, up to 112.
        first_evening: days known at the first evening, at least 3.
        seed: of people, recordings and resamples.
        full_records: everybody has every device and answers all day; otherwise records are partial
            ones, drawn source by source, and burden and prompting, which have records of their
            own, are measured too.
        particles: of the filter that learns each person (see
        `aline_tf.migraine.evaluation.particle_filter`);
            0 leaves both oracle filters out.
        settings: of the simulated world, where it is not that of training. Baselines are fitted on
            people of the world of training all the same.
        report: called with a line of progress.

    Returns:
        rows; `step` counts acquired data points, so it is 0 but for burden, and for prompting,
        where it is prompts an evening, or, where parameters were queried, prompts. Without
        `RUN_IN + EVENINGS` days there is no prompting.
    """
    model = Compiled(model)
    everybody = sample_cohort(seed, people + FITTING_PEOPLE, days, first_evening)
    others = everybody.part(slice(people, None))
    if settings is not None:
        everybody = sample_cohort(seed, people, days, first_evening, settings)
    cohort = everybody.part(slice(0, people))
    if full_records:
        cohort, others = cohort.with_full_records(), others.with_full_records()
    report(f"{people} people and {FITTING_PEOPLE} others for the baselines simulated")

    fitted = Baselines(
        others, evenings_between(first_evening, days, FITTING_EVENINGS // FITTING_PEOPLE)
    )
    report("baselines fitted")
    oracle_filters = OracleFilters(cohort, particles, seed) if particles else None
    backtested = backtest(model, cohort, fitted, oracle_filters, report)
    rows = forecast_rows(backtested, fitted.rate, seed)
    report("forecasts scored")
    rows += subgroup_rows(backtested, cohort.groups(), seed)
    for known_days in dict.fromkeys((first_evening, days)):
        rows += parameter_rows(model, cohort, others, known_days, seed)
    report("parameters scored")
    if full_records:
        return rows
    feels_coming = cohort.world["theta"].numpy()[:, PARAMETER_INDEX["feels_coming"]] > 0.5
    rows += burden_rows(burden_curves(model, cohort, seed, report), feels_coming)
    if days < RUN_IN + EVENINGS:
        report(f"no prompting study: it takes {RUN_IN + EVENINGS} days")
        return rows
    some = slice(0, min(people, STUDY_PEOPLE))
    few = everybody.part(some)
    rows += prompting_rows(prompting_study(model, few, seed, report), feels_coming[some])
    return rows + parameter_prompting_rows(parameter_study(model, few, seed, report))


def evenings_between(first: int, last: int, most: int) -> list[int]:
    """At most `most` evenings, evenly spaced from `first` to at most `last`, over all weekdays."""
    step = max(1, -(-(last - first + 1) // max(most, 1)))
    # Steps of whole weeks would only ever see one weekday of a person.
    step += step % 7 == 0
    return list(range(first, last + 1, step))


def backtest(model, cohort: Cohort, fitted: Baselines, oracle_filters, report: Report) -> dict:
    """Forecasts of everybody, evening by evening; `oracle_filters` may be None.

    Returns:
        dict: forecasts, by policy [S, K, 2]; followed, bool [S, K, 2]; onset, bool [S, K]: no
        attack was under way.
    """
    most = MOST_FORECASTS // cohort.people
    evenings = evenings_between(cohort.first_evening, cohort.days, most)
    names = ("aline", *Baselines.NAMES, *(oracle_filters.NAMES if oracle_filters else ()))
    forecasts: dict[str, list] = {name: [] for name in names}
    followed, onset = [], []
    for count, known_days in enumerate(evenings):
        records = cohort.records(known_days)
        made = fitted.forecast(*records, cohort.weekday(known_days))
        if oracle_filters:
            made |= oracle_filters.forecast(*records, cohort.weekday(known_days))
        made["aline"] = attack_probabilities(model, cohort.batch(known_days, records))
        for name, probability in made.items():
            forecasts[name].append(probability)
        followed.append(cohort.followed(known_days))
        onset.append(~cohort.under_way(known_days))
        if count % 20 == 19:
            report(f"{count + 1} of {len(evenings)} evenings forecast")
    return {
        "forecasts": {name: np.stack(made, axis=1) for name, made in forecasts.items()},
        "followed": np.stack(followed, axis=1),
        "onset": np.stack(onset, axis=1),
    }


def forecast_rows(backtested: dict, rate: np.ndarray, seed: int) -> list[Result]:
    """Scores of every policy for both horizons; `rate` [2] is the base rate among other people."""
    rows = []
    for horizon, target in enumerate(_FORECAST_NAMES):
        event = backtested["followed"][:, :, horizon].astype(float)
        for policy, forecasts in backtested["forecasts"].items():
            probability, onset = forecasts[:, :, horizon], backtested["onset"]
            slope, intercept = scores.calibration(probability, event)
            within, own = scores.within_auc(probability, event)
            within_onset, own_onset = scores.within_auc(probability, event, onset)
            people = len(event)
            for metric, score, n in (
                ("within_auc", within, own),
                ("within_auc_onset", within_onset, own_onset),
                ("auc", scores.auc(probability, event), people),
                ("auc_onset", scores.auc(probability, event, onset), people),
                ("brier", scores.brier(probability, event), people),
                ("brier_skill", scores.brier_skill(probability, event, rate[horizon]), people),
                ("ece", scores.ece(probability, event), people),
                ("calibration_slope", slope, people),
                ("calibration_intercept", intercept, people),
                ("log_prob", scores.log_prob(probability, event), people),
            ):
                rows.append(_row(policy, target, metric, score, len(event), n, seed))
    return rows


def subgroup_rows(backtested: dict, groups: dict[str, np.ndarray], seed: int) -> list[Result]:
    """The model's scores within groups of people, for both horizons.

    The Brier skill of a group is against the share of events in that group, known only afterwards:
    a forecaster gains nothing by knowing the group.
    """
    rows = []
    for horizon, target in enumerate(_FORECAST_NAMES):
        for group, members in groups.items():
            if not members.any():
                continue
            event = backtested["followed"][members, :, horizon].astype(float)
            probability = backtested["forecasts"]["aline"][members, :, horizon]
            within, own = scores.within_auc(probability, event)
            people = len(event)
            for metric, score, n in (
                ("within_auc", within, own),
                ("auc", scores.auc(probability, event), people),
                ("brier", scores.brier(probability, event), people),
                ("brier_skill", scores.brier_skill(probability, event, event.mean()), people),
            ):
                rows.append(_row("aline", f"{target} | {group}", metric, score, people, n, seed))
    return rows


def parameter_rows(model, cohort: Cohort, others: Cohort, known_days: int, seed: int) -> list:
    """What is known of the parameters after `known_days`, beside what is known of anybody.

    Real parameters: rmse, coverage_90, log_prob. Those that are there or not ("is it one of
    mine"): auc, brier, log_prob. The policy "population" says the mean, spread and share among
    other people. All of them together: rmse in prior standard deviations, which prompts for
    parameters are measured in too.
    """
    theta, anybody = cohort.world["theta"].numpy(), others.world["theta"].numpy()
    outputs = batch_ops.map_rows(model, cohort.batch(known_days))
    posterior, density = _posterior(model, outputs), model.theta_log_prob(outputs, theta).numpy()
    learned = f"aline, day {known_days}"
    spread = np.maximum(theta.std(axis=0), 1e-6)
    error = _rmse(np.sqrt(np.mean(np.square((posterior["mean"] - theta) / spread), axis=1)))
    rows = [_row(learned, "all parameters", "rmse", error, len(theta), len(theta), seed)]
    for index, parameter in enumerate(model.spec.parameters):
        truth, known = theta[:, index], anybody[:, index]
        one = np.ones_like(truth)

        def add(policy, metric, score, target=parameter.name):
            rows.append(_row(policy, target, metric, score, len(theta), len(theta), seed))

        if parameter.kind == "real":
            mean, sd = known.mean(), known.std()
            inside = (posterior["low"][:, index] <= truth) & (truth <= posterior["high"][:, index])
            add(learned, "rmse", _rmse(posterior["mean"][:, index] - truth))
            add("population", "rmse", _rmse(mean - truth))
            rows.append(Result.of(learned, parameter.name, 0, "coverage_90", inside))
            normal = -0.5 * np.square((truth - mean) / sd) - np.log(sd * np.sqrt(2.0 * np.pi))
            rows.append(Result.of(learned, parameter.name, 0, "log_prob", density[:, index]))
            rows.append(Result.of("population", parameter.name, 0, "log_prob", normal))
        else:
            mine, share = (truth != 0.0).astype(float)[:, None], float(np.mean(known != 0.0))
            for policy, probability in (
                (learned, posterior["probability"][:, index, None]),
                ("population", share * one[:, None]),
            ):
                add(policy, "auc", scores.auc(probability, mine))
                add(policy, "brier", scores.brier(probability, mine))
                add(policy, "log_prob", scores.log_prob(probability, mine))
    return rows


def burden_rows(curves: dict, feels_coming: np.ndarray) -> list[Result]:
    """Log probability of what followed, its gain over the start, and the cost, step by step.

    Also how often people were asked about warning signs, apart for those who feel attacks coming
    (bool [S]) and the others: a policy that knows whom to ask asks the first more often.
    """
    rows = []
    for policy, curve in curves.items():
        for step in range(STEPS + 1):
            for horizon, target in enumerate(_FORECAST_NAMES):
                reached = curve["log_prob"][:, step, horizon]
                gain = reached - curve["log_prob"][:, 0, horizon]
                rows.append(Result.of(policy, f"burden: {target}", step, "log_prob", reached))
                rows.append(Result.of(policy, f"burden: {target}", step, "log_prob_gain", gain))
            rows.append(Result.of(policy, "burden", step, "cost", curve["cost"][:, step]))
            for group, members in (("yes", feels_coming), ("no", ~feels_coming)):
                if members.any():
                    prompts = curve["warning_prompts"][members, step]
                    target = f"burden | feels attacks coming: {group}"
                    rows.append(Result.of(policy, target, step, "warning_prompts", prompts))
    return rows


def _posterior(model, outputs: dict) -> dict[str, np.ndarray]:
    """mean, probability, and the ends of the central 90% interval (low, high): [S, P] each."""
    summary = model.theta_summary(outputs)
    quantiles = summary["quantiles"].numpy()
    return {
        "mean": summary["mean"].numpy(),
        "probability": summary["probability"].numpy(),
        "low": quantiles[:, :, 0],
        "high": quantiles[:, :, -1],
    }


def _row(policy, target, metric, score, people, n, seed) -> Result:
    mean, ci95 = scores.interval(score, people, seed)
    return Result(policy, target, 0, metric, mean, ci95, n)


def _rmse(error: np.ndarray) -> scores.Score:
    squared = np.square(error)
    return lambda weight: float(np.sqrt(weight @ squared / weight.sum()))
