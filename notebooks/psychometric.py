# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What should I show next, and what do I know by now?
#
# An observer looks at a faint stimulus and says *yes, I saw it* or *no*. How the share of yeses
# grows with the stimulus is that person's **psychometric function**, and a laboratory wants to
# measure it in few trials. Two questions come back after every answer: what is known about this
# person, and which stimulus would teach most about what is still wanted?
#
# One network answers both in one forward pass. In this notebook we train a small one, look at
# what it has learned to ask, follow one observer through thirty trials, change our mind
# half-way about what we want to know, and compare with the model that ships with the package.
#
# Open it in JupyterLab with *Open With -> Notebook*: it is a plain Python file, read by
# Jupytext.

# %% [markdown]
# ## Sizes
#
# These settings are meant for impatience: everything below runs within three minutes on one
# core. They already give a policy that beats random stimuli. More buys sharper beliefs and finer
# choices. The shipped model was trained with width 32, depth 3, 4 heads, 5000 warm-up and 2000
# joint steps, batches of 128 and pools of 200: about an hour.

# %%
SEED = 7

WIDTH, DEPTH, HEADS = 16, 2, 2  # of the transformer
WARMUP_STEPS = 1000  # inference alone, on random stimuli; 2 to 3 times as many still help a lot
JOINT_STEPS = 300  # inference and policy together; each costs ten times a warm-up step
BATCH = 48  # episodes in a joint step: more make the gradient of the policy less noisy
POOL = 40  # stimuli a training episode may choose from; more make a finer policy

SUBJECTS = 60  # simulated observers in the comparisons; the error bars shrink with its root
TRIALS = 30  # answers we get from each

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import aline_tf
from aline_tf.acquisition.policies import LearnedPolicy, RandomPolicy
from aline_tf.evaluation import metrics
from aline_tf.evaluation.model_posterior import ModelPosterior
from aline_tf.experiments.psychometric import estimates as study
from aline_tf.experiments.psychometric.runs import simulate_runs, target_mask
from aline_tf.models.packaged_presets import savedmodels_dir
from aline_tf.tasks.psychometric import Psychometric, response_probability
from aline_tf.training.recipe import Recipe

keras.utils.set_random_seed(SEED)

# The colours of Okabe and Ito, told apart with every kind of colour vision.
BLACK, ORANGE, SKY, GREEN, BLUE, RED = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00"
)  # fmt: skip
plt.rcParams |= {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
}
STIMULUS = "stimulus x (arbitrary units)"

# %% [markdown]
# ## The task
#
# A stimulus $x \in [-5, 5]$ is answered by yes, $y = 1$, with probability
#
# $$P(y = 1 \mid x, \theta)
# = \theta_3 \theta_4 + (1 - \theta_4)\, F\!\left(\frac{x - \theta_1}{\theta_2}\right),
# \qquad F(z) = 1 - e^{-10^z},$$
#
# where on a share $\theta_4$ of the trials the observer does not attend, and then says yes with
# probability $\theta_3$, whatever was shown. Before any answer every value is as likely as any
# other:
#
# | | parameter | prior | what it moves |
# |---|---|---|---|
# | $\theta_1$ | threshold | $U(-3, 3)$ | where the curve rises |
# | $\theta_2$ | slope | $U(0.1, 2)$ | over how wide a stretch; *small is steep* |
# | $\theta_3$ | guess | $U(0.1, 0.9)$ | yeses among the inattentive trials |
# | $\theta_4$ | lapse | $U(0, 0.5)$ | how many trials are inattentive |

# %%
task = Psychometric()
names = task.spec.parameter_names
TYPICAL = np.array([0.0, 0.8, 0.5, 0.2], np.float32)
stimuli = np.linspace(-5, 5, 201, dtype=np.float32)

figure, axes = plt.subplots(1, 4, figsize=(11, 2.7), sharey=True)
for p, (axis, parameter) in enumerate(zip(axes, task.spec.parameters, strict=True)):
    for share, colour in zip((0.1, 0.5, 0.9), (SKY, BLUE, BLACK), strict=True):
        theta = TYPICAL.copy()
        theta[p] = parameter.low + share * (parameter.high - parameter.low)
        curve = response_probability(theta, stimuli)
        axis.plot(stimuli, curve, color=colour, label=f"{theta[p]:.2g}")
    axis.set(title=f"{parameter.name} varies", xlabel="stimulus x (a.u.)", ylim=(-0.02, 1.02))
    axis.legend(loc="upper left", handlelength=1.2)
