"""More sentences of each kind of phrase, as people type them, with their right results.

Today is Saturday, 15 June 2024.
"""

from __future__ import annotations

from datetime import date

from query_facts import (
    AFTERNOON,
    ASIA,
    MORNING,
    NORTH_AMERICA,
    is_at,
    is_between,
    is_christmas,
    is_near,
    is_night,
    is_on,
    is_season,
    is_thanksgiving,
    shows,
)
from query_photos import Case
from query_samples import (
    CLOCK,
    COUNTED,
    DIGITS,
    FEASTS,
    FILES,
    HOLIDAYS,
    JOINED,
    NOT_THERE,
    NOTHING_TAKEN,
    ORDER,
    OTHER_NAMES,
    PARTS,
    REGIONS,
    TRIPS,
    WEEKDAYS,
    WHO,
    YEARS,
)

NOT_THIS_KIND = "not this kind"

DATE_CASES = [
    Case(
        YEARS,
        "Maya in Paris, summer '21",
        lambda p: shows(p, "Maya") and p.city == "Paris" and is_season(p, "summer", 2021),
        lacks=("maya", "paris", "summer", "21"),
    ),
    Case(YEARS, "Dec '19", lambda p: (p.day.year, p.day.month) == (2019, 12), text=""),
    Case(YEARS, "beach '18", lambda p: p.day.year == 2018, text="beach"),
    Case(YEARS, "kofi in '98", lambda p: shows(p, "Kofi") and p.day.year == 1998, lacks=("kofi", "98")),
    Case(YEARS, "photos from '21 to '22", lambda p: p.day.year in (2021, 2022), text=""),
    Case(DIGITS, "12/25/21", lambda p: is_on(p, 2021, 12, 25), text=""),
    Case(DIGITS, "birthday cake 14.07.22", lambda p: is_on(p, 2022, 7, 14), text="birthday cake"),
    Case(
        DIGITS,
        "Noor 2021/10",
        lambda p: shows(p, "Noor") and (p.day.year, p.day.month) == (2021, 10),
        lacks=("noor", "2021", "10"),
    ),
    Case(
        DIGITS,
        "from 20.05.2023 to 27.05.2023",
        lambda p: is_between(p, date(2023, 5, 20), date(2023, 5, 27)),
        text="",
    ),
    Case(DIGITS, "sunset 20190820", lambda p: is_on(p, 2019, 8, 20), text="sunset"),
    Case(
        WEEKDAYS,
        "Maya on Mondays",
        lambda p: p.taken is not None and shows(p, "Maya") and p.day.weekday() == 0,
        lacks=("maya", "mondays"),
    ),
    Case(
        WEEKDAYS,
        "rainy street on a friday in November",
        lambda p: p.day.weekday() == 4 and p.day.month == 11,
        text="rainy street",
    ),
    Case(WEEKDAYS, "weekends in 2021", lambda p: p.day.weekday() >= 5 and p.day.year == 2021, text=""),
    Case(WEEKDAYS, "last tuesday", lambda p: is_on(p, 2024, 6, 11), text=""),
    Case(
        WEEKDAYS,
        "weekend of 16 september 2023",
        lambda p: is_between(p, date(2023, 9, 16), date(2023, 9, 17)),
        text="",
    ),
    Case(PARTS, "Q3 2019", lambda p: p.day.year == 2019 and 7 <= p.day.month <= 9, text=""),
    Case(
        PARTS,
        "Paris in the second half of 2022",
        lambda p: p.city == "Paris" and p.day.year == 2022 and p.day.month >= 7,
        text="",
    ),
    Case(
        PARTS,
        "Kim in the first week of May 2023",  # 1 May 2023 is a Monday
        lambda p: shows(p, "Kim") and is_between(p, date(2023, 5, 1), date(2023, 5, 7)),
        lacks=("kim", "first", "week", "may", "2023"),
    ),
    Case(PARTS, "second quarter of 2021", lambda p: p.day.year == 2021 and 4 <= p.day.month <= 6, text=""),
    Case(
        PARTS,
        "week of 19 august 2020",
        lambda p: is_between(p, date(2020, 8, 17), date(2020, 8, 23)),
        text="",
    ),
    Case(COUNTED, "the day after Thanksgiving 2021", lambda p: is_on(p, 2021, 11, 26), text=""),
    Case(COUNTED, "three days after 10 august 2022", lambda p: is_on(p, 2022, 8, 13), text=""),
    Case(
        COUNTED,
        "fireworks around 1 january 2020",
        lambda p: is_between(p, date(2019, 12, 29), date(2020, 1, 4)),
        text="fireworks",
    ),
    Case(COUNTED, "day before july 4 2023", lambda p: is_on(p, 2023, 7, 3), text=""),
    Case(
        COUNTED,
        "the week after easter 2022",  # Easter is Sunday, 17 April
        lambda p: is_between(p, date(2022, 4, 18), date(2022, 4, 24)),
        text="",
    ),
    Case(FEASTS, "Halloween 2021", lambda p: is_on(p, 2021, 10, 31), text=""),
    Case(FEASTS, "photos from diwali 2021", lambda p: is_on(p, 2021, 11, 4), text=""),
    Case(
        FEASTS,
        "Noor at Thanksgiving",
        lambda p: shows(p, "Noor") and is_thanksgiving(p),
        lacks=("noor", "thanksgiving"),
    ),
    Case(FEASTS, "valentine's day 2022", lambda p: is_on(p, 2022, 2, 14), text=""),
    Case(FEASTS, "Christmas in Paris", lambda p: is_christmas(p) and p.city == "Paris", text=""),
    Case(
        HOLIDAYS,
        "Zoe summer holidays 2019",
        lambda p: shows(p, "Zoe") and is_season(p, "summer", 2019),
        lacks=("zoe", "summer", "holidays", "2019"),
    ),
    Case(HOLIDAYS, "summer vacation 2021", lambda p: is_season(p, "summer", 2021), text=""),
    Case(
        HOLIDAYS,
        "winter holidays in Banff",
        lambda p: is_season(p, "winter") and p.city == "Banff",
        text="",
    ),
    Case(HOLIDAYS, "Autumn holidays 2020", lambda p: is_season(p, "autumn", 2020), text=""),
    Case(HOLIDAYS, "our summer holiday '22", lambda p: is_season(p, "summer", 2022), text=""),
    Case(
        CLOCK,
        "Kofi in the afternoon",
        lambda p: shows(p, "Kofi") and is_at(p, AFTERNOON),
        lacks=("kofi", "afternoon"),
    ),
    Case(CLOCK, "fireworks at night", is_night, text="fireworks at night"),
    Case(CLOCK, "breakfast before 9am", lambda p: is_at(p, (0, 9)), text="breakfast"),
    Case(CLOCK, "between 2 and 4 pm", lambda p: is_at(p, (14, 16)), text=""),
    Case(
        CLOCK,
        "sunday mornings in Rome",
        lambda p: p.day.weekday() == 6 and is_at(p, MORNING) and p.city == "Rome",
        text="",
    ),
]

