# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Watching the questions come
#
# A model of this package chooses its own data. Here we look over its shoulder: where it measures
# an unknown function, how its stimuli move when an experimenter wants to know something else, and
# what it would ask a person with migraine this evening.
#
# Nothing is trained here, and everything that the text claims is asserted by the cell above it.

# %%
SEED = 4
FUNCTIONS = 24  # on which the policy is compared with chance; the error bars shrink with its root
OBSERVERS = 48  # simulated, for the stimuli
QUERIES = 15
EVERY = 2  # so many answers between two frames of a moving picture
TRIALS = 30
SWITCH = 15  # after so many trials something else is to be known
QUESTIONS = 6  # at most, to a person with migraine

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display

import aline_tf
from aline_tf.acquisition import LearnedPolicy, RandomPolicy
from aline_tf.acquisition.laboratory import animate, plot_curve, plot_posterior, replay

BLACK, ORANGE, BLUE, GREEN, RED = "#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00"
plt.rcParams |= {
    "figure.dpi": 80,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
}

# %% [markdown]
# ## An unknown function
#
# `gp1d` was trained on functions drawn from Gaussian processes. We draw one that it has not met,
# hide it, and let the model choose where to measure it: 15 of 200 places. It is after the values
# at 100 other places, so these are its targets, and no parameter is.

# %%
from aline_tf.experiments.functions.function_runs import play_runs, prior_runs
from aline_tf.tasks import GP1D

model = aline_tf.ALINE.from_preset("gp1d")
runs = prior_runs(GP1D(), FUNCTIONS, candidates=200, seed=SEED)
hidden = runs.pool_outcome[0]

session = aline_tf.Session(
    model, runs.pool_design[0], target=[], target_designs=runs.target_design[0], rescale=False
)
session.tell(runs.initial_design[0, 0], runs.initial_outcome[0, 0])
for _ in range(QUERIES):
    question = session.ask()
    session.tell(question, hidden[question.index])
print(session)
states = replay(session)[1:]  # the first measurement was given

# %% [markdown]
# Below is the session once more: the posterior mean with its 90% band, what has been measured, the
# place that is measured next (dashed), and the function itself, which only we can see.

# %%
order = np.argsort(runs.pool_design[0, :, 0])
highest = 1.3 * np.abs(hidden).max()


def draw_state(state, figure):
    axes = plot_curve(state, figure.add_subplot())
    axes.plot(runs.pool_design[0, order, 0], hidden[order], color=BLACK, lw=1, ls=":")
    for question in state.pending:
        axes.axvline(question.design[0], color=BLUE, ls="--", lw=1)
    axes.set(xlabel="x", ylim=(-highest, highest), title=f"{state.steps} measured")


movie = animate([*states[:-1:EVERY], states[-1]], draw_state, milliseconds=500, dpi=60)
display(Image(data=movie, format="png"))

# %% [markdown]
# The same on paper: five of these states.

# %%
figure = plt.figure(figsize=(12, 2.5))
parts = figure.subfigures(1, 5)
for part, state in zip(parts, [states[k] for k in (0, 2, 4, 8, QUERIES)], strict=True):
    draw_state(state, part)
    part.axes[0].set_ylabel("")
plt.show()

# %% [markdown]
# Each measurement should be worth its effort. How large is the error at the places it was after,
# and how far from what was known did it measure?

# %%
error, away = [], []
for state in states:
    mean = np.array([marginal.mean for marginal in state.predict(runs.target_design[0])])
    error.append(np.sqrt(np.mean((mean - runs.target_outcome[0]) ** 2)))
    known = np.array([answer.design[0] for answer in state.answers])
    away += [np.abs(known - question.design[0]).min() for question in state.pending]
print("RMSE:", np.round(error, 3))
print("distance to what was known:", np.round(away, 2))
assert error[-1] < 0.25 * error[0]
assert min(away) > 0.2

# %% [markdown]
# The error fell to less than a quarter, and it never measured where it had measured before.
#
# One function proves nothing. Here are several, each met by the policy and by chance; predictions
# are the model's in both cases.

# %%
from aline_tf.evaluation import metrics
from aline_tf.evaluation.predictors import ModelPredictor

predictors = {"model": ModelPredictor(model)}
curves = {}
for name, policy in {"policy": LearnedPolicy(model), "random": RandomPolicy(SEED)}.items():
    _, found = play_runs(policy, runs, QUERIES, predictors)
    everything = np.ones(runs.target_outcome.shape[1], bool)
    curves[name] = np.stack(
        [metrics.rmse(found["model"].mean[:, t], runs.target_outcome, everything)
         for t in range(QUERIES + 1)], axis=1)  # fmt: skip

