"""Stage 1, parse: the query's sentence as people, places, dates, and a text for CLIP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from imagesearch.errors import UserError, name_option
from imagesearch.filters import MATCH_ALL
from imagesearch.query import UNKNOWN_USER, ParsedQuery, PhotoOrder
from imagesearch.search.query import Query, check_query, name_by
from imagesearch.search.query_photos import locate_photos
from imagesearch.search.resources import SearchResources
from imagesearch.store import MAX_HITS
from imagesearch.text import find_similar, normalize


@dataclass(frozen=True)
class ParsedRequest:
    """A valid query with its sentence parsed.

    Attributes
    ----------
    query : Query
        The query, with the strategy and the order that apply to it.
    parsed : ParsedQuery
        The parsed sentence: the filter and the text for CLIP.
    visual_query : Query
        The query with its sentence replaced by the text for CLIP.
    names_only : bool
        In a hybrid search: the sentence has only names, which BM25 can search for and CLIP cannot.
    """

    query: Query
    parsed: ParsedQuery
    visual_query: Query
    names_only: bool = False

    @property
    def max_shown(self) -> int:
        """Maximum number of results: the number in the sentence, "the last three photos", or ``top_k``."""
        order = self.parsed.order
        return self.query.top_k if order is None or order.count is None else min(order.count, MAX_HITS)

    @property
    def is_calibratable(self) -> bool:
        """Whether scores are similarities to one text: only these can be calibrated."""
        return self.visual_query.is_text_only and self.query.strategy != "hybrid"

    @property
    def bm25_text(self) -> str:
        """In a hybrid search: the normalized words of the sentence, without those of excluded content."""
        excluded = {word for content in self.parsed.excluded for word in normalize(content.caption).split()}
        return " ".join(word for word in normalize(self.query.text).split() if word not in excluded)


def parse_query(query: Query, resources: SearchResources) -> ParsedRequest:
    """Check a query, find its photos, and parse its sentence.

    Raises
    ------
    UserError
        If the query is empty or contradictory, if the config has no saved query of that name, if a photo is
        not found, or if nothing of the sentence is understood. With ``Query.strict``, if any part is not
        understood.
    """
    query = replace(query, text=expand_saved_query(query.text, resources.config.search.saved))
    check_query(query)
    query = locate_photos(query, resources)
    if query.strategy == "hybrid" and not query.is_text_only:
        query = replace(query, strategy="filter")  # BM25 requires a query of one text
    request = _parse_sentence(query, resources)
    _check_understood(request)
    _check_visual_query(request.visual_query)
    return request


def expand_saved_query(text: str, saved: Mapping[str, str]) -> str:
    """Return a text with the saved query in place of its name: ``@goa``, or ``@goa at sunset``.

    Raises
    ------
    UserError
        If there is no saved query of that name.
    """
    match = re.match(r"\s*@([\w-]+)(?=\s|$)", text)
    if match is None:
        return text
    name, rest = match[1], text[match.end() :].rstrip()
    if name in saved:
        return saved[name] + rest
    names = {known.lower(): known for known in saved}
    similar = find_similar(name.lower(), names)
    hint = (
        f"did you mean @{names[similar[0]]}?"
        if similar
        else f"{name_option('--saved lists those of the config', 'the config has them')} (search.saved)"
    )
    raise UserError(f"@{name}: no saved query has this name; {hint}")


def _parse_sentence(query: Query, resources: SearchResources) -> ParsedRequest:
    sentence = query.text.strip()
    if not sentence:
        return _make_request(query, ParsedQuery())
    template = resources.config.search.template
    if query.strategy == "semantic":
        return _make_request(query, _make_text_query(sentence, sentence, template))
    today = query.today or date.today()
    parsed = resources.parser.parse(sentence, today, resources.find_moments, resources.find_person)
    if query.strategy in ("filter", "union"):
        return _make_request(query, parsed)
    # hybrid: BM25 ranks by the names, which CLIP was not trained on
    names_only = not parsed.caption and bool(parsed.people.named_count or parsed.places or parsed.areas)
    is_text = (
        parsed.caption or not (parsed.excluded or parsed.not_understood) or parsed.condition != MATCH_ALL
    )
    whole = _make_text_query(parsed.caption or sentence, sentence, template) if is_text else ParsedQuery()
    kept = (UNKNOWN_USER, "there is no person ")
    notes = tuple(n for n in parsed.notes if n.endswith("was not understood") or n.startswith(kept))
    whole = replace(whole, excluded=parsed.excluded, not_understood=parsed.not_understood, notes=notes)
    whole = replace(whole, phrase=parsed.phrase, unknown_names=parsed.unknown_names)
    return _make_request(query, replace(whole, facts=parsed.facts, order=parsed.order), names_only)


def _make_request(query: Query, parsed: ParsedQuery, names_only: bool = False) -> ParsedRequest:
    query = _apply_order(query, parsed.order)
    return ParsedRequest(query, parsed, replace(query, text=parsed.text), names_only)


def _apply_order(query: Query, order: PhotoOrder | None) -> Query:
    """Sort as the sentence requests. ``top_k`` is not lowered: it says how many photos are compared."""
    if order is None:
        return query
    top_k = min(max(query.top_k, order.count or 0), MAX_HITS)
    return replace(query, sort="date" if order.newest_first else "oldest", top_k=top_k)


def _make_text_query(caption: str, sentence: str, template: str) -> ParsedQuery:
    """Return a parsed query without a filter."""
    return ParsedQuery(text=template.replace("{text}", caption), caption=caption, words=sentence)


def _check_understood(request: ParsedRequest) -> None:
    """Raise an error if nothing of a sentence is understood, or with ``Query.strict`` if not all of it is."""
    parsed, query = request.parsed, request.query
    if not parsed.not_understood:
        return
    words = " and ".join(f'"{part}"' for part in parsed.not_understood)
    words += " was not understood" if len(parsed.not_understood) == 1 else " were not understood"
    others = query.images or query.face or query.plus or query.has_filter
    if not (parsed.summary or others):
        reasons = [note for note in parsed.notes if not note.endswith("was not understood")]
        if any(note.startswith(UNKNOWN_USER) for note in reasons):
            raise UserError("; ".join(("nothing to search for", *reasons)))
        words = "; ".join((words, *reasons))
        raise UserError(f'nothing to search for: {words}; give a text ("a red boat")')
    if query.strict:
        raise UserError(f"{words}; rephrase it, or search without {name_option('--strict', 'strict')}")


def _check_visual_query(query: Query) -> None:
    """Raise an error if the options are not valid for the text that remains without names and dates."""
    if query.by == "vit" and query.text:
        raise UserError(
            f"{name_by('vit')} cannot compare photos with a text ({query.text!r}): "
            f"omit it, or use {name_by('clip')}"
        )
    if query.minus and not query.has_vector:
        raise UserError(
            f"{name_option('--minus', 'minus')} requires a text or a photo to subtract from; "
            "this sentence has only names and dates"
        )
