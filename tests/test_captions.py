"""Caption retrieval in both directions, compared with ranks calculated one at a time."""

from __future__ import annotations

import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import World, draw

from imagesearch.errors import UserError
from imagesearch.evaluate import CaptionsReport, evaluate_captions
from imagesearch.features import ClipEncoder, extract_features
from imagesearch.figures import draw_captions_report
from imagesearch.photos import decode_photo
from imagesearch.pipeline import Dataset


def rank_pairs(world: World, pairs: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
    """Return the ranks in both directions, calculated one query at a time."""
    encoder = ClipEncoder(world.settings["models"]["clip"], "cpu", "float32")
    texts, paths = sorted({t for _, t in pairs}), sorted({p for p, _ in pairs})
    images = np.stack(list(encoder.encode_stream(decode_photo(world.photos / path).image for path in paths)))
    scores = encoder.encode_texts([f"a photo of {text}" for text in texts]) @ images.T
    relevant = np.asarray([[(path, text) in pairs for path in paths] for text in texts])

    def compute_ranks(scores: np.ndarray, relevant: np.ndarray) -> list[int]:
        orders = np.argsort(-scores, axis=1)
        rows = zip(orders, relevant, strict=True)
        return sorted(1 + int(np.flatnonzero(row[order])[0]) for order, row in rows)

    return compute_ranks(scores, relevant), compute_ranks(scores.T, relevant.T)


def test_ranks_follow_from_the_scores_in_both_directions(world: World) -> None:
    pairs = [(f"p{i % 9}.png", f"caption number {i} of {'abcdefghijk'[i]}") for i in range(11)]
    pairs.append(("p3.png", pairs[0][1]))  # a caption of two photos
    for i in range(9):
        world.add(f"p{i}.png", i)
    file = world.photos / "captions.csv"
    file.write_text("Path;Caption\n" + "".join(f"{path};{text}\n" for path, text in pairs), "utf-8")
    report = evaluate_captions(world.config(), file)
    to_images, to_texts = rank_pairs(world, pairs)
    assert (report.photos, report.texts) == (9, 11)
    assert sorted(report.text_to_image.tolist()) == to_images
    assert sorted(report.image_to_text.tolist()) == to_texts
    figures = report.to_dict()["text_to_image"]
    assert figures["recall@5"] == pytest.approx(np.mean([rank <= 5 for rank in to_images]))
    assert figures["median_rank"] == np.median(to_images)
    assert report.worst[0][0] == max(to_images)


def test_paths_may_be_of_the_dataset_or_the_disk_and_missing_photos_are_listed(
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
    assert report.notes == (
        "left out: line 5: two.png has no caption",
        "left out: gone.png: no such photo",
    )
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


def test_dataset_paths_relative_paths_and_absolute_paths_may_be_mixed(world: World) -> None:
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


def test_a_caption_with_a_comma_is_not_truncated_but_requires_quotes(world: World) -> None:
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


def test_every_line_that_is_left_out_is_named(world: World) -> None:
    world.add("a.png", 1)
    file = world.photos / "captions.csv"
    bad = "a.png,a cat, asleep\nnowhere.png,a dog\na.png,\n\n,a bird\n"
    file.write_text(f"path,caption\n{bad}a.png,fine\n", "utf-8")
    reasons = ["line 2: more fields than columns", "line 4: a.png has no caption", "line 6: no path"]
    reasons.append("nowhere.png: no such photo")
    notes = evaluate_captions(world.config(), file).notes
    assert [note.removeprefix("left out: ").partition(";")[0] for note in notes] == reasons
    file.write_text(f"path,caption\n{bad}", "utf-8")
    with pytest.raises(UserError, match="none of its photos can be read") as caught:
        evaluate_captions(world.config(), file)
    assert all(reason in str(caught.value) for reason in reasons) and "\n" not in str(caught.value)
    file.write_text("path,caption\n" + "x.png,a, b\n" * 14 + "a.png,fine\n", "utf-8")
    notes = evaluate_captions(world.config(), file).notes
    assert len(notes) == 11 and notes[-1] == "left out: and 4 more lines"


def test_captions_in_another_encoding_are_refused(world: World) -> None:
    file = world.photos / "captions.csv"
    file.write_text("path,caption\na.png,caf\xe9\n", "cp1252")
    with pytest.raises(UserError, match="save it as CSV UTF-8"):
        evaluate_captions(world.config(), file)


def test_the_dataset_is_not_changed(world: World) -> None:
    world.add("a.png", 1)
    extract_features(world.config(), Dataset(world.config()))
    before = sorted(p.name for p in (world.folder / "processed" / "album").rglob("*"))
    world.add("b.png", 2)
    (world.photos / "captions.csv").write_text("path,caption\nb.png,something\n", "utf-8")
    evaluate_captions(world.config(), world.photos / "captions.csv")
    assert sorted(p.name for p in (world.folder / "processed" / "album").rglob("*")) == before


def make_another_clip(world: World) -> str:
    """Make a CLIP with other weights, and return the setting that selects it."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = world.folder / "another_clip"
    shutil.copytree(world.settings["models"]["clip"], folder)
    weights = load_file(folder / "model.safetensors")
    save_file({k: v + 0.1 * torch.ones_like(v) for k, v in weights.items()}, folder / "model.safetensors")
    return f"models.clip={folder}"


def test_vectors_are_kept_when_models_alternate_on_files_of_one_folder(world: World) -> None:
    other = make_another_clip(world)
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


def test_deleted_photos_do_not_decide_which_model_is_the_newest(world: World) -> None:
    other = make_another_clip(world)
    for name in ("a.png", "b.png"):
        world.add(name, sum(name.encode()))
    extract_features(world.config(), Dataset(world.config(), paths=["a.png"]), only=["clip"])
    extract_features(world.config(other), Dataset(world.config(other), paths=["b.png"]), only=["clip"])
    assert [e.path for e in Dataset(world.config()).read_current_entries("clip").values()] == ["b.png"]
    (world.photos / "b.png").unlink()
    assert [e.path for e in Dataset(world.config()).read_current_entries("clip").values()] == ["a.png"]
    assert Dataset(world.config(), paths=["c.png"]).read_current_entries("clip") == {}


@pytest.mark.parametrize("path", ["x" * 300 + ".png", "a\0.png", "a.png/" + "y" * 5000])
def test_a_path_that_no_file_can_have_is_reported_as_missing(world: World, path: str) -> None:
    world.add("a.png", 1)
    assert Dataset(world.config()).find_photo(path) is None
    file = world.photos / "captions.csv"
    file.write_text(f"path,caption\na.png,a\n{path},b\n", "utf-8")
    assert evaluate_captions(world.config(), file).notes == (f"left out: {path}: no such photo",)


def test_the_figure_has_a_tick_for_each_of_few_ranks_and_shows_equal_curves() -> None:
    ranks = np.array([1, 2, 3])
    figure = draw_captions_report(CaptionsReport("clip", 3, 3, ranks, ranks, ()))
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "3"]
    axis.get_legend().remove()
    figure.canvas.draw()
    red, _, blue = np.moveaxis(np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int), 2, 0)
    assert (blue - red > 60).sum() > 300 and (red - blue > 60).sum() > 300  # both curves can be seen
    plt.close(figure)
