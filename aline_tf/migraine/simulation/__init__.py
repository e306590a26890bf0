"""Simulated people: population, simulator, measurement and recording models, cohorts, tables."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Cohort": "cohort",
        "complete_recording": "recording",
        "people_table": "tables",
        "person_timeline": "simulated_timeline",
        "prompted_recording": "recording",
        "recorded_context": "recording",
        "sample_cohort": "cohort",
        "sample_people": "population",
        "sample_recording": "recording",
        "SHIFTED": "population",
        "simulate_people": "simulator",
        "theta_table": "tables",
        "true_attack_probabilities": "attack_probability",
        "WorldSettings": "population",
    },
)
