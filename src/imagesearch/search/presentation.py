"""Stage 6, present: the fields shown for each photo, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from imagesearch.local_times import make_time
from imagesearch.photos import is_present
from imagesearch.search.answer import Answer, SearchResult
from imagesearch.search.gone_photos import list_gone_notes
from imagesearch.search.judgement import JudgedPhotos
from imagesearch.search.notes import collect_notes
from imagesearch.search.ranking import RankedHit
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources
from imagesearch.search.scope import SearchScope
from imagesearch.search.target import SearchTarget
from imagesearch.search.union import find_fulfilled_parts
from imagesearch.store import PHOTO_FIELDS, get_columns

_SHOWN_FIELDS = (
    *("path", "class_label", "class_score", "face_labels", "has_time", "taken_at"),
    *("address", "city", "country", "indexed_at", "time_source", "time_precision", "description", "trip"),
    "has_gps",
)
_UNKNOWN = {item.name: item.unknown for item in PHOTO_FIELDS if item.name in _SHOWN_FIELDS}


def present_answer(
    request: ParsedRequest,
    scope: SearchScope,
    target: SearchTarget,
    judged: JudgedPhotos,
    resources: SearchResources,
) -> Answer:
    """Read the fields of the photos to show, and return the answer."""
    retrieved, photo_count = judged.retrieved, scope.collection.rows
    filter_expression = resources.store.format_filter(retrieved.condition)
    fields_by_id = _read_shown_fields(judged.ranking, scope, resources)
    results = _make_results(judged.ranking, fields_by_id, request, scope, judged, resources)
    notes = collect_notes(request, scope, target, judged, set(fields_by_id), resources)
    return Answer(
        request.query,
        request.parsed,
        results,
        filter_expression=filter_expression,
        relaxed=retrieved.relaxed,
        candidates=retrieved.passing_count if filter_expression else photo_count,
        photos=photo_count,
        nothing_fits=judged.nothing_fits,
        notes=(*notes, *list_gone_notes(results, resources.dataset)),
    )


def read_results(
    ranking: Sequence[RankedHit],
    request: ParsedRequest,
    scope: SearchScope,
    judged: JudgedPhotos,
    resources: SearchResources,
) -> tuple[SearchResult, ...]:
    """Read some of the judged photos. Ranks are those within `ranking`."""
    fields_by_id = _read_shown_fields(ranking, scope, resources)
    return _make_results(ranking, fields_by_id, request, scope, judged, resources)


def _read_shown_fields(
    ranking: Sequence[RankedHit], scope: SearchScope, resources: SearchResources
) -> dict[int, dict[str, Any]]:
    """Return the fields by photo id, without photos that were deleted since they were retrieved.

    Fields that the collection of an earlier version lacks are unknown.
    """
    ids = [ranked.hit.id for ranked in ranking]
    fields = [name for name in _SHOWN_FIELDS if name in scope.collection.field_types]
    fields += scope.collection.extra.values()
    rows = resources.store.read_rows(scope.collection.ref, ids, fields) if ids else []
    return {row.id: _UNKNOWN | row.fields for row in rows}


def _make_results(
    ranking: Sequence[RankedHit],
    fields_by_id: Mapping[int, dict[str, Any]],
    request: ParsedRequest,
    scope: SearchScope,
    judged: JudgedPhotos,
    resources: SearchResources,
) -> tuple[SearchResult, ...]:
    present = [ranked for ranked in ranking if ranked.hit.id in fields_by_id]
    fulfilled_by_id = {}
    if request.query.strategy == "union":
        ids = [ranked.hit.id for ranked in present]
        fulfilled_by_id = find_fulfilled_parts(resources.store, scope.collection.ref, ids, scope.plan.parts)
    return tuple(
        replace(
            _make_result(rank, ranked, fields_by_id[ranked.hit.id], resources),
            columns=get_columns(fields_by_id[ranked.hit.id], scope.collection.extra),
            burst_count=judged.burst_counts.get(ranked.hit.id, 0),
            fulfils=fulfilled_by_id.get(ranked.hit.id),
        )
        for rank, ranked in enumerate(present, 1)
    )


def _make_result(
    rank: int, ranked: RankedHit, fields: dict[str, Any], resources: SearchResources
) -> SearchResult:
    taken_at, seconds = make_time(fields["taken_at"]), fields["indexed_at"]
    file = resources.dataset.locate_file(fields["path"])
    return SearchResult(
        rank=rank,
        path=fields["path"],
        score=ranked.hit.score,
        file=file,
        class_label=fields["class_label"],
        class_score=fields["class_score"],
        people=tuple(fields["face_labels"]),
        marked=tuple(
            n for n in resources.vocabulary.marked.get(fields["path"], ()) if n in fields["face_labels"]
        ),
        address=fields["address"],
        city=fields["city"],
        country=fields["country"],
        taken_at=taken_at.isoformat() if fields["has_time"] else "",
        calibrated_score=ranked.calibrated_score,
        indexed_at=f"{make_time(seconds).isoformat()}Z" if seconds else "",
        time_source=fields["time_source"],
        time_precision=fields["time_precision"],
        description=fields["description"],
        gone=resources.dataset.imported is None and not is_present(file),
        trip=fields["trip"],
        trip_by=("position" if fields["has_gps"] else "time") if fields["trip"] else "",
    )
