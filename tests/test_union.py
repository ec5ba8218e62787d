"""Strategy ``union`` against a computation over all photos, in an album in Milvus Lite."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pytest
from conftest import ROOT, BuiltAlbum, run_here

from imagesearch.config import load_config
from imagesearch.filters import is_fulfilled
from imagesearch.pipeline import Dataset
from imagesearch.query import Criteria
from imagesearch.search import Answer, Query, Searcher, SearchResult
from imagesearch.search.face_search import read_query_face
from imagesearch.store import CollectionRef, Store

TODAY = date(2026, 2, 11)
FIELDS = (
    *("path", "embedding", "face_labels", "face_count", "place_words"),
    *("has_gps", "latitude", "longitude", "has_time", "taken_at", "year", "month"),
)
Photo = dict[str, Any]
Test = Callable[[Photo], bool]


class Part(NamedTuple):
    """Words of a sentence, and what they require of a photo."""

    words: str
    test: Test


class Album(NamedTuple):
    """An album, and all of its photos as they are in Milvus."""

    searcher: Searcher
    photos: list[Photo]

    def search(self, text: str, **options: Any) -> Answer:
        return self.searcher.search(Query(text=text, today=TODAY, strategy="union", **options))

    def encode(self, answer: Answer) -> np.ndarray:
        return self.searcher.resources.models.clip.encode_texts([answer.parsed.text])[0]

    def rank(
        self, parts: dict[str, Test], key: Callable[[Photo], Any]
    ) -> list[tuple[Photo, tuple[str, ...]]]:
        """Return the photos that fulfil any part, and the parts' names: more parts first, then by a key."""
        found = [(p, tuple(name for name, test in parts.items() if test(p))) for p in self.photos]
        return sorted((pair for pair in found if pair[1]), key=lambda pair: (-len(pair[1]), key(pair[0])))

    def list_common(self, field: str) -> list[str]:
        """Return the list elements of a field that most photos have, the most frequent first."""
        counts = Counter(element for photo in self.photos for element in photo[field])
        return [element for element, _ in counts.most_common() if " " not in element and element.isascii()]


@pytest.fixture(scope="module")
def album(built_album: BuiltAlbum) -> Iterator[Album]:
    config = load_config(built_album.config_file)
    with Store(config.milvus) as store:
        searcher = Searcher(config, Dataset(config), store)
        rows = store.read_all_rows(CollectionRef("album", "clip"), FIELDS)
        yield Album(searcher, [row.fields | {"id": row.id} for row in rows])


def newest_first(photo: Photo) -> tuple:
    return (not photo["has_time"], -photo["taken_at"], photo["id"])


def has_person(name: str) -> Test:
    return lambda photo: name in photo["face_labels"]


def has_place(word: str) -> Test:
    return lambda photo: word in photo["place_words"]


def in_year(year: int) -> Test:
    return lambda photo: bool(photo["has_time"]) and photo["year"] == year


def list_sentences(album: Album) -> list[dict[str, Part]]:
    """Return sentences of two and three parts; each is a dictionary of its parts by name."""
    a, b, c = album.list_common("face_labels")[:3]
    x, y = [place for place in album.list_common("place_words") if len(place) > 3][:2]
    years = Counter(photo["year"] for photo in album.photos if photo["has_time"])
    first, second = (year for year, _ in years.most_common(2))
    who = [
        Part(a, has_person(a)),
        Part(f"{a} and {b}", lambda p: {a, b} <= set(p["face_labels"])),
        Part(f"{b} or {c}", lambda p: bool({b, c} & set(p["face_labels"]))),
        Part(f"only {a}", lambda p: a in p["face_labels"] and p["face_count"] == 1),
        Part("two people", lambda p: p["face_count"] == 2),
    ]
    where = [
        Part(f"in {x}", has_place(x)),
        Part(f"in {x} or {y}", lambda p: bool({x, y} & set(p["place_words"]))),
    ]
    when = [
        Part(f"in {first}", in_year(first)),
        Part(f"before {second}", lambda p: p["has_time"] and p["year"] < second),
        Part("in june", lambda p: p["has_time"] and p["month"] == 6),
    ]
    sentences = [
        dict(zip(("who", "where", "when"), parts, strict=True))
        for parts in itertools.product(who, where, when)
    ]
    sentences += [{"who": one, "where": two} for one, two in itertools.product(who, where)]
    sentences += [{"where": one, "when": two} for one, two in itertools.product(where, when)]
    return sentences


