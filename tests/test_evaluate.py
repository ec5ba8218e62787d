"""Evaluations of photos that find photos, and of captions, against what is worked out by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import World, draw
from PIL import Image
from test_grids import texts_outside

from imagesearch.errors import UserError
from imagesearch.evaluate import (
    CategoryRanking,
    LabelledReport,
    evaluate_captions,
    evaluate_labelled,
    evaluate_self,
)
from imagesearch.evaluate.labelled import parse_category
from imagesearch.features import ClipEncoder, extract_features
from imagesearch.figures import draw_captions_report, draw_labelled_report, draw_self_report
from imagesearch.photos import decode_photo
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


def alike(seed: int, shade: int) -> Image.Image:
    """One of some pictures that look much the same."""
    pixels = np.asarray(draw(seed)).astype(int) + shade
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture
def sides(world: World) -> tuple[World, Path, Path]:
    """Folders TRAIN, by names, and VAL, by subfolders, of three categories that are easy to tell apart."""
    train, val = world.folder / "train", world.folder / "val"
    train.mkdir()
    for seed, name in enumerate(CATEGORIES):
        for i in range(4):
            alike(seed, 3 * i).save(train / f"{name}_{i}.png")
        (val / name).mkdir(parents=True)
        for i in range(2):
            alike(seed, 3 * i + 1).save(val / name / f"IMG_{i}.png")
    return world, train, val


def test_photos_find_those_of_their_category(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    report = evaluate_labelled(world.config(), train, val)
    assert (report.train, report.val, report.categories) == (12, 6, list(CATEGORIES))
    for ranking in report.rankings:
        figures = {"precision@1": 1, "precision@5": 0.8, "precision@10": 0.4, "map": 1}
        assert ranking.compute_metrics() == pytest.approx(figures)
        assert next(iter(ranking.compute_confusion("ship").items())) == ("ship", 0.8)
    assert any("fewer than 10 photos of beach" in note for note in report.notes)
    assert not (world.folder / "milvus.db").exists() and not (world.folder / "processed" / "album").exists()


def test_a_photo_of_another_category_is_counted_where_it_belongs(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    alike(2, 1).save(val / "beach" / "really_a_ship.png")
    report = evaluate_labelled(world.config(), train, val)
    for ranking in report.rankings:
        assert ranking.compute_metrics("beach")["precision@1"] == pytest.approx(2 / 3)
        assert ranking.compute_metrics("ship")["precision@1"] == 1
        assert ranking.compute_confusion("beach")["ship"] == pytest.approx(4 / 15, abs=1 / 15)
    assert report.to_dict()["clip"]["all"]["precision@1"] == pytest.approx(6 / 7)
    assert "clip takes beach for ship" in str(report)


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
    assert evaluate_labelled(world.config(), train, train).val == 11  # nothing else is "alone"
    report = evaluate_labelled(world.config(), train, val)
    assert "1 photo of VAL is also in TRAIN, which flatters: ship/copy.png" in report.notes


def test_what_cannot_be_used_is_named_and_the_rest_goes_on(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    (val / "ship" / "broken.jpg").write_bytes(b"not a photo")
    (val / "zebra").mkdir()
    draw(9).save(val / "zebra" / "z.png")
    report = evaluate_labelled(world.config(), train, val)
    assert report.val == 6
    assert any("broken.jpg" in note for note in report.notes)
    assert any("1 photo of zebra, which TRAIN does not have" in note for note in report.notes)


def test_folders_without_categories_are_refused_in_one_line(world: World) -> None:
    for name in ("one", "two"):
        (world.folder / name).mkdir()
        draw(1).save(world.folder / name / f"{name}_1.png")
    with pytest.raises(UserError, match=r"categories are wanted.*there is only one"):
        evaluate_labelled(world.config(), world.folder / "one", world.folder / "two")
    draw(2).save(world.folder / "one" / "three_1.png")
    with pytest.raises(UserError, match=r"no photo is of a category that .* has: one, three"):
        evaluate_labelled(world.config(), world.folder / "one", world.folder / "two")
    assert not (world.folder / "processed").exists(), "names alone say that; nothing was extracted"
    with pytest.raises(UserError, match="each photo is the only one of its category"):
        evaluate_labelled(world.config(), world.folder / "one", world.folder / "one")


def test_the_script_says_of_categories_what_the_report_has(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    report = evaluate_labelled(world.config(), train, val)
    asked = ("08_evaluate.py", "--labelled", train, val)
    said = json.loads(world.run(*asked, "--json").stdout)
    assert said == report.to_dict() | {"notes": list(report.notes)} and report.notes
    done = world.run(*asked, "--save", "figures/labelled.png", "--no-show")
    assert done.stdout == f"{report}\n"
    assert done.stderr.splitlines()[: len(report.notes)] == list(report.notes)
    assert (world.folder / "figures" / "labelled.png").stat().st_size > 10_000


def test_a_figure_that_cannot_be_saved_is_refused_before_the_work(sides: tuple[World, Path, Path]) -> None:
    world, train, val = sides
    (world.folder / "folder.png").mkdir()
    for place in ("config.yaml/figure.png", "folder.png", f"{'x' * 300}.png"):
        done = world.run("08_evaluate.py", "--labelled", train, val, "--save", place, code=2)
        assert "the figure cannot be saved there" in done.stderr and done.stderr.count("\n") == 1
    assert not (world.folder / "processed").exists()
    (world.folder / "kept.png").write_bytes(b"old")
    world.run("08_evaluate.py", "--labelled", train, train / "none", "--save", "kept.png", code=2)
    assert (world.folder / "kept.png").read_bytes() == b"old"


def test_few_results_are_shares_of_what_was_found_and_the_photo_itself_is_not_to_be_found(
    world: World,
) -> None:
    folder = world.folder / "few"
    folder.mkdir()
    for seed, name in enumerate(("ship", "beach")):
        for i in range(2 if name == "ship" else 1):
            alike(seed, 3 * i).save(folder / f"{name}_{i}.png")
    report = evaluate_labelled(world.config(), folder, folder)
    for ranking in report.rankings:
        assert ranking.compute_confusion("ship") == {"ship": 0.5, "beach": 0.5}
    assert "left out: 1 photo that is the only one of its category" in report.notes
    for i in range(2, 10):
        alike(0, 3 * i).save(folder / f"ship_{i}.png")
    notes = evaluate_labelled(world.config(), folder, folder).notes
    assert any("fewer than 10 photos of ship to be found" in note for note in notes), "nine others"
    alike(0, 31).save(folder / "ship_10.png")
    assert not any("fewer" in note for note in evaluate_labelled(world.config(), folder, folder).notes)


def test_photos_find_themselves_and_twins_are_named(world: World) -> None:
    for seed in range(6):
        world.add(f"photo{seed}.png", seed)
    shutil.copy(world.photos / "photo3.png", world.photos / "copy.png")
    report = evaluate_self(world.config(), world.photos)
    for ranking in report.rankings:
        assert len(ranking.ranks) == 7 and sorted(ranking.ranks.tolist()) == [1, 1, 1, 1, 1, 1, 2]
        assert ranking.compute_metrics() == {"hits@1": pytest.approx(6 / 7), "hits@5": 1, "recall": 1}
        (missed,) = ranking.missed
        assert {missed.path, missed.first} == {"copy.png", "photo3.png"} and "looks the same" in str(missed)
    assert not (world.folder / "milvus.db").exists()


def test_in_the_own_collection_a_changed_photo_does_not_find_itself(world: World) -> None:
    for seed in range(14):
        world.add(f"photo{seed:02}.png", seed)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    world.add("photo05.png", 6)  # another picture, of which the collection does not know
    done = world.run("08_evaluate.py", "--self", "--json", "--no-show")
    figures = json.loads(done.stdout)
    for kind in ("clip", "vit"):
        assert figures[kind]["photos"] == 14 and figures[kind]["hits@1"] == pytest.approx(13 / 14)
        (missed,) = figures[kind]["missed"]
        assert (missed["path"], missed["first"]) == ("photo05.png", "photo06.png")


def test_what_a_collection_lacks_and_what_cannot_be_read_is_left_out_and_said(world: World) -> None:
    for seed in range(15):
        world.add(f"photo{seed:02}.png", seed)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    for seed in range(12):
        world.add(f"photo{seed:02}.png", 100).write_bytes(b"not a photo any more")
    world.add("new.png", 20)
    world.run("01_extract_features.py", "--only", "vit")  # knows now what the collections do not
    extract_features(world.config(), Dataset(world.config(), paths=["new.png"]), only=["clip"])
    done = world.run("08_evaluate.py", "--self", "--json", "--no-show")
    said = json.loads(done.stdout)
    assert (said["clip"]["photos"], said["vit"]["photos"]) == (3, 3) and said["clip"]["hits@1"] == 1
    assert [note.rpartition("photo")[2][:6] for note in said["notes"][:10]] == [
        f"{i:02}.png" for i in range(10)
    ]
    assert said["notes"][10:] == [
        "left out: and 2 more photos",
        "left out: 1 photo that the collections lack; run 05_build_collections.py",
    ]


def test_a_server_that_is_gone_is_not_a_photos_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
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


def ranked(world: World, pairs: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
    """Ranks in both directions, one at a time."""
    encoder = ClipEncoder(world.settings["models"]["clip"], "cpu", "float32")
    texts, paths = sorted({t for _, t in pairs}), sorted({p for p, _ in pairs})
    images = np.stack(list(encoder.encode_stream(decode_photo(world.photos / path).image for path in paths)))
    scores = encoder.encode_texts([f"a photo of {text}" for text in texts]) @ images.T
    right = np.asarray([[(path, text) in pairs for path in paths] for text in texts])

    def ranks_of(table: np.ndarray, good: np.ndarray) -> list[int]:
        orders = np.argsort(-table, axis=1)
        pairs = zip(orders, good, strict=True)
        return sorted(1 + int(np.flatnonzero(row_good[order])[0]) for order, row_good in pairs)

    return ranks_of(scores, right), ranks_of(scores.T, right.T)


def test_captions_and_photos_find_each_other_as_far_as_the_scores_say(world: World) -> None:
    pairs = [(f"p{i % 9}.png", f"caption number {i} of {'abcdefghijk'[i]}") for i in range(11)]
    pairs.append(("p3.png", pairs[0][1]))  # a caption of two photos
    for i in range(9):
        world.add(f"p{i}.png", i)
    file = world.photos / "captions.csv"
    file.write_text("Path;Caption\n" + "".join(f"{path};{text}\n" for path, text in pairs), "utf-8")
    report = evaluate_captions(world.config(), file)
    to_images, to_texts = ranked(world, pairs)
    assert (report.photos, report.texts) == (9, 11)
    assert sorted(report.text_to_image.tolist()) == to_images
    assert sorted(report.image_to_text.tolist()) == to_texts
    figures = report.to_dict()["text_to_image"]
    assert figures["recall@5"] == pytest.approx(np.mean([rank <= 5 for rank in to_images]))
    assert figures["median_rank"] == np.median(to_images)
    assert report.worst[0][0] == max(to_images)


def test_captions_may_name_photos_from_the_dataset_or_the_disk_and_missing_ones_are_named(
    world: World,
) -> None:
    world.add("in/one.png", 1)
    world.add("two.png", 2)
    lines = ["in/one.png,a", "./two.png,b", "gone.png,c", "two.png,"]
    file = world.folder / "elsewhere" / "captions.csv"
    file.parent.mkdir()
    file.write_text("path,caption\n" + "\n".join(lines), "utf-8")
    report = evaluate_captions(world.config(), file)
    assert (report.photos, report.texts) == (2, 2)
    assert report.notes == ("left out: gone.png: no such photo",)
    file.write_text(f"path,caption\n{world.photos / 'two.png'},b\n", "utf-8")
    assert evaluate_captions(world.config(), file).photos == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,caption\na,b\n", "columns path and caption"),
        ("path,caption\n", "no line has a path and a caption"),
        ("path,caption\nnowhere.png,a\n", "none of its photos can be read: nowhere.png: no such photo"),
        (None, "cannot be read"),
    ],
)
def test_captions_that_cannot_be_used_are_refused_in_one_line(
    world: World, text: str | None, message: str
) -> None:
    file = world.folder / "captions.csv"
    if text is not None:
        file.write_text(text, "utf-8")
    done = world.run("08_evaluate.py", "--captions", file, code=2)
    assert message in done.stderr and done.stderr.count("\n") == 1 and not done.stdout


def test_a_second_evaluation_looks_only_at_what_is_new(world: World) -> None:
    for seed in range(5):
        world.add(f"photo{seed}.png", seed)
    evaluate_self(world.config(), world.photos)
    world.add("new.png", 77)
    totals: list[int] = []
    evaluate_self(world.config(), world.photos, lambda items, total: totals.append(total) or items)
    assert totals == [1, 6, 6]  # photos for step 01: the new one; then all, by CLIP and by ViT


def test_paths_of_a_dataset_of_two_folders_beside_the_file_and_whole_may_be_mixed(world: World) -> None:
    world.settings["dataset"]["images"] = ["photos", "scans"]
    world.write_config()
    file = world.folder / "elsewhere" / "captions.csv"
    for place in ("photos/one.png", "scans/in/two.png", "elsewhere/three.png", "four.png", "cafe\u0301.png"):
        (world.folder / place).parent.mkdir(parents=True, exist_ok=True)
        draw(len(place)).save(world.folder / place)
    paths = ["photos/one.png", "scans/in/two.png", "three.png", "./three.png", "../four.png"]
    paths += [
        str(world.folder / "four.png"),
        str(world.folder / "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png"),
    ]
    file.write_text("path,caption\n" + "".join(f"{p},{i}\n" for i, p in enumerate(paths)), "utf-8")
    report = evaluate_captions(world.config(), file)
    assert (report.photos, report.texts, report.notes) == (5, 7, ())


def test_a_caption_with_a_comma_is_not_cut_but_wants_quotes(world: World) -> None:
    world.add("a.png", 1)
    file = world.photos / "captions.csv"
    file.write_text('path,caption\na.png,a cat, asleep\na.png,"a dog, awake"\na.png,both,,\n', "utf-8")
    report = evaluate_captions(world.config(), file)
    assert sorted(text for _, text, _ in report.worst) == ["a dog, awake", "both"]
    (note,) = report.notes
    assert note.startswith("left out: line 2: more fields than columns") and "quotes" in note
    file.write_text("path,caption\n\na.png,a cat, asleep\n", "utf-8")
    with pytest.raises(UserError, match="line 3: more fields than columns"):
        evaluate_captions(world.config(), file)
    file.write_text("path,caption\na.png,caf\xe9\n", "cp1252")
    with pytest.raises(UserError, match="save it as CSV UTF-8"):
        evaluate_captions(world.config(), file)


def test_the_dataset_is_left_as_it_is(world: World) -> None:
    world.add("a.png", 1)
    extract_features(world.config(), Dataset(world.config()))
    before = sorted(p.name for p in (world.folder / "processed" / "album").rglob("*"))
    world.add("b.png", 2)
    (world.photos / "captions.csv").write_text("path,caption\nb.png,something\n", "utf-8")
    evaluate_captions(world.config(), world.photos / "captions.csv")
    assert sorted(p.name for p in (world.folder / "processed" / "album").rglob("*")) == before


@pytest.mark.parametrize("count", [1, 7, 60])
def test_figures_hold_any_number_of_categories(count: int) -> None:
    rng = np.random.default_rng(count)
    names = np.asarray([f"category with a long name {i}" for i in range(count)] + ["$x^2$"])
    found = names[rng.integers(0, len(names), (len(names), 20))]
    about = (names, found[:, :5], found == names[:, None], np.full(len(names), 5))
    rankings = [CategoryRanking(kind, "m", *about) for kind in ("clip", "vit")]
    figure = draw_labelled_report(LabelledReport(20, len(names), tuple(rankings)))
    assert texts_outside(figure) == []
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
    assert all(texts_outside(figure) == [] for figure in figures)
    plt.close("all")


def another_clip(world: World) -> str:
    """A setting that names a CLIP with other weights."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = world.folder / "another_clip"
    shutil.copytree(world.settings["models"]["clip"], folder)
    weights = load_file(folder / "model.safetensors")
    save_file({k: v + 0.1 * torch.ones_like(v) for k, v in weights.items()}, folder / "model.safetensors")
    return f"models.clip={folder}"


