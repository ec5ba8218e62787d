"""The map, the timeline and the collection page, which share what was read about all photos."""

from __future__ import annotations

from nicegui import app as nicegui_app

from imagesearch.web import collection_page, map_page, timeline_page
from imagesearch.web.session import PhotoSession
from imagesearch.web.step_runs import StepRunner


def register(session: PhotoSession) -> None:
    """Register the three pages; a run of the steps is stopped with the server."""
    runner = StepRunner(session)
    nicegui_app.on_shutdown(runner.close)
    map_page.register(session)
    timeline_page.register(session)
    collection_page.register(session, runner)
