"""What can be recorded, acquired and forecast: channels, candidates, designs, parameters, spec."""

from aline_tf.migraine.schema.candidates import Candidate as Candidate
from aline_tf.migraine.schema.candidates import LIBRARY as LIBRARY
from aline_tf.migraine.schema.candidates import candidates_for as candidates_for
from aline_tf.migraine.schema.channels import CHANNELS as CHANNELS
from aline_tf.migraine.schema.channels import FIELDS as FIELDS
from aline_tf.migraine.schema.channels import FORECASTS as FORECASTS
from aline_tf.migraine.schema.channels import OUTCOMES as OUTCOMES
from aline_tf.migraine.schema.channels import field_name as field_name
from aline_tf.migraine.schema.channels import places as places
from aline_tf.migraine.schema.designs import CAPACITY as CAPACITY
from aline_tf.migraine.schema.designs import design as design
from aline_tf.migraine.schema.parameters import PARAMETERS as PARAMETERS
from aline_tf.migraine.schema.parameters import TRIGGERS as TRIGGERS
from aline_tf.migraine.schema.parameters import Trigger as Trigger
from aline_tf.migraine.schema.spec import SPEC as SPEC
