"""Plots of a trained model, as matplotlib figures.

Turns the later slices of a training into a ROC curve, a precision-recall curve and a calibration curve, and
its contributions into a beeswarm. Time rule: the later slices were predicted from earlier rows only. Null
rule: none.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, MutableMapping
from weakref import WeakKeyDictionary

import pandas as pd
from anyascii import anyascii
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from training.backtesting.evaluate import calibration_curve
from training.contributions import Contributions
from training.fit import Training

__all__ = ["as_png", "beeswarm", "curves", "png_once"]

_SHOWN = 15
_FINE = 130
"""Dots per inch of a picture that a page shows large."""

_PACKED = 3
_PICTURES: MutableMapping[Figure, bytes] = WeakKeyDictionary()
_BLUE, _GREY = "#2456a6", "#9aa3ad"
_LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", ["#0072b2", "#9b4f96", "#e07b00"])
"""Blue and orange are told apart by every kind of eye (Okabe and Ito); no value between is grey, which stands
for unknown."""


def as_png(figure: Figure) -> bytes:
    """A figure as a PNG picture."""
    stream = io.BytesIO()
    # To pack them tighter takes half as long again, and saves a sixth.
    packed = {"compress_level": _PACKED}
    figure.savefig(stream, format="png", dpi="figure", metadata={"Software": None}, pil_kwargs=packed)
    return stream.getvalue()


def png_once(figure: Figure) -> bytes:
    """As `as_png`, of a figure that nobody changes any more: who asks for it again has the same picture."""
    if figure not in _PICTURES:
        _PICTURES[figure] = as_png(figure)
    return _PICTURES[figure]


def curves(later: pd.DataFrame) -> Figure:
    """ROC, precision-recall and calibration side by side. later: label, probability."""
    figure = Figure(figsize=(11, 3.6))
    FigureCanvasAgg(figure)
    # Fixed, as finding the best margins takes longer than drawing.
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.14, top=0.91, wspace=0.22)
    drawings: tuple[Callable[[Axes, pd.DataFrame], None], ...] = (_roc, _precision_recall, _calibration)
    for axes, draw in zip(figure.subplots(1, 3), drawings, strict=True):
        draw(axes, later)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def beeswarm(training: Training, *, contributions: Contributions | None = None) -> Figure:
    """SHAP beeswarm of the contributions on a sample of the later rows."""
    from matplotlib import pyplot

    told = contributions or Contributions.of(training)
    names = [anyascii(name) for name in told.catalogue.names]
    figure = pyplot.figure(figsize=(9, 6), dpi=_FINE)
    with warnings.catch_warnings():
        # shap uses what matplotlib is about to deprecate, which is theirs to mend.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        # A feature without any value in these rows is drawn in grey, as it should be.
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        import shap

        explanation = shap.Explanation(values=told.values, data=told.rows, feature_names=names)
        shap.plots.beeswarm(explanation, max_display=_SHOWN, show=False, plot_size=None, color=_LOW_TO_HIGH)
    figure.axes[0].set_xlabel("contribution to the logit (log-odds)")
    figure.tight_layout()
    # Kept, it would have the figure drawn twice whenever it is saved.
    figure.set_layout_engine(None)
    pyplot.close(figure)
    return figure


def _roc(axes: Axes, later: pd.DataFrame) -> None:
    false_share, true_share, _ = roc_curve(later["label"], later["probability"])
    axes.plot(false_share, true_share, color=_BLUE)
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--")
    axes.set(title="ROC curve", xlabel="share of the others", ylabel="share of the events")


def _precision_recall(axes: Axes, later: pd.DataFrame) -> None:
    precision, recall, _ = precision_recall_curve(later["label"], later["probability"])
    axes.plot(recall, precision, color=_BLUE)
    axes.axhline(later["label"].mean(), color=_GREY, linestyle="--")
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision (dashed: base rate)")


def _calibration(axes: Axes, later: pd.DataFrame) -> None:
    curve = calibration_curve(later)
    end = float(curve[["predicted", "observed"]].to_numpy().max()) * 1.05
    axes.plot([0, end], [0, end], color=_GREY, linestyle="--")
    axes.plot(curve["predicted"], curve["observed"], color=_BLUE, marker="o")
    axes.set(title="Calibration in ten bins", xlabel="predicted", ylabel="observed")