def test_models_are_compared_back_and_forth_on_files_of_one_folder(world: World) -> None:
    other = another_clip(world)
    for name in ("a1", "a2", "b1", "b2"):
        world.add(f"{name}.png", sum(name.encode()))
    for side in "ab":
        lines = "".join(f"{side}{i}.png,caption {i}\n" for i in (1, 2))
        (world.photos / f"{side}.csv").write_text("path,caption\n" + lines, "utf-8")
    before = evaluate_captions(world.config(), world.photos / "a.csv")
    assert evaluate_captions(world.config(other), world.photos / "b.csv").photos == 2
    extracted: list[int] = []
    after = evaluate_captions(
        world.config(), world.photos / "a.csv", lambda items, total: extracted.append(total) or items
    )
    assert after.to_dict() == before.to_dict() and extracted == [0]


def test_photos_that_are_gone_do_not_say_which_model_is_the_newest(world: World) -> None:
    other = another_clip(world)
    for name in ("a.png", "b.png"):
        world.add(name, sum(name.encode()))
    extract_features(world.config(), Dataset(world.config(), paths=["a.png"]), only=["clip"])
    extract_features(world.config(other), Dataset(world.config(other), paths=["b.png"]), only=["clip"])
    assert [e.path for e in Dataset(world.config()).current_entries("clip").values()] == ["b.png"]
    (world.photos / "b.png").unlink()
    assert [e.path for e in Dataset(world.config()).current_entries("clip").values()] == ["a.png"]
    assert Dataset(world.config(), paths=["c.png"]).current_entries("clip") == {}


@pytest.mark.parametrize("path", ["x" * 300 + ".png", "a\0.png", "a.png/" + "y" * 5000])
def test_a_path_that_no_file_can_have_is_not_there(world: World, path: str) -> None:
    world.add("a.png", 1)
    assert Dataset(world.config()).find_photo(path) is None
    file = world.photos / "captions.csv"
    file.write_text(f"path,caption\na.png,a\n{path},b\n", "utf-8")
    assert evaluate_captions(world.config(), file).notes == (f"left out: {path}: no such photo",)
