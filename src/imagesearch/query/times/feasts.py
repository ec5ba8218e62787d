"""The names of feasts, and their days in a year. The library holidays knows those that move.

To add a feast, add a line to `FEASTS`.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from imagesearch.config import SearchConfig
from imagesearch.query.times.values import DAY, Either, Once, Yearly, make_days

DEFAULT_COUNTRIES: tuple[str, ...] = SearchConfig.model_fields["holiday_countries"].default
_SAMPLE_YEAR = 2023  # the country of a feast is the first one that has it in this year


class Feast(NamedTuple):
    """A feast.

    Attributes
    ----------
    names
        What people call it, in the form of `imagesearch.text.normalize`.
    base
        The day it is counted from: ``month-day``, ``easter`` (Easter Sunday), or names in the library
        holidays with ``|`` between them.
    first, last
        Its first and last day, counted from the base. Other days are counted from the base too: the day after
        Christmas is 26 December.
    """

    names: str
    base: str
    first: int = 0
    last: int = 0


FEASTS = [
    Feast("christmas, xmas, x mas, christmastime", "12-25", -1, 1),
    Feast("christmas eve, xmas eve", "12-24"),
    Feast("christmas day, xmas day", "12-25"),
    Feast("boxing day, st stephens day", "12-26"),
    Feast("new years eve, new year eve, new years eves, nye, hogmanay, silvester", "12-31"),
    Feast("new years day, new year day", "01-01"),
    Feast("new years, new year", "01-01", -1, 0),
    Feast("epiphany, three kings day", "01-06"),
    Feast("st valentines day, valentines day, valentine day, valentines", "02-14"),
    Feast("st davids day", "03-01"),
    Feast("womens day, international womens day", "03-08"),
    Feast("st patricks day, st patrick day, st paddys day", "03-17"),
    Feast("april fools day, april fools", "04-01"),
    Feast("st georges day", "04-23"),
    Feast("may day", "05-01"),
    Feast("cinco de mayo", "05-05"),
    Feast("halloween, hallowe en, all hallows eve", "10-31"),
    Feast("all saints day", "11-01"),
    Feast("all souls day", "11-02"),
    Feast("day of the dead, dia de los muertos, dia de muertos", "11-01", 0, 1),
    Feast("bonfire night, guy fawkes night, guy fawkes day", "11-05"),
    Feast("st martins day, martinmas", "11-11"),
    Feast("st nicholas day", "12-06"),
    Feast("st lucias day, st lucia day, st lucys day", "12-13"),
    Feast("kwanzaa", "12-26", 0, 6),
    Feast("easter, easter weekend", "easter", -2, 1),
    Feast("easter holidays", "easter", -7, 7),
    Feast("easter sunday, easter day", "easter"),
    Feast("easter monday", "easter", 1, 1),
    Feast("easter saturday, holy saturday", "easter", -1, -1),
    Feast("good friday", "easter", -2, -2),
    Feast("maundy thursday, holy thursday", "easter", -3, -3),
    Feast("palm sunday", "easter", -7, -7),
    Feast("holy week", "easter", -7, -1),
    Feast("mothering sunday", "easter", -21, -21),
    Feast("ash wednesday", "easter", -46, -46),
    Feast("shrove tuesday, fat tuesday, pancake day, mardi gras", "easter", -47, -47),
    Feast("carnival", "easter", -51, -47),
    Feast("ascension day", "easter", 39, 39),
    Feast("pentecost, whit sunday", "easter", 49, 49),
    Feast("whit monday, pentecost monday", "easter", 50, 50),
    Feast("corpus christi", "easter", 60, 60),
    # moving feasts of the library
    Feast("thanksgiving, thanksgiving day", "Thanksgiving Day|Thanksgiving"),
    Feast("black friday", "Thanksgiving Day|Thanksgiving", 1, 1),
    Feast("cyber monday", "Thanksgiving Day|Thanksgiving", 4, 4),
    Feast("labor day, labour day", "Labor Day|Labour Day"),
    Feast("memorial day", "Memorial Day"),
    Feast("veterans day", "Veterans Day"),
    Feast("remembrance day", "Remembrance Day"),
    Feast("columbus day", "Columbus Day"),
    Feast("presidents day, washingtons birthday", "Washington's Birthday"),
    Feast("martin luther king day, martin luther king jr day, mlk day", "Martin Luther King Jr. Day"),
    Feast("juneteenth", "Juneteenth National Independence Day"),
    Feast("groundhog day", "Groundhog Day"),
    Feast("mothers day, mother day", "Mother's Day"),
    Feast("fathers day, father day", "Father's Day"),
    Feast("independence day", "Independence Day"),
    Feast("republic day", "Republic Day"),
    Feast("constitution day", "Constitution Day"),
    Feast("canada day", "Canada Day"),
    Feast("victoria day", "Victoria Day"),
    Feast("australia day", "Australia Day"),
    Feast("anzac day", "ANZAC Day|Anzac Day"),
    Feast("waitangi day", "Waitangi Day"),
    Feast("freedom day", "Freedom Day"),
    Feast("heritage day", "Heritage Day"),
    Feast("bastille day", "07-14"),
    Feast("german unity day, unity day", "German Unity Day"),
    Feast("kings day", "King's Day"),
    Feast("midsummer eve, midsummers eve", "Midsummer Eve"),
    Feast("midsummer, midsummer day, midsummers day", "Midsummer Day"),
    Feast("diwali, deepavali, divali, deepawali, dipawali", "Diwali"),
    Feast("holi", "Holi"),
    Feast("holika dahan", "Holika Dahan"),
    Feast("dussehra, dasara, dashain, vijayadashami", "Dussehra"),
    Feast("durga puja, durga pooja", "Dussehra", -4, 0),
    Feast("navratri, navaratri", "Dussehra", -9, -1),
    Feast("onam", "Onam"),
    Feast("pongal", "Pongal"),
    Feast("lohri", "01-13"),
    Feast("makar sankranti, makara sankranti, uttarayan", "Makar Sankranti"),
    Feast("raksha bandhan, rakshabandhan, rakhi", "Raksha Bandhan"),
    Feast("ganesh chaturthi, ganesh chaturti, vinayaka chaturthi", "Ganesh Chaturthi"),
    Feast("janmashtami, krishna janmashtami", "Janmashtami (Smarta)|Janmashtami (Vaishnava)|Janmashtami"),
    Feast("maha shivratri, maha shivaratri, shivratri, shivaratri", "Maha Shivaratri"),
    Feast("ram navami, rama navami", "Ram Navami"),
    Feast("vaisakhi, baisakhi", "Vaisakhi"),
    Feast("ugadi, gudi padwa, yugadi", "Ugadi"),
    Feast("vishu", "Vishu"),
    Feast("bhai dooj, bhai duj, bhau beej", "Bhai Duj"),
    Feast("govardhan puja", "Govardhan Puja"),
    Feast("karva chauth, karwa chauth", "Karaka Chaturthi (Karwa Chouth)"),
    Feast("chhath puja, chhath", "Pratihar Shashthi or Surya Shashthi (Chhath Puja)"),
    Feast("basant panchami, vasant panchami", "Basant Panchami / Shri Panchami"),
    Feast("guru nanak jayanti, gurpurab, guru nanaks birthday", "Guru Nanak's Birthday"),
    Feast("gandhi jayanti", "10-02"),
    Feast("buddha purnima, buddha jayanti", "Buddha Purnima"),
    Feast("mahavir jayanti", "Mahavira's Birthday"),
    Feast(
        "eid al fitr, eid ul fitr, eid el fitr, id ul fitr, ramadan eid, ramzan eid, hari raya", "Eid al-Fitr"
    ),
    Feast("eid al adha, eid ul adha, eid el adha, bakrid, bakra eid, kurban bayrami", "Eid al-Adha"),
    Feast("eid", "Eid al-Fitr|Eid al-Adha"),
    Feast("ramadan, ramzan", "Eid al-Fitr", -30, -1),
    Feast("muharram, ashura", "Ashura"),
    Feast("mawlid, milad un nabi, eid e milad, prophets birthday", "Prophet's Birthday"),
    Feast("nowruz, norooz, navroz, persian new year", "Nowruz"),
    Feast("hanukkah, hanukah, chanukah, hannukah, chanukkah", "Hanukkah"),
    Feast("passover, pesach", "Pesach|Pesach holiday|Seventh day of Pesach"),
    Feast("purim", "Purim"),
    Feast("rosh hashanah, rosh hashana, jewish new year", "Rosh Hashanah"),
    Feast("yom kippur", "Yom Kippur"),
    Feast("sukkot", "Sukkot|Sukkot holiday"),
    Feast("simchat torah", "Simchat Torah / Shemini Atzeret"),
    Feast("shavuot", "Shavuot"),
    Feast("lag baomer, lag b omer", "Lag BaOmer"),
    Feast("chinese new year, lunar new year, spring festival, cny", "Chinese New Year (Spring Festival)"),
    Feast("mid autumn festival, midautumn festival, moon festival", "Mid-Autumn Festival"),
    Feast("dragon boat festival", "Dragon Boat Festival"),
    Feast("qingming, qing ming, tomb sweeping day", "Tomb-Sweeping Day"),
    Feast("seollal, korean new year", "Korean New Year"),
    Feast("chuseok", "Chuseok", -1, 1),
    Feast("tet, vietnamese new year", "Lunar New Year"),
    Feast("golden week", "Showa Day", 0, 6),
    Feast("songkran, thai new year", "Songkran Festival"),
    Feast("loy krathong, loi krathong", "Loy Krathong"),
    Feast("nyepi, day of silence", "Day of Silence"),
    Feast("vesak, wesak", "Vesak Day|Visakha Bucha"),
]
# Their names are also everyday words: a date only at the start, after a name, or after a word such as *at*.
EVERYDAY = frozenset(
    ("christmas", "easter", "new year", "new years", "epiphany", "carnival", "eid", "tet", "golden week")
)


def _index_names() -> dict[str, list[tuple[str, Feast]]]:
    """Map the first word of each name to the names, the longest first, and their feasts."""
    index: dict[str, list[tuple[str, Feast]]] = {}
    for feast in FEASTS:
        for name in feast.names.split(", "):
            variants = {name} | {
                f"{saint} {name[3:]}" for saint in ("saint", "st .") if name.startswith("st ")
            }
            variants |= {
                f"{name[: space.start()]} - {name[space.end() :]}" for space in re.finditer(" ", name)
            }
            for variant in sorted(variants):  # with a hyphen: eid al-fitr
                index.setdefault(variant.split()[0], []).append((variant, feast))
    for variants in index.values():
        variants.sort(key=lambda item: -len(item[0]))
    return index


FEASTS_BY_WORD = _index_names()


def match_feast(text: str, start: int) -> tuple[Feast, int] | None:
    """Return the feast whose name stands at an offset of a text, and where the name ends. Plurals count."""
    space = text.find(" ", start)
    word = text[start:] if space < 0 else text[start:space]
    for first in (word, word.removesuffix("s"), word.removesuffix("es")):
        for name, feast in FEASTS_BY_WORD.get(first, ()):
            for plural in ("", "s", "es"):
                end = start + len(name) + len(plural)
                if text.startswith(name + plural, start) and text[end : end + 1] in ("", " "):
                    return feast, end
    return None


@dataclass(frozen=True)
class FeastDays:
    """The days of feasts in some countries, by their ISO codes; the first that has a feast decides."""

    countries: tuple[str, ...] = DEFAULT_COUNTRIES

    def make_yearly(self, feast: Feast, today: date) -> Yearly:
        """Return a feast of every year from 1990 to the next."""
        years = range(1990, min(max(today.year, 1994), 2098) + 2)
        return Yearly(lambda year: self._find_days(feast, year), "holiday", years)

    def _find_days(self, feast: Feast, year: int) -> Once | Either:
        """Return the days of a feast in a year.

        Raises
        ------
        ValueError
            If none of the countries has it, or its days in that year are not known.
        """
        times = []
        for first, last in self._list_bases(feast.base, year):
            start, end = first + feast.first * DAY, last + (feast.last + 1) * DAY
            times.append(make_days(start, end, "holiday", first if first == last else None))
        if not times:
            raise ValueError(f"{feast.names}: no days in {year}")
        return times[0] if len(times) == 1 else Either(tuple(times))

    def _list_bases(self, base: str, year: int) -> list[tuple[date, date]]:
        """Return the first and last day of each time that the base of a feast occurs in a year."""
        if base == "easter":
            from dateutil.easter import easter

            return [(easter(year), easter(year))]
        if base[0].isdigit():
            day = date(year, *map(int, base.split("-")))
            return [(day, day)]
        country = _find_country(self.countries, base)
        days = (day for y in (year - 1, year, year + 1) for day in _list_days(country, base, y))
        return [(first, last) for first, last in _group_days(sorted(days)) if first.year == year]


def _group_days(days: Iterable[date]) -> list[tuple[date, date]]:
    """Return the first and last day of each run of consecutive days."""
    groups: list[tuple[date, date]] = []
    for day in days:
        if groups and day - groups[-1][1] <= timedelta(days=1):
            groups[-1] = groups[-1][0], day
        else:
            groups.append((day, day))
    return groups


@functools.lru_cache(maxsize=256)
def _find_country(countries: Sequence[str], base: str) -> str:
    return next((country for country in countries if _list_days(country, base, _SAMPLE_YEAR)), "")


def _list_days(country: str, base: str, year: int) -> list[date]:
    names = base.split("|")
    return [day for name, day in _load_holidays(country, year) if name in names] if country else []


@functools.lru_cache(maxsize=4096)
def _load_holidays(country: str, year: int) -> tuple[tuple[str, date], ...]:
    """Return the English names and the days of a country's holidays in a year, of all kinds."""
    import holidays

    module = getattr(holidays, country)
    language = "en_US" if "en_US" in module.supported_languages else None
    with warnings.catch_warnings():  # of years whose movable holidays it does not have
        warnings.simplefilter("ignore")
        days = module(years=year, categories=module.supported_categories, language=language, observed=False)
    return tuple(
        (name.removesuffix("(estimated)").strip(), day)
        for day, joined in days.items()
        for name in joined.split(";")
    )
