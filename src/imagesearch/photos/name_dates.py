"""Dates in file names, as cameras, phones, messengers and programs for screenshots write them.

A name is only read if its digits form a plausible date: with separators (``2022-05-28``), followed by a time
(``20220528_101112``), at the start of the name, or after a word such as ``IMG`` that devices write before a
date. A number that is longer than a date, or that begins in the middle of a word, is a counter or an id.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

_FIRST_YEAR = 1990  # of eight digits without separators; 1900 with separators, because people name scans so
_FIRST_YEAR_WITH_SEPARATORS = 1900
_FIRST_TIMESTAMP_YEAR = 2005

_DAY = r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)"
_CLOCK = r"(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?P<fraction>\d{3})?(?!\d)"
_SPACED_CLOCK = (
    r"(?P<hour>\d\d?)[-.:_ ](?P<minute>[0-5]\d)[-.:_ ](?P<second>[0-5]\d)(?!\d)"
    r"(?:[-._](?P<fraction>\d{3})(?!\d))?(?:\s?(?P<half>[AP])\.?\s?M\b)?"
)
_SPACED_DAY = r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<mark>[-._])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d)"
_PREFIXES = (
    "img|image|vid|video|mvimg|pxl|wp|win|pic|picture|photo|foto|bild|scan|scanner|screenshot|signal|pano|psx"
    "|snapseed|inshot|b612|kakaotalk|lrm_export|collage|dji"
)
# A number of six digits after a date that is no time: both are parts of an id.
_NO_COUNTER = r"(?!\d)(?![-_ ]?\d{6}(?!\d))"
_PATTERNS = (
    # 20220528_101112 (Samsung), IMG_20220528_101112 (Android), PXL_20220528_101112123 (Pixel, in UTC),
    # Screenshot_20220528-101112, IMG20220528101112 (OPPO), BURST20171111030039 (Nexus)
    rf"(?<!\d){_DAY}[-_ T]?{_CLOCK}",
    rf"(?<!\d){_DAY}[-_ ]{_SPACED_CLOCK}",  # WP_20140528_10_11_12_Pro (Windows)
    # 2011-07-19 11.36.39 (Dropbox), signal-2022-05-28-101112, photo_2022-05-28_10-11-12 (Telegram),
    # Screenshot 2022-05-28 at 10.11.12 AM (macOS), in any language; Bildschirmfoto vom ... (GNOME)
    rf"{_SPACED_DAY}\D{{1,14}}?{_SPACED_CLOCK}",
    rf"{_SPACED_DAY}[-_ T]{{1,3}}{_CLOCK}",
    # photo_1@28-05-2022_10-11-12 (exports of Telegram)
    rf"@(?P<day>\d\d)-(?P<month>\d\d)-(?P<year>(?:19|20)\d\d)_{_SPACED_CLOCK}",
    _SPACED_DAY,
    # IMG-20220528-WA0004 and STK-20220528-WA0004 (WhatsApp), also behind "Copy of "
    rf"(?<![a-z\d])(?:img|vid|stk|gif)-{_DAY}-wa\d{{4}}",
    rf"^(?:{_PREFIXES})[-_ ]?{_DAY}{_NO_COUNTER}",  # IMG-20220528-00012 (BlackBerry)
    rf"^{_DAY}{_NO_COUNTER}(?!_[0-9a-f]{{10}}(?:_|$))(?![a-z])",  # not 20220528_0123456789_o (Flickr)
)
# Ids of photos on Facebook, such as 20190512_10150123456789_1234567_n.
_FACEBOOK_PATTERN = re.compile(r"^\d+(?:_\d{7,}|_\d{5,}_\d{5,})_[a-z](?![a-z])", re.ASCII)
# Milliseconds since 1970 at which Facebook and WeChat have saved the photo.
_TIMESTAMP_PATTERN = re.compile(r"^(?:fb_img_|mmexport|wx_camera_)(1\d{12})(?!\d)", re.IGNORECASE | re.ASCII)


@functools.cache
def _compile_patterns() -> list[re.Pattern[str]]:
    """Return the patterns, compiled at the first photo: programs that only search need none."""
    return [re.compile(pattern, re.IGNORECASE | re.ASCII) for pattern in _PATTERNS]


@dataclass(frozen=True)
class NameDate:
    """A date in a file name: the moment, ``"second"`` or ``"day"``, and whether it is in UTC."""

    moment: datetime
    precision: str
    is_utc: bool = False


def parse_name_date(name: str, latest: datetime) -> NameDate | None:
    """Return the date in a file name, or None.

    Parameters
    ----------
    name
        The name of the file, with or without its folder.
    latest
        A later date is not plausible.
    """
    stem = unicodedata.normalize("NFKC", re.split(r"[/\\]", name)[-1])
    stem = stem.rpartition(".")[0] or stem
    if match := _TIMESTAMP_PATTERN.match(stem):
        moment = datetime.fromtimestamp(int(match[1]) / 1000, UTC).replace(tzinfo=None)
        is_plausible = moment.year >= _FIRST_TIMESTAMP_YEAR and moment <= latest
        return NameDate(moment, "second", is_utc=True) if is_plausible else None
    if _FACEBOOK_PATTERN.match(stem):
        return None
    for pattern in _compile_patterns():
        match = pattern.search(stem)
        found = _make_date(match.groupdict(), latest) if match else None
        if found is not None:
            # Google's Pixel phones write UTC
            return NameDate(found[0], found[1], stem.lower().startswith("pxl") and found[1] == "second")
    return None


def _make_date(parts: dict[str, str | None], latest: datetime) -> tuple[datetime, str] | None:
    """Return a plausible moment and its precision; None if the digits are no date."""
    year, month, day, hour, minute, second = (
        int(parts.get(name) or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half.upper() == "P")
    first_year = _FIRST_YEAR_WITH_SEPARATORS if parts.get("mark") else _FIRST_YEAR
    try:
        moment = datetime(year, month, day, hour, minute, second, 1000 * int(parts.get("fraction") or 0))
    except ValueError:
        return None
    if year < first_year or moment > latest:
        return None
    return moment, "day" if parts.get("hour") is None else "second"
