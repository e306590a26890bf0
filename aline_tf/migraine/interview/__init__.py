"""The active loop with a person: prompts, answers, the budget of prompts."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Answer": "answers",
        "Interview": "interview",
        "PromptBudget": "prompt_budget",
        "answers_timeline": "answers",
    },
)
