"""Sentences of a second reader, who had seen the first answers, with their right results."""

from __future__ import annotations

from datetime import date

from query_facts import EVENING, MORNING, is_at, is_between, is_on, is_season, shows
from query_photos import Case
from query_readers import NOT_THIS_KIND
from query_samples import (
    CLOCK,
    COUNTED,
    DIGITS,
    FILES,
    HOLIDAYS,
    NOTHING_TAKEN,
    ORDER,
    PARTS,
    REGIONS,
    TRIPS,
    WEEKDAYS,
    WHO,
    YEARS,
)

SECOND_READER_CASES = [
    Case(DIGITS, "2019_08_21", lambda p: is_on(p, 2019, 8, 21), text=""),
    Case(WEEKDAYS, "SAT 15 JUNE 2024", lambda p: is_on(p, 2024, 6, 15), text=""),
    Case(WEEKDAYS, "Fri. 14 June 2024", lambda p: is_on(p, 2024, 6, 14), text=""),
    Case(WEEKDAYS, "last mon", lambda p: is_on(p, 2024, 6, 10), text=""),
    Case(WEEKDAYS, "on thurs", lambda p: is_on(p, 2024, 6, 13), text=""),
    Case(WEEKDAYS, "fri evening", lambda p: is_on(p, 2024, 6, 14) and is_at(p, EVENING), text=""),
    Case(
        WEEKDAYS,
        "the last three weekends",
        lambda p: is_between(p, date(2024, 5, 25), date(2024, 6, 9)) and p.day.weekday() >= 5,
        text="",
    ),
    Case(WEEKDAYS, "first monday of the month", lambda p: is_on(p, 2024, 6, 3), text=""),
    Case(PARTS, "start of the year", lambda p: p.day.year == 2024 and p.day.month <= 4, text=""),
    Case(PARTS, "beginning of the week", text="", not_understood=("beginning of the week",)),
    Case(
        PARTS,
        "1st half of june '23",
        lambda p: is_between(p, date(2023, 6, 1), date(2023, 6, 15)),
        text="",
    ),
    Case(PARTS, "2nd half 2022", lambda p: p.day.year == 2022 and p.day.month >= 7, text=""),
    Case(
        COUNTED,
        "within a week of 10 june 2023",
        lambda p: is_between(p, date(2023, 6, 3), date(2023, 6, 17)),
        text="",
    ),
    Case(
        COUNTED,
        "3 days either side of 1 may 2022",
        lambda p: is_between(p, date(2022, 4, 28), date(2022, 5, 4)),
        text="",
    ),
    Case(COUNTED, "in the last 48 hours", text="", not_understood=("last 48 hours",)),
    Case(COUNTED, "last two christmases", text="", not_understood=("last two christmases",)),
    Case(HOLIDAYS, "summer hols 2022", lambda p: is_season(p, "summer", 2022), text=""),
    Case(CLOCK, "past 6pm", lambda p: p.hour >= 18, text=""),
    Case(
        CLOCK,
        "Zoe in the morning taken with a pixel",
        lambda p: shows(p, "Zoe") and is_at(p, MORNING) and "Pixel" in p.camera,
        lacks=("zoe", "morning", "pixel"),
    ),
    Case(ORDER, "newest", text="", order="newest"),
    Case(ORDER, "latest of Maya", lambda p: shows(p, "Maya"), lacks=("latest", "maya"), order="newest"),
    Case(ORDER, "sort by date", text="", order="newest"),
    Case(ORDER, "last 5 beach photos", text="beach", order="newest", count=5),
    Case(ORDER, "second oldest photo of Maya", lacks=("second",), not_understood=("second oldest photo",)),
    Case(
        ORDER,
        "oldest 5 star photo of Kim",
        lambda p: shows(p, "Kim") and p.rating == 5,
        lacks=("oldest", "5", "star", "kim"),
        order="oldest",
        count=1,
    ),
    Case(
        FILES,
        "screenshots added yesterday",
        lambda p: "screenshot" in p.name.lower() and p.indexed.date() == date(2024, 6, 14),
        text="",
    ),
    Case(NOT_THIS_KIND, "a person taking a screenshot", text="a person taking a screenshot"),
    Case(NOT_THIS_KIND, "last sun rays", text="last sun rays"),
    Case(NOT_THIS_KIND, "a cat sat on a mat", text="a cat sat on a mat"),
    Case(NOT_THIS_KIND, "10,000 people at a concert", lambda p: True, text="10,000 people at a concert"),
    Case(NOT_THIS_KIND, "a boat far from the shore", text="a boat far from the shore"),
    Case(WHO, "Kim w/ Zoe", lambda p: shows(p, "Kim", "Zoe"), lacks=("kim", "w", "zoe")),
    Case(TRIPS, "the weekend trip to Copenhagen", lambda p: p.city == "Copenhagen", text=""),
    Case(TRIPS, "a trip through norway", lambda p: p.country == "Norway", text=""),
    Case(REGIONS, "far from paris", text="", not_understood=("far from paris",)),
    Case(REGIONS, "west of Paris", text="", not_understood=("west of Paris",)),
    Case(REGIONS, "within 10 km", text="", not_understood=("within 10 km",)),
    Case(NOTHING_TAKEN, "in the uk", text="", note="no photo was taken in the United Kingdom"),
    Case(YEARS, "of the", text="", not_understood=("of the",)),
    Case(YEARS, "?", text="", not_understood=("?",)),
    Case(YEARS, "1234567 beach", text="beach", not_understood=("1234567",)),
]
