"""Which IP addresses are public: photos are downloaded from no other ones, unless the user lists the host."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Public IPv6 addresses (RFC 4291), and those of a translator to IPv4, the address at their end (RFC 6052).
_UNICAST = ipaddress.IPv6Network("2000::/3")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# Special networks that Python's ipaddress does not know in all versions, or takes for public ones.
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "2001:20::/28", "3fff::/20"),
    )
)


class RefusedAddressError(Exception):
    """A host is in a private network, so no connection is made; the message is the reason."""


def choose_public(host: str, port: int, found: Sequence[str], allow_hosts: Collection[str] = ()) -> list[str]:
    """Return the addresses of a host that a connection can be made to.

    Parameters
    ----------
    host, port
        As in the URL; the host can be an IP address.
    found
        The IP addresses of the host.
    allow_hosts
        Hosts with their ports, such as ``nas.local:8080`` and ``[::1]:8080``, whose addresses can be private.

    Raises
    ------
    RefusedAddressError
        If any of the addresses is not public.
    """
    name = f"[{host}]" if ":" in host else host
    if f"{name}:{port}".lower() in allow_hosts:
        return list(found)
    for address in found:
        if not is_public(address):
            which = address if address == host else f"{host} has the address {address}, which"
            raise RefusedAddressError(
                f"{which} is not public; dataset.allow_hosts can list {name}:{port} if it is yours"
            )
    return list(found)


def is_public(address: str) -> bool:
    """Whether an IP address, and each IPv4 address inside it, belongs to the public Internet.

    Not public are private, loopback, link-local, multicast, unspecified, shared and reserved addresses [1]_.
    An IPv6 address can contain IPv4 addresses: mapped, 6to4, Teredo, and those of NAT64.

    References
    ----------
    .. [1] IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890).
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(map(_is_global, (parsed, *_list_embedded(parsed))))


def _is_global(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address in _TRANSLATED:
            return True  # as public as the address inside it
        if address not in _UNICAST:
            return False
    is_special = address.is_private or address.is_multicast or address.is_reserved
    return address.is_global and not is_special and not any(address in network for network in _SPECIAL)


def _list_embedded(address: _Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that a connection to an IPv6 address can end at."""
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _TRANSLATED:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