FILE_CASES = [
    Case(
        ORDER,
        "newest photo of Zoe",
        lambda p: shows(p, "Zoe"),
        lacks=("newest", "zoe"),
        order="newest",
        count=1,
    ),
    Case(
        ORDER,
        "latest 5 photos of noor",
        lambda p: shows(p, "Noor"),
        lacks=("latest", "5", "noor"),
        order="newest",
        count=5,
    ),
    Case(ORDER, "most recent photos in Rome", lambda p: p.city == "Rome", text="", order="newest"),
    Case(
        ORDER,
        "the first two pictures of Kim in Paris",
        lambda p: shows(p, "Kim") and p.city == "Paris",
        lacks=("first", "two", "kim", "paris"),
        order="oldest",
        count=2,
    ),
    Case(ORDER, "oldest photos from Calgary", lambda p: p.city == "Calgary", text="", order="oldest"),
    Case(
        FILES,
        "Maya three stars or better",
        lambda p: shows(p, "Maya") and p.rating is not None and p.rating >= 3,
        lacks=("maya", "three", "stars", "better"),
    ),
    Case(FILES, "shot on a Canon", lambda p: "Canon" in p.camera, text=""),
    Case(
        FILES,
        "screenshots from 2022",
        lambda p: "screenshot" in p.name.lower() and p.day.year == 2022,
        text="",
    ),
    Case(FILES, "photos with no GPS", lambda p: p.latitude is None, text=""),
    Case(FILES, "added yesterday", lambda p: p.indexed.date() == date(2024, 6, 14), text=""),
]

WHO_CASES = [
    Case(
        WHO,
        "Noor or Maya, but not both",
        lambda p: shows(p, "Noor") != shows(p, "Maya"),
        lacks=("noor", "maya", "both"),
    ),
    Case(
        WHO,
        "Kofi with neither Kim nor Noor",
        lambda p: shows(p, "Kofi") and not p.people & {"Kim", "Noor"},
        lacks=("kofi", "neither", "kim", "nor", "noor"),
    ),
    Case(
        WHO,
        "anne marie and kim",
        lambda p: shows(p, "Anne-Marie", "Kim"),
        lacks=("anne", "marie", "kim"),
    ),
    Case(
        WHO,
        "Zoe and somebody else in Sydney",
        lambda p: shows(p, "Zoe") and p.faces >= 2 and p.city == "Sydney",
        lacks=("zoe", "else", "sydney"),
    ),
    Case(
        WHO,
        "group pictures with Maya 2022",
        lambda p: shows(p, "Maya") and p.faces >= 3 and p.day.year == 2022,
        lacks=("maya", "2022"),
    ),
]

