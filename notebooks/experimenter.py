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
# # You are the experimenter
#
# An observer looks at a faint stimulus and says *yes, I saw it* or *no*. How the share of yeses
# grows with the stimulus is that person's **psychometric function**, and a laboratory wants to
# know it in few trials. Here you run the experiment: a panel tells what to show, you click what
# was said, and the posterior answers.
#
# Run all cells first, then come back to the panels and click. In each of them a cell clicks a few
# times by itself, so that the notebook shows something without you. Everything that the text
# claims is asserted by the cell above it.

# %%
SEED = 5
TRIALS = 15  # for threshold and slope, and as many for guess and lapse after them
OBSERVERS = 300  # simulated, in the comparisons; the error bars shrink with its root
KNOWN = 200  # of them, for what a known threshold is worth
CROWD = OBSERVERS >= 200  # fewer run as well, and prove too little for what is claimed

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display

import aline_tf
from aline_tf import plots
from aline_tf.acquisition import LearnedPolicy, Policy, RandomPolicy
from aline_tf.acquisition.laboratory import SessionPanel, replay, session_picture
from aline_tf.tasks.psychometric import response_probability

BLACK, ORANGE, BLUE, GREEN, RED = "#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00"
plt.rcParams |= {
    "figure.dpi": 80,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
}
model = aline_tf.ALINE.from_preset("psychometric")
names = model.spec.parameter_names

# %% [markdown]
# ## Who sits in front of the screen
#
# A stimulus $x$ between -5 and 5 is answered by yes with probability
#
# $$P(y = 1 \mid x, \theta)
# = \theta_3 \theta_4 + (1 - \theta_4)\, F\!\left(\frac{x - \theta_1}{\theta_2}\right),
# \qquad F(z) = 1 - e^{-10^z}.$$
#
# The **threshold** $\theta_1$ is where the curve rises, the **slope** $\theta_2$ over how wide a
# stretch. On a share $\theta_4$ of the trials, the **lapses**, the observer does not attend and
# says yes with probability $\theta_3$, the **guess**, whatever was shown. So the middle of the
# range tells about the first two, and the plateaus about the others.
#
# If nobody is at hand, this simulated observer answers. Only the simulator knows the four numbers.

# %%
TRUTH = dict(zip(names, (-1.2, 0.6, 0.8, 0.3), strict=True))


def observer(stimulus, trial):
    """What the observer says, 1 for yes; the same in the same trial."""
    theta = np.array(list(TRUTH.values()), np.float32)
    chance = np.random.default_rng([SEED, trial]).random()
    return float(chance < response_probability(theta, np.float32(stimulus)))


stimuli = np.linspace(-5, 5, 401, dtype=np.float32)
curve = response_probability(np.array(list(TRUTH.values()), np.float32), stimuli).numpy()
figure, axis = plt.subplots(figsize=(5, 2.4))
axis.plot(stimuli, curve, color=BLACK)
axis.axvline(TRUTH["threshold"], color=RED, ls=":")
axis.set(xlabel="stimulus x (arbitrary units)", ylabel="P(yes)", ylim=(0, 1), title="the observer")
plt.show()
assert abs(curve[0] - TRUTH["guess"] * TRUTH["lapse"]) < 0.01
assert abs(curve[-1] - (1 - TRUTH["lapse"] * (1 - TRUTH["guess"]))) < 0.01

# %% [markdown]
# Left of the rise yeses are guesses in a lapse; right of it all but such a guess of no are yeses.
#
# ## The panel
#
# We are after threshold and slope. The panel shows the stimulus that the model would ask, a button
# for each answer, and what is known: a line from 5 to 95% of each posterior, thick from 25 to 75%,
# and the predicted share of yeses along the stimulus. *The observer answers* lets the simulated one
# say it; *no answer* tells that none came.

# %%
session = aline_tf.Session(model, np.linspace(-5, 5, 101)[:, None], target="threshold,slope")
panel = SessionPanel(session, answers=("no", "yes"))
observer_answers = widgets.Button(description="the observer answers")


def on_observer(_):
    if panel.question is not None:
        panel.answer(observer(panel.question.design[0], session.steps))


observer_answers.on_click(on_observer)
display(widgets.VBox([observer_answers, panel.view]))

# %% [markdown]
# The first trials, clicked by this cell: the buttons do here what they do under your mouse.

# %%
for _ in range(TRIALS):
    observer_answers.click()
display(Image(panel.picture.value))

before, now = replay(session)[0].posterior(), session.posterior()
for name in session.target:
    print(f"{name:10}{before[name].mean:6.2f} ± {before[name].sd:.2f} before any answer, "
          f"{now[name].mean:5.2f} ± {now[name].sd:.2f} after {TRIALS}; "
          f"true {TRUTH[name]}")  # fmt: skip
