"""Updating the tables: each photo is processed once, be it new, changed, moved, deleted or damaged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import draw
from PIL import Image
from step_world import ColourProcessor, World, count_photos

from imagesearch.photos import DecodedPhoto, Photo, compute_photo_id
from imagesearch.photos import previews as previews_module
from imagesearch.pipeline import BatchOutput, StepSpec
from imagesearch.pipeline.tables import Table


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Six photos that were processed."""
    world = World(tmp_path)
    world.add(*(f"{name}.png" for name in "abcdef"))
    assert count_photos(world.run()) == (6, 0, 0, 0, 0)
    assert world.given() == [f"{name}.png" for name in "abcdef"]
    world.check()
    return world


# --- new, changed and moved photos -------------------------------------------------------------------------


def test_a_second_run_processes_nothing_and_makes_no_processor(world: World) -> None:
    summary = world.run()
    assert count_photos(summary) == (0, 6, 0, 0, 0)
    assert world.processors == []
    assert str(summary) == "0 new, 6 unchanged, 0 moved, 0 gone, 0 failed"


def test_only_a_new_photo_is_processed(world: World) -> None:
    world.add("g/new.png")
    assert count_photos(world.run()) == (1, 6, 0, 0, 0)
    assert world.given() == ["g/new.png"]
    world.check()
    assert count_photos(world.run()) == (0, 7, 0, 0, 0)


def test_photos_of_another_time_and_the_same_content_are_not_processed_again(world: World) -> None:
    """As after the album was copied, restored from a backup, or synchronised."""
    labels: list[tuple] = []

    def progress(photos: Iterable[Photo], total: int, unit: str = "photo", label: str | None = None):
        labels.append((total, label))
        return photos

    for photo in world.photos:
        world.touch(photo.path)
    assert count_photos(world.run(progress=progress)) == (0, 6, 0, 0, 0)
    assert world.processors == [] and labels == [(6, "colour: comparing"), (0, None)]
    world.check()
    labels.clear()
    assert count_photos(world.run(progress=progress)) == (0, 6, 0, 0, 0)
    assert labels == [(0, None)], "their new time is stored: they are not compared again"


def test_a_photo_of_the_same_size_and_other_content_is_processed(world: World) -> None:
    file = world.root / "b.bmp"
    draw(1, (24, 16)).save(file)
    world.run()
    size = file.stat().st_size
    draw(2, (24, 16)).save(file)
    assert file.stat().st_size == size
    assert count_photos(world.run()) == (1, 6, 0, 0, 0)
    world.check()


def test_a_changed_photo_has_its_new_row(world: World) -> None:
    world.add("b.png", seed=99)
    assert count_photos(world.run()) == (1, 5, 0, 0, 0)
    world.check()


def test_a_renamed_photo_keeps_its_row_without_a_processor(world: World) -> None:
    (world.root / "b.png").rename(world.root / "z.png")
    (world.root / "sub").mkdir()
    (world.root / "c.png").rename(world.root / "sub" / "c.png")
    assert count_photos(world.run()) == (0, 4, 2, 0, 0)
    assert world.processors == []
    world.check()
    assert count_photos(world.run()) == (0, 6, 0, 0, 0)
    (world.root / "z.png").rename(world.root / "b.png")
    assert count_photos(world.run()) == (0, 5, 1, 0, 0)
    assert world.processors == []
    world.check()


def test_a_photo_renamed_and_touched_is_moved(world: World) -> None:
    (world.root / "b.png").rename(world.root / "z.png")
    world.touch("z.png")
    assert count_photos(world.run()) == (0, 5, 1, 0, 0)
    world.check()


def test_a_photo_renamed_and_changed_is_new(world: World) -> None:
    (world.root / "b.png").unlink()
    world.add("z.png", seed=98)
    assert count_photos(world.run()) == (1, 5, 0, 1, 0)
    world.check()


