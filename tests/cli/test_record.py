"""`pilotbot record`: a conversation that was had becomes a file that plays, and nobody's data are in it."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pilotbot.sandbox import ApiKey, Sandbox, SandboxSettings
from pilotbot.sandbox.settings import META
from tests.cli.conftest import PHONE, Invoke

MARIA = "+5521912345678"


def test_of_a_chat_with_the_sandbox_it_plays_again(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hello, I am maria@shop.com.br")
    dev.phone.until("one")
    shown = invoke("record", PHONE)
    assert shown.exit_code == 0, shown.output
    assert "> hello, I am ana@example.com\n< one\n" in shown.stdout
    kept = invoke("record", PHONE, "--out", "chats/kept.chat")
    assert "kept in chats/kept.chat; read it" in kept.stdout
    assert Path("chats/kept.chat").read_text("utf-8") == shown.stdout
    assert "exists; give another name" in invoke("record", PHONE, "--out", "chats/kept.chat").output
    assert invoke("record", PHONE, "--out", "chats/kept.chat", "--force").exit_code == 0
    played = invoke("test", "chats", "--bot", "shop.py")
    assert played.exit_code == 0, played.output


def test_a_contact_that_never_wrote(dev: Any, invoke: Invoke) -> None:
    done = invoke("record", "+5511987650077")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no chat with this contact" in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((PHONE, "--since", "yesterday"), "write one such as 90m"),
        (("987650001",), "country code"),
        (("nobody",), "not an address"),
        ((PHONE, "--number", "x"), "no number"),
    ],
)
def test_what_makes_no_sense_is_told(dev: Any, invoke: Invoke, words: tuple[str, ...], told: str) -> None:
    done = invoke("record", *words)
    assert done.exit_code == 1
    assert told in done.output


async def test_of_a_customer_it_comes_from_the_platforms_history(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SandboxSettings(port=0, keys=(ApiKey("key_live", "ps_live_1", META.id),), receipt_delay=(0, 0))
    async with Sandbox(settings) as sandbox, aiohttp.ClientSession(headers={"x-api-key": "ps_live_1"}) as http:
        monkeypatch.setenv("PILOTBOT_API_URL", sandbox.url)
        monkeypatch.setenv("PILOTBOT_API_KEY", "ps_live_1")
        monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "secret")
        nothing = await asyncio.to_thread(invoke, "record", MARIA)
        assert "nothing of this contact" in nothing.output
        await http.post(
            f"{sandbox.url}/sandbox/inbound", json={"from": MARIA, "name": "Maria Lima", "text": "order 4242, CPF 390.533.447-05"}
        )
        button = {"type": "reply", "label": "Track"}
        text = "Hi Maria, CPF 390.533.447-05, order 4242."
        await http.post(f"{sandbox.url}/v1/messages/send", json={"destinationNumber": MARIA, "text": text, "buttons": [button]})
        await http.post(f"{sandbox.url}/sandbox/inbound", json={"from": "+5521987654321", "text": "somebody else"})
        done = await asyncio.to_thread(invoke, "record", MARIA)
    assert done.exit_code == 0, done.output
    assert "> order 4242, CPF 529.982.247-25\n< Hi {contact.name}, CPF *, order 4242.   [*]\n" in done.stdout
    for personal in ("Maria", "390.533", "912345678", "somebody else"):
        assert personal not in done.stdout
