"""The charts of a report, as pictures that stand in a page.

Turns later rows and contributions into small figures with words that say what they show, for those who cannot
see them. Time rule: the rows were predicted from earlier ones only. Null rule: a value that is missing is
drawn at no place of its own, and its words say how many there are.
"""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anyascii import anyascii
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.metrics import precision_recall_curve, roc_curve

from features.feature import Feature
from training.backtesting.evaluate import Estimate
from training.contributions import Contributions
from training.plots import as_png
from training.report.shares import digits_of, percent_range, share_found
from training.report.sheets import INK, QUIET, sheet, with_powers

__all__ = [
    "Chart",
    "calibration_chart",
    "decile_chart",
    "effect_charts",
    "interval_chart",
    "png_chart",
    "ranking_charts",
    "step_chart",
]

SEA, SOFT, AGAINST = "#0b766c", "#9ed5cd", "#c8641a"
_EFFECTS = 6
_LEVELS = 10
_SKEWED = 8
_LONGEST = 24
_REPLICATES = 300
_FEW_VALUES = 12
_GRID = np.linspace(0.0, 1.0, 201)
_MOST_STEPS = 6
_MARGIN, _WIDE, _RARE = 0.15, 0.2, 0.05


@dataclass(frozen=True)
class Chart:
    """A picture as a data address, and what it shows in words."""

    source: str
    words: str
    title: str


def png_chart(content: bytes, *, title: str, words: str) -> Chart:
    """A picture with many points, as `training.plots` makes it."""
    return _chart("png", content, title=title, words=words)


def _chart(kind: str, content: bytes, *, title: str, words: str) -> Chart:
    return Chart(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", words, title)


def _as_svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def ranking_charts(later: pd.DataFrame, *, metrics: Mapping[str, Estimate]) -> Iterable[Chart]:
    """Ranking, precision and what the best-ranked hold. later: account_id, label, probability.

    With a column `cutoff` rows are ranked within each, as those of a backtest: a line for each, and the mean.
    metrics: of the same rows, for the words.
    """
    base, roc, precision = float(later["label"].mean()), metrics["roc_auc"], metrics["pr_auc"]
    best_first = _within(later)
    tenth, fifth = (
        percent_range(share_found(best_first, share=share, replicates=_REPLICATES)) for share in (0.1, 0.2)
    )
    lines = (
        "" if len(_ranked(later)) == 1 else " Thin: each part that was ranked by itself; thick: their mean."
    )
    yield _drawn(
        "Ranking (ROC curve)",
        _roc,
        later,
        words="Share of the events found against share of the others taken for one. Area below: "
        f"{roc.shown} (95 % interval {roc.bounds}); a coin: 0.5.{lines}",
    )
    yield _drawn(
        "Precision and recall",
        _precision,
        later,
        words=f"Precision against recall. Mean precision: {precision.shown} (95 % interval "
        f"{precision.bounds}); without knowledge {precision.base:.3f}.{lines}",
    )
    yield _drawn(
        "What the best-ranked hold",
        _gains,
        best_first,
        words=f"The best-ranked tenth holds {tenth} of the events, the best fifth {fifth}; "
        f"without knowledge they would hold 10% and 20%. Of all rows {base:.{digits_of(base)}%} had "
        "the event.",
    )


def _ranked(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The parts that were ranked by themselves, of those with both classes."""
    parts = [part for _, part in rows.groupby("cutoff")] if "cutoff" in rows.columns else [rows]
    return [part for part in parts if part["label"].nunique() == 2]


def _within(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with their place in their own part as `probability`, where there are parts."""
    if "cutoff" not in rows.columns:
        return rows
    places = rows.groupby("cutoff")["probability"].rank(method="first", pct=True)
    return rows.assign(probability=places)


def calibration_chart(deciles: pd.DataFrame, *, metrics: Mapping[str, Estimate]) -> Chart:
    """Observed against predicted. deciles: predicted, conversion, low, high; metrics: of the same rows."""
    error = metrics["calibration_error"]
    words = (
        "Predicted against observed rates of each tenth of the rows, with 95 % intervals; on the diagonal "
        f"both are the same. Mean gap: {error.shown} (95 % interval {error.bounds})."
    )
    filled = deciles[deciles["accounts"] > 0]
    return _drawn("Calibration", _calibration, filled, words=words, left=_left(filled))


def _left(deciles: pd.DataFrame) -> float:
    """The margin: percentages of rare events have more digits."""
    return _WIDE if float(np.nanmax(deciles[["conversion", "high"]].to_numpy())) < _RARE else _MARGIN


def decile_chart(deciles: pd.DataFrame, *, base: float) -> Chart:
    """Conversion by decile with intervals. deciles: accounts, conversion, low, high, the best first."""
    filled = deciles[deciles["accounts"] > 0]

    def draw(axes: Axes, rows: pd.DataFrame) -> None:
        places = [int(name) for name in rows.index]
        axes.bar(places, rows["conversion"], color=SOFT, width=0.75)
        axes.errorbar(places, rows["conversion"], yerr=_gaps(rows), fmt="none", ecolor=SEA, capsize=2, lw=1.2)
        axes.axhline(base, color=INK, lw=1, linestyle="--")
        axes.set(xlabel="tenth of the rows, the best first (dashed: all rows)", ylabel="share with the event")
        axes.set_xticks(places)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))

    form = f".{digits_of(base)}%"
    best, worst = (
        f"{row['conversion']:{form}} ({row['low']:{form}} to {row['high']:{form}})"
        for _, row in filled.iloc[[0, -1]].iterrows()
    )
    words = f"Of the best tenth {best} had the event, of the last {worst}, of all {base:{form}}."
    return _drawn("Conversion by decile", draw, filled, words=words, left=_left(filled))


