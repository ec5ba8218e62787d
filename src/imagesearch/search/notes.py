"""The notes of an answer: on relaxed filters, missing results, ignored options and outdated data."""

from __future__ import annotations

from collections.abc import Collection

from imagesearch.filters import Eq
from imagesearch.query import Criteria
from imagesearch.search.judgement import JudgedPhotos
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources
from imagesearch.search.retrieval import RetrievedPhotos
from imagesearch.search.scope import SearchScope
from imagesearch.search.target import SearchTarget
from imagesearch.store import CollectionInfo, list_named, suggest_names


def collect_notes(
    request: ParsedRequest,
    scope: SearchScope,
    target: SearchTarget,
    judged: JudgedPhotos,
    shown: Collection[int],
    resources: SearchResources,
) -> tuple[str, ...]:
    """Return the notes, the most important first.

    Parameters
    ----------
    shown
        Ids of the photos that are shown.
    """
    retrieved = judged.retrieved
    misfit = _describe_misfit(request, judged, shown)
    is_explained = bool(shown or retrieved.note or misfit or scope.notes)
    notes = (
        *(request.parsed.notes if scope.plan.is_missing_place else ()),
        _describe_relaxation(retrieved, scope, shown),
        misfit,
        "" if is_explained else _explain_no_results(request, retrieved),
        *(() if scope.plan.is_missing_place else request.parsed.notes),
        _describe_left_out(request, target, retrieved, resources),
        _describe_texts(request, retrieved, shown),
        *_list_face_notes(target),
        *(() if scope.collection.is_imported else scope.notes),
        *([] if scope.collection.is_imported else _list_unknown_names(request, resources)),
        *_list_dataset_notes(request, scope, target, retrieved, resources),
        *_list_ignored_limits(request, judged),
        "names have changed since the collections were built; run 05_build_collections.py"
        if resources.has_unbuilt_edits
        else "",
        resources.find_unbuilt_changes().note,
        resources.take_upgrade_note(),
    )
    return tuple(filter(None, notes))


def _describe_misfit(request: ParsedRequest, judged: JudgedPhotos, shown: Collection[int]) -> str:
    if not judged.nothing_fits:
        return ""
    return f"nothing here looks like {request.parsed.topic!r}{'; the nearest follow' if shown else ''}"


def _describe_left_out(
    request: ParsedRequest, target: SearchTarget, retrieved: RetrievedPhotos, resources: SearchResources
) -> str:
    """Return how many photos were left out because they show something excluded."""
    if not request.parsed.excluded:
        return ""
    shown = " or ".join(repr(content.caption) for content in request.parsed.excluded)
    count = retrieved.left_out_count
    if resources.score_bands is not None:
        verb = "photo that shows" if count == 1 else "photos that show"
        return f"left out {count} {verb} {shown}" if count else ""
    reason = "the scores of this collection cannot be calibrated"
    if target.vector is None:
        return f"photos that show {shown} could not be left out: {reason}"
    verb = "photo that looks" if count == 1 else "photos that look"
    return f"left out {count} {verb} more like {shown} than like the query: {reason}"


def _describe_texts(request: ParsedRequest, retrieved: RetrievedPhotos, shown: Collection[int]) -> str:
    """Return how many of the first photos have the texts after ``text:`` in their description."""
    count = len(retrieved.described_ids & set(shown))
    if not count:
        return ""
    texts = " and ".join(map(repr, request.parsed.quoted))
    are = "photo has" if count == 1 else f"{count} photos have"
    return f"the first {are} {texts} in the description, names or places"


def _describe_relaxation(retrieved: RetrievedPhotos, scope: SearchScope, shown: Collection[int]) -> str:
    """Return a note that no photo passed the filter, and which filters the photos shown passed instead."""
    used = [
        "the nearest of all" if relaxed.description == "anything" else relaxed.description
        for relaxed, hits in zip(retrieved.relaxed, retrieved.hits_by_attempt, strict=False)
        if any(hit.id in shown for hit in hits)
    ]
    if not used:
        return retrieved.note
    if scope.plan.is_missing_place and used == [scope.plan.parts[0].relaxations[0].description]:
        return ""  # the parser's note names the nearest place
    return "; ".join(filter(None, (retrieved.note, f"these are {', then '.join(used)}")))


