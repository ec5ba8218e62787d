"""Queries: how texts and photos pull together, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, World, draw

from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.pipeline import Dataset
from imagesearch.search import Query, Searcher, SearchResult, parse_prompt_line
from imagesearch.search.query_vector import QueryTerm, average_vectors, combine_terms
from imagesearch.store import CollectionRef, Store, build_collections


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
        first = searcher.search(Query(images=(photo.file,), by=by, with_itself=True)).results[0]
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
        (Query(text="boat", by="vit"), "requires image"),
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
    for line in ("nowhere.png", "a boat " * 1000 + ".jpg"):
        assert parse_prompt_line(line, Query()) == Query(text=line.strip())
    with pytest.raises(UserError, match=r"~nobody/a.png: no such file"):
        parse_prompt_line("~nobody/a.png", Query())


def test_another_model_than_the_collections_is_refused(searcher: Searcher, world: World) -> None:
    other = world.config(f"models.clip={ROOT / 'data/demo/models/clip'}")
    with pytest.raises(UserError, match=r"models.clip: the config names .*, the collection was built with"):
        Searcher(other, searcher.resources.dataset, searcher.resources.store).search(Query(text="x"))


# --- several photos ----------------------------------------------------------------------------------------


def search_images(searcher: Searcher, files: Sequence[Path], **options) -> list[tuple[str, float]]:
    results = searcher.search(Query(images=tuple(files), top_k=20, with_itself=True, **options)).results
    return [(result.path, result.score) for result in results]


def read_vectors(searcher: Searcher, kind: str) -> dict[str, np.ndarray]:
    rows = searcher.resources.store.read_all_rows(CollectionRef("album", kind), ("path", "embedding"))
    return {row.fields["path"]: np.asarray(row.fields["embedding"], np.float32) for row in rows}


def rank_by(vector: np.ndarray, vectors: dict[str, np.ndarray]) -> list[float]:
    return sorted((float(v @ vector) for v in vectors.values()), reverse=True)


@pytest.mark.parametrize("by", ["clip", "vit"])
@pytest.mark.parametrize("numbers", [(3, 7), (0, 5, 9), (2, 2, 8)])
def test_several_photos_search_by_the_mean_of_their_vectors(
    searcher: Searcher, by: str, numbers: tuple[int, ...]
) -> None:
    photos = [searcher.resources.dataset.photos[number] for number in numbers]
    vectors = read_vectors(searcher, by)
    mean = unit(np.mean([vectors[photo.path] for photo in photos], axis=0))
    found = search_images(searcher, [photo.file for photo in photos], by=by)
    assert [score for _, score in found] == pytest.approx(rank_by(mean, vectors), abs=1e-4)
    assert all(score == pytest.approx(float(vectors[path] @ mean), abs=1e-4) for path, score in found)
    assert found == search_images(searcher, [photo.file for photo in reversed(photos)], by=by)


@pytest.mark.parametrize("by", ["clip", "vit"])
def test_one_photo_twice_is_one_photo(searcher: Searcher, by: str) -> None:
    for photo in searcher.resources.dataset.photos[:4]:
        once, twice = (search_images(searcher, [photo.file] * count, by=by) for count in (1, 2))
        assert [path for path, _ in once] == [path for path, _ in twice]
        assert [score for _, score in once] == pytest.approx([score for _, score in twice], abs=1e-6)


def test_the_vector_of_one_photo_is_not_changed(gap: tuple) -> None:
    photos = gap[0] * np.float32(1 + 1e-6)  # models return unit vectors with rounding errors
    assert all(np.array_equal(average_vectors(photo[None]), photo) for photo in photos)


def test_several_photos_together_have_the_weight_of_one(searcher: Searcher) -> None:
    files = [photo.file for photo in searcher.resources.dataset.photos[:3]]
    vectors, clip = read_vectors(searcher, "clip"), searcher.resources.models.clip
    mean = unit(np.mean([vectors[photo.path] for photo in searcher.resources.dataset.photos[:3]], axis=0))
    text, minus = clip.encode_texts(["a photo of a red boat", "snow"])
    terms = [QueryTerm(text, "text", 2.0), QueryTerm(minus, "text", -1), QueryTerm(mean, "image", 1.5)]
    expected = combine_terms(terms, searcher.resources.sample_vectors)
    options = {"text": "a red boat", "minus": ("snow",), "weight_text": 2.0, "weight_image": 1.5}
    found = search_images(searcher, files, **options)
    assert [score for _, score in found] == pytest.approx(rank_by(expected, vectors), abs=1e-3)


def test_photos_that_cancel_out_are_refused(gap: tuple) -> None:
    _, _, photo = gap
    with pytest.raises(UserError, match="the photos of this query cancel each other; use other photos"):
        average_vectors(np.stack([photo, -photo]))


def test_every_photo_of_a_query_is_checked(searcher: Searcher, tmp_path: Path) -> None:
    file = searcher.resources.dataset.photos[0].file
    (tmp_path / "text.jpg").write_text("not a photo")
    for other, message in (
        (Path("gone.jpg"), "^image gone.jpg: no such file"),
        (tmp_path / "text.jpg", "not an"),
    ):
        with pytest.raises(UserError, match=message):
            searcher.search(Query(images=(file, other)))
    with pytest.raises(UserError, match="images: expected a list or tuple of paths, got one path"):
        searcher.search(Query(images=file))


def test_a_title_names_the_photos() -> None:
    titles = {
        count: Query(images=tuple(Path(f"{i}.jpg") for i in range(count)), text="snow").title
        for count in (1, 2, 4, 9)
    }
    assert titles == {
        1: "snow like 0.jpg",
        2: "snow like 0.jpg and 1.jpg",
        4: "snow like 0.jpg, 1.jpg, 2.jpg and 3.jpg",
        9: "snow like 0.jpg, 1.jpg, 2.jpg and 6 other photos",
    }


@pytest.mark.parametrize(
    ("line", "numbers", "text"),
    [
        ("like 3", (3,), ""),
        ("like 3 5", (3, 5), ""),
        ("LIKE 3  5 1 ", (3, 5, 1), ""),
        ("--like 3,5 , 1", (3, 5, 1), ""),
        ("like 3, 5 in goa", (3, 5), "in goa"),
        ("like 3 in goa", (3,), "in goa"),
        ("like 3 2023", (3,), "2023"),
        ("like 3 5 2023", (3, 5), "2023"),
        ("like 3 2 people", (3,), "2 people"),
        ("like 3 2nd birthday", (3,), "2nd birthday"),
    ],
)
def test_a_typed_line_refers_to_one_or_several_results(
    line: str, numbers: tuple[int, ...], text: str
) -> None:
    results = [SearchResult(i, f"{i}.jpg", 0.5, Path(f"{i}.jpg"), "", 0.0) for i in range(1, 7)]
    expected = Query(images=tuple(Path(f"{number}.jpg") for number in numbers), text=text, top_k=4)
    assert parse_prompt_line(line, Query(top_k=4), results) == expected
    with pytest.raises(UserError, match="the last answer has 2 results"):
        parse_prompt_line(line, Query(), results[:2])


def test_06_accepts_image_several_times(searcher: Searcher, world: World) -> None:
    files = [photo.file for photo in searcher.resources.dataset.photos[:2]]
    command = ["--image", files[0], "--image", files[1], "-k", "20", "--json", "--with-itself"]
    printed = json.loads(world.run("06_search.py", *command).stdout)
    assert printed["query"] == f"like {files[0].name} and {files[1].name}"
    found = [(result["path"], result["score"]) for result in printed["results"]]
    expected = search_images(searcher, files)
    assert [path for path, _ in found] == [path for path, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)
