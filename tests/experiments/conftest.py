"""What tests of several experiments share."""

import pytest

from tests.seeds import seed_weights


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A function (task name) -> directory of an untrained preset."""

    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import save_preset
    from aline_tf.tasks import task_by_name

    def make(name):
        directory = tmp_path_factory.mktemp("models") / name
        seed_weights(1)
        model = ALINE(
            task_by_name(name).spec,
            hidden_dim=8,
            num_layers=1,
            num_heads=2,
            intermediate_dim=8,
            components=2,
        )
        model.build()
        save_preset(model, directory)
        return str(directory)

    return make