def _explain_no_results(request: ParsedRequest, retrieved: RetrievedPhotos) -> str:
    query, has_vector = request.query, request.visual_query.has_vector
    if retrieved.found_itself and not retrieved.hits:
        among = " passes the filter" if query.has_filter or query.folder else ""
        return f"no other photo{among}; --with-itself also shows the photo that was searched with"
    limits = [(query.min_score, "scores"), (query.min_fit, "fits with")]
    reasons = [f"nothing {verb} {value:g} or more" for value, verb in limits if value is not None]
    if reasons and (retrieved.hits or (query.face and not has_vector)):
        return reasons[0]
    if query.sort == "oldest" and retrieved.hits:
        return "the time of these photos is unknown, so none is the oldest"
    if query.strategy == "hybrid":
        return "no photo that passes the filter has any of these words"
    if query.has_filter or query.face:
        return "no photo passes the filter"
    return f"no photos below {query.folder}" if query.folder else ""


def _list_face_notes(target: SearchTarget) -> list[str]:
    if target.face is None:
        return []
    decides_ranking = target.vector is None
    is_unknown = decides_ranking and not target.face.is_known
    return [target.face.note, "the nearest faces follow"] if is_unknown else [target.face.note]


def _list_unknown_names(request: ParsedRequest, resources: SearchResources) -> list[str]:
    """Return notes on words that are probably names of people, and that nobody has."""
    typed = request.parsed.unknown_names
    if not typed or resources.has_unbuilt_edits:  # the names may be among the edits
        return []
    named = list_named(resources.vocabulary.people)
    if not named:
        words = " and ".join(f'"{name}"' for name in typed)
        first = "" if resources.vocabulary.people else "run 02_cluster_faces.py, then "
        verb = "is" if len(typed) == 1 else "are"
        advice = f"{first}name people with 03_name_people.py --interactive"
        return [f"nobody is named yet, so {words} {verb} read as text; {advice}"]
    notes = []
    for name in typed:
        similar = suggest_names(name, named)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "name people with 03_name_people.py"
        notes.append(f'nobody is called "{name}"; {hint}')
    return notes


def _list_dataset_notes(
    request: ParsedRequest,
    scope: SearchScope,
    target: SearchTarget,
    retrieved: RetrievedPhotos,
    resources: SearchResources,
) -> list[str]:
    """Return notes on steps that should be run, and on imported vectors."""
    people, notes = request.parsed.people, []
    if scope.collection.state != "ready":
        notes.append(
            "the collection is being updated, or an update was interrupted: run 05_build_collections.py"
        )
    if scope.collection.is_imported:
        return notes + _list_import_notes(request, scope.collection, target)
    if (people.named_count or people.none_of) and not resources.vocabulary.people:
        notes.append("there are no people yet; run 02_cluster_faces.py and 05_build_collections.py")
    if request.parsed.dates and not retrieved.hits and not _has_times(scope.collection, resources):
        notes.append("no photo has a time yet; run 04_extract_geo.py and 05_build_collections.py")
    return notes


def _list_import_notes(request: ParsedRequest, collection: CollectionInfo, target: SearchTarget) -> list[str]:
    query, parsed, notes = request.query, request.parsed, []
    if target.vector is not None:
        notes.append(
            f"the vectors of {collection.model} are of unknown origin; the results are meaningful only if "
            f"models.{query.by} made them"
        )
    if parsed.people or parsed.places or parsed.areas or parsed.dates or query.criteria != Criteria():
        notes.append("imported photos have no people, places, dates, cameras or keywords")
    return notes


def _has_times(collection: CollectionInfo, resources: SearchResources) -> bool:
    """Whether the time of any photo is known."""
    hits, _ = resources.store.list_by_date(collection.ref, 1, where=Eq("has_time", True))
    return bool(hits)


def _list_ignored_limits(request: ParsedRequest, judged: JudgedPhotos) -> list[str]:
    query, notes = request.query, []
    if query.strategy == "hybrid" and query.min_score is not None:
        notes.append("hybrid scores are not similarities; the minimum score is ignored")
    if query.min_fit is not None and not judged.is_calibrated:
        notes.append("the scores of this query cannot be calibrated; the minimum calibrated score is ignored")
    return notes
