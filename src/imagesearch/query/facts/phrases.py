"""The phrases for what is known of photos, and what they mean: ratings, cameras, shapes, names, ...

Each rule is a pattern and a function that makes the fact. To add a phrase, extend a pattern; to add a fact,
add a rule, and its words to `TRIGGERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from imagesearch.filters import Eq, Not
from imagesearch.query.clauses import NUMBER_WORDS, PhotoFact
from imagesearch.query.facts import conditions
from imagesearch.query.facts.camera_phrases import describes_photo, read_bare_cameras, read_cameras
from imagesearch.query.facts.cameras import MAKES
from imagesearch.query.lexicon import PHOTOS, split_set
from imagesearch.query.tags import Position
from imagesearch.query.times.engine import match_date
from imagesearch.query.times.values import Once, list_occurrences
from imagesearch.query.tokenizer import join_texts

RECENT_DAYS = 14
"""How long a photo is *recently added*."""
TRIGGERS = MAKES | {count * "\u2605" for count in range(1, 6)} | split_set(
    "star stars starred rated rating ratings unrated camera taken shot made captured photographed snapped "
    "recorded took gps geotag geotags geotagged geo geolocated ungeotagged location locations position "
    "coordinates portrait landscape vertical horizontal square upright screenshot screenshots screen "
    "screengrab screengrabs screencap screencaps panorama panoramas panoramic pano panos unnamed unknown "
    "unidentified untagged unlabeled unlabelled nameless unrecognized unrecognised name names named "
    "added indexed imported uploaded undated date dates time timestamp timestamps tag tags "
    "tagged keyword keywords"
)  # fmt: skip
"""A sentence has a fact only if it has one of these words, a file name, or a word of a camera."""


class FoundFact(NamedTuple):
    """A fact, the position after its last token if its words are more than the pattern, and a note."""

    fact: PhotoFact
    end: int = 0
    note: str = ""


Rule = Callable[[Position, re.Match[str]], FoundFact | None]


def _always(fact: PhotoFact) -> Rule:
    return lambda at, match: FoundFact(fact)


# --- ratings ------------------------------------------------------------------------------------------------

_UNRATED = PhotoFact("not rated", conditions.IS_UNRATED, "rating")


def _make_rating(at: Position, match: re.Match[str]) -> FoundFact | None:
    if "star" not in match[0] and "rat" not in match[0]:
        return None
    low = high = _parse_number(match["n"])
    if match["m"]:
        low, high = sorted((low, _parse_number(match["m"])))
    if match["least"] or match["plus"]:
        high = conditions.MAX_RATING
    elif match["more"]:
        low, high = low + 1, conditions.MAX_RATING
    elif match["most"] or match["minus"]:
        low = min(1, high)
    elif match["less"]:
        low, high = min(1, high - 1), high - 1
    return FoundFact(_rate(low, high))


def _make_star_rating(at: Position, match: re.Match[str]) -> FoundFact | None:
    """Make the fact of "5 stars", but not in "a flag with five stars"."""
    is_shown = match["with"] and at.last_kind == "word" and at.find_word_before() not in PHOTOS
    return None if is_shown or at.find_word_before("the") == "with" else _make_rating(at, match)


def _parse_number(text: str) -> int:
    return 0 if text == "zero" else NUMBER_WORDS.index(text) if text in NUMBER_WORDS else int(text)


def _rate(low: int, high: int) -> PhotoFact:
    """Return the fact that a photo has a number of stars. A photo of 0 stars is not rated."""
    if high <= 0:
        return _UNRATED
    upper = "" if low == high else " or more" if high == conditions.MAX_RATING else f" to {high}"
    return PhotoFact(f"rated {low}{upper}", conditions.require_rating(low, high), "rating")


def _make_rated(at: Position, match: re.Match[str]) -> FoundFact:
    if match["top"]:
        return FoundFact(_rate(4, 5), note=f'read "{match["top"].strip()} rated" as rated 4 or more')
    return FoundFact(PhotoFact("rated", conditions.require_rating(1), "rating"))


def _count_stars(at: Position, match: re.Match[str]) -> FoundFact:
    count = int(match["n"] or len(match["stars"]))
    return FoundFact(_rate(count, conditions.MAX_RATING if match["plus"] else count))


# --- cameras ------------------------------------------------------------------------------------------------


def _make_camera(at: Position, match: re.Match[str]) -> FoundFact | None:
    start = at.sentence.find_token(match.end() + 1)
    found = read_cameras(at, start, may_be_model=match["lead"] in ("with", "on", "using"))
    return found and FoundFact(*found)


def _make_known_camera(at: Position, match: re.Match[str]) -> FoundFact | None:
    found = read_cameras(at, at.sentence.find_token(match.end() + 1), may_be_model=False)
    return found and FoundFact(*found)


def _make_bare_camera(at: Position, match: re.Match[str]) -> FoundFact | None:
    found = read_bare_cameras(at, at.sentence.find_token(match.end() + 1), match["lead"])
    return found and FoundFact(*found)


# --- position, shape, faces, file name ----------------------------------------------------------------------

_WITHOUT_POSITION = PhotoFact("without a position", Eq("has_gps", False), "position")
_WITH_POSITION = PhotoFact("with a position", Eq("has_gps", True), "position", _WITHOUT_POSITION)
_WITHOUT_TIME = PhotoFact("without a time", Eq("has_time", False), "time")
_WITH_TIME = PhotoFact("with a time", Eq("has_time", True), "time", _WITHOUT_TIME)
_UNTAGGED = PhotoFact("without keywords", conditions.HAS_NO_KEYWORDS, "keywords")
_TAGGED = PhotoFact("with keywords", Not(conditions.HAS_NO_KEYWORDS), "keywords", _UNTAGGED)
_NAMED = PhotoFact("without unnamed people", conditions.ALL_NAMED, "faces")
_UNNAMED = PhotoFact("with unnamed people", conditions.HAS_UNNAMED, "faces", _NAMED)
_SCREENSHOTS = PhotoFact("screenshots", conditions.IS_SCREENSHOT, "shape")
_PANORAMAS = PhotoFact("panoramas", conditions.SHAPES["panorama"], "shape")
_SHAPE_WORDS = {"vertical": "portrait", "upright": "portrait", "horizontal": "landscape"}


def _require_shown(fact: PhotoFact) -> Rule:
    """Make the fact, but not in "a man taking a screenshot"."""

    def make(at: Position, match: re.Match[str]) -> FoundFact | None:
        is_object = at.last_kind == "word" and at.find_word_before("a").endswith("ing")
        return None if is_object else FoundFact(fact)

    return make


def _make_shape(at: Position, match: re.Match[str]) -> FoundFact:
    shape = _SHAPE_WORDS.get(match["shape"], match["shape"])
    return FoundFact(PhotoFact(f"{shape} format", conditions.SHAPES[shape], "shape"))


def _make_file(at: Position, match: re.Match[str]) -> FoundFact | None:
    token = at.tokens[at.sentence.find_token(match.end() - 1)]
    return FoundFact(make_file_fact(token.text)) if token.kind == "file" else None


def make_file_fact(name: str) -> PhotoFact:
    """Return the fact that a photo has a file name."""
    return PhotoFact(name, conditions.require_name(name), "name")


# --- the time of indexing -----------------------------------------------------------------------------------


def _make_recent(at: Position, match: re.Match[str]) -> FoundFact:
    start = at.today - timedelta(days=RECENT_DAYS - 1)
    fact = PhotoFact(f"added since {start}", conditions.require_indexed(start, None), "indexed")
    return FoundFact(fact, note=f'read "recently added" as in the last {RECENT_DAYS} days')


def _make_indexed(at: Position, match: re.Match[str]) -> FoundFact | None:
    start = at.sentence.find_token(match.end() + 1)
    days = _match_days(at, start) if start < len(at.tokens) and at.dates_left else None
    if days is None:
        return None
    first, last, end = days
    condition = conditions.require_indexed(first, last)
    return FoundFact(PhotoFact(f"added {join_texts(at.tokens[start:end])}", condition, "indexed"), end)


def _match_days(at: Position, start: int) -> tuple[date | None, date | None, int] | None:
    """Return the first day of a date and the day after its last, and the position after its words.

    Of a date that recurs, such as "in march", the latest is meant.
    """
    match = match_date(at.sentence, start, at.today, at.names.feasts, at.names.trips)
    if match is None or match.reference is None:
        return None
    time = match.reference
    if not isinstance(time, Once):
        try:
            begun = [once for once in list_occurrences(time, at.today, 1) if once.start <= at.today]
        except ValueError:  # a time of day
            return None
        if not begun:
            return None
        time = begun[-1]
    days = time.sides[0]
    return days.start, days.end, match.end


def is_date(at: Position, i: int) -> bool:
    """Whether a date starts at a token."""
    return match_date(at.sentence, i, at.today, at.names.feasts, at.names.trips) is not None


# --- the rules ----------------------------------------------------------------------------------------------

_PHOTO = "|".join(sorted(PHOTOS))
_A = r"(?:(?:an?|the|my|our|all|any|only) )?"
_WHICH = r"(?:(?:that|which) )?(?:(?:is|are|was|were|has been|have been|i|we|ive|weve) )?"
_N = rf"(?:[0-5]|zero|{'|'.join(NUMBER_WORDS[1:6])})"
_STARS = r"(?:(?: -)? (?:stars?|starred))?"
_AMOUNT = (
    r"(?:(?P<least>at least|minimum|min|(?:no|not) (?:less|fewer|lower) than|> =) |"
    r"(?P<more>(?:more|better|higher) than|over|above|>) |"
    r"(?P<most>at most|up to|max|(?:no|not) more than|< =) |"
    r"(?P<less>(?:less|fewer|lower|worse) than|under|below|<) |between |exactly |only |= )?"
    rf"(?P<n>{_N})(?: (?:to|and|or|-|\u2013) (?P<m>{_N}))?{_STARS}"
    r"(?: (?P<plus>(?:or|and) (?:more|better|higher|above|up|over|upwards?)|\+|plus|upwards?)|"
    rf" (?P<minus>(?:or|and) (?:less|fewer|lower|below|worse|under)))?{_STARS}"
)
_AMOUNT_START = rf"(?:{_N}|at|above|below|over|under|between|up|[a-z]+ than)(?: |$)"
_NO = r"(?:without|with no|no|lacking|missing|(?:have|has|having) no)(?: (?:an?|any|the|known|valid)){0,2}"
_LOCATION = (
    r"(?:gps|geo ?tags?|geo ?(?:- )?locations?|locations?|positions?|coordinates)"
    r"(?: (?:data|info|information|coordinates|positions?|locations?|tags?))?"
)
_TIME = (
    r"(?:dates?(?: taken| and times?)?|times?(?: taken)?|time ?stamps?|capture (?:dates?|times?)|"
    r"date information)"
)
_KEYWORDS = r"(?:key ?words?|tags?)"
_GEOTAGGED = r"geo ?(?:- )?(?:tagged|located)"
_NAMELESS = "(?:unnamed|unknown|unidentified|untagged|unlabell?ed|nameless|unrecogni[sz]ed)"
_FACES = "(?:people|persons?|faces?)"
_TAKEN = rf"{_WHICH}(?:taken|took|shot|made|captured|photographed|snapped|recorded)"
_KINDS = "(?:panoramas?|screen ?shots?|selfies?)"
_SHAPES = "(?:vertical|upright|horizontal|square)"
_NO_NAMES = "(?:without|with no|missing)(?: (?:an?|any|the))? names?"
_ADDED = "(?:added|indexed|imported|uploaded)"

# Rules whose words may stand before any word.
ANYWHERE: list[tuple[str, Rule]] = [
    (rf"unrated|(?:not|never) (?:yet |been )?rated(?! {_AMOUNT_START})|"
     rf"{_NO} (?:ratings?|stars(?! in ))", _always(_UNRATED)),
    (rf"(?:with )?{_A}{_WHICH}(?:rated|ratings?|stars?(?= [<>=:]))"
     rf"(?: (?:of|is|as|:|with|at(?! least| most)))? {_AMOUNT}(?: / 5| out of (?:5|five))?", _make_rating),
    (rf"{_TAKEN} (?P<lead>with|on|by|using|through|from|via)", _make_camera),
    (r"(?:with )?(?:the )?camera(?: :| =| is)?", _make_known_camera),
    (rf"{_NO} {_LOCATION}|(?:un|non|not)(?: -)? ?{_GEOTAGGED}|"
     r"(?:with |at )?(?:an )?unknown (?:location|position)|(?:location|position) (?:is )?unknown",
     _always(_WITHOUT_POSITION)),
    (rf"with (?:(?:an?|any|the|known|valid) ){{0,2}}{_LOCATION}|{_WHICH}{_GEOTAGGED}",
     _always(_WITH_POSITION)),
    (rf"(?:in )?{_A}(?P<shape>portrait|vertical|upright|landscape|horizontal|square)"
     r"(?: -)? (?:format|orientation|oriented|orientated|(?<!portrait )mode|shaped?|aspect(?: ratio)?)",
     _make_shape),
    (rf"{_A}(?P<shape>{_SHAPES})(?=(?: (?:and|or|,|{_SHAPES}))* (?:{_PHOTO}|{_KINDS})(?: |$))", _make_shape),
    (rf"(?:(?:with|of|showing|containing) )?(?:(?:some|any|an?) )?{_NAMELESS} {_FACES}|"
     rf"(?:(?:with|of) )?(?:(?:some|any|an?) )?(?:{_FACES}|some(?:one|body)) {_NO_NAMES}|"
     rf"(?!untagged){_NAMELESS}(?= (?:{_PHOTO})(?: |$))", _always(_UNNAMED)),
    (rf"(?:with )?{_FACES} (?:i|we) (?:have not|havent|did not|didnt)(?: yet)? named?", _always(_UNNAMED)),
    (r"(?:(?:where|with) )?(?:everyone|everybody|all people|all faces)(?: (?:is|are))? named",
     _always(_NAMED)),
    (_NO_NAMES, lambda at, match: FoundFact(_UNNAMED) if describes_photo(at) else None),
    (rf"(?:{_A}|this )(?:files?(?: names?)?|filenames?|photos?|pictures?|images?|pics?)"
     r"(?: (?:with (?:the )?(?:file )?name|named|called|titled|name))?(?: :)? \0|(?:named|called|titled) \0",
     _make_file),
    (rf"{_A}{_WHICH}(?:(?:recently|newly|just|lately|freshly) {_ADDED}|"
     rf"{_ADDED} (?:recently|lately|just now))", _make_recent),
    (rf"{_WHICH}{_ADDED}", _make_indexed),
]  # fmt: skip
# Rules whose words describe the next word unless it is a name or leads to one: "five stars on a flag".
BEFORE_NAMES: list[tuple[str, Rule]] = [
    (rf"(?P<with>with )?{_A}{_AMOUNT}(?:(?: -)? (?:rated|ratings?))?(?: only)?", _make_star_rating),
    (rf"(?:with )?{_A}(?:(?P<n>[1-5]) )?(?P<stars>\u2605{{1,5}})\u2606*(?P<plus> \+)?", _count_stars),
]
# Rules whose words describe the next word unless it is a preposition or the like: "a panorama painting".
AT_PHRASE_END: list[tuple[str, Rule]] = [
    ("(?P<lead>with|by|on|using|from|via)", _make_bare_camera),
    (rf"{_A}(?P<top>(?:highly|top|best|well)(?: -)? )?rated", _make_rated),
    (rf"{_NO} {_TIME}(?! to )|undated|(?:with )?(?:an )?unknown {_TIME}|{_TIME} (?:is )?unknown",
     _always(_WITHOUT_TIME)),
    (rf"with (?:an?|any|the|known) {_TIME}", _always(_WITH_TIME)),
    (rf"{_NO} {_KEYWORDS}|untagged", _always(_UNTAGGED)),
    (rf"(?:with {_KEYWORDS}|tagged)", lambda at, match: FoundFact(_TAGGED) if describes_photo(at) else None),
    (rf"{_A}(?:screen ?shots?|screen ?grabs?|screen ?caps?|screen captures?)", _require_shown(_SCREENSHOTS)),
    (rf"{_A}(?:panoramas?|panos?|panoramic(?= (?:{_PHOTO}|shots?)(?: |$)))", _require_shown(_PANORAMAS)),
]  # fmt: skip
