"""`aline-tf models`: the trained models of the package, each with its task and its figures."""

import argparse
import json
import shutil
import textwrap


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `aline-tf models`."""
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.add_argument(
        "--promises",
        action="store_true",
        help="print what was measured of each model's promises (see aline-tf eval --promises), "
        "where its preset has it in promises.json",
    )


def run(args: argparse.Namespace) -> int:
    """Print one block for each model: name, task, parameters and what it was measured at."""
    from aline_tf.models.packaged_presets import preset_table

    if args.promises:
        return _promises(args.json)
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


def _promises(as_json: bool) -> int:
    """Prints the stored table of every model that has one."""
    from aline_tf.evaluation.promises.figure import format_table, read_json, verdict
    from aline_tf.models.packaged_presets import PROMISES_FILE, packaged_presets, weights_digest

    found = {}
    for name, directory in packaged_presets().items():
        if (directory / PROMISES_FILE).is_file():
            header, figures = read_json(directory / PROMISES_FILE)
            found[name] = {"of_these_weights": header.get("weights") == weights_digest(directory)}
            found[name]["promises"] = figures
    if as_json:
        rows = {
            name: table | {"promises": [row.to_dict() for row in table["promises"]]}
            for name, table in found.items()
        }
        print(json.dumps(rows, indent=1))
        return 0
    for name, table in found.items():
        other = "" if table["of_these_weights"] else "; measured with other weights than these"
        print(f"{name}: {verdict(table['promises'])}{other}")
        print(textwrap.indent(format_table(table["promises"]), "  "))
    if not found:
        print("no model of the package has a table of promises")
    return 0
