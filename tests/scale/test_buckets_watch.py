"""Watching a bucket: its photos are kept while it does not answer, and new ones come when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from conftest import draw
from drawn import Drawn
from watch_stories import Story, read_paths, run_watch

if TYPE_CHECKING:
    from s3_server import S3Server

pytest_plugins = ["s3_server"]


def test_a_bucket_that_does_not_answer_keeps_its_photos(tmp_path, s3: S3Server) -> None:
    drawn = Drawn(tmp_path)
    draw(1).save(tmp_path / "a.jpg")
    s3.put("album/a.jpg", tmp_path / "a.jpg")
    draw(2).save(drawn.photos / "b.jpg")
    settings = yaml.safe_load(drawn.config_file.read_text("utf-8"))
    settings["dataset"]["images"] = ["photos", "s3://photos/album"]
    settings["downloads"] = {"retries": 0}
    drawn.config_file.write_text(yaml.safe_dump(settings), "utf-8")

    def story() -> Story:
        first = yield
        assert (first.new, first.failed) == (2, {})
        s3.stop()
        draw(3).save(drawn.photos / "c.jpg")  # an event, after which the bucket is listed too
        line = yield
        assert line.startswith("s3://photos/album: missing")
        batch = yield
        assert (batch.new, batch.gone, batch.photos) == (1, 0, 3)

        s3.start()
        s3.put("album/d.jpg", tmp_path / "a.jpg")
        draw(4).save(drawn.photos / "e.jpg")
        line = yield
        assert line == "s3://photos/album: back"
        batch = yield
        assert (batch.new, batch.gone, batch.photos) == (2, 0, 5)

    run_watch(drawn.config(), story)
    assert {"album/a.jpg", "album/d.jpg", "photos/c.jpg"} <= read_paths(drawn.config())
