"""The report of a forecast as one HTML file, or as plain text."""

from aline_tf.migraine.report.console import console_text as console_text
from aline_tf.migraine.report.document import outlook_document as outlook_document
from aline_tf.migraine.report.report import render as render
