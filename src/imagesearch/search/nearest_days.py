"""The nearest days that have photos, if none was taken on the days that a sentence requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from imagesearch.filters import And, Between, Condition, Eq, In, Or
from imagesearch.local_times import count_day_seconds, make_time
from imagesearch.query import ParsedQuery
from imagesearch.search.relaxation import FilterAttempt, format_day
from imagesearch.search.resources import SearchResources
from imagesearch.search.scope import SearchScope

_OPEN = re.compile(r"(before|since) (\d{4}-\d\d-\d\d)")
_IS_OPEN = re.compile("before|since")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def find_nearest_days(
    parsed: ParsedQuery, scope: SearchScope, resources: SearchResources
) -> Iterator[FilterAttempt]:
    """Yield a filter for the nearest days with photos before and after the dates of a sentence.

    For "before 1900" and "since 2030", it is one day. There is none if the dates recur every year, or if no
    photo has a time.
    """
    times = _list_times(parsed)
    if not times or "time_precision" not in scope.collection.field_types:
        return
    days = [day for is_before, where in times if (day := _find_day(where, is_before, scope, resources))]
    if days:
        spans = [(count_day_seconds(day), count_day_seconds(day + timedelta(days=1))) for day in days]
        where = Or(tuple(Between("taken_at", *span) for span in spans))
        description = f"of {' and '.join(map(format_day, days))}"
        yield FilterAttempt(And((Eq("has_time", True), where)), description)


def _find_day(
    where: Condition, is_before: bool, scope: SearchScope, resources: SearchResources
) -> date | None:
    known = And((Eq("has_time", True), In("time_precision", ("second", "day"))))
    ref, where = scope.collection.ref, And((scope.required, known, where))
    hits, _ = resources.store.list_by_date(ref, 1, newest_first=is_before, where=where, fields=("taken_at",))
    return make_time(hits[0].fields["taken_at"]).date() if hits else None


def _list_times(parsed: ParsedQuery) -> list[tuple[bool, Condition]]:
    """Return whether a day is searched before the dates, or after them, and the condition on its photos."""
    if len(parsed.dates) == 1 and (limit := _OPEN.fullmatch(parsed.dates[0].dates)):
        seconds = count_day_seconds(date.fromisoformat(limit[2]))
        if limit[1] == "since":
            return [(True, Between("taken_at", None, seconds))]
        return [(False, Between("taken_at", seconds))]
    period = _find_period(parsed)
    if period is None:
        return []
    first, last = map(count_day_seconds, (period[0], period[1] + timedelta(days=1)))
    return [(True, Between("taken_at", None, first)), (False, Between("taken_at", last))]


def _find_period(parsed: ParsedQuery) -> tuple[date, date] | None:
    """Return the first and the last day of the dates; None if they recur, or have no first or last day."""
    if any(not clause.dates or _IS_OPEN.search(clause.dates) for clause in parsed.dates):
        return None
    days = [date.fromisoformat(day) for clause in parsed.dates for day in _DAY.findall(clause.dates)]
    return (min(days), max(days)) if days else None
