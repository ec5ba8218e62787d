"""What trials of an index say: curves of recall and time, and the setting to take."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from imagesearch.evaluate.index_benchmark import K, SearchMeasurement
from imagesearch.store import IndexSpec
from imagesearch.text_table import format_table

TARGET = 0.95
"""The recall that a setting is to reach under every filter."""
_SAME_COST = 1.05


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
    def reaches(self) -> bool:
        """Whether its recall is surely `TARGET` or more under every filter."""
        return all(found.surely >= TARGET for found in self.searched.values())

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
    now
        The value that the config has; None if it has another index, or none.
    wide
        The value that a search under a filter takes; None where there is none.
    fresh
        How its pick did on queries that had no part in picking it, by filter.
    """

    plan: IndexSpec
    parameter: str
    now: int | None
    wide: int | None
    build_seconds: float
    settings: tuple[ParameterSetting, ...]
    fresh: dict[str, SearchMeasurement]

    @property
    def pick(self) -> ParameterSetting | None:
        """The cheapest setting that reaches the target everywhere, if one does."""
        return find_cheapest(self.settings)

    @property
    def title(self) -> str:
        """The index and what it was built with."""
        return ", ".join([self.plan.type, *(f"{key} {value}" for key, value in self.plan.build.items())])

    def yaml(self) -> str:
        """Return the pick as lines to be pasted into config.yaml."""
        lines = ["milvus:", "  index:", f"    type: {self.plan.type}"]
        if self.parameter:
            params = ", ".join(f"{key}: {value}" for key, value in self.plan.build.items())
            lines += [
                f"    params: {{{params}}}",
                f"    search_params: {{{self.parameter}: {self.pick.value}}}",
            ]
        return "\n".join(lines)

    def picked(self) -> dict[str, Any] | None:
        """Return the pick for ``--json``, with how it did on fresh queries."""
        return self.pick and {
            "type": self.plan.type,
            "params": self.plan.build,
            "search_params": {self.parameter: self.pick.value} if self.parameter else {},
            "fresh": _to_dicts(self.fresh),
            "holds": _reaches_target(self.fresh),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "type": self.plan.type,
            "params": self.plan.build,
            "parameter": self.parameter or None,
            "config": self.now,
            "under_a_filter": self.wide,
            "build_seconds": round(self.build_seconds, 1),
            "settings": [
                {"value": item.value, "searched": _to_dicts(item.searched), "bare": _to_dicts(item.bare)}
                for item in self.settings
            ],
            "pick": self.picked(),
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
    tuned, checked
        Numbers of queries, by kind: those that the curves come from, and those that picks were checked on.
    """

    rows: int
    dimension: int
    passing: dict[str, int]
    tuned: dict[str, int]
    checked: dict[str, int]
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
        return self.best.yaml()

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "rows": self.rows,
            "dimension": self.dimension,
            "k": K,
            "target": TARGET,
            "passing": self.passing,
            "queries": {"tuning": self.tuned, "checking": self.checked},
            "indexes": [curve.to_dict() for curve in self.curves],
            "recommended": self.best.picked() if self.best else None,
            "yaml": self.yaml,
        }

    def __str__(self) -> str:
        queries = _format_query_counts(self.tuned)
        head = (
            f"{self.rows:,} vectors of {self.dimension} dimensions, {queries} as queries; "
            f"recall@{K} against exact search, times in ms"
        )
        return "\n\n".join([head, *(_format_curve(c, self.passing) for c in self.curves), self._advice()])

    def _advice(self) -> str:
        """Return the recommendation in words, and the lines to paste."""
        curve = self.best
        if curve is None:
            said = [f"no setting here surely reaches recall {TARGET} under every filter; exact search does"]
        else:
            setting = f" with {curve.parameter} {curve.pick.value}" if curve.parameter else ""
            found = ", ".join(f"{item.recall:.3f} ({name})" for name, item in curve.fresh.items())
            name = f"{curve.plan.type}{setting}"
            said = [
                f"* the cheapest whose recall is {TARGET} or more under every filter, with 95% confidence",
                f"recommended: {name}, {curve.pick.cost:.1f} ms, the mean over all filters",
                f"on fresh queries ({_format_query_counts(self.checked)}) its recall is {found}",
            ]
            if not _reaches_target(curve.fresh):
                said.append(f"that is less than {TARGET}: take the next larger {curve.parameter}")
        said.append(
            "for config.yaml, in place of milvus.index there; 05_build_collections.py then builds it:"
        )
        return "\n".join([*said, "", self.yaml])


def find_cheapest(settings: Sequence[ParameterSetting]) -> ParameterSetting | None:
    """Return the fastest setting that reaches the target under every filter, if one does.

    Of those that are as fast but for 5%, which is noise, it is the one of the smallest value, which asks the
    least of the machine.
    """
    good = [setting for setting in settings if setting.reaches]
    least = min((setting.cost for setting in good), default=0.0)
    return next((setting for setting in good if setting.cost <= _SAME_COST * least), None)


# --- details -----------------------------------------------------------------------------------------------


def _reaches_target(fresh: dict[str, SearchMeasurement]) -> bool:
    return all(found.recall >= TARGET for found in fresh.values())


def _format_curve(curve: IndexCurve, passing: dict[str, int]) -> str:
    """Write a curve as two tables: over the parameter, and under a filter, where it makes no difference."""
    first = curve.settings[0]
    lines = [f"{curve.title}: filled and built in {curve.build_seconds:.0f} s"]
    if curve.parameter:
        header = [curve.parameter, "recall", "p50", "p95", *(f"alone, {name}" for name in first.bare)]
        lines += [format_table(header, [_format_setting(curve, setting) for setting in curve.settings]), ""]
        lines.append(
            f"under a filter, as the program searches: {curve.parameter} {curve.wide}"
            + ("" if curve.plan.has_clusters else ", and exactly where that finds too few")
        )
    searched = first.bare if curve.parameter else first.searched
    rows = [
        [f"{name} of the rows", passing[name], *_format_measurement(first.searched[name])]
        for name in searched
    ]
    return "\n".join([*lines, format_table(["passes", "rows", "recall", "p50", "p95"], rows)])


def _format_setting(curve: IndexCurve, setting: ParameterSetting) -> list[str | float]:
    """Return a setting's row; the config's and the picked one are marked."""
    mark = " (now)" if setting.value == curve.now else ""
    mark += " *" if setting is curve.pick else ""
    bare = [item.recall for item in setting.bare.values()]
    return [f"{setting.value}{mark}", *_format_measurement(next(iter(setting.searched.values()))), *bare]


def _format_measurement(found: SearchMeasurement) -> list[str | float]:
    return [found.recall, f"{found.p50:.1f}", f"{found.p95:.1f}"]


def _to_dicts(measures: dict[str, SearchMeasurement]) -> dict[str, Any]:
    return {name: found.to_dict() for name, found in measures.items()}


def _format_query_counts(queries: dict[str, int]) -> str:
    """Write numbers of queries in words."""
    return ", ".join(f"{count} {kind}" for kind, count in queries.items())
