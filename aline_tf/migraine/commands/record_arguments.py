"""Options that every command about one person's records shares. No TensorFlow."""

from __future__ import annotations

import argparse
import math
from datetime import UTC, datetime
from pathlib import Path

from aline_tf.errors import InputError

#: Millinats that one prompt has to be worth; a coin toss tells 693.
COST_WEIGHT = 1.0
_MILLINATS_PER_NAT = 1000.0


def add_record_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds where records come from."""
    parser.add_argument("--apple-health", type=Path, metavar="ZIP", help="an Apple Health export")
    parser.add_argument("--diary", type=Path, metavar="CSV", help="a headache diary")
    parser.add_argument(
        "--column-map", type=Path, metavar="JSON", help="how the columns of the diary are named"
    )
    parser.add_argument(
        "--records",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="anything that `migraine import` reads, or what it wrote",
    )
    parser.add_argument("--zone", metavar="NAME", help="time zone for records that name none")
    add_diary_arguments(parser)


def check_record_arguments(args: argparse.Namespace) -> None:
    """Raises InputError where no records are named, or a column map for none of them."""
    if args.apple_health is None and args.diary is None and not args.records:
        raise InputError("expected --records, --apple-health or --diary; received none of them")
    if args.column_map is not None and args.diary is None and not args.records:
        raise InputError("expected --diary or --records beside --column-map; received neither")


def timeline_of(args: argparse.Namespace):
    """The timeline of the records that the arguments of `add_record_arguments` name.

    Raises:
        InputError: nothing was given, or a file cannot be used.
    """
    from aline_tf.migraine.records.importers import import_timeline

    return import_timeline(
        args.apple_health,
        args.diary,
        args.column_map,
        args.records,
        args.zone,
        args.accept_losses,
        args.dates,
        args.words,
        datetime.now(UTC),
    )


def add_diary_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what a person can say of a diary that does not say it itself."""
    parser.add_argument(
        "--dates",
        choices=("day-first", "month-first", "year-first"),
        help="order of dates like 03/04/2025, where the diary leaves it open",
    )
    parser.add_argument(
        "--words",
        type=Path,
        metavar="JSON",
        help='what words of diaries mean, as {"yes": ["joo"], "no": ["ei"]}; others: none, mild,'
        " moderate, severe, worst, refused, blank, medicine",
    )
    parser.add_argument(
        "--accept-losses",
        action="store_true",
        help="read also a file of which so much cannot be read that the rest misleads",
    )


def add_outlook_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds how they are looked at: the model, the weight of burden, the seed.

    People read and write millinats; `args.cost_weight` is in nats, as everything behind it.
    """
    parser.add_argument(
        "--model", metavar="NAME|DIR", help="a preset (default: the one that is shipped)"
    )
    parser.add_argument(
        "--cost-weight",
        type=lambda text: float(text) / _MILLINATS_PER_NAT,
        metavar="MILLINATS",
        default=str(COST_WEIGHT),
        help=f"what one prompt has to be worth (default: {COST_WEIGHT:g})",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the intervals (default: 0)")


def check_outlook_arguments(args: argparse.Namespace) -> None:
    """Raises InputError for a weight or a seed that cannot be."""
    if not math.isfinite(args.cost_weight) or args.cost_weight < 0:
        received = args.cost_weight * _MILLINATS_PER_NAT
        raise InputError(f"expected --cost-weight of 0 or more; received {received:g}")
    if not 0 <= args.seed < 2**31:
        raise InputError(f"expected --seed from 0 to 2147483647; received {args.seed}")
