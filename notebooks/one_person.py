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
# # One person's migraine, from exports to plan
#
# Somebody exports what the Health app holds, adds a headache diary, and wants to know: how likely
# is an attack, what seems to bring it on, what is worth finding out next, and what should be
# recorded in the coming weeks? We go through all of it with the example files, which belong to an
# invented person.
#
# It is a forecast from self-tracking data, not a medical device, and no advice on treatment.
# Everything that the text claims is asserted by the cell above it.

# %%
TWINS = 96  # simulated people like this one, on whom the plan rests

# %%
# %matplotlib inline
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

quiet_tensorflow_start()

from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, display

from aline_tf.migraine.forecast import live_twins, make_plan, outlook_at, standpoint, wording
from aline_tf.migraine.forecast.plan import Scores
from aline_tf.migraine.forecast.what_if import parse
from aline_tf.migraine.records import import_timeline
from aline_tf.migraine.report import console_text, render
from aline_tf.migraine.report.plan_section import plan_text
from aline_tf.migraine.task import load_model
from aline_tf.models.compiled import Compiled

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
# ## What was recorded
#
# `import_timeline` reads both files into one timeline and accounts for what it met.

# %%
examples = Path("..") / "examples"
timeline = import_timeline(examples / "export.zip", examples / "diary.csv")
print(timeline.summary)
stand = standpoint(timeline)
print(f"the last evening that the records support: {stand.now:%A, %d %B %Y, %H:%M}")
assert sum(timeline.summary.read.values()) > 1000
assert stand.now.hour == 20

# %% [markdown]
# Thousands of records were read. The forecast stands at 20:00 of the last evening.
#
# ## The outlook
#
# `outlook_at` computes all that follows in one place, from what was known that evening and nothing
# later. `aline-tf migraine forecast` prints it and writes the report.

# %%
COST_WEIGHT = 0.001  # nats that one prompt has to be worth
model = Compiled(load_model())
supposed = (parse("sleep_hours=4"), parse("stress=9"), parse("stress=1"))
outlook = outlook_at(model, stand.timeline, stand.now, COST_WEIGHT, 0, supposed)
print(console_text(outlook, supposed))
day, two_days = outlook.risks
assert day.low < day.probability < day.high and day.probability < two_days.probability

# %% [markdown]
# The interval of the risk says how far it depends on what the records leave open about this
# person; the risk of 48 hours is above that of 24.
#
# ## How has it done so far?
#
# The same forecast for each of the last evenings, made from what was known then, beside what the
# diary says of the day after.

# %%
evenings = outlook.evenings
number = np.arange(len(evenings))
risk = np.array([[e.risks[0].low, e.risks[0].probability, e.risks[0].high] for e in evenings])
attack = np.array([bool(evening.followed) for evening in evenings])
recorded = np.array([evening.followed is not None for evening in evenings])

figure, axes = plt.subplots(figsize=(10, 3))
axes.fill_between(number, 100 * risk[:, 0], 100 * risk[:, 2], color=BLUE, alpha=0.2, lw=0)
axes.plot(number, 100 * risk[:, 1], color=BLUE, label="risk within 24 h, 90% interval")
axes.plot(number[attack], np.full(attack.sum(), -4), "D", color=RED, label="an attack followed")
axes.plot(number[recorded & ~attack], np.full((recorded & ~attack).sum(), -4), ".", color="#7F7F7F",
          label="none followed")  # fmt: skip
axes.set(xlabel=f"evening, from {evenings[0].day}", ylabel="%", ylim=(-8, None))
axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.2))
plt.show()

higher, lower = risk[recorded & attack, 1].mean(), risk[recorded & ~attack, 1].mean()
print(f"mean risk before an attack {higher:.1%}, before none {lower:.1%}")
print(wording.track_record(outlook.score))
assert higher > lower

# %% [markdown]
# Risks were higher before attacks than before days without one. With so few attacks this is no
# proof; the model was judged on people by the hundred (`aline-tf migraine evaluate`).
#
# ## Triggers
#
# For each trigger the probability that it is one of this person's, and how strong it would be. The
# thin bar is what holds of people in general.

# %%
own = [trigger for trigger in outlook.triggers if trigger.days_recorded][::-1]
place = np.arange(len(own))
figure, axes = plt.subplots(1, 2, figsize=(10, 2.8), sharey=True)
axes[0].barh(place, [100 * each.probability for each in own], 0.6, color=BLUE)
axes[0].plot([100 * each.usual for each in own], place, "|", color=BLACK, ms=16)
axes[0].set_yticks(place, [wording.trigger_title(each.name) for each in own])
axes[0].set(xlim=(0, 100), xlabel="one of this person's (%)")
for row, each in enumerate(own):
    axes[1].plot([each.low, each.high], [row, row], color=BLUE)
    axes[1].plot(each.odds_ratio, row, "o", color=BLUE)
