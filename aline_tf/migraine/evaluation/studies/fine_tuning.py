"""What recorded people are worth where the world is not that of training.

People of the shifted world recorded themselves, as anybody does: with holes, some in a diary of
attacks alone. The model is trained on with them, as `aline-tf migraine train` does it, and then
forecasts evenings of others of that world whom it has never met. Beside it stand the model as it
was, and a reference: the same model, all of its weights trained on with the simulator of that
world, with people without end, whose chances of an attack are known and not only whether it came.

    share of the gap = (log score fine-tuned - as it was) / (log score of the reference - as it was)

All three forecast the same evenings. Intervals are over the people who are forecast: those who
recorded themselves are one draw, of which a seed makes another.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from aline_tf.evaluation.metrics import mean_and_ci95
from aline_tf.migraine.evaluation.scores import log_probs
from aline_tf.migraine.evaluation.studies.planning import person_history
from aline_tf.migraine.evaluation.study import evenings_between
from aline_tf.migraine.forecast.forecast import attack_probabilities
from aline_tf.migraine.simulation.cohort import Cohort, sample_cohort
from aline_tf.migraine.simulation.population import SHIFTED, WorldSettings
from aline_tf.migraine.task.fine_tuning import fine_tune
from aline_tf.migraine.task.recorded import RecordedTask
from aline_tf.migraine.task.simulated import MigraineTask
from aline_tf.models.compiled import Compiled

#: Who records, for how long, and the first evening that is forecast of the others.
RECORDED, DAYS, FIRST_EVENING = 40, 112, 28
#: Evenings forecast of each of them.
EVENINGS = 12
#: Steps and learning rate of the reference.
REFERENCE_STEPS, REFERENCE_RATE = 400, 5e-4
RESAMPLES = 2000
MODELS = ("as it was", "fine-tuned", "reference")


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """Log scores of the three models on the same evenings, and what the training took.

    Attributes:
        log_scores: by the names of `MODELS`: [S, K, 2], people, evenings, 24 and 48 hours; in nats.
        evenings: that were learned from.
        seconds: of processor time that fine-tuning took.

    Example: half of the gap.

        >>> import numpy as np
        >>> from aline_tf.migraine.evaluation import FineTuned
        >>> scores = {"as it was": -0.5, "fine-tuned": -0.49, "reference": -0.48}
        >>> whole = {name: np.full([3, 2, 2], score) for name, score in scores.items()}
        >>> round(FineTuned(whole, 2000, 60.0).share_recovered()[0], 3)
        0.5
    """

    log_scores: dict[str, np.ndarray]
    evenings: int
    seconds: float

    def gain(self, model: str) -> np.ndarray:
        """What a model is better than the one as it was, person by person: [S, 2], nats."""
        return (self.log_scores[model] - self.log_scores[MODELS[0]]).mean(axis=1)

    def share_recovered(self, hours=(24, 48), seed: int = 0) -> tuple[float, float, float]:
        """Share of the gap that fine-tuning closes, and its 90% interval over people.

        Args:
            hours: of the forecasts that count.
            seed: of the resamples.

        Returns:
            (share, low, high); not numbers where the reference is no better than the model as it
            was.
        """
        columns = [hour // 24 - 1 for hour in hours]
        own, reference = (self.gain(name)[:, columns].mean(axis=1) for name in MODELS[1:])
        if reference.mean() <= 0.0:
            return (float("nan"),) * 3
        which = np.random.default_rng(seed).integers(len(own), size=[RESAMPLES, len(own)])
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = np.quantile(own[which].mean(1) / reference[which].mean(1), (0.05, 0.95))
        return float(own.mean() / reference.mean()), float(low), float(high)


def recorded_people(cohort: Cohort) -> RecordedTask:
    """The evenings of a cohort as recorded ones: what its records hold on the last day, no more."""
    return RecordedTask([person_history(cohort, person) for person in range(cohort.people)])


def evening_scores(model, cohort: Cohort) -> np.ndarray:
    """Log probability of what followed, evening by evening: [S, K, 2], nats."""
    compiled = Compiled(model)
    return np.stack(
        [
            log_probs(
                attack_probabilities(compiled, cohort.batch(known_days)),
                cohort.followed(known_days),
            )
            for known_days in evenings_between(cohort.first_evening, cohort.days, EVENINGS)
        ],
        axis=1,
    )


def fine_tuning_study(
    read: Callable,
    people: int,
    seed: int = 0,
    recorded: int = RECORDED,
    reference_steps: int = REFERENCE_STEPS,
    report: Callable[[str], None] = lambda line: None,
    settings: WorldSettings = SHIFTED,
) -> FineTuned:
    """Trains twice and scores three models.

    Args:
        read: gives the model as it was, a new one at every call.
        people: S, that are forecast.
        seed: of everybody and of the training.
        recorded: people to learn from.
        reference_steps: of the reference's training.
        report: called with a line of progress.
        settings: of the world of all of them.

    Raises:
        InputError: nobody who recorded has an evening to learn from.
    """
    everybody = sample_cohort(seed, recorded + people, DAYS, FIRST_EVENING, settings)
    others = everybody.part(slice(recorded, None))
    task = recorded_people(everybody.part(slice(0, recorded)))
    log_scores = {MODELS[0]: evening_scores(read(), others)}
    report(f"the model as it was forecasts {people} people")
    model, started = read(), time.process_time()
    fine_tune(model, task, seed=seed, verbose=0)
    seconds = time.process_time() - started
    report(f"fine-tuned on {len(task.evenings):,} evenings of {recorded} people")
    log_scores[MODELS[1]] = evening_scores(model, others)
    model = read()
    fine_tune(
        model,
        MigraineTask(settings=settings),
        steps=reference_steps,
        learning_rate=REFERENCE_RATE,
        seed=seed,
        weights="all",
        verbose=0,
    )
    report(f"the reference trained in {reference_steps} steps")
    log_scores[MODELS[2]] = evening_scores(model, others)
    return FineTuned(log_scores, len(task.evenings), seconds)


def study_text(found: FineTuned) -> str:
    """The three models in a table, and the share of the gap in words."""
    people = len(found.log_scores[MODELS[0]])
    lines = [f"{'log score, nats an evening':28}{'24 h':>18}{'48 h':>18}"]
    for name in MODELS:
        cells = [mean_and_ci95(column) for column in found.log_scores[name].mean(axis=1).T]
        lines.append(f"{name:28}" + "".join(f"{mean:10.4f} ± {bar:.4f}" for mean, bar in cells))
    for name in MODELS[1:]:
        cells = [mean_and_ci95(1000 * column) for column in found.gain(name).T]
        lines.append(
            f"{name + ', millinats more':28}"
            + "".join(f"{mean:10.2f} ± {bar:.2f}  " for mean, bar in cells).rstrip()
        )
    lines.append("± is half of a 95% interval over people; all models met the same ones.")
    lines.append(f"Share of the gap that fine-tuning closes, 90% interval over {people} people:")
    for hours, title in (((24,), "within 24 h"), ((48,), "within 48 h"), ((24, 48), "both")):
        share, low, high = found.share_recovered(hours)
        words = f"{100 * share:.0f}% ({100 * low:.0f} to {100 * high:.0f}%)"
        lines.append(f"  {title:12}  {words if share == share else 'no gap to close'}")
    return "\n".join(lines)
