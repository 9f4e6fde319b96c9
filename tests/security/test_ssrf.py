"""What a webhook names as the link of a file reaches nothing but public addresses: the matrix of reference S10, over a canary."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from pilotbot.events import Media
from pilotbot.media import MediaError, MediaRefused, MediaUnavailable
from pilotbot.server.media import Downloads
from pilotbot.server.ssrf import is_public

ADDRESSES = [
    # this machine, in every way to write it
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0x7f.1", "0x7f000001", "0x7f.0x0.0x0.0x1", "2130706433", "017700000001",
    "0177.0.0.1",
    "0", "0.0.0.0", "0x0", "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "127.0.0.1.", "%31%32%37.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "localhost%00.example.com",
    # what is near it
    "10.0.0.1", "10.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "100.64.0.1", "100.127.255.254", "169.254.1.1",
    "198.18.0.1", "192.0.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]",
    "[fe80::1%25lo]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "192.88.99.1", "[::ffff:10.0.0.1]", "[::ffff:8.8.8.8]",
    # what clouds tell their machines
    "169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "2852039166", "0xa9fea9fe", "metadata.google.internal", "metadata",
    "100.100.100.200", "168.63.129.16", "[64:ff9b::a83f:8110]",
    # names that lead there
    "loop.example.com", "inside.example.com", "mixed.example.com", "six.example.com",
]  # fmt: skip
LINKS = [
    *(f"https://{address}:{{port}}/latest/meta-data" for address in ADDRESSES),
    "http://127.0.0.1:{port}/", "http://files.example.com:{port}/", "HTTP://127.0.0.1:{port}/", "https://user@127.0.0.1:{port}/",
    "https://user:secret@files.example.com:{port}/", "https://files.example.com@127.0.0.1:{port}/",
    "https://files.example.com:443@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@files.example.com/", "https://files.example.com\\@127.0.0.1:{port}/", "https://127.0.0.1:{port}#@files.example.com/",
    "https://files.example.com:{port}:80/", "https://files.example.com /@127.0.0.1:{port}",
    "https://files.example.com\r\nHost: 127.0.0.1:{port}/",
    "https://files.example.com\t@127.0.0.1:{port}/", "https:///127.0.0.1:{port}/", "https:127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    "///127.0.0.1:{port}", "127.0.0.1:{port}/", "file:///etc/passwd", "file://127.0.0.1:{port}/etc/passwd", "gopher://127.0.0.1:{port}/_x",
    "ftp://127.0.0.1:{port}/a", "dict://127.0.0.1:{port}/a", "ldap://127.0.0.1:{port}/a", "data:image/png;base64,AAAA", "jar:https://127.0.0.1:{port}!/",
    "unix:///var/run/docker.sock", "javascript:alert(1)", "https://127.0.0.1:99999/", "https://[::1/", "https://",
    "https://127.0.0.1:{port}/" + "a" * 5000, "https://a..b:{port}/x", "https://.a:{port}/x", "https://a.b..:{port}/x",
    "https://" + "a" * 64 + ".example.com:{port}/", "https://example." + "a" * 64 + ":{port}/", "https://" + "a." * 127 + "b:{port}/",
    " https://127.0.0.1:{port}/",
]  # fmt: skip
NAMES = {
    "loop.example.com": ["127.0.0.1"], "inside.example.com": ["10.0.0.7"], "mixed.example.com": ["127.0.0.1", "10.0.0.7"],
    "six.example.com": ["::1", "fe80::1"], "metadata.google.internal": ["169.254.169.254"], "metadata": ["169.254.169.254"],
    "ip6-localhost": ["::1"], "localhost": ["127.0.0.1", "::1"],
}  # fmt: skip
PUBLIC = "8.8.8.8"  # never reached: see `Net.connect`


@dataclass
class Net:
    """Names as this test has them, and every connection that was tried; only those to the sandbox come about."""

    canary: int = 0
    sandbox: int = 0
    tried: list[tuple[Any, ...]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    flips: dict[str, list[str]] = field(default_factory=dict)
    redirect: str = ""

    @property
    def astray(self) -> list[tuple[Any, ...]]:
        """Connections to anything but the sandbox."""
        return [address for address in self.tried if address[:2] != ("127.0.0.1", self.sandbox)]


@pytest.fixture
async def net(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Net]:
    made = Net()
    real_lookup, loop = socket.getaddrinfo, asyncio.get_running_loop()
    real_connect = loop.sock_connect

    def lookup(host: str, port: int, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002 - as socket's
        made.asked.append(host)
        name = host.rstrip(".").lower()
        flips = made.flips.get(name)
        found = [flips.pop(0)] if flips else NAMES.get(name)
        if found is None:  # digits, in whatever form this machine's resolver reads them; no name is ever looked up outside
            found, flags = [host], flags | socket.AI_NUMERICHOST
        return [each for address in found for each in real_lookup(address, port, family, type, proto, flags)]

    async def connect(sock: socket.socket, address: tuple[Any, ...]) -> None:
        made.tried.append(address)
        if address[0] == PUBLIC:
            raise ConnectionRefusedError
        await real_connect(sock, address)

    async def moved(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": made.redirect})

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(loop, "sock_connect", connect)
    hit: list[object] = []

    def sing(_: object, writer: asyncio.StreamWriter) -> None:
        hit.append(writer)
        writer.close()

    canary = await asyncio.start_server(sing, ["127.0.0.1", "::1"], 0)
    app = web.Application()
    app.router.add_get("/moved", moved)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.canary, made.sandbox = canary.sockets[0].getsockname()[1], runner.addresses[0][1]
    monkeypatch.setitem(NAMES, "files.example.com", ["127.0.0.1"])
    yield made
    await runner.cleanup()
    canary.close()
    await canary.wait_closed()
    assert not hit, f"{len(hit)} connections to the canary"


async def fetch(url: str, sandbox: str | None = None) -> None:
    async with Downloads(patience=5, sandbox=sandbox).fetch(Media("image", url), None):
        pass


@pytest.mark.parametrize("link", LINKS)
async def test_no_link_reaches_what_is_not_public(net: Net, link: str) -> None:
    url = link.replace("{port}", str(net.canary))
    with pytest.raises(MediaRefused):
        await fetch(url)
    assert not net.tried


@pytest.mark.parametrize("link", [link for link in LINKS if link.isascii() and link.isprintable()])
async def test_no_redirect_reaches_what_is_not_public(net: Net, link: str) -> None:
    net.redirect = link.replace("{port}", str(net.canary))
    sandbox = f"http://127.0.0.1:{net.sandbox}"
    with pytest.raises(MediaError):  # what is no address at all is a path of the sandbox's own, which has it not
        await fetch(f"{sandbox}/moved", sandbox)
    assert not net.astray


@pytest.mark.parametrize("address", ["127.0.0.1:{canary}", "127.0.0.2:{sandbox}", "10.0.0.1:{sandbox}", "loop.example.com:{sandbox}"])
async def test_beside_the_sandbox_only_its_own_host_and_port_are_reached(net: Net, address: str) -> None:
    place = address.format(canary=net.canary, sandbox=net.sandbox)
    for url in (f"http://{place}/moved", f"https://{place}/moved"):
        with pytest.raises(MediaRefused):
            await fetch(url, f"http://127.0.0.1:{net.sandbox}")
    assert not net.astray


async def test_the_sandbox_is_the_sandbox_only_where_it_is_the_platform(net: Net) -> None:
    with pytest.raises(MediaRefused, match="not https"):
        await fetch(f"http://127.0.0.1:{net.sandbox}/moved")
    assert not net.tried


async def test_a_link_that_names_a_user_is_not_tried(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, "public.example.com", [PUBLIC])
    with pytest.raises(MediaRefused, match="no plain host"):
        await fetch("https://user:secret@public.example.com/")
    assert not net.tried
    assert not net.asked


@pytest.mark.parametrize("answers", [[PUBLIC, "127.0.0.1"], [PUBLIC, "10.0.0.1", "127.0.0.1"]])
async def test_what_was_checked_is_what_is_connected_to(net: Net, answers: list[str]) -> None:
    net.flips["flip.example.com"] = list(answers)
    with pytest.raises(MediaUnavailable):
        await fetch(f"https://flip.example.com:{net.canary}/a.jpg")
    assert (net.asked, [address[0] for address in net.tried]) == (["flip.example.com"], [PUBLIC])
    with pytest.raises(MediaRefused):  # the next time, it leads elsewhere
        await fetch(f"https://flip.example.com:{net.canary}/a.jpg")
    assert len(net.tried) == 1


async def test_of_a_name_with_several_addresses_only_the_public_ones_are_tried(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, "both.example.com", ["127.0.0.1", PUBLIC, "10.0.0.1"])
    with pytest.raises(MediaError):
        await fetch(f"https://both.example.com:{net.canary}/")
    assert {address[0] for address in net.tried} == {PUBLIC}


async def test_names_that_hang_keep_no_thread_from_the_platform(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link may name what is looked up for long; the platform's own name is looked up on threads that no link has."""
    over, begun, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    def hang(*_: Any, **__: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        over.wait(30)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    fetches = [asyncio.ensure_future(fetch("https://slow.example.com/")) for _ in range(40)]
    try:
        async with asyncio.timeout(10):
            await begun.wait()
        async with asyncio.timeout(2):
            assert await asyncio.to_thread(lambda: "at once") == "at once"
    finally:
        over.set()
        errors = await asyncio.gather(*fetches, return_exceptions=True)
    assert {type(error) for error in errors} == {MediaUnavailable}
    assert not net.tried


async def test_the_canary_would_sing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard the same links do reach it: the matrix can fail."""
    monkeypatch.setattr("pilotbot.server.ssrf.is_public", lambda _: True)
    with pytest.raises(MediaUnavailable):
        await fetch(f"https://0x7f.1:{net.sandbox}/")  # speaks no TLS
    assert net.tried == [("127.0.0.1", net.sandbox)]


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_the_public_internet_is_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "168.63.129.16", "192.88.99.1", "192.88.99.255", "3fff::1", "3fff:fff:ffff::1", "64:ff9b::a83f:8110", "2001:db8::1", "0.0.0.0",
        "::", "::ffff:8.8.8.8", "2002:808:808::", "fe80::1%lo", "127.1", "", "localhost",
    ],
)  # fmt: skip
def test_nothing_else_is(address: str) -> None:
    assert not is_public(address)
