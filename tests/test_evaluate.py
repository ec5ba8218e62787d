"""Evaluations of photos that search for photos, compared with values calculated by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import World, draw
from PIL import Image
from test_grids import find_texts_outside

from imagesearch.errors import UserError
from imagesearch.evaluate import (
    CategoryRanking,
    LabelledReport,
    evaluate_captions,
    evaluate_labelled,
    evaluate_self,
)
from imagesearch.evaluate.labelled import parse_category
from imagesearch.features import extract_features
from imagesearch.figures import draw_captions_report, draw_labelled_report, draw_self_report
from imagesearch.pipeline import Dataset
from imagesearch.store import Hit, Store

CATEGORIES = ("beach", "eiffel_tower", "ship")


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("beach_3.jpeg", "beach"),
        ("beach.jpeg", "beach"),
        ("Beach (2).png", "beach"),
        ("eiffel_tower_10.jpg", "eiffel_tower"),
        ("eiffel-tower-10.jpg", "eiffel-tower"),
        ("beach/IMG_1.jpg", "beach"),
        ("Beach/2023/goa_7.jpg", "beach"),
        ("1984.jpg", "1984"),
        ("a.b_2.jpg", "a.b"),
        ("route 66 sign 4.jpg", "route 66 sign"),
    ],
)
def test_paths_give_the_category(path: str, category: str) -> None:
    assert parse_category(path) == category


def draw_alike(seed: int, shade: int) -> Image.Image:
    """Draw one of several pictures that look almost the same."""
    pixels = np.asarray(draw(seed)).astype(int) + shade
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture
def sides(world: World) -> tuple[World, Path, Path]:
    """Folders of three clearly different categories: TRAIN with file names, VAL with subfolders."""
    train, val = world.folder / "train", world.folder / "val"
    train.mkdir()
    for seed, name in enumerate(CATEGORIES):
        for i in range(4):
            draw_alike(seed, 3 * i).save(train / f"{name}_{i}.png")
        (val / name).mkdir(parents=True)
        for i in range(2):
            draw_alike(seed, 3 * i + 1).save(val / name / f"IMG_{i}.png")
    return world, train, val


def test_photos_find_photos_of_their_category(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    report = evaluate_labelled(world.config(), train, val)
    assert (report.train, report.val, report.categories) == (12, 6, list(CATEGORIES))
    for ranking in report.rankings:
        figures = {"precision@1": 1, "precision@5": 0.8, "precision@10": 0.4, "map": 1}
        assert ranking.compute_metrics() == pytest.approx(figures)
        assert next(iter(ranking.compute_confusion("ship").items())) == ("ship", 0.8)
    assert any("fewer than 10 relevant photos of beach" in note for note in report.notes)
    assert not (world.folder / "milvus.db").exists() and not (world.folder / "processed" / "album").exists()


def test_a_photo_in_the_wrong_folder_counts_as_its_folders_category(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    draw_alike(2, 1).save(val / "beach" / "really_a_ship.png")
    report = evaluate_labelled(world.config(), train, val)
    for ranking in report.rankings:
        assert ranking.compute_metrics("beach")["precision@1"] == pytest.approx(2 / 3)
        assert ranking.compute_metrics("ship")["precision@1"] == 1
        assert ranking.compute_confusion("beach")["ship"] == pytest.approx(4 / 15, abs=1 / 15)
    assert report.to_dict()["clip"]["all"]["precision@1"] == pytest.approx(6 / 7)
    assert "clip confusions in the first 5 results: ship instead of beach" in str(report)


def test_a_photo_in_both_folders_does_not_find_itself_and_copies_are_mentioned(
    sides: tuple[World, Path, Path],
) -> None:
    world, train, val = sides
    report = evaluate_labelled(world.config(), train, train)
    assert all((ranking.relevant_counts == 3).all() for ranking in report.rankings)
    assert all(ranking.compute_metrics()["precision@1"] == 1 for ranking in report.rankings)
    assert not any("also in TRAIN" in note for note in report.notes)
    (train / "beach_0.png").rename(train / "alone_0.png")
    shutil.copy(train / "ship_1.png", val / "ship" / "copy.png")
    assert evaluate_labelled(world.config(), train, train).val == 11  # without the only one of its category
    report = evaluate_labelled(world.config(), train, val)
    assert "1 photo of VAL is also in TRAIN, which raises the metrics: ship/copy.png" in report.notes


def test_photos_that_cannot_be_used_are_listed_and_the_others_are_measured(
    sides: tuple[World, Path, Path],
) -> None:
    world, train, val = sides
    (val / "ship" / "broken.jpg").write_bytes(b"not a photo")
    (val / "zebra").mkdir()
    draw(9).save(val / "zebra" / "z.png")
    report = evaluate_labelled(world.config(), train, val)
    assert report.val == 6
    assert any("broken.jpg" in note for note in report.notes)
    assert any("1 photo of zebra, which TRAIN does not contain" in note for note in report.notes)


def test_folders_without_categories_are_refused_in_one_line(world: World) -> None:
    for name in ("one", "two"):
        (world.folder / name).mkdir()
        draw(1).save(world.folder / name / f"{name}_1.png")
    with pytest.raises(UserError, match=r"expected at least two categories.*found only one"):
        evaluate_labelled(world.config(), world.folder / "one", world.folder / "two")
    draw(2).save(world.folder / "one" / "three_1.png")
    with pytest.raises(UserError, match=r"none of its categories is in .*, which has: one, three"):
        evaluate_labelled(world.config(), world.folder / "one", world.folder / "two")
    assert not (world.folder / "processed").exists(), "the file names are enough, so nothing is extracted"
    with pytest.raises(UserError, match="each photo is the only one of its category"):
        evaluate_labelled(world.config(), world.folder / "one", world.folder / "one")


def test_the_script_prints_the_report_on_categories(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    report = evaluate_labelled(world.config(), train, val)
    command = ("08_evaluate.py", "--labelled", train, val)
    printed = json.loads(world.run(*command, "--json").stdout)
    assert printed == report.to_dict() | {"notes": list(report.notes)} and report.notes
    done = world.run(*command, "--save", "figures/labelled.png", "--no-show")
    assert done.stdout == f"{report}\n"
    assert done.stderr.splitlines()[: len(report.notes)] == list(report.notes)
    assert (world.folder / "figures" / "labelled.png").stat().st_size > 10_000


def test_a_figure_that_cannot_be_saved_is_refused_before_the_work(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    for place in ("config.yaml/figure.png", f"{'x' * 300}.png"):
        done = world.run("08_evaluate.py", "--labelled", train, val, "--save", place, code=2)
        assert "cannot be written" in done.stderr and done.stderr.count("\n") == 1
    assert not (world.folder / "processed").exists()
    (world.folder / "kept.png").write_bytes(b"old")
    world.run("08_evaluate.py", "--labelled", train, train / "none", "--save", "kept.png", code=2)
    assert (world.folder / "kept.png").read_bytes() == b"old"


def test_few_results_are_shares_of_what_was_found_and_the_photo_itself_does_not_count(
    world: World,
) -> None:
    folder = world.folder / "few"
    folder.mkdir()
    for seed, name in enumerate(("ship", "beach")):
        for i in range(2 if name == "ship" else 1):
            draw_alike(seed, 3 * i).save(folder / f"{name}_{i}.png")
    report = evaluate_labelled(world.config(), folder, folder)
    for ranking in report.rankings:
        assert ranking.compute_confusion("ship") == {"ship": 0.5, "beach": 0.5}
    assert "left out: 1 photo that is the only one of its category" in report.notes
    for i in range(2, 10):
        draw_alike(0, 3 * i).save(folder / f"ship_{i}.png")
    notes = evaluate_labelled(world.config(), folder, folder).notes
    assert any("fewer than 10 relevant photos of ship" in note for note in notes), "nine others"
    draw_alike(0, 31).save(folder / "ship_10.png")
    assert not any("fewer" in note for note in evaluate_labelled(world.config(), folder, folder).notes)


def test_photos_find_themselves_and_copies_are_listed(world: World) -> None:
    for seed in range(6):
        world.add(f"photo{seed}.png", seed)
    shutil.copy(world.photos / "photo3.png", world.photos / "copy.png")
    report = evaluate_self(world.config(), world.photos)
    for ranking in report.rankings:
        assert len(ranking.ranks) == 7 and sorted(ranking.ranks.tolist()) == [1, 1, 1, 1, 1, 1, 2]
        assert ranking.compute_metrics() == {"hits@1": pytest.approx(6 / 7), "hits@5": 1, "recall": 1}
        (missed,) = ranking.missed
        assert {missed.path, missed.first} == {"copy.png", "photo3.png"} and "has the same vector" in str(
            missed
        )
    assert not (world.folder / "milvus.db").exists()


def test_in_its_own_collection_a_changed_photo_does_not_find_itself(world: World) -> None:
    for seed in range(14):
        world.add(f"photo{seed:02}.png", seed)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    world.add("photo05.png", 6)  # another picture, which is not in the collection
    done = world.run("08_evaluate.py", "--self", "--json", "--no-show")
    figures = json.loads(done.stdout)
    for kind in ("clip", "vit"):
        assert figures[kind]["photos"] == 14 and figures[kind]["hits@1"] == pytest.approx(13 / 14)
        (missed,) = figures[kind]["missed"]
        assert (missed["path"], missed["first"]) == ("photo05.png", "photo06.png")


def test_photos_missing_from_a_collection_or_unreadable_are_left_out_with_a_note(world: World) -> None:
    for seed in range(15):
        world.add(f"photo{seed:02}.png", seed)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    for seed in range(12):
        world.add(f"photo{seed:02}.png", 100).write_bytes(b"not a photo any more")
    world.add("new.png", 20)
    world.run(
        "01_extract_features.py", "--only", "vit"
    )  # the tables now contain photos that the collections do not
    extract_features(world.config(), Dataset(world.config(), paths=["new.png"]), only=["clip"])
    done = world.run("08_evaluate.py", "--self", "--json", "--no-show")
    printed = json.loads(done.stdout)
    assert (printed["clip"]["photos"], printed["vit"]["photos"]) == (3, 3) and printed["clip"]["hits@1"] == 1
    assert [note.rpartition("photo")[2][:6] for note in printed["notes"][:10]] == [
        f"{i:02}.png" for i in range(10)
    ]
    assert printed["notes"][10:] == [
        "left out: and 2 more photos",
        "left out: 1 photo not in the collections; run 05_build_collections.py",
    ]


def test_an_unreachable_server_is_not_reported_as_an_unreadable_photo(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        world.add(f"photo{seed}.png", seed)
    answer, calls = Store.search, []

    def search(*args: object, **options: object) -> list[Hit]:
        calls.append(1)
        if len(calls) > 1:
            raise UserError("the server does not answer")
        return answer(*args, **options)

    monkeypatch.setattr(Store, "search", search)
    with pytest.raises(UserError, match="does not answer"):
        evaluate_self(world.config(), world.photos)


def test_a_second_evaluation_processes_only_new_photos(world: World) -> None:
    for seed in range(5):
        world.add(f"photo{seed}.png", seed)
    evaluate_self(world.config(), world.photos)
    world.add("new.png", 77)
    totals: list[int] = []
    evaluate_self(world.config(), world.photos, lambda items, total: totals.append(total) or items)
    assert totals == [1, 6, 6]  # step 01 processes the new photo; then all photos search, by CLIP and by ViT


@pytest.mark.parametrize("count", [1, 7, 60])
def test_figures_fit_any_number_of_categories(count: int) -> None:
    rng = np.random.default_rng(count)
    names = np.asarray([f"category with a long name {i}" for i in range(count)] + ["$x^2$"])
    found = names[rng.integers(0, len(names), (len(names), 20))]
    about = (names, found[:, :5], found == names[:, None], np.full(len(names), 5))
    rankings = [CategoryRanking(kind, "m", *about) for kind in ("clip", "vit")]
    figure = draw_labelled_report(LabelledReport(20, len(names), tuple(rankings)))
    assert find_texts_outside(figure) == []
    plt.close(figure)


def test_the_other_figures(world: World) -> None:
    for seed in range(4):
        world.add(f"photo{seed}.png", seed)
    shutil.copy(world.photos / "photo3.png", world.photos / f"a copy {'with a long name ' * 6}.png")
    (world.photos / "captions.csv").write_text("path,caption\nphoto1.png,a\nphoto2.png,b\n", "utf-8")
    figures = [
        draw_self_report(evaluate_self(world.config(), world.photos)),
        draw_captions_report(evaluate_captions(world.config(), world.photos / "captions.csv")),
    ]
    assert all(find_texts_outside(figure) == [] for figure in figures)
    plt.close("all")
