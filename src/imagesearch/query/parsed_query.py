"""The result of parsing a sentence: people, places, dates and text. As a condition, in words, and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from imagesearch.filters import And, Condition, Contains, Eq, Not, Or
from imagesearch.query.clauses import Area, Content, DateClause, PeopleClause, PhotoFact, PhotoOrder
from imagesearch.query.lexicon import LEADING


@dataclass(frozen=True)
class ParsedQuery:
    """A parsed sentence.

    Attributes
    ----------
    people
        Who must be in the photo, and who must not.
    places
        Where it must be taken: alternatives. All words of one must be among the photo's ``place_words``.
    not_places
        Words that must not be among them.
    dates
        When it must be taken. All clauses must hold.
    text
        The text that CLIP encodes: the caption in the template. Empty without a caption.
    caption
        The rest of the sentence, with "a person" or "two people" in place of the people.
    words
        The words of the sentence in the caption.
    phrase
        The caption without the words that stand for the people: what the user says of the picture.
    notes
        Notes for the user on words that were not taken literally, or were ignored.
    place_names
        Pairs of a place word and its display name: ``("goa", "Goa (state)")``.
    areas, not_areas
        Regions and circles. ``areas`` are further alternatives to ``places``.
    facts
        What else is known of the photo. All must hold.
    order
        The order of the results, if the sentence requests one.
    joined, join
        Several things that the photo must show: with ``"and"`` all of them, with ``"or"`` one of them.
    excluded
        What the photo must not show.
    quoted
        The normalized texts after ``text:``. Photos with such a text in their description come first.
    not_understood
        Parts of the sentence that are neither understood nor plausible in a caption, as the user typed them.
    unknown_names
        Words that are probably names of people, as the user typed them, whom the vocabulary lacks.
    """

    people: PeopleClause = field(default_factory=PeopleClause)
    places: tuple[tuple[str, ...], ...] = ()
    not_places: tuple[str, ...] = ()
    dates: tuple[DateClause, ...] = ()
    text: str = ""
    caption: str = ""
    words: str = ""
    notes: tuple[str, ...] = ()
    place_names: tuple[tuple[str, str], ...] = ()
    areas: tuple[Area, ...] = ()
    not_areas: tuple[Area, ...] = ()
    facts: tuple[PhotoFact, ...] = ()
    order: PhotoOrder | None = None
    joined: tuple[Content, ...] = ()
    join: Literal["and", "or", ""] = ""
    excluded: tuple[Content, ...] = ()
    not_understood: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    phrase: str = ""
    unknown_names: tuple[str, ...] = ()

    @property
    def place_conditions(self) -> tuple[Condition, ...]:
        """Conditions on the place that must all hold."""
        options = [
            _join_conditions(tuple(Contains("place_words", word) for word in words)) for words in self.places
        ]
        options += [area.condition for area in self.areas]
        parts: list[Condition] = [Or(tuple(options)) if len(options) > 1 else options[0]] if options else []
        parts += [Not(Contains("place_words", word)) for word in self.not_places]
        parts += (
            [Eq("has_gps", True)] if self.not_areas else []
        )  # outside a region only if the position is known
        return (*parts, *(Not(area.condition) for area in self.not_areas))

    @property
    def condition(self) -> Condition:
        """The condition on people, places, dates and facts."""
        clauses = tuple(clause.condition for clause in (*self.dates, *self.facts))
        return _join_conditions((*self.people.conditions, *self.place_conditions, *clauses))

    @property
    def summary(self) -> str:
        """The parsed sentence in one line: ``Maya · Goa (state) · "on the beaches"``."""
        parts = [str(self.people), self._places_title, *self._not_places_titles]
        parts += [*map(str, self.dates), *self._other_titles]
        return " · ".join(filter(None, parts))

    @property
    def union_summary(self) -> str:
        """The parsed sentence in one line, for a search in which one of who, where and when is enough."""
        people, dates = str(self.people.included), " and ".join(map(str, self.dates))
        options = [part for part in (people, self._places_title, dates) if part]
        if len(options) < 2:
            return self.summary
        parts = [f"{', or '.join(options)}; those with more of these first", str(self.people.excluded)]
        return " · ".join(filter(None, (*parts, *self._not_places_titles, *self._other_titles)))

    @property
    def topic(self) -> str:
        """What the photo must show, in the user's words, without a leading *on* or *with*."""
        words = (self.phrase or self.caption).split()
        first = next((n for n, word in enumerate(words) if word.lower() not in LEADING), 0)
        return " ".join(words[first:])

    @property
    def places_phrase(self) -> str:
        """Where the photo must be taken: ``in Goa or Paris or within 25 km of Banff``."""
        places = f"in {' or '.join(self.list_places())}" if self.places else ""
        return " or ".join(filter(None, (places, *map(str, self.areas))))

    @property
    def excluded_places(self) -> list[str]:
        """The places where the photo must not be taken, in words."""
        names = dict(self.place_names)
        return [*(names.get(word, word) for word in self.not_places), *(area.name for area in self.not_areas)]

    def list_places(self) -> list[str]:
        names = dict(self.place_names)
        return [", ".join(names.get(word, word) for word in words) for words in self.places]

    @property
    def _places_title(self) -> str:
        return " or ".join((*self.list_places(), *(area.name for area in self.areas)))

    @property
    def _not_places_titles(self) -> list[str]:
        return [f"not {name}" for name in self.excluded_places]

    @property
    def _other_titles(self) -> list[str]:
        """The facts, the content, and the order."""
        phrase = self.phrase or self.caption
        caption = f'"{phrase}"' if phrase else ""
        excluded = [f'without "{content.caption}"' for content in self.excluded]
        order = str(self.order) if self.order else ""
        return [*(fact.words for fact in self.facts), " ".join(filter(None, (caption, *excluded))), order]

    def to_dict(self) -> dict[str, Any]:
        """Return the value for ``--json``, without the conditions."""
        return {
            "people": asdict(self.people),
            "places": {
                "any_of": self.places,
                "none_of": self.not_places,
                "areas": [area.name for area in self.areas],
                "not_areas": [area.name for area in self.not_areas],
            },
            "dates": [{"words": clause.words, "means": clause.dates} for clause in self.dates],
            "trips": list(dict.fromkeys(trip for clause in self.dates for trip in clause.trips)),
            "facts": [fact.words for fact in self.facts],
            "order": asdict(self.order) if self.order else None,
            "text": self.text,
            "caption": self.caption,
            "words": self.words,
            "joined": {"by": self.join, "texts": [content.caption for content in self.joined]},
            "excluded": [content.caption for content in self.excluded],
            "not_understood": self.not_understood,
            "unknown_names": self.unknown_names,
            "read_as": self.summary,
            "notes": self.notes,
        }


def _join_conditions(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else And(parts)
