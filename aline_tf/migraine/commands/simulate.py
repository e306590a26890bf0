"""`aline-tf migraine simulate`: people who never were, as a table and as timelines."""

from __future__ import annotations

import argparse
import gzip
import time
from contextlib import ExitStack
from pathlib import Path

from aline_tf.errors import InputError

MOST_PEOPLE, MOST_DAYS, MOST_PERSON_DAYS = 10_000, 365, 1_200_000
TABLES = (".csv", ".csv.gz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `aline-tf migraine simulate`."""
    parser.add_argument(
        "--people", type=int, default=100, metavar="S", help="how many people (default: 100)"
    )
    parser.add_argument(
        "--days", type=int, default=112, metavar="D", help="days of each (default: 112)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default: 0)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        required=True,
        help="one row a person and day, as CSV; compressed when the name ends in .csv.gz. Columns"
        " that begin with true_, and migraine_day, are what happened, told or not",
    )
    parser.add_argument(
        "--everything",
        action="store_true",
        help="give every field its value, as if all were known (default: empty where a device was"
        " off or a prompt was not answered)",
    )
    parser.add_argument(
        "--parameters", type=Path, metavar="FILE", help="also the true parameters, as CSV"
    )
    parser.add_argument(
        "--timelines",
        type=Path,
        metavar="DIR",
        help="also what each person recorded, as person-0001.jsonl and so on, with made-up dates;"
        " `migraine import` and `migraine forecast` read them",
    )
    parser.add_argument(
        "--shifted",
        action="store_true",
        help="people of another world: more triggers and attacks, fewer answers",
    )


def run(args: argparse.Namespace) -> int:
    """Simulates, writes the files and prints how often these people have attacks.

    People are numbered from 1, the same in all files.

    Raises:
        InputError: an argument cannot be used; nothing has been written.
    """
    _check(args)
    from aline_tf.migraine.simulation.tables import people_table, theta_table
    from aline_tf.runtime.atomic_files import atomic_path

    world, seconds = _simulated(args.people, args.days, args.seed, args.shifted)
    frame = people_table(world, observed_only=not args.everything)
    frame["person"] += 1
    with ExitStack() as stack:
        # All files take their names together, or none does.
        if args.timelines is not None:
            write_timelines(world, stack.enter_context(atomic_path(args.timelines)))
        if args.parameters is not None:
            # Adding zero turns the -0 of an absent negative effect into 0.
            theta = theta_table(world) + 0.0
            theta.index += 1
            write_table(theta.reset_index(), stack.enter_context(atomic_path(args.parameters)))
        write_table(frame, stack.enter_context(atomic_path(args.out)))
    print(console_text(frame, seconds, args))
    for path in filter(None, (args.out, args.parameters, args.timelines)):
        print(f"Written: {path}")
    return 0


def console_text(frame, seconds: float, args: argparse.Namespace) -> str:
    """What the command prints about simulated people.

    Args:
        frame: from `aline_tf.migraine.simulation.tables.people_frame`.
        seconds: that the simulation took.
        args: of the command.
    """
    from aline_tf.evaluation.results import machine
    from aline_tf.migraine.simulation.cohort import DAYS_IN_A_MONTH

    monthly = frame.groupby("person")["migraine_day"].mean() * DAYS_IN_A_MONTH
    low, middle, high = monthly.quantile([0.1, 0.5, 0.9])
    world = " of the shifted world" if args.shifted else ""
    return (
        f"{args.people:,} simulated people{world}, {args.days} days each, seed {args.seed}\n"
        f"Migraine days a month: {low:.1f} / {middle:.1f} / {high:.1f} at the 10th / 50th / 90th"
        " percentile of people\n"
        f"{len(frame):,} person-days in {seconds:.3f} s: {len(frame) / seconds:,.0f} a second"
        f" ({machine()})"
    )


def write_table(frame, path: Path) -> None:
    """Writes a frame as CSV, without its index; compressed when the name ends in .gz."""
    text = frame.to_csv(index=False, float_format="%.7g", lineterminator="\n").encode()
    # No time and no name inside: the same people give the same bytes.
    path.write_bytes(gzip.compress(text, mtime=0) if path.name.endswith(".gz") else text)


def write_timelines(world: dict, directory: Path) -> None:
    """Writes one timeline file a person into a new directory.

    Args:
        world: numpy arrays of `aline_tf.migraine.simulation.simulator.simulate_people`.
        directory: does not exist yet.
    """
    from aline_tf.migraine.records.timeline_file import write_timeline
    from aline_tf.migraine.simulation.simulated_timeline import person_timeline

    directory.mkdir()
    columns = (world[name] for name in ("value", "status_if_tried", "weekday"))
    for number, person in enumerate(zip(*columns, strict=True), 1):
        write_timeline(person_timeline(*person), directory / f"person-{number:04d}.jsonl")


def _simulated(people: int, days: int, seed: int, shifted: bool) -> tuple[dict, float]:
    """The world as numpy arrays, and the seconds that a run of the graph takes."""
    import tensorflow as tf

    from aline_tf import draws
    from aline_tf.migraine.simulation.population import SHIFTED, WorldSettings
    from aline_tf.migraine.simulation.simulator import simulate_people

    settings = SHIFTED if shifted else WorldSettings()
    simulate = tf.function(lambda s: simulate_people(s, people, days, settings))
    graph = simulate.get_concrete_function(tf.TensorSpec([2], tf.int32))
    # The first run also fits the graph to the machine.
    graph(draws.as_seed(seed))
    started = time.perf_counter()
    world = {name: tensor.numpy() for name, tensor in graph(draws.as_seed(seed)).items()}
    return world, time.perf_counter() - started


def _check(args: argparse.Namespace) -> None:
    """Raises InputError for what can be seen before any work."""
    for name, most in (("people", MOST_PEOPLE), ("days", MOST_DAYS)):
        given = getattr(args, name)
        if not 1 <= given <= most:
            raise InputError(f"expected --{name} from 1 to {most}; received {given}")
    if args.people * args.days > MOST_PERSON_DAYS:
        raise InputError(
            f"expected --people times --days of at most {MOST_PERSON_DAYS:,};"
            f" received {args.people * args.days:,}"
        )
    if not 0 <= args.seed < 2**31:
        raise InputError(f"expected --seed from 0 to 2147483647; received {args.seed}")
    tables = {"--out": args.out, "--parameters": args.parameters}
    tables = {option: path for option, path in tables.items() if path is not None}
    for option, path in tables.items():
        if not path.name.endswith(TABLES):
            raise InputError(f"expected {option} to end in .csv or .csv.gz; received {path}")
        if path.is_dir():
            raise InputError(f"expected a file to write; received the directory {path}")
    if len({path.resolve() for path in tables.values()}) < len(tables):
        raise InputError(f"expected two different files to write; received {args.out} twice")
    if args.timelines is not None:
        _check_directory(args.timelines, list(tables.values()))


def _check_directory(directory: Path, tables: list[Path]) -> None:
    """Raises InputError unless a directory can be put there without taking anything away."""
    if directory.exists() and not directory.is_dir():
        raise InputError(f"expected a directory after --timelines; received the file {directory}")
    if directory.is_dir() and any(directory.iterdir()):
        raise InputError(
            f"expected a new or empty directory after --timelines; received {directory}, which"
            " holds files"
        )
    for path in tables:
        if directory.resolve() in (path.resolve(), *path.resolve().parents):
            raise InputError(
                f"expected the tables outside the directory of --timelines; received {path}"
            )
