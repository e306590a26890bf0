"""The `aline-tf` command: finds the handler of a sub-command, runs it, and reports bad input.

Each sub-command lives in its own module with `add_arguments(parser)` and `run(args) -> int`. Those
modules import TensorFlow inside `run` only, so that `aline-tf --help` answers at once.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar

from aline_tf import __version__
from aline_tf.errors import InputError, TrainingDiverged
from aline_tf.runtime.quiet_import import quiet_tensorflow_start

#: Options by the names they had, and the ones they have: one word for the model, one for runs.
RENAMED_OPTIONS = {
    "--preset": "--model",
    "--from-preset": "--from-model",
    "--people": "--runs",
    "--price": "--cost-weight",
}
#: What the system says of a path that somebody typed, and of a disk that is full or read-only.
PATHS = {
    errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT,
    errno.ENOTDIR, errno.ENOTEMPTY, errno.EPERM, errno.EROFS,
}  # fmt: skip
ROOM = {errno.EDQUOT, errno.EFBIG, errno.ENOSPC}
EXIT_FAILED = 1
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """One sub-command: its words on the command line, its module, its line in the help."""

    words: tuple[str, ...]
    module: str
    summary: str


COMMANDS = (
    Command(
        ("train",), "aline_tf.commands.train", "train a model on a task and save it as a preset"
    ),
    Command(("eval",), "aline_tf.commands.eval", "measure a model against baselines, as a table"),
    Command(("bench",), "aline_tf.commands.bench", "measure speed, memory and what training buys"),
    Command(("models",), "aline_tf.commands.models", "list the trained models of the package"),
    Command(("export",), "aline_tf.commands.export", "write a SavedModel with named signatures"),
    Command(
        ("serve",), "aline_tf.commands.serve", "serve SavedModels over gRPC and REST without Docker"
    ),
    Command(
        ("gateway", "serve"),
        "aline_tf.commands.gateway_serve",
        "take a person's readings in and give forecasts back, over HTTP",
    ),
    Command(
        ("gateway", "person"),
        "aline_tf.commands.gateway_person",
        "add somebody who may use the gateway, or one more token of theirs",
    ),
    Command(
        ("gateway", "service"),
        "aline_tf.commands.gateway_service",
        "add a program that may act for several people, as far as they let it",
    ),
    Command(
        ("record-hpo",),
        "aline_tf.commands.record_hpo",
        "record a small meta-dataset of hyper-parameters from scikit-learn's bundled tables",
    ),
    Command(
        ("migraine", "import"),
        "aline_tf.migraine.commands.import_records",
        "any health records into one timeline file, with what was read and skipped",
    ),
    Command(
        ("migraine", "forecast"),
        "aline_tf.migraine.commands.forecast",
        "risk, triggers and next questions from a person's own exports",
    ),
    Command(
        ("migraine", "train"),
        "aline_tf.migraine.commands.train",
        "train the model on with people who recorded themselves",
    ),
    Command(
        ("migraine", "ask"),
        "aline_tf.migraine.commands.ask",
        "question after question, the most worthwhile first, and how the answers move the risk",
    ),
    Command(
        ("migraine", "plan"),
        "aline_tf.migraine.commands.plan",
        "which device, reading and question is worth it in two weeks, and when to be asked",
    ),
    Command(
        ("migraine", "simulate"),
        "aline_tf.migraine.commands.simulate",
        "simulated people as a table, and as records that can be imported",
    ),
    Command(
        ("migraine", "evaluate"),
        "aline_tf.migraine.commands.evaluate",
        "measure a model on simulated people it never met, beside baselines",
    ),
)

GROUPS = {
    "gateway": "the back end of an application: readings in, forecasts out",
    "migraine": "forecasts for one person from exported health data",
}


def build_parser(
    commands: Sequence[Command], called: Sequence[str] | None = None
) -> argparse.ArgumentParser:
    """The parser of the whole command line, with every sub-command filled by its handler.

    Args:
        commands: all of them.
        called: the words of a call, so that only the command they name is filled; the others then
            cost no import. None fills all.

    A handler whose module cannot be imported (an optional dependency is missing) keeps its place in
    the help and says what is missing when it is called.
    """
    parser = argparse.ArgumentParser(
        prog="aline-tf",
        description="Amortized active learning and inference: what to ask next, what is known.",
    )
    parser.add_argument("--version", action="version", version=f"aline-tf {__version__}")
    levels = {(): parser.add_subparsers(metavar="COMMAND", required=True)}
    for command in commands:
        *group, name = command.words
        for depth in range(1, len(group) + 1):
            words = tuple(group[:depth])
            if words not in levels:
                summary = GROUPS.get(words[-1])
                inner = levels[words[:-1]].add_parser(words[-1], help=summary, description=summary)
                levels[words] = inner.add_subparsers(metavar="COMMAND", required=True)
        subparser = levels[tuple(group)].add_parser(
            name, help=command.summary, description=command.summary
        )
        if called is None or tuple(called[: len(command.words)]) == command.words:
            subparser.set_defaults(handler=_fill(subparser, command))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 for a training run that met numbers which
    are not finite, 2 for bad input, 130 when interrupted."""
    quiet_tensorflow_start()
    words = sys.argv[1:] if argv is None else list(argv)
    args = build_parser(COMMANDS, words).parse_args(words)
    try:
        return int(args.handler(args) or 0)
    except InputError as error:
        return _report(str(error))
    except TrainingDiverged as error:
        _report(str(error))
        return EXIT_FAILED
    except OSError as error:
        if error.errno in ROOM:
            place = "" if error.filename is None else f"{error.filename}: "
            return _report(f"expected room to write; received {place}{error.strerror}")
        if error.errno not in PATHS or error.filename is None:
            raise
        return _report(f"expected a usable path; received {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        print("aline-tf: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _fill(
    subparser: argparse.ArgumentParser, command: Command
) -> Callable[[argparse.Namespace], int]:
    """Let the command's module add its arguments; return the function that runs it."""
    try:
        module = import_module(command.module)
    except ImportError as error:
        reason = str(error)

        def unavailable(_: argparse.Namespace) -> int:
            raise InputError(f"`aline-tf {' '.join(command.words)}` cannot run here: {reason}")

        # Whatever options were given, the answer is what is missing, not how to spell them.
        subparser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
        subparser.prefix_chars = "\0"
        return unavailable
    module.add_arguments(subparser)
    _add_old_names(subparser)
    return module.run


def _add_old_names(subparser: argparse.ArgumentParser) -> None:
    """The options of a command by their older names too, which its help does not show."""
    known = subparser._option_string_actions
    for old, new in RENAMED_OPTIONS.items():
        if new in known and old not in known:
            subparser.add_argument(
                old, action=_Renamed, today=known[new], dest=known[new].dest, help=argparse.SUPPRESS
            )


class _Renamed(argparse.Action):
    """An option that does what another does, and says once what it is called now."""

    said: ClassVar[set[str]] = set()

    def __init__(self, *args, today: argparse.Action, **kwargs):
        taken = {name: getattr(today, name) for name in ("nargs", "type", "choices", "metavar")}
        super().__init__(*args, **kwargs, **taken, default=argparse.SUPPRESS)
        self.today = today

    def __call__(self, parser, namespace, values, option_string=None):
        old, new = self.option_strings[0], self.today.option_strings[0]
        if old not in self.said:
            self.said.add(old)
            print(f"aline-tf: note: {old} is called {new} now", file=sys.stderr)
        self.today(parser, namespace, values, new)


def _report(message: str) -> int:
    """Print `message` on one line of stderr and return the exit code of bad input."""
    print(f"aline-tf: error: {' '.join(message.split())}", file=sys.stderr)
    return EXIT_INPUT


if __name__ == "__main__":
    sys.exit(main())
