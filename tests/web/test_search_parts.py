"""The parts of the search page that need no browser: filters, notes, photos of the grid, the zip file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import draw
from nicegui import ui  # noqa: F401 - before the components

from imagesearch.errors import UserError
from imagesearch.query import Criteria, ParsedQuery
from imagesearch.search import Answer, Query, SearchResult
from imagesearch.web.downloads import write_zip
from imagesearch.web.filter_data import change_query, describe_selection, make_folder_tree, make_place_tree
from imagesearch.web.photo_grid import is_sorted_by_date, make_grid_photos
from imagesearch.web.query_filters import describe_filters, drop_filter
from imagesearch.web.search_bar import list_notes

DEFAULT = Query(top_k=10)


def make_result(path: str = "a.jpg", **values: Any) -> SearchResult:
    return SearchResult(1, path, values.pop("score", 0.2), Path(path), "beach", 0.9, **values)


def test_each_filter_is_a_chip_and_can_be_dropped() -> None:
    criteria = Criteria(
        people=("Maya", "Kim"),
        places=("Goa, India",),
        after="2023",
        near="48.8,2.3",
        radius=2.0,
        rating=4,
        years=(2023,),
    )
    query = Query("x", criteria=criteria, folder="2023/goa", strategy="union", sort="date", min_fit=0.5)
    chips = describe_filters(query, DEFAULT)
    assert [(chip.kind, chip.label) for chip in chips] == [
        ("search", "union"),
        ("folder", "2023/goa"),
        ("order", "newest first"),
        ("search", "fit at least 0.5"),
        ("who", "Maya"),
        ("who", "Kim"),
        ("where", "in Goa, India"),
        ("where", "within 2 km of 48.8,2.3"),
        ("when", "since 2023"),
        ("when", "in 2023"),
        ("rating", "4+ stars"),
    ]
    for chip in chips:
        left = describe_filters(drop_filter(query, chip.name, chip.value, DEFAULT), DEFAULT)
        assert [one for one in chips if one not in left] == [chip]
        query_without = drop_filter(query, chip.name, chip.value, DEFAULT)
        assert drop_filter(query_without, chip.name, chip.value, DEFAULT) == query_without
    weighed = Query("x", top_k=3, weight_text=2.0, with_itself=True)
    labels = [chip.label for chip in describe_filters(weighed, DEFAULT)]
    assert labels == ["weight of the text 2.0", "with the photo itself", "at most 3 photos"]
    assert drop_filter(query, "text", "x") == query
    assert drop_filter(query, "__class__", "x") == query
    assert describe_filters(DEFAULT, DEFAULT) == []


def test_changes_of_the_drawer_are_checked() -> None:
    query = change_query(
        DEFAULT, {"people": ["Maya"], "rating": "4", "sort": "date", "collapse": True}, DEFAULT
    )
    assert query.criteria == Criteria(people=("Maya",), rating=4)
    assert (query.sort, query.collapse) == ("date", True)
    selection = describe_selection(query)
    assert selection["people"] == ["Maya"]
    for change, people in (
        ({"add": "Kofi"}, ("Maya", "Kofi")),
        ({"add": "Maya"}, ("Maya",)),
        ({"remove": "Maya"}, ()),
    ):
        assert change_query(query, {"people": change}, DEFAULT).criteria.people == people
    assert (
        change_query(query, {"people": [], "rating": None, "sort": "", "collapse": None}, DEFAULT) == DEFAULT
    )
    for changes in ({"text": "x"}, {"top_k": 5}, {"rating": "many"}, {"where": 1}):
        with pytest.raises(UserError):
            change_query(query, changes, DEFAULT)


def test_places_are_a_tree() -> None:
    tree = make_place_tree(
        {
            ("India", "Goa", "Anjuna"): 3,
            ("India", "Goa", ""): 1,
            ("India", "", "Delhi"): 9,
            ("Singapore", "Singapore", "Singapore"): 2,
            ("", "", ""): 7,
        }
    )
    india, singapore = tree
    assert (india["name"], india["count"], india["value"]) == ("India", 13, "India")
    assert [(node["value"], node["count"]) for node in india["children"]] == [
        ("Delhi, India", 9),
        ("Goa, India", 4),
    ]
    assert india["children"][1]["children"][0]["value"] == "Anjuna, India"
    assert singapore["children"] == []


def test_folders_are_a_tree_of_any_depth() -> None:
    folders = {"2023/goa/beach/day 1": 2, "2023": 1, "2023 old": 4, "2024/goa": 3, "": 5}
    tree = make_folder_tree(folders)
    assert [(node["value"], node["count"]) for node in tree] == [("2023", 3), ("2023 old", 4), ("2024", 3)]
    node, values = tree[0], []
    while node["children"]:
        (node,) = node["children"]
        values.append((node["name"], node["value"], node["count"]))
    assert values == [
        ("goa", "2023/goa", 2),
        ("beach", "2023/goa/beach", 2),
        ("day 1", "2023/goa/beach/day 1", 2),
    ]


def test_photos_of_the_grid_have_alt_texts_sections_and_fits() -> None:
    result = make_result(
        people=("person 3", "Maya"),
        city="Goa",
        country="India",
        taken_at="2023-06-03T10:00:00",
        calibrated_score=0.4,
    )
    answer = Answer(Query("sea"), ParsedQuery(), (result,))
    [photo] = make_grid_photos(answer, answer.results, {})
    assert photo.alt == "Maya and 1 unnamed person, beach, in Goa, India, 3 June 2023"
    assert photo.caption == "Maya · Goa · 2023-06-03"
    assert (photo.fits, photo.section, photo.aspect) == (False, "", 1.0)
    [photo] = make_grid_photos(Answer(Query("sea", sort="date"), ParsedQuery(), (result,)), [result], {})
    assert photo.section == "Sat, 3 Jun 2023"
    unranked = make_result(score=None)
    assert is_sorted_by_date(Answer(Query(folder="x"), ParsedQuery(), (unranked,)))
    assert make_grid_photos(answer, [unranked], {})[0].fits


def test_notes_are_classified() -> None:
    notes = (
        "nothing here looks like 'a submarine'; the nearest follow",
        '"31" was not understood',
        "another",
    )
    answer = Answer(Query("x"), ParsedQuery(), (), nothing_fits=True, notes=notes)
    assert [note.kind for note in list_notes(answer)] == ["nothing", "relaxed", "note"]


def test_a_zip_file_is_sent_in_parts_and_leaves_out_what_is_no_photo(tmp_path: Path) -> None:
    large, replaced = tmp_path / "large.jpg", tmp_path / "replaced.jpg"
    draw(1).save(large)
    large.write_bytes(large.read_bytes() + bytes(range(256)) * 20_000)
    replaced.symlink_to("/etc/hostname")
    files = {"2023/ä large.jpg": large, "gone.jpg": tmp_path / "gone.jpg", "replaced.jpg": replaced}
    parts = list(write_zip(files))
    assert len(parts) > 4
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["2023/ä large.jpg", "missing photos.txt"]
        assert archive.read("missing photos.txt").split() == [b"gone.jpg", b"replaced.jpg"]
        assert archive.read("2023/ä large.jpg") == large.read_bytes()
