"""Figures of index measurements: recall and time of an index over its search parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagesearch.evaluate import RECALL_TARGET, IndexCurve, IndexReport
from imagesearch.figures.display import create_figure
from imagesearch.figures.style import ACCENT, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_INCHES = (4.6, 3.0)
# Colours of the filters: the first filter passes all rows, each next one fewer rows
_COLOURS = (ACCENT, "#2e7d4f", "#a86a12", "#b2452f")
_FAINT = {"color": QUIET, "linewidth": 0.8, "alpha": 0.6}


def draw_index_report(report: IndexReport) -> Figure:
    """Draw recall and time of indexes over their search parameters, one column per index.

    Solid lines are the program's search. Dashed lines are the index alone, under a filter.
    """
    width, height = _PANEL_INCHES
    columns = len(report.curves)
    figure = create_figure((max(6.4, width * columns), 2 * height + 0.9))
    ratios = [1.0 if curve.parameter else 0.5 for curve in report.curves]
    axes = figure.subplots(2, columns, squeeze=False, sharey="row", width_ratios=ratios)
    for column, curve in zip(axes.T, report.curves, strict=True):
        (_draw_curve if curve.parameter else _draw_point)(*column, curve, report)
    for axis in axes[0]:
        axis.axhline(RECALL_TARGET, **_FAINT)
        axis.set_ylim(-0.03, 1.05)
        axis.set_yticks([0, 0.25, 0.5, 0.75, RECALL_TARGET], ["0", "0.25", "0.5", "0.75", str(RECALL_TARGET)])
    _scale_times(axes[1])
    axes[0, 0].set_ylabel("recall@10")
    axes[1, 0].set_ylabel("median ms, shaded to p95")
    figure.suptitle(_make_title(report), color=INK, fontsize=10)
    _draw_legend(figure, report)
    return figure


# --- details -----------------------------------------------------------------------------------------------


def _make_title(report: IndexReport) -> str:
    best = report.best
    advice = "no setting reaches the target under all filters; recommended: FLAT"
    if best is not None:
        value = f", {best.parameter} {best.pick.value}" if best.parameter else ""
        advice = f"recommended: {best.spec.type}{value}"
    return f"{report.rows:,} vectors of {report.dimension} dimensions · {advice}"


def _scale_times(axes: Sequence[Axes]) -> None:
    """Set a logarithmic scale of times, with margins, so that the axis always has labelled ticks."""
    from matplotlib.ticker import LogLocator, NullLocator

    lows, highs = zip(*(axis.dataLim.intervaly for axis in axes), strict=True)
    for axis in axes:
        axis.set_yscale("log")
        axis.set_ylim(min(lows) / 1.5, max(highs) * 1.5)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(axis="y", alpha=0.15)


def _draw_curve(above: Axes, below: Axes, curve: IndexCurve, report: IndexReport) -> None:
    """Draw an index with a search parameter: recall above, time below."""
    # in reverse, so that the first filter is drawn on top
    for name, colour in reversed(list(zip(report.passing, _COLOURS, strict=False))):
        _draw_filter(above, below, curve, name, colour)
    above.set_title(curve.title, color=INK)
    for axis in (above, below):
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:g}")
    if curve.pick:
        _mark_pick(above, below, curve, curve is report.best)
    below.set_xlabel(f"{curve.parameter} (without a filter; under a filter: {curve.wide_value})")


def _draw_filter(above: Axes, below: Axes, curve: IndexCurve, name: str, colour: str) -> None:
    """Draw the curves of one filter."""
    values = [setting.value for setting in curve.settings]
    searched = [setting.searched[name] for setting in curve.settings]
    p50 = [found.p50 for found in searched]
    if name in curve.settings[0].bare:  # under a filter, the program's search is the same for all values
        bare = [setting.bare[name].recall for setting in curve.settings]
        above.plot(values, bare, color=colour, linestyle="--", linewidth=1.1)
        style = {"linewidth": 1.4}
    else:
        below.fill_between(values, p50, [found.p95 for found in searched], color=colour, alpha=0.12)
        style = {"linewidth": 1.8, "marker": "."}
    above.plot(values, [found.recall for found in searched], color=colour, **style)
    below.plot(values, p50, color=colour, **style)


def _mark_pick(above: Axes, below: Axes, curve: IndexCurve, is_best: bool) -> None:
    """Draw a line at the picked value, with a label on the side that has space."""
    value = curve.pick.value
    for axis in (above, below):
        axis.axvline(value, color=INK if is_best else QUIET, linewidth=1.2, linestyle=":")
    values = [setting.value for setting in curve.settings]
    is_left = values.index(value) >= len(values) / 2
    place = {"textcoords": "offset points", "xytext": (-4 if is_left else 4, 3)}
    place["ha"] = "right" if is_left else "left"
    style = {"color": INK, "weight": "bold"} if is_best else {"color": QUIET}
    background = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}
    above.annotate(f"{curve.parameter} {value}", (value, 0), size=8, bbox=background, **place, **style)


def _draw_point(above: Axes, below: Axes, curve: IndexCurve, report: IndexReport) -> None:
    """Draw an index without a parameter: one point for each filter."""
    (setting,) = curve.settings
    places = range(len(report.passing))
    for place, name, colour in zip(places, report.passing, _COLOURS, strict=False):
        found = setting.searched[name]
        above.plot(place, found.recall, color=colour, marker="o")
        below.plot(place, found.p50, color=colour, marker="o")
        below.plot([place, place], [found.p50, found.p95], color=colour, alpha=0.3, linewidth=6)
    above.set_title(curve.title, color=INK)
    for axis in (above, below):
        axis.set_xticks(places, report.passing)
        axis.set_xlim(-0.6, len(places) - 0.4)
    below.set_xlabel("rows that pass the filter")


def _draw_legend(figure: Figure, report: IndexReport) -> None:
    from matplotlib.lines import Line2D

    names = [
        "no filter" if rows == report.rows else f"{name} pass ({rows:,})"
        for name, rows in report.passing.items()
    ]
    lines = [Line2D([], [], color=colour, marker=".") for _, colour in zip(names, _COLOURS, strict=False)]
    if any(curve.parameter for curve in report.curves):
        lines.append(Line2D([], [], color=QUIET, linestyle="--"))
        names.append("index alone")
    columns = len(names) if len(report.curves) > 1 else 3
    figure.legend(lines, names, loc="outside lower center", ncols=columns, frameon=False)
