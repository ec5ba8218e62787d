"""A sentence, taken apart: who, where and when become a filter, what is left a text for CLIP.

Stage after stage: `tokenizer`, `rewrites`, `tagger`, `mentions`, `clauses` and `caption`. ``person:paris``,
``place:"st james"`` and ``text:summer`` say what a word is, and what stands in quotes is text.
"""

from __future__ import annotations

from datetime import date

from imagesearch.query.caption import build_caption
from imagesearch.query.clauses import DateBuilder, PeopleBuilder, PlaceBuilder
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.mentions import find_mentions, list_or_notes
from imagesearch.query.parsed_query import ParsedQuery
from imagesearch.query.rewrites import rewrite_tokens
from imagesearch.query.tagger import Tagger
from imagesearch.query.tokenizer import Sentence, tokenize
from imagesearch.store import Vocabulary


class SentenceParser:
    """Reads sentences with one vocabulary, which is indexed once.

    Parameters
    ----------
    vocabulary
        The names there are.
    template
        What CLIP is given, with ``{text}`` for what is left of the sentence.
    """

    def __init__(self, vocabulary: Vocabulary, template: str = "a photo of {text}") -> None:
        self._people = Gazetteer(vocabulary.people)
        self._places = Gazetteer(vocabulary.places, vocabulary.within)
        self._template = template

    def parse(self, text: str, today: date) -> ParsedQuery:
        """Read a sentence. Any text can be read.

        Parameters
        ----------
        today
            What *yesterday* and *last summer* count from.
        """
        tokens = rewrite_tokens(tokenize(text), self._people, self._places, today)
        spans, notes = Tagger(Sentence.from_tokens(tokens), self._people, self._places, today).tag()
        mentions = find_mentions(tokens, spans)
        people, places, dates = PeopleBuilder(self._people), PlaceBuilder(self._places), DateBuilder(tokens)
        builders = {"person": people, "count": people, "alone": people, "place": places, "date": dates}
        for mention in mentions:
            builders[mention.span.kind].add(mention)
        place_clause = places.build()
        dropped = people.dropped | places.dropped | dates.dropped
        caption, words = build_caption(tokens, spans, dropped, people.make_neutral_phrases())
        return ParsedQuery(
            people=people.build(),
            places=place_clause.any_of,
            not_places=place_clause.none_of,
            dates=dates.build(),
            text=self._template.replace("{text}", caption) if caption else "",
            caption=caption,
            words=words,
            notes=tuple(dict.fromkeys(notes + list_or_notes(mentions))),
            place_names=place_clause.names,
        )
