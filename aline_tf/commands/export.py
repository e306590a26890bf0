"""`aline-tf export`: a preset becomes a SavedModel that TensorFlow Serving hosts."""

import argparse
from pathlib import Path

from aline_tf.errors import InputError
from aline_tf.serving.limits import Limits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf export`."""
    parser.add_argument(
        "named",
        nargs="?",
        metavar="NAME|DIR",
        help="trained model: a directory with config.json and model.weights.h5, or the name of a"
        " packaged one (see `aline-tf models`)",
    )
    parser.add_argument("--model", metavar="NAME|DIR", help="the same, said by an option")
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="directory to write; TensorFlow Serving expects <models>/<name>/<version number>",
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="refuse requests of more rows (B), context tokens (C), targets (M), candidates (N) or"
        " pairs of tokens that read each other (pairs), which memory grows with; may be repeated"
        f" (default: {', '.join(f'{k}={v}' for k, v in Limits().to_dict().items())})",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an export that is there; files that are not of an export are kept",
    )


def run(args: argparse.Namespace) -> int:
    """Export and print where to; bad input raises InputError and writes nothing."""
    given = [place for place in (args.named, args.model) if place is not None]
    if len(given) != 1:
        raise InputError(
            "expected one model to export, a name or a directory; received"
            f" {' and '.join(given) or 'none'}"
        )
    limits = {"limits": Limits.parse(args.limit)} if args.limit else {}
    preset = found_preset(given[0])

    from aline_tf.models.presets import load_preset
    from aline_tf.serving.export import export_model
    from aline_tf.serving.signatures import SIGNATURES

    model = load_preset(preset)
    out = export_model(model, args.out, preset=preset, force=args.force, **limits)
    print(f"{out}: signatures {', '.join(SIGNATURES)}")
    if not out.resolve().name.isdigit():
        print(
            f"note: a server looks for <model name>/<version number>; {out.resolve().name!r} is"
            " not a version number"
        )
    return 0


def found_preset(place: str | Path) -> Path:
    """The preset at `place`: its directory, a model version that has one in `preset/`, or the name
    of a packaged preset where there is no such directory.

    Raises:
        InputError: there is none, or it is not whole.
    """
    from aline_tf.models.packaged_presets import preset_directory

    preset = preset_directory(place)
    preset = preset / "preset" if (preset / "preset").is_dir() else preset
    missing = [
        name for name in ("config.json", "model.weights.h5") if not (preset / name).is_file()
    ]
    if missing:
        raise InputError(
            f"expected a preset (config.json and model.weights.h5); received {preset}, without"
            f" {' and '.join(missing)}"
        )
    return preset
