"""The active loop with a person: prompts, answers, the budget of prompts."""

from aline_tf.migraine.interview.answers import Answer as Answer
from aline_tf.migraine.interview.answers import answers_timeline as answers_timeline
from aline_tf.migraine.interview.interview import Interview as Interview
from aline_tf.migraine.interview.prompt_budget import PromptBudget as PromptBudget
