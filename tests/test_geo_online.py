"""Online geocoders: one request for each place, and errors of the server that do not stop a run."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from geocoding_server import Server, answer_as_photon

from imagesearch.config import GeoConfig
from imagesearch.errors import UserError
from imagesearch.geo.address import NO_ADDRESS, Address, parse_response
from imagesearch.geo.online import OnlineGeocoder, round_position
from imagesearch.geo.reverse import find_addresses
from imagesearch.text import normalize


def words(address: Address) -> set[str]:
    return {normalize(name) for name, _ in address.places}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.close()


def online(server: Server, folder: Path, language: str = "en", **pace: float) -> OnlineGeocoder:
    settings = GeoConfig(
        geocoder="nominatim", nominatim_url=server.url, user_agent="a test", language=language
    )
    return OnlineGeocoder(
        settings, folder / "answers.jsonl", **{"seconds_apart": 0.0, "retry_seconds": 0.0, **pace}
    )


def online_by_options(server: Server, folder: Path, geocoder: str) -> OnlineGeocoder:
    where = {"scheme": "http", "domain": urlsplit(server.url).netloc}
    settings = GeoConfig(geocoder=geocoder, options=where, user_agent="a test")
    return OnlineGeocoder(settings, folder / "answers.jsonl", seconds_apart=0.0, retry_seconds=0.0)


def locate(geocoder: OnlineGeocoder, *positions: tuple[float, float], **options):
    return find_addresses(*np.array(positions, float).T, geocoder, **options)


PLACES = [(48.8584, 2.2945), (52.5163, 13.3777), (-33.8568, 151.2153)]


def test_each_place_is_requested_once_with_the_settings_of_the_config(server: Server, tmp_path: Path) -> None:
    near = (48.8584001, 2.29451)
    found = locate(online(server, tmp_path), *PLACES, near)
    assert (found.answered, found.unanswered) == (3, 0) and len(server.requests) == 3
    address = found.addresses[3]
    assert (address.city, address.state, address.country) == ("Town 48.858", "Sömewhere", "Utopia")
    assert address.address == "1, Road, Utopia" and {"old town", "utopia"} <= words(address)
    _, agent, query = server.requests[0]
    assert agent == "a test" and query["accept-language"] == "en" and query["lat"] == "48.858"
    again = locate(online(server, tmp_path), *PLACES, near)
    assert again.addresses == found.addresses and len(server.requests) == 3
    locate(online(server, tmp_path, language="de"), PLACES[0])
    assert len(server.requests) == 4  # another language requires another request


def test_at_most_one_request_per_second_by_the_servers_clock(server: Server, tmp_path: Path) -> None:
    settings = GeoConfig(geocoder="nominatim", nominatim_url=server.url)
    locate(OnlineGeocoder(settings, tmp_path / "answers.jsonl"), *PLACES)
    times = [moment for moment, _, _ in server.requests]
    assert len(times) == 3 and min(np.diff(times)) >= 1


@pytest.mark.parametrize(
    "error",
    [
        (429, b"slow down"),
        (503, b"busy"),
        (500, b""),
        (200, b"<html>not JSON"),
        (200, b'{"error": "internal"}'),
    ],
    ids=lambda t: f"{t[0]} {t[1][:8].decode()}",
)
def test_a_failed_request_is_retried(server: Server, tmp_path: Path, error: tuple[int, bytes]) -> None:
    server.answer = lambda n: error if n == 1 else None
    found = locate(online(server, tmp_path), *PLACES)
    assert [a.country for a in found.addresses] == ["Utopia"] * 3 and len(server.requests) == 4


@pytest.mark.parametrize(
    "body",
    [
        *(
            b'{"lat": "x"}',
            b'"text"',
            b"[3]",
            b"null",
            b'{"address": []}',
            b"{}",
            b"[]",
            b"0",
            b"[" * 100_000,
        ),
        b'{"lat": "1", "lon": "1", "display_name": "x", "address": {}}',
        b'{"error": "Unable to geocode: no database"}',
        b" " * 2**20 + b'{"lat": "1", "lon": "1", "display_name": "x", "address": {"country": "Utopia"}}',
    ],
    ids=lambda body: f"{len(body)} {body[:12].decode()}",
)
def test_a_response_without_an_address_is_not_cached(server: Server, tmp_path: Path, body: bytes) -> None:
    server.answer = lambda _: (200, body)
    found = locate(online(server, tmp_path), PLACES[0])
    assert found.addresses[0].country == "France" and found.unanswered == 1
    server.answer = lambda _: None
    assert locate(online(server, tmp_path), PLACES[0]).addresses[0].country == "Utopia"  # requested again


def test_control_characters_and_surrogates_are_removed_from_names(server: Server, tmp_path: Path) -> None:
    parts = b'"address": {"city": "A\\ud800\\u0007b", "country": "Utopia"}'
    server.answer = lambda _: (200, b'{"lat": "1", "lon": "1", "display_name": "\\ud800x", ' + parts + b"}")
    for _ in range(2):  # the second one from the cache
        (address,) = locate(online(server, tmp_path), PLACES[0]).addresses
        assert (address.city, address.address) == ("A b", "x") and "\ud800" not in str(address)
    assert len(server.requests) == 1
    old = (tmp_path / "answers.jsonl").read_bytes().replace(b"A b", b"A\\ud800b")
    (tmp_path / "answers.jsonl").write_bytes(old)
    assert locate(online(server, tmp_path), PLACES[0]).addresses[0].city == "Ab"


def test_failing_places_do_not_block_the_others(server: Server, tmp_path: Path) -> None:
    def fail_in_the_south(_: int) -> tuple[int, bytes] | None:
        return (500, b"") if float(server.requests[-1][2]["lat"]) < 5 else None

    many = [(float(i), 10.0) for i in range(1, 9)]
    server.answer = fail_in_the_south
    found = locate(online(server, tmp_path), *many)
    assert (found.answered, found.unanswered) == (4, 4)

    server.answer = lambda n: (503, b"") if float(server.requests[-1][2]["lat"]) < 5 else None
    found = locate(online(server, tmp_path), *many, (20.0, 10.0))  # the new place is requested first
    assert (found.answered, found.unanswered) == (1, 4)


def test_redirects_are_not_followed_and_retry_after_is_obeyed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("imagesearch.geo.http.sleep", slept.append)
    other = Server()
    try:
        server.answer = lambda _: (302, b"")
        server.headers = {"Location": other.url}
        found = locate(online(server, tmp_path), *PLACES)
        assert not other.requests and "redirects" in found.reason and len(server.requests) == 1
    finally:
        other.close()
    for status, seconds, requests in ((403, "", 1), (429, "3600", 1), (404, "", 3), (429, "7", 3)):
        server.requests.clear()
        server.headers = {"Retry-After": seconds} if seconds else {}
        server.answer = lambda _, status=status: (status, b"")
        locate(online(server, tmp_path), *PLACES)
        assert len(server.requests) == requests, status
    assert slept == [7, 7, 7]


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_slow_response_ends_at_the_timeout(server: Server, tmp_path: Path, where: str) -> None:
    server.drip, server.headers = 0.05, {"X-Drip": where}
    found = locate(online(server, tmp_path, timeout=0.2), PLACES[0])
    assert "TimedOut" in found.reason  # although each byte arrived in time


def test_known_addresses_are_saved_before_the_requests_and_after_an_interruption(
    server: Server, tmp_path: Path
) -> None:
    saved: list[list[str]] = []

    def interrupt(places, total, unit, label):
        yield places[0]
        raise KeyboardInterrupt

    def save(addresses: list[Address]) -> None:
        saved.append([address.country for address in addresses])

    with pytest.raises(KeyboardInterrupt):
        locate(online(server, tmp_path), *PLACES, progress=interrupt, save=save)
    assert saved == [["France", "Germany", "Australia"], ["Utopia", "Germany", "Australia"]]


def test_a_response_without_components_gets_those_of_the_offline_address(tmp_path: Path) -> None:
    geocoder = OnlineGeocoder(GeoConfig(geocoder="photon"), tmp_path / "answers.jsonl")
    entry = {"key": ["photon", "en", "48.858", "2.295"], "found": asdict(Address(address="Tour Eiffel"))}
    (tmp_path / "answers.jsonl").write_text(json.dumps(entry))
    geocoder.reload_cache()
    (address,) = locate(geocoder, (48.8584, 2.2946)).addresses
    assert (address.address, address.city) == ("Tour Eiffel", "Paris") and "france" in words(address)


def test_a_place_without_a_response_gets_its_offline_address(server: Server, tmp_path: Path) -> None:
    server.answer = lambda _: time.sleep(0.3)
    found = locate(online(server, tmp_path, timeout=0.05), PLACES[0])
    assert found.addresses[0].country == "France" and found.unanswered == 1 and "TimedOut" in found.reason
    server.answer = lambda _: None
    assert locate(online(server, tmp_path), PLACES[0]).addresses[0].country == "Utopia"  # requested again


def test_requests_end_when_the_server_refuses_or_is_unavailable(server: Server, tmp_path: Path) -> None:
    many = [(float(i), float(i)) for i in range(1, 9)]
    server.answer = lambda _: (403, b"blocked")
    found = locate(online(server, tmp_path), *many)
    assert found.unanswered == 8 and len({q["lat"] for _, _, q in server.requests}) == 1
    server.requests.clear()
    server.answer = lambda _: (503, b"")
    locate(online(server, tmp_path), *many)
    assert len({q["lat"] for _, _, q in server.requests}) == 3
    assert online(server, tmp_path).get_cached(round_position(*many[0])) is None


def test_an_interrupted_run_resumes_without_repeated_requests(server: Server, tmp_path: Path) -> None:
    many = [(float(i), 10.0) for i in range(1, 9)]

    def interrupt(places, total, unit, label):
        assert total == 8
        yield from places[:4]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locate(online(server, tmp_path), *many, progress=interrupt)
    with (tmp_path / "answers.jsonl").open("ab") as stream:
        stream.write(b'\n{"key": ["nominatim", "en", "5.0')  # the incomplete line of a killed run
    found = locate(online(server, tmp_path), *many)
    assert found.answered == 4 and [a.country for a in found.addresses] == ["Utopia"] * 8
    assert Counter(query["lat"] for _, _, query in server.requests).most_common(1)[0][1] == 1
    assert locate(online(server, tmp_path), *many).answered == 0


def test_a_response_that_no_address_exists_is_cached(server: Server, tmp_path: Path) -> None:
    server.answer = lambda _: (200, b'{"error": "Unable to geocode"}')
    for _ in range(2):
        found = locate(online(server, tmp_path), (0.5, -30.0))
        assert found.addresses == [NO_ADDRESS] and found.unanswered == 0
    assert len(server.requests) == 1


def test_photon_gives_the_same_addresses_as_nominatim(server: Server, tmp_path: Path) -> None:
    server.format = answer_as_photon
    found = locate(online_by_options(server, tmp_path, "photon"), *PLACES)
    assert (found.answered, found.unanswered) == (3, 0)
    address = found.addresses[0]
    assert (address.city, address.county, address.state) == ("Town 48.858", "Shire", "Sömewhere")
    assert address.country == "Utopia" and address.address.startswith("Café, 1, Road, ")
    assert {"town 48858", "old town", "shire", "somewhere", "utopia"} <= words(address)
    _, agent, query = server.requests[0]
    assert agent == "a test" and (query["lang"], query["lat"]) == ("en", "48.858")
    again = locate(online_by_options(server, tmp_path, "photon"), *PLACES)
    assert again.addresses == found.addresses and len(server.requests) == 3

    server.format = lambda query: answer_as_photon(query, name="Oldham", type="city")
    (address,) = locate(online_by_options(server, tmp_path, "photon"), (1, 2)).addresses
    assert (address.city, address.address) == ("Oldham", "Oldham, Sömewhere, Utopia")
    server.format = lambda _: {"type": "FeatureCollection", "features": []}
    found = locate(online_by_options(server, tmp_path, "photon"), (0.5, -30.0))
    assert found.addresses == [NO_ADDRESS] and found.unanswered == 0


def test_components_with_unknown_names_are_replaced_by_those_of_the_offline_address(
    server: Server, tmp_path: Path
) -> None:
    here = {
        "Address": "Av. A. France",
        "City": "Paris",
        "Region": "IdF",
        "Postal": "75",
        "CountryCode": "FRA",
    }
    server.format = lambda _: {"address": here, "location": {"x": 2.2945, "y": 48.8584}}
    found = locate(online_by_options(server, tmp_path, "arcgis"), PLACES[0])
    (address,) = found.addresses
    assert address.address == "Av. A. France, Paris, IdF 75, FRA" and (found.answered, found.unanswered) == (
        1,
        0,
    )
    assert (address.city, address.country) == ("Paris", "France") and "ile de france" in words(address)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Nominatin", "did you mean nominatim?"),
        ("ofline", "did you mean offline?"),
        ("photn", "did you mean photon?"),
        ("mapqest", "did you mean mapquest or openmapquest?"),
        ("xyzzy", "expected one of offline, none, arcgis, "),
        ("liveaddress", "expected one of offline, none, arcgis, "),  # geopy has it, without reverse geocoding
    ],
)
def test_the_message_for_an_unknown_geocoder_names_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        OnlineGeocoder(GeoConfig(geocoder=name), Path("unused"))
    assert str(caught.value).startswith(f"geo.geocoder: expected a known geocoder, got {name!r}; {hint}")


def test_other_geocoders_require_their_options() -> None:
    OnlineGeocoder(GeoConfig(geocoder="geocodio", options={"api_key": "a"}), Path("unused"))
    with pytest.raises(UserError, match=r"geo\.options: expected the options of opencage .*api_key"):
        OnlineGeocoder(GeoConfig(geocoder="opencage"), Path("unused"))


@pytest.mark.parametrize(
    "raw",
    [
        {"components": {"city": "Rome", "state": "Lazio", "country": "Italy"}},  # OpenCage
        {"properties": {"city": "Rome", "state": "Lazio", "country": "Italy"}},  # Photon
        {"properties": {"locality": "Rome", "region": "Lazio", "country": "Italy"}},  # Pelias
        {
            "address_components": [  # Google
                {"long_name": "Rome", "types": ["locality", "political"]},
                {"long_name": "Lazio", "types": ["administrative_area_level_1"]},
                {"long_name": "Italy", "types": ["country", "political"]},
            ]
        },
    ],
)
def test_components_are_read_from_the_responses_of_several_geocoders(raw: dict) -> None:
    address = parse_response(raw, "Via, Rome")
    assert (address.city, address.state, address.country) == ("Rome", "Lazio", "Italy")


def test_unusual_responses_have_no_address() -> None:
    for raw in (None, [], {"address": {"city": 3}}, {"address_components": [1]}, {"address": None}):
        assert parse_response(raw, None) == NO_ADDRESS
