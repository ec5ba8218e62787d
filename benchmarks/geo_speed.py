"""Time of offline geocoding, for many positions at once and one by one, and of refusing hostile XMP.

    python benchmarks/geo_speed.py [--positions 100000]

The positions are scattered around a few towns, like those of photos. Hostile XMP packets are compared with
the longest ordinary packet: refusing a packet must not take longer than reading one.
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
ONE_BY_ONE = 500  # positions to measure one by one; the time is extrapolated to all positions
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def measure_geocoding(count: int) -> None:
    """Print the seconds for all positions at once, and the ratio of geocoding them one by one."""
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
    print(f"{count:,} positions: {together:.2f} s, after loading in {loading:.2f} s")
    print(f"one by one / together: {alone / together:.0f}")


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
