"""Stage 2, resolve: the collection to search, and names, places and dates as conditions on its fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imagesearch.filters import And, Condition
from imagesearch.query import Criteria
from imagesearch.search.relaxation import FilterPlan, plan_filter
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources
from imagesearch.store import CollectionInfo
from imagesearch.text import is_numbered_label, normalize


@dataclass(frozen=True)
class SearchScope:
    """Where to search.

    Attributes
    ----------
    collection : CollectionInfo
        The collection of photos.
    required : Condition
        The condition that every result fulfils: the folder, and the query's criteria.
    plan : FilterPlan
        The filter of the sentence, in parts that can be relaxed.
    notes : tuple of str
        Remarks on unknown names in the criteria.
    """

    collection: CollectionInfo
    required: Condition
    plan: FilterPlan
    notes: tuple[str, ...] = ()


def resolve_scope(request: ParsedRequest, resources: SearchResources) -> SearchScope:
    """Open the collection and make the conditions.

    Raises
    ------
    UserError
        If there is no collection built with the config's model, or a criterion cannot be read.
    """
    query = request.query
    collection = resources.open_collection(_choose_collection_kind(request, resources))
    criteria = _name_numbers(query.criteria, resources)
    condition, notes = criteria.make_condition(resources.vocabulary, lambda: resources.parser, query.today)
    folder = resources.dataset.photo_roots.make_folder_condition(query.folder)
    required = And((folder, query.where, condition))
    return SearchScope(collection, required, plan_filter(request.parsed), tuple(notes))


def _choose_collection_kind(request: ParsedRequest, resources: SearchResources) -> str:
    """Return which collection to search. Both have the same photos, so either can be used for listing."""
    only_lists = not (request.visual_query.has_vector or request.parsed.excluded)
    if only_lists and not resources.has_collection("clip") and resources.has_collection("vit"):
        return "vit"
    return request.query.by


def _name_numbers(criteria: Criteria, resources: SearchResources) -> Criteria:
    """Return criteria with the names of people in place of numbers: "person 1" can be Kofi."""

    def find_name(name: str) -> str:
        label = normalize(name)
        if not is_numbered_label(label) or label in resources.vocabulary.people:
            return name
        return resources.find_person(int(label.split()[1])) or name

    people, without = (tuple(map(find_name, names)) for names in (criteria.people, criteria.without))
    return replace(criteria, people=people, without=without)
