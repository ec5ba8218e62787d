"""The parameters of a search, as the description of the API (OpenAPI) has them."""

from __future__ import annotations

from typing import Any

PARAMETER_DOCS = {
    "q": "a sentence: people, places, dates, and what the photos show; or @NAME of a saved query",
    "k": "maximum number of results",
    "strategy": "filter, union, hybrid or semantic: how names and dates are used",
    "strict": "yes: do not relax the filter; fail if words are not understood",
    "today": "the date that yesterday is relative to, such as 2024-06-15",
    "like": "id of a photo: find similar ones; if repeated, to the mean of the photos",
    "face": "id of a photo: find photos of the person with the largest face in it",
    "itself": "yes: also show the photos of like and face themselves",
    "by": "clip or vit: the model that compares photos",
    "plus": "add a text's vector; can be repeated",
    "minus": "subtract a text's vector; can be repeated",
    "weight_text": "weight of the text",
    "weight_image": "weight of the photos",
    "folder": "only photos below this folder",
    "person": "a person in the photo; if repeated, all of them",
    "any_person": "yes: any one of the people; without person, any face",
    "without": "a person who is not in the photo; can be repeated",
    "faces": "minimum number of people",
    "place": "suburb, city, county, state or country; if repeated, all of them",
    "trip": "name, place or number of a trip; if repeated, any of them",
    "near": "LAT,LON in degrees, or a place",
    "radius": "kilometres around near",
    "after": "taken on or after: 2023-06, 2023-06-01, last summer",
    "before": "taken before the start of: 2023-06, 01.06.2023, june",
    "year": "year; if repeated, any of them",
    "month": "june, jun or 6; if repeated, any of them",
    "gps": "yes: only photos with a position",
    "no_gps": "yes: only photos without a position",
    "no_time": "yes: only photos whose time is unknown",
    "untagged": "yes: only photos without keywords",
    "camera": "make or model; can be repeated",
    "rating": "minimum rating in stars",
    "max_rating": "maximum rating in stars; 0: photos that are not rated",
    "keyword": "a keyword stored in the photo; can be repeated",
    "shape": "portrait, landscape, square or panorama",
    "screenshots": "yes: only screenshots; no: no screenshots",
    "name": "file name, or words of it; if repeated, any of them",
    "where": "a column of a list of photos with its value: author=Ana; can be repeated",
    "unnamed": "yes: only photos with a face that has no name",
    "added_after": "first indexed on or after: 2023-06-01",
    "added_before": "first indexed before the start of: 2023-06-01",
    "min_score": "minimum similarity, from -1 to 1",
    "fit": "minimum calibrated score, from 0 to 1 for every query",
    "sort": "score, date (relevant photos, newest first) or oldest",
    "collapse": "yes: one photo of each burst",
}
"""What each parameter means."""
_REPEATED = {
    *("like", "plus", "minus", "person", "without", "place", "trip", "year", "month", "camera", "keyword"),
    *("name", "where"),
}


def make_parameters() -> list[dict[str, Any]]:
    """Return the parameters in the form of OpenAPI."""
    return [
        {
            "name": name,
            "in": "query",
            "description": text,
            "schema": {"type": "array", "items": {"type": "string"}}
            if name in _REPEATED
            else {"type": "string"},
        }
        for name, text in PARAMETER_DOCS.items()
    ]
