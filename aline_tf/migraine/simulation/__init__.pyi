"""Simulated people: population, simulator, measurement and recording models, cohorts, tables."""

from aline_tf.migraine.simulation.attack_probability import true_attack_probabilities as true_attack_probabilities
from aline_tf.migraine.simulation.cohort import Cohort as Cohort
from aline_tf.migraine.simulation.cohort import sample_cohort as sample_cohort
from aline_tf.migraine.simulation.population import SHIFTED as SHIFTED
from aline_tf.migraine.simulation.population import WorldSettings as WorldSettings
from aline_tf.migraine.simulation.population import sample_people as sample_people
from aline_tf.migraine.simulation.recording import complete_recording as complete_recording
from aline_tf.migraine.simulation.recording import prompted_recording as prompted_recording
from aline_tf.migraine.simulation.recording import recorded_context as recorded_context
from aline_tf.migraine.simulation.recording import sample_recording as sample_recording
from aline_tf.migraine.simulation.simulated_timeline import person_timeline as person_timeline
from aline_tf.migraine.simulation.simulator import simulate_people as simulate_people
from aline_tf.migraine.simulation.tables import people_table as people_table
from aline_tf.migraine.simulation.tables import theta_table as theta_table
