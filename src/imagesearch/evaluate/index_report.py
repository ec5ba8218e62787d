"""Report of index benchmarks: curves of recall and time, and the recommended setting."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from imagesearch.evaluate.index_benchmark import CUTOFF, SearchMeasurement
from imagesearch.store import IndexSpec
from imagesearch.text_table import format_table

RECALL_TARGET = 0.95
"""The recall that a setting must reach under every filter."""
_COST_TOLERANCE = 1.05  # costs that differ by up to 5% count as equal


@dataclass(frozen=True)
class ParameterSetting:
    """One value of the search parameter, and its measurements.

    Attributes
    ----------
    value
        The value of nprobe or ef; None if the index has no search parameter.
    searched, bare
        Measurements by filter: of `Store.search`, which widens filtered searches, and of the index alone.
    """

    value: int | None
    searched: dict[str, SearchMeasurement]
    bare: dict[str, SearchMeasurement]

    @property
    def reaches_target(self) -> bool:
        """Whether its recall is at least `RECALL_TARGET` under every filter, with 95% confidence."""
        return all(found.recall_lower_bound >= RECALL_TARGET for found in self.searched.values())

    @property
    def cost(self) -> float:
        """The median search time in milliseconds, averaged over all filters.

        All filters count, because a graph index can be the fastest without a filter and by far the slowest
        when few rows pass.
        """
        return statistics.fmean(found.p50 for found in self.searched.values())


@dataclass(frozen=True)
class IndexCurve:
    """Measurements of an index over the values of its search parameter.

    Attributes
    ----------
    spec
        The index and its build parameters.
    parameter
        Name of the search parameter: nprobe or ef; "" if the index has none.
    current_value
        The value in the config; None if the config has another index or no value.
    wide_value
        The value used for filtered searches; None if the index has no parameter.
    build_seconds
        The time to fill the collection and build the index.
    settings
        The settings in the order of their values.
    validation
        Measurements of the picked setting on the validation queries, by filter.
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
        """The cheapest setting that reaches the target under every filter; None if none does."""
        return find_cheapest(self.settings)

    @property
    def title(self) -> str:
        """The index type and its build parameters."""
        return ", ".join([self.spec.type, *(f"{key} {value}" for key, value in self.spec.build.items())])

    def format_yaml(self) -> str:
        """Return the picked setting as lines for config.yaml."""
        lines = ["milvus:", "  index:", f"    type: {self.spec.type}"]
        if self.parameter:
            params = ", ".join(f"{key}: {value}" for key, value in self.spec.build.items())
            lines += [
                f"    params: {{{params}}}",
                f"    search_params: {{{self.parameter}: {self.pick.value}}}",
            ]
        return "\n".join(lines)

    def describe_pick(self) -> dict[str, Any] | None:
        """Return the picked setting and its validation for ``--json``."""
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
    """Result of `evaluate_index`.

    Attributes
    ----------
    rows, dimension
        Number and dimension of the indexed vectors.
    passing
        The number of rows that pass each filter.
    tuning_queries, validation_queries
        Numbers of queries by kind: those that the curves are measured on, and those that the picked settings
        are validated on.
    curves
        One curve for each index.
    notes
        Notes for the user, one line each.
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
        """The curve with the cheapest picked setting; None if no setting was picked."""
        picks = [curve for curve in self.curves if curve.pick]
        return min(picks, key=lambda curve: curve.pick.cost, default=None)

    @property
    def yaml(self) -> str:
        """The recommended lines for config.yaml; exact search if no setting reaches the target."""
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
        """Return the recommendation in words, and the lines for config.yaml."""
        curve = self.best
        if curve is None:
            target = f"recall {RECALL_TARGET} under every filter with 95% confidence"
            lines = [f"no setting reaches {target}; use exact search"]
        else:
            setting = f" with {curve.parameter} {curve.pick.value}" if curve.parameter else ""
            index = f"{curve.spec.type}{setting}"
            recalls = ", ".join(f"{found.recall:.3f} ({name})" for name, found in curve.validation.items())
            queries = _format_query_counts(self.validation_queries)
            target = f"recall of at least {RECALL_TARGET} under every filter, with 95% confidence"
            lines = [
                f"* the cheapest setting with a {target}",
                f"recommended: {index}, {curve.pick.cost:.1f} ms, the mean over all filters",
                f"recall on the validation queries ({queries}): {recalls}",
            ]
            if not _reaches_target(curve.validation):
                lines.append(f"this is below {RECALL_TARGET}: use the next larger {curve.parameter}")
        lines.append("in config.yaml, replace milvus.index by these lines, then run 05_build_collections.py:")
        return "\n".join([*lines, "", self.yaml])


def find_cheapest(settings: Sequence[ParameterSetting]) -> ParameterSetting | None:
    """Return the cheapest setting that reaches the target under every filter; None if none does.

    Costs that differ by up to 5% count as equal. Then the setting with the smallest value is returned,
    because it does the least work.
    """
    good = [setting for setting in settings if setting.reaches_target]
    lowest_cost = min((setting.cost for setting in good), default=0.0)
    return next((setting for setting in good if setting.cost <= _COST_TOLERANCE * lowest_cost), None)


# --- details -----------------------------------------------------------------------------------------------


def _format_curve(curve: IndexCurve, passing: dict[str, int]) -> str:
    """Format a curve as two tables: by value of the parameter, and by filter."""
    first = curve.settings[0]
    lines = [f"{curve.title}: built in {curve.build_seconds:.0f} s"]
    if curve.parameter:
        header = [curve.parameter, "recall", "p50", "p95", *(f"alone, {name}" for name in first.bare)]
        lines += [format_table(header, [_format_setting(curve, setting) for setting in curve.settings]), ""]
        lines.append(
            f"searches with a filter use {curve.parameter} {curve.wide_value}"
            + ("" if curve.spec.has_clusters else ", and exact search if that returns too few rows")
        )
    names = first.bare if curve.parameter else first.searched
    rows = [
        [f"{name} of the rows", passing[name], *_format_measurement(first.searched[name])] for name in names
    ]
    return "\n".join([*lines, format_table(["passes", "rows", "recall", "p50", "p95"], rows)])


def _format_setting(curve: IndexCurve, setting: ParameterSetting) -> list[str | float]:
    """Return the row of a setting, with a mark for the config's value and for the picked one."""
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
    """Format numbers of queries, such as "40 held out, 100 texts"."""
    return ", ".join(f"{count} {kind}" for kind, count in queries.items())