def _gaps(rows: pd.DataFrame) -> list[pd.Series[float]]:
    """From each share down and up to the ends of its interval; none where there is no interval."""
    sides = (rows["conversion"] - rows["low"], rows["high"] - rows["conversion"])
    return [side.fillna(0.0).clip(lower=0.0) for side in sides]


def interval_chart(found: pd.DataFrame, *, title: str, words: str, ours: str, label: str) -> Chart:
    """Figures with their intervals, one below the other, the last on top. found: value, low, high; index
    name. ours: the one that stands out."""
    places = np.arange(len(found))
    with sheet(left=0.42) as axes:
        for place, (name, row) in zip(places, found.iterrows(), strict=True):
            color = SEA if name == ours else QUIET
            axes.plot([row["low"], row["high"]], [place, place], color=color, lw=1.6)
            axes.plot(row["value"], place, "o", color=color, markersize=6)
        axes.set(xlabel=label, ylim=(-0.6, len(found) - 0.4))
        axes.set_yticks(places, labels=[textwrap.fill(str(name), _LONGEST) for name in found.index])
        return _on_sheet(axes, title=title, words=words)


def step_chart(found: pd.DataFrame, *, title: str, words: str, label: str, axis: str) -> Chart:
    """A figure with its interval at each step, beside what no knowledge gives (dashed).

    found: value, low, high, base; index the step in words. label, axis: what stands at the two axes.
    """
    places = np.arange(len(found))
    with sheet() as axes:
        known = found["value"].notna().to_numpy()
        for place, (_, row) in zip(places[known], found[known].iterrows(), strict=True):
            axes.plot([place, place], [row["low"], row["high"]], color=SOFT, lw=2.5)
        axes.plot(places[known], found.loc[known, "value"], color=SEA, lw=1.5, marker="o", markersize=5)
        axes.plot(places, found["base"], color=INK, lw=1, linestyle="--")
        axes.set(ylabel=label, xlabel=axis)
        axes.set_xlim(-0.5, len(found) - 0.5)
        shown = places[:: -(-len(places) // _MOST_STEPS)]
        axes.set_xticks(shown, labels=[str(found.index[place]) for place in shown])
        return _on_sheet(axes, title=title, words=words)


def effect_charts(contributions: Contributions) -> Iterable[Chart]:
    """What the strongest features do to the log-odds, over their values."""
    for name in contributions.importance.head(_EFFECTS).index:
        feature, values, pushed = contributions.feature(str(name))
        yield _effect(feature, values, pushed)


def _drawn(
    title: str,
    draw: Callable[[Axes, pd.DataFrame], None],
    rows: pd.DataFrame,
    *,
    words: str,
    left: float = _MARGIN,
) -> Chart:
    with sheet(left=left) as axes:
        draw(axes, rows)
        return _on_sheet(axes, title=title, words=words)


def _on_sheet(axes: Axes, *, title: str, words: str, vector: bool = True) -> Chart:
    """The picture of what was drawn: SVG, or PNG where it holds many points."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    if not vector:
        return png_chart(as_png(figure), title=title, words=words)
    return _chart("svg+xml", _as_svg(figure), title=title, words=words)


def _roc(axes: Axes, later: pd.DataFrame) -> None:
    curves = []
    for part in _ranked(later):
        false_share, true_share, _ = roc_curve(part["label"], part["probability"])
        curves.append((false_share, true_share, np.interp(_GRID, false_share, true_share)))
    axes.fill_between(*_mean_of(axes, curves), color=SOFT, alpha=0.4, lw=0)
    axes.plot([0, 1], [0, 1], color=INK, lw=1, linestyle="--")
    axes.set(xlabel="share of the others above", ylabel="share of the events above")
    _shares(axes)


def _precision(axes: Axes, later: pd.DataFrame) -> None:
    curves = []
    for part in _ranked(later):
        precision, recall, _ = precision_recall_curve(part["label"], part["probability"])
        # The precision at which a share of the events is reached first, as average precision counts it.
        reached = np.searchsorted(recall[::-1][1:], _GRID[1:], side="left") + 1
        held = precision[::-1][np.minimum(reached, len(precision) - 1)]
        curves.append((recall, precision, np.concatenate([held[:1], held])))
    _mean_of(axes, curves)
    axes.axhline(float(later["label"].mean()), color=INK, lw=1, linestyle="--")
    axes.set(xlabel="recall: share of the events found", ylabel="precision (dashed: all rows)")
    _shares(axes)


def _mean_of(
    axes: Axes, curves: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Each curve thin and their mean thick, or the only one. curves: x, y, and y over `_GRID`.

    Returns what is thick.
    """
    thick = curves[0][0], curves[0][1]
    if len(curves) > 1:
        for x, y, _ in curves:
            axes.plot(x, y, color=SOFT, lw=0.8)
        thick = _GRID, np.mean([held for _, _, held in curves], axis=0)
    axes.plot(*thick, color=SEA, lw=2)
    return thick


def _gains(axes: Axes, later: pd.DataFrame) -> None:
    label = later.sort_values("probability", ascending=False, kind="stable")["label"].to_numpy()
    share = np.arange(len(label) + 1) / len(label)
    found = np.concatenate([[0.0], np.cumsum(label) / label.sum()])
    axes.plot(share, found, color=SEA, lw=2)
    axes.plot([0, 1], [0, 1], color=INK, lw=1, linestyle="--")
    axes.set(xlabel="share of the rows worked on, the best first", ylabel="share of the events in them")
    _shares(axes)


def _calibration(axes: Axes, deciles: pd.DataFrame) -> None:
    end = float(np.nanmax(deciles[["predicted", "conversion", "high"]].to_numpy())) * 1.05
    axes.plot([0, end], [0, end], color=INK, lw=1, linestyle="--")
    axes.errorbar(
        deciles["predicted"], deciles["conversion"], yerr=_gaps(deciles), fmt="none", ecolor=SOFT, lw=1.6
    )
    axes.plot(deciles["predicted"], deciles["conversion"], color=SEA, lw=1.5, marker="o", markersize=4)
    axes.set(xlabel="predicted", ylabel="observed")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=None))


