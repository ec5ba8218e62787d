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
                      user in it, "on the beaches". Also to what photos must not show, and to the parts that
                      are not understood; here, none
====================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from imagesearch.query.clauses import Content
from imagesearch.query.content.caption import build_caption
from imagesearch.query.content.trips import list_missing_trips
from imagesearch.query.facts.rules import build_facts
from imagesearch.query.gazetteer import KnownNames
from imagesearch.query.mentions import find_negated_ends, group_mentions, note_alternatives
from imagesearch.query.parsed_query import ParsedQuery
from imagesearch.query.people.clause import build_people, exclude_others
from imagesearch.query.people.numbers import FindPerson, drop_me, find_me, name_numbers, note_me
from imagesearch.query.places.clause import build_places
from imagesearch.query.rewrites import rewrite_sentence
from imagesearch.query.small_words import correct_words
from imagesearch.query.tagger import tag_sentence
from imagesearch.query.tags import TaggedSentence
from imagesearch.query.times.clause import build_dates
from imagesearch.query.times.feasts import DEFAULT_COUNTRIES, FeastDays
from imagesearch.query.tokenizer import Sentence, tokenize
from imagesearch.query.trips.rewrite import rewrite_trips
from imagesearch.query.trips.same_as import FindMoments, rewrite_same_as
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
    holiday_countries
        The countries whose feasts are known, by their ISO codes; the first that has a feast decides.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        template: str = "a photo of {text}",
        holiday_countries: Sequence[str] = DEFAULT_COUNTRIES,
    ) -> None:
        self._names = KnownNames.from_vocabulary(vocabulary, FeastDays(tuple(holiday_countries)))
        self._template = template

    def parse(
        self,
        text: str,
        today: date,
        find_moments: FindMoments | None = None,
        find_person: FindPerson | None = None,
    ) -> ParsedQuery:
        """Parse a sentence. Accepts any text.

        Parameters
        ----------
        today
            The day that *yesterday* and *last summer* refer to.
        find_moments
            Returns the times of the photos with a file name, for "the same day as IMG_0042".
        find_person
            Returns the name of the person with a number, for "person 1".
        """
        names = self._names
        sentence, users, replaced = _replace_words(text, names, find_person)
        sentence = rewrite_sentence(sentence, names)
        same_as = rewrite_same_as(sentence, find_moments, names.trips.mark_name)
        sentence = rewrite_trips(same_as.sentence, names, today)
        tagged = tag_sentence(sentence, names, today)
        mentions = group_mentions(tagged)
        people, people_leads, neutral_phrases = build_people(mentions, names.people)
        places, place_leads = build_places(mentions, names.places)
        dates, date_leads = build_dates(mentions, tagged.tokens)
        leads = people_leads | place_leads | date_leads
        facts, fact_leads = build_facts(mentions)
        negated = find_negated_ends(mentions, tagged.tokens)
        caption = build_caption(tagged, leads | fact_leads, neutral_phrases, negated)
        not_understood = {*tagged.not_understood, *caption.not_understood, *same_as.not_understood}
        not_understood = tuple(sorted(filter(None, not_understood), key=text.find))
        notes = [*map(note_me, users), *replaced, *same_as.notes, *tagged.notes, *note_alternatives(mentions)]
        notes += list_missing_trips(tagged, names)
        notes += [f'"{words}" was not understood' for words in not_understood]
        return ParsedQuery(
            people=exclude_others(people) if caption.excludes_people else people,
            places=places.any_of,
            not_places=places.none_of,
            dates=dates,
            text=self._fill_template(caption.text),
            caption=caption.text,
            words=caption.words,
            notes=tuple(dict.fromkeys(notes)),
            place_names=places.names,
            facts=facts,
            order=next((span.order for span in tagged.spans if span.order), None),
            joined=tuple(Content(text, self._fill_template(text)) for text in caption.joined),
            join=caption.join,
            excluded=tuple(Content(text, self._fill_template(text)) for text in caption.excluded),
            not_understood=(*users, *not_understood),
            quoted=_list_quoted(tagged),
            phrase=caption.phrase,
            unknown_names=tuple(dict.fromkeys(tagged.unknown_names)),
            areas=places.areas,
            not_areas=places.not_areas,
        )

    def _fill_template(self, caption: str) -> str:
        """Return the text that CLIP encodes; empty without a caption."""
        return self._template.replace("{text}", caption) if caption else ""


def _replace_words(
    text: str, names: KnownNames, find_person: FindPerson | None
) -> tuple[Sentence, tuple[str, ...], tuple[str, ...]]:
    """Return a sentence with corrected small words and named people, words for the user, and notes."""
    sentence, corrections = correct_words(Sentence.from_tokens(tokenize(text)), names)
    numbered = name_numbers(sentence, names, find_person)
    me = find_me(numbered.sentence.tokens, names)
    sentence = drop_me(numbered.sentence, me) if me else numbered.sentence
    return sentence, tuple(dict.fromkeys(filter(None, me.values()))), (*corrections, *numbered.notes)


def _list_quoted(tagged: TaggedSentence) -> tuple[str, ...]:
    """Return the normalized texts after ``text:``."""
    tokens = tagged.tokens
    quotes = (span for span in tagged.spans if span.kind == "quote" and tokens[span.start].kind == "prefix")
    return tuple(tokens[span.end - 1].norm for span in quotes)
