"""What counts as this machine.

Time rule: none. Null rule: an empty name is not this machine.
"""

from __future__ import annotations

import ipaddress

__all__ = ["is_loopback", "name_of"]


def name_of(host: str) -> str:
    """The name in a Host header, without its port.

    >>> name_of("[::1]:3000"), name_of("localhost:3000"), name_of("localhost")
    ('::1', 'localhost', 'localhost')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_loopback(name: str) -> bool:
    """Whether a name or an address leads to this machine and nowhere else. No name is looked up.

    >>> [is_loopback(name) for name in ("localhost", "127.0.0.2", "::1", "0.0.0.0", "localhost.example.com")]
    [True, True, True, False, False]
    """
    if name.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address.is_loopback or bool(mapped and mapped.is_loopback)