def _shares(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _effect(feature: Feature, values: np.ndarray, pushed: np.ndarray) -> Chart:
    known = ~np.isnan(values)
    number = feature.kind == "number" and bool(known.any())
    words = _effect_words(feature, values, pushed)
    with sheet(left=0.15 if number else 0.34) as axes:
        if number:
            _scatter(axes, values[known], pushed[known])
        else:
            _levels(axes, feature, values, pushed)
        return _on_sheet(axes, title=feature.name, words=words, vector=not number)


def _scatter(axes: Axes, values: np.ndarray, pushed: np.ndarray) -> None:
    low, middle, high = np.quantile(values, [0.0, 0.5, 0.99])
    inside = values <= high
    axes.set_ylabel("log-odds")
    if low > 0 and high > _SKEWED * middle:
        with_powers(axes)
    axes.axhline(0, color=INK, lw=1, linestyle="--")
    axes.scatter(values[inside], pushed[inside], s=7, color=SEA, alpha=0.35, linewidths=0)
    means = _running_mean(values[inside], pushed[inside])
    axes.plot(means.index, means, color=INK, lw=1.5)
    if low < high and axes.get_xscale() == "linear":
        axes.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))


def _running_mean(values: np.ndarray, pushed: np.ndarray) -> pd.Series[float]:
    """Mean contribution by value where these are few, else by twelfth of the rows; index: the mean value."""
    told = pd.DataFrame({"value": values, "pushed": pushed})
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _FEW_VALUES + 1)))
    few = told["value"].nunique() <= _FEW_VALUES or len(edges) < 3
    by = values if few else np.searchsorted(edges[1:-1], values, side="right")
    means = told.groupby(by)[["value", "pushed"]].mean()
    return means.set_index("value")["pushed"]