def join_words(parts: dict[str, Part], what: str = "") -> str:
    words = [parts[name].words for name in ("who", "where", "when") if name in parts]
    return " ".join([*words[: "who" in parts], *([what] if what else []), *words["who" in parts :]])


def get_tests(parts: dict[str, Part]) -> dict[str, Test]:
    return {name: part.test for name, part in parts.items()}


def split_fulfilled(answer: Answer) -> list[tuple[str, ...]]:
    return [result.fulfils or () for result in answer.results]


# --- against all photos ------------------------------------------------------------------------------------


def test_names_alone_list_photos_with_more_parts_first_then_the_newest(album: Album) -> None:
    sizes = set()
    for parts in list_sentences(album):
        answer = album.search(join_words(parts), top_k=100)
        expected = album.rank(get_tests(parts), newest_first)
        shown = [(result.path, result.fulfils) for result in answer.results]
        assert shown == [(photo["path"], names) for photo, names in expected], answer.query.text
        assert answer.candidates == len(expected) and not answer.relaxed and answer.query.strategy == "union"
        sizes |= {len(names) for _, names in expected}
    assert sizes == {1, 2, 3}, "no sentence has photos of every number of parts"


def test_with_a_text_photos_with_as_many_parts_are_ranked_by_the_text(album: Album) -> None:
    for parts in list_sentences(album):
        answer = album.search(join_words(parts, "on a beach"), top_k=100)
        text = album.encode(answer)
        scores = {photo["path"]: float(photo["embedding"] @ text) for photo in to_arrays(album.photos)}
        expected = album.rank(get_tests(parts), lambda photo: -scores[photo["path"]])  # noqa: B023 - used here
        assert [result.score for result in answer.results] == pytest.approx(
            [scores[photo["path"]] for photo, _ in expected], abs=1e-5
        ), answer.query.text
        assert [len(names) for names in split_fulfilled(answer)] == [len(names) for _, names in expected]
        by_path = {photo["path"]: names for photo, names in expected}
        assert {result.path: result.fulfils for result in answer.results} == by_path
        assert answer.candidates == len(expected)
        assert all(r.score == pytest.approx(scores[r.path], abs=1e-5) for r in answer.results)


def to_arrays(photos: list[Photo]) -> list[Photo]:
    return [photo | {"embedding": np.asarray(photo["embedding"], np.float32)} for photo in photos]


def find_sentence(album: Album, least: int = 2) -> dict[str, Part]:
    """Return a sentence of three parts with several photos of each number of parts."""
    for parts in list_sentences(album):
        counts = Counter(len(names) for _, names in album.rank(get_tests(parts), newest_first))
        if len(parts) == 3 and all(counts[number] >= least for number in (1, 2, 3)):
            return parts
    raise AssertionError("the album has no such sentence")


@pytest.mark.parametrize("what", ["", "on a beach"])
def test_fewer_results_are_the_first_of_many(album: Album, what: str) -> None:
    text = join_words(find_sentence(album), what)
    everything = album.search(text, top_k=100)
    for top_k in (1, 2, 5, len(everything.results)):
        answer = album.search(text, top_k=top_k)
        assert answer.results == everything.results[:top_k]
        assert answer.candidates == everything.candidates == len(everything.results)


# --- what always holds -------------------------------------------------------------------------------------


