"""One sentence for each sample of the table of phrases, with its right result on `query_photos`.

Today is Saturday, 15 June 2024.
"""

from __future__ import annotations

from datetime import date

from query_facts import (
    EUROPE,
    EVENING,
    KOREA,
    MORNING,
    SCANDINAVIA,
    is_at,
    is_between,
    is_christmas,
    is_holi,
    is_near,
    is_on,
    is_season,
    shows,
)
from query_photos import Case, Photo

YEARS, DIGITS, WEEKDAYS = "years of two digits", "dates by digits", "weekdays, weekends"
PARTS, COUNTED, FEASTS = "parts of the year", "counted from a date or feast", "feasts"
HOLIDAYS, CLOCK, ORDER = "holidays as seasons", "the clock", "order"
FILES, WHO, NOT_THERE = "what is known of files", "who, continued", "content that is not there"
JOINED, TRIPS, REGIONS = "content joined", "trips", "regions and distances"
NOTHING_TAKEN, OTHER_NAMES = "places where nothing was taken", "other names of places"
SAVED = "saved queries"

DATE_SAMPLES = [
    Case(YEARS, "summer '22", lambda p: is_season(p, "summer", 2022), text=""),
    Case(YEARS, "in '20", lambda p: p.day.year == 2020, text=""),
    Case(YEARS, "feb'22", lambda p: (p.day.year, p.day.month) == (2022, 2), text=""),
    Case(DIGITS, "03.06.23", lambda p: is_on(p, 2023, 6, 3), text="", note="03.06.23"),
    # With slashes the month comes first.
    Case(DIGITS, "3/6/23", lambda p: is_on(p, 2023, 3, 6), text="", note="3/6/23"),
    Case(DIGITS, "20230612", lambda p: is_on(p, 2023, 6, 12), text=""),
    Case(DIGITS, "2022/02", lambda p: (p.day.year, p.day.month) == (2022, 2), text=""),
    Case(DIGITS, "2022:02:15", lambda p: is_on(p, 2022, 2, 15), text=""),
    Case(WEEKDAYS, "on a sunday in march", lambda p: p.day.weekday() == 6 and p.day.month == 3, text=""),
    Case(WEEKDAYS, "a saturday in 2022", lambda p: p.day.weekday() == 5 and p.day.year == 2022, text=""),
    Case(WEEKDAYS, "last weekend", lambda p: is_between(p, date(2024, 6, 8), date(2024, 6, 9)), text=""),
    # 3 June 2024 is a Monday: the weekend of its week, which lasts from Monday to Sunday.
    Case(
        WEEKDAYS,
        "the weekend of 3 june 2024",
        lambda p: is_between(p, date(2024, 6, 8), date(2024, 6, 9)),
        text="",
    ),
    Case(PARTS, "q1 2023", lambda p: p.day.year == 2023 and p.day.month <= 3, text=""),
    Case(PARTS, "first half of 2021", lambda p: p.day.year == 2021 and p.day.month <= 6, text=""),
    Case(
        PARTS,
        "first week of january 2022",
        lambda p: is_between(p, date(2022, 1, 1), date(2022, 1, 7)),
        text="",
    ),
    Case(
        PARTS,
        "the week of 15 february 2022",
        lambda p: is_between(p, date(2022, 2, 14), date(2022, 2, 20)),
        text="",
    ),
    Case(COUNTED, "the day after christmas 2022", lambda p: is_on(p, 2022, 12, 26), text=""),
    Case(COUNTED, "two days before 3 june 2024", lambda p: is_on(p, 2024, 6, 1), text=""),
    Case(
        COUNTED,
        "around 15 february 2022",
        lambda p: is_between(p, date(2022, 2, 12), date(2022, 2, 18)),
        text="",
    ),
    # One summer ago is "last summer": 2023 in the north; in the south, the one that ended in February 2024.
    Case(
        COUNTED,
        "two summers ago",
        lambda p: is_season(p, "summer", 2023 if p.latitude is not None and p.latitude < 0 else 2022),
        text="",
    ),
    Case(FEASTS, "xmas", is_christmas, text=""),
    Case(FEASTS, "diwali 2023", lambda p: is_on(p, 2023, 11, 12), text=""),
    # The days in India, the only country of the config where both are holidays.
    Case(FEASTS, "eid 2024", lambda p: is_on(p, 2024, 4, 11) or is_on(p, 2024, 6, 17), text=""),
    Case(FEASTS, "holi", is_holi, text=""),
    Case(FEASTS, "thanksgiving 2022", lambda p: is_on(p, 2022, 11, 24), text=""),
    Case(HOLIDAYS, "summer holidays 2023", lambda p: is_season(p, "summer", 2023), text=""),
    Case(CLOCK, "in the morning", lambda p: is_at(p, MORNING), text=""),
    Case(
        CLOCK,
        "maya in the evening",
        lambda p: shows(p, "Maya") and is_at(p, EVENING),
        lacks=("maya", "evening"),
    ),
    Case(CLOCK, "after 6 pm", lambda p: p.hour >= 18, text=""),
    Case(CLOCK, "between 8 and 10 am", lambda p: is_at(p, (8, 10)), text=""),
]

