"""Oracle filters: approximate Bayesian filters that know how the simulator works.

A model cannot foresee more than somebody who knows the simulator, sees the same records and
computes. For every person, `particles` sets of parameters are drawn from the prior (or the one true
set is given); for each of them an exact forward filter follows the phase and the hidden
vulnerability slot by slot, and the likelihood of the records weighs the sets:

    state   interictal | prodrome | attack of age 0 to 11, untreated or treated | postdrome,
            times 5 levels of vulnerability
    weight  prod_t p(records of slot t | records before, parameters)

Levels of sensors and inputs of the hazard enter as estimates (`expected_inputs`), so this is a
little less than the best that could be done.

Sizes: S people, M particles, V levels of vulnerability, K states of the phase.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from aline_tf import draws
from aline_tf.batch import OBSERVED
from aline_tf.migraine.evaluation.expected_inputs import expected_inputs, level, readings
from aline_tf.migraine.schema.channels import SLOTS, SPOT_READING, places
from aline_tf.migraine.schema.parameters import PARAMETER_INDEX, TRIGGERS
from aline_tf.migraine.simulation.attack_probability import LONGEST, MEDIANS, ending_probabilities
from aline_tf.migraine.simulation.measurement import ATTACK_DIP, PRODROME_DIPS
from aline_tf.migraine.simulation.population import sample_people
from aline_tf.migraine.simulation.recording import ATTACK_DIARY, SLOT_DIARY
from aline_tf.migraine.simulation.simulator import (
    GOES_ON,
    HAZARD_OFFSET,
    POSTDROME_ENDS,
    PRODROME_ENDS,
    TRAITS,
    VULNERABILITY_MEMORY,
)

#: People filtered together: their states stay in the processor's cache.
_AT_ONCE = 25
#: Days whose records may still grow; the filter goes over them again every evening.
UNSETTLED = 4
#: Share of attacks that end up in a diary of attacks.
NOTED = 0.75
_LEVELS = 5
_INTERICTAL, _PRODROME, _POSTDROME = 0, 1, 2 + 2 * LONGEST
_UNTREATED, _TREATED = slice(2, 2 + LONGEST), slice(2 + LONGEST, 2 + 2 * LONGEST)
_STATES = 3 + 2 * LONGEST


def vulnerability_grid() -> tuple[np.ndarray, np.ndarray]:
    """Levels [V] of the daily AR(1) and their transitions [V, V], by Rouwenhorst's method."""
    stay = 0.5 * (1.0 + VULNERABILITY_MEMORY)
    matrix = np.array([[stay, 1.0 - stay], [1.0 - stay, stay]])
    for size in range(3, _LEVELS + 1):
        grown = np.zeros((size, size))
        for rows, columns, share in (
            (slice(0, -1), slice(0, -1), stay),
            (slice(0, -1), slice(1, None), 1.0 - stay),
            (slice(1, None), slice(0, -1), 1.0 - stay),
            (slice(1, None), slice(1, None), stay),
        ):
            grown[rows, columns] += share * matrix
        grown[1:-1] /= 2.0
        matrix = grown
    width = np.sqrt(_LEVELS - 1.0)
    return np.linspace(-width, width, _LEVELS), matrix


@dataclasses.dataclass
class _FilterState:
    """`state` [K, V, S, M], which sums to 1 over K and V; `log_weight` [S, M]."""

    state: np.ndarray
    log_weight: np.ndarray

    def copy(self) -> _FilterState:
        return _FilterState(self.state.copy(), self.log_weight.copy())


