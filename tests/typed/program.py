"""What a user writes, for a type checker; nobody runs it. The checker has to agree with every
`assert_type`, and would not if names of the package were anything at all."""

from typing import assert_type

import numpy as np
import pandas as pd

import aline_tf
from aline_tf import ALINE, Client, Frozen, Session, Trainer, evaluate
from aline_tf.acquisition import Answer, Marginal, Question
from aline_tf.acquisition.laboratory import TrialHandler
from aline_tf.serving import RemoteModel
from aline_tf.tasks import Psychometric
from aline_tf.training import Recipe

model = ALINE.from_preset("psychometric")
assert_type(model, ALINE)
assert_type(Frozen(model).thawed, ALINE)

session = Session(model, candidates=np.linspace(-5, 5, 9)[:, None])
question = session.ask()
assert_type(question, Question)
assert_type(session.ask(3), list[Question])
session.tell(question.index, 1.0)
assert_type(session.posterior(), dict[str, Marginal])
assert_type(session.posterior()["threshold"].mean, float)
assert_type(session.answers, tuple[Answer, ...])
assert_type(session.history, pd.DataFrame)
assert_type(session.sample(5), pd.DataFrame)
assert_type(session.to_json(), str)
assert_type(session.done(trials=3), bool)
assert_type(TrialHandler(session), TrialHandler)

recipe = Recipe(warmup_steps=10, joint_steps=10)
trainer = Trainer(model, Psychometric())
trainer.compile(recipe=recipe, seed=1)
assert_type(recipe.steps, int)
assert_type(trainer.evaluate(), dict[str, float] | list[float])
assert_type(evaluate(model, runs=5), pd.DataFrame)
assert_type(aline_tf.presets(), pd.DataFrame)

with Client("127.0.0.1:8500", "psychometric") as client:
    assert_type(client, Client)
assert_type(RemoteModel("127.0.0.1:8500", "psychometric"), RemoteModel)
