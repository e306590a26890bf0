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
# # Is my model right?
#
# A learned posterior is an approximation, and three questions should be put to it before
# anybody believes it. Is it calibrated where it was trained? How far is it from the exact
# posterior, where that is known? And do the answers of *this* subject look like anything that
# the simulator makes? We put them to the shipped psychometric model.
#
# Everything that the text claims is asserted by the cell above it.

# %%
SEED = 5
SUBJECTS = 300  # simulated; the error bars shrink with its root

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import warnings

import matplotlib.pyplot as plt
import numpy as np

import aline_tf
from aline_tf.acquisition import RandomPolicy
from aline_tf.errors import MisfitWarning
from aline_tf.evaluation import ModelPosterior, SimulatedRuns, uniformity
from aline_tf.evaluation.simulated_runs import model_estimates
from aline_tf.tasks import Psychometric
from aline_tf.tasks.psychometric import response_probability

BLACK, ORANGE, BLUE, RED = "#000000", "#E69F00", "#0072B2", "#D55E00"  # Okabe and Ito
plt.rcParams |= {
    "figure.dpi": 80,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "legend.frameon": False,
}
task = Psychometric()
model = aline_tf.ALINE.from_preset("psychometric")
names = task.spec.parameter_names

# %% [markdown]
# ## Calibration
#
# Simulated subjects answer 30 stimuli drawn at random. After 5, 15 and 30 answers we ask which
# share of the posterior lies below the truth. If the posterior is right these shares are
# uniform.

# %%
STEPS = (5, 15, 30)
data = SimulatedRuns(task, SUBJECTS, candidates=60, seed=SEED).play(RandomPolicy(SEED))
estimates = model_estimates(ModelPosterior(model), task.spec, data, STEPS)
shares = estimates.pit()

figure, axes = plt.subplots(1, 4, figsize=(11, 2.4), sharey=True)
for p, (axis, name) in enumerate(zip(axes, names, strict=True)):
    for k, (step, colour) in enumerate(zip(STEPS, (ORANGE, BLUE, BLACK), strict=True)):
        ordered = np.sort(shares[:, k, p])
        difference = np.arange(1, SUBJECTS + 1) / SUBJECTS - ordered
        axis.plot(ordered, difference, color=colour, label=f"after {step}")
    band = uniformity(shares[:, 0, p]).ks_band
    axis.axhspan(-band, band, color="#999999", alpha=0.25, linewidth=0)
    axis.set(title=name, xlabel="posterior below the truth")
axes[0].set_ylabel("found - uniform")
axes[0].legend(fontsize="small")
plt.show()

inside = (data.theta[:, None] >= estimates.low) & (data.theta[:, None] <= estimates.high)
coverage = inside.mean(axis=(0, 2))
for step, share in zip(STEPS, coverage, strict=True):
    print(f"after {step:2} answers 90% intervals cover {share:.3f}")
assert (np.abs(coverage - 0.9) < 0.03).all()
distances = np.array([[uniformity(shares[:, k, p]).ks for p in range(4)] for k in range(3)])
print(f"largest distance {distances.max():.3f}, band {band:.3f}")
assert distances.max() < 1.3 * band

# %% [markdown]
# Coverage is within 3 points of 90% at each of the three lengths. The grey band is where the
# curve of one parameter stays in 95 of 100 calibrated models; of twelve curves one may touch
# it.

# %% [markdown]
# ## Against the exact posterior
#
# Calibration says nothing about sharpness. Here the likelihood is known, so a session can
# refine its posterior by it, with `refine=True`. We put the two side by side for one observer
# who was shown 30 stimuli.

# %%
TRUTH = np.array([0.6, 0.8, 0.5, 0.1], np.float32)
pool = np.linspace(-5, 5, 100)[:, None]
noise = np.random.default_rng(SEED)


def answers_of(theta, stimuli):
    """Yes or no to each stimulus, by chance."""
    chance = np.asarray(response_probability(theta, np.asarray(stimuli, np.float32)))
    return (noise.random(len(stimuli)) < chance).astype(float)


def session_of(stimuli, answers, **settings):
    session = aline_tf.Session(model, pool, **settings)
    for stimulus, answer in zip(stimuli, answers, strict=True):
        session.tell([stimulus], answer)
    return session


stimuli = noise.uniform(-5, 5, 30)
answers = answers_of(TRUTH, stimuli)
own = session_of(stimuli, answers, refine=False).posterior()
exact = session_of(stimuli, answers, refine=True).posterior()
for name in names:
    one, other = own[name], exact[name]
    print(
        f"{name:10} model {one.mean:5.2f} ± {one.sd:.2f}   exact {other.mean:5.2f} ± {other.sd:.2f}"
    )
    assert abs(one.mean - other.mean) < 0.15 * other.sd
    assert 0.85 < one.sd / other.sd < 1.15

# %% [markdown]
# The means differ by less than 0.15 of a posterior standard deviation, the widths by less than
# 15%. Over many subjects `aline-tf eval psychometric --policy learned` measures the same, and
# `--promises` does so for what a session promises beyond the training: missing answers, known
# parameters, joint posteriors, long histories.

# %% [markdown]
# ## Is this subject one of those?
#
# The best posterior means nothing for a subject that the simulator does not know. `session.fit`
# asks how surprising the answers are: here those of an observer as simulated, and of one whose
# yes and no were exchanged.

# %%
swapped = 1.0 - answers
honest = session_of(stimuli, answers).fit
print(f"as simulated: p = {honest.p_value:.3f}")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    exchanged = session_of(stimuli, swapped).fit
print(f"exchanged:    p = {exchanged.p_value:.2g}")
print(caught[0].message)
assert not honest.is_suspect and exchanged.is_suspect
assert issubclass(caught[0].category, MisfitWarning)

with warnings.catch_warnings(record=True) as by_itself:
    warnings.simplefilter("always")
    session_of(stimuli, swapped).posterior()
assert any(issubclass(warning.category, MisfitWarning) for warning in by_itself)
elsewhere = TRUTH + np.array([-2.1, 0.0, 0.0, 0.0], np.float32)
assert not session_of(stimuli, answers_of(elsewhere, stimuli)).fit.is_suspect

# %% [markdown]
# The exchanged answers are found, and a session says so by itself when its posterior is asked
# for. What it cannot find are faults that make answers which some other subject could have
# given: an observer with another threshold is not suspect, only another observer.
