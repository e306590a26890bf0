"""`aline-tf models`: the trained models of the package, each with its task and its figures."""

import argparse
import json
import shutil
import textwrap


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf models`."""
    parser.add_argument("--json", action="store_true", help="print the table as JSON")


def run(args: argparse.Namespace) -> int:
    """Print one block for each model: name, task, parameters and what it was measured at."""
    from aline_tf.models.packaged_presets import preset_table

    rows = preset_table()
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max(shutil.get_terminal_size().columns, 60)
    for row in rows:
        print(row["name"])
        for column in ("task", "parameters", "measured"):
            if row[column]:
                text = f"  {column + ':':<12}{row[column]}"
                print(textwrap.fill(text, width, subsequent_indent=" " * 14))
    return 0
