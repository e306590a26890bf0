"""What a session knows: marginals, quantiles, entropies, joint draws and densities, predictions,
and what the next answer is expected to tell.

Summaries come from any `SessionModel`; distributions, joints and gains need a model in this
process, and import TensorFlow when they are asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from aline_tf.acquisition import session_input
from aline_tf.acquisition.questions import Marginal
from aline_tf.batch import OBSERVED
from aline_tf.errors import InputError
from aline_tf.models.protocol import QUANTILE_LEVELS, SessionModel
from aline_tf.spec import TaskSpec
from aline_tf.units.unit_adapter import UnitAdapter

if TYPE_CHECKING:
    import pandas as pd

    from aline_tf.acquisition.misfit import Fit
    from aline_tf.acquisition.refined.refinement import WeightedDraws

# No posterior depends on the pool: one candidate stands for all of it.
ONE = 1
_SUMMARY = ("mean", "sd", "quantiles", "probability")


class SessionPosterior:
    """What is read of a session, none of which changes it.

    A subclass has the attributes, and `batch_of(pool, predict_designs=None)`: its state as a Batch
    of one row with the first `pool` candidates.

    Attributes:
        model: a `SessionModel`.
        spec: its task, in the session's units.
        known: parameters given as known, name to value.
        parameter_units: a `UnitAdapter`, in which posteriors come back.
        choice_units: a `UnitAdapter`, in which candidates are compared.
        prediction_units: several, over which predictions are averaged.

    Example:
        >>> from aline_tf.acquisition import Session
        >>> from aline_tf.acquisition.session_posterior import SessionPosterior
        >>> issubclass(Session, SessionPosterior)
        True
    """

    model: SessionModel
    spec: TaskSpec
    known: Mapping[str, float]
    parameter_units: UnitAdapter
    choice_units: UnitAdapter
    prediction_units: tuple[UnitAdapter, ...]

    def batch_of(self, pool: int, predict_designs=None, **options) -> dict[str, np.ndarray]:
        raise NotImplementedError

    @property
    def fit(self) -> Fit:
        """Whether the answers so far are those of a subject that the model can describe: a
        `p_value`, below .01 for one such session in a hundred (see `aline_tf.acquisition.misfit`
        for what it detects). `posterior` looks by itself every ten answers where the likelihood
        is known, and is wrong about one session in a hundred, all of its looks together; who looks
        here after every answer will be wrong more often.

        Raises:
            InputError: a task whose outcomes are several, ordered or counts.

        Warns:
            MisfitWarning: once, where it is suspect.
        """
        return self._trust.fit(self._state())

    def refined(self, joint: bool = False) -> WeightedDraws | None:
        """The exact joint posterior as weighted draws, where this session refines by a likelihood.

        Args:
            joint: whether the joint is what is wanted, which models are not taught.

        Returns:
            `WeightedDraws`, equal for equal states; None where the model's own posterior stands.

        Warns:
            TrustWarning: once for each thing that is untaught, where no likelihood is known.
        """
        units = self.parameter_units
        found = self._trust.refined(self._state(), joint)
        if found is None or units.is_identity:
            return found
        return dataclasses.replace(
            found,
            theta=units.theta_from_model(self.model.spec, found.theta),
            log_evidence=self._in_units(found.log_evidence),
        )

    def _in_units(self, log_evidence):
        """log p(D) of outcomes in the session's units."""
        answered = sum(bool((answer.status == OBSERVED).all()) for answer in self.answers)
        moved = answered * np.log(self.parameter_units.outcome_scale)
        return None if log_evidence is None else float(log_evidence - moved)

    def _state(self):
        """The state as parameters are asked for, with every answer that is missing."""
        return self.batch_of(ONE, all_answers=True, units=self.parameter_units)

    def posterior(self) -> dict[str, Marginal]:
        """q(parameter | everything observed), by name; a parameter given as known is exactly
        that. Where the model's own is untaught it is refined, or a word is said (see `refine`).

        Returns:
            parameter name to `Marginal`.
        """
        self._trust.watch(self._state())
        refined = self.refined()
        if refined is not None:
            from aline_tf.acquisition.refined.marginals import refined_marginals

            return self._conditioned_on_known(refined_marginals(self.spec, refined))
        units = self.parameter_units
        answer = self.model.answer(self.batch_of(ONE, units=units))
        if not units.is_identity:
            answer = units.from_model(self.model.spec, answer)
        columns = [np.asarray(answer[f"theta_{name}"])[0] for name in _SUMMARY]
        marginals = {}
        for name, mean, sd, quantiles, probability in zip(
            self.spec.parameter_names, *columns, strict=True
        ):
            marginals[name] = Marginal(
                float(mean), float(sd), tuple(map(float, quantiles)), float(probability)
            )
        return self._conditioned_on_known(marginals)

    def _conditioned_on_known(self, marginals):
        for name, value in self.known.items():
            present = float(value != 0.0)
            marginals[name] = Marginal(value, 0.0, (value,) * len(QUANTILE_LEVELS), present)
        return marginals

    def distributions(self) -> dict:
        """The marginals as tensorflow_probability distributions, by name, refined where `posterior`
        is; a parameter given as known has all of its mass at that value.

        Raises:
            InputError: the model is behind a server, which sends summaries alone.
        """
        model = self._model_here("distributions")
        import tensorflow_probability as tfp

        refined = self.refined()
        if refined is not None:
            from aline_tf.acquisition.refined.marginals import refined_distributions

            found = refined_distributions(self._parameter_spec(), refined)
        else:
            made = self._theta_posterior(model).distributions()
            found = dict(zip(self.spec.parameter_names, made, strict=True))
        for name, value in self.known.items():
            found[name] = tfp.distributions.Deterministic([np.float32(value)], name=name)
        return found

    def predict(self, designs) -> list[Marginal]:
        """p(outcome | design, everything observed).

        Args:
            designs: [M, D] in natural units, or a table by the names of the design dimensions.

        Returns:
            one `Marginal` per design; of a binary outcome, `mean` is its probability.

        Raises:
            InputError: designs of another shape, or no numbers.
        """
        designs = session_input.designs(self.spec, designs, "designs")
        self._units.check_designs(designs, stacklevel=3)
        mean, sd, quantiles = self._predicted(designs)
        return [
            Marginal(float(m), float(s), tuple(map(float, q)), float(m))
            for m, s, q in zip(mean, sd, quantiles, strict=True)
        ]

    def _predicted(self, designs):
        """Mean and sd [M], quantiles [M, Q], averaged over `prediction_units`."""
        names, found = [f"target_{name}" for name in ("mean", "sd", "quantiles")], []
        for units in self.prediction_units:
            answer = self.model.answer(self.batch_of(ONE, designs, units=units))
            if not units.is_identity:
                answer = units.from_model(self.model.spec, {name: answer[name] for name in names})
            found.append([np.asarray(answer[name])[0] for name in names])
        if len(found) == 1:
            return found[0]
        # Imported late: it needs SciPy, which takes half of the time to import a session.
        from aline_tf.units.mixed_summaries import mixed_summaries

        parts = (np.stack(part) for part in zip(*found, strict=True))
        return mixed_summaries(*parts, QUANTILE_LEVELS)

    def quantile(self, levels) -> dict[str, Any]:
        """Quantiles of every parameter's marginal, refined where `posterior` is.

        Args:
            levels: one level in (0, 1), or several.

        Returns:
            parameter name to a float, or to an array of as many as there are levels; natural units.

        Raises:
            InputError: a level outside of (0, 1); or, behind a server, one that is not among
                `QUANTILE_LEVELS`.
        """
        array = np.asarray(session_input.numbers(levels, "levels"), float)
        if array.ndim > 1 or not ((array > 0) & (array < 1)).all():
            raise InputError(
                f"expected levels between 0 and 1; received {session_input.shown(levels)}"
            )
        flat = np.atleast_1d(array)
        # As float32 has them too.
        rounded = np.round(flat, 7).tolist()
        if set(rounded) <= set(QUANTILE_LEVELS):
            place = [QUANTILE_LEVELS.index(level) for level in rounded]
            found = {
                name: np.array(marginal.quantiles)[place]
                for name, marginal in self.posterior().items()
            }
        else:
            refined = self.refined()
            if refined is not None:
                table = refined.quantiles(flat)
            else:
                model = self._model_here("these quantiles")
                units = self.parameter_units
                table = model.theta_posterior(self._outputs(model)).quantiles(flat.tolist())[0]
                table = units.theta_from_model(self.model.spec, np.transpose(table)).T
            found = dict(zip(self.spec.parameter_names, np.asarray(table, float), strict=True))
            found |= {name: np.full(len(flat), value) for name, value in self.known.items()}
        return found if array.ndim else {name: float(value[0]) for name, value in found.items()}

    def entropy(self) -> dict[str, float]:
        """Entropy of every parameter's marginal in nats, refined where `posterior` is.

        Of an interval or a real parameter it is the differential entropy in natural units, of a
        binary one that of its two values, of a spike-and-slab one that of the density with respect
        to a point mass at 0 plus length; 0 for a parameter given as known.

        Raises:
            InputError: the model is behind a server, which sends summaries alone.
        """
        model = self._model_here("entropies")
        refined = self.refined()
        if refined is not None:
            from aline_tf.acquisition.refined.marginals import refined_entropies

            found = refined_entropies(self._parameter_spec(), refined)
        else:
            values = np.asarray(self._theta_posterior(model).entropy(), float)[0]
            found = dict(zip(self.spec.parameter_names, values.tolist(), strict=True))
        return found | dict.fromkeys(self.known, 0.0)

    def sample(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Draws of the joint posterior: refined by the likelihood where there is one (see
        `refined`), else of the model's own (see `aline_tf.models.joint`).

        Args:
            n: how many.
            seed: 0 or more; equal seeds, equal draws.

        Returns:
            pandas DataFrame, n rows, one column for each parameter; those given as known are that.

        Raises:
            InputError: n is no whole number above 0, or the model is behind a server.
        """
        n = session_input.whole_number_from(1, n, "a number of draws, 1 or more")
        seed = session_input.seed(seed)
        model = self._model_here("joint draws")
        import pandas as pd

        from aline_tf import draws
        from aline_tf.batch_ops import repeat
        from aline_tf.models.joint import sample_joint

        refined = self.refined(joint=True)
        if refined is not None:
            theta = refined.sample(n, seed)
        else:
            units = self.parameter_units
            batch = repeat(self.batch_of(ONE, units=units), n)
            theta = np.asarray(sample_joint(model, batch, draws.as_seed(seed)), float)
            theta = units.theta_from_model(self.model.spec, theta)
        table = pd.DataFrame(theta, columns=list(self.spec.parameter_names))
        return table.assign(**self.known)

    def log_prob(self, theta) -> float | np.ndarray:
        """log density of the joint posterior: exact where all parameters are named and the session
        refines (see `refined`), else the model's own log q (see `aline_tf.models.joint`).

        Args:
            theta: parameter name to a number, or to n numbers each; or a table by those names, such
                as `sample` returns. The density is that of the parameters named, in the task's
                order: name one for its marginal.

        Returns:
            float, or [n], in nats; -inf outside of the support, and wherever a parameter given as
            known has another value (its own adds nothing).

        Raises:
            InputError: names that the task does not have, no numbers, or a model behind a server.
        """
        model = self._model_here("log densities")
        from aline_tf.batch_ops import repeat
        from aline_tf.models.joint import joint_log_prob

        named = list(theta.keys()) if hasattr(theta, "keys") else []
        names = [name for name in self.spec.parameter_names if name in named]
        if not names or len(names) != len(named):
            raise InputError(
                f"expected values of {', '.join(self.spec.parameter_names)} by name; "
                f"received {session_input.shown(theta)}"
            )
        columns = [np.asarray(session_input.numbers(theta[name], name), float) for name in names]
        try:
            columns = np.broadcast_arrays(*columns)
        except ValueError:
            columns = [np.zeros((1, 1))]
        if columns[0].ndim > 1 or np.isnan(columns).any():
            raise InputError(
                "expected a number, or as many for each name, and no NaN; "
                f"received {session_input.shown(theta)}"
            )
        units, trained = self.parameter_units, self.model.spec
        (loc, scale), bends = units.parameter_maps(trained), np.zeros(columns[0].size)
        values = np.zeros([columns[0].size, len(trained.parameters)])
        allowed = np.ones(len(values), bool)
        for name, column in zip(names, columns, strict=True):
            place = trained.parameter_names.index(name)
            parameter, flat = trained.parameters[place], np.ravel(column)
            if name in self.known:
                away = 1e-7 * scale[place]
                allowed &= np.isclose(flat, self.known[name], rtol=1e-6, atol=away)
            else:
                # A point mass has no units.
                free = flat != 0.0 if parameter.kind == "spike_slab" else np.ones_like(flat)
                bends += free * np.log(scale[place])
            flat = (flat - loc[place]) / scale[place]
            allowed &= np.isfinite(flat) & session_input.inside(parameter, flat)
            values[:, place] = np.where(np.isfinite(flat), flat, 0.0)
        free = [name for name in self.spec.parameter_names if name not in self.known]
        whole = len(free) > 1 and set(free) <= set(names)
        if whole and self.refined(joint=True) is not None:
            found = self._trust.log_prob(self._state(), values)
        else:
            batch = repeat(self.batch_of(ONE, units=units), len(values))
            found = np.asarray(joint_log_prob(model, batch, values, names), float)
        found = np.where(allowed, found - bends, -np.inf)
        return found if columns[0].ndim else float(found[0])

    def expected_gain(self, designs, task=None, seed: int = 0) -> np.ndarray:
        """Expected information of the answer at each design about the selected targets, in nats.

        Without a task it is the look-ahead of `aline_tf.information.look_ahead_gain`: likely
        answers are appended and the model asked again, so it needs no likelihood and takes the
        model's predictions at their word; it is the sum over the selected targets of what each
        gains, and a target that is a normal is compared by its moments. With a task that has a
        likelihood it is nested Monte Carlo over the posterior corrected by it,
        `aline_tf.information.information_gain`: the joint's gain about the selected parameters.

        Args:
            designs: [n, D], or a table by the names of the design dimensions.
            task: with `log_likelihood` and `log_prior`, of the session's spec, or its name; None:
                look-ahead.
            seed: of the draws, 0 or more.

        Returns:
            [n], not negative.

        Raises:
            InputError: several outcome fields, a task of another spec, no likelihood, predictions
                selected where a likelihood is to judge, or a model behind a server.
        """
        seed = session_input.seed(seed)
        model = self._model_here("expected gains")
        designs = session_input.designs(self.spec, designs, "designs")
        self._units.check_designs(designs, stacklevel=3)
        if self.spec.sizes["F"] != 1 or len(self.spec.outcomes) != 1:
            raise InputError(
                "expected a task of one outcome field for expected gains; "
                f"received {self.spec.sizes['F']}"
            )
        import tensorflow as tf

        from aline_tf import draws
        from aline_tf.batch_ops import extend_context

        count = len(designs)
        units = self.choice_units
        batch = self.batch_of(ONE, units=units) | {
            "candidate_design": units.design_to_model(designs)[None].astype(np.float32),
            "candidate_mask": np.ones((1, count), bool),
        }
        if task is not None:
            return self._gain_by_likelihood(model, batch, task, seed)
        state = extend_context(batch, 1) | {
            "candidate_status": np.full((1, count, 1), OBSERVED, np.int32),
            "candidate_cost": np.zeros((1, count), np.float32),
        }
        from aline_tf.information import look_ahead_gain

        state = {name: tf.convert_to_tensor(array) for name, array in state.items()}
        index = tf.range(count)[None]
        each = np.asarray(look_ahead_gain(model, state, index, draws.as_seed(seed)), float)[0]
        unknown = batch["theta_mask"] & ~batch["known_mask"]
        return each * (unknown.sum() + batch["target_mask"].sum())

    def _gain_by_likelihood(self, model, batch, task, seed):
        import tensorflow as tf

        from aline_tf import draws
        from aline_tf.information import information_gain

        task = self._trust.checked(task)
        if task.spec != self.model.spec or getattr(task, "log_likelihood", None) is None:
            raise InputError(
                f"expected a task {self.spec.name!r} with a likelihood; received {task!r}"
            )
        if batch["target_mask"].any():
            raise InputError("expected parameters alone as targets; received target designs too")
        posterior = model.theta_posterior(model(batch))
        state = {name: tf.convert_to_tensor(array) for name, array in batch.items()}
        state["theta"] = tf.zeros_like(state["known_theta"])
        unknown = batch["theta_mask"] | batch["known_mask"]
        gain = information_gain(
            task, posterior, state, draws.as_seed(seed), 64, all_selected=bool(unknown.all())
        )
        return np.asarray(gain, float)[0]

    def _model_here(self, what: str):
        """The model, if it is in this process, compiled for any number of rows."""
        if not hasattr(self.model, "theta_distributions"):
            raise InputError(
                f"expected a model in this process for {what}; received {self.model!r}"
            )
        from aline_tf.models.compiled import Compiled

        # A frozen one would be compiled anew for every number of rows.
        return Compiled(getattr(self.model, "thawed", self.model))

    def _outputs(self, model):
        return model(self.batch_of(ONE, units=self.parameter_units))

    def _theta_posterior(self, model):
        """The model's marginals in the session's units."""
        units, outputs = self.parameter_units, self._outputs(model)
        if units.is_identity:
            return model.theta_posterior(outputs)
        return model.theta_posterior(outputs, self._parameter_spec().parameters)

    def _parameter_spec(self) -> TaskSpec:
        """The task with its parameters in the session's units."""
        return self.parameter_units.spec(self.model.spec)
