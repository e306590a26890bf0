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
# # The model, layer by layer
#
# One forward pass of ALINE gives three things: the posterior of every parameter, the prediction
# at any design, and a score for every candidate that could be measured next. This notebook
# takes the shipped psychometric model apart and looks at what passes between its layers: which
# tokens there are, who may read whom, what the attention does, and what the heads make of it.
#
# Nothing is trained here, and everything that the text claims is asserted by the cell above it.

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import aline_tf

BLACK, ORANGE, BLUE, RED = "#000000", "#E69F00", "#0072B2", "#D55E00"  # Okabe and Ito
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
print(f"{model.count_params():,} weights; parameters: {', '.join(names)}")

# %% [markdown]
# ## The batch
#
# An observer has answered twelve stimuli, and we want to know threshold and slope. A session
# keeps the history; what it hands to the model is a dictionary of arrays with the names of
# `aline_tf.batch`. A capital letter is a size: B rows, C context tokens, N candidates, M target
# designs, D design dimensions, F outcome fields, P parameters.

# %%
pool = np.linspace(-5, 5, 41)[:, None]
session = aline_tf.Session(model, pool, target="threshold,slope")
stimuli = np.array([-4.0, 4.0, 0.0, 2.0, 1.0, 0.5, 1.5, -1.0, 3.0, 0.75, 1.25, -2.5])
for stimulus in stimuli:
    session.tell([stimulus], float(stimulus > 0.9))  # yes above 0.9

batch = {name: tf.constant(value) for name, value in session.batch().items()}
for name, value in batch.items():
    print(f"{name:18} {value.dtype.name:8} {value.shape.as_list()}")

P, C = len(names), batch["context_design"].shape[1]
assert batch["candidate_design"].shape == [1, 41, 1]
assert batch["theta_mask"].numpy().tolist() == [[name in session.target for name in names]]

# %% [markdown]
# ## Tokens
#
# The embedder turns them into three streams of vectors of width E. The *context* is what is
# known: a start token, one token for each parameter (which speaks only where its value is given
# as known), and one for each observation. *Targets* are what could be wanted: the parameters,
# then target designs, of which there are none here. *Candidates* are what could be measured.

# %%
context, visible, targets, candidates = model.embedder(batch)
for name, stream in (("context", context), ("targets", targets), ("candidates", candidates)):
    print(f"{name:12}{stream.shape.as_list()}")

E = model.hidden_dim
assert context.shape == [1, 1 + P + C, E]
assert targets.shape == [1, P, E]
assert candidates.shape == [1, 41, E]
# The start and the twelve answers can be read; no parameter is known.
assert int(tf.reduce_sum(tf.cast(visible, tf.int32))) == 1 + len(stimuli)

# %% [markdown]
# ## The encoder
#
# Each layer is a pre-norm transformer layer with one set of weights for all three streams. What
# differs is who may be read:
#
# | reader | reads |
# |---|---|
# | context | context |
# | target | context |
# | candidate | context and the *selected* targets |
#
# Nobody reads a candidate, and targets do not see each other. So a pool of any size costs in
# proportion to its size, and what is said of a parameter cannot depend on which others are
# wanted.
#
# To see the weights of the attention we put a probe into each layer. It repeats the scores,
# keeps their softmax, and lets the layer do its work.


# %%
def probe(layer, kept):
    """Keeps the attention weights [heads, B, readers, read] of every read of a layer."""
    attended = layer._attended

    def watched(queries, keys, values, hidden, bias):
        scores = tf.matmul(queries, keys, transpose_b=True)
        scores = scores if bias is None else scores + bias
        kept.append(tf.nn.softmax(scores + hidden, axis=-1).numpy())
        return attended(queries, keys, values, hidden, bias)

    layer._attended = watched
    return attended


def outputs_and_attention(batch):
    """What the model returns, and two reads of each layer: context with targets, candidates."""
    kept = [[] for _ in model.encoder]
    before = [probe(layer, reads) for layer, reads in zip(model.encoder, kept, strict=True)]
    try:
        return model(batch), kept
    finally:
        for layer, attended in zip(model.encoder, before, strict=True):
            layer._attended = attended


outputs, reads = outputs_and_attention(batch)
S = 1 + P + C
for number, (first, second) in enumerate(reads):
    print(f"layer {number}: context and targets read {first.shape}, candidates {second.shape}")
    assert first.shape == (model.num_heads, 1, S + P, S)
    assert second.shape == (model.num_heads, 1, 41, S + P)
    np.testing.assert_allclose(second.sum(-1), 1.0, atol=1e-4)

# %% [markdown]
# ### What the candidates look at
#
# The rows below are candidates, from -5 at the bottom to 5 at the top. The columns are the
# twelve answers, by stimulus, and then the four parameters. Heads are averaged.

# %%
order = np.argsort(stimuli)
first_answer = 1 + P
columns = [*(first_answer + order), *range(S, S + P)]
figure, axes = plt.subplots(1, len(reads), figsize=(11, 3.6), sharey=True)
for number, (axis, (_, second)) in enumerate(zip(axes, reads, strict=True)):
    weights = second[:, 0].mean(axis=0)[:, columns]
    image = axis.imshow(weights, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=0.3)
    axis.axvline(len(stimuli) - 0.5, color="white")
    axis.set_xticks(range(len(columns)))
    axis.set_xticklabels([*(f"{x:g}" for x in stimuli[order]), *names], rotation=90)
    axis.set_title(f"layer {number}")
