"""A grid of photos: `PhotoGrid` sends photos to ``static/photo_grid.js`` as plain data, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nicegui.element import Element

from imagesearch.library import PhotoLibrary
from imagesearch.photos import compute_photo_id
from imagesearch.search import Answer, SearchResult, get_min_face_score
from imagesearch.store import CollectionRef
from imagesearch.text import is_numbered_label
from imagesearch.web.alt_texts import describe_result, format_day, join_names
from imagesearch.web.downloads import MAX_PHOTOS
from imagesearch.web.photo_ids import format_photo_id

RELEVANT = 0.5
"""Photos with a lower calibrated score are less alike."""


@dataclass(frozen=True)
class GridPhoto:
    """A photo as the grid shows it.

    Attributes
    ----------
    id
        The id in addresses.
    alt
        What the photo shows, for those who do not see it: people, place, date and class.
    caption
        The line below the photo, when it is pointed at.
    aspect
        Width divided by height, upright.
    fits
        Whether the photo shows what was searched for.
    section
        The heading of photos that belong together: a day. Empty if there are no sections.
    """

    id: str
    alt: str
    caption: str
    aspect: float
    fits: bool = True
    section: str = ""


class PhotoGrid(Element, component="static/photo_grid.js"):
    """A grid that requests more photos at its end.

    Parameters
    ----------
    on_more
        Is called with the generation and the number of photos shown, when the end of the grid comes near.
    on_copy
        Is called with the ids of the photos whose paths are to be copied; see `offer_text`.
    on_name
        Is called with the ids of the photos in which a person is to be named.
    """

    def __init__(
        self,
        on_more: Callable[[int, int], Any] | None = None,
        on_copy: Callable[[Sequence[str]], Any] | None = None,
        on_name: Callable[[Sequence[str]], Any] | None = None,
    ) -> None:
        super().__init__()
        self._generation = 0
        self._props["batch"] = {"generation": 0, "items": [], "done": True}
        self._props["maxDownload"] = MAX_PHOTOS
        if on_more:
            self.on("more", lambda event: on_more(event.args["generation"], event.args["count"]))
        if on_copy:
            self.on("copy", lambda event: on_copy(event.args["ids"]))
        if on_name:
            self.on("name", lambda event: on_name(event.args["ids"]))

    @property
    def generation(self) -> int:
        """The number of the answer that is shown."""
        return self._generation

    def show(
        self, photos: Iterable[GridPhoto], *, done: bool, address: str | None = None, empty: str = ""
    ) -> int:
        """Show other photos in place of those shown, and return their generation.

        Parameters
        ----------
        photos
            The first photos.
        done
            Whether there are no more.
        address
            The address of the search, for the links to the photos; None if they cannot lead back to it.
        empty
            What to show if there are no photos.
        """
        self._generation += 1
        self._props["batch"] = {
            "generation": self._generation,
            "items": [asdict(photo) for photo in photos],
            "done": done,
            "address": address,
            "empty": empty,
        }
        self.update()
        return self._generation

    def append(self, photos: Iterable[GridPhoto], *, done: bool) -> None:
        """Show more photos after those shown."""
        batch = self._props["batch"]
        self._props["batch"] = batch | {
            "items": [asdict(photo) for photo in photos],
            "done": done,
            "part": batch.get("part", 0) + 1,
        }
        self.update()

    def clear_selection(self) -> None:
        """Select no photo."""
        self.run_method("clear")

    def offer_text(self, text: str) -> None:
        """Copy a text, or show it in a box if the browser refuses the clipboard."""
        self.run_method("offerText", text)


def make_grid_photos(
    answer: Answer,
    results: Sequence[SearchResult],
    aspects: Mapping[int, float],
    min_score: float | None = None,
) -> list[GridPhoto]:
    """Return results of an answer as photos of a grid.

    Parameters
    ----------
    answer
        The answer.
    results
        Some of its photos.
    aspects
        Width divided by height by photo id.
    min_score
        Photos with a lower score are less alike, if scores have no calibration; see `get_min_face_score`.
    """
    by_day = is_sorted_by_date(answer)
    photos = []
    for result in results:
        photo_id = compute_photo_id(result.path)
        names = [name for name in result.names if not is_numbered_label(name)]
        caption = " · ".join(filter(None, (join_names(names), result.city or result.country, result.date)))
        photos.append(
            GridPhoto(
                id=format_photo_id(photo_id),
                alt=describe_result(result),
                caption=caption or result.path.rpartition("/")[2],
                aspect=min(max(aspects.get(photo_id) or 1.0, 0.3), 4.0),
                fits=not answer.nothing_fits and _is_relevant(result, min_score),
                section=format_day(result.date, is_short=True) if by_day else "",
            )
        )
    return photos


def read_grid_photos(
    library: PhotoLibrary, answer: Answer, results: Sequence[SearchResult]
) -> list[GridPhoto]:
    """Return some photos of an answer as the grid shows them; in the thread of the library."""
    resources = library.searcher.resources
    ids = [compute_photo_id(result.path) for result in results]
    kind = "vit" if answer.query.by == "vit" or not resources.has_collection("clip") else "clip"
    aspects = read_aspects(library.store, resources.get_collection_ref(kind), ids)
    least = get_min_face_score(resources) if answer.is_ranked_by_face else None
    return make_grid_photos(answer, results, aspects, least)


def _is_relevant(result: SearchResult, min_score: float | None) -> bool:
    if result.calibrated_score is not None:
        return result.calibrated_score >= RELEVANT
    return min_score is None or result.score is None or result.score >= min_score


def is_sorted_by_date(answer: Answer) -> bool:
    """Whether the photos are shown by date: as requested, or because nothing ranks them."""
    is_ranked = any(result.score is not None for result in answer.results)
    return answer.query.sort != "score" or not (is_ranked or answer.relaxed)


def read_aspects(store: Any, ref: CollectionRef, ids: Sequence[int]) -> dict[int, float]:
    """Return width divided by height of photos, upright; in the thread of the library."""
    if not ids or "aspect" not in store.collections.open(ref).field_types:
        return {}
    return {row.id: row.fields["aspect"] for row in store.read_rows(ref, list(ids), ["aspect"])}
