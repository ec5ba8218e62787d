"""Figures of evaluations: precision and recall, confusion of categories, and missed photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.evaluate import (
    CaptionsReport,
    CategoryRanking,
    LabelledReport,
    SelfReport,
    compute_recall_at,
    interpolate_precision,
)
from imagesearch.figures.display import create_figure
from imagesearch.figures.style import INK, PALETTE, QUIET, shorten_text
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of the kinds of vectors, and of the two directions between photos and captions, for all figures.
_COLOURS = dict(zip(("clip", "vit", "text to image", "image to text"), PALETTE[:2] * 2, strict=True))
_MAX_CATEGORIES = 30  # in a figure; the printed table has all
_RECALL_LEVELS = np.linspace(0, 1, 101)
_MAX_RANK, _RANK_TICKS = 100, (1, 2, 3, 5, 10, 20, 30, 50, 100)
_MAX_MISSED = 12


def draw_labelled_report(report: LabelledReport) -> Figure:
    """Draw precision by category, the precision-recall curves, and the confusion of categories."""
    shown = _sort_worst_first(report)[:_MAX_CATEGORIES]
    height = max(3.0, 0.27 * len(shown) + 1.2)
    figure = create_figure((12.5, 2 * height))
    figure.suptitle(
        f"{format_count(report.val, 'photo')} of VAL search {report.train} of TRAIN for their own category"
        + (f"; the {len(shown)} worst categories" if len(shown) < len(report.categories) else ""),
        color=INK,
    )
    (bars, curves), below = figure.subplots(2, 2)
    _draw_precision_bars(bars, report.rankings, shown)
    _draw_precision_recall_curves(curves, report.rankings)
    for axis, ranking in zip(below, report.rankings, strict=True):
        _draw_confusion(axis, ranking, sorted(shown))
    return figure


def draw_self_report(report: SelfReport) -> Figure:
    """Draw how many photos find themselves, and the names of those that do not."""
    missed = [
        f"{ranking.kind}: {shorten_text(str(photo), 104)}"
        for ranking in report.rankings
        for photo in ranking.missed
    ]
    widths = [1, 1.5] if missed else [1]
    figure = create_figure((11.0 if missed else 5.0, 3.6))
    bars, *names = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    _draw_grouped_bars(bars, {ranking.kind: ranking.compute_metrics() for ranking in report.rankings})
    count = len(report.rankings[0].ranks)
    bars.set_title(
        format_count(count, "photo searches for itself", "photos search for themselves"), color=INK
    )
    more = [f"and {len(missed) - _MAX_MISSED} more"] if len(missed) > _MAX_MISSED else []
    lines = [*missed[:_MAX_MISSED], *more]
    for axis in names:
        axis.axis("off")
        style = {"va": "top", "size": 7.5, "color": INK, "linespacing": 1.5, "parse_math": False}
        axis.text(0, 0.95, "\n".join(lines), **style)
    return figure


def draw_captions_report(report: CaptionsReport) -> Figure:
    """Draw recall@k over k, in both directions."""
    figure = create_figure((7.5, 4.4))
    axis = figure.subplots()
    largest = max(2, min(_MAX_RANK, max(report.photos, report.texts)))
    cutoffs = np.arange(1, largest + 1)
    # the second curve is thin and dashed, so that an equal one below it remains visible
    lines = ({"linewidth": 3.2, "alpha": 0.6}, {"linewidth": 1.5, "linestyle": (0, (4, 3))})
    for (name, ranks), line in zip(report.directions.items(), lines, strict=True):
        recalls = [compute_recall_at(ranks, k) for k in cutoffs.tolist()]
        style = {"color": _COLOURS[name], "marker": ".", "markersize": 4, **line}
        axis.plot(cutoffs, recalls, label=f"{name}, median rank {np.median(ranks):g}", **style)
    axis.set(xscale="log", xlim=(0.95, largest * 1.05), ylim=(0, 1.03), xlabel="k", ylabel="recall@k")
    ticks = [k for k in _RANK_TICKS if k <= largest] if largest > 10 else cutoffs.tolist()
    axis.set_xticks(ticks, list(map(str, ticks)))
    axis.minorticks_off()
    _style_axis(axis)
    axis.legend(frameon=False, loc="lower right")
    counts = f"{format_count(report.texts, 'caption')} and {format_count(report.photos, 'photo')}"
    axis.set_title(f"{counts}, {shorten_text(report.model, 50)}", color=INK, parse_math=False)
    return figure


# --- details -----------------------------------------------------------------------------------------------


def _sort_worst_first(report: LabelledReport) -> list[str]:
    """Sort the categories by precision@5, the worst first."""

    def compute_mean_precision(name: str) -> float:
        return float(np.mean([ranking.compute_metrics(name)["precision@5"] for ranking in report.rankings]))

    return sorted(report.categories, key=lambda name: (compute_mean_precision(name), name))


def _draw_precision_bars(axis: Axes, rankings: Sequence[CategoryRanking], names: Sequence[str]) -> None:
    places = np.arange(len(names))
    for i, ranking in enumerate(rankings):
        offset = (i - (len(rankings) - 1) / 2) * 0.36
        values = [ranking.compute_metrics(name)["precision@5"] for name in names]
        overall = ranking.compute_metrics()["precision@5"]
        label = f"{ranking.kind}, {overall:.3f} overall"
        axis.barh(places + offset, values, 0.34, color=_COLOURS[ranking.kind], label=label)
    axis.set_yticks(places, [shorten_text(name, 24) for name in names], parse_math=False)
    axis.invert_yaxis()
    axis.set(xlim=(0, 1.02), title="precision@5 by category")
    _style_axis(axis)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, -0.06), ncols=2)


def _draw_precision_recall_curves(axis: Axes, rankings: Sequence[CategoryRanking]) -> None:
    for ranking in rankings:
        curve = interpolate_precision(ranking.relevant, ranking.relevant_counts, _RECALL_LEVELS)
        label = f"{ranking.kind}, mAP {ranking.compute_metrics()['map']:.3f}"
        axis.plot(_RECALL_LEVELS, curve, color=_COLOURS[ranking.kind], linewidth=1.8, label=label)
    axis.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="recall", ylabel="precision", title="precision and recall")
    _style_axis(axis)
    axis.legend(frameon=False)


def _draw_confusion(axis: Axes, ranking: CategoryRanking, names: Sequence[str]) -> None:
    """Draw a cell for each pair of categories: the share of the second among the first five results."""
    confusion = [ranking.compute_confusion(name) for name in names]
    shares = np.asarray([[found.get(other, 0.0) for other in names] for found in confusion])
    labels = [shorten_text(name, 18) for name in names]
    columns, rest = list(labels), 1 - shares.sum(axis=1, keepdims=True)
    if rest.max() > 1e-9:  # results of categories that VAL does not have, or that are not drawn
        shares, columns = np.hstack([shares, rest]), [*labels, "others"]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    slanted = {"rotation": 45 if len(names) <= 15 else 90, "ha": "right", "rotation_mode": "anchor"}
    axis.set_xticks(range(len(columns)), columns, parse_math=False, **slanted)
    axis.set_yticks(range(len(labels)), labels, parse_math=False)
    axis.tick_params(length=0, colors=INK)
    if len(names) <= 15:
        _draw_shares(axis, shares)
    axis.set_title(f"{ranking.kind}: categories of the first five results", color=INK)


def _draw_shares(axis: Axes, shares: np.ndarray) -> None:
    """Draw each share as a number on its cell."""
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            colour = "white" if share > 0.55 else INK
            axis.text(column, row, f"{share:.0%}", ha="center", va="center", size=7, color=colour)


def _draw_grouped_bars(axis: Axes, metrics: dict[str, dict[str, float]]) -> None:
    """Draw a group of bars for each metric, with one bar for each kind of vectors."""
    names = list(next(iter(metrics.values())))
    places = np.arange(len(names))
    for i, (kind, values) in enumerate(metrics.items()):
        offset = (i - (len(metrics) - 1) / 2) * 0.36
        bars = axis.bar(places + offset, list(values.values()), 0.34, color=_COLOURS[kind], label=kind)
        axis.bar_label(bars, [f"{value:.3f}" for value in values.values()], size=7, color=INK)
    axis.set_xticks(places, names)
    axis.set(ylim=(0, 1.12))
    _style_axis(axis)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, -0.08), ncols=2)


def _style_axis(axis: Axes) -> None:
    axis.grid(color=QUIET, alpha=0.3, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, colors=INK)
