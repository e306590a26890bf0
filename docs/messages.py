"""Every text with which the package refuses or warns, read from its source: the page of messages.

A text is what is handed to an exception or a warning, and any sentence of the form `expected ...;
received ...` that is put together elsewhere. What is filled in from case to case is an ellipsis.
"""

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "aline_tf"
#: Beginnings of a module's place -> the family that its texts belong to; the longest counts.
ROOMS = {
    "acquisition": "A session",
    "units": "A session",
    "acquisition/laboratory": "Panels, plots and trial handlers",
    "plots": "Panels, plots and trial handlers",
    "acquisition/baselines": "Baseline policies",
    "spec": "A task",
    "tasks": "A task",
    "draws": "A task",
    "batch": "A batch",
    "models": "Models and presets",
    "training": "Training",
    "evaluation": "Evaluation",
    "experiments": "Evaluation",
    "information": "Evaluation",
    "bench": "Commands and files",
    "commands": "Commands and files",
    "cli": "Commands and files",
    "files": "Commands and files",
    "runtime": "Commands and files",
    "serving": "Serving and its clients",
    "gateway": "The gateway",
    "migraine": "The forecast",
    "migraine/records": "Importing records",
}
#: Family -> what to do, in the order of the page.
FAMILIES = {
    "A session": """Designs and outcomes are numbers in your units, one row a candidate; an answer
that did not come is `None`. Out of range means: out of what the model was trained on;
[decibels](howto/decibels.md) shows how units of your own are given. A saved session goes on with
the model that it was made with. `session.history` shows what it has been told so far,
`session.undo()` takes the last answer back.""",
    "Panels, plots and trial handlers": """[Plots](howto/plots.md) take what they draw and axes.
Curves of predictions are of one design dimension and one outcome; of other tasks
`session.history` is a pandas table that anything can draw. A handler takes one
response after each trial that it gave.""",
    "Baseline policies": """A baseline needs what its method needs: a continuous outcome for a
Gaussian process, a likelihood for psi-marginal and QUEST+, a model in this process for expected
gains.""",
    "A task": """The sentence names the part of your task that it is about. `check_contract(task)`
says it before any training, as `aline-tf train` does; [a task in thirty lines](howto/own_task.md)
is one that passes. Shapes: B episodes, D design dimensions, P parameters, F outcome fields; draws
come from `aline_tf.draws` with the seed that is handed over.""",
    "A batch": """Names, shapes and dtypes of a batch stand in the glossary of `aline_tf.batch`;
what is left out is taken as empty. A NaN among outcomes needs a status that says whether it is
missing or was not answered.""",
    "Models and presets": """`aline-tf models` lists the presets that came along; a preset of your
own is a directory with `config.json`, `metadata.json` and `model.weights.h5`. Weights fit the
configuration that they were saved with, nothing else. Arguments of the constructor contradict
each other where the text begins with *Expected*: it names both.""",
    "Training": """Settings are those of `Recipe`, each in one of its four parts; the sentence
names the one that contradicts another. An interrupted run goes on by the same command; with other
settings it has to begin anew (`--restart`, or another `--out`).""",
    "Evaluation": """Policies and targets are those that the task has; a bound on the information
gained and an exact opponent need its likelihood. `aline-tf eval TASK --help` lists what can be
said.""",
    "Commands and files": """`--help` after any command says what it takes; what it writes goes
to a place of its own, never over what it read.""",
    "Serving and its clients": """A server answers INVALID_ARGUMENT (400 over REST) with the same
sentence as the client, NOT_FOUND (404) where a model, version or label is not there, and
RESOURCE_EXHAUSTED (429) where its queue is full, which clients try again by themselves. Sizes
above limits in `REFERENCE.md` beside the export are refused: export with a larger `--limit`.""",
    "The gateway": """A refusal is JSON with a `detail`: 401 without a token that is known, 403
where it may not, 404 where there is nothing of that name, 409 where something contradicts what is
kept, 413 where a body is too large, 422 for what cannot be read, 429 where requests come too
fast, 503 while the model server is away; readings may be sent again at any time. `/docs`
of a running gateway has them by door.""",
    "Importing records": """`aline-tf migraine import --explain FILE` says what a file is taken
for, which columns are known and how to map the others (`--column-map`). `--dates` says whether
the day or the month comes first, `--zone` in which time zone clocks without one went,
`--accept-losses` goes on where most of something cannot be read. The short reasons are those for
which single records are skipped, counted beside an example.""",
    "The forecast": """A forecast is of an evening within the records or the year after them, from
records that hold at least one day. Figures out of range are named with their range. What is
asked, supposed or simulated has the bounds that the text says.""",
}
_READERS = ("Refused", "Skip", "_Skip", "Unread", "Unused", "BadNight", "BadDate", "_not_json")
_TEXTS = (ast.Constant, ast.JoinedStr, ast.BinOp)
_OF_PROGRAMS = ("AttributeError", "KeyError", "ModuleNotFoundError", "NotADirectoryError")


