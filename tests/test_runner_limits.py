"""An interrupted run keeps the photos that were processed; memory and batches stay within limits."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, draw
from step_world import ColourProcessor, World, count_photos

from imagesearch.errors import UserError
from imagesearch.photos import DecodedPhoto, Photo
from imagesearch.pipeline import BatchOutput, local_engine
from imagesearch.pipeline import runner as runner_module
from imagesearch.pipeline.tables import Table

# --- interruptions -----------------------------------------------------------------------------------------


class Dying(ColourProcessor):
    """Raises an error at its third batch."""

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
        world.run(world.step(processor=Dying(error)), batch_size=2)
    assert count_photos(world.run(batch_size=2)) == (5, 4, 0, 0, 0)
    world.check()


def test_an_interrupt_in_the_progress_bar_keeps_what_was_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(9)))
    locked: list[bool] = []
    real = Table.append

    def progress(photos: Iterable[Photo], total: int) -> Iterator[Photo]:
        assert total == 9
        for number, photo in enumerate(photos):
            if number == 6:  # six photos are done
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
    assert count_photos(world.run()) == (3, 6, 0, 0, 0)
    world.check()


def test_the_progress_bar_counts_every_photo(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(9)))
    paths: list[str] = []

    def progress(photos: Iterable[Photo], total: int) -> Iterator[Photo]:
        for photo in photos:
            paths.append(photo.path)
            yield photo

    world.run(progress=progress)
    assert paths == [photo.path for photo in world.photos]


def test_the_progress_bar_ends_when_the_last_photo_is_processed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(5)))
    processor = ColourProcessor()

    def progress(photos: Iterable[Photo], total: int) -> Iterator[Photo]:
        yield from photos
        assert len(processor.given) == total == 5

    world.run(world.step(processor=processor), progress=progress)


_RUN_AND_WAIT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import step_world
from imagesearch.pipeline import runner
runner._PHOTOS_A_SHARD = 4

class Stuck(step_world.ColourProcessor):
    def process(self, photo_ids, inputs):
        if len(self.given) >= 8:
            print("stuck", flush=True)
            time.sleep(100)
        return super().process(photo_ids, inputs)

world = step_world.World.__new__(step_world.World)
world.root, world.data = Path(sys.argv[2]) / "photos", Path(sys.argv[2]) / "data"
world.run(world.step(processor=Stuck()), batch_size=2)
"""


def test_after_a_kill_the_next_run_processes_only_the_rest(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(15)))
    command = [sys.executable, "-c", _RUN_AND_WAIT, str(ROOT / "tests"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "stuck\n"
        with pytest.raises(UserError, match="another run is writing here"):
            world.run()
        process.send_signal(signal.SIGKILL)
    (world.data / "colour" / "rows-000003.part").write_bytes(b"half")
    assert count_photos(world.run()) == (7, 8, 0, 0, 0)
    world.check()
    assert not list(world.data.rglob("*.part"))


# --- memory and threads ------------------------------------------------------------------------------------


def test_a_limited_number_of_photos_wait_for_the_processor(tmp_path: Path) -> None:
    class Watching(ColourProcessor):
        def __init__(self) -> None:
            super().__init__()
            self.prepared, self.most, self.lock = 0, 0, threading.Lock()

        def prepare(self, photo: Photo, decoded: DecodedPhoto) -> np.ndarray:
            with self.lock:
                self.prepared += 1
                self.most = max(self.most, self.prepared - len(self.given))
            return super().prepare(photo, decoded)

    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(60)))
    processor = Watching()
    world.run(world.step(processor=processor), batch_size=2, workers=8)
    assert processor.prepared == 60
    # the current batch, and the photos decoded ahead
    assert processor.most <= 2 + local_engine._BATCHES_AHEAD * 2


def test_all_batches_but_the_last_have_the_requested_size(tmp_path: Path) -> None:
    sizes: list[int] = []

    class Measuring(ColourProcessor):
        def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
            sizes.append(len(photo_ids))
            return super().process(photo_ids, inputs)

    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(10)))
    world.run(world.step(processor=Measuring()), batch_size=4)
    assert sizes == [4, 4, 2]


def test_shards_are_committed_on_the_way_and_merged_when_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "_PHOTOS_A_SHARD", 2)
    monkeypatch.setattr("imagesearch.pipeline.tables._MANY_SHARDS", 3)
    world = World(tmp_path)
    world.add(*(f"{i}.png" for i in range(10)))
    assert count_photos(world.run(batch_size=1)) == (10, 0, 0, 0, 0)
    assert len(world.open_table()._list_shards()) == 1
    world.check()
    assert count_photos(world.run()) == (0, 10, 0, 0, 0)


def test_previews_of_deleted_photos_are_removed(tmp_path: Path) -> None:
    world = World(tmp_path)
    draw(1, (1800, 1200)).save(world.root / "large.png", compress_level=1)
    world.add("small.png")
    world.run()
    kept = list(world.data.rglob("*.jpg"))
    assert len(kept) == 1
    (world.root / "large.png").unlink()
    world.run()
    assert not kept[0].exists()