axes[0].set_yticks([0, 10, 20, 30, 40], ["-5", "-2.5", "0", "2.5", "5"])
axes[0].set_ylabel("candidate")
figure.colorbar(image, ax=axes, label="attention", extend="max")
plt.show()

chosen = np.array([name in session.target for name in names])
for _, second in reads:
    of_parameters = second[:, 0, :, S:]
    assert of_parameters[..., ~chosen].max() < 1e-6
    assert of_parameters[..., chosen].mean() > 0.01

# %% [markdown]
# The columns of guess and lapse are dark in every layer: they are not wanted, so no candidate
# reads them. That is how the policy knows its aim. There is no other place where it enters.

# %% [markdown]
# ## What follows from who reads whom
#
# Four properties hold by construction, for any weights. They are worth a check, because each of
# them is something that a user may rely on.


# %%
def with_context(order):
    """The batch with its observations in another order, or some of them."""
    fields = [name for name in batch if name.startswith("context")]
    return batch | {name: tf.gather(batch[name], order, axis=1) for name in fields}


def difference(one, other, what):
    return float(tf.reduce_max(tf.abs(one[what] - other[what])))


reversed_order = model(with_context(np.arange(C)[::-1]))
padding = with_context([*range(C), 0, 0])
mask = tf.pad(batch["context_mask"], [[0, 0], [0, 2]])
padded = model(padding | {"context_mask": mask})
few = model(
    batch | {name: batch[name][:, 20:22] for name in ("candidate_design", "candidate_mask")}
)
other_aim = model(batch | {"theta_mask": tf.logical_not(batch["theta_mask"])})

print("order of observations:", difference(outputs, reversed_order, "theta_raw"))
print("two tokens of padding:", difference(outputs, padded, "theta_raw"))
assert difference(outputs, reversed_order, "theta_raw") < 1e-3
assert difference(outputs, reversed_order, "candidate_logits") < 1e-3
assert difference(outputs, padded, "theta_raw") < 1e-3
# A candidate's score does not depend on the others in the pool.
np.testing.assert_allclose(
    few["candidate_logits"][0], outputs["candidate_logits"][0, 20:22], atol=1e-3
)
# The aim moves the policy and leaves the posterior where it is.
assert difference(outputs, other_aim, "theta_raw") < 1e-5
assert difference(outputs, other_aim, "candidate_logits") > 0.1

# %% [markdown]
# 1. The order of the observations does not matter.
# 2. Padding is invisible, so histories of different length share a batch.
# 3. A candidate's score does not depend on the rest of the pool, which may be scored part by part.
# 4. The aim moves the policy and not the posterior.

# %% [markdown]
# ## The heads
#
# Three perceptrons read the last tokens. `theta_raw` holds, for each parameter, the numbers of
# a mixture on the parameter's support; here all four are intervals. `candidate_logits` are
# scores; their softmax is the policy.

# %%
posterior = model.theta_posterior(outputs)
print("theta_raw", outputs["theta_raw"].shape.as_list())
print("candidate_logits", outputs["candidate_logits"].shape.as_list())

figure, axes = plt.subplots(1, 5, figsize=(12, 2.6))
for p, (axis, parameter) in enumerate(zip(axes, model.spec.parameters, strict=False)):
    edges = np.linspace(parameter.low, parameter.high, 402, dtype=np.float32)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    theta = np.tile([[q.low + 0.5 * (q.high - q.low) for q in model.spec.parameters]], (401, 1))
    theta[:, p] = middle
    repeated = {"theta_raw": tf.repeat(outputs["theta_raw"], 401, axis=0)}
    density = np.exp(model.theta_log_prob(repeated, tf.constant(theta, tf.float32))[:, p])
    assert abs(density.sum() * width - 1.0) < 0.02  # it is a density, on the parameter's support
    axis.plot(middle, density, color=BLUE)
    axis.set(title=parameter.name, ylim=(0, None))
axes[0].set_ylabel("density")
for aim, found, colour in (
    ("threshold, slope", outputs, BLUE),
    ("guess, lapse", other_aim, ORANGE),
):
    policy = tf.nn.softmax(found["candidate_logits"][0]).numpy()
    axes[4].plot(pool[:, 0], policy, color=colour, label=aim)
axes[4].set(title="policy", xlabel="candidate", ylim=(0, 0.8))
axes[4].legend(fontsize="small", loc="upper left")
plt.show()

threshold = session.posterior()["threshold"]
favourites = [
    float(pool[np.argmax(found["candidate_logits"][0]), 0]) for found in (outputs, other_aim)
]
print(f"threshold {threshold.mean:.2f} ± {threshold.sd:.2f}; favourites {favourites}")
assert abs(threshold.mean - 0.9) < 2 * threshold.sd
assert abs(favourites[0] - threshold.mean) < 2.0 < 3.5 < abs(favourites[1])

# %% [markdown]
# The threshold is found where the answers change, at 0.9. For threshold and slope the model
# would show a stimulus near it; for guess and lapse one at an end of the range, where the curve
# is flat.

# %% [markdown]
# ## Where the weights are

# %%
parts = {layer.name: layer.count_params() for layer in model.layers}
for name, count in sorted(parts.items(), key=lambda item: -item[1]):
    print(f"{name:26}{count:>9,}")
encoder = sum(count for name, count in parts.items() if name.startswith("encoder_layer"))
print(f"encoder layers: {encoder / model.count_params():.0%} of all")