def family(place):
    """The family of a module, by its place within the package (`tasks/ces.py`)."""
    stem = place.removesuffix(".py")
    found = [room for room in ROOMS if stem == room or stem.startswith((room + "/", room + "_"))]
    return ROOMS[max(found, key=len)] if found else None


@functools.cache
def texts():
    """Family -> its texts, each once, in the order of the alphabet.

    Raises:
        ValueError: a module that refuses something belongs to no family.
    """
    found = {name: set() for name in FAMILIES}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        said = set(_said(ast.parse(path.read_text())))
        if said and family(place) is None:
            raise ValueError(f"Expected a family for the messages of {place}. Received: none")
        if said:
            found[family(place)] |= said
    return {name: sorted(of, key=str.lower) for name, of in found.items()}


def page():
    """The page, as Markdown."""
    found = texts()
    parts = [
        "# Every message",
        "",
        f"The {sum(map(len, found.values()))} texts with which the package refuses or warns, by "
        "where they come from; `…` stands for what differs from case to case. Those met most often "
        "are explained one by one in [troubleshooting](troubleshooting.md). A command prints its "
        "text on one line and ends with exit code 2; in Python it is an `InputError`, which is a "
        "`ValueError`, and what begins with *Expected* is a `ValueError` of a constructor.",
    ]
    for name, advice in FAMILIES.items():
        parts += ["", f"## {name}", "", advice, ""]
        parts += [f"- ``{text}``" if "`" in text else f"- `{text}`" for text in found[name]]
    return "\n".join(parts) + "\n"


def _said(tree):
    """Texts that a module raises, warns with or puts together to be raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = _name(node.exc)
            if name not in _OF_PROGRAMS:
                said = node.exc.args[1 if name == "HTTPException" else 0 :]
                if said:
                    yield from _worded(said[0], 1 if name in _READERS else 3)
        elif isinstance(node, ast.Call) and _name(node) == "warn":
            yield from _worded(node.args[0], 3)
    for text in _whole(tree):
        if re.match("[Ee]xpected .*[Rr]eceived", text, re.DOTALL):
            yield text


def _name(call):
    """The last word of what is called."""
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "")


def _whole(node):
    """Every text below a node that is no part of a longer one."""
    if isinstance(node, _TEXTS) and template(node) is not None:
        yield from _worded(node, 3)
        return
    for child in ast.iter_child_nodes(node):
        yield from _whole(child)


def _worded(node, least):
    """The text of an expression, if it has that many words of its own."""
    text = template(node) or ""
    if len(re.findall("[A-Za-z]+", text)) >= least:
        yield " ".join(text.split())


def template(node):
    """The text of an expression with ellipses for what is filled in; None where it is no text."""
    if isinstance(node, ast.Constant):
        # Graphs fill in {} when they run.
        return node.value.replace("{}", "…") if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [template(side) for side in (node.left, node.right)]
        return None if sides == [None, None] else "".join(side or "…" for side in sides)
    return None
