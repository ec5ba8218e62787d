"""What the map, the timeline and the collection page compute, without a browser."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from drawn import Drawn

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.serving import (
    RunState,
    StepProgress,
    describe_progress,
    format_duration,
    make_step_command,
    write_config_line,
)
from imagesearch.serving.step_process import report_progress
from imagesearch.serving.step_runs import read_config_line
from imagesearch.store import PhotoFacts, VocabularyTrip
from imagesearch.web.collection_page import format_bytes, merge_failures
from imagesearch.web.map_page import pack_positions
from imagesearch.web.map_shapes import check_view, render_shapes
from imagesearch.web.run_panel import describe_state
from imagesearch.web.timeline_page import choose_photos, pack_days
from imagesearch.workflow import FailedPhoto

DAY = 86_400
FACTS = PhotoFacts(
    ids=np.array([5, -4, 3, 2]),
    has_time=np.array([True, True, True, False]),
    times=np.array([2 * DAY + 5, 2 * DAY, -DAY, 0]),
    has_position=np.array([True, False, True, True]),
    latitudes=np.array([15.5, 0, -33.9, 48.9]),
    longitudes=np.array([73.8, 0, 151.2, 2.3]),
    faces=np.array([1, 0, -1, 2]),
    cities=np.array(["Goa", "", "Sydney", "Goa"], object),
)


def test_positions_are_packed_for_the_browser() -> None:
    packed = pack_positions(FACTS)

    def read(name: str, kind: str) -> list:
        return np.frombuffer(base64.b64decode(packed[name]), kind).tolist()

    assert packed["photos"] == 4 and packed["cities"] == ["Goa", "Sydney"]
    assert [packed["cities"][i] for i in read("city", "<u4")] == ["Goa", "Sydney", "Goa"]
    assert read("ids", "<i8") == [5, 3, 2]
    assert read("positions", "<f4") == pytest.approx([73.8, 15.5, 151.2, -33.9, 2.3, 48.9], abs=1e-4)


def test_an_empty_collection_has_no_positions_and_no_days() -> None:
    assert pack_positions(PhotoFacts())["ids"] == ""
    assert pack_days(PhotoFacts(), ()) == {"days": [], "counts": [], "undated": 0, "trips": []}
    assert choose_photos(PhotoFacts(), 0, 10) == []


def test_days_are_counted_also_before_1970() -> None:
    trips = (VocabularyTrip("Goa", 2, 2 * DAY, 3 * DAY - 1),)
    packed = pack_days(FACTS, trips)
    assert packed["days"] == [-1, 2] and packed["counts"] == [1, 2] and packed["undated"] == 1
    assert packed["trips"] == [{"name": "Goa", "first": 2, "last": 2, "photos": 2}]


def test_photos_of_a_range_are_in_order_and_evenly_chosen() -> None:
    assert choose_photos(FACTS, 2, 3) == [-4, 5]
    assert choose_photos(FACTS, 0, 2) == [] and choose_photos(FACTS, -(10**30), 10**30)[0] == 3
    many = np.arange(1000)
    facts = PhotoFacts(ids=many, has_time=many >= 0, times=(1000 - many) * DAY)
    chosen = choose_photos(facts, 0, 2000)
    assert len(chosen) == 24 and chosen[0] == 999 and chosen[-1] == 0


@pytest.mark.parametrize(
    "view",
    [
        (17, 0, 1, 0, 1),
        (-1, 0, 0, 0, 0),
        (9, 0, 60, 0, 5),
        (0, -1, 1, 0, 0),
        (3, 4, 3, 0, 1),
        (2, 0, 1, 0, 9),
    ],
)
def test_other_views_are_refused(view: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(UserError, match="no such view"):
        check_view(*view)


def test_shapes_are_simpler_the_farther_away() -> None:
    world = json.loads(render_shapes(check_view(1, 0, 1, 0, 1)))
    italy = json.loads(render_shapes(check_view(6, 33, 35, 22, 24)))
    assert world["land"] and world["coasts"] and world["borders"] and italy["land"] and italy["borders"]
    assert len(json.dumps(world)) < 400_000 and len(json.dumps(italy)) < 400_000
    assert all(abs(latitude) <= 85.06 for ring in world["land"] for latitude in ring[1::2])


def test_the_state_of_a_run_follows_the_messages() -> None:
    state = RunState("running")
    progress = {
        "kind": "progress",
        "label": "faces",
        "unit": "photo",
        "done": 20,
        "total": 60,
        "seconds": 10.0,
    }
    state = state.apply(progress)
    assert state.progress is not None
    assert describe_state(state) == "faces: 20 of 60 photos, 2 photos/s, 20 s left"
    state = state.apply({"kind": "line", "text": "02 faces: 60 new"})
    assert state.lines == ("02 faces: 60 new",) and state.progress is None and state.is_active
    done = {"kind": "done", "failed": {"a.jpg": "broken"}, "skipped": {}, "notes": [], "seconds": 70.0}
    assert describe_state(state.apply(done)) == "done in 1 min; 1 photo failed"
    assert state.apply({"kind": "stopped"}).outcome == "stopped"
    failed = state.apply({"kind": "error", "text": "another run"})
    assert failed.outcome == "failed" and failed.message == "another run" and not failed.is_active


def test_the_numbers_of_a_run_are_readable() -> None:
    assert describe_progress(StepProgress("features", "photo", 0, 1, 0.0)) == "features: 0 of 1 photo"
    assert [format_duration(s) for s in (0.2, 59, 61, 3599, 7800)] == [
        "1 s",
        "59 s",
        "1 min",
        "1 h 0 min",
        "2 h 10 min",
    ]
    assert [format_bytes(n) for n in (0, 999, 1500, 123_456, 2_500_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "123 kB",
        "2.5 GB",
    ]


def test_progress_is_reported_at_the_start_and_at_the_end() -> None:
    messages: list[dict] = []
    assert list(report_progress(messages.append, iter("abc"), 3, "face", "clip")) == ["a", "b", "c"]
    assert [(m["label"], m["unit"], m["done"], m["total"]) for m in messages] == [
        ("clip", "face", 0, 3),
        ("clip", "face", 3, 3),
    ]
    assert list(report_progress(messages.append, [], 0)) == [] and len(messages) == 2


def test_failed_photos_are_listed_once() -> None:
    known = [FailedPhoto("b.jpg", "02 faces", "truncated")]
    merged = merge_failures(known, {"b.jpg": "truncated", "a/": "no permission"})
    assert merged == [FailedPhoto("a/", "", "no permission"), *known]


def test_a_config_is_the_same_in_the_process_of_the_steps(tmp_path: Path) -> None:
    names = ("café", os.fsdecode(b"caf\xe9"))  # the second name is not valid UTF-8
    drawn = Drawn(tmp_path / "ä")
    config = drawn.config(
        "dataset.exclude=[x*, y]", "milvus.uri=http://host:19530", "milvus.token=a:b", "search.top_k=7"
    )
    folders = tuple(tmp_path / name for name in names)
    changed = config.model_copy(update={"dataset": config.dataset.model_copy(update={"images": folders})})
    for one in (config, changed, load_config(ROOT / "config.yaml")):
        assert read_config_line(write_config_line(one)) == one


def test_the_process_reports_an_error_as_one_line(tmp_path: Path) -> None:
    drawn = Drawn(tmp_path)  # without photos
    config = write_config_line(drawn.config())
    process = subprocess.Popen(make_step_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(config)
    process.stdin.flush()
    messages = [json.loads(line) for line in process.stdout]
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 0
    assert [message["kind"] for message in messages] == ["error"] and "photos" in messages[0]["text"]