assert session.steps == TRIALS and panel.message.value == ""
assert now["threshold"].sd < 0.5 * before["threshold"].sd
assert abs(now["threshold"].mean - TRUTH["threshold"]) < 2 * now["threshold"].sd
assert now["slope"].sd > 0.8 * before["slope"].sd

# %% [markdown]
# The spread of the threshold is less than half of what it was, and the truth lies within two
# standard deviations of the posterior mean. The slope is as vague as before: fifteen times yes or
# no say little about it. What was shown, and how the posterior moved:

# %%
states = replay(session)
figure, axes = plt.subplots(1, 3, figsize=(11, 2.8))
plots.queries(session, axes[0])
axes[0].axhline(TRUTH["threshold"], color=RED, ls=":")
for name, axis in zip(session.target, axes[1:], strict=True):
    plots.posterior_over_steps(states, name, TRUTH[name], axis)
plt.show()

# %% [markdown]
# A slip of the finger is taken back, and an answer that cannot be is refused in one sentence.

# %%
asked = panel.question
panel.answer_buttons[1].click()
panel.take_back.click()
assert session.steps == TRIALS and panel.question.index == asked.index
panel.answer(0.5)
print(panel.message.value)
assert "0.5" in panel.message.value and session.steps == TRIALS

# %% [markdown]
# ## Change your mind
#
# Now we would rather know guess and lapse. Choose them in the list *to learn*, or let the cell do
# it: nothing is trained again, what is known stays, and the next questions are others.

# %%
panel.targets.value = ("guess", "lapse")
for _ in range(TRIALS):
    observer_answers.click()
display(Image(panel.picture.value))

shown = session.history["stimulus"].to_numpy()
away = np.abs(shown - TRUTH["threshold"])
print(f"distance to the true threshold: {away[:TRIALS].mean():.2f} in the first {TRIALS} trials, "
      f"{away[TRIALS:].mean():.2f} in the others")  # fmt: skip
then, now = replay(session)[TRIALS].posterior(), session.posterior()
for name in session.target:
    print(f"{name:10}{then[name].mean:5.2f} ± {then[name].sd:.2f} at the switch, "
          f"{now[name].mean:.2f} ± {now[name].sd:.2f} at the end; true {TRUTH[name]}")  # fmt: skip
    assert now[name].sd < then[name].sd
    assert abs(now[name].mean - TRUTH[name]) < abs(then[name].mean - TRUTH[name])
assert away[TRIALS:].mean() > away[:TRIALS].mean()

# %% [markdown]
# After the switch the stimuli lie farther from the threshold, on the plateaus, and both posteriors
# have become narrower and moved towards the truth.

# %% [markdown]
# ## Choose the stimuli yourself
#
# Can you do better than the model? Move the slider, show the stimulus to the same observer, and
# watch. Your session asks nothing; it only takes what you tell it.

# %%
mine = aline_tf.Session(model, np.linspace(-5, 5, 101)[:, None], target="threshold,slope")
slider = widgets.FloatSlider(value=0.0, min=-5.0, max=5.0, step=0.1, description="stimulus")
show_it = widgets.Button(description="show it")
said, picture = widgets.HTML(), widgets.Image(format="png", value=session_picture(mine))


def on_show(_):
    heard = observer(slider.value, mine.steps)
    mine.tell([slider.value], heard)
    spread = ", ".join(f"{name} ± {mine.posterior()[name].sd:.2f}" for name in mine.target)
    said.value = f"{mine.steps}: {slider.value:+.1f}, {'yes' if heard else 'no'}. Now {spread}"
    picture.value = session_picture(mine)


show_it.on_click(on_show)
display(widgets.VBox([widgets.HBox([slider, show_it]), said, picture]))

# %% [markdown]
# This cell plays somebody who knows nothing better than five stimuli, evenly spaced, in turn.

# %%
LEVELS = (-4.0, -2.0, 0.0, 2.0, 4.0)
for stimulus in np.resize(LEVELS, TRIALS):
    slider.value = stimulus
    show_it.click()
print(said.value)
display(Image(picture.value))
assert mine.steps == TRIALS and said.value.startswith(f"{TRIALS}: ")

# %% [markdown]
# ## Is the model's choice worth anything?
#
# One observer proves nothing. Many, drawn from the prior, are met three times: by the model's
# choice, by five stimuli in turn, and by stimuli at random. The posterior is the model's each time,
# so that only the stimuli differ. The error is the root mean square over the pair that is to be
# learned.

# %%
from aline_tf.evaluation import metrics
from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.experiments.psychometric.estimates import model_estimates
from aline_tf.experiments.psychometric.runs import simulate_runs, target_mask

PAIRS = ("threshold,slope", "guess,lapse")
observers = simulate_runs(OBSERVERS, candidates=101, seed=SEED, horizon=2 * TRIALS)


