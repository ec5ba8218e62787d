"""Report of index benchmarks: curves of recall and time, and the setting to take."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from imagesearch.evaluate.index_benchmark import CUTOFF, SearchMeasurement
from imagesearch.store import IndexSpec
from imagesearch.text_table import format_table

RECALL_TARGET = 0.95
"""The recall that a setting has to reach under every filter."""
_COST_TOLERANCE = 1.05  # differences up to 5% are noise


@dataclass(frozen=True)
class ParameterSetting:
    """One value of the search parameter, and how it did.

    Attributes
    ----------
    value
        Of nprobe or ef; None where the index has no parameter.
    searched, bare
        By filter: as the program searches, which looks wider under a filter, and by the index alone.
    """

    value: int | None
    searched: dict[str, SearchMeasurement]
    bare: dict[str, SearchMeasurement]

    @property
    def reaches_target(self) -> bool:
        """Whether its recall is surely `RECALL_TARGET` or more under every filter."""
        return all(found.recall_lower_bound >= RECALL_TARGET for found in self.searched.values())

    @property
    def cost(self) -> float:
        """Milliseconds of a search: the mean, over all filters, of the medians.

        Without a filter a graph may be the fastest; where few rows pass it is the slowest by far.
        """
        return statistics.fmean(found.p50 for found in self.searched.values())


@dataclass(frozen=True)
class IndexCurve:
    """An index over the values of its search parameter.

    Attributes
    ----------
    spec
        The index, and what it was built with.
    parameter
        Name of the search parameter: nprobe or ef; "" where the index has none.
    current_value
        The value that the config has; None if it has another index, or none.
    wide_value
        The value that a search under a filter takes; None where there is none.
    build_seconds
        Of filling and building.
    settings
        Of each value, in order.
    validation
        How its pick did on queries that had no part in picking it, by filter.
    """

    spec: IndexSpec
    parameter: str
    current_value: int | None
    wide_value: int | None
    build_seconds: float
    settings: tuple[ParameterSetting, ...]
    validation: dict[str, SearchMeasurement]

    @property
    def pick(self) -> ParameterSetting | None:
        """The cheapest setting that reaches the target everywhere, if one does."""
        return find_cheapest(self.settings)

    @property
    def title(self) -> str:
        """The index and what it was built with."""
        return ", ".join([self.spec.type, *(f"{key} {value}" for key, value in self.spec.build.items())])

    def format_yaml(self) -> str:
        """Return the pick as lines to be pasted into config.yaml."""
        lines = ["milvus:", "  index:", f"    type: {self.spec.type}"]
        if self.parameter:
            params = ", ".join(f"{key}: {value}" for key, value in self.spec.build.items())
            lines += [
                f"    params: {{{params}}}",
                f"    search_params: {{{self.parameter}: {self.pick.value}}}",
            ]
        return "\n".join(lines)

    def describe_pick(self) -> dict[str, Any] | None:
        """Return the pick for ``--json``, with its validation."""
        return self.pick and {
            "type": self.spec.type,
            "params": self.spec.build,
            "search_params": {self.parameter: self.pick.value} if self.parameter else {},
            "fresh": _convert_measurements(self.validation),
            "holds": _reaches_target(self.validation),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "type": self.spec.type,
            "params": self.spec.build,
            "parameter": self.parameter or None,
            "config": self.current_value,
            "under_a_filter": self.wide_value,
            "build_seconds": round(self.build_seconds, 1),
            "settings": [
                {
                    "value": setting.value,
                    "searched": _convert_measurements(setting.searched),
                    "bare": _convert_measurements(setting.bare),
                }
                for setting in self.settings
            ],
            "pick": self.describe_pick(),
        }


@dataclass(frozen=True)
class IndexReport:
    """What `evaluate_index` found.

    Attributes
    ----------
    rows, dimension
        Of what was indexed.
    passing
        By filter, how many rows pass.
    tuning_queries, validation_queries
        Numbers of queries, by kind: those that the curves come from, and those that picks were validated on.
    curves
        Of each index.
    notes
        What the user should know, a line each.
    """

    rows: int
    dimension: int
    passing: dict[str, int]
    tuning_queries: dict[str, int]
    validation_queries: dict[str, int]
    curves: tuple[IndexCurve, ...]
    notes: list[str] = field(default_factory=list)

    @property
    def best(self) -> IndexCurve | None:
        """The curve whose pick is the fastest, if there is a pick at all."""
        picks = [curve for curve in self.curves if curve.pick]
        return min(picks, key=lambda curve: curve.pick.cost, default=None)

    @property
    def yaml(self) -> str:
        """The recommended lines of config.yaml; exact search where no setting reaches the target."""
        if self.best is None:
            return "milvus:\n  index:\n    type: FLAT"
        return self.best.format_yaml()

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "rows": self.rows,
            "dimension": self.dimension,
            "k": CUTOFF,
            "target": RECALL_TARGET,
            "passing": self.passing,
            "queries": {"tuning": self.tuning_queries, "checking": self.validation_queries},
            "indexes": [curve.to_dict() for curve in self.curves],
            "recommended": self.best.describe_pick() if self.best else None,
            "yaml": self.yaml,
        }

    def __str__(self) -> str:
        queries = _format_query_counts(self.tuning_queries)
        head = (
            f"{self.rows:,} vectors of {self.dimension} dimensions, {queries} as queries; "
            f"recall@{CUTOFF} against exact search, times in ms"
        )
        curves = [_format_curve(curve, self.passing) for curve in self.curves]
        return "\n\n".join([head, *curves, self._format_advice()])

    def _format_advice(self) -> str:
        """Return the recommendation in words, and the lines to paste."""
        curve = self.best
        if curve is None:
            lines = [
                f"no setting here surely reaches recall {RECALL_TARGET} under every filter; exact search does"
            ]
        else:
            setting = f" with {curve.parameter} {curve.pick.value}" if curve.parameter else ""
            index = f"{curve.spec.type}{setting}"
            recalls = ", ".join(f"{found.recall:.3f} ({name})" for name, found in curve.validation.items())
            queries = _format_query_counts(self.validation_queries)
            confidence = f"{RECALL_TARGET} or more under every filter, with 95% confidence"
            lines = [
                f"* the cheapest whose recall is {confidence}",
                f"recommended: {index}, {curve.pick.cost:.1f} ms, the mean over all filters",
                f"on fresh queries ({queries}) its recall is {recalls}",
            ]
            if not _reaches_target(curve.validation):
                lines.append(f"that is less than {RECALL_TARGET}: take the next larger {curve.parameter}")
        lines.append(
            "for config.yaml, in place of milvus.index there; 05_build_collections.py then builds it:"
        )
        return "\n".join([*lines, "", self.yaml])


def find_cheapest(settings: Sequence[ParameterSetting]) -> ParameterSetting | None:
    """Return the fastest setting that reaches the target under every filter, if one does.

    Of those that are as fast but for 5%, which is noise, it is the one of the smallest value, which asks the
    least of the machine.
    """
    good = [setting for setting in settings if setting.reaches_target]
    lowest_cost = min((setting.cost for setting in good), default=0.0)
    return next((setting for setting in good if setting.cost <= _COST_TOLERANCE * lowest_cost), None)


# --- details -----------------------------------------------------------------------------------------------


def _reaches_target(measurements: dict[str, SearchMeasurement]) -> bool:
    return all(found.recall >= RECALL_TARGET for found in measurements.values())


def _format_curve(curve: IndexCurve, passing: dict[str, int]) -> str:
    """Write a curve as two tables: over the parameter, and under a filter, where it makes no difference."""
    first = curve.settings[0]
    lines = [f"{curve.title}: filled and built in {curve.build_seconds:.0f} s"]
    if curve.parameter:
        header = [curve.parameter, "recall", "p50", "p95", *(f"alone, {name}" for name in first.bare)]
        lines += [format_table(header, [_format_setting(curve, setting) for setting in curve.settings]), ""]
        lines.append(
            f"under a filter, as the program searches: {curve.parameter} {curve.wide_value}"
            + ("" if curve.spec.has_clusters else ", and exactly where that finds too few")
        )
    names = first.bare if curve.parameter else first.searched
    rows = [
        [f"{name} of the rows", passing[name], *_format_measurement(first.searched[name])] for name in names
    ]
    return "\n".join([*lines, format_table(["passes", "rows", "recall", "p50", "p95"], rows)])


def _format_setting(curve: IndexCurve, setting: ParameterSetting) -> list[str | float]:
    """Return a setting's row; the config's and the picked one are marked."""
    mark = " (now)" if setting.value == curve.current_value else ""
    mark += " *" if setting is curve.pick else ""
    bare = [found.recall for found in setting.bare.values()]
    return [f"{setting.value}{mark}", *_format_measurement(next(iter(setting.searched.values()))), *bare]


def _format_measurement(found: SearchMeasurement) -> list[str | float]:
    return [found.recall, f"{found.p50:.1f}", f"{found.p95:.1f}"]


def _reaches_target(measurements: dict[str, SearchMeasurement]) -> bool:
    return all(found.recall >= RECALL_TARGET for found in measurements.values())


def _convert_measurements(measurements: dict[str, SearchMeasurement]) -> dict[str, Any]:
    return {name: found.to_dict() for name, found in measurements.items()}


def _format_query_counts(queries: dict[str, int]) -> str:
    """Write numbers of queries in words."""
    return ", ".join(f"{count} {kind}" for kind, count in queries.items())
