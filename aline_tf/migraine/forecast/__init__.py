"""The forecast of one person: risk, triggers, attribution, what-if, value of information."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Attribution": "attribution",
        "BacktestScore": "backtest",
        "Evening": "backtest",
        "Outlook": "outlook",
        "PredictedOutcome": "value_of_information",
        "Risk": "forecast",
        "Standpoint": "moment",
        "standpoint": "moment",
        "Supposition": "what_if",
        "TriggerPosterior": "triggers",
        "Unlikeness": "unlikeness",
        "ValuedCandidate": "value_of_information",
        "WhatIf": "what_if",
        "attack_probabilities": "forecast",
        "attack_risks": "forecast",
        "attributions": "attribution",
        "backtest_evenings": "backtest",
        "backtest_score": "backtest",
        "evening_of": "moment",
        "history_batch": "person_batch",
        "outlook_at": "outlook",
        "trigger_posteriors": "triggers",
        "value_candidates": "value_of_information",
        "what_ifs": "what_if",
        "worth_asking": "value_of_information",
    },
)
