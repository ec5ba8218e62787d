"""Aliases of places: names that people type instead of the name in GeoNames or from a geocoder.

The tables contain common names only; a complete list would be a gazetteer of its own. All names on one line
are aliases of each other. Aliases of a city apply in its country only: Naples in Florida is not Napoli.
"""

from __future__ import annotations

import functools

from imagesearch.text import normalize

_COUNTRIES = (
    ("Austria", "Österreich"),
    ("Belgium", "België", "Belgique"),
    ("Brazil", "Brasil"),
    ("Bosnia and Herzegovina", "Bosnia"),
    ("Brunei Darussalam", "Brunei"),
    ("Cambodia", "Kampuchea"),
    ("Cape Verde", "Cabo Verde"),
    ("China", "中国"),
    ("Congo, the Democratic Republic of the", "DR Congo", "Congo", "DRC", "Zaire"),
    ("Congo", "Republic of the Congo"),
    ("Cote d'Ivoire", "Ivory Coast"),
    ("Czech Republic", "Czechia", "Česko"),
    ("Denmark", "Danmark"),
    ("Egypt", "مصر"),
    ("Ethiopia", "Abyssinia"),
    ("Finland", "Suomi"),
    ("Germany", "Deutschland"),
    ("Greece", "Ελλάδα"),
    ("Holy See (Vatican City State)", "Vatican", "Vatican City"),
    ("Hong Kong", "香港"),
    ("Hungary", "Magyarország"),
    ("Iceland", "Ísland"),
    ("India", "Bharat"),
    ("Iran, Islamic Republic of", "Iran", "Persia"),
    ("Ireland", "Éire", "Republic of Ireland"),
    ("Israel", "ישראל"),
    ("Italy", "Italia"),
    ("Japan", "日本", "Nippon"),
    ("Korea, Republic of", "South Korea", "Korea", "대한민국"),
    ("Korea, Democratic People's Republic of", "North Korea", "Korea"),
    ("Lao People's Democratic Republic", "Laos"),
    ("Libyan Arab Jamahiriya", "Libya"),
    ("Macao", "Macau"),
    ("Macedonia", "North Macedonia"),
    ("Mexico", "México"),
    ("Micronesia, Federated States of", "Micronesia"),
    ("Moldova, Republic of", "Moldova"),
    ("Myanmar", "Burma"),
    ("Netherlands", "Holland", "Nederland"),
    ("New Zealand", "Aotearoa"),
    ("Norway", "Norge"),
    ("Palestinian Territory", "Palestine"),
    ("Papua New Guinea", "PNG"),
    ("Poland", "Polska"),
    ("Portugal",),
    ("Russian Federation", "Russia", "Россия"),
    ("Saudi Arabia",),
    ("Spain", "España"),
    ("Sri Lanka", "Ceylon"),
    ("Swaziland", "Eswatini"),
    ("Sweden", "Sverige"),
    ("Switzerland", "Schweiz", "Suisse"),
    ("Syrian Arab Republic", "Syria"),
    ("Tanzania, United Republic of", "Tanzania"),
    ("Thailand", "Siam"),
    ("Timor-Leste", "East Timor"),
    ("Turkey", "Türkiye"),
    ("Ukraine", "Україна"),
    ("United Arab Emirates", "UAE", "Emirates"),
    ("United Kingdom", "UK", "Great Britain", "Britain"),
    ("United States", "USA", "America", "United States of America"),
    ("Vietnam", "Việt Nam"),
    ("Zimbabwe", "Rhodesia"),
)
_STATES = (
    ("Andalusia", "Andalucía"),
    ("Bavaria", "Bayern"),
    ("Brittany", "Bretagne"),
    ("Catalonia", "Cataluña", "Catalunya"),
    ("District of Columbia", "Washington DC", "DC"),
    ("Lombardy", "Lombardia"),
    ("Normandy", "Normandie"),
    ("Odisha", "Orissa"),
    ("Sardinia", "Sardegna"),
    ("Sicily", "Sicilia"),
    ("Tuscany", "Toscana"),
)
# The keys are the first names of the countries above.
_CITIES = {
    "Austria": (("Vienna", "Wien"),),
    "Belgium": (
        ("Antwerpen", "Antwerp"),
        ("Brugge", "Bruges"),
        ("Brussels", "Bruxelles", "Brussel"),
        ("Gent", "Ghent"),
    ),
    "Brazil": (("Rio de Janeiro", "Rio"),),
    "Canada": (("Québec", "Quebec City"),),
    "China": (
        ("Beijing", "Peking", "北京"),
        ("Guangzhou", "Canton", "广州"),
        ("Nanjing", "Nanking"),
        ("Shanghai", "上海"),
    ),
    "Czech Republic": (("Prague", "Praha"),),
    "Denmark": (("Copenhagen", "København"),),
    "Germany": (
        ("Hannover", "Hanover"),
        ("Frankfurt am Main", "Frankfurt"),
        ("Köln", "Cologne"),
        ("Munich", "München"),
        ("Nürnberg", "Nuremberg"),
    ),
    "Greece": (("Athens", "Athina", "Αθήνα"), ("Ródos", "Rhodes")),
    "India": (
        ("Bengaluru", "Bangalore"),
        ("Chennai", "Madras"),
        ("Gurugram", "Gurgaon"),
        ("Kochi", "Cochin"),
        ("Kolkata", "Calcutta"),
        ("Mumbai", "Bombay"),
        ("Mysuru", "Mysore"),
        ("Prayagraj", "Allahabad"),
        ("Puducherry", "Pondicherry"),
        ("Pune", "Poona"),
        ("Thiruvananthapuram", "Trivandrum"),
        ("Vadodara", "Baroda"),
        ("Varanasi", "Benares", "Banaras"),
    ),
    "Indonesia": (("Jakarta", "Batavia"), ("Yogyakarta", "Jogja", "Jogjakarta")),
    "Italy": (
        ("Florence", "Firenze"),
        ("Genoa", "Genova"),
        ("Milan", "Milano"),
        ("Mantova", "Mantua"),
        ("Naples", "Napoli"),
        ("Padova", "Padua"),
        ("Rome", "Roma"),
        ("Siracusa", "Syracuse"),
        ("Turin", "Torino"),
        ("Venice", "Venezia"),
    ),
    "Japan": (("Kyoto", "京都"), ("Osaka", "大阪"), ("Tokyo", "東京")),
    "Korea, Republic of": (("Seoul", "서울"),),
    "Mexico": (("Mexico City", "Ciudad de México", "CDMX"), ("Acapulco de Juárez", "Acapulco")),
    "Morocco": (("Marrakesh", "Marrakech"), ("Fès", "Fez"), ("Tangier", "Tanger")),
    "Myanmar": (("Yangon", "Rangoon"),),
    "Netherlands": (("The Hague", "Den Haag"),),
    "Palestinian Territory": (("East Jerusalem", "Jerusalem"),),
    "Israel": (("West Jerusalem", "Jerusalem"),),
    "Philippines": (("Cebu City", "Cebu"), ("Quezon City", "Quezon")),
    "Poland": (
        ("Gdańsk", "Danzig"),
        ("Kraków", "Cracow"),
        ("Warsaw", "Warszawa"),
        ("Wrocław", "Breslau"),
    ),
    "Portugal": (("Lisbon", "Lisboa"), ("Porto", "Oporto")),
    "Russian Federation": (
        ("Moscow", "Москва"),
        ("Saint Petersburg", "Санкт-Петербург", "Petersburg", "Leningrad"),
    ),
    "Saudi Arabia": (("Makkah", "Mecca"),),
    "Spain": (("Las Palmas de Gran Canaria", "Las Palmas"), ("Sevilla", "Seville")),
    "Sweden": (("Göteborg", "Gothenburg"),),
    "Switzerland": (
        ("Basel", "Basle"),
        ("Bern", "Berne"),
        ("Genève", "Geneva"),
        ("Luzern", "Lucerne"),
    ),
    "Turkey": (("Istanbul", "Constantinople"), ("İzmir", "Smyrna")),
    "Ukraine": (("Kyiv", "Kiev", "Київ"), ("Odesa", "Odessa")),
    "United States": (
        ("Las Vegas", "Vegas"),
        ("Los Angeles", "LA"),
        ("New Orleans", "NOLA"),
        ("New York City", "New York", "NYC"),
        ("Philadelphia", "Philly"),
        ("San Francisco", "SF", "Frisco"),
        ("Washington", "Washington, D.C.", "Washington DC", "DC"),
    ),
    "Vietnam": (("Ho Chi Minh City", "Ho Chi Minh", "Saigon", "HCMC"), ("Hanoi", "Hà Nội")),
}
# Starts of a suffix that distinguishes towns of the same name and is often omitted: Frankfurt am Main.
_SUFFIX_STARTS = (
    *(" am ", " an der ", " ob der ", " im ", " in der ", " upon ", " under "),
    *(" de la ", " de las ", " de los ", " (", ", "),
)
_SAINT_SPELLINGS = {"saint": "St.", "st": "Saint", "st.": "Saint", "sankt": "St.", "sint": "St."}


