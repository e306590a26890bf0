"""The gateway: an application's back end takes in a person's readings and gives back forecasts."""

from aline_tf.gateway.app import create_app as create_app
from aline_tf.gateway.settings import Settings as Settings
from aline_tf.gateway.storage.database import Database as Database
