"""The command line: which handler runs, and what a person sees when the input is at fault."""

import argparse
import errno
import sys
from types import SimpleNamespace

import pytest

from aline_tf import __version__, cli
from aline_tf.errors import InputError


@pytest.fixture
def install(monkeypatch):
    """Register `run(args)` as the handler of `aline-tf group act PLACE [--times N]`."""

    def _install(run):
        def add_arguments(parser):
            parser.add_argument("place")
            parser.add_argument("--times", type=int, default=1)

        handler = SimpleNamespace(add_arguments=add_arguments, run=run)
        monkeypatch.setitem(sys.modules, "test_cli_handler", handler)
        command = cli.Command(("group", "act"), "test_cli_handler", "do the thing")
        monkeypatch.setattr(cli, "COMMANDS", (command,))

    return _install


def raising(error):
    def run(args):
        raise error

    return run


def test_handler_gets_its_arguments_and_gives_the_exit_code(install):
    seen = []
    install(lambda args: seen.append((args.place, args.times)) or 7)
    assert cli.main(["group", "act", "here", "--times", "3"]) == 7
    assert seen == [("here", 3)]


def test_handler_that_returns_nothing_succeeded(install):
    install(lambda args: None)
    assert cli.main(["group", "act", "here"]) == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "room to write; received No space left"),
        (OSError(errno.EFBIG, "File too large", "a/b"), "room to write; received a/b: File too"),
        (OSError(errno.EROFS, "Read-only file system", "a"), "usable path; received a: Read-only"),
        (OSError(errno.EEXIST, "File exists", "a"), "usable path; received a: File exists"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a"), "received a: File name too long"),
    ],
)
def test_a_full_disk_and_a_place_that_is_taken_are_one_line(install, capsys, error, message):
    install(raising(error))
    assert cli.main(["group", "act", "here"]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1


def test_what_the_system_says_of_anything_else_keeps_its_traceback(install):
    for error in (BrokenPipeError(errno.EPIPE, "Broken pipe"), OSError(errno.ENOENT, "nothing")):
        install(raising(error))
        with pytest.raises(OSError):
            cli.main(["group", "act", "here"])


def test_bad_input_is_one_line_on_stderr_and_exit_code_2(install, capsys):
    install(raising(InputError("expected a zip;\n  received 3 bytes")))
    assert cli.main(["group", "act", "here"]) == 2
    printed = capsys.readouterr()
    assert printed.err == "aline-tf: error: expected a zip; received 3 bytes\n"
    assert printed.out == ""


@pytest.mark.parametrize("failure", [FileNotFoundError, PermissionError, IsADirectoryError])
def test_unusable_path_is_reported_by_name(install, capsys, failure):
    install(raising(failure(2, "no such thing", "some/path")))
    assert cli.main(["group", "act", "here"]) == 2
    assert "some/path: no such thing" in capsys.readouterr().err


def test_our_own_mistakes_keep_their_traceback(install):
    install(raising(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["group", "act", "here"])


def test_interruption_is_not_a_crash(install, capsys):
    install(raising(KeyboardInterrupt()))
    assert cli.main(["group", "act", "here"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["group"], ["group", "act"]])
def test_incomplete_command_line_exits_with_2_and_usage(install, capsys, argv):
    install(lambda args: 0)
    with pytest.raises(SystemExit) as stopped:
        cli.main(argv)
    assert stopped.value.code == 2
    assert "usage: aline-tf" in capsys.readouterr().err


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"aline-tf {__version__}\n"


@pytest.fixture
def broken(monkeypatch):
    command = cli.Command(("act",), "a_module_that_is_not_there", "do the thing")
    monkeypatch.setattr(cli, "COMMANDS", (command,))


def test_command_whose_module_is_missing_keeps_its_place_in_the_help(broken, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    assert "do the thing" in capsys.readouterr().out


@pytest.mark.parametrize("rest", [[], ["--option", "value"], ["place", "--option"]])
def test_command_whose_module_is_missing_says_what_it_lacks(broken, capsys, rest):
    assert cli.main(["act", *rest]) == 2
    assert "a_module_that_is_not_there" in capsys.readouterr().err


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: "-".join(command.words))
def test_every_command_describes_its_arguments(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*command.words, "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: aline-tf {' '.join(command.words)}")
    assert command.summary in " ".join(printed.split())


def test_only_the_command_that_is_called_is_imported(monkeypatch, capsys):
    imported = []

    def import_module(name):
        imported.append(name)
        return SimpleNamespace(add_arguments=lambda parser: None, run=lambda args: 0)

    monkeypatch.setattr(cli, "import_module", import_module)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert not imported
    printed = "".join(capsys.readouterr().out.split())
    shown = [command for command in cli.COMMANDS if len(command.words) == 1]
    assert all(command.summary.replace(" ", "") in printed for command in shown)
    assert cli.main(["migraine", "ask"]) == 0
    assert imported == ["aline_tf.migraine.commands.ask"]


def options(parser, words=()):
    """(words, option strings) of every command; those that its help does not show are left out."""
    shown = {
        option
        for action in parser._actions
        if action.help != argparse.SUPPRESS
        for option in action.option_strings
    }
    yield words, shown
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from options(inner, (*words, name))


def test_what_means_the_same_has_one_name_in_every_command():
    found = dict(options(cli.build_parser(cli.COMMANDS)))
    assert set(found) >= {command.words for command in cli.COMMANDS}
    for words, shown in found.items():
        # How many people are made is no number of runs.
        old = set(cli.RENAMED_OPTIONS) & shown - ({"--people"} if "simulate" in words else set())
        assert not old, words
    models = {words for words, shown in found.items() if "--model" in shown}
    assert {("eval",), ("export",), ("gateway", "serve"), ("migraine", "ask")} <= models
    assert all("--steps" in found[words] for words in (("train",), ("migraine", "train")))
    assert all("--runs" in found[words] for words in (("eval",), ("migraine", "evaluate")))


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("eval psychometric --preset mine", "model", "mine"),
        ("export --preset mine --out DIR", "model", "mine"),
        ("train psychometric --from-preset mine", "from_model", "mine"),
        ("migraine evaluate --people 7", "runs", 7),
        ("migraine forecast --out DIR --price 2", "cost_weight", 0.002),
    ],
)
def test_an_older_name_of_an_option_still_works_and_says_so_once(
    words, name, value, capsys, monkeypatch
):
    monkeypatch.setattr(cli._Renamed, "said", set())
    parser = cli.build_parser(cli.COMMANDS)
    for _ in range(2):
        assert getattr(parser.parse_args(words.split()), name) == value
    old = next(word for word in words.split() if word in cli.RENAMED_OPTIONS)
    note = f"aline-tf: note: {old} is called {cli.RENAMED_OPTIONS[old]} now\n"
    assert capsys.readouterr().err == note
