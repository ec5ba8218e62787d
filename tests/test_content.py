"""What photos show: content that is not there, content joined, trips, and words that are not understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import pytest
from conftest import ROOT, BuiltAlbum, run_here
from query_photos import PARSER, Case, Photo, find_differences
from query_photos import TODAY as PARSED_TODAY

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.filters import In
from imagesearch.pipeline import Dataset
from imagesearch.search import Answer, Query, Searcher
from imagesearch.search.content import FIT, combine_scores, scale_scores
from imagesearch.store import CollectionRef, Store

TODAY = date(2026, 2, 11)


def is_maya(photo: Photo) -> bool:
    return "Maya" in photo.people


def is_anyone(photo: Photo) -> bool:
    return True


def has_place(name: str):
    return lambda photo: name in photo.places


def exclude(sentence: str, text: str, *excluded: str, matches=is_anyone) -> Case:
    return Case("content that is not there", sentence, matches, text, excluded=excluded)


def join(sentence: str, by: str, *joined: str, text: str | None = None, matches=is_anyone) -> Case:
    return Case(
        "content joined", sentence, matches, sentence if text is None else text, joined=joined, join=by
    )


def keep(sentence: str, text: str | None = None) -> Case:
    return Case("one description", sentence, is_anyone, sentence if text is None else text)


def miss(sentence: str, text: str, *parts: str, matches=is_anyone) -> Case:
    return Case("not understood", sentence, matches, text, not_understood=parts,
                note=f'"{parts[0]}" was not understood')  # fmt: skip


def travel(sentence: str, matches, text: str = "") -> Case:
    return Case("trips", sentence, matches, text, lacks=("trip", "holiday", "vacation"))


EXCLUDED = [
    exclude("beach without a dog", "beach", "a dog"),
    exclude("beach -dog", "beach", "dog"),
    exclude("without snow", "", "snow"),
    exclude("not at the beach", "", "the beach"),
    exclude("a dog but no cat", "a dog", "cat"),
    exclude("mountains with no snow", "mountains", "snow"),
    exclude("a street without cars or people", "a street", "cars", matches=lambda photo: photo.faces == 0),
    exclude("maya at the beach without sunglasses", "a person at the beach", "sunglasses", matches=is_maya),
    exclude("no dogs", "", "dogs"),
    exclude("without dogs or cats", "", "dogs", "cats"),
    exclude("beach without dogs, cats or birds", "beach", "dogs", "cats", "birds"),
    exclude("a park without a dog but with a cat", "a park with a cat", "a dog"),
    exclude("a lake without boats at sunset", "a lake at sunset", "boats"),
    exclude("no dogs on the beach", "the beach", "dogs"),
    exclude("neither a dog nor a cat", "", "a dog", "a cat"),
    exclude("everything except dogs", "", "dogs"),
    exclude("animals other than dogs", "animals", "dogs"),
    exclude("a beach where there are no dogs", "a beach", "dogs"),
    exclude("photos that don't have snow", "", "snow"),
    exclude("don't show dogs", "", "dogs"),
    exclude("no photos of dogs in paris", "", "dogs", matches=has_place("Paris")),
    exclude("mountains (no snow)", "mountains", "snow"),
    exclude("beach, no people, no dogs", "beach", "dogs", matches=lambda photo: photo.faces == 0),
    exclude('beach -"red car" -t-shirt', "beach", "red car", "t-shirt"),
    exclude("sea excluding boats", "sea", "boats"),
    exclude("a cat without a black and white dog", "a cat", "a black and white dog"),
    exclude("maya not smiling", "", "smiling", matches=is_maya),
    exclude("no dog and a cat", "a cat", "dog"),
    exclude("a plate with no food on it", "a plate", "food"),
    exclude("without a man in a hat", "", "a man in a hat"),
    exclude("maya without kim or a dog", "", "a dog",
            matches=lambda photo: is_maya(photo) and "Kim" not in photo.people),
]  # fmt: skip
JOINED = [
    join("a dog and a cat", "and", "a dog", "a cat"),
    join("a dog or a cat", "or", "a dog", "a cat"),
    join("a dog, a cat and a bird", "and", "a dog", "a cat", "a bird"),
    join("either a boat or a bridge", "or", "a boat", "a bridge"),
    join("both a dog and a cat", "and", "a dog", "a cat"),
    join("dogs and cats", "and", "dogs", "cats"),
    join("a dog and/or a cat", "or", "a dog", "a cat"),
    join("a dog as well as a cat", "and", "a dog", "a cat"),
    join("two dogs and a cat", "and", "two dogs", "a cat"),
    join("a dog or cat", "or", "a dog", "cat"),
    join("sunset or sunrise in paris", "or", "sunset", "sunrise",
         text="sunset or sunrise", matches=has_place("Paris")),
    join("maya with a dog and a cat", "and", "a dog", "a cat",
         text="a person with a dog and a cat", matches=is_maya),
    join("mountains and a lake", "and", "mountains", "a lake"),
    join("an apple, an orange and a banana", "and", "an apple", "an orange", "a banana"),
    join("a table with a cup and a plate", "and", "a table with a cup", "a table with a plate"),
]  # fmt: skip
TRIPS = [
    travel("the goa trip in 2020", lambda photo: "Goa" in photo.places and photo.day.year == 2020),
    travel("our trip to banff", has_place("Banff")),
    travel("my holiday in goa", has_place("Goa")),
    travel("vacation in paris", has_place("Paris")),
    travel("during our trip to goa", has_place("Goa")),
    travel("photos from the trip to rome", has_place("Rome")),
    travel("holiday photos from rome", has_place("Rome")),
    travel("maya's trip to rome at sunset", lambda photo: is_maya(photo) and "Rome" in photo.places,
           "a person at sunset"),
    travel("dogs on our holiday in goa", has_place("Goa"), "dogs"),
    Case("trips", "a road trip to rome", has_place("Rome"), "a road trip"),
    Case("trips", "a boat trip", is_anyone, "a boat trip"),
]  # fmt: skip
ONE_DESCRIPTION = [
    *map(keep, (
        "black and white photo", "fish and chips", "salt and pepper", "bread and butter", "rock and roll",
        "thunder and lightning", "a red and white boat", "a man and a woman on a beach", "old and new",
        "no parking sign", "a no entry sign", "without a doubt", "t-shirt", "a merry-go-round",
        "forget me not flowers", "12 boats", "3 boats", "two dogs", "a number 7 on a shirt", "seven eleven",
        "route 66", "a boeing 747", "a 1967 mustang", "10000 balloons", "mp3 player", "covid-19 test",
        "24/7", "$5 bill", "end of the day", "fashion week", "a week old baby", "a wedding day",
        "a boat between two bridges", "after the rain", "before the wedding", "waiting for a train",
        "a walk in the park", "road trip", "a knife and fork", "tea instead of coffee", "100% cotton",
        "before and after", "a red and a blue boat",
    )),
]  # fmt: skip
NOT_UNDERSTOOD = [
    miss("1234567", "", "1234567"),
    miss("beach 1234567", "beach", "1234567"),
    miss("x1b2c3", "", "x1b2c3"),
    miss("maya 31", "", "31", matches=is_maya),
    miss("dogs #3", "dogs", "#3"),
    miss("between and", "", "between and"),
    miss("days ago", "", "days ago"),
    miss("two days", "", "two days"),
    miss("the week", "", "the week"),
    miss("a beach, the week", "a beach", "the week"),
    miss("a few days in rome", "", "a few days", matches=has_place("Rome")),
    miss("45.67", "", "45.67"),
    miss("a dog, 99.99.99 and 1234567", "a dog", "99.99.99", "1234567"),
]


@pytest.mark.parametrize(
    "case",
    [*EXCLUDED, *JOINED, *TRIPS, *ONE_DESCRIPTION, *NOT_UNDERSTOOD],
    ids=lambda case: case.sentence,
)
def test_a_sentence_is_parsed(case: Case) -> None:
    assert find_differences(case) == []


@pytest.mark.parametrize("case", EXCLUDED, ids=lambda case: case.sentence)
def test_no_negation_is_in_the_text(case: Case) -> None:
    words = set(PARSER.parse(case.sentence, PARSED_TODAY).text.split())
    assert not words & {"not", "no", "without", "except", "excluding", "neither", "-", "nor"}


# --- search ------------------------------------------------------------------------------------------------


class Album(NamedTuple):
    """A drawn album that can be searched, and what its photos show."""

    searcher: Searcher
    photos: dict[str, dict]

    def search(self, text: str, **options) -> Answer:
        return self.searcher.search(Query(text=text, today=TODAY, **options))

    def find(self, text: str, **options) -> list[str]:
        return [result.path for result in self.search(text, **options).results]

    def scene(self, path: str) -> str:
        return self.photos[path]["scene"]

    @property
    def vectors(self) -> dict[str, np.ndarray]:
        rows = self.searcher.resources.store.read_all_rows(
            CollectionRef("album", "clip"), ("path", "embedding")
        )
        return {row.fields["path"]: np.asarray(row.fields["embedding"], np.float32) for row in rows}

    def scale(self, *captions: str) -> dict[str, np.ndarray]:
        """The calibrated scores of all photos with each caption."""
        resources = self.searcher.resources
        texts = resources.models.clip.encode_texts([f"a photo of {caption}" for caption in captions])
        vectors = self.vectors
        scores = scale_scores(np.stack(list(vectors.values())), texts, resources)
        return dict(zip(vectors, scores, strict=True))


@pytest.fixture(scope="module")
def album(built_album: BuiltAlbum) -> Iterator[Album]:
    config = load_config(built_album.config_file)
    with Store(config.milvus) as store:
        photos = {photo["path"]: photo for photo in built_album.truth["photos"]}
        yield Album(Searcher(config, Dataset(config), store), photos)


@pytest.fixture
def uncalibrated(album: Album) -> Iterator[Album]:
    """The album, as if it had too few photos for a calibration."""
    resources = album.searcher.resources
    bands = resources.score_bands
    resources.__dict__["score_bands"] = None
    yield album
    resources.__dict__["score_bands"] = bands


def test_photos_that_show_the_excluded_are_left_out(album: Album) -> None:
    fits = album.scale("a beach")
    showing = {path for path, (fit,) in fits.items() if fit >= FIT}
    answer = album.search("without a beach", top_k=64)
    assert 0 < len(showing) < 64
    assert {result.path for result in answer.results} == fits.keys() - showing
    assert answer.notes == (f"left out {len(showing)} photos that show 'a beach'",)
    taken = [result.taken_at for result in answer.results]
    assert taken == sorted(taken, reverse=True) and answer.results[0].score is None
    assert all(album.scene(path) != "beach" for path in album.find("without a beach", top_k=40))


@pytest.mark.parametrize("top_k", [1, 5, 64])
def test_there_are_k_photos_in_the_order_of_the_text(album: Album, top_k: int) -> None:
    night = album.scale("night")
    expected = [path for path in album.find("sunset", top_k=64) if night[path][0] < FIT]
    assert album.find("sunset without night", top_k=top_k) == expected[:top_k] and len(expected) < 64


def test_an_exclusion_goes_with_a_filter_and_counts_its_photos(album: Album) -> None:
    plain, without = album.search("maya", top_k=64), album.search("maya without a beach", top_k=64)
    showing = {path for path, (fit,) in album.scale("a beach").items() if fit >= FIT}
    assert [r.path for r in without.results] == [r.path for r in plain.results if r.path not in showing]
    assert without.candidates == plain.candidates == len(plain.results)
    assert without.read_as.startswith('Maya · without "a beach" — ')
    few = album.search("maya without a beach", top_k=2)
    assert [r.path for r in few.results] == [r.path for r in without.results[:2]]
    assert few.candidates == plain.candidates


@pytest.mark.parametrize(
    "options",
    [{"strategy": "union"}, {"collapse": True}, {"sort": "date"}, {"min_fit": 0.3}, {"strict": True}],
)
def test_an_exclusion_goes_with_other_options(album: Album, options: dict) -> None:
    showing = {path for path, (fit,) in album.scale("snow").items() if fit >= FIT}
    found = album.find("maya at a party in 2020 without snow", top_k=64, **options)
    assert not showing & set(found)


def test_where_all_passing_photos_show_it_none_is_found(album: Album) -> None:
    showing = tuple(path for path, (fit,) in album.scale("a beach").items() if fit >= FIT)
    answer = album.search("maya without a beach", where=In("path", showing))
    assert answer.results == () and answer.candidates > 0
    assert answer.notes[0] == "no photo of Maya without 'a beach'"
    assert answer.notes[1] == f"left out {answer.candidates} photos that show 'a beach'"


def test_hybrid_excludes_too(album: Album) -> None:
    showing = {path for path, (fit,) in album.scale("a beach").items() if fit >= FIT}
    answer = album.search("maya in goa without a beach", strategy="hybrid", top_k=10)
    assert answer.results and not showing & {result.path for result in answer.results}
    assert answer.parsed.excluded and answer.filter_expression == ""
    listed = album.find("without a beach", strategy="hybrid", top_k=64)
    assert listed == album.find("without a beach", top_k=64)


def test_semantic_keeps_the_sentence(album: Album) -> None:
    parsed = album.search("beach without a dog", strategy="semantic").parsed
    assert parsed.text == "a photo of beach without a dog" and not parsed.excluded


def test_photos_compared_by_vit_are_left_out_by_clip(album: Album, built_album: BuiltAlbum) -> None:
    file = next(f for f in (built_album.folder / "album").rglob("*.jpg"))
    showing = {path for path, (fit,) in album.scale("a beach").items() if fit >= FIT}
    found = album.find("without a beach", images=(file,), by="vit", top_k=64, with_itself=True)
    assert set(found) == album.photos.keys() - showing


def test_without_calibration_the_nearer_text_decides(uncalibrated: Album) -> None:
    answer = uncalibrated.search("a beach without a city", top_k=64)
    scenes = [uncalibrated.scene(result.path) for result in answer.results]
    assert "beach" in scenes and "city" not in scenes
    assert "more like 'a city' than like the query: the scores of this collection cannot" in answer.notes[0]
    alone = uncalibrated.search("without a city", top_k=64)
    assert len(alone.results) == 64 and "could not be left out" in alone.notes[0]


@pytest.mark.parametrize("top_k", [1, 3, 10, 64])
@pytest.mark.parametrize(
    ("sentence", "captions", "by"),
    [
        ("a boat or a car", ("a boat", "a car"), "or"),
        ("a beach and a boat", ("a beach", "a boat"), "and"),
        ("a dog, a cat or a tent", ("a dog", "a cat", "a tent"), "or"),
    ],
)
def test_joined_content_is_ranked_by_the_smaller_or_larger_score(
    album: Album, sentence: str, captions: tuple[str, ...], by: str, top_k: int
) -> None:
    scaled = album.scale(*captions)
    combined = dict(zip(scaled, combine_scores(np.stack(list(scaled.values())), by), strict=True))
    answer = album.search(sentence, top_k=top_k)
    best = sorted(combined.values(), reverse=True)[:top_k]
    fits = [result.calibrated_score for result in answer.results]
    assert fits == pytest.approx(best, abs=1e-4)
    assert fits == pytest.approx([combined[result.path] for result in answer.results], abs=1e-4)
    assert answer.nothing_fits == (best[0] < FIT)


def test_joined_content_goes_with_filters_dates_and_minimum_scores(album: Album) -> None:
    combined = {path: max(fits) for path, fits in album.scale("a boat", "a car").items()}
    of_maya = {path for path, photo in album.photos.items() if "Maya" in {p["name"] for p in photo["people"]}}
    found = album.search("maya with a boat or a car", top_k=64)
    listed = {result.path for result in album.search("maya", top_k=64).results}
    assert {result.path for result in found.results} == listed and len(listed & of_maya) > 0.8 * len(listed)
    least = album.find("a boat or a car", top_k=64, min_fit=0.6)
    assert set(least) == {path for path, fit in combined.items() if fit >= 0.6}
    newest = album.search("a boat or a car", top_k=64, sort="date")
    assert {result.path for result in newest.results} == {p for p, fit in combined.items() if fit >= 0.25}
    excluded = album.search("a boat or a car without people", top_k=64)
    assert all(not album.photos[result.path]["people"] for result in excluded.results[:5])


def test_nothing_fits_is_said_of_joined_content(album: Album) -> None:
    answer = album.search("a submarine and a dinosaur")
    assert answer.nothing_fits
    assert "nothing here looks like 'a submarine and a dinosaur'; the nearest follow" in answer.notes


def test_joined_content_without_calibration(uncalibrated: Album) -> None:
    found = uncalibrated.search("a beach or snow", top_k=5).results
    assert {uncalibrated.scene(result.path) for result in found} <= {"beach", "snow"}
    assert all(result.calibrated_score is None for result in found)


# --- not understood ----------------------------------------------------------------------------------------


def test_what_is_not_understood_is_named_and_left_out(album: Album) -> None:
    answer = album.search("a beach 1234567")
    assert '"1234567" was not understood' in answer.notes
    assert answer.parsed.text == "a photo of a beach" and answer.results
    assert json.loads(json.dumps(answer.to_dict()))["not_understood"] == ["1234567"]
    for strategy in ("hybrid", "union"):
        other = album.search("a beach 1234567", strategy=strategy)
        assert other.parsed.not_understood == ("1234567",) and other.parsed.caption == "a beach"


def test_strict_requires_that_all_is_understood(album: Album) -> None:
    message = '^"x1b2c3" and "99.99.99" were not understood; rephrase it, or search without strict$'
    with pytest.raises(UserError, match=message):
        album.search("a beach x1b2c3, 99.99.99", strict=True)
    assert album.search("a beach", strict=True).results


@pytest.mark.parametrize("strategy", ["filter", "union", "hybrid"])
def test_a_sentence_without_any_meaning_is_not_searched(album: Album, strategy: str) -> None:
    with pytest.raises(UserError, match=r'^nothing to search for: "1234567" was not'):
        album.search("1234567", strategy=strategy)


def test_the_script_exits_with_2(built_album: BuiltAlbum) -> None:
    command = [str(ROOT / "scripts" / "06_search.py"), "a beach 1234567", "-c", str(built_album.config_file)]
    done = run_here([*command, "--no-show", "--strict"], built_album.folder)
    assert done.returncode == 2 and '"1234567" was not understood' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert run_here([*command, "--no-show"], built_album.folder).returncode == 0
