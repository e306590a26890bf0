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
# # The training loop, written out
#
# ALINE learns to infer and to ask at once: the posterior it learns is also what rewards its
# questions. Here the objective is written down, its gradient is checked where it can be counted
# out, and the loop is written by hand around one compiled step, with rules of credit side by
# side. `Trainer.compile` and `fit` do the same with one call.
#
# Everything that the text claims is asserted by the cell above it.

# %%
SEED = 1
WARMUP_STEPS = 400  # of inference alone, on random designs
JOINT_STEPS = 300  # of inference and policy together
RULES = 3  # rules of credit to compare, of those below
RUNS = 400  # simulated, to judge each rule by; the error bars shrink with its root
LEARNED = JOINT_STEPS >= 200  # fewer steps run as well, and learn too little for what is claimed

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import aline_tf
from aline_tf import draws
from aline_tf.acquisition import LearnedPolicy, RandomPolicy
from aline_tf.evaluation import SimulatedRuns
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks import Task, check_contract
from aline_tf.training import Recipe
from aline_tf.training.phases import rollout_episodes, trajectory_loss, warmup_loss

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
# ## A task whose best policy is known
#
# A number $\theta$ is hidden between 0 and 1. We name a number $x$ and are told whether it is
# larger, and one answer in twenty is wrong:
#
# $$\theta \sim U(0, 1), \qquad P(y = 1 \mid x, \theta) = 0.95\ [x > \theta] + 0.05\ [x < \theta].$$
#
# Nobody can do better than to halve the posterior each time: an answer then tells
# $\log 2 - H(0.05) = 0.495$ nats, and six tell 2.97.

# %%
WRONG, HORIZON = 0.05, 6
BEST = np.log(2) + WRONG * np.log(WRONG) + (1 - WRONG) * np.log(1 - WRONG)


class Hidden(Task):
    spec = TaskSpec(
        name="hidden",
        design_names=("x",),
        design_low=(0.0,),
        design_high=(1.0,),
        fields=(Channel("larger", "binary"),),
        outcomes=(Channel("larger", "binary"),),
        parameters=(Parameter("theta", low=0.0, high=1.0),),
        horizon=HORIZON,
    )

    def sample_theta(self, seed, batch):
        return draws.uniform(seed, [batch, 1])

    def simulate(self, theta, design, seed):
        larger = tf.cast(design > theta[:, None], tf.float32)
        return tf.abs(larger - tf.cast(draws.uniform(seed, tf.shape(larger)) < WRONG, tf.float32))

    def log_likelihood(self, theta, design, outcome):
        right = tf.equal(design[..., 0] > theta[..., 0], outcome[..., 0] > 0.5)
        return tf.where(right, float(np.log(1 - WRONG)), float(np.log(WRONG)))

    def log_prior(self, theta):
        return tf.zeros(tf.shape(theta)[:-1])


task = Hidden()
check_contract(task)
print(f"{BEST:.3f} nats an answer at best, {HORIZON * BEST:.2f} in {HORIZON}")
assert abs(BEST - 0.495) < 0.001 and abs(HORIZON * BEST - 2.97) < 0.01

# %% [markdown]
# ## The objective
#
# An episode draws $\theta$; at step $t$ the policy $\pi_\phi$ picks $x_t$ from a pool, given the
# history $D_{t-1}$ of all before, and the simulator answers. Inference learns $q_\phi$ from every
# state on the way,
#
# $$L_\mathrm{inference} = -\mathbb{E}\, \log q_\phi(\theta \mid D_t),$$
#
# and its value $v_t = \log q_\phi(\theta \mid D_t)$ is what the policy earns: the reward of step
# $t$ is $R_t = v_t - v_{t-1}$, so that all rewards together are what the episode told about
# $\theta$. The policy maximises $J = \mathbb{E} \sum_t R_t$. Its choices cannot be
# differentiated, their probability can (REINFORCE):
#
# $$\nabla J = \mathbb{E} \sum_t A_t\, \nabla \log \pi_\phi(x_t \mid D_{t-1}).$$
#
# What differs is the credit $A_t$ of a choice:
#
# | rule | credit $A_t$ |
# |---|---|
# | immediate reward (the paper's) | $R_t$, standardised over the batch |
# | reward to go | $G_t = \sum_{s \ge t} R_s = v_T - v_{t-1}$, less the mean of the batch |
# | reward to go in groups | $G_t$, less its mean over others with the same $\theta$ and pool |
#
# ### Counted out
#
# With one choice among four, known rewards and the policy a softmax of four logits, the
# expectation is a sum. A baseline that does not depend on the choice leaves the gradient as it is
# and takes away most of its variance.

