"""The evaluation on unseen people: the model beside baselines and oracle filters."""

from aline_tf.migraine.evaluation.acquisition_policies import choose as choose
from aline_tf.migraine.evaluation.acquisition_policies import scorer as scorer
from aline_tf.migraine.evaluation.baselines import Baselines as Baselines
from aline_tf.migraine.evaluation.burden import burden_curves as burden_curves
from aline_tf.migraine.evaluation.burden_plots import draw_burden as draw_burden
from aline_tf.migraine.evaluation.burden_plots import draw_prompting as draw_prompting
from aline_tf.migraine.evaluation.parameter_prompting import parameter_study as parameter_study
from aline_tf.migraine.evaluation.particle_filter import OracleFilters as OracleFilters
from aline_tf.migraine.evaluation.particle_filter import ParticleFilter as ParticleFilter
from aline_tf.migraine.evaluation.prompting import EveningRecords as EveningRecords
from aline_tf.migraine.evaluation.prompting import PromptingRun as PromptingRun
from aline_tf.migraine.evaluation.prompting import prompting_study as prompting_study
from aline_tf.migraine.evaluation.prompting import study_evenings as study_evenings
from aline_tf.migraine.evaluation.shortlist import best_proposals as best_proposals
from aline_tf.migraine.evaluation.studies.fine_tuning import FineTuned as FineTuned
from aline_tf.migraine.evaluation.studies.fine_tuning import fine_tuning_study as fine_tuning_study
from aline_tf.migraine.evaluation.studies.planning import Tried as Tried
from aline_tf.migraine.evaluation.study import evaluate as evaluate