def _levels(axes: Axes, feature: Feature, values: np.ndarray, pushed: np.ndarray) -> None:
    """Mean contribution of each common level, the highest on top."""
    means = _means(feature, values, pushed)
    places = np.arange(len(means))
    colors = [SEA if mean > 0 else AGAINST for _, mean, _ in means]
    axes.barh(places, [mean for _, mean, _ in means], color=colors, height=0.7)
    axes.axvline(0, color=INK, lw=1)
    axes.set_yticks(places, [_latin(name)[:_LONGEST] for name, _, _ in means])
    axes.invert_yaxis()
    axes.set_xlabel("log-odds")


def _means(feature: Feature, values: np.ndarray, pushed: np.ndarray) -> list[tuple[str, float, int]]:
    shown = [_readable(feature, value) for value in values.tolist()]
    told = pd.DataFrame({"level": shown, "pushed": pushed}).groupby("level")["pushed"].agg(["mean", "size"])
    common = told.sort_values("size", ascending=False, kind="stable").head(_LEVELS)
    ranked = common.sort_values("mean", ascending=False, kind="stable")
    return [(str(name), float(row["mean"]), int(row["size"])) for name, row in ranked.iterrows()]


def _readable(feature: Feature, value: float) -> str:
    shown = feature.readable(value)
    if isinstance(shown, bool):
        return "yes" if shown else "no"
    return "unknown" if shown is None else str(shown).replace("__other__", "another one").replace("_", " ")


def _effect_words(feature: Feature, values: np.ndarray, pushed: np.ndarray) -> str:
    missing = np.isnan(values)
    unknown = f" Unknown in {int(missing.sum()):,} of {len(values):,} rows." if missing.any() else ""
    if feature.kind != "number" or missing.all():
        means = _means(feature, values, pushed)
        best, worst = means[0], means[-1]
        return f"Highest for {best[0]} ({best[1]:+.2f}), lowest for {worst[0]} ({worst[1]:+.2f}).{unknown}"
    known, told = values[~missing], pushed[~missing]
    low, high = np.quantile(known, [0.1, 0.9])
    few, many = float(told[known <= low].mean()), float(told[known >= high].mean())
    return f"At {low:,.4g} and below {few:+.2f} on average, at {high:,.4g} and above {many:+.2f}.{unknown}"


def _latin(text: str) -> str:
    """Letters that the font of the pictures has."""
    return str(anyascii(text)) if not text.isascii() else text
