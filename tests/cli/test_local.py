"""What `dev` and `demo` ask of the sandbox."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from pilotbot.cli.failures import Failed
from pilotbot.cli.local import ask, caller, local_sandbox, mark_for, register
from pilotbot.sandbox import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with local_sandbox(0, None) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(sandbox) as client:
        yield client


async def test_our_webhook_moves_with_the_bots_port(client: httpx.AsyncClient) -> None:
    await register(client, "http://127.0.0.1:1/webhook")
    await register(client, "http://127.0.0.1:2/webhook")
    webhooks = await ask(client, "GET", "/v1/webhooks")
    assert [(webhook["url"], webhook["events"]) for webhook in webhooks] == [("http://127.0.0.1:2/webhook", ["*"])]


async def test_a_webhook_of_somebody_else_is_left_alone_unless_it_has_the_same_url(client: httpx.AsyncClient) -> None:
    for url in ("http://127.0.0.1:1/other", "http://127.0.0.1:1/webhook"):
        await ask(client, "POST", "/v1/webhooks", {"name": "theirs", "url": url, "events": []})
    await register(client, "http://127.0.0.1:1/webhook")
    webhooks = await ask(client, "GET", "/v1/webhooks")
    assert [(webhook["url"], webhook["events"]) for webhook in webhooks] == [
        ("http://127.0.0.1:1/other", []),
        ("http://127.0.0.1:1/webhook", ["*"]),
    ]


async def test_one_that_was_switched_off_is_switched_on(client: httpx.AsyncClient) -> None:
    await register(client, "http://127.0.0.1:1/webhook")
    (webhook,) = await ask(client, "GET", "/v1/webhooks")
    await ask(client, "PATCH", f"/v1/webhooks/{webhook['id']}", {"active": False})
    await register(client, "http://127.0.0.1:1/webhook")
    assert [webhook["active"] for webhook in await ask(client, "GET", "/v1/webhooks")] == [True]


async def test_what_it_refuses_is_told(client: httpx.AsyncClient) -> None:
    with pytest.raises(Failed, match="refuses POST /sandbox/clock with 400"):
        await ask(client, "POST", "/sandbox/clock", {"advance": "-1h"})


async def test_a_sandbox_that_is_gone_is_told(free_port: Callable[[], int]) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}", trust_env=False) as client:
        with pytest.raises(Failed, match="does not answer GET /sandbox/state"):
            await ask(client, "GET", "/sandbox/state")


async def test_how_to_reach_it_is_left_in_the_data_directory(sandbox: Sandbox, desk: Path) -> None:
    mark_for(sandbox, desk)
    assert f"PILOTBOT_API_URL={sandbox.url}\n" in (desk / "dev.env").read_text()