axes[0].set_ylabel("P(yes)")
figure.suptitle("Response curves", fontsize="large")
plt.show()

# %% [markdown]
# The curves say where to look. Threshold and slope change the middle part. Guess and lapse
# change the two plateaus: the left one lies at $\theta_3 \theta_4$, the right one at $1 -
# \theta_4 + \theta_3 \theta_4$, and only both together tell guess from lapse. So *what is worth
# showing depends on what is wanted*. That is what the network has to find out by itself.

# %% [markdown]
# ## Training
#
# `Trainer` is a Keras model with the usual `compile` and `fit`. There is no data set: each step
# simulates its own observers, and half of them are studied for {threshold, slope}, half for
# {guess, lapse}. In training some parameters are now and then given as known.
#
# The recipe starts with a warm-up: random stimuli, and only the beliefs learn, by minimising
# $-\log q(\theta \mid D)$ at every length of the history $D$. In the joint phase the policy
# chooses the stimuli. It learns from a *teacher*, which enumerates how many nats the answer to
# each offered stimulus can be expected to bring, and from the information it really gained
# (REINFORCE).

# %%
own_model = aline_tf.ALINE(
    task.spec,
    hidden_dim=WIDTH,
    num_layers=DEPTH,
    num_heads=HEADS,
    intermediate_dim=64,
    components=6,
)
recipe = Recipe(
    batch=BATCH,
    warmup_batch=2 * BATCH,
    warmup_steps=WARMUP_STEPS,
    joint_steps=JOINT_STEPS,
    horizon=TRIALS,
    pool=POOL,
    candidates_per_step=POOL // 2,
    steps_per_episode=3,
    teacher=(1.0, 0.5),
    teacher_draws=10,
    policy_weight=0.1,
    entropy=(0.0, 0.0),
    temperature=(1.0, 0.3),
    learning_rate=3e-3,
)
trainer = aline_tf.Trainer(own_model, task)
trainer.compile(recipe=recipe, seed=SEED)
print(f"{own_model.count_params():,} weights, {recipe.steps} steps")

# %% [markdown]
# We stop once after the warm-up, to keep a record of what an untaught policy asks.

