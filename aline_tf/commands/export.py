"""`aline-tf export`: a preset becomes a SavedModel that TensorFlow Serving hosts."""

import argparse
from pathlib import Path

from aline_tf.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf export`."""
    parser.add_argument(
        "--preset",
        required=True,
        type=Path,
        metavar="DIR",
        help="trained model: a directory with config.json and model.weights.h5",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="directory to write; TensorFlow Serving expects <models>/<name>/<version number>",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an export that is there; other files beside it are kept",
    )


def run(args: argparse.Namespace) -> int:
    """Export and print where to; bad input raises InputError and writes nothing."""
    preset = found_preset(args.preset)

    from aline_tf.models.presets import load_preset
    from aline_tf.serving.export import export_model
    from aline_tf.serving.signatures import SIGNATURES

    out = export_model(load_preset(preset), args.out, preset=preset, force=args.force)
    print(f"{out}: signatures {', '.join(SIGNATURES)}")
    if not out.resolve().name.isdigit():
        print(
            f"note: a server looks for <model name>/<version number>; {out.resolve().name!r} is"
            " not a version number"
        )
    return 0


def found_preset(place: Path) -> Path:
    """The preset at `place`, which is its directory or a model version that has one in `preset/`.

    Raises:
        InputError: there is none, or it is not whole.
    """
    preset = place / "preset" if (place / "preset").is_dir() else place
    if not preset.is_dir():
        raise InputError(f"expected the directory of a preset; received {place}, which is missing")
    missing = [
        name for name in ("config.json", "model.weights.h5") if not (preset / name).is_file()
    ]
    if missing:
        raise InputError(
            f"expected a preset (config.json and model.weights.h5); received {preset}, without"
            f" {' and '.join(missing)}"
        )
    return preset
