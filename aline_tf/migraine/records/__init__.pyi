"""A person's records: timeline, files, wall clock, units, days, FHIR, importers."""

from aline_tf.migraine.records.attack_slots import attack_days as attack_days
from aline_tf.migraine.records.days import DayHistory as DayHistory
from aline_tf.migraine.records.days import day_history as day_history
from aline_tf.migraine.records.evening import Support as Support
from aline_tf.migraine.records.evening import support as support
from aline_tf.migraine.records.fhir_export import write_bundle as write_bundle
from aline_tf.migraine.records.import_summary import ImportSummary as ImportSummary
from aline_tf.migraine.records.importers import Records as Records
from aline_tf.migraine.records.importers import import_timeline as import_timeline
from aline_tf.migraine.records.importers import read_apple_health as read_apple_health
from aline_tf.migraine.records.importers import read_diary as read_diary
from aline_tf.migraine.records.importers import read_records as read_records
from aline_tf.migraine.records.timeline import KINDS as KINDS
from aline_tf.migraine.records.timeline import Kind as Kind
from aline_tf.migraine.records.timeline import Timeline as Timeline
from aline_tf.migraine.records.timeline_file import read_timeline as read_timeline
from aline_tf.migraine.records.timeline_file import write_timeline as write_timeline
from aline_tf.migraine.records.units import convert as convert
from aline_tf.migraine.records.wall_clock import WallClock as WallClock
from aline_tf.migraine.records.wall_clock import time_zone as time_zone
