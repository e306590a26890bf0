"""What tests of several experiments share."""

import pytest

from tests.seeds import seed_weights


@pytest.fixture(autouse=True)
def _one_model(presets_read_once) -> None:
    """See `presets_read_once`."""


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    """A function (task name) -> directory of an untrained preset."""
    from aline_tf.models.aline import ALINE
    from aline_tf.models.presets import save_preset
    from aline_tf.tasks import task_by_name

    sizes = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8}
    made = {}

    def make(name):
        if name not in made:
            seed_weights(1)
            model = ALINE(task_by_name(name).spec, **sizes, components=2)
            model.build()
            made[name] = str(tmp_path_factory.mktemp("models") / name)
            save_preset(model, made[name])
        return made[name]

    return make
