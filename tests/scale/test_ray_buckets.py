"""Photos in a bucket through Ray: its processes read the objects themselves."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import numpy as np
import pytest
from conftest import ROOT
from test_buckets import PHOTOS, TABLES, read_tables, use_bucket

from imagesearch.errors import BucketUnavailableError
from imagesearch.photos import Photo
from imagesearch.pipeline.summary import OutageDetector, check_outage
from imagesearch_demo.scoring import make_demo_config

if TYPE_CHECKING:
    from s3_server import S3Server

pytest_plugins = ["s3_server", "test_buckets"]
RAY = ("--set", "extraction.engine=ray", "--set", "extraction.workers=2")
PARTS = 60  # of the photos in an outage; a task prepares one


def run_with_ray(folder: Path, script: str, *options: str, code: int = 0) -> str:
    """Run a script in its own process, whose Ray has the credentials of the bucket; return its stderr."""
    command = [sys.executable, str(ROOT / "scripts" / script), "-c", "config.yaml", *RAY, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stderr


def test_a_bucket_that_is_gone_for_a_while_gives_the_tables_of_the_folder(
    s3: S3Server, album: Path, tmp_path: Path
) -> None:
    s3.put_folder(album / "album", "album")
    make_demo_config(tmp_path, Path("replaced"))
    use_bucket(tmp_path, "s3://photos/album")
    reads = count()
    s3.refuse = lambda key: 503 if next(reads) >= 5 else 0
    error = run_with_ray(tmp_path, "01_extract_features.py", code=2)
    reason = f"ServiceUnavailable (Ray worker on {platform.node()})"
    assert f"the bucket does not answer ({reason}); " in error and "left for the next run" in error
    s3.refuse = lambda key: 0
    s3.take_reads()
    for script in ("01_extract_features.py", "02_cluster_faces.py", "04_extract_geo.py"):
        run_with_ray(tmp_path, script)
    assert len(set(s3.take_reads())) < PHOTOS, "objects that were read before the outage are not read again"
    found, expected = read_tables(tmp_path), read_tables(album)
    for name in TABLES:
        assert found[f"{name} entries"] == expected[f"{name} entries"]
        assert_equal_rows(found[name], expected[name])


def test_an_outage_ends_the_run_before_each_task_has_asked(s3: S3Server, tmp_path: Path) -> None:
    def refuse(key: str) -> int:
        sleep(0.2)
        return 503

    s3.refuse = refuse
    for number in range(PARTS * 5):
        s3.put(f"album/{number:03d}.jpg", b"not read")
    make_demo_config(tmp_path, Path("replaced"))
    use_bucket(tmp_path, "s3://photos/album")
    options = ("--set", "extraction.batch_size=5", "--set", "downloads.retries=0")
    error = run_with_ray(tmp_path, "01_extract_features.py", *options, code=2)
    assert "s3://photos/album/000.jpg: the bucket does not answer (ServiceUnavailable" in error
    assert f"{PARTS * 5} photos are left" in error
    assert len(s3.take_reads()) < PARTS * 5 / 2, "each task asks for five photos"


def assert_equal_rows(found: list[dict], expected: list[dict]) -> None:
    """Compare rows; numbers that were computed in other batches can differ in the last digits."""

    def get_key(row: dict) -> list[int]:
        return [row.get(name, 0) for name in ("photo_id", "rank", "face")]

    for row, other in zip(sorted(found, key=get_key), sorted(expected, key=get_key), strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            if name in ("vector", "embedding"):
                assert np.dot(value, other[name]) >= 0.9999
            elif isinstance(value, float) or name in ("box", "landmarks"):
                assert value == pytest.approx(other[name], rel=1e-3)
            else:
                assert value == other[name], name


@pytest.mark.parametrize(
    ("missing", "processed", "is_outage"),
    [
        ([1, 2, 3, 4], 100, False),
        ([1, 3, 5, 7, 9], 100, False),
        ([1, 2, 3, 4, 5], 100, True),
        (range(0, 20, 2), 100, True),
        ([0, 2, 4, 6, 8], 16, True),
    ],
)
def test_what_an_outage_is(missing: Iterable[int], processed: int, is_outage: bool) -> None:
    photos = [Photo(number, str(number), Path(str(number)), 1, 1) for number in range(processed)]
    unavailable = {str(number): "ServiceUnavailable" for number in missing}
    with pytest.raises(BucketUnavailableError) if is_outage else nullcontext():
        check_outage(photos, unavailable)


@pytest.mark.parametrize(
    ("results", "is_outage"),
    [
        ([[7], [9], [6], [8]], [False] * 4),
        ([[7], [9], [6], [8], [5]], [False] * 4 + [True]),
        ([[0, 1], [], [3, 4], [2]], [False] * 3 + [True]),
        ([[0, 2, 4, 6], list(range(20, 30, 2)), [50]], [False, False, True]),
    ],
)
def test_an_outage_is_found_in_any_order(results: list[list[int]], is_outage: list[bool]) -> None:
    detector = OutageDetector([Photo(n, str(n), Path(str(n)), 1, 1) for n in range(100)])
    assert [detector.add(map(str, numbers)) for numbers in results] == is_outage