figure, axes = plt.subplots(figsize=(5.5, 3))
for (name, curve), colour, line in zip(curves.items(), (RED, "#7F7F7F"), "-:", strict=False):
    middle, bar = curve.mean(0), 1.96 * curve.std(0, ddof=1) / np.sqrt(FUNCTIONS)
    axes.plot(1 + np.arange(QUERIES + 1), middle, color=colour, ls=line, label=name)
    axes.fill_between(1 + np.arange(QUERIES + 1), middle - bar, middle + bar, color=colour,
                      alpha=0.15, lw=0)  # fmt: skip
axes.set(xlabel="measurements", ylabel="RMSE", yscale="log", title=f"{FUNCTIONS} functions")
axes.set_yticks([0.05, 0.1, 0.2, 0.5], ["0.05", "0.1", "0.2", "0.5"])
axes.minorticks_off()
axes.legend()
plt.show()

ratio = curves["policy"][:, -1].mean() / curves["random"][:, -1].mean()
print(f"error of the policy after {QUERIES + 1} measurements: {ratio:.2f} of that of chance")
assert ratio < 0.7

# %% [markdown]
# After as many measurements the policy's error is less than 0.7 of that of chance.

# %% [markdown]
# ## Changing what one wants to know
#
# An observer says yes or no to stimuli. At first we want threshold and slope, later guess
# and lapse; `retarget` says so, and nothing is trained again.

# %%
from aline_tf.tasks.psychometric import response_probability

psychometric = aline_tf.ALINE.from_preset("psychometric")
truth = np.array([-1.0, 0.6, 0.5, 0.1], np.float32)
names = psychometric.spec.parameter_names
chance = np.random.default_rng(SEED)
stimuli = np.linspace(-5, 5, 101)[:, None]
session = aline_tf.Session(psychometric, stimuli, "threshold,slope", refine=False)
for trial in range(TRIALS):
    if trial == SWITCH:
        session.retarget("guess,lapse")
    question = session.ask()
    yes = chance.random() < response_probability(truth, np.float32(question.design[0]))
    session.tell(question, float(yes))
states = replay(session)


def draw_trials(state, figure):
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    table = state.history
    for value, face, label in ((1.0, BLUE, "yes"), (0.0, "white", "no")):
        rows = table[table["response"] == value]
        left.scatter(rows["trial"], rows["stimulus"], facecolor=face, edgecolor=BLUE, label=label)
    left.axhline(truth[0], color=ORANGE, ls="--", lw=1)
    left.axvline(SWITCH + 0.5, color=BLACK, lw=1)
    aim = "threshold, slope" if state.steps < SWITCH else "guess, lapse"
    left.set(xlim=(0, TRIALS + 1), ylim=(-5.4, 5.4), xlabel="trial", ylabel="stimulus",
             title=f"target: {aim}")  # fmt: skip
    plot_posterior(state, names, right)
    for row, parameter in enumerate(psychometric.spec.parameters):
        place = (truth[row] - parameter.low) / (parameter.high - parameter.low)
        right.plot(place, row + 0.25, "^", color=BLACK)
    right.set(xlim=(0, 1), xlabel="within the prior's range")


frames = [*states[: -1 : 2 * EVERY], states[-1]]
movie = animate(frames, draw_trials, size=(8, 3.2), milliseconds=500, dpi=60)
display(Image(data=movie, format="png"))

# %% [markdown]
# Dashed is the observer's true threshold; triangles mark the true values beside the posterior of
# each parameter (a line from 5 to 95%, thick from 25 to 75%).
#
# Is it the rule that stimuli move outwards? Many simulated observers meet the policy twice, in
# this order of targets and in the other. A row of the picture is a stretch of the stimulus, its
# shade the share of observers who are shown it in that trial.

# %%
from aline_tf.experiments.psychometric.plots import draw_queries
from aline_tf.experiments.psychometric.runs import simulate_runs, target_mask
from aline_tf.experiments.psychometric.target_switch import ORDERS, order_name, query_shares

observers = simulate_runs(OBSERVERS, candidates=100, seed=SEED, horizon=TRIALS)
played, outer = {}, {}
for order in ORDERS:
    masks = [target_mask(pair) for pair in order]
    aims = np.repeat(masks, (SWITCH, TRIALS - SWITCH), axis=0)
    data = observers.play(LearnedPolicy(psychometric), aims)
    played["policy", order_name(*order)] = data
    outer[order] = [share.mean() for share in query_shares(data, SWITCH)]
figure = draw_queries(played, SWITCH)
display(figure)
for order, (before, after) in outer.items():
    print(f"{order_name(*order)}: {before:.0%} in the outer 30% of the range, then {after:.0%}")
