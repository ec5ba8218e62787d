"""Local times as seconds since 1970, as if they were UTC: the form in which collections store them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

SECONDS_A_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)


def measure_seconds(time: datetime) -> float:
    """Return a time in seconds, with its fraction."""
    return (time - _EPOCH).total_seconds()


def count_seconds(time: datetime) -> int:
    """Return a time in whole seconds, as ``taken_at`` is stored."""
    return (time - _EPOCH) // timedelta(seconds=1)


def count_day_seconds(day: date) -> int:
    """Return the first second of a day."""
    return (day - _EPOCH.date()).days * SECONDS_A_DAY


def make_time(seconds: float) -> datetime:
    """Return the time that is stored as a number of seconds."""
    return _EPOCH + timedelta(seconds=seconds)
