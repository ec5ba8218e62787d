"""Stage 1, parse: the query's sentence as people, places, dates, and a text for CLIP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from imagesearch.errors import UserError
from imagesearch.query import ParsedQuery
from imagesearch.search.query import Query, check_query
from imagesearch.search.resources import SearchResources


@dataclass(frozen=True)
class ParsedRequest:
    """A valid query with its sentence parsed.

    Attributes
    ----------
    query : Query
        The query, with the strategy that applies to it.
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
    def is_calibratable(self) -> bool:
        """Whether scores are similarities to one text: only these can be calibrated."""
        return self.visual_query.is_text_only and self.query.strategy != "hybrid"


def parse_query(query: Query, resources: SearchResources) -> ParsedRequest:
    """Check a query and parse its sentence.

    Raises
    ------
    UserError
        If the query is empty or contradictory.
    """
    check_query(query)
    if query.strategy == "hybrid" and not query.is_text_only:
        query = replace(query, strategy="filter")  # BM25 requires a query of one text
    request = _parse_sentence(query, resources)
    _check_visual_query(request.visual_query)
    return request


def _parse_sentence(query: Query, resources: SearchResources) -> ParsedRequest:
    sentence = query.text.strip()
    if not sentence:
        return _make_request(query, ParsedQuery())
    template = resources.config.search.template
    if query.strategy == "semantic":
        return _make_request(query, _make_text_query(sentence, sentence, template))
    parsed = resources.parser.parse(sentence, query.today or date.today())
    if query.strategy in ("filter", "union"):
        return _make_request(query, parsed)
    # hybrid: BM25 ranks by the names, which CLIP was not trained on
    names_only = not parsed.caption and bool(parsed.people.named_count or parsed.places or parsed.areas)
    return _make_request(query, _make_text_query(parsed.caption or sentence, sentence, template), names_only)


def _make_request(query: Query, parsed: ParsedQuery, names_only: bool = False) -> ParsedRequest:
    return ParsedRequest(query, parsed, replace(query, text=parsed.text), names_only)


def _make_text_query(caption: str, sentence: str, template: str) -> ParsedQuery:
    """Return a parsed query without a filter."""
    return ParsedQuery(text=template.replace("{text}", caption), caption=caption, words=sentence)


def _check_visual_query(query: Query) -> None:
    """Raise an error if the options are not valid for the text that remains without names and dates."""
    if query.by == "vit" and query.text:
        raise UserError(
            f"--by vit cannot compare photos with a text ({query.text!r}): omit it, or use --by clip"
        )
    if query.minus and not query.has_vector:
        raise UserError(
            "--minus requires a text or a photo to subtract from; this sentence has only names and dates"
        )