FILE_SAMPLES = [
    Case(
        ORDER,
        "oldest photo of maya",
        lambda p: shows(p, "Maya"),
        lacks=("oldest", "maya"),
        order="oldest",
        count=1,
    ),
    Case(ORDER, "first photos of kofi", lambda p: shows(p, "Kofi"), lacks=("first", "kofi"), order="oldest"),
    Case(
        ORDER, "the last three photos in paris", lambda p: p.city == "Paris", text="", order="newest", count=3
    ),
    Case(FILES, "5 star photos", lambda p: p.rating == 5, text=""),
    Case(FILES, "rated 4 or more", lambda p: p.rating is not None and p.rating >= 4, text=""),
    Case(FILES, "taken with an iphone", lambda p: "iPhone" in p.camera, text=""),
    Case(FILES, "without a location", lambda p: p.latitude is None, text=""),
    Case(FILES, "portrait format", lambda p: p.height > p.width, text=""),
    Case(FILES, "panoramas", lambda p: p.width >= 2 * p.height, text=""),
    Case(FILES, "screenshots", lambda p: "screenshot" in p.name.lower(), text=""),
    Case(FILES, "IMG_0042", lambda p: "img_0042" in p.name.lower(), text=""),
    # The album has only IMG_0093.jpg.
    Case(FILES, "the file IMG_0093.heic", lambda p: p.name.lower().endswith("img_0093.heic"), text=""),
    Case(
        FILES,
        "added last week",
        lambda p: date(2024, 6, 3) <= p.indexed.date() <= date(2024, 6, 9),
        text="",
    ),
    Case(FILES, "photos without names", lambda p: p.strangers >= 1, text=""),
]

CONTENT_SAMPLES = [
    Case(
        WHO,
        "kim or zoe but not both",
        lambda p: shows(p, "Kim") != shows(p, "Zoe"),
        lacks=("kim", "zoe", "both"),
    ),
    Case(
        WHO,
        "maya and noor but neither kim nor zoe",
        lambda p: shows(p, "Maya", "Noor") and not p.people & {"Kim", "Zoe"},
        lacks=("maya", "noor", "neither", "kim", "nor", "zoe"),
    ),
    Case(
        WHO,
        "noor, kim and someone else",
        lambda p: shows(p, "Noor", "Kim") and p.faces >= 3,
        lacks=("noor", "kim", "else"),
    ),
    Case(WHO, "group photos", lambda p: p.faces >= 3),
    Case(WHO, "annemarie", lambda p: shows(p, "Anne-Marie"), lacks=("annemarie",)),
    Case(
        WHO, "maya and/or kofi", lambda p: bool(p.people & {"Maya", "Kofi"}), lacks=("maya", "and/or", "kofi")
    ),
    Case(NOT_THERE, "beach without a dog", text="beach", excluded=("a dog",)),
    Case(NOT_THERE, "beach -dog", text="beach", excluded=("dog",)),
    Case(NOT_THERE, "without snow", text="", excluded=("snow",)),
    Case(NOT_THERE, "not at the beach", text="", excluded=("the beach",)),
    Case(NOT_THERE, "a dog but no cat", text="a dog", excluded=("cat",)),
    Case(JOINED, "a dog and a cat", joined=("a dog", "a cat"), join="and"),
    Case(JOINED, "a dog or a cat", joined=("a dog", "a cat"), join="or"),
]


def _is_in_known_country(photo: Photo) -> bool:
    return photo.country != ""


PLACE_SAMPLES = [
    Case(TRIPS, "the goa trip in 2020", lambda p: p.state == "Goa" and p.day.year == 2020, text=""),
    Case(TRIPS, "our trip to banff", lambda p: p.city == "Banff", text=""),
    Case(REGIONS, "in europe", lambda p: p.country in EUROPE, text=""),
    Case(REGIONS, "not in europe", lambda p: _is_in_known_country(p) and p.country not in EUROPE, text=""),
    Case(REGIONS, "south-east asia", lambda p: p.country == "Thailand", text=""),
    Case(REGIONS, "scandinavia", lambda p: p.country in SCANDINAVIA, text=""),
    Case(REGIONS, "southern hemisphere", lambda p: p.latitude is not None and p.latitude < 0, text=""),
    Case(
        REGIONS,
        "north of the arctic circle",
        lambda p: p.latitude is not None and p.latitude > 66.57,
        text="",
    ),
    Case(REGIONS, "within 10 km of banff", lambda p: is_near(p, "Banff", 10), text=""),
    Case(REGIONS, "near banff", lambda p: is_near(p, "Banff", 25), text=""),
    # The ends belong to it; no other place of the photos lies between them.
    Case(REGIONS, "between paris and rome", lambda p: p.city in ("Paris", "Rome"), text=""),
    Case(NOTHING_TAKEN, "in hanoi", text="", note="no photo was taken in Hanoi"),
    Case(NOTHING_TAKEN, "near hanoi", text="", note="Hanoi"),
    Case(OTHER_NAMES, "cracow", lambda p: p.city == "Kraków", text=""),
    Case(OTHER_NAMES, "la", lambda p: p.city == "Los Angeles", text=""),
    Case(OTHER_NAMES, "sf", lambda p: p.city == "San Francisco", text=""),
    Case(OTHER_NAMES, "d.c.", lambda p: p.city == "Washington, D.C.", text=""),
    Case(OTHER_NAMES, "persia", lambda p: p.country == "Iran", text=""),
    Case(OTHER_NAMES, "korea", lambda p: p.country in KOREA, text=""),
    # What a saved query stands for.
    Case(
        SAVED,
        "maya in goa since 2023",
        lambda p: shows(p, "Maya") and p.state == "Goa" and p.day.year >= 2023,
        lacks=("maya", "goa", "since", "2023"),
    ),
]

SAMPLES: list[Case] = DATE_SAMPLES + FILE_SAMPLES + CONTENT_SAMPLES + PLACE_SAMPLES