# %%
logits = np.array([0.3, -0.2, 0.1, 0.5])
reward = np.array([5.0, 5.3, 4.6, 5.1])
policy = np.exp(logits) / np.exp(logits).sum()
score = np.eye(4) - policy  # row a: the gradient of log pi(a)
exact = policy @ (reward[:, None] * score)

step = 1e-6 * np.eye(4)
moved = [np.exp(logits + s * d) for d in step for s in (1, -1)]
value = np.array([p @ reward / p.sum() for p in moved]).reshape(4, 2)
np.testing.assert_allclose(exact, (value[:, 0] - value[:, 1]) / 2e-6, atol=1e-6)

variance = {}
for name, baseline in (("no baseline", 0.0), ("the mean reward", policy @ reward)):
    each = (reward - baseline)[:, None] * score
    np.testing.assert_allclose(policy @ each, exact, atol=1e-12)
    variance[name] = policy @ ((each - exact) ** 2).sum(1)
    print(f"{name:16} gradient {np.round(policy @ each, 4)}, variance {variance[name]:.3f}")
assert variance["the mean reward"] < 0.01 * variance["no baseline"]

# %% [markdown]
# REINFORCE agrees with finite differences of $J$; the baseline leaves it where it is and takes
# more than 99% of the variance away, here, where rewards are large and differ little.
#
# ## Warm-up
#
# First inference alone: a history of random designs, cut at a random length, and one pass through
# the model. `warmup_loss` is a pure function of the model, the task, the recipe and a seed; the
# step around it is compiled once and called with a new seed each time.


# %%
def new_model():
    keras.utils.set_random_seed(SEED)
    model = aline_tf.ALINE(
        task.spec, hidden_dim=16, num_layers=1, num_heads=2, intermediate_dim=32, components=6
    )
    model.build()
    return model


def apply(optimizer, model, tape, loss):
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables],
                              unconnected_gradients="zero")  # fmt: skip
    optimizer.apply(gradients, model.trainable_variables)


model = new_model()
recipe = Recipe(
    warmup_steps=WARMUP_STEPS, warmup_batch=96, joint_steps=JOINT_STEPS, batch=32, pool=24,
    candidates_per_step=24, steps_per_episode=4, conditioning_rate=0.0, entropy=(0.02, 0.0),
    temperature=(1.0, 0.5), group_size=4,
)  # fmt: skip
optimizer = keras.optimizers.AdamW(3e-3, global_clipnorm=1.0)
optimizer.build(model.trainable_variables)


@tf.function(autograph=False)
def warmup_step(seed):
    with tf.GradientTape() as tape:
        loss, _ = warmup_loss(model, task, recipe, seed)
    apply(optimizer, model, tape, loss)
    return loss


def seed_of(step):
    return draws.fold_in(draws.as_seed(SEED), step)


warmup = np.array([warmup_step(seed_of(step)).numpy() for step in range(WARMUP_STEPS)])
warmed_up = model.get_weights()
print(f"{model.count_params():,} weights; inference loss {warmup[:20].mean():.3f} at first, "
      f"{warmup[-50:].mean():.3f} after {WARMUP_STEPS} steps")  # fmt: skip
assert not LEARNED or warmup[-50:].mean() < warmup[:20].mean() - 0.1