(first, second), (third, fourth) = outer.values()
assert second - first > 0.3 and third - fourth > 0.3

# %% [markdown]
# In either order the share of stimuli in the outer 30% of the range moves by more than 30 points
# when the aim does: threshold and slope are sought in the middle, guess and lapse on the
# plateaus.

# %% [markdown]
# ## What to ask a person this evening
#
# The migraine model knows 112 days of a simulated person's records, of whom the simulator knows
# all, so that every question can be answered truly. It is evening, and nothing has been said
# about the last hours yet.

# %%
from aline_tf import draws
from aline_tf.batch import MISSING, OBSERVED
from aline_tf.migraine.forecast import attack_risks, history_batch, value_candidates, worth_asking
from aline_tf.migraine.interview.interview import answerable
from aline_tf.migraine.records import day_history
from aline_tf.migraine.simulation import person_timeline, simulate_people
from aline_tf.migraine.simulation.simulated_timeline import last_evening
from aline_tf.migraine.task import load_model

world = {name: np.asarray(array)[0] for name, array in
         simulate_people(draws.as_seed(SEED), 1, 112).items()}  # fmt: skip
timeline = person_timeline(world["value"], world["status_if_tried"], world["weekday"])
history = day_history(timeline, last_evening(world["weekday"]), 112)
migraine = load_model()
for candidate in answerable(history.changed(0, range(history.status.shape[1]), 0.0, MISSING)):
    history = history.changed(candidate.days_ago, [candidate.field], 0.0, MISSING)
print(f"{int((history.status != MISSING).any(axis=1).sum())} days with records")

# %% [markdown]
# For every question the model expects a gain: by how much its answer would lower the uncertainty
# about when the next attack comes, in thousandths of a nat, averaged over the answers it thinks
# likely. A question is asked where that is worth its burden. Answers are as the records hold them:
# heart rate variability is the logarithm of milliseconds.

# %%
COST_WEIGHT = 0.001  # nats that one prompt has to be worth
answers, valued, risks = [], [], []
while True:
    batch, pool = history_batch(history, answerable(history))
    risks.append(attack_risks(migraine, batch)[0][0])
    valued.append(value_candidates(migraine, batch, pool, COST_WEIGHT))
    best = worth_asking(valued[-1], 1)[0]
    if best.value <= 0.0 or len(answers) == QUESTIONS:
        break
    candidate = best.candidate
    value = float(world["value"][111 - candidate.days_ago, candidate.field])
    answers.append((best, value))
    history = history.changed(candidate.days_ago, [candidate.field], value, OBSERVED)

for (best, value), before, after in zip(answers, risks[:-1], risks[1:], strict=True):
    print(f"{best.candidate.label}? {value:.3g}   (expected gain {1000 * best.gain:.1f} "
          f"millinats; risk {before.probability:.1%} -> {after.probability:.1%})")  # fmt: skip
labels = [best.candidate.label for best, _ in answers]
assert len(set(labels)) == len(labels)  # nothing is asked twice
assert all(each.gain >= 0.0 for found in valued for each in found)
assert QUESTIONS < 6 or len(answers) < QUESTIONS  # it stopped by itself

# %% [markdown]
# Nothing is asked twice, no gain is negative, and after a few answers it stops by itself: no other
# is worth its burden. The picture shows the questions that were worth most before the first answer,
# and what became of them.

# %%
shown = [each.candidate for each in valued[0][:8]]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), width_ratios=(3, 2))
for found, height, colour, label in (
    (valued[0], -0.2, BLUE, "before any answer"),
    (valued[-1], 0.2, ORANGE, f"after {len(answers)}"),
):
    gain = {each.candidate: 1000 * each.gain for each in found}
    axes[0].barh(np.arange(8) + height, [gain.get(each, 0.0) for each in shown], 0.38,
                 color=colour, label=label)  # fmt: skip
axes[0].set_yticks(range(8), [each.label for each in shown])
axes[0].invert_yaxis()
axes[0].set_xlabel("expected gain (millinats)")
axes[0].legend()
steps = np.arange(len(risks))
axes[1].plot(steps, [100 * risk.probability for risk in risks], "o-", color=RED)
axes[1].fill_between(steps, [100 * risk.low for risk in risks], [100 * risk.high for risk in risks],
                     color=RED, alpha=0.15, lw=0)  # fmt: skip
axes[1].set(xlabel="answers", ylabel="risk within 24 h (%)", ylim=(0, None), xticks=steps)
plt.show()

# %% [markdown]
# The burden decides too: where a prompt has to be worth a whole nat, nothing is worth asking.

# %%
dear = value_candidates(migraine, batch, pool, cost_weight=1.0)
assert all(each.value < 0.0 for each in dear)
