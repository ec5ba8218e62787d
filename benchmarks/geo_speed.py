"""Addresses of many positions at once against one by one, and XMP made to keep its reader busy.

    python benchmarks/geo_speed.py [--positions 100000]

Positions scatter around a few towns, as those of photos do. A hostile XMP packet is set against the longest
ordinary one: what is refused should not cost more than what is read.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time

import numpy as np

from imagesearch.geo.offline import get_offline_geocoder
from imagesearch.photos.metadata_blocks import parse_xmp

TOWNS = ((48.8534, 2.3488), (15.579, 73.744), (35.6895, 139.6917), (-33.8908, 151.2785), (64.1355, -21.8954))
ONE_BY_ONE = 500  # positions, of which the others' time is extrapolated
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def measure_geocoding(count: int) -> None:
    """Print seconds for all positions together, and the ratio of asking for each by itself."""
    rng = np.random.default_rng(0)
    positions = np.array(TOWNS)[rng.integers(len(TOWNS), size=count)] + rng.normal(0, 0.2, (count, 2))
    start = time.perf_counter()
    geocoder = get_offline_geocoder()
    loading = time.perf_counter() - start
    start = time.perf_counter()
    geocoder.find_addresses(*positions.T)
    together = time.perf_counter() - start
    start = time.perf_counter()
    for position in positions[:ONE_BY_ONE]:
        geocoder.find_addresses(*position[:, None])
    alone = (time.perf_counter() - start) * count / min(count, ONE_BY_ONE)
    print(f"{count:,} positions: {together:.2f} s after {loading:.2f} s of loading")
    print(f"one by one / together: {alone / together:.0f}")


def make_ordinary_packet(keywords: int = 90_000) -> str:
    """Return a packet of so many keywords; from 100,000 elements and 4 MiB on it would be refused."""
    items = "".join(f"<r:li>keyword {i}</r:li>" for i in range(keywords))
    subject = f"<d:subject xmlns:d='http://purl.org/dc/elements/1.1/'><r:Bag>{items}</r:Bag></d:subject>"
    return f"<a xmlns:r='{RDF}'><r:RDF><r:Description>{subject}</r:Description></r:RDF></a>"


def make_hostile_packets() -> dict[str, str]:
    """Return packets that are nested ever deeper, or hold ever more."""
    packets = {}
    for name, inner, times in (("nested RDF", "<r:RDF><d><e>", 10_000), ("nested", "<d>", 500_000)):
        closing = "".join(f"</{tag[:-1]}>" for tag in reversed(inner.split("<")[1:]))
        packets[name] = f"<a xmlns:r='{RDF}'>{inner * times}{closing * times}</a>"
    packets["flat"] = f"<r:RDF xmlns:r='{RDF}'><d>{'<e/>' * 100_000}</d></r:RDF>"
    return packets


def measure_parsing(packet: str) -> float:
    """Return the milliseconds that reading or refusing a packet takes."""
    start = time.perf_counter()
    with contextlib.suppress(ValueError):
        parse_xmp(packet)
    return 1000 * (time.perf_counter() - start)


def measure_xmp(repeats: int = 15) -> None:
    """Print medians for each hostile packet, and the ratio to the ordinary one, parsed in turn."""
    ordinary, packets = make_ordinary_packet(), make_hostile_packets()
    assert len(parse_xmp(ordinary)["dc:subject"]) == 90_000
    for name, packet in packets.items():
        pairs = [(measure_parsing(ordinary), measure_parsing(packet)) for _ in range(repeats)]
        read, refused = (statistics.median(side) for side in zip(*pairs, strict=True))
        size = f"{name}, {len(packet):,} characters"
        print(f"{size}: refused in {refused:.1f} ms, {refused / read:.2f} of the {read:.1f} ms of reading")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, default=100_000)
    args = parser.parse_args()
    measure_geocoding(args.positions)
    measure_xmp()


if __name__ == "__main__":
    main()
