"""The table of tasks: every name leads to its class, and one's own are found beside it."""

import sys

import pytest

from aline_tf.errors import InputError
from aline_tf.tasks import registry, task_by_name


@pytest.mark.parametrize("name", list(registry.TASKS))
def test_every_task_of_the_table_bears_its_name(name):
    assert registry.load(registry.TASKS[name].task)().spec.name == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hpo", ("hpo", "")),
        ("hpo:boosting", ("hpo", "boosting")),
        ("hpo:/a:b", ("hpo", "/a:b")),
        ("own:Task", ("own:Task", "")),
    ],
)
def test_an_argument_stands_after_the_colon_of_a_packaged_task_alone(name, parts):
    assert registry.split_name(name) == parts


def test_a_line_of_the_table_is_all_that_a_name_needs(tmp_path, monkeypatch):
    (tmp_path / "pond_task.py").write_text(
        "from aline_tf.tasks.psychometric import Psychometric\n\n\nclass Pond(Psychometric):\n"
        "    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(InputError, match="received 'pond'"):
        task_by_name("pond")
    monkeypatch.setitem(registry.TASKS, "pond", registry.Entry("pond_task:Pond", ""))
    assert type(task_by_name("pond")).__name__ == "Pond"
    assert type(task_by_name("pond_task:Pond")).__name__ == "Pond"


def test_an_argument_that_a_task_does_not_take_is_refused():
    with pytest.raises(InputError, match="expected no argument of task gp1d; received '3'"):
        task_by_name("gp1d:3")
