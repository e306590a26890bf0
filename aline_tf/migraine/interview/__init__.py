"""An evening's questions: the ask loop, answers, the budget of prompts."""
