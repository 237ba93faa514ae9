"""Sheets of paper for the charts of a report: one figure with one pair of axes, kept and used again.

Turns a margin into empty axes in the style of the page. To make axes, and the ticks that they need, takes as
long as to draw what is on them; so they are made once, and wiped when a chart is done. Time rule and null
rule: none of their own.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

__all__ = ["INK", "QUIET", "STYLE", "sheet", "with_powers"]

INK, QUIET = "#10262d", "#54686f"
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.edgecolor": "#9fb2b7",
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    # The same ids in every run, so that the same training gives the same page.
    "svg.hashsalt": "spearfish",
    "svg.fonttype": "path",
}
_SIZE = (4.2, 3.1)
_DPI = 130
_BELOW = -0.11
"""The middle line of the words below the axes, as a share of their height."""

_FORMULA = re.compile(r"\$\\mathdefault\{(.*)\}\$")
_POWER = re.compile(r"10\^\{(-?\d+)\}")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Kept(threading.local):
    """The axes of a thread, by left margin; those that a chart is on are taken out."""

    def __init__(self) -> None:
        self.axes: dict[float, Axes] = {}


_KEPT = _Kept()


@contextmanager
def sheet(*, left: float = 0.15) -> Iterator[Axes]:
    """Empty axes in the style of the page, whose figure has to be saved before the end."""
    with rc_context(STYLE):
        axes = _KEPT.axes.pop(left, None) or _axes(left)
        yield axes
        # Not after an error: then nobody knows what is left on it.
        _wipe(axes)
        _KEPT.axes[left] = axes


def with_powers(axes: Axes) -> None:
    """Values on a logarithmic scale, with powers of ten in letters: to typeset them as formulas takes as long
    as the whole chart."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_Powers())
    axes.xaxis.set_minor_formatter(_Powers(labelOnlyBase=False))


class _Powers(LogFormatterSciNotation):
    """As in 10³, and 2×10³ where the scale holds no two powers."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return _in_letters(super().__call__(x, pos))


def _in_letters(formula: str) -> str:
    """What matplotlib wrote as a formula.

    >>> _in_letters(r"$\\mathdefault{2\\times10^{-3}}$")
    '2×10⁻³'
    """
    found = _FORMULA.fullmatch(formula)
    if found is None:
        return formula
    plain = found[1].replace(r"\times", "×")
    return _POWER.sub(lambda power: "10" + power[1].translate(_RAISED), plain)


def _axes(left: float) -> Axes:
    figure = Figure(figsize=_SIZE, dpi=_DPI)
    FigureCanvasAgg(figure)
    axes: Axes = figure.subplots()
    # Fixed, as finding the best margins takes longer than drawing.
    figure.subplots_adjust(left=left, right=0.95, bottom=0.15, top=0.97)
    # Where it would come to lie, which it need not find out again from all that stands above it.
    axes.xaxis.set_label_coords(0.5, _BELOW)
    return axes


def _wipe(axes: Axes) -> None:
    """As new, but with the ticks that it has."""
    for artist in (*axes.lines, *axes.patches, *axes.collections, *axes.texts):
        artist.remove()
    axes.containers.clear()
    axes.set_prop_cycle(None)
    axes.set(xlabel="", ylabel="", xscale="linear", yscale="linear")
    axes.relim()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.autoscale(True)