# %%
EPOCH = 50  # steps between two points of the curves below
warmup = trainer.fit(epochs=WARMUP_STEPS // EPOCH, steps_per_epoch=EPOCH, verbose=0)

# %%
observers = simulate_runs(SUBJECTS, candidates=100, seed=SEED, horizon=TRIALS)
pairs = ("threshold,slope", "guess,lapse")
policy = LearnedPolicy(own_model)


def queries(chosen_by):
    """The stimuli [subjects, trials] that a policy shows when it is after each of the pairs."""
    return {pair: observers.play(chosen_by, target_mask(pair)).design[..., 0] for pair in pairs}


before = queries(policy)

# %%
joint = trainer.fit(steps_per_epoch=EPOCH, verbose=0)  # on to the recipe's end
after = queries(policy)

# %%
steps = EPOCH * (1 + np.arange(recipe.steps // EPOCH))
curves = {name: warmup.history[name] + joint.history[name] for name in warmup.history}
in_joint = steps > WARMUP_STEPS

figure, axes = plt.subplots(1, 3, figsize=(11, 2.9))
axes[0].plot(steps, curves["inference"], color=BLUE)
axes[0].axvline(WARMUP_STEPS, color=BLACK, linestyle=":", linewidth=1)
top = axes[0].get_xaxis_transform()
axes[0].text(WARMUP_STEPS - 20, 0.95, "warm-up", ha="right", fontsize="small", transform=top)
axes[0].text(WARMUP_STEPS + 20, 0.95, "joint", fontsize="small", transform=top)
axes[0].set(title="beliefs", ylabel="inference loss (nats)")
axes[1].plot(steps[in_joint], np.array(curves["teacher"])[in_joint], "o-", color=ORANGE)
axes[1].set(title="policy against its teacher", ylabel="cross-entropy (nats)")
axes[2].plot(steps[in_joint], np.array(curves["reward"])[in_joint], "o-", color=GREEN)
axes[2].set(title=f"learned from {TRIALS} answers", ylabel="nats per wanted parameter")
for axis in axes:
    axis.set_xlabel("training step")
plt.show()

# %% [markdown]
# The inference loss may go *up* when the joint phase begins. The question has become harder,
# not the answer worse: the network now judges histories that its own policy wrote, of which
# only the wanted parameters were served well, and no longer the even spread of random stimuli.

# %% [markdown]
# ## Watch the policy
#
# The same simulated observers meet the network before and after the joint phase. Each column of
# a panel is a trial, and its shade tells how the stimuli shown in that trial are distributed
# over the observers.

# %%
figure, axes = plt.subplots(2, 2, figsize=(9, 5.4), sharex=True, sharey=True)
edges = np.linspace(-5, 5, 26)
for row, (when, shown) in zip(axes, {"before": before, "after": after}.items(), strict=True):
    for axis, pair in zip(row, pairs, strict=True):
        share = np.stack([np.histogram(column, edges)[0] for column in shown[pair].T], axis=1)
        image = axis.pcolormesh(
            np.arange(TRIALS + 1) + 0.5, edges, share / SUBJECTS, cmap="cividis", vmax=0.6
        )
        outer = metrics.outer_share(shown[pair], -5, 5).mean()
        axis.set_title(f"{when}: wants {{{pair.replace(',', ', ')}}}, {outer:.0%} outer")
for axis in axes[1]:
    axis.set_xlabel("trial")
for axis in axes[:, 0]:
    axis.set_ylabel("stimulus x (a.u.)")
figure.colorbar(image, ax=axes, label="share of observers", extend="max", shrink=0.7)
plt.show()

# %% [markdown]
# *Outer* is the share of queries in the outer 30 % of the range. Before the joint phase the
# policy head knows nothing: what it asks hardly depends on the observer or on what is wanted.
# Afterwards, threshold and slope are sought in the middle, and after the first answers the
# stimuli spread because each observer is followed to his or her own threshold; guess and lapse
# are sought on the plateaus.

# %% [markdown]
# ## Against random stimuli, and a longer training
#
# The shipped model is the same network, wider and trained for longer; it is loaded from its
# preset. All contenders meet the same observers. Each is judged by its own beliefs: the error
# is the root mean square over the wanted pair, averaged over observers, in units of the
# parameters.


# %%
def errors(model, chosen_by, pair, at):
    """RMSE over the pair of each subject at trials `at`: [subjects, len(at)]."""
    selected = target_mask(pair)
    data = observers.play(chosen_by, selected)
    posterior = ModelPosterior(model)
    means = study.model_estimates(posterior, data, at, selected).mean
    return np.stack(
        [metrics.rmse(means[:, k], observers.theta, selected) for k in range(len(at))], axis=1
    )


shipped = aline_tf.load_preset(savedmodels_dir() / "psychometric" / "1")
contenders = {
    "shipped, own choice": (shipped, LearnedPolicy(shipped), BLUE, "o-"),
    "shipped, random stimuli": (shipped, RandomPolicy(SEED), ORANGE, "s--"),
    "trained here, own choice": (own_model, policy, BLACK, "^-"),
    "trained here, random stimuli": (own_model, RandomPolicy(SEED), GREEN, "v--"),
}
at = np.array([1, 5, 10, 15, 20, 30])

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8))
for axis, pair in zip(axes, pairs, strict=True):
    for shift, (label, (model, chosen_by, colour, style)) in enumerate(contenders.items()):
        error = errors(model, chosen_by, pair, at)
        bar = 1.96 * error.std(axis=0, ddof=1) / np.sqrt(SUBJECTS)
        axis.errorbar(at + 0.3 * shift, error.mean(axis=0), bar, fmt=style, color=colour,
                      label=label, markersize=4, linewidth=1.2, elinewidth=0.8)  # fmt: skip
        print(f"{{{pair}}}  {label:30} {error[:, -1].mean():.3f} ± {bar[-1]:.3f}")
    axis.set(title=f"{{{pair.replace(',', ', ')}}}", xlabel="trial", ylim=(0, None))
axes[0].set_ylabel("RMSE (a.u.)")
axes[1].set_ylabel("RMSE (probability)")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %% [markdown]
# On threshold and slope, ten stimuli of the policy's choice are worth more than thirty random
# ones. On guess and lapse there is less to gain: they are read off two plateaus by counting,
# and a yes or a no is little to count. Bars are 95 % intervals over observers. All contenders
# met the same observers, so the differences are better determined than the bars suggest.

# %% [markdown]
# ## One observer
#
# A `Session` is how a model is used: `ask` for the next stimulus, show it, `tell` the answer,
# and look at the beliefs at any time. The loop belongs to the user; here a simulated observer
# stands in for the real one. From here on we use the shipped model. Set `model = own_model` to
# see what a minute of training makes of the same observer.

# %%
model = shipped
truth = dict(zip(names, (-0.5, 0.4, 0.2, 0.35), strict=True))
pool = np.linspace(-5, 5, 101)[:, None]


def answer(design, trial):
    """Yes (1) or no (0) of the observer; the same chance number in the same trial."""
    chance = np.random.default_rng([SEED, trial]).random()
    theta = np.array(list(truth.values()), np.float32)
    return float(chance < response_probability(theta, np.float32(design[0])).numpy())


session = aline_tf.Session(model, pool, target="threshold,slope")
question = session.ask()
print(f"first stimulus {question.design[0]:+.1f}, chosen from {len(pool)}")

# %% [markdown]
# `session.distributions()` returns the marginal beliefs as TensorFlow Probability
# distributions, so we can draw samples, integrate, or, here, plot their densities.

# %%
grids = {
    parameter.name: np.linspace(parameter.low, parameter.high, 301, dtype=np.float32)[1:-1]
    for parameter in task.spec.parameters
}


def densities(current):
    """The density of each parameter's marginal on its grid, by name."""
    beliefs = current.distributions()
    return {name: beliefs[name].prob(grids[name]).numpy() for name in names}


def go_on(current, until):
    """Asks and tells up to trial `until`; returns the stimuli and answers of these trials."""
    trials = []
    while current.steps < until:
        question = current.ask()
        seen = answer(question.design, current.steps)
        current.tell(question.index, seen)
        trials.append((question.design[0], seen))
    return trials


SWITCH = 15
beliefs, trials = {0: densities(session)}, []
for until in (5, SWITCH):
    trials += go_on(session, until)
    beliefs[until] = densities(session)


# %%
def plot_beliefs(which, styles, title, shown=names):
    """One panel per shown parameter: densities by label, and the truth."""
    figure, axes = plt.subplots(1, len(shown), figsize=(3 + 2 * len(shown), 2.8))
    for axis, name in zip(axes, shown, strict=True):
        for (label, density), (colour, line) in zip(which.items(), styles, strict=True):
            axis.plot(grids[name], density[name], color=colour, linestyle=line, label=label)
        axis.axvline(truth[name], color=RED, linestyle=(0, (1, 1)), linewidth=2, label="truth")
        axis.set(title=name, ylim=(0, None), xlabel="value (a.u.)" if name in pairs[0] else "value")
    axes[0].set_ylabel("density")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.suptitle(title, fontsize="large")
    plt.show()


plot_beliefs(
    {f"{trial} trials": density for trial, density in beliefs.items()},
    ((SKY, "-"), (BLUE, "--"), (BLACK, "-")),
    f"{SWITCH} trials for {{threshold, slope}}",
)

# %% [markdown]
# A few answers can mislead: with an observer who is inattentive on a third of the trials, the
# belief after five of them may well stand in the wrong place. Fifteen have found the threshold.
# The slope stays vague, as it must with so few yeses and noes, and nobody has asked for guess and
# lapse yet.

# %% [markdown]
# ## Change the question
#
# Half-way we would rather know guess and lapse. `retarget` keeps all that is known; the
# selection of targets is part of the network's input, so nothing has to be trained again.

# %%
session.retarget("guess,lapse")
trials += go_on(session, TRIALS)
beliefs[TRIALS] = densities(session)

# %%
shown, seen = np.array(trials).T
number = 1 + np.arange(TRIALS)
curve = response_probability(np.array(list(truth.values()), np.float32), stimuli).numpy()

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), width_ratios=(3, 1), sharey=True)
left.scatter(number[seen == 1], shown[seen == 1], color=BLUE, marker="o", label="yes")
left.scatter(
    number[seen == 0], shown[seen == 0], facecolor="white", edgecolor=BLUE, marker="o", label="no"
)
left.axhline(truth["threshold"], color=RED, linestyle=(0, (1, 1)), label="true threshold")
left.axvline(SWITCH + 0.5, color=BLACK, linewidth=1)
left.text(SWITCH, 5.5, "for {threshold, slope}", ha="right", fontsize="small")
left.text(SWITCH + 1, 5.5, "for {guess, lapse}", fontsize="small")
left.set(xlabel="trial", ylabel=STIMULUS, ylim=(-5.3, 6.3))
right.plot(curve, stimuli, color=RED)
right.set(xlabel="P(yes), true curve", xlim=(0, 1))
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

