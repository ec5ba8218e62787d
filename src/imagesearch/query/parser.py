"""Parses a sentence in stages. Each stage is a function from immutable values to a new value.

The stages for "maya on the beaches of goa in 2023", if Maya and Goa are in the vocabulary:

====================  ==================================================================================
`tokenize`            text to tokens: ``maya`` ``on`` ``the`` ``beaches`` ``of`` ``goa`` ``in`` ``2023``
`rewrite_sentence`    replaces phrases by equivalent ones that the next stage knows; here, none
`tag_sentence`        tokens to spans: person ``maya``, four words, place ``goa``, date ``in 2023``
`group_mentions`      spans to mentions: Maya; Goa, with the leading word ``of``; 2023
`build_people`        mentions to a clause: all of Maya. In the caption, "a person" replaces ``maya``
`build_places`        mentions to a clause: any of Goa. The caption drops ``of``
`build_dates`         mentions to clauses: 2023-01-01 to 2023-12-31
`build_caption`       the other tokens to a caption, "a person on the beaches", and to the words of the
                      user in it, "the beaches"
====================  ==================================================================================
"""

from __future__ import annotations

from datetime import date

from imagesearch.query.caption import build_caption
from imagesearch.query.date_clause import build_dates
from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.mentions import group_mentions, note_alternatives
from imagesearch.query.parsed_query import ParsedQuery
from imagesearch.query.people_clause import build_people
from imagesearch.query.place_clause import build_places
from imagesearch.query.rewrites import rewrite_sentence
from imagesearch.query.tagger import tag_sentence
from imagesearch.query.tokenizer import Sentence, tokenize
from imagesearch.store import Vocabulary


class SentenceParser:
    """Parses sentences with one vocabulary.

    The vocabulary is indexed once, when the parser is created.

    Parameters
    ----------
    vocabulary
        The people and places that sentences may name.
    template
        The text that is encoded by CLIP. ``{text}`` stands for the caption.
    """

    def __init__(self, vocabulary: Vocabulary, template: str = "a photo of {text}") -> None:
        self._names = KnownNames.from_vocabulary(vocabulary)
        self._template = template

    def parse(self, text: str, today: date) -> ParsedQuery:
        """Parse a sentence. Accepts any text.

        Parameters
        ----------
        today
            The day that *yesterday* and *last summer* refer to.
        """
        names = self._names
        sentence = rewrite_sentence(Sentence.from_tokens(tokenize(text)), names, today)
        tagged = tag_sentence(sentence, names, today)
        mentions = group_mentions(tagged)
        people, people_leads, neutral_phrases = build_people(mentions, names.people)
        places, place_leads = build_places(mentions, names.places)
        dates, date_leads = build_dates(mentions, tagged.tokens)
        leads = people_leads | place_leads | date_leads
        caption, words = build_caption(tagged, leads, neutral_phrases)
        return ParsedQuery(
            people=people,
            places=places.any_of,
            not_places=places.none_of,
            dates=dates,
            text=self._template.replace("{text}", caption) if caption else "",
            caption=caption,
            words=words,
            notes=tuple(dict.fromkeys([*tagged.notes, *note_alternatives(mentions)])),
            place_names=places.names,
            areas=places.areas,
            not_areas=places.not_areas,
        )