def test_exclusions_and_criteria_always_hold(album: Album) -> None:
    parts = find_sentence(album)
    nobody = next(n for n in album.list_common("face_labels") if n not in parts["who"].words)
    other = next(p for p in album.list_common("place_words") if not any(p in v.words for v in parts.values()))
    found = album.rank(get_tests(parts), newest_first)
    paths = {name: [p["path"] for p, _ in found if test(p)] for name, test in {
        "without": lambda p: nobody not in p["face_labels"] and p["face_count"] >= 0,
        "elsewhere": lambda p: other not in p["place_words"] and p["has_gps"],
        "place": has_place(other), "person": has_person(nobody),
    }.items()}  # fmt: skip
    assert all(0 < len(some) < len(found) for some in (paths["without"], paths["place"], paths["person"]))
    text = join_words(parts)
    queries = {
        "without": Query(text=f"{text} without {nobody}"),
        "elsewhere": Query(text=f"{text} not in {other}"),
        "place": Query(text=text, criteria=Criteria(places=(other,))),
        "person": Query(text=text, criteria=Criteria(people=(nobody,))),
    }
    for name, query in queries.items():
        answer = album.search(query.text, criteria=query.criteria, top_k=100)
        assert [result.path for result in answer.results] == paths[name], name
        assert answer.candidates == len(paths[name])
    assert f"without {nobody}" in album.search(queries["without"].text).read_as


def test_a_circle_holds_for_every_number_of_parts(album: Album) -> None:
    parts = find_sentence(album)
    centre = next(photo for photo in album.photos if photo["has_gps"] and parts["where"].test(photo))
    criteria = Criteria(near=f"{centre['latitude']},{centre['longitude']}", radius=3000)
    inside = [
        photo["path"]
        for photo, _ in album.rank(get_tests(parts), newest_first)
        if is_fulfilled(criteria.circle, photo)
    ]
    answer = album.search(join_words(parts), criteria=criteria, top_k=100)
    assert [result.path for result in answer.results] == inside and answer.candidates == len(inside)
    assert len(set(map(len, split_fulfilled(answer)))) > 1


def test_a_face_ranks_photos_with_as_many_parts(album: Album) -> None:
    parts, resources = find_sentence(album), album.searcher.resources
    name = next(name for name in album.list_common("face_labels") if name in parts["who"].words)
    alone = next(p for p in album.photos if p["face_labels"] == [name] and p["face_count"] == 1)
    file = resources.dataset.locate_file(alone["path"])
    vector, best = read_query_face(file, resources).vector, {}
    for face in resources.store.read_all_rows(CollectionRef("album", "faces"), ("photo_id", "embedding")):
        score = float(np.asarray(face.fields["embedding"], np.float32) @ vector)
        best[face.fields["photo_id"]] = max(score, best.get(face.fields["photo_id"], -1))
    expected = [
        (photo["path"], names)
        for photo, names in album.rank(get_tests(parts), lambda photo: -best.get(photo["id"], 0))
        if photo["id"] in best
    ]
    answer = album.search(join_words(parts), face=file, top_k=100, with_itself=True)
    assert [(result.path, result.fulfils) for result in answer.results] == expected
    similar = album.search(join_words(parts, "on a beach"), face=file, top_k=100, with_itself=True)
    assert 0 < len(similar.results) < len(expected) and {r.path for r in similar.results} <= {
        path for path, _ in expected
    }


# --- orders and minimum scores -----------------------------------------------------------------------------


def find_mixed_results(album: Album) -> tuple[str, tuple[SearchResult, ...]]:
    """Return a sentence and its results: weak ones among those with most parts, relevant ones after them."""
    for parts, what in itertools.product(
        list_sentences(album), ("on a beach", "in the snow", "in the mountains", "in a city")
    ):
        text = join_words(parts, what)
        results = album.search(text, top_k=100).results
        groups = [[r for r in results if len(r.fulfils) == count] for count in (len(parts), 1)]
        if all(any(is_relevant(r) for r in g) and not all(map(is_relevant, g)) for g in groups):
            return text, results
    raise AssertionError("the album has no such sentence")


def is_relevant(result: SearchResult) -> bool:
    return result.calibrated_score >= 0.25


def test_minimum_scores_hold_and_photos_with_fewer_parts_follow(album: Album) -> None:
    text, everything = find_mixed_results(album)
    weakest = min(filter(is_relevant, everything), key=lambda result: result.score)
    most = len(everything[0].fulfils)
    for option, key in (("min_fit", "calibrated_score"), ("min_score", "score")):
        least = getattr(weakest, key)
        kept = [result for result in everything if getattr(result, key) >= least]
        top_k = 1 + sum(len(result.fulfils) == most for result in kept)
        # among the first of all results are weak ones, in whose place one with fewer parts is shown
        assert [result.path for result in everything[:top_k]] != [result.path for result in kept[:top_k]]
        assert len(kept[top_k - 1].fulfils) < most
        answer = album.search(text, top_k=top_k, **{option: least})
        assert [result.path for result in answer.results] == [result.path for result in kept[:top_k]]


