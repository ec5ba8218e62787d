"""Parses a sentence into a filter on people, places and dates, and a caption that CLIP encodes.

Start in `parser`: ``SentenceParser(vocabulary).parse("maya in goa", today)`` calls the stages one after the
other and returns a `ParsedQuery`. The result depends on the sentence, the dataset's vocabulary, today's date,
and the times of photos that the sentence names ("the same day as IMG_0042"), and on nothing else.
`parsed_query` defines the result. `criteria` makes the same kind of filter from options of the command line.

To add a phrase, open `phrase_rewrites` if the parser supports an equivalent phrase, `times.phrases` for a
time, `trips.rewrite` for a trip, `facts.phrases` for what is known of photos, and `people.counts` for a
number of people. `tagger` shows the order of the rules that decide what words stand for. Only this package
imports dateutil and holidays.
"""

from imagesearch.query.clauses import (
    NUMBER_WORDS,
    Area,
    Content,
    DateClause,
    PeopleClause,
    PhotoOrder,
)
from imagesearch.query.completion import Completion, NameCompleter
from imagesearch.query.criteria import Criteria
from imagesearch.query.facts.conditions import require_name
from imagesearch.query.lexicon import COMMON
from imagesearch.query.parsed_query import ParsedQuery
from imagesearch.query.parser import SentenceParser
from imagesearch.query.people.numbers import UNKNOWN_USER
from imagesearch.query.sentence_clauses import Removal, SentenceClause, find_removals, list_clauses
from imagesearch.query.trips.same_as import PhotoMoment

__all__ = [
    "COMMON",
    "NUMBER_WORDS",
    "UNKNOWN_USER",
    "Area",
    "Completion",
    "Content",
    "Criteria",
    "DateClause",
    "NameCompleter",
    "ParsedQuery",
    "PeopleClause",
    "PhotoMoment",
    "PhotoOrder",
    "Removal",
    "SentenceClause",
    "SentenceParser",
    "find_removals",
    "list_clauses",
    "require_name",
]
