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
# # Your own simulator
#
# How fast does a drug leave the blood, and when is a sample worth most? We write that as a
# task, in TensorFlow and once more in NumPy, train a small model on it, and judge it: by
# simulation-based calibration (SBC), by the exact posterior on a grid, and by what happens when
# reality is not as simulated.
#
# Everything that the text claims is asserted by the cell above it.

# %%
SEED = 3
WARMUP_STEPS = 600  # of inference on random designs; more buys sharper posteriors
EPISODES = 500  # in each judgement

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
from aline_tf.evaluation import uniformity
from aline_tf.spec import Channel, Parameter, TaskSpec
from aline_tf.tasks import NumpyTask, Task, check_contract
from aline_tf.tasks.random_histories import random_histories
from aline_tf.training import Recipe

keras.utils.set_random_seed(SEED)
BLACK, ORANGE, BLUE, RED = "#000000", "#E69F00", "#0072B2", "#D55E00"  # Okabe and Ito
plt.rcParams |= {
    "figure.dpi": 80,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
}

# %% [markdown]
# ## The task
#
# The logarithm of the concentration falls in a straight line from a dose we do not know, and
# the laboratory measures it with an error of 0.2:
#
# $$y \sim \mathcal{N}(\theta_1 - t / \theta_2,\; 0.2^2), \qquad
# \theta_1 \sim \mathcal{N}(1, 0.5^2), \qquad \theta_2 \sim U(1, 12)\ \text{hours}.$$
#
# The specification names what there is, with `loc` and `scale` near those of simulated values.
# Then a prior and a simulator: that is all.

# %%
SPEC = TaskSpec(
    name="elimination",
    design_names=("hour",),
    design_low=(0.0,),
    design_high=(24.0,),
    fields=(Channel("log_concentration", loc=-2.0, scale=3.0),),
    outcomes=(Channel("log_concentration", loc=-2.0, scale=3.0),),
    parameters=(
        Parameter("log_dose", "real", loc=1.0, scale=0.5),
        Parameter("decay_time", "interval", low=1.0, high=12.0, unit="h"),
    ),
    horizon=6,
)


class Elimination(Task):
    spec = SPEC
    noise = 0.2

    def sample_theta(self, seed, batch):
        dose, time = draws.split(seed, 2)
        return tf.concat(
            [draws.normal(dose, [batch, 1], 1.0, 0.5), draws.uniform(time, [batch, 1], 1.0, 12.0)],
            axis=1,
        )

    def simulate(self, theta, design, seed):
        mean = theta[:, None, :1] - design / theta[:, None, 1:]
        return mean + draws.normal(seed, tf.shape(mean), 0.0, self.noise)


class EliminationInNumpy(NumpyTask):
    spec = SPEC

    def sample_theta(self, rng, batch):
        return np.column_stack([rng.normal(1.0, 0.5, batch), rng.uniform(1.0, 12.0, batch)])

    def simulate(self, rng, theta, design):
        mean = theta[:, None, :1] - design / theta[:, None, 1:]
        return mean + 0.2 * rng.normal(size=mean.shape)


task, numpy_task = Elimination(), EliminationInNumpy()
for one in (task, numpy_task):
    check_contract(one)

# %% [markdown]
# `check_contract` says in one sentence what is wrong with a task before anything is trained:
# shapes, dtypes, numbers that are not finite, draws that do not come from the seed. Here is a
# mistake that it finds.


# %%
class Forgetful(Elimination):
    def simulate(self, theta, design, seed):
        return theta[:, :1] - design[..., 0] / theta[:, 1:]  # an axis is missing


try:
    check_contract(Forgetful())
except aline_tf.InputError as error:
    print(error)
else:
    raise AssertionError("the mistake was not found")

# %% [markdown]
# ## Train
#
# Training is Keras' `compile` and `fit`. There is no data set: every step simulates its own
# patients. We train inference alone, on random times of sampling; `joint_steps` would teach the
# policy too.

