"""Queries: how texts and photos pull together, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import World, draw

from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.pipeline import Dataset
from imagesearch.search import Query, Searcher, parse_prompt_line
from imagesearch.search.query_vector import QueryTerm, combine_terms
from imagesearch.store import Store, build_collections


def unit(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.linalg.norm(matrix, axis=-1, keepdims=True)


@pytest.fixture
def gap() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photos, and a text and a photo as queries, with CLIP's gap between modalities.

    All photos share a direction that texts lack; similarities to the text lie in a narrow band, those to
    the photo in a wide one, as measured on real CLIP.
    """
    rng = np.random.default_rng(0)
    shared = unit(rng.standard_normal(64))
    content = unit(rng.standard_normal((10, 64)))[rng.integers(0, 10, 400)] + 0.1 * rng.standard_normal(
        (400, 64)
    )
    photos = unit(1.5 * shared + unit(content))
    text = unit(0.25 * unit(rng.standard_normal(64)) - shared)
    return photos.astype(np.float32), text.astype(np.float32), photos[7].astype(np.float32)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_text_and_photo_both_pull(gap: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    photos, text, photo = gap
    assert np.std(photos @ text) < 0.5 * np.std(photos @ photo), "the fixture has no gap to bridge"
    plain = photos @ unit(text + photo)
    fair = photos @ combine_terms([QueryTerm(text, "text", 1), QueryTerm(photo, "image", 1)], photos)
    by_text, by_photo = photos @ text, photos @ photo
    assert correlation(plain, by_text) < 0.6 * correlation(plain, by_photo)
    assert abs(correlation(fair, by_text) - correlation(fair, by_photo)) < 0.1


@pytest.mark.parametrize(("modality", "weight"), [("text", 4.0), ("image", 4.0)])
def test_weights_shift_the_pull(gap: tuple, modality: str, weight: float) -> None:
    photos, text, photo = gap
    terms = {"text": QueryTerm(text, "text", 1), "image": QueryTerm(photo, "image", 1)}
    even = photos @ combine_terms(list(terms.values()), photos)
    heavier = QueryTerm(terms[modality].vector, modality, weight)
    shifted = photos @ combine_terms(list((terms | {modality: heavier}).values()), photos)
    towards = photos @ heavier.vector
    assert correlation(shifted, towards) > correlation(even, towards) + 0.05


def test_minus_pushes_away(gap: tuple) -> None:
    photos, text, photo = gap
    plus = photos @ combine_terms([QueryTerm(photo, "image", 1), QueryTerm(text, "text", 1)], photos)
    minus = photos @ combine_terms([QueryTerm(photo, "image", 1), QueryTerm(text, "text", -1)], photos)
    assert correlation(minus, photos @ text) < 0 < correlation(plus, photos @ text)


def test_parts_that_cancel_out_are_refused(gap: tuple) -> None:
    _, text, _ = gap
    with pytest.raises(UserError, match="cancel each other"):
        combine_terms([QueryTerm(text, "text", 1), QueryTerm(text, "text", -1)])


# --- on a real collection ----------------------------------------------------------------------------------


@pytest.fixture
def searcher(world: World) -> Iterator[Searcher]:
    for seed in range(12):
        world.add(f"{'goa' if seed % 2 else 'goa_2'}/{seed:02d}.png", seed)
    config = world.config()
    dataset = Dataset(config)
    extract_features(config, dataset)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)
        yield Searcher(config, dataset, store)


@pytest.mark.parametrize("by", ["clip", "vit"])
def test_every_photo_finds_itself_first(searcher: Searcher, by: str) -> None:
    for photo in searcher.resources.dataset.photos:
        first = searcher.search(Query(images=(photo.file,), by=by)).results[0]
        assert first.path == photo.path and first.file == photo.file
        assert first.score == pytest.approx(1, abs=1e-4)


def test_results_are_ranked_and_limited(searcher: Searcher) -> None:
    answer = searcher.search(Query(text="a red boat", top_k=5))
    assert [result.rank for result in answer.results] == [1, 2, 3, 4, 5]
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    first = answer.to_dict()["results"][0]
    assert {"rank", "path", "score", "people", "taken_at"} <= set(first) and first["people"] == []


def test_a_folder_limits_the_search(searcher: Searcher) -> None:
    root = searcher.resources.dataset.roots[0]
    for folder in ("goa", "./goa/", "goa_2/../goa", str(root / "goa"), f"{root}/./goa/"):
        found = searcher.search(Query(text="x", folder=folder, top_k=20)).results
        assert sorted(r.path for r in found) == [f"goa/{seed:02d}.png" for seed in range(1, 12, 2)]
    assert len(searcher.search(Query(text="x", folder=".", top_k=20)).results) == 12
    assert searcher.search(Query(text="x", folder="nowhere")).notes == ("no photos below nowhere",)
    with pytest.raises(UserError, match="not below the photos in"):
        searcher.search(Query(text="x", folder="/elsewhere"))


def test_nothing_may_be_the_answer(searcher: Searcher) -> None:
    answer = searcher.search(Query(text="a red boat", min_score=0.999))
    assert answer.results == () and "nothing scores 0.999 or more" in answer.notes


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(), "nothing to search for"),
        (Query(text="  "), "nothing to search for"),
        (Query(minus=("snow",)), "nothing to search for"),
        (Query(text="boat", by="vit"), "requires --image"),
        (Query(images=(Path("gone.jpg"),)), "no such file"),
    ],
)
def test_queries_without_sense_are_refused(searcher: Searcher, query: Query, message: str) -> None:
    with pytest.raises(UserError, match=message):
        searcher.search(query)


def test_a_photo_that_is_none_is_refused(searcher: Searcher, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a photo")
    with pytest.raises(UserError, match="not an image"):
        searcher.search(Query(images=(tmp_path / "text.jpg",)))


def test_a_typed_line_is_a_photo_if_there_is_one_of_that_name(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "a b.png")
    assert parse_prompt_line(str(tmp_path / "a b.png"), Query()).images == (tmp_path / "a b.png",)
    for line in ("nowhere.png", "~nobody/a.png", "a boat " * 1000 + ".jpg"):
        assert parse_prompt_line(line, Query()) == Query(text=line)


def test_another_model_than_the_collections_is_refused(searcher: Searcher, world: World) -> None:
    other = world.config(f"models.clip={world.settings['models']['vit']}")
    with pytest.raises(UserError, match=r"models.clip: the config names .*, the collection was built with"):
        Searcher(other, searcher.resources.dataset, searcher.resources.store).search(Query(text="x"))
