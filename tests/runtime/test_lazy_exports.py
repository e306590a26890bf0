"""Names of a room come when they are wanted, and not before."""

import sys
import types

import pytest

from aline_tf.runtime.lazy_exports import lazy_exports


@pytest.fixture
def room(monkeypatch):
    module = types.ModuleType("aline_tf.imagined")
    monkeypatch.setitem(sys.modules, "aline_tf.imagined", module)
    names = {"fold_in": "aline_tf.draws", "errors": "aline_tf.errors"}
    module.__getattr__, module.__dir__, module.__all__ = lazy_exports("aline_tf.imagined", names)
    return module


def test_a_name_is_that_of_its_module_and_is_kept(room):
    from aline_tf.draws import fold_in

    assert "fold_in" not in vars(room)
    assert room.fold_in is fold_in
    assert vars(room)["fold_in"] is fold_in


def test_a_module_is_exported_by_its_own_name(room):
    assert room.errors is sys.modules["aline_tf.errors"]


def test_all_names_are_listed_before_they_are_there(room):
    assert {"fold_in", "errors"} <= set(dir(room))
    assert room.__all__ == ["fold_in", "errors"]


def test_another_name_is_an_attribute_error(room):
    with pytest.raises(AttributeError, match=r"'aline_tf\.imagined' has no attribute 'nonsense'"):
        room.nonsense  # noqa: B018