# %% [markdown]
# The first half crowds around the rise of this observer's curve. From the sixteenth trial on
# the stimuli move out to the plateaus, and the beliefs about guess and lapse respond.

# %%
plot_beliefs(
    {f"{trial} trials": beliefs[trial] for trial in (SWITCH, TRIALS)},
    ((SKY, "-"), (BLACK, "-")),
    "After the switch to {guess, lapse}",
)

# %% [markdown]
# The session is plain data: it can be written down and taken up elsewhere, and asks the same
# question there.

# %%
resumed = aline_tf.Session.from_json(session.to_json(), model)
assert resumed.ask().index == session.ask().index
print(f"{len(session.to_json()):,} characters hold the session after {resumed.steps} trials")

# %% [markdown]
# ## When something is already known
#
# Suppose that the threshold is known from an earlier day, and only guess and lapse are new.
# Given as `known`, the value enters the context beside the answers. How much does that sharpen
# the others? We let the policy question a crowd as above, fifteen trials for either pair, and
# then look at the very same answers with and without the true threshold.

# %%
crowd = simulate_runs(300, candidates=100, seed=SEED + 1, horizon=TRIALS)
wanted = np.repeat([target_mask(pair) for pair in pairs], (SWITCH, TRIALS - SWITCH), axis=0)
answered = crowd.play(LearnedPolicy(model), wanted)