class ParticleFilter:
    """Forecasts of a few people by filtering, evening after evening.

    Args:
        style: int [S], how people keep their diaries (see
        `aline_tf.migraine.simulation.recording`). Notes of
            whole days are read for attacks alone; where attacks alone are noted, silence tells too.
        particles: M.
        seed: of the particles.
        people: theta [S, P] and the simulator's `TRAITS` of these very people, for a filter that
            knows them; None draws M for each of them from the prior.

    Example:
        >>> import numpy as np
        >>> from aline_tf.migraine.evaluation import ParticleFilter
        >>> from aline_tf.migraine.schema.channels import FIELDS
        >>> outcome = np.zeros([2, 5, len(FIELDS)], np.float32)
        >>> nothing = np.zeros([2, 5, len(FIELDS)], np.int32)
        >>> weekday = np.array([0, 3])
        >>> ParticleFilter([0, 1], particles=4).forecast(outcome, nothing, weekday).shape
        (2, 2)
    """

    def __init__(self, style, particles: int = 200, seed: int = 0, people: dict | None = None):
        self.size = len(style)
        shape = (self.size, particles if people is None else 1)
        drawn = (
            sample_people(draws.as_seed(seed), shape[0] * shape[1]) if people is None else people
        )
        theta = np.asarray(drawn["theta"], np.float32).reshape(*shape, -1)
        traits = {name: np.asarray(drawn[name], np.float32) for name in TRAITS}
        first = PARAMETER_INDEX[f"beta_{TRIGGERS[0].name}"]
        self.effects = theta[..., first : first + len(TRIGGERS)]
        self.alpha = theta[..., PARAMETER_INDEX["alpha"]] + HAZARD_OFFSET
        self.swing = theta[..., PARAMETER_INDEX["beta_vulnerability"]]
        self.dip = np.where(theta[..., PARAMETER_INDEX["hrv_responder"]] > 0.5, *PRODROME_DIPS)
        self.slot_effect = traits["slot_effect"].reshape(*shape, SLOTS)
        self.pain = traits["pain_level"].reshape(shape)
        self.signs = traits["prodrome_sensitivity"].reshape(shape)
        self.false_signs = traits["prodrome_false"].reshape(shape)
        self.treats = traits["treats"].reshape(shape)
        nearest = np.abs(np.log(MEDIANS) - np.log(traits["median_hours"])[:, None]).argmin(1)
        self.ends = []
        for treated in (False, True):
            ends = ending_probabilities(MEDIANS, treated)[nearest].reshape(*shape, LONGEST)
            self.ends.append(np.moveaxis(ends, 2, 0).astype(np.float32)[:, None])
        self.slot_diary = (np.asarray(style) == SLOT_DIARY)[:, None]
        self.attack_diary = np.asarray(style) == ATTACK_DIARY
        self.levels, self.drift = (part.astype(np.float32) for part in vulnerability_grid())
        start = np.zeros((_STATES, _LEVELS, *shape), np.float32)
        resting = np.linalg.matrix_power(self.drift.astype(float), 200)[0]
        start[_INTERICTAL] = resting[:, None, None]
        self.settled = _FilterState(start, np.zeros(shape, np.float32))
        self.days_settled = 0

    def forecast(self, outcome: np.ndarray, status: np.ndarray, weekday: np.ndarray) -> np.ndarray:
        """Probabilities [S, 2] of an attack within 24 and 48 hours.

        Args:
            outcome, status: records [S, C, F] at 20:00 of the last day; C never falls between
                calls.
            weekday: [S], today's.
        """
        days = outcome.shape[1]
        records = _Records(outcome, status, weekday, self.attack_diary)
        while self.days_settled < days - UNSETTLED:
            self._live_day(self.settled, records, self.days_settled)
            self.days_settled += 1
        filter_state = self.settled.copy()
        for day in range(self.days_settled, days):
            self._live_day(filter_state, records, day)
        weight = np.exp(filter_state.log_weight - filter_state.log_weight.max(1, keepdims=True))
        weight /= weight.sum(1, keepdims=True)
        free = filter_state.state
        without = []
        for _ in (0, 1):
            free = self._vulnerability_moves(free)
            # Nothing is known of the day after tomorrow that is not known of tomorrow.
            for slot in range(SLOTS):
                free = self._step(free, self._hazard(records, days, slot))
                free[_UNTREATED] = 0.0
                free[_TREATED] = 0.0
            without.append((weight * free.sum((0, 1))).sum(1))
        return 1.0 - np.stack(without, axis=1)

    def _live_day(self, filter_state: _FilterState, records: _Records, day: int) -> None:
        if day > 0:
            filter_state.state = self._vulnerability_moves(filter_state.state)
        for slot in range(SLOTS):
            filter_state.state = self._step(filter_state.state, self._hazard(records, day, slot))
            self._read(filter_state, records, day, slot)

    def _vulnerability_moves(self, state):
        return np.einsum("vu,kvsm->kusm", self.drift, state, optimize=True)

    def _hazard(self, records, day, slot):
        """Chance [V, S, M] that an episode begins, of somebody interictal."""
        logit = self.alpha + self.slot_effect[..., slot]
        logit = logit + np.einsum("smk,sk->sm", self.effects, records.trigger[:, day])
        return 1.0 / (1.0 + np.exp(-(logit + self.levels[:, None, None] * self.swing)))

    def _step(self, state, hazard):
        """The phase one slot later."""
        prodrome, postdrome = state[_PRODROME], state[_POSTDROME]
        free = state[_INTERICTAL] + POSTDROME_ENDS * postdrome
        free = free + PRODROME_ENDS * (1.0 - GOES_ON) * prodrome
        breaks_out = PRODROME_ENDS * GOES_ON * prodrome
        after = np.empty_like(state)
        after[_INTERICTAL] = (1.0 - hazard) * free
        after[_PRODROME] = (1.0 - PRODROME_ENDS) * prodrome + hazard * free
        over = (1.0 - POSTDROME_ENDS) * postdrome
        for part, ends, share in (
            (_UNTREATED, self.ends[0], 1.0 - self.treats),
            (_TREATED, self.ends[1], self.treats),
        ):
            ended = state[part] * ends
            after[part][0] = share * breaks_out
            after[part][1:] = (state[part] - ended)[:-1]
            over = over + ended.sum(0)
        after[_POSTDROME] = over
        return after

    def _read(self, filter_state, records, day, slot):
        """Weighs states and particles by what was recorded of one slot."""
        state = filter_state.state
        for part, chance in self._likelihood(records, day, slot):
            state[part] *= chance
        total = np.maximum(state.sum((0, 1)), 1e-30)
        filter_state.log_weight += np.log(total)
        state /= total

    def _likelihood(self, records, day, slot) -> list:
        """Likelihood of a slot's records by part of the states, [V, S, M] or less."""
        parts = (_INTERICTAL, _PRODROME, _UNTREATED, _TREATED, _POSTDROME)
        found = [np.ones((1, self.size, 1), np.float32)] * 5

        def report(name):
            value = records.slot(name, day, slot)[:, None]
            return np.isfinite(value), np.nan_to_num(value)

        observed, outcome = report("attack")
        for index in range(5):
            attack = index in (2, 3)
            yes = 0.97 if attack else 0.005
            chance = np.where(outcome > 0.5, yes, 1.0 - yes)
            silence = np.where(records.silent[:, day, None], 1.0 - NOTED * attack, 1.0)
            found[index] = found[index] * np.where(observed, chance, silence)
        observed, outcome = report("pain")
        observed = observed & self.slot_diary
        if observed.any():
            latent = (-0.6, 0.6, 2.9 * self.pain - 0.4, 2.2 * self.pain - 0.4, -0.6)
            for index in range(5):
                found[index] = found[index] * np.where(
                    observed, _scale_chance(outcome, latent[index]), 1
                )
        observed, outcome = report("prodrome")
        observed = observed & self.slot_diary
        if observed.any():
            for index in range(5):
                yes = self.signs if index == 1 else self.false_signs
                chance = np.where(outcome > 0.5, yes, 1.0 - yes)
                found[index] = found[index] * np.where(observed, chance, 1.0)
        observed, outcome = report("medication")
        observed = observed & self.slot_diary
        if observed.any():
            for index, yes in enumerate((0.015, 0.015, 0.15, 0.5, 0.015)):
                chance = np.where(outcome > 0.5, yes, 1.0 - yes)
                found[index] = found[index] * np.where(observed, chance, 1.0)
        for reading, of_slot, noise, of_level, of_dip in records.sensors:
            if of_slot != slot:
                continue
            away = reading[:, day][:, None]
            observed, away = np.isfinite(away), np.nan_to_num(away)
            if not observed.any():
                continue
            shift = of_level * self.levels[:, None, None]
            for index in range(5):
                dip = ATTACK_DIP if index in (2, 3) else self.dip if index == 1 else 0.0
                z = (away - shift - of_dip * dip) / noise
                chance = np.where(observed, np.exp(-0.5 * z * z), 1.0).astype(np.float32)
                found[index] = found[index] * chance
        return list(zip(parts, found, strict=True))