class InTurn(Policy):
    """The five stimuli of above in turn."""

    name = "in-turn"

    def _choose(self, batch, mask):
        level = LEVELS[int(np.sum(batch["context_mask"][0])) % len(LEVELS)]
        distance = np.abs(batch["candidate_design"][..., 0] - level)
        return np.argmin(np.where(mask, distance, np.inf), axis=1)


policies = {"model": LearnedPolicy(model), "in turn": InTurn(), "random": RandomPolicy(SEED)}
steps = [0, 2, 5, 10, 15, 20, 30]
steps = [step for step in steps if step <= 2 * TRIALS]
errors, posterior = {}, ModelPosterior(model)
for pair in PAIRS:
    for name, policy in policies.items():
        data = observers.play(policy, target_mask(pair), replace=True)
        mean = model_estimates(posterior, data, steps, target_mask(pair)).mean
        errors[pair, name] = np.stack(
            [metrics.rmse(mean[:, k], observers.theta, target_mask(pair))
             for k in range(len(steps))], axis=1)  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3))
style = {"model": (BLUE, "o-"), "in turn": (GREEN, "s--"), "random": (ORANGE, "^:")}
for axis, pair in zip(axes, PAIRS, strict=True):
    for name, (colour, line) in style.items():
        error = errors[pair, name]
        bar = 1.96 * error.std(0, ddof=1) / np.sqrt(OBSERVERS)
        axis.errorbar(steps, error.mean(0), bar, fmt=line, color=colour, label=name, ms=4, lw=1.2)
    axis.set(title=pair.replace(",", ", "), xlabel="trials", ylabel="RMSE", ylim=(0, None))
axes[0].legend()
plt.show()

for pair in PAIRS:
    for name in ("in turn", "random"):
        more = (errors[pair, name] - errors[pair, "model"])[:, -1]
        mean, bar = metrics.mean_and_ci95(more)
        own, other = (errors[pair, each][:, -1].mean() for each in ("model", name))
        print(f"{{{pair}}}: {name} {other:.3f}, model {own:.3f}: {mean:.3f} ± {bar:.3f} more")
        assert not CROWD or mean - bar > 0.0

# %% [markdown]
# In both pairs the model's own choice ends with a smaller error than either: the 95% interval of
# the difference, of the same observers, is above zero. Bars in the picture are over observers, who
# differ more than the ways of asking do.

# %% [markdown]
# ## What you know already
#
# Say that the threshold is known from an earlier day. Given as `known`, it stands beside the
# answers. What is that worth for guess and lapse, after the same answers?

# %%
from aline_tf.experiments.psychometric.estimates import context_batch

crowd = simulate_runs(KNOWN, candidates=101, seed=SEED + 1, horizon=TRIALS)
data = crowd.play(RandomPolicy(SEED), target_mask(PAIRS[1]))
context = context_batch(data, TRIALS, target_mask(PAIRS[1]))
unaided = model.theta_summary(model(context))["mean"].numpy()
context["known_theta"][:, 0], context["known_mask"][:, 0] = crowd.theta[:, 0], True
informed = model.theta_summary(model(context))["mean"].numpy()
figure, axes = plt.subplots(1, 2, figsize=(6.4, 3), sharey=True)
for axis, p in zip(axes, (2, 3), strict=True):
    axis.scatter(unaided[:, p], informed[:, p], s=10, color=BLUE, alpha=0.6, linewidth=0)
    axis.axline((0.5, 0.5), slope=1, color=BLACK, lw=0.8)
    axis.set(title=names[p], xlabel="mean from the answers alone")
axes[0].set_ylabel("mean, threshold known")
plt.show()
error = [metrics.rmse(mean, crowd.theta, target_mask(PAIRS[1])) for mean in (unaided, informed)]
less, bar = metrics.mean_and_ci95(error[0] - error[1])
print(f"RMSE {error[0].mean():.3f} from {TRIALS} answers, {error[1].mean():.3f} with the threshold "
      f"known: {less:.3f} ± {bar:.3f} less")  # fmt: skip
assert not CROWD or less - bar > 0.0

# %% [markdown]
# The error of guess and lapse is smaller when the threshold is known. For a session it is
# `Session(..., known={"threshold": -1.2})`.
#
# ## Go on tomorrow
#
# The session is plain data. It is taken up elsewhere, on another day or another computer, and asks
# the same question there.

# %%
text = session.to_json()
resumed = aline_tf.Session.from_json(text, model)
session.release()
assert resumed.steps == session.steps and resumed.target == session.target
resumed.release()
assert resumed.ask().index == session.ask().index
print(f"{len(text):,} characters hold {resumed.steps} trials; the next stimulus is "
      f"{resumed.pending[0].design[0]:+.1f}")  # fmt: skip
resumed.history.drop(columns="time").tail(3)
