"""Which links may be followed, and connections to public addresses only: what a contact or a webhook names is nobody's to trust."""

import asyncio
import functools
import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NoReturn
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pilotbot.media import MediaRefused

LONGEST: Final = 4096
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
_SPECIAL: Final = (  # public by the registry that Python has, and yet not the internet
    ipaddress.ip_network("168.63.129.16"),  # what a cloud's machines are told by
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4
    ipaddress.ip_network("3fff::/20"),  # documentation
)
_HOST: Final = re.compile(r"(?!.{254})[\w-]{1,63}(\.[\w-]{1,63})*\.?|(?=.*:)[0-9A-Fa-f:.]{2,45}", re.ASCII)
_LOOKUPS: Final = ThreadPoolExecutor(4, "pilotbot-lookup")
"""Names of links are looked up here, so that those that hang keep none from looking up the platform."""

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]


class Refused(OSError):
    """An address that is not public: raised where the socket for it would be made."""


def is_public(address: str) -> bool:
    """Whether an IP address is of the public internet: not private, loopback, link-local, shared, mapped, tunnelled, or anything else."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(ip in network for network in _SPECIAL):
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    if ip in _TRANSLATED:  # where a network has IPv6 only: an IPv4 address that its gateway goes to
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip in _UNICAST and ip.is_global and ip.sixtofour is None and ip.teredo is None


def checked(url: str, own: URL | None) -> URL:
    """A link that may be followed, as far as its words tell; the addresses of its host are checked where it is connected to.

    Args:
        url: the link.
        own: the address of the sandbox on this machine, if that is the platform: its own host and port may be followed, on http too.

    Raises:
        MediaRefused: it is not https, names a user, or cannot be read.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        _refuse("it is too long, or holds characters that no link has")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        link = URL(url, encoded=True)
    except ValueError:
        _refuse("it cannot be read")
    if not host or "@" in parts.netloc or not _HOST.fullmatch(host) or (link.raw_host or "").lower() != host:
        _refuse("it names no plain host")
    if own is not None and host in _LOOPBACK and parts.scheme == own.scheme and (port or link.port) == own.port:
        return link.with_host(own.host or host)
    if parts.scheme != "https":
        _refuse("it is not https")
    return link


def public_socket(info: AddressInfo) -> socket.socket:
    """A socket for an address, at the last moment before it is connected: names, digits of any form and redirects all come by here.

    Raises:
        Refused: the address is not public.
    """
    family, kind, protocol, _, address = info
    if not is_public(address[0]):
        raise Refused("an address that is not public")
    return socket.socket(family, kind, protocol)


def public_only() -> aiohttp.TCPConnector:
    """A connector that connects to public addresses only. It asks for a name's addresses once, and connects to what it was told."""
    return aiohttp.TCPConnector(resolver=_Resolver(), socket_factory=public_socket, force_close=True)


class _Resolver(AbstractResolver):
    """This machine's own, on threads that only links use."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """The addresses of a name. Raises OSError where it has none."""
        ask = functools.partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, ask)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=int(address[1]), family=kind, proto=protocol, flags=flags)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _refuse(why: str) -> NoReturn:
    raise MediaRefused(f"the link of the file is not followed: {why}")
