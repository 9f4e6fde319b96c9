"""The sandbox that `sandbox`, `dev` and `demo` run, and what they ask of it over HTTP, as anybody could."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from pilotbot.cli.failures import Failed, port_taken
from pilotbot.cli.installation import mark
from pilotbot.sandbox import Sandbox, SandboxSettings

WEBHOOK_NAME = "pilotbot"


def api_key(settings: SandboxSettings) -> str:
    """The key of the number that bots answer: the sandbox's first."""
    return next(key.key for key in settings.keys if key.number_id == settings.numbers[0].id)


@asynccontextmanager
async def local_sandbox(port: int, data: Path | None, *, option: str = "--sandbox-port") -> AsyncIterator[Sandbox]:
    """A sandbox that listens on `port` of this machine, until the block is left.

    Raises:
        Failed: the port is taken; it names `option`.
    """
    sandbox = Sandbox(SandboxSettings(port=port, data_dir=data))
    with port_taken(sandbox.settings.host, port, option):
        await sandbox.start()
    try:
        yield sandbox
    finally:
        await sandbox.stop()


def mark_for(sandbox: Sandbox, data: Path) -> None:
    """Leave in `data` how to reach the sandbox."""
    mark(data, api_url=sandbox.url, api_key=api_key(sandbox.settings), webhook_secret=sandbox.settings.webhook_secret)


@asynccontextmanager
async def caller(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client for the sandbox, with its number's key; proxies of the environment are none of its business."""
    headers = {"x-api-key": api_key(sandbox.settings)}
    async with httpx.AsyncClient(base_url=sandbox.url, headers=headers, trust_env=False, timeout=10) as client:
        yield client


async def register(client: httpx.AsyncClient, url: str) -> None:
    """Have every event delivered to `url`: change the webhook that we registered earlier, or register one.

    Raises:
        Failed: the sandbox refuses.
    """
    wanted: dict[str, object] = {"url": url, "events": ["*"]}
    known = await ask(client, "GET", "/v1/webhooks")
    ours = [webhook for webhook in known if webhook["url"] == url or webhook["name"] == WEBHOOK_NAME]
    for spare in ours[1:]:
        await ask(client, "DELETE", f"/v1/webhooks/{spare['id']}")
    if ours:
        await ask(client, "PATCH", f"/v1/webhooks/{ours[0]['id']}", wanted | {"active": True})
    else:
        await ask(client, "POST", "/v1/webhooks", wanted | {"name": WEBHOOK_NAME})


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    """One call of the sandbox, and what it answers, as JSON.

    Raises:
        Failed: it refuses, or does not answer.
    """
    try:
        answer = await client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise Failed(f"the sandbox does not answer {method} {path} ({type(error).__name__})") from None
    if answer.is_error:
        raise Failed(f"the sandbox refuses {method} {path} with {answer.status_code}: {answer.text[:300]}")
    return answer.json()
