"""The evaluation on unseen people: the model beside baselines and oracle filters."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "Baselines": "baselines",
        "Tried": "studies.planning",
        "EveningRecords": "prompting",
        "FineTuned": "studies.fine_tuning",
        "OracleFilters": "particle_filter",
        "ParticleFilter": "particle_filter",
        "PromptingRun": "prompting",
        "best_proposals": "shortlist",
        "burden_curves": "burden",
        "choose": "acquisition_policies",
        "draw_burden": "burden_plots",
        "draw_prompting": "burden_plots",
        "evaluate": "study",
        "fine_tuning_study": "studies.fine_tuning",
        "parameter_study": "parameter_prompting",
        "prompting_study": "prompting",
        "scorer": "acquisition_policies",
        "study_evenings": "prompting",
    },
)
