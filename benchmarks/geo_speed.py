"""Time of offline geocoding, with and without borders, at once and one by one, and of refusing hostile XMP.

    python benchmarks/geo_speed.py [--positions 100000]

The positions are scattered around a few towns, like those of photos, or around all places of GeoNames.
Without borders, an address is that of the nearest place in any country. Hostile XMP packets are compared with
the longest ordinary packet: refusing a packet must not take longer than reading one.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time

import numpy as np

from imagesearch.geo.borders import Borders, load_borders
from imagesearch.geo.offline import OfflineGeocoder, get_offline_geocoder, make_offline_geocoder
from imagesearch.photos.metadata_blocks import parse_xmp

TOWNS = ((48.8534, 2.3488), (15.579, 73.744), (35.6895, 139.6917), (-33.8908, 151.2785), (64.1355, -21.8954))
ONE_BY_ONE = 500  # positions to measure one by one; the time is extrapolated to all positions
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


class NoBorders(Borders):
    """Borders that assign no position to a country, which takes no time."""

    def find_countries(self, latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
        return np.full(len(latitudes), "", "U2")


def scatter(towns: np.ndarray, count: int) -> np.ndarray:
    """Return `count` positions some 20 km around towns, (count, 2)."""
    rng = np.random.default_rng(0)
    positions = towns[rng.integers(len(towns), size=count)] + rng.normal(0, 0.2, (count, 2))
    return np.clip(positions, (-90, -180), (90, 180))


def measure_addresses(geocoder: OfflineGeocoder, positions: np.ndarray) -> float:
    """Return the seconds of CPU time, which are those of one core: other work hardly changes them."""
    start = time.process_time()
    geocoder.find_addresses(*positions.T)
    return time.process_time() - start


def measure_geocoding(count: int, repeats: int = 5) -> None:
    """Print the CPU time for all positions at once, with and without borders in turn, and one by one."""
    start = time.perf_counter()
    borders = load_borders()
    print(f"loading the borders: {time.perf_counter() - start:.2f} s")
    start = time.perf_counter()
    geocoder = get_offline_geocoder()
    places = geocoder.places
    print(f"loading the places, and indexes of them: {time.perf_counter() - start:.2f} s")
    no_borders = NoBorders(np.array([], object), np.array([], "U2"), {}, None)
    for name, known in (("with", borders), ("without", no_borders)):
        start = time.perf_counter()
        nearest = make_offline_geocoder(places, known)
        print(f"indexes {name} borders: {time.perf_counter() - start:.2f} s")
    everywhere = np.stack([places.latitudes, places.longitudes], axis=1)
    for name, towns in (("five towns", np.array(TOWNS)), ("all places", everywhere)):
        positions = scatter(towns, count)
        pairs = [[measure_addresses(g, positions) for g in (nearest, geocoder)] for _ in range(repeats)]
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"{count:,} positions around {name}: {after:.2f} s; without borders {before:.2f} s")
        print(f"with / without borders: {statistics.median(b / a for a, b in pairs):.2f}")
    positions = scatter(np.array(TOWNS), count)
    together = measure_addresses(geocoder, positions)
    alone = sum(measure_addresses(geocoder, position[None]) for position in positions[:ONE_BY_ONE])
    print(f"one by one / together: {alone * count / min(count, ONE_BY_ONE) / together:.0f}")


def make_ordinary_packet(keywords: int = 90_000) -> str:
    """Return a packet of `keywords` keywords; a packet is refused from 100,000 elements or 4 MiB on."""
    items = "".join(f"<r:li>keyword {i}</r:li>" for i in range(keywords))
    subject = f"<d:subject xmlns:d='http://purl.org/dc/elements/1.1/'><r:Bag>{items}</r:Bag></d:subject>"
    return f"<a xmlns:r='{RDF}'><r:RDF><r:Description>{subject}</r:Description></r:RDF></a>"


def make_hostile_packets() -> dict[str, str]:
    """Return packets with deep nesting, or with very many elements."""
    packets = {}
    for name, inner, times in (("nested RDF", "<r:RDF><d><e>", 10_000), ("nested", "<d>", 500_000)):
        closing = "".join(f"</{tag[:-1]}>" for tag in reversed(inner.split("<")[1:]))
        packets[name] = f"<a xmlns:r='{RDF}'>{inner * times}{closing * times}</a>"
    packets["flat"] = f"<r:RDF xmlns:r='{RDF}'><d>{'<e/>' * 100_000}</d></r:RDF>"
    return packets


def measure_parsing(packet: str) -> float:
    """Return the milliseconds for reading or refusing a packet."""
    start = time.perf_counter()
    with contextlib.suppress(ValueError):
        parse_xmp(packet)
    return 1000 * (time.perf_counter() - start)


def measure_xmp(repeats: int = 15) -> None:
    """Print the median for each hostile packet, and its ratio to the ordinary packet; both alternate."""
    ordinary, packets = make_ordinary_packet(), make_hostile_packets()
    assert len(parse_xmp(ordinary)["dc:subject"]) == 90_000
    for name, packet in packets.items():
        pairs = [(measure_parsing(ordinary), measure_parsing(packet)) for _ in range(repeats)]
        read, refused = (statistics.median(side) for side in zip(*pairs, strict=True))
        size = f"{name}, {len(packet):,} characters"
        print(f"{size}: refused in {refused:.1f} ms, {refused / read:.2f} of the {read:.1f} ms for reading")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, default=100_000)
    args = parser.parse_args()
    measure_geocoding(args.positions)
    measure_xmp()


if __name__ == "__main__":
    main()
