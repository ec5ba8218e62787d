"""When: the phrases of times that people type, and the photos that they find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import holidays
import pytest
from query_photos import PARSER, TODAY, Case, Photo, find_differences

from imagesearch import config_values
from imagesearch.query import SentenceParser
from imagesearch.query.times.feasts import FEASTS, FeastDays
from imagesearch.query.times.values import Either, Once
from imagesearch.store import Vocabulary, VocabularyEntry

Predicate = Callable[[Photo], bool]


def days(first: str, last: str = "") -> Predicate:
    """Photos from one day to another, including both; or of one day."""
    low, high = date.fromisoformat(first), date.fromisoformat(last or first)
    return lambda photo: low <= photo.day <= high


def seasons(north_first: str, north_last: str, south_first: str, south_last: str) -> Predicate:
    north, south = days(north_first, north_last), days(south_first, south_last)
    return lambda photo: (south if (photo.latitude or 0) < 0 else north)(photo)


def known(matches: Predicate) -> Predicate:
    """Photos whose time is known and that match."""
    return lambda photo: photo.taken is not None and matches(photo)


def hours(first: float, end: float) -> Predicate:
    if first < end:
        return lambda photo: first <= photo.hour < end
    return known(lambda photo: photo.hour >= first or photo.hour < end)


def both(*predicates: Predicate) -> Predicate:
    return lambda photo: all(matches(photo) for matches in predicates)


def weekday(*numbers: int) -> Predicate:
    return known(lambda photo: photo.day.weekday() in numbers)


def of_month(*months: int) -> Predicate:
    return known(lambda photo: photo.day.month in months)


def of_year(year: int) -> Predicate:
    return known(lambda photo: photo.day.year == year)


def yearly(*month_days: tuple[int, int]) -> Predicate:
    return known(lambda photo: (photo.day.month, photo.day.day) in month_days)


def night_of(first: str) -> Predicate:
    evening = date.fromisoformat(first)
    return known(
        lambda photo: (
            (photo.day == evening and photo.hour >= 22)
            or (photo.day == evening + timedelta(days=1) and photo.hour < 5)
        )
    )


SUMMER_22 = seasons("2022-06-01", "2022-08-31", "2021-12-01", "2022-02-28")
SUMMER_23 = seasons("2023-06-01", "2023-08-31", "2022-12-01", "2023-02-28")
SUNDAYS, SATURDAYS = weekday(6), weekday(5)
MORNING, EVENING, NIGHT = hours(5, 12), hours(17, 22), hours(22, 5)
LATE_SUMMER_22 = seasons("2022-08-01", "2022-08-31", "2022-02-01", "2022-02-28")
TWO_SUMMERS_AGO = seasons("2022-06-01", "2022-08-31", "2022-12-01", "2023-02-28")
XMAS = yearly((12, 24), (12, 25), (12, 26))
EASTERS = {date(2022, 4, 17), date(2023, 4, 9), date(2024, 3, 31), date(2019, 4, 21), date(2018, 4, 1)}

CASES = [
    # --- years of two digits
    Case("yy", "summer '22", SUMMER_22, text=""),
    Case("yy", "in '20", of_year(2020), text=""),
    Case("yy", "feb'22", days("2022-02-01", "2022-02-28"), text=""),
    Case("yy", "in the summer of \u201922", SUMMER_22, text=""),
    Case("yy", "winter \u201819", seasons("2018-12-01", "2019-02-28", "2019-06-01", "2019-08-31"), text=""),
    Case("yy", "maya '22", lambda p: "Maya" in p.people and of_year(2022)(p), text=""),
    Case("yy", "christmas '99", days("1999-12-24", "1999-12-26"), text=""),
    Case("yy", "feb 22", yearly((2, 22)), text=""),
    Case("yy", "jun23", days("2023-06-01", "2023-06-30"), text=""),
    Case("yy", "june 85", days("1985-06-01", "1985-06-30"), text=""),
    Case("yy", "5 june '23", days("2023-06-05"), text=""),
    Case("yy", "between '18 and '20", days("2018-01-01", "2020-12-31"), text=""),
    Case("yy", "the '90s", days("1990-01-01", "1999-12-31"), text=""),
    Case("yy", "in '19 and '21", lambda p: p.day.year in (2019, 2021), text=""),
    # --- dates by digits
    Case("digits", "03.06.23", days("2023-06-03"), "", note="read 03.06.23 as 2023-06-03 (day.month.year)"),
    Case("digits", "3/6/23", days("2023-03-06"), "", note="read 3/6/23 as 2023-03-06 (month/day/year)"),
    Case("digits", "20230612", days("2023-06-12"), text=""),
    Case("digits", "2022/02", days("2022-02-01", "2022-02-28"), text=""),
    Case("digits", "2022:02:15", days("2022-02-15"), text=""),
    Case("digits", "2022-02", days("2022-02-01", "2022-02-28"), text=""),
    Case("digits", "07.2021", days("2021-07-01", "2021-07-31"), text=""),
    Case("digits", "12 06 2023", days("2023-06-12"), "", note="day.month.year"),
    Case("digits", "13/6/2023", days("2023-06-13"), text=""),
    Case("digits", "2023.06.05", days("2023-06-05"), text=""),
    Case("digits", "maya on 20220704", lambda p: days("2022-07-04")(p) and "Maya" in p.people),
    Case("digits", "between 3/6/2023 and 5/6/2023", days("2023-03-06", "2023-05-06"), note="read 5/6/2023"),
    # --- weekdays and weekends
    Case("weekday", "on a sunday in march", both(SUNDAYS, of_month(3)), text=""),
    Case("weekday", "a saturday in 2022", both(SATURDAYS, of_year(2022)), text=""),
    Case("weekday", "saturday in 2022", both(SATURDAYS, of_year(2022)), text=""),
    Case("weekday", "last weekend", days("2024-06-08", "2024-06-09"), text=""),
    Case("weekday", "the weekend of 3 june 2024", days("2024-06-08", "2024-06-09"), text=""),
    Case("weekday", "weekends in 2023", both(weekday(5, 6), of_year(2023)), text=""),
    Case("weekday", "weekday mornings", both(weekday(0, 1, 2, 3, 4), MORNING), text=""),
    Case("weekday", "on mondays and tuesdays in may", both(weekday(0, 1), of_month(5)), text=""),
    Case("weekday", "on a friday", weekday(4), text=""),
    Case("weekday", "from monday to wednesday", weekday(0, 1, 2), text=""),
    Case("weekday", "saturday 15 june 2024", days("2024-06-15"), text=""),
    Case("weekday", "sunday, june 2", both(SUNDAYS, yearly((6, 2))), text=""),
    Case("weekday", "friday the 13th", known(lambda p: p.day.weekday() == 4 and p.day.day == 13), text=""),
    Case("weekday", "maya last sunday", lambda p: days("2024-06-09")(p) and "Maya" in p.people, text=""),
    Case("weekday", "three weekends ago", days("2024-05-25", "2024-05-26"), text=""),
    Case("weekday", "not on weekends", weekday(0, 1, 2, 3, 4), text=""),
    # --- parts of the year
    Case("part", "q1 2023", days("2023-01-01", "2023-03-31"), text=""),
    Case("part", "2022 Q3", days("2022-07-01", "2022-09-30"), text=""),
    Case("part", "first half of 2021", days("2021-01-01", "2021-06-30"), text=""),
    Case("part", "the second half of june 2021", days("2021-06-16", "2021-06-30"), text=""),
    Case("part", "first week of january 2022", days("2022-01-01", "2022-01-07"), text=""),
    Case("part", "second week of march 2023", days("2023-03-08", "2023-03-14"), text=""),
    Case("part", "the last week of may 2023", days("2023-05-25", "2023-05-31"), text=""),
    Case("part", "the week of 15 february 2022", days("2022-02-14", "2022-02-20"), text=""),
    Case("part", "week 12 of 2023", days("2023-03-20", "2023-03-26"), text=""),
    Case("part", "third quarter 2021", days("2021-07-01", "2021-09-30"), text=""),
    Case("part", "the first three months of 2021", days("2021-01-01", "2021-03-31"), text=""),
    Case("part", "the last ten days of august 2022", days("2022-08-22", "2022-08-31"), text=""),
    Case("part", "first sunday of may 2023", days("2023-05-07"), text=""),
    Case("part", "last friday of june 2022", days("2022-06-24"), text=""),
    Case("part", "the first weekend of june 2024", days("2024-06-01", "2024-06-02"), text=""),
    Case("part", "early 2023", days("2023-01-01", "2023-04-30"), text=""),
    Case("part", "the early 90s", days("1990-01-01", "1993-12-31"), text=""),
    Case("part", "late summer 2022", LATE_SUMMER_22, text=""),
    Case("part", "the end of last year", days("2023-09-01", "2023-12-31"), text=""),
    Case("part", "mid december last year", days("2023-12-11", "2023-12-20"), text=""),
    Case("part", "in q4", of_month(10, 11, 12), text=""),
    # --- counted from a date or feast
    Case("counted", "the day after christmas 2022", days("2022-12-26"), text=""),
    Case("counted", "the day after christmas", yearly((12, 26)), text=""),
    Case("counted", "two days before 3 june 2024", days("2024-06-01"), text=""),
    Case("counted", "around 15 february 2022", days("2022-02-12", "2022-02-18"), text=""),
    Case("counted", "around christmas", yearly(*((12, day) for day in range(22, 29))), text=""),
    Case("counted", "around 2020", of_year(2020), text=""),
    Case("counted", "two summers ago", TWO_SUMMERS_AGO, text=""),
    Case("counted", "three christmases ago", days("2021-12-24", "2021-12-26"), text=""),
    Case("counted", "a week after easter 2023", days("2023-04-16"), text=""),
    Case("counted", "the week before christmas 2023", days("2023-12-18", "2023-12-24"), text=""),
    Case("counted", "the two weeks before christmas 2022", days("2022-12-11", "2022-12-24"), text=""),
    Case("counted", "the weekend after 3 june 2024", days("2024-06-08", "2024-06-09"), text=""),
    Case("counted", "the sunday before easter 2022", days("2022-04-10"), text=""),
    Case("counted", "a month before 3 june 2024", days("2024-05-03"), text=""),
    Case("counted", "the year before 2020", of_year(2019), text=""),
    Case("counted", "the weekend before last", days("2024-06-01", "2024-06-02"), text=""),
    Case("counted", "labor day weekend 2022", days("2022-09-03", "2022-09-05"), text=""),
    Case("counted", "christmas week 2021", days("2021-12-20", "2021-12-26"), text=""),
    Case("counted", "christmas two years ago", days("2022-12-24", "2022-12-26"), text=""),
    # --- feasts
    Case("feast", "xmas", XMAS, text=""),
    Case("feast", "christmas", XMAS, text=""),
    Case("feast", "maya xmas", lambda p: "Maya" in p.people and XMAS(p), text=""),
    Case("counted", "in the afternoon before 2023",
         lambda p: 12 <= p.hour < 17 and p.day.year in range(2, 2023), text=""),
    Case("counted", "beach during the day after 2018", lambda p: p.day.year > 2018, lacks=("after", "2018")),
    Case("feast", "diwali 2023", days("2023-11-12"), text=""),
    Case("feast", "deepavali 2022", days("2022-10-24"), text=""),
    Case("feast", "eid 2024", lambda p: p.day in (date(2024, 4, 11), date(2024, 6, 17)), text=""),
    Case("feast", "eid al-fitr 2022", days("2022-05-03"), text=""),
    Case("feast", "holi 2021", days("2021-03-29"), text=""),
    Case("feast", "thanksgiving 2022", days("2022-11-24"), text=""),
    Case("feast", "easter 2023", days("2023-04-07", "2023-04-10"), text=""),
    Case("feast", "good friday 2022", days("2022-04-15"), text=""),
    Case("feast", "st. patrick's day 2022", days("2022-03-17"), text=""),
    Case("feast", "the 4th of july", yearly((7, 4)), text=""),
    Case("feast", "independence day 2022", days("2022-07-04"), text=""),
    Case("feast", "republic day 2022", days("2022-01-26"), text=""),
    Case("feast", "mother's day 2023", days("2023-05-14"), text=""),
    Case("feast", "chinese new year 2023", days("2023-01-22", "2023-01-24"), text=""),
    Case("feast", "hanukkah 2024", days("2024-12-26", "2025-01-02"), text=""),
    Case("feast", "yom kippur 2022", days("2022-10-05"), text=""),
    Case("feast", "songkran 2022", days("2022-04-13", "2022-04-15"), text=""),
    Case("feast", "carnival 2023", days("2023-02-17", "2023-02-21"), text=""),
    Case("feast", "dussehra 2022", days("2022-10-05"), text=""),
    Case("feast", "black friday 2022", days("2022-11-25"), text=""),
    Case("feast", "last diwali", days("2023-11-12"), text=""),
    Case("feast", "since christmas", days("2023-12-24", "2030-01-01"), text=""),
    Case("feast", "diwali 1995", None, "", not_understood=("diwali 1995",)),
    Case("feast", "maya at holi 1999", lambda p: "Maya" in p.people, "", not_understood=("holi 1999",)),
    # --- holidays as seasons
    Case("season", "summer holidays 2023", SUMMER_23, text=""),
    Case("season", "summer vacation 2023", SUMMER_23, text=""),
    Case("season", "summer break 2022", SUMMER_22, text=""),
    Case("season", "maya in the summer holidays of 2022", lambda p: "Maya" in p.people and SUMMER_22(p)),
    Case("season", "winter holidays 2019", seasons("2018-12-01", "2019-02-28", "2019-06-01", "2019-08-31")),
    # --- the clock
    Case("clock", "in the morning", MORNING, text=""),
    Case("clock", "maya in the evening", lambda p: "Maya" in p.people and EVENING(p), text=""),
    Case("clock", "after 6 pm", hours(18, 24), text=""),
    Case("clock", "between 8 and 10 am", hours(8, 10), text=""),
    Case("clock", "before noon", hours(0, 12), text=""),
    Case("clock", "at 18:30", hours(18, 19), text=""),
    Case("clock", "8am", hours(8, 9), text=""),
    Case("clock", "from 9 am to 5 pm", hours(9, 17), text=""),
    Case("clock", "between 10 p.m. and 2 a.m.", hours(22, 2), text=""),
    Case("clock", "8 to 10 in the evening", hours(20, 22), text=""),
    Case("clock", "around midnight", hours(23, 1), text=""),
    Case("clock", "at 3 o'clock", known(lambda p: int(p.hour) in (3, 15)), text=""),
    Case("clock", "this morning", both(days("2024-06-15"), MORNING), text=""),
    Case("clock", "yesterday evening", both(days("2024-06-14"), EVENING), text=""),
    Case("clock", "last night", night_of("2024-06-14"), text=""),
    Case("clock", "the night of 3 june 2024", night_of("2024-06-03"), text=""),
    Case("clock", "the morning of 3 june 2024", both(days("2024-06-03"), MORNING), text=""),
    Case("clock", "christmas morning 2022", both(days("2022-12-24", "2022-12-26"), MORNING), text=""),
    Case("clock", "on sunday mornings", both(SUNDAYS, MORNING), text=""),
    Case("clock", "every evening in may", both(EVENING, of_month(5)), text=""),
    Case("clock", "zoe at night", lambda p: "Zoe" in p.people and NIGHT(p), "a person at night"),
    Case("clock", "a dog at night in 2022", both(NIGHT, of_year(2022)), "a dog at night"),
    Case("clock", "late at night in paris", lambda p: p.city == "Paris" and NIGHT(p), text=""),
    Case("clock", "not at night", hours(5, 22), text=""),
    # --- what stays text
    Case("text", "morning fog", lambda p: True, "morning fog"),
    Case("text", "in the morning fog", lambda p: True, "the morning fog"),
    Case("text", "evening dress", lambda p: True, "evening dress"),
    Case("text", "a night sky", lambda p: True, "a night sky"),
    Case("text", "night lights", lambda p: True, "night lights"),
    Case("text", "a morning glory", lambda p: True, "a morning glory"),
    Case("text", "christmas tree", lambda p: True, "christmas tree"),
    Case("text", "a halloween costume", lambda p: True, "a halloween costume"),
    Case("text", "easter eggs", lambda p: True, "easter eggs"),
    Case("text", "a sunday roast", lambda p: True, "a sunday roast"),
    Case("text", "in a summer dress", lambda p: True, "a summer dress"),
    Case("text", "march of the penguins", lambda p: True, "march of the penguins"),
    Case("text", "a 2 years old boy", lambda p: True, "a 2 years old boy"),
    Case("text", "a day at the beach", lambda p: True, "a day at the beach"),
    # --- what is not understood
    Case("not understood", "31 february 2022", None, "", not_understood=("31 february 2022",)),
    Case("not understood", "a dog on June 31 in snow", None, "a dog in snow", not_understood=("June 31",)),
    Case("not understood", "29.02.2023", None, "", not_understood=("29.02.2023",)),
    Case("not understood", "at 25:70", None, "", not_understood=("25:70",)),
    Case("not understood", "week 60 of 2022", None, "", not_understood=("week 60 of 2022",)),
    Case("not understood", "two weeks in paris", None, "", not_understood=("two weeks",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_a_phrase_of_time_finds_these_photos(case: Case) -> None:
    assert find_differences(case) == []


def make_parser(people: str, **options: tuple[str, ...]) -> SentenceParser:
    names = {name.lower(): VocabularyEntry(name, 10) for name in people.split()}
    return SentenceParser(Vocabulary(people=names), **options)


@pytest.mark.parametrize(
    ("sentence", "summary"),
    [
        ("diwali", "Diwali"),
        ("photos of holi", "Holi"),
        ("summer and may", "Summer and May"),
        ("may with summer", "May and Summer"),
        ("diwali 2023", "diwali 2023 (2023-11-12)"),
        ("diwali at diwali", "Diwali · diwali"),
        ("summer in summer", "Summer · summer"),
        ("holi in may", "Holi · may"),
        ("sunday on sunday", "Sunday · sunday (2024-06-09)"),
    ],
)
def test_the_name_of_a_person_wins_over_a_time_that_is_not_certain(sentence: str, summary: str) -> None:
    assert make_parser("Diwali Holi Summer May Sunday").parse(sentence, TODAY).summary == summary


def test_the_first_country_that_has_a_holiday_decides() -> None:
    sentence = "thanksgiving 2022"
    assert PARSER.parse(sentence, TODAY).dates[0].dates == "2022-11-24"
    canada = make_parser("Maya", holiday_countries=("CA", "US"))
    assert canada.parse(sentence, TODAY).dates[0].dates == "2022-10-10"
    france = make_parser("Maya", holiday_countries=("FR",)).parse(sentence, TODAY)
    assert not france.dates and france.not_understood == (sentence,)


@pytest.mark.parametrize("feast", FEASTS, ids=lambda feast: feast.names)
def test_the_days_of_each_feast_are_known(feast) -> None:
    time = FeastDays().make_yearly(feast, TODAY).in_year(2023)
    assert isinstance(time, (Once, Either))


def test_easter_of_every_year_is_a_list_of_days() -> None:
    condition = PARSER.parse("easter sunday", TODAY).dates[0].condition
    found = [photo for photo in find_photos(condition) if photo.day.year >= 1990]
    assert (
        found
        and {photo.day for photo in found if photo.day.year in (2018, 2019, 2022, 2023, 2024)} == EASTERS
    )


def find_photos(condition) -> list[Photo]:
    from query_photos import ALBUM, ROWS

    from imagesearch.filters import is_fulfilled

    return [photo for photo, row in zip(ALBUM, ROWS, strict=True) if is_fulfilled(condition, row)]


def test_the_countries_of_the_config_are_those_of_the_library() -> None:
    known_codes = holidays.list_supported_countries(include_aliases=False)
    assert sorted(known_codes) == config_values._HOLIDAY_COUNTRIES