axes[1].axvline(1.0, color=BLACK, lw=0.8)
axes[1].set(xscale="log", xlabel="odds of an attack's start, if it is (90% interval)")
axes[1].set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
axes[1].minorticks_off()
plt.show()

for each in own[::-1]:
    print(f"{wording.trigger_title(each.name):32} {each.probability:.0%}, usually {each.usual:.0%}")
assert all(0.0 <= each.probability <= 1.0 and each.low < each.high for each in own)
assert [each.strength for each in own] == sorted(each.strength for each in own)

# %% [markdown]
# They are ordered by strength, a probable weak one below a likely strong one.
#
# ## What if?
#
# The risk had something been otherwise today. That is a prediction and not a cause: stress may go
# before an attack because the attack is on its way.

# %%
shown = outlook.what_ifs[:8][::-1]
place = np.arange(len(shown))
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.axvline(100 * day.probability, color=BLACK, lw=0.8)
for row, each in enumerate(shown):
    axes.plot([100 * day.probability, 100 * each.risk_24h], [row, row], color=BLUE)
    axes.plot(100 * each.risk_24h, row, "o", color=BLUE)
axes.set_yticks(place, [wording.supposition(each.supposition) for each in shown])
axes.set_xlabel("risk within 24 h (%); the line is the forecast")
axes.margins(x=0.1)
plt.show()
assert {each.supposition for each in outlook.what_ifs} & set(supposed)
assert max(abs(each.risk_24h - day.probability) for each in outlook.what_ifs) > 0.005

# %% [markdown]
# What was supposed by hand is among them, and some of it moves the risk by more than half a point.
#
# ## What is worth finding out next
#
# A question is worth its expected gain of information about when the next attack comes, less its
# burden. Below are the three most worthwhile, and how far each possible answer to the first would
# move the risk.

# %%
for rank, valued in enumerate(outlook.next_candidates, 1):
    print(f"{rank}. {valued.candidate.label}: {wording.worth(valued)}")
    print(f"   {wording.reason(valued, day.probability, outlook.history)}")
best = outlook.next_candidates[0]
chances = np.array([outcome.probability for outcome in best.outcomes])
after = np.array([outcome.risk_24h for outcome in best.outcomes])

figure, axes = plt.subplots(figsize=(5, 2.6))
axes.scatter([each.value for each in best.outcomes], 100 * after, 20 + 400 * chances, color=ORANGE)
axes.axhline(100 * day.probability, color=BLACK, lw=0.8)
axes.set(xlabel=f"{best.candidate.label} (area: how likely)", ylabel="risk within 24 h (%)")
axes.set_ylim(0, None)
axes.set_xticks(sorted({each.value for each in best.outcomes}))
axes.margins(x=0.1)
plt.show()
np.testing.assert_allclose(chances @ after, day.probability, atol=1e-3)
assert best.gain > 0.0

# %% [markdown]
# Averaged over the answers, weighted by how likely each is, the risk stays what it is: a question
# may move it either way, and is not expected to raise it or lower it.
#
# ## A plan for two weeks
#
# What should be recorded? `live_twins` simulates people with parameters that these records allow;
# `make_plan` tries readings and questions on their next two weeks, within a budget of prompts a
# day (`aline-tf migraine plan`).

# %%
BUDGET = 2.0
twins = live_twins(model, outlook.history, TWINS, seed=0)
plan = make_plan(Scores(model, twins), BUDGET)
print(plan_text(plan, TWINS))
assert plan.chosen.cost <= BUDGET
assert plan.chosen.log_score >= max(
    (gain.log_score for gain in plan.alone if gain.cost <= BUDGET), default=0.0
) * 0.97  # fmt: skip

# %%
gains = plan.alone[:10][::-1]
place = np.arange(len(gains))
colours = [ORANGE if gain.options[0] in plan.chosen.options else BLUE for gain in gains]
figure, axes = plt.subplots(figsize=(8, 3))
axes.barh(place, [1000 * gain.log_score for gain in gains], 0.6, color=colours,
          xerr=[1000 * gain.error for gain in gains])  # fmt: skip
axes.set_yticks(place, [gain.options[0].label for gain in gains])
axes.set_xlabel("gain by itself (millinats an evening; orange: in the plan)")
plt.show()

# %% [markdown]
# The plan keeps to its budget, and is worth as much as the best single option, but for the 3% that
# are given up for a smaller burden.
#
# ## The report
#
# All of this on one page of HTML that asks nothing of anybody: no script, no font, no request.
# `--out DIR` writes it; here it is in a frame.

# %%
page = render(outlook)
assert "<script" not in page and "http://" not in page.replace("http://www.w3.org", "")
assert wording.percent(day.probability) in page and escape(wording.NOT_A_DEVICE) in page
frame = f'<iframe srcdoc="{escape(page, quote=True)}" width="100%" height="600"></iframe>'
print(f"{len(page):,} characters")
display(HTML(f"<div>{frame}</div>"))
