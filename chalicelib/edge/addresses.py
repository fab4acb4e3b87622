"""Web addresses that others give us: they lead to the public internet, and nowhere else.

Looked at twice. `check_public_url` reads an address when it is given. `resolve_public` asks where
its name leads at the moment of connecting: whoever owns a name may point it inside later.
"""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable

from chalicelib.config import LOCAL_STAGES, settings
from chalicelib.errors import Invalid

MAX_URL_LENGTH = 2000
MAX_HOST_LENGTH = 253
HTTPS_PORT, MAX_PORT = 443, 65_535
LOOPBACK = "127.0.0.1"

# No user, no IPv6 literal, no escape and no backslash has room between the slashes.
_URL = re.compile(r"((?i:https?))://([A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?((?:[/?#].*)?)")
# Of RFC 3986; a browser reads a backslash as a slash, and drops tabs and line breaks.
_REST = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# What every resolver or browser takes for a number is an IPv4 address in one of its forms.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_INSIDE = frozenset(
    {
        "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home",
        "lan", "mail", "test", "invalid", "arpa", "onion", "alt", "svc", "docker", "consul",
    }
)  # fmt: skip
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.64.0.0/10",  # shared by subscribers; a cloud's metadata, too
            "168.63.129.16/32",  # a cloud's own server, at an address that looks public
            "192.0.0.0/24",  # for protocols; a cloud's metadata, too
            "192.88.99.0/24",
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "3fff::/20",
        ),
    )
)
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")

Resolve = Callable[[str], list[str]]


class UnsafeAddress(Invalid):
    """The address is not https at a public host name, or leads to a private network."""

    code = "unsafe_address"


def check_public_url(url: str) -> str:
    """The address, when it is https at a public name; in one spelling, for all to read alike.

    An address in numbers is refused, the public ones too: no certificate stands for them. In the
    local stages http at 127.0.0.1 with any port is good, so that people can try it.

    Raises:
        UnsafeAddress.
    """
    found = _URL.fullmatch(url) if len(url) <= MAX_URL_LENGTH else None
    if found is None or not _REST.fullmatch(found[4]):
        raise UnsafeAddress("write https://, a host name and a path, in visible ASCII")
    scheme, host, port, rest = found[1].lower(), found[2].lower(), found[3], found[4]
    if not _is_our_own(scheme, host, port):
        if scheme != "https":
            raise UnsafeAddress("use https")
        if port is not None and int(port) != HTTPS_PORT:
            raise UnsafeAddress("use port 443")
        _check_host(host)
    # With a slash after the host, no reader takes what follows for a part of it.
    slash = "" if rest.startswith("/") else "/"
    return f"{scheme}://{host}{f':{port}' if port else ''}{slash}{rest}"


def resolve_public(host: str, resolve: Resolve | None = None) -> list[str]:
    """The addresses of a host, for connecting to one of these and to nothing else.

    Connect to what is returned; a second look-up may give another answer.

    Raises:
        UnsafeAddress: the host is not public, or any of its addresses is not.
        OSError: the name cannot be resolved now.
    """
    if _is_our_own("http", host, None):
        return [LOOPBACK]
    _check_host(host.lower())
    found = (resolve or _addresses_of)(host.lower())
    if not found or not all(map(is_public, found)):
        raise UnsafeAddress("the host leads to a private network")
    return found


def is_public(address: str) -> bool:
    """True for an IP address that the whole internet reaches.

    Of IPv6 only global unicast is; nothing that carries an IPv4 address in it.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(found in network for network in _NOT_PUBLIC):
        return False
    if found.version == 6:
        return found in _GLOBAL_IPV6
    return found.is_global and not found.is_multicast


def _check_host(host: str) -> None:
    labels = host.split(".")
    last = labels[-1]
    if len(host) > MAX_HOST_LENGTH or not all(map(_LABEL.fullmatch, labels)):
        raise UnsafeAddress("that is no host name")
    if len(labels) < 2:
        raise UnsafeAddress("give the host's whole name")
    if _NUMBER.fullmatch(last):
        raise UnsafeAddress("give a host name, no address in numbers")
    if last in _INSIDE:
        raise UnsafeAddress("that name is not of the public internet")
    if not all(map(_is_proper_label, labels)):
        raise UnsafeAddress("that is no host name")


def _is_proper_label(label: str) -> bool:
    """A name in another script stands as `xn--…` (RFC 5891), and must be one that decodes."""
    if not label.startswith("xn--"):
        return True
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return False
    as_written = decoded == unicodedata.normalize("NFKC", decoded).lower()
    letters = all(
        unicodedata.category(each)[0] in "LM" or each in "-0123456789" for each in decoded
    )
    same = decoded.encode("punycode").decode("ascii") == label[4:]
    return as_written and letters and same and not decoded.isascii()


def _is_our_own(scheme: str, host: str, port: str | None) -> bool:
    if settings().stage not in LOCAL_STAGES or (scheme, host) != ("http", LOOPBACK):
        return False
    return port is None or int(port) <= MAX_PORT


def _addresses_of(host: str) -> list[str]:
    found = socket.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
