"""Old doors still open, with a DeprecationWarning."""

import importlib

import pytest


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("aline_tf.files", "atomic_path", "aline_tf.runtime.atomic_files"),
        ("aline_tf.files", "savedmodels_dir", "aline_tf.models.packaged_presets"),
        ("aline_tf.tasks.base", "Task", "aline_tf.tasks.task"),
        ("aline_tf.tasks.base", "TaskSpec", "aline_tf.spec"),
        ("aline_tf.tasks.base", "Parameter", "aline_tf.spec"),
        ("aline_tf.tasks.base", "Channel", "aline_tf.spec"),
    ],
)
def test_a_name_is_found_where_it_was_and_says_where_it_is(old, name, new):
    with pytest.warns(DeprecationWarning, match=f"{name} is in {new} now"):
        found = getattr(importlib.import_module(old), name)
    assert found is getattr(importlib.import_module(new), name)


@pytest.mark.parametrize("old", ["aline_tf.files", "aline_tf.tasks.base"])
def test_other_names_are_not(old):
    with pytest.raises(AttributeError, match="nothing"):
        _ = importlib.import_module(old).nothing
