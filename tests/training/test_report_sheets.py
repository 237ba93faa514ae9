"""The sheets that charts are drawn on: used again, they show what new ones would, and nothing of before."""

from __future__ import annotations

import io
from collections.abc import Callable
from threading import Thread

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.plots import as_png, png_once
from training.report import sheets
from training.report.sheets import STYLE, sheet, with_powers

X = np.linspace(1.0, 5_000.0, 40)


def curve(axes: Axes) -> None:
    axes.plot(X, np.sqrt(X), "o-", color="red")
    axes.fill_between(X, np.sqrt(X), alpha=0.4)
    axes.set(xlabel="a", ylabel="b", xlim=(0, 6_000))


def shares(axes: Axes) -> None:
    axes.bar([1, 2, 3], [0.2, 0.3, 0.1])
    axes.errorbar([1, 2, 3], [0.2, 0.3, 0.1], yerr=[[0.1] * 3, [0.2] * 3], fmt="none", capsize=2)
    axes.set_xticks([1, 2, 3])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def levels(axes: Axes) -> None:
    axes.barh([0, 1], [0.5, -0.7])
    axes.set_yticks([0, 1], ["software", "retail"])
    axes.invert_yaxis()
    axes.set_xlabel("log-odds")


def powers(axes: Axes) -> None:
    with_powers(axes)
    axes.scatter(X, X, s=7)
    axes.text(10, 10, "here")


def plain(axes: Axes) -> None:
    axes.plot([3, 4], [5, 9])


DRAWINGS = (curve, shares, levels, powers, plain)


@pytest.fixture(autouse=True)
def new_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_KEPT", sheets._Kept())


def drawn(draw: Callable[[Axes], None]) -> bytes:
    with sheet() as axes:
        draw(axes)
        figure, stream = axes.get_figure(root=True), io.BytesIO()
        assert figure is not None
        figure.savefig(stream, format="svg", metadata={"Date": None})
        return stream.getvalue()


def drawn_anew(draw: Callable[[Axes], None]) -> bytes:
    sheets._KEPT.axes.clear()
    return drawn(draw)


@pytest.mark.parametrize("before", DRAWINGS, ids=lambda draw: str(draw.__name__))
def test_whatever_was_drawn_before_leaves_nothing(before: Callable[[Axes], None]) -> None:
    for draw in DRAWINGS:
        expected = drawn_anew(draw)
        drawn_anew(before)
        assert drawn(draw) == expected
        assert len(sheets._KEPT.axes) == 1


def test_a_sheet_on_which_something_failed_is_thrown_away() -> None:
    expected = drawn_anew(plain)

    def fail() -> None:
        with sheet() as axes:
            curve(axes)
            raise KeyError("made up")

    with pytest.raises(KeyError, match="made up"):
        fail()
    assert not sheets._KEPT.axes
    assert drawn(plain) == expected


def test_no_two_charts_share_a_sheet() -> None:
    found: list[Axes] = []

    def draw() -> None:
        with sheet() as axes:
            found.append(axes)

    draw()
    thread = Thread(target=draw)
    thread.start()
    thread.join()
    with sheet() as outer, sheet() as inner:
        found += [outer, inner]
    assert found[0] is found[2]
    assert len(set(map(id, found))) == 3


def test_the_words_below_stand_where_matplotlib_puts_them() -> None:
    with sheet() as axes:
        axes.plot(X, X)
        axes.set_xlabel("length")
        axes.figure.canvas.draw()
        ours = axes.xaxis.label.get_window_extent().bounds
    with rc_context(STYLE):
        figure, other = plt.subplots(figsize=(4.2, 3.1), dpi=130)
        figure.subplots_adjust(left=0.15, right=0.95, bottom=0.15, top=0.97)
        other.plot(X, X)
        other.set_xlabel("length")
        figure.canvas.draw()
        plt.close(figure)
    assert ours == pytest.approx(other.xaxis.label.get_window_extent().bounds, abs=1.0)


def test_powers_of_ten_are_written_in_letters() -> None:
    with sheet() as axes:
        with_powers(axes)
        axes.plot([0.002, 3_000.0], [0, 1])
        axes.figure.canvas.draw()
        wide = [label.get_text() for label in axes.get_xticklabels()]
        axes.set_xlim(150, 450)
        axes.figure.canvas.draw()
        narrow = [label.get_text() for label in axes.get_xticklabels(minor=True)]
    assert {"10⁻²", "10⁰", "10³"} <= set(wide)
    assert {"2×10²", "4×10²"} <= set(narrow)
    assert not [text for text in (*wide, *narrow) if "$" in text]


def test_a_picture_that_was_made_is_not_made_again() -> None:
    figure = Figure(figsize=(1, 1))
    made = png_once(figure)
    assert made == as_png(figure)
    assert png_once(figure) is made
    assert made.startswith(b"\x89PNG")