context = study.context_batch(answered, TRIALS, wanted[-1])
unaided = model.theta_summary(model(context))["sd"].numpy()
context["known_theta"][:, 0] = crowd.theta[:, 0]
context["known_mask"][:, 0] = True
informed = model.theta_summary(model(context))["sd"].numpy()

# %%
fell = (unaided - informed) / [parameter.high - parameter.low for parameter in task.spec.parameters]
most = int(fell[:, 2:].sum(axis=1).argmax())

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6))
for axis, p in zip(axes, (2, 3), strict=True):
    axis.scatter(unaided[:, p], informed[:, p], s=12, color=BLUE, alpha=0.5, linewidth=0)
    axis.scatter(unaided[most, p], informed[most, p], s=70, facecolor="none", edgecolor=RED)
    axis.axline((0.1, 0.1), slope=1, color=BLACK, linewidth=0.8)
    axis.set(title=names[p], xlabel="sd from the answers alone", ylabel="sd, threshold known")
plt.show()

# %% [markdown]
# For most observers little changes, and rightly so: thirty answers have told where the curve
# rises. A few lie above the diagonal, where the true threshold contradicts what the answers
# suggested. Well below it are those whose answers allow two accounts. Are the yeses at weak
# stimuli seen, with a low threshold, or are they guesses? A known threshold rules one of them out.
# This is the observer of the red circle, the one it helps most:

# %%
truth = dict(zip(names, crowd.theta[most], strict=True))
puzzled = aline_tf.Session(model, pool, target="guess,lapse")
helped = aline_tf.Session(
    model, pool, target="guess,lapse", known={"threshold": truth["threshold"]}
)
for stimulus, said in zip(answered.design[most], answered.outcome[most], strict=True):
    puzzled.tell([stimulus], said)
    helped.tell([stimulus], said)

plot_beliefs(
    {"answers alone": densities(puzzled), "threshold known": densities(helped)},
    ((SKY, "-"), (BLACK, "-")),
    "The same thirty answers",
    shown=names[2:],
)

# %% [markdown]
# ## Keep what was trained
#
# A preset is a directory with the configuration, the weights and notes of one's own; no pickle.
# From it training goes on (`aline-tf train --from-model`), or a SavedModel for TensorFlow
# Serving is made (`aline-tf export`).

# %%
with tempfile.TemporaryDirectory() as place:
    preset = Path(place) / "my_psychometric"
    aline_tf.save_preset(own_model, preset, {"seed": SEED, "recipe": recipe.to_dict()})
    for file in sorted(preset.iterdir()):
        print(f"{file.name:20} {file.stat().st_size / 1024:7.1f} kB")
    again = aline_tf.load_preset(preset)

state = {name: tf.convert_to_tensor(array) for name, array in session.batch().items()}
np.testing.assert_allclose(
    again(state)["theta_raw"], own_model(state)["theta_raw"], rtol=1e-5, atol=1e-5
)
print("the loaded network gives the same beliefs")
