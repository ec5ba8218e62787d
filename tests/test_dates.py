"""Dates in sentences: the days that they refer to, and the conditions on them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from test_parser import PARSER, TODAY, write_filter


def between(first: str, last: str) -> str:
    """The condition that a photo was taken from one day to another, including both.

    It leaves out photos of which only the year or the month is known, if the days are a part of it.
    """
    days = [date.fromisoformat(day) if day else None for day in (first, last)]
    limits = [f"taken_at >= {count_seconds(days[0])}"] if days[0] else []
    limits += [f"taken_at < {count_seconds(days[1]) + 86_400}"] if days[1] else []
    text = " and ".join(limits)
    if days[0] is None or days[1] is None:
        return text
    new_year, new_month = days[1].replace(month=1, day=1), days[1].replace(day=1)
    left_out = []
    if days[0] <= new_year and (days[1].month, days[1].day) != (12, 31):
        left_out.append(f"(not ((month == 0) and (taken_at == {count_seconds(new_year)})))")
    if days[0] <= new_month and (days[1] + timedelta(days=1)).day != 1:
        left_out.append(f"(not ((day == 0) and (taken_at == {count_seconds(new_month)})))")
    return " and ".join([f"({text})", *left_out]) if left_out else text


def count_seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("in 2023", "2023-01-01", "2023-12-31"),
        ("may 2021", "2021-05-01", "2021-05-31"),
        ("2021-05", "2021-05-01", "2021-05-31"),
        ("5/2021", "2021-05-01", "2021-05-31"),
        ("before 2020", "", "2019-12-31"),
        ("until 2020", "", "2020-12-31"),
        ("after may 2021", "2021-06-01", ""),
        ("since may 2021", "2021-05-01", ""),
        ("since may", "2024-05-01", ""),
        ("since july", "2023-07-01", ""),
        ("before christmas", "", "2023-12-23"),
        ("between may and july 2024", "2024-05-01", "2024-07-31"),
        ("from 2019 to 2021", "2019-01-01", "2021-12-31"),
        ("2019-2021", "2019-01-01", "2021-12-31"),
        ("from 2021 to 2019", "2019-01-01", "2021-12-31"),
        ("from november to february 2024", "2023-11-01", "2024-02-29"),
        ("between 3 and 10 june 2024", "2024-06-03", "2024-06-10"),
        ("last december", "2023-12-01", "2023-12-31"),
        ("last june", "2023-06-01", "2023-06-30"),
        ("this june", "2024-06-01", "2024-06-30"),
        ("this year", "2024-01-01", "2024-12-31"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("last month", "2024-05-01", "2024-05-31"),
        ("last week", "2024-06-03", "2024-06-09"),
        ("last weekend", "2024-06-08", "2024-06-09"),
        ("this weekend", "2024-06-15", "2024-06-16"),
        ("yesterday", "2024-06-14", "2024-06-14"),
        ("the day before yesterday", "2024-06-13", "2024-06-13"),
        ("today", "2024-06-15", "2024-06-15"),
        ("two years ago", "2022-01-01", "2022-12-31"),
        ("3 weeks ago", "2024-05-20", "2024-05-26"),
        ("a month ago", "2024-05-01", "2024-05-31"),
        ("the last two weeks", "2024-06-02", "2024-06-15"),
        ("on 3 june 2024", "2024-06-03", "2024-06-03"),
        ("june 3rd, 2024", "2024-06-03", "2024-06-03"),
        ("the 3rd of june 2024", "2024-06-03", "2024-06-03"),
        ("2024-06-03", "2024-06-03", "2024-06-03"),
        ("03.06.2024", "2024-06-03", "2024-06-03"),
        ("6/3/2024", "2024-06-03", "2024-06-03"),
        ("31/12/2023", "2023-12-31", "2023-12-31"),
        ("christmas 2022", "2022-12-24", "2022-12-26"),
        ("last christmas", "2023-12-24", "2023-12-26"),
        ("new year's eve 2023", "2023-12-31", "2023-12-31"),
        ("new year 2024", "2023-12-31", "2024-01-01"),
        ("easter 2024", "2024-03-29", "2024-04-01"),
        ("thanksgiving 2023", "2023-11-23", "2023-11-23"),
        ("last sunday", "2024-06-09", "2024-06-09"),
        ("last saturday", "2024-06-08", "2024-06-08"),
        ("on saturday", "2024-06-15", "2024-06-15"),
        ("on sunday", "2024-06-09", "2024-06-09"),
        ("the 90s", "1990-01-01", "1999-12-31"),
        ("in the 1990s", "1990-01-01", "1999-12-31"),
        ("in the 10s", "2010-01-01", "2019-12-31"),
    ],
)
def test_a_date_refers_to_these_days(words: str, first: str, last: str) -> None:
    limits = between(first, last)
    assert write_filter(words) == f"(has_time == true) and ({limits})"
    parsed = PARSER.parse(words, TODAY)
    assert not parsed.text and not parsed.people and not parsed.places


def northern(inner: str) -> str:
    return f"(latitude >= 0.0) and ({inner})"


def southern(inner: str) -> str:
    return f"(latitude < 0.0) and ({inner})"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("in may", "month == 5"),
        ("from november to february", "month in [11, 12, 1, 2]"),
        ("on 3 june", "(month == 6) and (day == 3)"),
        ("between christmas and new year", "((month == 12) and (day >= 24)) or "
                                           "((month == 1) and (day >= 1 and day < 2))"),
        ("from 3 to 10 june", "(month == 6) and (day >= 3 and day < 11)"),
        ("from 20 november to 5 february", "((month == 11) and (day >= 20)) or "
                                           "((month == 2) and (day >= 1 and day < 6)) or (month in [12, 1])"),
        ("on sundays", "weekday == 6"),
        ("every friday", "weekday == 4"),
        ("on weekends", "weekday in [5, 6]"),
        ("at christmas", "(month == 12) and (day >= 24 and day < 27)"),
        ("new year's eve", "(month == 12) and (day == 31)"),
        ("halloween", "(month == 10) and (day == 31)"),
        ("thanksgiving", "(month == 11) and (weekday == 3) and (day >= 22 and day < 29)"),
        ("in summer", f"({northern('month in [6, 7, 8]')}) or ({southern('month in [12, 1, 2]')})"),
        ("in the fall", f"({northern('month in [9, 10, 11]')}) or ({southern('month in [3, 4, 5]')})"),
        ("summer 2023", f"({northern(between('2023-06-01', '2023-08-31'))}) or "
                        f"({southern(between('2022-12-01', '2023-02-28'))})"),
        ("winter 2023", f"({northern(between('2022-12-01', '2023-02-28'))}) or "
                        f"({southern(between('2023-06-01', '2023-08-31'))})"),
        ("last summer", f"({northern(between('2023-06-01', '2023-08-31'))}) or "
                        f"({southern(between('2023-12-01', '2024-02-29'))})"),
    ],
)  # fmt: skip
def test_recurring_dates_are_conditions_on_months_and_days(words: str, written: str) -> None:
    assert write_filter(words) == f"(has_time == true) and ({written})"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (
            "in 2019 or 2021",
            [between("2019-01-01", "2019-12-31"), " or ", between("2021-01-01", "2021-12-31")],
        ),
        ("in may and july", ["month == 5", " or ", "month == 7"]),
        ("before 2020 on sundays", [between("", "2019-12-31"), " and ", "weekday == 6"]),
        ("after 2019 and before 2021", [between("2020-01-01", ""), " and ", between("", "2020-12-31")]),
    ],
)
def test_dates_are_alternatives_only_if_they_are_of_one_family(words: str, written: list[str]) -> None:
    first, joiner, second = written
    known = "(has_time == true) and "
    assert write_filter(words) == f"({known}({first})){joiner}({known}({second}))"


def test_negated_dates_require_a_known_time() -> None:
    assert write_filter("not in may") == "(has_time == true) and (not ((has_time == true) and (month == 5)))"
