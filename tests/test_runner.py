"""A step catches up with the photos: each is looked at once, whatever happens to the photos or the run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import ROOT, draw
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.photos import DecodedPhoto, Photo, PreviewCache, compute_photo_id, find_photos
from imagesearch.photos import previews as previews_module
from imagesearch.pipeline import BatchOutput, StepSpec, StepSummary, make_vector_column
from imagesearch.pipeline import runner as steps_module
from imagesearch.pipeline.runner import update_tables
from imagesearch.pipeline.tables import Table


class Engine:
    """Knows a photo by its mean colour, and remembers what it was given."""

    side, longest = 8, 0

    def __init__(self, tables: tuple[str, ...] = ("colour",)) -> None:
        self.tables = tables
        self.given: list[int] = []

    def prepare(self, photo: Photo, picture: DecodedPhoto | None) -> np.ndarray:
        return np.asarray(picture.image, np.float32).mean(axis=(0, 1))

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        self.given += photo_ids
        table = pa.table(
            {"photo_id": pa.array(photo_ids, pa.int64()), "vector": make_vector_column(np.stack(inputs))}
        )
        return BatchOutput(dict.fromkeys(self.tables, table))


class World:
    """A folder of photos, and one or more steps over it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.data = folder / "photos", folder / "data"
        self.root.mkdir()
        self.engines: list[Engine] = []

    def add(self, *names: str, seed: int | None = None) -> None:
        for name in names:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            draw(sum(name.encode()) if seed is None else seed, (24, 16)).save(self.root / name)

    def touch(self, name: str) -> None:
        status = (self.root / name).stat()
        os.utime(self.root / name, ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    def table(self, name: str = "colour") -> Table:
        return Table(self.data / name)

    def step(self, name: str = "colour", fingerprint: str = "A", engine: Engine | None = None) -> StepSpec:
        def make() -> Engine:
            self.engines.append(engine or Engine((name,)))
            return self.engines[-1]

        return StepSpec(name, (self.table(name),), fingerprint, make)

    @property
    def photos(self) -> list[Photo]:
        return find_photos([self.root])

    def run(
        self, *steps: StepSpec, batch_size: int = 4, photos: list[Photo] | None = None, **options
    ) -> StepSummary:
        self.engines = []
        previews = PreviewCache(self.data / "previews", 256)
        return update_tables(
            steps or [self.step()],
            self.photos if photos is None else photos,
            previews,
            batch_size=batch_size,
            **{"workers": 2, **options},
        )

    def given(self) -> list[str]:
        """The photos that engines were given in the last run."""
        names = {compute_photo_id(photo.path): photo.path for photo in self.photos}
        return sorted(names[i] for engine in self.engines for i in engine.given)

    def check(self, table: str = "colour") -> None:
        """Each photo has one row, its own."""
        seen = self.table(table).read_processed()
        photos = self.photos
        entries = [seen[photo.photo_id] for photo in photos]
        assert all((e.size, e.mtime_ns) == (p.size, p.mtime_ns) for e, p in zip(entries, photos, strict=True))
        good = {e.photo_id: p for e, p in zip(entries, photos, strict=True) if e.error is None}
        ids, vectors = self.table(table).read_vectors(entries)
        assert sorted(ids.tolist()) == sorted(good)
        for i, vector in zip(ids.tolist(), vectors, strict=True):
            with Image.open(good[i].file) as image:
                own = np.asarray(image.convert("RGB"), np.float32).mean(axis=(0, 1))
            assert np.abs(vector - own).max() < 1e-3
            assert (seen[i].width, seen[i].height) == (24, 16)


def counts(summary: StepSummary) -> tuple[int, int, int, int, int]:
    return summary.new, summary.unchanged, summary.moved, summary.gone, len(summary.failed)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Six photos, looked at."""
    world = World(tmp_path)
    world.add(*(f"{name}.png" for name in "abcdef"))
    assert counts(world.run()) == (6, 0, 0, 0, 0)
    assert world.given() == [f"{name}.png" for name in "abcdef"]
    world.check()
    return world


# --- catching up -------------------------------------------------------------------------------------------


def test_a_second_run_looks_at_nothing_and_makes_no_engine(world: World) -> None:
    summary = world.run()
    assert counts(summary) == (0, 6, 0, 0, 0)
    assert world.engines == []
    assert str(summary) == "0 new, 6 unchanged, 0 moved, 0 gone, 0 failed"


def test_a_new_photo_and_a_touched_one_are_looked_at(world: World) -> None:
    world.add("g/new.png")
    world.touch("b.png")
    assert counts(world.run()) == (2, 5, 0, 0, 0)
    assert world.given() == ["b.png", "g/new.png"]
    world.check()
    assert counts(world.run()) == (0, 7, 0, 0, 0)


def test_a_changed_photo_has_its_new_row(world: World) -> None:
    world.add("b.png", seed=99)
    assert counts(world.run()) == (1, 5, 0, 0, 0)
    world.check()


def test_a_renamed_photo_keeps_its_row_without_an_engine(world: World) -> None:
    (world.root / "b.png").rename(world.root / "z.png")
    (world.root / "sub").mkdir()
    (world.root / "c.png").rename(world.root / "sub" / "c.png")
    assert counts(world.run()) == (0, 4, 2, 0, 0)
    assert world.engines == []
    world.check()
    assert counts(world.run()) == (0, 6, 0, 0, 0)
    (world.root / "z.png").rename(world.root / "b.png")
    assert counts(world.run()) == (0, 5, 1, 0, 0)
    assert world.engines == []
    world.check()


def test_a_photo_renamed_and_touched_is_moved(world: World) -> None:
    (world.root / "b.png").rename(world.root / "z.png")
    world.touch("z.png")
    assert counts(world.run()) == (0, 5, 1, 0, 0)
    world.check()


def test_a_photo_renamed_and_changed_is_new(world: World) -> None:
    (world.root / "b.png").unlink()
    world.add("z.png", seed=98)
    assert counts(world.run()) == (1, 5, 0, 1, 0)
    world.check()


def test_two_photos_of_one_content_move(world: World) -> None:
    for name in ("g.png", "h.png"):
        shutil.copy(world.root / "a.png", world.root / name)
    assert counts(world.run()) == (2, 6, 0, 0, 0)
    for old, new in (("a", "x"), ("g", "y")):
        (world.root / f"{old}.png").rename(world.root / f"{new}.png")
    assert counts(world.run()) == (0, 6, 2, 0, 0)
    world.check()


def test_a_copy_is_new_while_its_original_is_there(world: World) -> None:
    shutil.copy(world.root / "a.png", world.root / "z.png")
    assert counts(world.run()) == (1, 6, 0, 0, 0)


def test_a_deleted_photo_is_gone_and_welcome_back(world: World) -> None:
    content = (world.root / "b.png").read_bytes()
    status = (world.root / "b.png").stat()
    (world.root / "b.png").unlink()
    assert counts(world.run()) == (0, 5, 0, 1, 0)
    world.check()
    (world.root / "b.png").write_bytes(content)
    os.utime(world.root / "b.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(world.run()) == (0, 6, 0, 0, 0)


def test_a_changed_fingerprint_means_all_again(world: World) -> None:
    assert counts(world.run(world.step(fingerprint="B"))) == (6, 0, 0, 0, 0)
    world.check()
    (world.root / "a.png").rename(world.root / "z.png")
    assert counts(world.run(world.step(fingerprint="C"))) == (6, 0, 0, 1, 0)
    world.check()


# --- failures ----------------------------------------------------------------------------------------------


def test_a_broken_photo_fails_once_until_it_changes_or_one_asks(world: World) -> None:
    broken = world.root / "broken.png"
    broken.write_bytes((world.root / "a.png").read_bytes()[:100])
    summary = world.run()
    assert counts(summary) == (1, 6, 0, 0, 1)
    assert (
        "cannot be decoded" in summary.failed["broken.png"] or "not an image" in summary.failed["broken.png"]
    )
    world.check()
    again = world.run()
    assert counts(again) == (0, 7, 0, 0, 1) and again.failed == summary.failed
    assert counts(world.run(retry_failed=True)) == (1, 6, 0, 0, 1)
    world.add("broken.png")
    assert counts(world.run()) == (1, 6, 0, 0, 0)
    assert world.given() == ["broken.png"]
    world.check()


def test_one_odd_photo_that_an_engine_cannot_prepare_does_not_end_the_run(world: World) -> None:
    class Picky(Engine):
        def prepare(self, photo: Photo, picture: DecodedPhoto) -> np.ndarray:
            if picture.image.width == 1:
                raise ValueError("mean must have 1 elements if it is an iterable")
            return super().prepare(photo, picture)

    Image.new("RGB", (1, 9)).save(world.root / "odd.png")
    world.add("new.png")
    other = world.step("other")
    summary = world.run(world.step(engine=Picky()), other)
    assert list(summary.failed) == ["odd.png"]
    assert "ValueError: mean must have" in summary.failed["odd.png"]
    seen, seen_by_other = world.table().read_processed(), world.table("other").read_processed()
    assert seen[compute_photo_id("odd.png")].error and seen[compute_photo_id("new.png")].error is None
    assert seen_by_other[compute_photo_id("odd.png")].error is None  # the other step could
    assert counts(world.run(world.step(engine=Picky()), other)) == (0, 8, 0, 0, 1)


def test_an_engine_names_photos_it_can_make_nothing_of(world: World) -> None:
    class Doubtful(Engine):
        def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
            rows = super().process(photo_ids, inputs).rows["colour"]
            bad = compute_photo_id("b.png")
            return BatchOutput(
                {"colour": rows.filter(pa.array([i != bad for i in photo_ids]))}, {bad: "too odd"}
            )

    summary = world.run(world.step(fingerprint="B", engine=Doubtful()))
    assert counts(summary) == (6, 0, 0, 0, 1) and summary.failed == {"b.png": "too odd"}
    world.check()


def test_batches_in_which_nothing_is_found_may_lack_columns(world: World) -> None:
    class Rare(Engine):
        def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
            result = super().process(photo_ids, inputs)
            if compute_photo_id("b.png") in photo_ids:
                return result
            return BatchOutput({"colour": pa.table({"photo_id": pa.array([], pa.int64())})})

    world.run(world.step(fingerprint="B", engine=Rare()), batch_size=1)
    ids, _ = world.table().read_vectors(world.table().read_processed().values())
    assert ids.tolist() == [compute_photo_id("b.png")]
    assert counts(world.run(world.step(fingerprint="B"))) == (0, 6, 0, 0, 0)


def test_a_photo_deleted_after_it_was_listed(world: World) -> None:
    world.add("x.png", "y.png")
    photos = world.photos
    (world.root / "x.png").unlink()
    summary = world.run(photos=photos)
    assert list(summary.failed) == ["x.png"] and "No such file" in summary.failed["x.png"]
    world.check()
    assert counts(world.run())[4] == 0


def test_a_photo_changed_after_it_was_listed_is_looked_at_again(world: World) -> None:
    world.add("x.png")
    photos = world.photos
    world.add("x.png", seed=77)
    world.run(photos=photos)
    assert counts(world.run()) == (1, 6, 0, 0, 0)
    world.check()


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
    assert counts(summary) == (7, 0, 0, 0, 0)
    assert sorted(decoded) == sorted([*(f"{name}.png" for name in "abcdef"), "new.png"])
    assert sorted(len(engine.given) for engine in world.engines) == [1, 7]
    world.check()
    world.check("other")
    decoded.clear()
    world.run(world.step(), world.step("other", "B"))
    assert len(decoded) == 7 and len(world.engines) == 1
    assert counts(world.run(world.step(), world.step("other", "B"))) == (0, 7, 0, 0, 0)


def test_one_step_alone_does_not_make_the_other_look_fresh(world: World) -> None:
    world.run(world.step("other"))
    world.touch("a.png")
    assert counts(world.run(world.step())) == (1, 5, 0, 0, 0)
    assert counts(world.run(world.step(), world.step("other"))) == (1, 5, 0, 0, 0)
    assert [engine.tables for engine in world.engines] == [("other",)]


def test_the_larger_side_is_decoded_for_both(world: World) -> None:
    sizes: list[tuple[int, int]] = []

    class Large(Engine):
        side = 300

        def prepare(self, photo: Photo, picture: DecodedPhoto) -> np.ndarray:
            sizes.append(picture.image.size)
            return super().prepare(photo, picture)

    draw(1, (2400, 1600)).save(world.root / "large.jpg")
    world.run(world.step(), world.step("other", engine=Large(("other",))))
    assert max(sizes) == (600, 400)


def two_tables(world: World, engine: Engine | None = None) -> StepSpec:
    step = world.step("one", engine=engine or Engine(("one", "two")))
    return StepSpec("both", (world.table("one"), world.table("two")), "A", step.make_processor)


def test_a_kill_between_the_tables_of_a_step_is_caught_up_with(
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
    assert len(world.table("one").read_processed()) == 6 and world.table("two").read_processed() == {}
    (world.root / "a.png").rename(world.root / "z.png")  # must not count as moved: table two has no row of it
    assert counts(world.run(two_tables(world)))[0] == 6
    for name in ("one", "two"):
        world.check(name)
    (world.root / "z.png").rename(world.root / "a.png")
    assert counts(world.run(two_tables(world)))[:3] == (0, 5, 1)
    for name in ("one", "two"):
        world.check(name)


# --- interruptions -----------------------------------------------------------------------------------------


class Dying(Engine):
    """Gives up at its third batch."""

    def __init__(self, error: type[BaseException]) -> None:
        super().__init__()
        self.error = error

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        if len(self.given) >= 4:
            raise self.error("in the middle")
        return super().process(photo_ids, inputs)


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, KeyboardInterrupt, SystemExit])
def test_what_was_done_before_an_error_is_kept(tmp_path: Path, error: type[BaseException]) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(9)))
    with pytest.raises(error, match="in the middle"):
        world.run(world.step(engine=Dying(error)), batch_size=2)
    assert counts(world.run(batch_size=2)) == (5, 4, 0, 0, 0)
    world.check()


def test_an_interrupt_in_the_progress_bar_keeps_what_was_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(9)))
    locked: list[bool] = []
    real = Table.append

    def progress(photos: Iterable[Photo], total: int) -> Iterator[Photo]:
        assert total == 9
        for number, photo in enumerate(photos):
            if number == 5:
                raise KeyboardInterrupt
            yield photo

    def append(self: Table, *args: Any) -> None:
        try:
            with Table(self.folder).lock():
                locked.append(False)
        except UserError:
            locked.append(True)
        real(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "append", append)
        with pytest.raises(KeyboardInterrupt):
            world.run(progress=progress, batch_size=2)
    assert locked == [True]
    assert counts(world.run()) == (3, 6, 0, 0, 0)
    world.check()


def test_the_progress_bar_sees_every_photo(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(9)))
    seen: list[str] = []

    def progress(photos: Iterable[Photo], total: int) -> Iterator[Photo]:
        for photo in photos:
            seen.append(photo.path)
            yield photo

    world.run(progress=progress)
    assert seen == [photo.path for photo in world.photos]


_RUN_AND_WAIT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import test_runner
from imagesearch.pipeline import runner
runner._PHOTOS_A_SHARD = 4

class Stuck(test_runner.Engine):
    def process(self, photo_ids, inputs):
        if len(self.given) >= 8:
            print("stuck", flush=True)
            time.sleep(100)
        return super().process(photo_ids, inputs)

world = test_runner.World.__new__(test_runner.World)
world.root, world.data = Path(sys.argv[2]) / "photos", Path(sys.argv[2]) / "data"
world.run(world.step(engine=Stuck()), batch_size=2)
"""


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(15)))
    command = [sys.executable, "-c", _RUN_AND_WAIT, str(ROOT / "tests"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "stuck\n"
        with pytest.raises(UserError, match="another run is writing here"):
            world.run()
        process.send_signal(signal.SIGKILL)
    (world.data / "colour" / "rows-000003.part").write_bytes(b"half")
    assert counts(world.run()) == (7, 8, 0, 0, 0)
    world.check()
    assert not list(world.data.rglob("*.part"))


# --- memory and threads ------------------------------------------------------------------------------------


def test_an_engine_that_wants_no_pixels_is_given_none_and_nothing_is_decoded(world: World) -> None:
    class Names(Engine):
        side = 0

        def prepare(self, photo: Photo, picture: DecodedPhoto | None) -> np.ndarray:
            assert picture is None
            return np.asarray([len(photo.path)], np.float32)

    (world.root / "no photo at all.jpg").write_bytes(b"x")
    summary = world.run(world.step(engine=Names()))
    assert counts(summary)[:1] == (1,) and not summary.failed


def test_only_so_many_photos_wait_for_the_engine(tmp_path: Path) -> None:
    class Watching(Engine):
        def __init__(self) -> None:
            super().__init__()
            self.prepared, self.most, self.lock = 0, 0, threading.Lock()

        def prepare(self, photo: Photo, picture: DecodedPhoto) -> np.ndarray:
            with self.lock:
                self.prepared += 1
                self.most = max(self.most, self.prepared - len(self.given))
            return super().prepare(photo, picture)

    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(60)))
    engine = Watching()
    world.run(world.step(engine=engine), batch_size=2, workers=8)
    assert engine.prepared == 60
    # the batch in the making, and those decoded ahead
    assert engine.most <= 2 + steps_module._BATCHES_AHEAD * 2


def test_no_batch_is_larger_than_asked_for_and_only_the_last_smaller(tmp_path: Path) -> None:
    sizes: list[int] = []

    class Measuring(Engine):
        def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
            sizes.append(len(photo_ids))
            return super().process(photo_ids, inputs)

    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(10)))
    world.run(world.step(engine=Measuring()), batch_size=4)
    assert sizes == [4, 4, 2]


def test_shards_are_committed_on_the_way_and_merged_when_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_module, "_PHOTOS_A_SHARD", 2)
    monkeypatch.setattr("imagesearch.pipeline.tables._MANY_SHARDS", 3)
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(10)))
    assert counts(world.run(batch_size=1)) == (10, 0, 0, 0, 0)
    assert len(world.table()._list_shards()) == 1
    world.check()
    assert counts(world.run()) == (0, 10, 0, 0, 0)


def test_previews_of_photos_that_are_gone_go_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    draw(1, (1800, 1200)).save(world.root / "large.png", compress_level=1)
    world.add("small.png")
    world.run()
    kept = list(world.data.rglob("*.jpg"))
    assert len(kept) == 1
    (world.root / "large.png").unlink()
    world.run()
    assert not kept[0].exists()