def test_another_photo_of_the_same_name_size_and_time_is_not_a_moved_one(world: World) -> None:
    world.add("d1/x.bmp", seed=1)  # uncompressed: all have one size
    old = (world.root / "d1/x.bmp").stat()
    world.run()
    (world.root / "d1/x.bmp").unlink()
    world.add("d2/x.bmp", seed=2)
    os.utime(world.root / "d2/x.bmp", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (world.root / "d2/x.bmp").stat().st_size == old.st_size
    summary = world.run()
    assert (summary.new, summary.moved) == (1, 0)


def test_two_photos_of_one_content_move(world: World) -> None:
    for name in ("g.png", "h.png"):
        shutil.copy(world.root / "a.png", world.root / name)
    assert count_photos(world.run()) == (2, 6, 0, 0, 0)
    for old, new in (("a", "x"), ("g", "y")):
        (world.root / f"{old}.png").rename(world.root / f"{new}.png")
    assert count_photos(world.run()) == (0, 6, 2, 0, 0)
    world.check()


def test_a_copy_is_new_while_its_original_is_there(world: World) -> None:
    shutil.copy(world.root / "a.png", world.root / "z.png")
    assert count_photos(world.run()) == (1, 6, 0, 0, 0)


def test_a_deleted_photo_is_gone_and_current_again_once_it_is_restored(world: World) -> None:
    content = (world.root / "b.png").read_bytes()
    status = (world.root / "b.png").stat()
    (world.root / "b.png").unlink()
    assert count_photos(world.run()) == (0, 5, 0, 1, 0)
    world.check()
    (world.root / "b.png").write_bytes(content)
    os.utime(world.root / "b.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert count_photos(world.run()) == (0, 6, 0, 0, 0)
    (world.root / "b.png").unlink()
    assert count_photos(world.run()) == (0, 5, 0, 1, 0)


def test_photos_that_were_gone_in_the_last_run_are_not_counted_again(world: World) -> None:
    (world.root / "b.png").unlink()
    assert world.run().gone == 1
    assert world.run().gone == 0
    (world.root / "a.png").unlink()
    assert world.run().gone == 1
    (world.data / "colour" / "removed.json").write_text("[1, 2", "utf-8")
    assert world.run().gone == 2


def test_after_a_change_of_fingerprint_all_photos_are_processed_again(world: World) -> None:
    assert count_photos(world.run(world.step(fingerprint="B"))) == (6, 0, 0, 0, 0)
    world.check()
    (world.root / "a.png").rename(world.root / "z.png")
    assert count_photos(world.run(world.step(fingerprint="C"))) == (6, 0, 0, 1, 0)
    world.check()


# --- failures ----------------------------------------------------------------------------------------------


def test_a_broken_photo_fails_once_until_it_changes_or_is_retried(world: World) -> None:
    broken = world.root / "broken.png"
    broken.write_bytes((world.root / "a.png").read_bytes()[:100])
    summary = world.run()
    assert count_photos(summary) == (0, 6, 0, 0, 1)
    assert (
        "cannot be decoded" in summary.failed["broken.png"] or "not an image" in summary.failed["broken.png"]
    )
    world.check()
    again = world.run()
    assert count_photos(again) == (0, 6, 0, 0, 1) and again.failed == summary.failed
    assert count_photos(world.run(retry_failed=True)) == (0, 6, 0, 0, 1)
    world.add("broken.png")
    assert count_photos(world.run()) == (1, 6, 0, 0, 0)
    assert world.given() == ["broken.png"]
    world.check()


def test_one_odd_photo_that_a_processor_cannot_prepare_does_not_end_the_run(world: World) -> None:
    class Picky(ColourProcessor):
        def prepare(self, photo: Photo, decoded: DecodedPhoto) -> np.ndarray:
            if decoded.image.width == 1:
                raise ValueError("mean must have 1 elements if it is an iterable")
            return super().prepare(photo, decoded)

    Image.new("RGB", (1, 9)).save(world.root / "odd.png")
    world.add("new.png")
    other = world.step("other")
    summary = world.run(world.step(processor=Picky()), other)
    assert list(summary.failed) == ["odd.png"]
    assert "ValueError: mean must have" in summary.failed["odd.png"]
    processed, processed_by_other = (
        world.open_table().read_processed(),
        world.open_table("other").read_processed(),
    )
    assert (
        processed[compute_photo_id("odd.png")].error and processed[compute_photo_id("new.png")].error is None
    )
    assert processed_by_other[compute_photo_id("odd.png")].error is None  # the other step could
    assert count_photos(world.run(world.step(processor=Picky()), other)) == (0, 7, 0, 0, 1)


def test_a_processor_reports_the_photos_that_it_cannot_process(world: World) -> None:
    class Doubtful(ColourProcessor):
        def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
            rows = super().process(photo_ids, inputs).rows["colour"]
            bad = compute_photo_id("b.png")
            return BatchOutput(
                {"colour": rows.filter(pa.array([i != bad for i in photo_ids]))}, {bad: "too odd"}
            )

    summary = world.run(world.step(fingerprint="B", processor=Doubtful()))
    assert count_photos(summary) == (5, 0, 0, 0, 1) and summary.failed == {"b.png": "too odd"}
    world.check()


def test_batches_in_which_nothing_is_found_may_lack_columns(world: World) -> None:
    class Rare(ColourProcessor):
        def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
            result = super().process(photo_ids, inputs)
            if compute_photo_id("b.png") in photo_ids:
                return result
            return BatchOutput({"colour": pa.table({"photo_id": pa.array([], pa.int64())})})

    world.run(world.step(fingerprint="B", processor=Rare()), batch_size=1)
    ids, _ = world.open_table().read_vectors(world.open_table().read_processed().values())
    assert ids.tolist() == [compute_photo_id("b.png")]
    assert count_photos(world.run(world.step(fingerprint="B"))) == (0, 6, 0, 0, 0)


def test_a_photo_deleted_after_it_was_listed(world: World) -> None:
    world.add("x.png", "y.png")
    photos = world.photos
    (world.root / "x.png").unlink()
    summary = world.run(photos=photos)
    assert list(summary.failed) == ["x.png"] and "No such file" in summary.failed["x.png"]
    world.check()
    assert count_photos(world.run())[4] == 0


def test_a_photo_changed_after_it_was_listed_is_processed_again(world: World) -> None:
    world.add("x.png")
    photos = world.photos
    world.add("x.png", seed=77)
    world.run(photos=photos)
    assert count_photos(world.run()) == (1, 6, 0, 0, 0)
    world.check()


def test_for_a_processor_that_requires_no_pixels_nothing_is_decoded(world: World) -> None:
    class Names(ColourProcessor):
        min_short_side = 0

        def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> np.ndarray:
            assert decoded is None
            return np.asarray([len(photo.path)], np.float32)

    (world.root / "no photo at all.jpg").write_bytes(b"x")
    summary = world.run(world.step(processor=Names()))
    assert count_photos(summary)[:1] == (1,) and not summary.failed


# --- several steps, several tables -------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the photos that were decoded."""
    names: list[str] = []
    real = previews_module.decode_photo

    def counting(file: Path, *args: Any, **options: Any) -> Any:
        names.append(file.name)
        return real(file, *args, **options)

    monkeypatch.setattr(previews_module, "decode_photo", counting)
    return names


def test_each_photo_is_decoded_once_for_all_steps(world: World, decoded: list[str]) -> None:
    world.add("new.png")
    summary = world.run(world.step(), world.step("other"))
    assert count_photos(summary) == (7, 0, 0, 0, 0)
    assert sorted(decoded) == sorted([*(f"{name}.png" for name in "abcdef"), "new.png"])
    assert sorted(len(processor.given) for processor in world.processors) == [1, 7]
    world.check()
    world.check("other")
    decoded.clear()
    world.run(world.step(), world.step("other", "B"))
    assert len(decoded) == 7 and len(world.processors) == 1
    assert count_photos(world.run(world.step(), world.step("other", "B"))) == (0, 7, 0, 0, 0)


def test_a_run_of_one_step_does_not_make_the_other_current(world: World) -> None:
    world.run(world.step("other"))
    world.add("a.png", seed=99)
    assert count_photos(world.run(world.step())) == (1, 5, 0, 0, 0)
    assert count_photos(world.run(world.step(), world.step("other"))) == (1, 5, 0, 0, 0)
    assert [processor.tables for processor in world.processors] == [("other",)]


def test_the_larger_side_is_decoded_for_both(world: World) -> None:
    sizes: list[tuple[int, int]] = []

    class Large(ColourProcessor):
        min_short_side = 300

        def prepare(self, photo: Photo, decoded: DecodedPhoto) -> np.ndarray:
            sizes.append(decoded.image.size)
            return super().prepare(photo, decoded)

    draw(1, (2400, 1600)).save(world.root / "large.jpg")
    world.run(world.step(), world.step("other", processor=Large(("other",))))
    assert max(sizes) == (600, 400)


def two_tables(world: World, processor: ColourProcessor | None = None) -> StepSpec:
    step = world.step("one", processor=processor or ColourProcessor(("one", "two")))
    return StepSpec("both", (world.open_table("one"), world.open_table("two")), "A", step.make_processor)


def test_after_a_kill_between_the_tables_of_a_step_both_are_completed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Table.append

    def dying(self: Table, *args: Any) -> None:
        if self.name == "two":
            raise KeyboardInterrupt
        real(self, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Table, "append", dying)
        world.run(two_tables(world))
    assert (
        len(world.open_table("one").read_processed()) == 6 and world.open_table("two").read_processed() == {}
    )
    (world.root / "a.png").rename(world.root / "z.png")  # must not count as moved: table two has no row of it
    assert count_photos(world.run(two_tables(world)))[0] == 6
    for name in ("one", "two"):
        world.check(name)
    (world.root / "z.png").rename(world.root / "a.png")
    assert count_photos(world.run(two_tables(world)))[:3] == (0, 5, 1)
    for name in ("one", "two"):
        world.check(name)