# %% [markdown]
# ## The joint phase
#
# `rollout_episodes` lets the policy play its episodes, without gradients, in one loop of the
# graph, and gives every choice its credit by the recipe's rule. Then `trajectory_loss` takes one
# pass over some of the states on the way and adds up inference, policy and an entropy bonus. The
# policy's part is what the formula says; here it is once more by hand.

# %%
trajectory, advantage = rollout_episodes(model, task, recipe, seed_of(0), 0.0)
print("choices", trajectory.choice.shape, "values", trajectory.value.shape)
assert trajectory.value.shape == (recipe.phases.batch, HORIZON + 1)
np.testing.assert_allclose(tf.reduce_sum(advantage), 0.0, atol=1e-2)

from aline_tf.training.policy_losses import policy_loss

log_prob = tf.constant([-1.0, -2.0, -0.5])
credit, weight = tf.constant([0.3, -0.2, 1.0]), tf.constant([1.0, 1.0, 0.0])
by_hand = -(0.3 * -1.0 + -0.2 * -2.0) / 2.0  # the third state had no choice to make
np.testing.assert_allclose(policy_loss(log_prob, credit, weight), by_hand, rtol=1e-6)

# %% [markdown]
# The credit of all choices sums to zero: what one episode is praised for, the others of its group
# are blamed for.
#
# Every rule goes on from the same warmed-up weights and meets the same seeds.

# %%
import dataclasses

GROUPED = recipe
TO_GO = dataclasses.replace(recipe, group_size=1)
IMMEDIATE = dataclasses.replace(TO_GO, credit="immediate_reward")
NAMED = {"reward to go in groups": GROUPED, "immediate reward": IMMEDIATE, "reward to go": TO_GO}
STYLE = {"reward to go in groups": (RED, "-"), "immediate reward": (BLUE, "--"),
         "reward to go": (GREEN, ":")}  # fmt: skip


def joint_phase(rule):
    """The weights and the curves after the joint phase by a rule."""
    model.set_weights(warmed_up)
    optimizer = keras.optimizers.AdamW(2e-3, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)
    def joint_step(seed, progress):
        trajectory, advantage = rollout_episodes(model, task, rule, seed, progress)
        with tf.GradientTape() as tape:
            loss, metrics = trajectory_loss(
                model, task, rule, seed, progress, trajectory, advantage
            )
        apply(optimizer, model, tape, loss)
        return metrics["reward"], metrics["entropy"]

    curves = []
    for step in range(JOINT_STEPS):
        progress = tf.constant(step / max(JOINT_STEPS - 1, 1), tf.float32)
        curves.append([part.numpy() for part in joint_step(seed_of(WARMUP_STEPS + step), progress)])
    return model.get_weights(), np.array(curves)


trained, curves = {}, {}
for name, rule in list(NAMED.items())[:RULES]:
    trained[name], curves[name] = joint_phase(rule)


# %%
def smooth(values, width=20):
    width = min(width, len(values))
    return np.convolve(values, np.ones(width) / width, "valid")


figure, axes = plt.subplots(1, 3, figsize=(11, 2.8))
axes[0].plot(smooth(warmup), color=BLACK)
axes[0].set(title="warm-up", xlabel="step", ylabel="inference loss (nats)")
for name, curve in curves.items():
    colour, line = STYLE[name]
    axes[1].plot(smooth(curve[:, 0]), color=colour, ls=line, label=name)
    axes[2].plot(smooth(curve[:, 1]), color=colour, ls=line)
axes[1].axhline(HORIZON * BEST, color=BLACK, lw=0.8)
axes[1].set(title="joint phase: rewards of an episode", xlabel="step", ylabel="nats")
axes[2].set(title="entropy of the policy", xlabel="step", ylabel="nats")
axes[1].legend(fontsize="small")
plt.show()