# %%
model = aline_tf.ALINE(SPEC, hidden_dim=16, num_layers=2, num_heads=2, intermediate_dim=64)
trainer = aline_tf.Trainer(model, task)
recipe = Recipe(warmup_steps=WARMUP_STEPS, joint_steps=0, warmup_batch=128, learning_rate=3e-3)
trainer.compile(recipe=recipe, seed=SEED)
history = trainer.fit(steps_per_epoch=WARMUP_STEPS // 20, verbose=0).history["inference"]

figure, axis = plt.subplots(figsize=(5, 2.6))
axis.plot(np.arange(1, 21) * (WARMUP_STEPS // 20), history, color=BLUE)
axis.set(xlabel="step", ylabel="inference loss (nats)")
plt.show()
assert history[-1] < history[0] - 0.3

# %% [markdown]
# The loss fell by more than 0.3 nats.

# %% [markdown]
# ## Is it calibrated?
#
# Draw a patient from the prior, simulate samples, and ask where the truth lies in the
# posterior: the share of the posterior below it. If the posterior is right, these shares are
# uniform over patients, whatever the prior and the design. A posterior that is too narrow makes
# a U, one that is too wide a hill, one that is off a slope.
#
# The patients come from the **NumPy** simulator: another program than the one that the model
# was trained with.


# %%
def shares_below(source, seed):
    """Posterior probability below the truth [EPISODES, P], after 0 to 6 samples."""
    rows = random_histories(source, draws.as_seed(seed), EPISODES, SPEC.horizon, 8, 1)
    outputs = model({name: tf.constant(value) for name, value in rows.items()})
    return model.theta_posterior(outputs).cdf(rows["theta"]).numpy(), rows


def draw_shares(shares, title):
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.4), sharey=True)
    for axis, parameter, column in zip(axes, SPEC.parameters, shares.T, strict=True):
        axis.hist(column, bins=10, range=(0.0, 1.0), color=BLUE, edgecolor="white")
        axis.axhline(EPISODES / 10, color=BLACK, linestyle="--")
        axis.set(title=parameter.name, xlabel="posterior below the truth")
    axes[0].set_ylabel("patients")
    figure.suptitle(title, fontsize="medium")
    plt.show()


shares, rows = shares_below(numpy_task, 11)
draw_shares(shares, "as simulated")
covered = ((shares > 0.05) & (shares < 0.95)).mean(axis=0)
for parameter, column, share in zip(SPEC.parameters, shares.T, covered, strict=True):
    found = uniformity(column)
    print(
        f"{parameter.name:11} KS {found.ks:.3f} (band {found.ks_band:.3f}), 90% cover {share:.3f}"
    )
    assert found.ks < found.ks_band
    assert 0.86 < share < 0.94

# %% [markdown]
# Both are within the band of uniform shares, and 90% intervals cover 86 to 94%. With more
# patients the band is narrower, and this small model would be told from the exact posterior at
# last.

# %% [markdown]
# ## Does SBC find a fault?
#
# A judge that never condemns is worth nothing. Let the laboratory measure three times worse
# than the simulator says, and judge again.

# %%
worse = Elimination()
worse.noise = 0.6
wrong, _ = shares_below(worse, 12)
draw_shares(wrong, "measured three times worse")
for parameter, column, right in zip(SPEC.parameters, wrong.T, shares.T, strict=True):
    ends = ((column < 0.05) | (column > 0.95)).mean()
    print(f"{parameter.name:11} KS {uniformity(column).ks:.3f}, outside of 90%: {ends:.2f}")
    assert uniformity(column).chi2 > uniformity(right).chi2
    assert ends > 0.15

# %% [markdown]
# A U: the posterior is too narrow for such data, and too many truths lie at its ends.

# %% [markdown]
# ## Against the exact posterior
#
# SBC is blind to a posterior that is right and vague: the prior itself passes. With two
# parameters the exact posterior can be had from a grid.

# %%
dose = np.linspace(-1.5, 3.5, 151)
time = np.linspace(1.0, 12.0, 221)
D, T = np.meshgrid(dose, time, indexing="ij")
log_prior = -0.5 * ((D - 1.0) / 0.5) ** 2


def exact_mean(row):
    """Posterior means of a row from the grid."""
    log_density = log_prior.copy()
    for token in np.flatnonzero(rows["context_mask"][row].numpy()):
        hour = float(rows["context_design"][row, token, 0])
        outcome = float(rows["context_outcome"][row, token, 0])
        log_density -= 0.5 * ((outcome - (D - hour / T)) / 0.2) ** 2
    weight = np.exp(log_density - log_density.max())
    return np.array([(weight * D).sum(), (weight * T).sum()]) / weight.sum()


theta = rows["theta"].numpy()
exact = np.array([exact_mean(row) for row in range(EPISODES)])
outputs = model({name: tf.constant(value) for name, value in rows.items()})
mean = model.theta_summary(outputs)["mean"].numpy()

figure, axes = plt.subplots(1, 2, figsize=(7, 3.2))
for p, (axis, parameter) in enumerate(zip(axes, SPEC.parameters, strict=True)):
    rmse = {name: np.sqrt(np.mean((value[:, p] - theta[:, p]) ** 2))
            for name, value in (("model", mean), ("exact", exact))}  # fmt: skip
    print(f"{parameter.name:11} RMSE {rmse['model']:.3f}, exact {rmse['exact']:.3f}, "
          f"prior sd {theta[:, p].std():.3f}")  # fmt: skip
    axis.scatter(exact[:, p], mean[:, p], s=8, color=BLUE)
    axis.axline((exact[0, p], exact[0, p]), slope=1, color=BLACK, linewidth=1)
    axis.set(title=parameter.name, xlabel="exact posterior mean", ylabel="the model's")
    # Of what the exact posterior takes off the prior's spread, the model takes more than half.
    assert theta[:, p].std() - rmse["model"] > 0.5 * (theta[:, p].std() - rmse["exact"])
    assert rmse["exact"] < 1.05 * rmse["model"]
plt.show()

# %% [markdown]
# Of what the exact posterior takes off the prior's spread this small model takes more than
# half.

# %% [markdown]
# ## Ask it
#
# The model takes its place in a session. Its policy was not trained here, so the times are
# chosen by another policy, at random.

# %%
TRUE_DOSE, TRUE_TIME = 1.2, 4.0
noise = np.random.default_rng(SEED)
session = aline_tf.Session(model, np.linspace(0, 24, 97)[:, None], policy="random")
for _ in range(6):
    hour = session.ask()
    measured = TRUE_DOSE - hour.design[0] / TRUE_TIME + 0.2 * noise.normal()
    session.tell(hour, measured)
posterior = session.posterior()["decay_time"]
print(f"decay time {posterior.mean:.2f} ± {posterior.sd:.2f} h, true {TRUE_TIME} h")
assert abs(posterior.mean - TRUE_TIME) < 3 * posterior.sd < 3 * 3.2  # the prior's sd is 3.2 h
