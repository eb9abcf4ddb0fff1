"""IP addresses of clients and proxies."""

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_OF_ONE_CLIENT = 64
"""Bits of an IPv6 address that a provider gives to one client, who chooses the rest."""


def networks(texts: tuple[str, ...]) -> list[Network]:
    """Parse addresses and networks, like 10.0.0.7 and 10.0.0.0/8.

    Raises:
        ValueError: one is neither.
    """
    return [ipaddress.ip_network(text, strict=False) for text in texts]


def is_in(address: str, those: list[Network]) -> bool:
    """Return whether an IP address lies in one of the networks; other text lies in none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in those)


def client_name(address: str) -> str:
    """Return what stands for a client in limits: its address, of IPv6 the network of its provider.

    Example:
        >>> client_name("203.0.113.7"), client_name("2001:db8:1:2:3:4:5:6")
        ('203.0.113.7', '2001:db8:1:2::/64')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, _OF_ONE_CLIENT), strict=False))