@functools.cache
def list_alias_groups() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return all groups of aliases: the kind of place, the names of its country for a city, and the names."""
    groups: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("country", (), names) for names in _COUNTRIES
    ]
    groups += [("state", (), names) for names in _STATES]
    for country, cities in _CITIES.items():
        countries = _COUNTRY_NAMES.get(normalize(country), (country,))
        groups += [("city", countries, names) for names in cities]
    return groups


@functools.cache
def list_aliases(name: str, kind: str, country: str) -> tuple[str, ...]:
    """Return the names that people type for a place, starting with ``name``.

    Parameters
    ----------
    name
        Name of the place from GeoNames or a geocoder.
    kind
        ``"city"``, ``"county"``, ``"state"`` or ``"country"``.
    country
        Any name of the place's country.
    """
    if kind == "country":
        return (name, *_COUNTRY_NAMES.get(normalize(name), ()))
    if kind == "state":
        return (name, *_STATE_NAMES.get(normalize(name), ()))
    if kind != "city":
        return (name,)
    official = _COUNTRY_NAMES.get(normalize(country), (country,))[0]
    aliases = _CITY_NAMES.get(normalize(official), {}).get(normalize(name), ())
    return tuple(dict.fromkeys((name, *aliases, *_list_short_forms(name))))


def _list_short_forms(name: str) -> list[str]:
    """Return shorter or other spellings of a city's name.

    For example both names in "Donostia / San Sebastián", "Frankfurt" for "Frankfurt am Main", and "St. Louis"
    for "Saint Louis".
    """
    forms = name.split(" / ") if " / " in name else []
    for part in (name, *forms):
        if ends := [part.find(start) for start in _SUFFIX_STARTS if part.find(start) > 0]:
            forms.append(part[: min(ends)])
    first, _, rest = name.replace("-", " ", 1).partition(" ")
    if rest and first.lower() in _SAINT_SPELLINGS:
        forms.append(f"{_SAINT_SPELLINGS[first.lower()]} {rest}")
    return forms


def _index_by_name(groups: tuple[tuple[str, ...], ...]) -> dict[str, tuple[str, ...]]:
    """Return a dict from each name, normalized, to all names on its line.

    For a name on several lines, it is the line that starts with it, else the first: "Congo", "Korea".
    """
    index = {normalize(group[0]): group for group in groups}
    for group in groups:
        for name in group:
            index.setdefault(normalize(name), group)
    return index


_COUNTRY_NAMES, _STATE_NAMES = _index_by_name(_COUNTRIES), _index_by_name(_STATES)
_CITY_NAMES = {normalize(country): _index_by_name(groups) for country, groups in _CITIES.items()}
