"""Plot style: one for all figures, no global state, files whole or not at all.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; every policy keeps
its colour and its dash in every figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matplotlib import colormaps, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from aline_tf.runtime.atomic_files import atomic_path

#: Of Okabe and Ito, by their names.
BLACK, ORANGE, SKY_BLUE, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#7F7F7F"
#: What the model says, and what was observed.
MODEL, OBSERVED, TRUTH = VERMILION, BLUE, BLACK
#: Line by line, where nothing gives a line its own.
CYCLE = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)

STYLES = {
    "learned": (VERMILION, "-"),
    "learned/exact": (VERMILION, ":"),
    "random": (GREY, "-"),
    "psi-marginal": (BLUE, "--"),
    "questplus": (GREEN, "-."),
    "greedy": (BLUE, "--"),
}
_OTHERS = ((PURPLE, "-"), (SKY_BLUE, "--"), (ORANGE, "-."), (GREEN, ":"))
_RC = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    # Equal drawings give equal files.
    "svg.hashsalt": "aline-tf",
}
_FORMATS = ("png", "svg")


def axes_or_new(ax=None):
    """The axes that are given, or the only ones of a new figure.

    Args:
        ax: matplotlib axes, or None.
    """
    return new_figure(6.0, 3.4).add_subplot() if ax is None else ax


def policy_style(policy: str) -> tuple[str, str]:
    """Colour and dash of a policy; the same name always has the same."""
    return STYLES.get(policy) or _OTHERS[sum(map(ord, policy)) % len(_OTHERS)]


def share_colours() -> dict:
    """Colours of a map of shares: white for none, and rare ones visible beside frequent ones."""
    return {
        "cmap": colormaps["magma_r"].with_extremes(under="white"),
        "norm": PowerNorm(0.5, vmin=1e-6, vmax=0.4),
    }


def share_bar(figure: Figure, drawn, axes, label: str) -> None:
    """The scale of a map of shares, beside all panels."""
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02, ticks=(0.01, 0.05, 0.1, 0.2, 0.4))
    bar.ax.set_yticklabels(["1%", "5%", "10%", "20%", "40% or more"])
    bar.ax.minorticks_off()
    bar.set_label(label)
    bar.outline.set_visible(False)


def plot_style():
    """The style of the figures, as a context."""
    return rc_context(_RC)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches wide and high, that no global list holds on to."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def grid_of_axes(figure: Figure, rows: int, columns: int, **kwargs):
    """Axes [rows, columns] of a figure, always a two-dimensional array."""
    return figure.subplots(rows, columns, squeeze=False, **kwargs)


def save(figure: Figure, directory: str | Path, name: str) -> list[Path]:
    """Writes a figure as PNG and SVG; returns the two files.

    Args:
        figure: as of `new_figure`, or the `figure` of any axes.
        directory: where; made if need be.
        name: of the files, without an ending.
    """
    paths, layout = [], figure.get_layout_engine()
    for kind in _FORMATS:
        path = Path(directory) / f"{name}.{kind}"
        metadata = {"Date": None} if kind == "svg" else None
        with plot_style(), atomic_path(path) as partial:
            figure.savefig(partial, dpi=160, format=kind, metadata=metadata)
        paths.append(path)
        # Panels stay where the first file has them: finding their places takes longer than drawing.
        figure.set_layout_engine("none")
    if layout is not None:
        figure.set_layout_engine(layout)
    return paths


def legend_below(figure: Figure, axes: Iterable) -> None:
    """One legend under all panels, each label once."""
    handles = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(6, len(handles)))