CONTENT_CASES = [
    Case(NOT_THERE, "mountains without clouds", text="mountains", excluded=("clouds",)),
    Case(NOT_THERE, "a street with no cars", text="a street", excluded=("cars",)),
    Case(
        NOT_THERE,
        "Maya without a hat",
        lambda p: shows(p, "Maya"),
        lacks=("maya", "without", "hat"),
        excluded=("a hat",),
    ),
    Case(NOT_THERE, "flowers -tulips", text="flowers", excluded=("tulips",)),
    Case(
        NOT_THERE,
        "a bridge in Paris but no boats",
        lambda p: p.city == "Paris",
        text="a bridge",
        excluded=("boats",),
    ),
    Case(JOINED, "a horse and a cow", joined=("a horse", "a cow"), join="and"),
    Case(JOINED, "pizza or pasta", joined=("pizza", "pasta"), join="or"),
    Case(
        JOINED,
        "a boat and a bridge in Copenhagen",
        lambda p: p.city == "Copenhagen",
        joined=("a boat", "a bridge"),
        join="and",
    ),
    Case(
        JOINED,
        "a bicycle or a motorbike in 2021",
        lambda p: p.day.year == 2021,
        joined=("a bicycle", "a motorbike"),
        join="or",
    ),
    Case(JOINED, "an elephant and a giraffe", joined=("an elephant", "a giraffe"), join="and"),
    Case(NOT_THIS_KIND, "a girl in orange trousers", text="a girl in orange trousers"),
    Case(NOT_THIS_KIND, "morning glory flowers", text="morning glory flowers"),
    Case(NOT_THIS_KIND, "a woman in a sunday dress", text="a woman in a sunday dress"),
    Case(NOT_THIS_KIND, "may smiling", text="may smiling"),
    Case(NOT_THIS_KIND, "a boy reading a newspaper", text="a boy reading a newspaper"),
    Case(NOT_THIS_KIND, "a christmas tree", text="a christmas tree"),
    Case(NOT_THIS_KIND, "a black and white cat", text="a black and white cat"),
    Case(NOT_THIS_KIND, "spring onions", text="spring onions"),
    Case(NOT_THIS_KIND, "a portrait of a woman", text="a portrait of a woman"),
    Case(NOT_THIS_KIND, "china plates on a table", text="china plates on a table"),
]

PLACE_CASES = [
    Case(TRIPS, "Paris trip 2019", lambda p: p.city == "Paris" and p.day.year == 2019, text=""),
    Case(TRIPS, "our trip to Norway", lambda p: p.country == "Norway", text=""),
    Case(
        TRIPS,
        "Maya on the Copenhagen trip",
        lambda p: shows(p, "Maya") and p.city == "Copenhagen",
        lacks=("maya", "copenhagen", "trip"),
    ),
    Case(TRIPS, "trip to kenya last year", lambda p: p.country == "Kenya" and p.day.year == 2023, text=""),
    Case(TRIPS, "beach on our trip to Rio de Janeiro", lambda p: p.city == "Rio de Janeiro", text="beach"),
    Case(
        REGIONS,
        "Maya in Asia",
        lambda p: shows(p, "Maya") and p.country in ASIA,
        lacks=("maya", "asia"),
    ),
    Case(
        REGIONS,
        "north america since 2020",
        lambda p: p.country in NORTH_AMERICA and p.day.year >= 2020,
        text="",
    ),
    Case(REGIONS, "elephants in Africa", lambda p: p.country == "Kenya", text="elephants"),
    Case(REGIONS, "within 50 km of Calgary", lambda p: is_near(p, "Calgary", 50), text=""),
    Case(REGIONS, "between Banff and Calgary", lambda p: p.city in ("Banff", "Canmore", "Calgary"), text=""),
    Case(NOTHING_TAKEN, "in Lisbon", text="", note="no photo was taken in Lisbon"),
    Case(NOTHING_TAKEN, "Maya in Vietnam", lacks=("maya", "vietnam"), note="no photo was taken in Vietnam"),
    Case(NOTHING_TAKEN, "near Madrid", text="", note="Madrid"),
    Case(NOTHING_TAKEN, "sunset in Tokyo", text="sunset", note="no photo was taken in Tokyo"),
    Case(NOTHING_TAKEN, "photos from berlin", text="", note="no photo was taken in Berlin"),
    Case(OTHER_NAMES, "Roma 2020", lambda p: p.city == "Rome" and p.day.year == 2020, text=""),
    Case(OTHER_NAMES, "kobenhavn", lambda p: p.city == "Copenhagen", text=""),
    Case(OTHER_NAMES, "bridge in washington dc", lambda p: p.city == "Washington, D.C.", text="bridge"),
    Case(
        OTHER_NAMES,
        "Kim in L.A.",
        lambda p: shows(p, "Kim") and p.city == "Los Angeles",
        lacks=("kim", "l.a.", "l.a"),
    ),
    Case(
        OTHER_NAMES,
        "noor in the usa",
        lambda p: shows(p, "Noor") and p.country == "United States",
        lacks=("noor", "usa"),
    ),
]


READER_CASES: list[Case] = DATE_CASES + FILE_CASES + WHO_CASES + CONTENT_CASES + PLACE_CASES