class _Records:
    """Records of S people as the filter reads them."""

    def __init__(self, outcome, status, weekday, attack_diary):
        self._outcome, self._status = outcome, status
        noted = (status[:, :, list(places("attack"))] == OBSERVED).any(2)
        # From the first note on, and not today, whose entry may be yet to come.
        begun = np.logical_or.accumulate(noted, axis=1) & attack_diary[:, None]
        self.silent = begun & (np.arange(noted.shape[1]) < noted.shape[1] - 1)
        inputs = expected_inputs(outcome, status, weekday)
        self.trigger = inputs.trigger.astype(np.float32)
        stress = inputs.stress[:, :-1]
        # Readings minus level and stress, whose effect is that on people in general; slot, noise,
        # effect of vulnerability and of a dip.
        self.sensors = []
        for name, slot, mean, sd, noise, of_stress, of_level, of_dip in (
            ("ln_rmssd", 0, 3.4, 0.45, 0.18, -0.08, -0.10, 1.0),
            ("ln_sdnn", 1, 3.75, 0.41, 0.22, -0.064, -0.08, 1.0),
            ("resting_hr", 0, 62.0, 6.6, 2.1, 0.7, 0.5, -8.0),
            ("ln_steps", 2, 8.72, 0.45, 0.37, 0.0, 0.0, 1.7),
            ("ln_screen_time", 2, 1.15, 0.40, 0.32, 0.0, 0.0, 1.4),
            (SPOT_READING, SLOTS - 1, 3.4, 0.45, 0.25, -0.08, -0.10, 1.0),
        ):
            value = readings(outcome, status, name) - of_stress * stress
            self.sensors.append(
                (value - level(value, mean, sd, noise), slot, noise, of_level, of_dip)
            )

    def slot(self, name, day, slot):
        """Answers [S] about one slot, NaN where there is none."""
        place = places(name)[slot]
        observed = self._status[:, day, place] == OBSERVED
        return np.where(observed, self._outcome[:, day, place], np.nan)


