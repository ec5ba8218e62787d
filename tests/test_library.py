"""The public API: `import imagesearch`, open a library, update, search, show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from drawn import Drawn, picture_of
from PIL import Image

import imagesearch


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    """Six photos of Maya and one of Kofi."""
    drawn = Drawn(tmp_path)
    for seed in range(6):
        picture_of("Maya", seed=seed)[0].save(drawn.photos / f"maya{seed}.png")
    picture_of("Kofi", seed=7)[0].save(drawn.photos / "kofi.png")
    return drawn


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import imagesearch; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} <= {
        "imagesearch",
        *sys.stdlib_module_names,
    }
    assert not [name for name in done.stdout.split() if name.startswith("imagesearch.")]


def test_every_public_name_exists_and_is_documented() -> None:
    for name in imagesearch.__all__:
        assert (getattr(imagesearch, name).__doc__ or "").strip(), name
    assert set(imagesearch.__all__) <= set(dir(imagesearch))
    with pytest.raises(AttributeError, match="has no attribute 'serch'"):
        imagesearch.serch  # noqa: B018 - the access is what is tested


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(imagesearch.__file__).parent / "py.typed").is_file()


def test_update_search_and_show(drawn: Drawn) -> None:
    figure = drawn.folder / "found.png"
    with imagesearch.open_library(drawn.config_file) as library:
        summary = library.update()
        assert (summary.features.new, summary.faces.new, summary.geo.photos.new) == (7, 7, 7)
        answer = library.search(image=drawn.photos / "maya3.png", top_k=3, with_itself=True)
        assert answer.results[0].path == "maya3.png" and len(answer.results) == 3
        both = [drawn.photos / "maya3.png", drawn.photos / "kofi.png"]
        assert not {r.path for r in library.search(image=both).results} & {"maya3.png", "kofi.png"}
        library.show(answer, save=figure, window=False)
    with Image.open(figure) as picture:
        assert min(picture.size) > 200


def test_a_later_update_finds_new_photos(drawn: Drawn) -> None:
    with imagesearch.open_library(drawn.config_file) as library:
        library.update()
        assert len(library.search("a person", top_k=50).results) == 7
        picture_of("Noor", seed=9)[0].save(drawn.photos / "noor.png")
        assert library.update().features.new == 1
        assert len(library.search("a person", top_k=50).results) == 8


def test_a_closed_library_leaves_milvus_to_others_and_can_be_searched_again(drawn: Drawn) -> None:
    library = imagesearch.open_library(drawn.config_file)
    library.update()
    assert library.search("a person").results
    library.close()
    with imagesearch.open_library(drawn.config_file) as other:
        assert other.search("a person").results
    assert library.search("a person").results
    library.close()


def test_options_of_a_search(drawn: Drawn) -> None:
    library = imagesearch.open_library(drawn.config_file, settings=["search.top_k=4", "search.min_fit=0.2"])
    query = library.make_query("a boat", strategy=None, top_k=None, strict=True)
    assert (query.strategy, query.top_k, query.min_fit, query.strict) == ("filter", 4, 0.2, True)
    assert library.make_query(top_k=9).top_k == 9
    with pytest.raises(TypeError, match="colour"):
        library.search("a boat", colour="red")


def test_paths_and_lists_can_be_given_as_texts(drawn: Drawn) -> None:
    library = imagesearch.open_library(
        str(drawn.config_file), images=str(drawn.photos), settings="search.top_k=4", dataset="texts"
    )
    assert len(library.dataset.photos) == 7 and library.make_query("x").top_k == 4
    query = library.make_query("snow", image=str(drawn.photos / "kofi.png"), plus="sea", minus=["sand"])
    assert query.images == (drawn.photos / "kofi.png",) and (query.plus, query.minus) == (("sea",), ("sand",))
    assert library.make_query(image=["a.jpg", Path("b.jpg")]).images == (Path("a.jpg"), Path("b.jpg"))
    assert library.make_query(images=["a.jpg"]) == library.make_query(image="a.jpg")
    assert library.make_query(image=None).images == library.make_query(image=()).images == ()
    with pytest.raises(TypeError, match="image and images are the same option"):
        library.make_query(image="a.jpg", images=["b.jpg"])


def test_a_query_has_its_own_defaults_and_none_means_the_default(drawn: Drawn) -> None:
    with imagesearch.open_library(drawn.config_file, settings=["search.top_k=2"]) as library:
        library.update()
        assert len(library.search("a person").results) == 2
        assert len(library.search(text="a person", top_k=None).results) == 2
        assert len(library.search(imagesearch.Query("a person"), top_k=None).results) == 7
        assert len(library.search(imagesearch.Query("a person"), top_k=3).results) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "hybird"}, "strategy: expected filter or union or hybrid or semantic, got 'hybird'"),
        ({"sort": "newest"}, "sort: expected score or date"),
        ({"by": "vitt"}, "by: expected clip or vit"),
        ({"top_k": 0}, "top_k: expected a whole number from 1 to"),
        ({"top_k": "5"}, "top_k: expected a whole number from 1 to"),
        ({"criteria": imagesearch.Criteria(people="maya")}, "criteria.people: expected a list or tuple"),
    ],
)
def test_a_wrong_option_of_a_search_is_a_user_error(drawn: Drawn, options: dict, message: str) -> None:
    library = imagesearch.open_library(drawn.config_file)
    with pytest.raises(imagesearch.UserError, match=message):
        library.search("a boat", **options)
    library.close()


def test_two_libraries_share_a_file(drawn: Drawn) -> None:
    first, second = (imagesearch.open_library(drawn.config_file) for _ in range(2))
    first.update()
    assert first.search("a person").results == second.search("a person").results
    first.close()
    assert second.search("a person").results
    second.close()
    assert first.search("a person").results
    first.close()


def test_folders_and_dataset_replace_the_configs(drawn: Drawn) -> None:
    others = drawn.folder / "others"
    others.mkdir()
    picture_of("Kim", seed=3)[0].save(others / "kim.png")
    library = imagesearch.open_library(drawn.config_file, images=[others], dataset="others")
    assert library.config.dataset.name == "others"
    assert [photo.path for photo in library.dataset.photos] == ["kim.png"]


def test_what_is_wrong_is_a_user_error(drawn: Drawn) -> None:
    with pytest.raises(imagesearch.UserError, match="did you mean"):
        imagesearch.open_library(drawn.config_file, settings=["search.topk=4"])
    with (
        imagesearch.open_library(drawn.config_file) as library,
        pytest.raises(imagesearch.UserError, match="run 05_build_collections"),
    ):
        library.search("a boat")
    with pytest.raises(TypeError, match="config file"):
        imagesearch.open_library(drawn.config(), settings=["search.top_k=4"])


def test_weights_are_limited(drawn: Drawn) -> None:
    with imagesearch.open_library(drawn.config_file) as library:
        for weight in (1e308, -1.0, float("nan")):
            with pytest.raises(imagesearch.UserError, match="weight_text: expected a number from 0"):
                library.search("a boat", weight_text=weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criteria": 3}, "criteria: expected Criteria, got 3"),
        ({"folder": Path("goa")}, "folder: expected str, got "),
        ({"weight_text": "1"}, "weight_text: expected a number, got '1'"),
    ],
)
def test_an_option_of_a_wrong_type_is_named(drawn: Drawn, options: dict, message: str) -> None:
    with imagesearch.open_library(drawn.config_file) as library, pytest.raises(TypeError, match=message):
        library.search("a boat", **options)
