"""Bar chart of the values of an album measured against its ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagesearch.figures import ACCENT, INK, QUIET, create_figure, shorten_text
from imagesearch.text_table import format_count
from imagesearch_demo.scoring.truth_report import TruthMetric, TruthReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MISSED, _TRACK = "#b2452f", "#e4e7eb"
_ROW_INCHES, _GAP = 0.3, 0.8  # the gap is between sections, in rows


def draw_truth_report(report: TruthReport) -> Figure:
    """Draw all shares of a report as bars from 0 to 1, with marks at their aims.

    Counts are left out, because they have no common scale.
    """
    metrics = [metric for metric in report.metrics if not isinstance(metric.value, int)]
    places = _place_bars(metrics)
    figure = create_figure((9.5, 1.3 + _ROW_INCHES * (places[-1] + 1)))
    axis = figure.subplots()
    for place, metric in zip(places, metrics, strict=True):
        _draw_bar(axis, place, metric)
    axis.set_yticks(places, [_make_label(metric) for metric in metrics])
    axis.set(xlim=(0, 1), xticks=[0, 0.25, 0.5, 0.75, 1], ylim=(places[-1] + 0.7, -1.0))
    axis.tick_params(length=0, colors=INK)
    axis.spines[:].set_visible(False)
    over = {"size": 8, "color": QUIET, "va": "bottom", "transform": axis.get_yaxis_transform()}
    axis.text(1.03, -0.6, "value", **over)
    axis.text(1.13, -0.6, "aim", **over)
    photos = format_count(report.photos, "photo")
    title = f"{shorten_text(report.album, 40)}: {photos} and the ground truth"
    axis.set_title(title, loc="left", color=INK, size=11, weight="bold", pad=12, parse_math=False)
    _draw_legend(figure)
    return figure


def _place_bars(metrics: Sequence[TruthMetric]) -> list[float]:
    """Return the position of each bar, with gaps between sections."""
    places, place = [], 0.0
    for before, metric in zip([metrics[0], *metrics], metrics, strict=False):
        place += _GAP if _get_section(before) != _get_section(metric) else 0.0
        places.append(place)
        place += 1.0
    return places


def _get_section(metric: TruthMetric) -> str:
    return metric.name.partition(".")[0]


def _make_label(metric: TruthMetric) -> str:
    section, _, key = metric.name.partition(".")
    words = key.replace("_", " ").replace("bcubed", "BCubed").replace("f1", "F1").replace("ari", "ARI")
    return f"{section.replace('_', ' ')}: {words}"


def _draw_bar(axis: Axes, place: float, metric: TruthMetric) -> None:
    axis.barh(place, 1, height=0.62, color=_TRACK)
    beside = {"va": "center", "color": INK, "transform": axis.get_yaxis_transform()}
    if metric.value is None:
        axis.text(0.01, place, "nothing to measure", **beside | {"color": QUIET, "size": 8})
        return
    colour = _MISSED if metric.is_missed else ACCENT
    axis.barh(place, metric.value, height=0.62, color=colour)
    weight = "bold" if metric.is_missed else "normal"
    axis.text(1.03, place, f"{metric.value:.3f}", **beside | {"color": colour, "weight": weight})
    if metric.aim is not None:
        # not clipped, so that marks at 0 and 1 are fully visible
        axis.plot([metric.aim] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=2, clip_on=False)
        axis.text(1.13, place, metric.aim_text, **beside)


def _draw_legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    mark = Line2D([], [], color=INK, linewidth=2, marker="|", markersize=10, linestyle="none")
    mark.set_markeredgewidth(2)
    handles = [Patch(color=ACCENT), Patch(color=_MISSED), mark]
    labels = ["value", "value that misses its aim", "aim"]
    figure.legend(handles, labels, loc="outside lower left", ncols=3, frameon=False, fontsize=8)