def _scale_chance(answer, latent):
    """Chance of a 0-10 answer: an ordered logit cut at the half integers."""

    def below(edge):
        return 1.0 / (1.0 + np.exp(-np.clip((edge - latent) / 0.55, -30.0, 30.0)))

    upper = np.where(answer >= 10.0, 1.0, below(answer + 0.5))
    lower = np.where(answer <= 0.0, 0.0, below(answer - 0.5))
    return np.maximum(upper - lower, 1e-6)


class OracleFilters:
    """Both filters for a whole cohort: one that learns each person from the records (the particle
    filter), and the known-parameter filter, which is called "told filter" in evaluation files.

    Args:
        cohort: an `aline_tf.migraine.simulation.cohort.Cohort`.
        particles: of the one that learns.
        seed: of its particles.

    Example:
        >>> from aline_tf.migraine.evaluation import OracleFilters
        >>> from aline_tf.migraine.simulation.cohort import sample_cohort
        >>> cohort = sample_cohort(seed=0, people=2, days=8, first_evening=6)
        >>> filters = OracleFilters(cohort, particles=5)
        >>> made = filters.forecast(*cohort.records(8), cohort.weekday(8))
        >>> {name: risk.shape for name, risk in made.items()}
        {'particle filter': (2, 2), 'told filter': (2, 2)}
    """

    NAMES = ("particle filter", "told filter")

    def __init__(self, cohort, particles: int, seed: int = 0):
        style = np.asarray(cohort.recording["style"])
        known = {name: np.asarray(cohort.world[name]) for name in ("theta", *TRAITS)}
        self._filters = []
        for start in range(0, cohort.people, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            people = {name: table[part] for name, table in known.items()}
            learns = ParticleFilter(style[part], particles, seed + start)
            knows = ParticleFilter(style[part], people=people)
            self._filters.append((part, (learns, knows)))

    def forecast(self, outcome, status, weekday) -> dict[str, np.ndarray]:
        """Probabilities of an attack within 24 h and 48 h: [S, 2] for each of `NAMES`.

        Args:
            outcome, status: records [S, C, F] at 20:00 of the last day.
            weekday: [S], today's.
        """
        made: dict[str, list] = {name: [] for name in self.NAMES}
        for part, filters in self._filters:
            for name, each in zip(self.NAMES, filters, strict=True):
                made[name].append(each.forecast(outcome[part], status[part], weekday[part]))
        return {name: np.concatenate(parts) for name, parts in made.items()}
