"""Every notebook runs from top to bottom, without an error and without a complaint."""

import os
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
EXPECTED = {
    "active_learning",
    "data_and_simulation",
    "experimenter",
    "fine_tune",
    "model_check",
    "model_layers",
    "one_person",
    "own_simulator",
    "psychometric",
    "serving",
    "training_loop",
}
#: Notebooks whose outputs are kept beside their text.
KEPT = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: Of one cell; a machine that trains something else at the same time is slow.
SECONDS_PER_CELL = 900
#: Nothing of the notebook before is left, neither its names nor its settings of figures. Garbage is
#: looked for as rarely as in the tests, and not again in what all notebooks share.
FORGET = """%reset -f
import gc, matplotlib
matplotlib.rcdefaults()
gc.collect()
gc.freeze()
gc.set_threshold(100_000, 20, 100)
%reset -f"""
#: Smaller sizes, for what holds of a notebook whatever its sizes; those it shows take minutes.
SIZES = {
    "active_learning": {
        "FUNCTIONS": 6,
        "OBSERVERS": 8,
        "QUERIES": 8,
        "EVERY": 8,
        "TRIALS": 8,
        "SWITCH": 4,
        "QUESTIONS": 1,
    },
    "experimenter": {"OBSERVERS": 8, "KNOWN": 8},
    "fine_tune": {"RECORDED": 12, "DAYS": 60, "OTHERS": 8, "STEPS": 2, "REFERENCE_STEPS": 1},
    "one_person": {"TWINS": 8},
    "psychometric": {
        "LAYERS": 1,
        "WARMUP_STEPS": 10,
        "JOINT_STEPS": 2,
        "EPOCH": 2,
        "HELD_OUT": 4,
        "SUBJECTS": 4,
    },
    "training_loop": {"WARMUP_STEPS": 20, "JOINT_STEPS": 10, "RULES": 1, "RUNS": 64},
}


def test_the_notebooks_found_are_those_that_should_be_there():
    assert {path.stem for path in NOTEBOOKS} >= EXPECTED


@pytest.fixture(scope="module")
def kernel():
    """A process that runs one notebook after the other: each of its own would import TensorFlow
    anew, which takes longer than most notebooks. What is kept of each was run by itself."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
    )
    # Figures are drawn as JupyterLab would draw them, whatever the tests around use.
    environment = {name: text for name, text in os.environ.items() if name != "MPLBACKEND"}
    with client.setup_kernel(env=environment):
        yield client


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_opens_as_a_notebook_with_a_kernel(self, path):
        notebook = jupytext.read(path)
        nbformat.validate(notebook)
        assert notebook.metadata["kernelspec"]["name"] == "python3"
        assert notebook.metadata["jupytext"]["text_representation"]["format_name"] == "percent"
        assert notebook.cells[0].cell_type == "markdown"
        assert notebook.cells[0].source.startswith("# ")

    def test_cells_stay_short(self, path):
        cells = [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]
        assert max(len(cell.source.splitlines()) for cell in cells) <= 45

    @pytest.mark.slow
    @pytest.mark.notebook
    def test_runs_and_draws_without_error_or_complaint(self, path, kernel):
        notebook = executed(path, kernel)
        assert [text for text in outputs(notebook, "stream") if text.name == "stderr"] == []
        pictures = [
            output
            for output in outputs(notebook, "display_data")
            if "image/png" in output.get("data", {})
        ]
        assert pictures


def test_outputs_are_kept_of_every_notebook_that_is_paired():
    paired = [path for path in NOTEBOOKS if "formats: ipynb,py:percent" in path.read_text()]
    assert paired and {path.stem for path in paired} == {path.stem for path in KEPT}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
class TestKeptOutputs:
    def test_the_text_is_that_of_the_notebook(self, path):
        kept, written = nbformat.read(path, 4), jupytext.read(path.with_suffix(".py"))
        sources = [
            [(cell.cell_type, cell.source) for cell in notebook.cells]
            for notebook in (kept, written)
        ]
        assert sources[0] == sources[1], "expected the same cells: run `make notebooks`"

    def test_every_cell_was_run_in_order_without_error_or_complaint(self, path):
        notebook = nbformat.read(path, 4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        assert outputs(notebook, "error") == []
        assert [text for text in outputs(notebook, "stream") if text.name == "stderr"] == []
        assert outputs(notebook, "display_data")


def executed(path, kernel):
    """The notebook with its outputs; raises CellExecutionError where a cell fails."""
    notebook = resized(jupytext.read(path), SIZES.get(path.stem, {}))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FORGET))
    kernel.nb = notebook
    kernel.execute(cleanup_kc=False)
    return notebook


def resized(notebook, sizes):
    """The notebook with other values of its settings, each of which it sets once."""
    for name, value in sizes.items():
        setting = re.compile(rf"^{name} = \d+", re.MULTILINE)
        cells = [cell for cell in notebook.cells if setting.search(cell.source)]
        assert [len(setting.findall(cell.source)) for cell in cells] == [1], name
        cells[0].source = setting.sub(f"{name} = {value}", cells[0].source)
    return notebook


def outputs(notebook, kind):
    return [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == kind
    ]
