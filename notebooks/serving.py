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
# # Export, serve, call
#
# A trained model becomes a SavedModel, a server hosts it, and an experiment in another process
# asks it what to show next, without TensorFlow of its own. This notebook does all three on one
# machine, with the embedded server, which speaks the gRPC protocol of TensorFlow Serving.
#
# Everything that the text claims is asserted by the cell above it.

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import aline_tf
from aline_tf.serving import Client, ModelRepository, RemoteModel, Server, export_model

tf.get_logger().setLevel("ERROR")  # a word about every file written is left out
BLUE, ORANGE, BLACK = "#0072B2", "#E69F00", "#000000"  # Okabe and Ito
plt.rcParams |= {
    "figure.dpi": 80,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}

# %% [markdown]
# ## Export
#
# The model is written under a name and a version number, as servers want it. The graph loads
# without Keras and without this package; beside it lie a page of reference for those who will
# call it, and the preset, from which the model can be loaded again.

# %%
model = aline_tf.ALINE.from_preset("psychometric")
base = Path(tempfile.mkdtemp())
exported = export_model(model, base / "observer" / "1")
for path in sorted(exported.iterdir()):
    print(path.name)
assert (exported / "saved_model.pb").is_file() and (exported / "REFERENCE.md").is_file()

# %% [markdown]
# ## Serve
#
# `aline-tf serve --model-base-path DIRECTORY` does this from the command line. Port 0 means any
# that is free; `rest_port` opens TensorFlow Serving's REST interface beside gRPC. The server
# listens on this machine only, unless it is told otherwise.

# %%
server = Server(ModelRepository(base), port=0, rest_port=0, warm_up=False, poll_seconds=0)
server.start()
client = Client(server.target, "observer", timeout=120)
signatures = client.metadata()["signatures"]
print(client.status())
print("signatures:", ", ".join(signatures))
assert client.status()[1]["state"] == "AVAILABLE"
assert {"predict", "infer", "propose", "step", "answer"} <= set(signatures)

# %% [markdown]
# ## Call over gRPC
#
# An observer said no at -1 and yes at 2. `propose` scores the pool; what is left out of a batch
# is filled in. All signatures take a batch of rows, so many observers may be asked about
# at once.

# %%
pool = np.linspace(-5, 5, 81, dtype=np.float32)
batch = {
    "context_design": [[[-1.0], [2.0]]],
    "context_outcome": [[[0.0], [1.0]]],
    "theta_mask": [[True, True, False, False]],  # threshold and slope
    "candidate_design": pool[None, :, None],
}
proposed = client.propose(batch)
known = client.infer({name: batch[name] for name in ("context_design", "context_outcome")})
next_stimulus = pool[int(proposed["index"][0])]
print(f"next stimulus {next_stimulus:.3f}")
for name, mean, sd in zip(
    model.spec.parameter_names, known["theta_mean"][0], known["theta_sd"][0], strict=True
):
    print(f"{name:10}{mean:6.2f} ± {sd:.2f}")
assert -1.5 < next_stimulus < 2.5  # between the two answers, or close

# %% [markdown]
# ## Call over REST
#
# Without gRPC any language that speaks HTTP and JSON can ask. A row has a count for each list
# whose places may be padding; `REFERENCE.md` has a request like this for curl.

# %%
from urllib.request import Request, urlopen

instance = {
    "context_design": [[-1.0], [2.0]],
    "context_outcome": [[0.0], [1.0]],
    "context_status": [[1], [1]],
    "context_mask": [True, True],
    "known_theta": [0.0] * 4,
    "known_mask": [False] * 4,
    "theta_mask": [True, True, False, False],
    "target_design": [[0.0]],
    "target_mask": [False],
    "candidate_design": pool[:, None].tolist(),
    "candidate_mask": [True] * len(pool),
    "context_count": 2,
    "target_count": 0,
    "candidate_count": len(pool),
}
taken = signatures["propose"]["inputs"]
body = {
    "signature_name": "propose",
    "instances": [{name: value for name, value in instance.items() if name in taken}],
}
request = Request(
    f"http://{server.rest_target}/v1/models/observer:predict",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"},
)
with urlopen(request, timeout=60) as response:
    over_rest = json.load(response)["predictions"][0]
print(f"over REST: candidate {over_rest['index']}, over gRPC: {int(proposed['index'][0])}")
assert over_rest["index"] == int(proposed["index"][0])

# %% [markdown]
# Both interfaces propose the same stimulus.

# %% [markdown]
# ## A session whose model is elsewhere
#
# `RemoteModel` stands in the place of a model in this process. The session is the same, and
# needs no TensorFlow where it runs. Here it is put beside one with the model itself, with the
# same answers.

# %%
remote = RemoteModel(client, spec="psychometric")
here = aline_tf.Session(model, pool[:, None], target="threshold,slope")
there = aline_tf.Session(remote, pool[:, None], target="threshold,slope")
TRUE_THRESHOLD = 0.8
shown = []
for _ in range(8):
    question = there.ask()
    seen = float(question.design[0] > TRUE_THRESHOLD)
    assert question.index == here.ask().index
    for session in (here, there):
        session.tell(question.index, seen)
    shown.append((question.design[0], seen))
one, other = (session.posterior()["threshold"] for session in (here, there))
print(f"here {one.mean:.3f} ± {one.sd:.3f}, there {other.mean:.3f} ± {other.sd:.3f}")
np.testing.assert_allclose([one.mean, one.sd], [other.mean, other.sd], rtol=1e-3)

stimuli, answers = np.array(shown).T
figure, axis = plt.subplots(figsize=(6, 2.8))
for value, face, label in ((1.0, BLUE, "yes"), (0.0, "white", "no")):
    trials = 1 + np.flatnonzero(answers == value)
    axis.scatter(trials, stimuli[answers == value], facecolor=face, edgecolor=BLUE, label=label)
axis.axhline(TRUE_THRESHOLD, color=ORANGE, linestyle="--", label="true threshold")
axis.set(xlabel="trial", ylabel="stimulus", ylim=(-5.3, 5.3))
axis.legend(loc="lower right")
plt.show()
assert abs(other.mean - TRUE_THRESHOLD) < 2 * other.sd

# %% [markdown]
# Here and there ask the same questions and come to the same posterior.

# %% [markdown]
# ## Nonsense is refused
#
# The graph itself refuses what it cannot answer, in one sentence, because TensorFlow Serving
# runs nothing else. So every server that hosts this model does.

# %%
try:
    observed = {"context_design": [[[-1.0]]], "context_status": [[[1]]]}
    client.infer(observed | {"context_outcome": [[[float("nan")]]]})
except aline_tf.InputError as error:
    print(error)
else:
    raise AssertionError("a NaN was answered")

client.close()
server.stop()
