"""The psychometric function: yes or no, or right or wrong, along one stimulus axis.

    P(y = 1 | x, theta) = guess * lapse + (1 - lapse) * F((x - threshold) / slope)
    F(z) = 1 - exp(-10^z)

    threshold ~ U(-3, 3)    slope ~ U(.1, 2)    guess ~ U(.1, .9)    lapse ~ U(0, .5)

Here a trial is not attended with probability lapse, and then answered yes with probability guess.
Forced choice is another observer: of n alternatives one is right, an outcome of 1 is that choice,
and whoever perceives nothing is right once in n. Its guess rate gamma = 1 / n is known (`guess`, or
`psychometric:2afc` by name), and lapse is what the upper end lacks to one:

    P(y = 1 | x, theta) = gamma + (1 - gamma - lapse) * F((x - threshold) / slope)
    threshold ~ U(-3, 3)    slope ~ U(.1, 2)    lapse ~ U(0, (1 - gamma) / 2)

so that a share lapse / (1 - gamma) of trials is not attended, up to half of them as above.

Source: ALINE (arXiv 2506.07259), psychometric experiment. A run has 30 trials. There, half of the
training episodes are after {threshold, slope}, half after {guess, lapse}; here these two pairs have
two thirds of the episodes and every other choice of one, two or three parameters shares the rest.
A policy that has met two choices only tells them apart by a single token and has no reason to weigh
one target against another, so that all four together look to it like one of the two. All four are
never met in training, neither there nor here. Of forced choice, half of the episodes are after all
three parameters and the other half after each of the pairs and of the parameters equally often.

Source of forced choice: Wichmann and Hill (2001), equation 1.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Mapping

import tensorflow as tf

from aline_tf import draws
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks.task import Task

SPEC = TaskSpec(
    name="psychometric",
    design_names=("stimulus",),
    design_low=(-5.0,),
    design_high=(5.0,),
    fields=(Channel("response", "binary", loc=0.5, scale=0.5),),
    outcomes=(Channel("response", "binary"),),
    parameters=(
        Parameter(
            "threshold",
            low=-3.0,
            high=3.0,
            axis=0,
            description="stimulus at which F is 1 - 1/e",
        ),
        Parameter(
            "slope",
            low=0.1,
            high=2.0,
            description="spread of the transition",
            scales_with=(("stimulus", 1),),
        ),
        Parameter("guess", low=0.1, high=0.9, description="answer yes when lapsing"),
        Parameter("lapse", low=0.0, high=0.5, description="share of trials not attended"),
    ),
    horizon=30,
)
TARGET_PAIRS = (("threshold", "slope"), ("guess", "lapse"))
#: Share of the training episodes that are after one of the two pairs.
PAIR_SHARE = 2.0 / 3.0


def training_targets(pair_share: float = PAIR_SHARE) -> dict[tuple[str, ...], float]:
    """How often training is after each set of parameters; never after all four.

    Args:
        pair_share: of the two pairs together, in (0, 1]; 1 is the paper's own rule. Single
            parameters, the other pairs and the triples have a third of the rest each.

    Returns:
        probability of each set of names; they sum to one.
    """
    if not 0.0 < pair_share <= 1.0:
        raise ValueError(f"Expected pair_share in (0, 1]. Received: pair_share={pair_share}")
    shares = {pair: pair_share / len(TARGET_PAIRS) for pair in TARGET_PAIRS}
    if pair_share == 1.0:
        return shares
    for size in (1, 2, 3):
        sets = itertools.combinations(SPEC.parameter_names, size)
        others = [names for names in sets if names not in TARGET_PAIRS]
        shares |= {names: (1.0 - pair_share) / 3.0 / len(others) for names in others}
    return shares


#: 10^z beyond these exponents changes nothing in float32 and only risks overflow.
_EXPONENT_RANGE = (-12.0, 2.0)


def transition(threshold, slope, stimulus) -> tf.Tensor:
    """F((x - threshold) / slope), all of shapes that broadcast."""
    z = tf.clip_by_value((stimulus - threshold) / slope, *_EXPONENT_RANGE)
    return -tf.math.expm1(-tf.exp(z * math.log(10.0)))


def response_probability(theta, stimulus, guess: float | None = None) -> tf.Tensor:
    """P(y = 1), leading dimensions broadcast.

    Args:
        theta: [..., 4], or [..., 3] of forced choice.
        stimulus: [...].
        guess: gamma of forced choice; None for yes or no.
    """
    if guess is not None:
        threshold, slope, lapse = tf.unstack(theta, axis=-1)
        return guess + (1.0 - guess - lapse) * transition(threshold, slope, stimulus)
    threshold, slope, guess, lapse = tf.unstack(theta, axis=-1)
    return guess * lapse + (1.0 - lapse) * transition(threshold, slope, stimulus)


def forced_choice_spec(guess: float) -> TaskSpec:
    """Threshold, slope and lapse where chance alone is right with probability `guess`.

    Args:
        guess: gamma, in (0, 1); 1 / n of n alternatives.

    Raises:
        ValueError: another number.
    """
    if isinstance(guess, bool) or not 0.0 < guess < 1.0:
        raise ValueError(f"Expected guess in (0, 1), such as .5. Received: guess={guess}")
    count = round(1.0 / guess)
    form = f"{count}afc" if abs(count * guess - 1.0) < 1e-6 else f"{guess:g}"
    threshold, slope = SPEC.parameters[:2]
    lapse = Parameter(
        "lapse",
        low=0.0,
        high=0.5 * (1.0 - guess),
        description="what the share of right answers lacks to one, however strong the stimulus",
    )
    return dataclasses.replace(
        SPEC, name=f"{SPEC.name}:{form}", parameters=(threshold, slope, lapse)
    )


def forced_choice_targets() -> dict[tuple[str, ...], float]:
    """How often training of forced choice is after each set of parameters."""
    names = ("threshold", "slope", "lapse")
    smaller = [each for size in (1, 2) for each in itertools.combinations(names, size)]
    return {names: 0.5} | {each: 0.5 / len(smaller) for each in smaller}


class Psychometric(Task):
    """The task above.

    Args:
        targets: the sets of parameters that training rows are after, with their weights, which
            need not sum to one; `training_targets()` when None, or `forced_choice_targets()`.
        guess: None: yes or no, with four parameters. A number in (0, 1): forced choice with that
            chance of being right without perceiving anything, and threshold, slope and lapse.

    Raises:
        ValueError: a parameter that does not exist, a weight that is not above zero, or a guess
            out of range.

    Example:
        >>> from aline_tf import draws
        >>> from aline_tf.tasks import Psychometric
        >>> Psychometric({("slope",): 1.0}).sample_targets(draws.as_seed(0), 1).numpy().tolist()
        [[False, True, False, False]]
        >>> Psychometric(guess=0.5).spec.name
        'psychometric:2afc'
    """

    spec = SPEC
    prediction_share = 0.4

    def __init__(
        self,
        targets: Mapping[tuple[str, ...], float] | None = None,
        guess: float | None = None,
    ):
        self.guess = guess
        usual = training_targets
        if guess is not None:
            self.spec, usual = forced_choice_spec(guess), forced_choice_targets
        self.targets = dict(usual() if targets is None else targets)
        if not self.targets or not all(weight > 0.0 for weight in self.targets.values()):
            raise ValueError(f"Expected targets with weights > 0. Received: targets={self.targets}")
        self._groups = [self.spec.parameter_mask(names) for names in self.targets]
        self._log_weights = [math.log(weight) for weight in self.targets.values()]
        self._low = [parameter.low for parameter in self.spec.parameters]
        self._high = [parameter.high for parameter in self.spec.parameters]

    @classmethod
    def from_argument(cls, argument: str) -> Psychometric:
        """The task of a name such as `psychometric:2afc`.

        Args:
            argument: what stands after the colon: `2afc`, `3afc`, ... or a guess rate.

        Raises:
            ValueError: anything else.
        """
        choices = re.fullmatch("([1-9][0-9]*)afc", argument)
        try:
            guess = 1.0 / int(choices[1]) if choices else float(argument)
        except ValueError as error:
            raise ValueError(
                f"Expected 2afc, 3afc, ... or a guess rate. Received: {argument!r}"
            ) from error
        return cls(guess=guess)

    def sample_theta(self, seed, batch):
        size = [batch, len(self._low)]
        return draws.uniform(seed, size, tf.constant(self._low), tf.constant(self._high))

    def sample_designs(self, seed, batch, count):
        return draws.uniform(seed, [batch, count, 1], -5.0, 5.0)

    def simulate(self, theta, design, seed):
        probability = response_probability(theta[:, None, :], design[..., 0], self.guess)
        return draws.bernoulli(seed, probability)[..., None]

    def sample_queries(self, theta, input_seed, answer_seed, count):
        """As `Task.sample_queries`; in place of a drawn answer stands its chance, which teaches the
        same without the noise of the draw."""
        inputs = self.sample_designs(input_seed, theta.shape[0], count)
        return inputs, response_probability(theta[:, None, :], inputs[..., 0])

    def log_likelihood(self, theta, design, outcome):
        """Log probability of the answers: [...], leading dimensions broadcast.

        Args:
            theta: [..., P].
            design: [..., 1], the stimulus.
            outcome: [..., 1], 0 or 1.
        """
        probability = response_probability(theta, design[..., 0], self.guess)
        probability = tf.clip_by_value(probability, 1e-6, 1.0 - 1e-6)
        answer = outcome[..., 0]
        return answer * tf.math.log(probability) + (1.0 - answer) * tf.math.log1p(-probability)

    def log_prior(self, theta):
        """Log density for theta [..., P] inside its bounds, which is uniform: [...]."""
        volume = math.prod(high - low for low, high in zip(self._low, self._high, strict=True))
        return tf.fill(tf.shape(theta)[:-1], -math.log(volume))

    def sample_targets(self, seed, batch):
        logits = tf.repeat(tf.constant([self._log_weights]), batch, axis=0)
        return tf.gather(tf.constant(self._groups), draws.categorical(seed, logits))
