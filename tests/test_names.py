"""Names are the field's: what once had a word of our own is called by everybody's.

Identifiers are looked at whole: classes, functions, arguments, attributes, variables and keywords.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "aline_tf"

#: Our word of before -> the field's. Nothing in the package is called by the first.
RENAMED = {
    "Relations": "RelativePositionBias",
    "Kriging": "GaussianProcessMixture",
    "kriging": "num_processes",
    "Anchor": "KernelSmoother",
    "Focus": "LocationFrame",
    "looks": "num_iterations",
    "Bearing": "PosteriorDistance",
    "Digest": "HistorySummary",
    "network": "model",
    "networks": "models",
    "belief": "posterior",
    "beliefs": "posterior",
    "believed": "posterior",
    "told": "observed",
    "heard": "outcome",
    "foretold": "predictive",
    "with_known": "condition_on",
    "portions": "gradient_accumulation_steps",
    "alternatives": "num_posterior_labels",
    "shared_labels": "rao_blackwell_labels",
    "sharpness": "teacher_inverse_temperature",
    "against_group": "leave_one_out_advantage",
    "against_state": "state_control_variate",
    "own_step_credit": "immediate_reward",
    "own_step": "immediate_reward",
    "loss_of_played": "trajectory_loss",
    "Effort": "SMCSettings",
    "Worlds": "SimulatedRuns",
    "worlds": "simulated_runs",
    "Histories": "RunData",
    "Subjects": "SimulatedRuns",
    "Trials": "RunData",
    "Ceilings": "OracleFilters",
    "Asked": "PromptingRun",
    "foresight": "attack_probability",
    "contributions": "attribution",
}
#: English words that stay where they mean what they say, and are ours no longer in these rooms.
RENAMED_IN = {
    "places": ("location_parameters", ("models", "training", "information")),
    "given": ("condition_on", ("models", "training", "information", "batch_ops.py")),
    "wanted": ("selected", ("models", "training", "information", "acquisition", "evaluation")),
    "asked": ("query", ("models", "training", "information", "acquisition", "evaluation")),
    "said": ("observed", ("models", "training", "information", "acquisition", "evaluation")),
    "offer": ("candidates_per_step", ("training", "bench")),
    "near": ("local_share", ("training", "bench")),
    "reveal": ("conditioning_rate", ("training", "bench")),
    "refresh": ("random_design_weight", ("training", "bench")),
    "tried": ("num_counterfactuals", ("training", "bench")),
    "price": ("cost_weight", ("training", "acquisition", "migraine")),
}
#: Arguments that users may still hand over by their old name, with a DeprecationWarning.
OLD_DOORS = {("acquisition/session.py", "price")}


def identifiers(tree):
    """(line, name) of everything that is named in a module."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield line, node.name
        elif isinstance(node, ast.Name):
            yield line, node.id
        elif isinstance(node, ast.Attribute):
            yield line, node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield line, node.arg
        elif isinstance(node, ast.alias):
            yield line, (node.asname or node.name).rpartition(".")[2]


def old_name(room, name):
    """What an identifier should be called instead; None where it may stay."""
    name = name.strip("_")
    word, rooms = RENAMED_IN.get(name, ("", ()))
    return RENAMED.get(name) or (word if room in rooms else None)


def test_no_old_word_is_left_among_the_names():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        for line, name in identifiers(ast.parse(path.read_text())):
            new = old_name(relative.parts[0], name)
            if new and (relative.as_posix(), name) not in OLD_DOORS:
                found.append(f"{relative}:{line}: {name} -> {new}")
    assert not found, "\n".join(found)


def test_no_module_is_named_by_an_old_word():
    old = {word.lower() for word in RENAMED}
    assert not [path for path in PACKAGE.rglob("*.py") if path.stem in old]


def test_names_are_found_wherever_they_stand():
    source = (
        "from x import y as asked\n"
        "class Kriging:\n"
        "    def f(self, told, *, looks=1):\n"
        "        return self.heard(networks=foretold)\n"
    )
    found = {name for _, name in identifiers(ast.parse(source))}
    assert found >= {"asked", "Kriging", "told", "looks", "heard", "networks", "foretold"}
    assert old_name("training", "_near") == "local_share"
    assert old_name("tasks", "near") is None