grouped = curves["reward to go in groups"]
part = max(1, JOINT_STEPS // 10)
print(f"rewards {grouped[:part, 0].mean():.2f} at first, {grouped[-part:, 0].mean():.2f} at last")
assert not LEARNED or grouped[-part:, 0].mean() > grouped[:part, 0].mean() + 0.2
assert not LEARNED or grouped[-part:, 1].mean() < grouped[:part, 1].mean() - 0.2

# %% [markdown]
# Rewards rise by more than 0.2 nats and the policy's entropy falls by as much. The thin line is
# what nobody can exceed on average.
#
# ## Judged by somebody else
#
# Rewards are the model's own opinion. With one parameter the exact posterior is at hand, so what
# a policy's questions tell can be counted without the model: the drop of the exact entropy, on
# the same simulated runs for each.

# %%
grid = (np.arange(2000) + 0.5) / 2000


def information_gain(data):
    """Nats that the answers of each run tell about theta, by the exact posterior: [R]."""
    larger = data.design[:, :, 0, None] > grid
    right = larger == (data.outcome[:, :, 0, None] > 0.5)
    log_density = np.where(right, np.log(1 - WRONG), np.log(WRONG)).sum(1)
    mass = np.exp(log_density - log_density.max(1, keepdims=True))
    mass /= mass.sum(1, keepdims=True)
    return np.log(len(grid)) + (mass * np.log(np.maximum(mass, 1e-300))).sum(1)


runs = SimulatedRuns(task, RUNS, candidates=101, seed=SEED)
played = {"random": runs.play(RandomPolicy(SEED))}
for name, weights in [("warm-up alone", warmed_up), *trained.items()]:
    model.set_weights(weights)
    played[name] = runs.play(LearnedPolicy(model))
found = {name: information_gain(data) for name, data in played.items()}
for name, nats in found.items():
    print(f"{name:24}{nats.mean():6.2f} ± {1.96 * nats.std(ddof=1) / np.sqrt(RUNS):.2f} nats")
information = {name: nats.mean() for name, nats in found.items()}
own = information["reward to go in groups"]
assert not LEARNED or information["random"] + 0.1 < own
assert max(information.values()) < HORIZON * BEST + 0.1

# %% [markdown]
# The policy that was trained tells more than random questions, and none tells more than can be
# told, up to the noise. With one seed and a training this short, small differences between the
# rules mean nothing; `aline-tf bench --ablation location_finding` compares them where they matter.
#
# What has it learned? Below are the questions it asks: a column is a step, its shade the share of
# runs that are asked there. A policy that halves begins in the middle and then asks at the
# quarters.

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True, width_ratios=(2, 2, 3))
edges = np.linspace(0, 1, 22)
for axis, name in zip(axes, ("random", "reward to go in groups"), strict=False):
    design = played[name].design[..., 0]
    share = np.stack([np.histogram(column, edges)[0] / RUNS for column in design.T], axis=1)
    axis.pcolormesh(np.arange(HORIZON + 1) + 0.5, edges, share, cmap="cividis", vmax=0.5)
    axis.set(title=name, xlabel="step")
axes[0].set_ylabel("x")
data = played["reward to go in groups"]
for run in range(4):
    axes[2].plot(1 + np.arange(HORIZON), data.design[run, :, 0], "o-", color=BLUE, lw=1, alpha=0.7)
    axes[2].plot(HORIZON + 0.4, data.theta[run, 0], "_", color=ORANGE, ms=14, mew=3)
axes[2].set(title="four runs (bars: the truth)", xlabel="step")
plt.show()

first = data.design[:, 0, 0]
second = data.design[:, 1, 0]
up = data.outcome[:, 0, 0] < 0.5  # the first x was smaller than theta
print(f"first {first.mean():.2f}; then {second[up].mean():.2f} after smaller, "
      f"{second[~up].mean():.2f} after larger")  # fmt: skip
assert not LEARNED or second[up].mean() > second[~up].mean() + 0.2

# %% [markdown]
# After "smaller" it asks higher than after "larger".
#
# `Trainer` holds the same two phases with their schedules and the step counter, so that Keras'
# callbacks work and a run that was killed goes on where it stood: `compile(recipe=...)` and `fit`,
# as in [a simulator of your own](own_simulator.ipynb).
