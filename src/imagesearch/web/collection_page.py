"""The collection page: what the dataset consists of, and a button that runs the steps for new photos."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.pipeline import Dataset
from imagesearch.store import PhotoFacts, Vocabulary, list_named
from imagesearch.text_table import format_count
from imagesearch.web.frame import page_frame
from imagesearch.web.map_page import link_styles
from imagesearch.web.run_panel import RunPanel
from imagesearch.web.session import PhotoSession
from imagesearch.web.step_runs import StepRunner
from imagesearch.workflow import DatasetOverview, FailedPhoto, measure_sizes, read_overview

_SHOWN_FAILURES = 200
_SECONDS_BETWEEN_LOOKS = 0.4


@dataclass(frozen=True)
class CollectionFacts:
    """What the page shows.

    Attributes
    ----------
    overview
        Folders, models, collections, failed photos and notes.
    facts
        Facts about all photos of the collection; None before the first build.
    named, people
        The number of people with a name, and of all people.
    """

    overview: DatasetOverview
    facts: PhotoFacts | None
    named: int
    people: int


def register(session: PhotoSession, runner: StepRunner) -> None:
    """Register the page."""

    @ui.page("/collection")
    async def show_collection() -> None:
        with page_frame("Collection"):
            link_styles()
            with ui.element("div").classes("collection-page"):
                with ui.element("div").classes("collection-head"):
                    TextElement(tag="h1", text=session.library.config.dataset.name)
                    waiting = ui.label().classes("quiet-text").props("aria-live=polite")
                panel = RunPanel(runner)
                content = ui.element("div").props('aria-live="polite"')
        client = ui.context.client
        await client.connected()
        if client.is_deleted:  # a program that has loaded the page, and no browser
            return
        seen = -1

        async def look() -> None:
            nonlocal seen
            panel.show(runner.state)
            if seen != runner.finished_runs:
                seen = runner.finished_runs
                await _draw_content(session, runner, content)
                waiting.text = await asyncio.to_thread(describe_waiting, session.library.config)

        await look()
        ui.timer(_SECONDS_BETWEEN_LOOKS, look)


async def _draw_content(session: PhotoSession, runner: StepRunner, content: ui.element) -> None:
    try:
        found = await collect_facts(session)
        sizes = await asyncio.to_thread(measure_sizes, session.library.config)
    except UserError as error:
        content.clear()
        with content:
            ui.label(str(error)).classes("collection-note")
        return
    content.clear()
    with content:
        for note in found.overview.notes:
            ui.label(note).classes("collection-note")
        _draw_numbers(found)
        _draw_failures(merge_failures(found.overview.failed, runner.state.result.failed))
        with ui.element("div").classes("collection-columns"):
            _draw_folders(found.overview.folders)
            _draw_sizes(sizes)
            _draw_models(found.overview.models)
            _draw_collections(found.overview)


async def collect_facts(session: PhotoSession) -> CollectionFacts:
    """Return what the page shows; without photos before the first build.

    Raises
    ------
    UserError
        If a table cannot be read, or Milvus does not answer.
    """
    overview = await session.run(_read_overview)
    has_photos = any(collection.ref.kind != "faces" for collection in overview.collections)
    facts = (await session.album.load()).photos if has_photos else None
    people = (await session.run(lambda library: Vocabulary.read(library.dataset.folder))).people
    return CollectionFacts(overview, facts, len(list_named(people)), len(people))


def _read_overview(library: PhotoLibrary) -> DatasetOverview:
    store = None if library.config.milvus.is_missing else library.store
    return read_overview(library.config, library.dataset, store)


def describe_waiting(config: Config) -> str:
    """Return a line about the photos that the steps have not processed yet. It lists the folders."""
    try:
        dataset = Dataset(config)
        count = 0 if dataset.imported is not None else dataset.count_waiting("clip")
    except UserError as error:
        return str(error)
    return f"{format_count(count, 'new or changed photo')}" if count else "no new photos"


def merge_failures(known: Sequence[FailedPhoto], last_run: dict[str, str]) -> list[FailedPhoto]:
    """Return the photos that failed, also the files that the last run could not list."""
    paths = {photo.path for photo in known}
    more = [FailedPhoto(path, "", reason) for path, reason in last_run.items() if path not in paths]
    return sorted([*known, *more], key=lambda photo: photo.path)


def format_bytes(size: int) -> str:
    """Return a size on disk as ``12.3 MB``."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"


# --- parts of the page -------------------------------------------------------------------------------------


def _draw_numbers(found: CollectionFacts) -> None:
    facts = found.facts or PhotoFacts()
    numbers = {
        "photos": f"{len(facts):,}",
        "with faces": f"{int((facts.faces > 0).sum()):,}",
        "with a position": f"{int(facts.has_position.sum()):,}",
        "with a date": f"{int(facts.has_time.sum()):,}",
        "people": f"{found.people:,}",
        "people with a name": f"{found.named:,}",
    }
    with ui.element("dl").classes("collection-numbers"):
        for name, number in numbers.items():
            with ui.element("div"):
                TextElement(tag="dt", text=name)
                TextElement(tag="dd", text=number)


def _draw_failures(failed: Sequence[FailedPhoto]) -> None:
    if not failed:
        return
    with ui.element("section").classes("collection-card").props('aria-label="failed photos"'):
        TextElement(tag="h2", text=f"{format_count(len(failed), 'photo')} could not be processed")
        rows = [(photo.path, photo.step, photo.reason) for photo in failed[:_SHOWN_FAILURES]]
        _draw_table(("photo", "step", "reason"), rows)
        if len(failed) > len(rows):
            ui.label(f"and {len(failed) - len(rows):,} more").classes("quiet-text")


def _draw_folders(folders: Sequence[Path]) -> None:
    with ui.element("section").classes("collection-card"):
        TextElement(tag="h2", text="Folders")
        _draw_table((), [(str(folder),) for folder in folders])


def _draw_sizes(sizes: dict[str, int]) -> None:
    with ui.element("section").classes("collection-card"):
        TextElement(tag="h2", text="On the disk")
        _draw_table((), [(name, format_bytes(size)) for name, size in sizes.items()], numbers={1})


def _draw_models(models: dict[str, str]) -> None:
    with ui.element("section").classes("collection-card"):
        TextElement(tag="h2", text="Models")
        _draw_table((), list(models.items()))


def _draw_collections(overview: DatasetOverview) -> None:
    with ui.element("section").classes("collection-card"):
        TextElement(tag="h2", text="Collections in Milvus")
        if not overview.collections:
            ui.label("none yet").classes("quiet-text")
            return
        rows = [
            (one.ref.alias, f"{one.rows:,}", str(one.dimension), one.index.type)
            for one in overview.collections
        ]
        _draw_table(("name", "rows", "dimensions", "index"), rows, numbers={1, 2})


def _draw_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int] | frozenset[int] = frozenset()
) -> None:
    """Draw a table; the columns in `numbers` are aligned to the right."""
    with ui.element("table").classes("collection-table"), ui.element("tbody"):
        for row, tag in [*([(heads, "th")] if heads else []), *((row, "td") for row in rows)]:
            with ui.element("tr"):
                for column, text in enumerate(row):
                    cell = TextElement(tag=tag, text=text)
                    if column in numbers:
                        cell.classes("number")