def test_by_date_the_relevant_photos_with_as_many_parts_are_sorted(album: Album) -> None:
    text, everything = find_mixed_results(album)
    newest = sorted(filter(is_relevant, everything), key=lambda result: result.taken_at, reverse=True)
    expected = [r.path for r in sorted(newest, key=lambda result: -len(result.fulfils))]
    assert expected != [result.path for result in newest]
    answer = album.search(text, sort="date", top_k=100)
    assert [result.path for result in answer.results] == expected


# --- one part, no part, nothing ----------------------------------------------------------------------------


def test_with_one_part_or_none_it_is_the_filter(album: Album) -> None:
    name, place = album.list_common("face_labels")[0], album.list_common("place_words")[0]
    texts = [name, f"{name} on a beach", f"in {place}", "a beach", "in 1999", "a submarine in 1999"]
    for text in (*texts, f"a beach not in {place}", f"a beach without {name}", f"person:bob and {name}"):
        answer = album.search(text).to_dict()
        same = album.searcher.search(Query(text=text, today=TODAY)).to_dict()
        fulfilled = [result.pop("fulfils") for result in answer["results"]]
        assert answer.pop("strategy") == "union" and same.pop("strategy") == "filter"
        assert answer == same, text
        expected = {name: ["who"], f"{name} on a beach": ["who"], f"in {place}": ["where"]}.get(text, [])
        assert all(list(names) == expected for names in fulfilled)


def test_if_no_part_is_fulfilled_the_text_alone_decides(album: Album) -> None:
    text = "person:bob with a beach in place:atlantis"
    answer = album.search(text)
    note = "no photo of bob or in atlantis"
    assert [step.description for step in answer.relaxed] == ["anything"] and answer.candidates == 0
    assert answer.notes[0] == f"{note}; these are the nearest of all"
    assert len(answer.results) == 10 and set(split_fulfilled(answer)) == {()}
    nearest = album.searcher.search(Query(text=answer.parsed.caption, today=TODAY)).results
    assert [result.path for result in answer.results] == [result.path for result in nearest]
    strict = album.search(text, strict=True)
    assert strict.results == () and strict.relaxed == () and strict.notes[0] == note
    names_only = album.search("person:bob in place:atlantis")
    assert names_only.results == () and names_only.notes[0] == note


# --- what is said ------------------------------------------------------------------------------------------


def test_the_answer_tells_how_it_was_read_and_what_each_photo_fulfils(
    album: Album, built_album: BuiltAlbum
) -> None:
    parts = find_sentence(album)
    text = join_words(parts, "on a beach")
    answer = album.search(text, top_k=4)
    who, where, when = (
        str(answer.parsed.people), answer.parsed.place_names[0][1], str(answer.parsed.dates[0]),
    )  # fmt: skip
    summary = f'{who}, or {where}, or {when}; those with more of these first · "{answer.parsed.phrase}"'
    assert answer.read_as == f"{summary} — {answer.candidates} of {len(album.photos)} photos"
    printed = json.loads(json.dumps(answer.to_dict()))
    assert printed["strategy"] == "union" and printed["candidates"] == answer.candidates
    assert printed["results"][0]["fulfils"] == ["who", "where", "when"]
    plain = album.searcher.search(Query(text=text, today=TODAY)).to_dict()
    assert all("fulfils" not in result for result in plain["results"])
    script = str(ROOT / "scripts" / "06_search.py")
    command = [
        script,
        "-c",
        str(built_album.config_file),
        join_words(parts),
        "--strategy",
        "union",
        "--no-show",
    ]
    assert "[who, where, when]" in run_here([*command, "-v"], built_album.folder).stdout
    assert "[who" not in run_here(command, built_album.folder).stdout
