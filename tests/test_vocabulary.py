"""The vocabulary: larger places around a place, files of earlier versions, and suggested names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from imagesearch.geo import PhotoLocation
from imagesearch.geo.address import NO_ADDRESS, make_address
from imagesearch.photos import PhotoMetadata
from imagesearch.store import Vocabulary, VocabularyEntry, VocabularyTrip, suggest_names
from imagesearch.store.vocabulary import count_vocabulary
from imagesearch.text import normalize

ANJUNA = make_address("Anjuna", "North Goa", "Goa", "India", "", ["Vagator"])
NEW_YORK = make_address("New York", "", "New York", "United States", "", [])
KNOWN = count_vocabulary(
    [PhotoLocation(PhotoMetadata(), address) for address in (ANJUNA, NEW_YORK, NO_ADDRESS)]
)


def test_a_place_is_within_the_larger_places_in_its_addresses() -> None:
    assert KNOWN.within["anjuna"] == KNOWN.within["vagator"]
    assert {"goa", "india", "north goa"} <= set(KNOWN.within["anjuna"])
    assert "india" in KNOWN.within["goa"] and "india" not in KNOWN.within
    assert "usa" in KNOWN.within["new york"] and "new york" not in KNOWN.within["new york"]


def test_a_vocabulary_is_read_back_and_files_of_earlier_versions_are_accepted(tmp_path: Path) -> None:
    trip = VocabularyTrip("Goa, May 2023", 3, 1, 2, {"goa": 3}, ("Anjuna",), ("Zoë",), is_named=True)
    known = replace(KNOWN, cast=("Zoë", "Ana"), trips=(trip,), trip_name_count=1)
    known = replace(known, portraits={"zoe": (-7, 1)})
    digest = known.write(tmp_path)
    assert digest and Vocabulary.read(tmp_path) == replace(known, digest=digest)
    assert replace(known, cast=()).write(tmp_path) != digest
    assert known.write(tmp_path) == digest
    file = tmp_path / "vocabulary.json"
    sections = json.loads(file.read_text("utf-8"))
    del sections["within"], sections["cast"], sections["trips"], sections["trip_name_count"]
    del sections["portraits"]
    file.write_text(json.dumps(sections), "utf-8")
    assert Vocabulary.read(tmp_path).trips is None
    assert Vocabulary.read(tmp_path).within == {} and Vocabulary.read(tmp_path).places == KNOWN.places


def test_a_place_has_the_median_position_of_its_photos(tmp_path: Path) -> None:
    fiji = make_address("", "", "", "Fiji", "", [])
    positions = [(-16.8, 179.9), (-16.9, -179.8), (-17.0, -179.7), (40.0, 10.0)]  # the last one is wrong
    photos = [PhotoLocation(PhotoMetadata(latitude=a, longitude=b), fiji) for a, b in positions]
    known = count_vocabulary([*photos, PhotoLocation(PhotoMetadata(), ANJUNA)])
    assert (known.places["fiji"].latitude, known.places["fiji"].longitude) == (-16.9, 179.9)
    assert known.places["anjuna"].latitude is None
    digest = known.write(tmp_path)
    assert Vocabulary.read(tmp_path) == replace(known, digest=digest)
    sections = json.loads((tmp_path / "vocabulary.json").read_text("utf-8"))
    assert sections["places"]["goa"].keys() == {"name", "photos", "kind"}  # as in files of earlier versions


def test_a_name_counts_all_photos_of_its_spellings() -> None:
    spellings = [make_address(city, "", "", "Italy", "", []) for city in ("Roma", "roma", "Roma", "Milano")]
    places = count_vocabulary([PhotoLocation(PhotoMetadata(), address) for address in spellings]).places
    assert places["roma"] == VocabularyEntry("Roma", 3, "city")
    assert (places["milano"].photos, places["italy"].photos) == (1, 4)


def test_suggested_names_contain_the_name_or_are_similar() -> None:
    names = ("Goa", "North Goa", "Goalpara", "Île-de-France", "Oslo")
    entries = {normalize(name): VocabularyEntry(name, 1) for name in names}
    assert suggest_names("goa", entries) == ["Goa", "North Goa"]
    assert suggest_names("GAO", entries) == ["Goa"]
    assert suggest_names("ile de francce", entries, count=1) == ["Île-de-France"]
    assert suggest_names("Tokyo", entries) == []
