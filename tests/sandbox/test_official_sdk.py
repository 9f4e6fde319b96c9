"""The official SDK is the judge: it works against the sandbox, unmodified."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pilot_status
import pytest
from pilot_status import errors
from pilot_status.webhooks import parse_customer_webhook

from pilotbot.sandbox import Sandbox
from pilotbot.sandbox.clock import iso, parse_iso
from tests.sandbox.conftest import Api, Receiver

ANA = "+5511987650001"


def official(url: str, key: str = "ps_sandbox_number", **more: Any) -> pilot_status.PilotStatusClient:
    """The SDK's client, with nothing changed but the host."""

    def transport(request: urllib.request.Request, timeout: float) -> tuple[int, dict[str, str], str]:
        request.full_url = url + urllib.parse.urlsplit(request.full_url)._replace(scheme="", netloc="").geturl()
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read().decode()

    return pilot_status.PilotStatusClient(api_key=key, transport=transport, get_retries=0, **more)


async def run(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return await asyncio.to_thread(work, *arguments, **named)


async def failure(work: Callable[..., Any], *arguments: Any, **named: Any) -> errors.PilotStatusHttpError:
    """The error that the SDK raises."""
    try:
        await run(work, *arguments, **named)
    except errors.PilotStatusHttpError as error:
        return error
    raise AssertionError("the SDK raised nothing")


async def test_send_get_history_cancel(sandbox: Sandbox, api: Api, receiver: Receiver) -> None:
    client = official(sandbox.url)
    await api.write()
    await api.subscribe(receiver.url)
    sent = await run(client.messages.send, {"destinationNumber": ANA, "text": "hi"}, idempotency_key="k1")
    assert sent["status"] == "QUEUED"
    assert await run(client.messages.send, {"destinationNumber": ANA, "text": "hi"}, idempotency_key="k1") == sent
    await receiver.wait(3)
    details = await run(client.messages.get, sent["id"])
    assert details.keys() == pilot_status.MessageDetails.__annotations__.keys() - {"template"}
    assert details["status"] == "READ"
    page = await run(client.messages.history, page=1, page_size=1)
    assert (page["total"], page["totalPages"], page["messages"][0]["text"]) == (2, 2, "hi")
    later = iso(parse_iso(sent["createdAt"]) + 3_600_000)
    waiting = await run(client.messages.send, {"destinationNumber": ANA, "text": "later", "deliverAt": later})
    result = await run(client.messages.cancel, [waiting["id"], "nope"])
    assert (result["cancelled"], [item["id"] for item in result["failed"]]) == ([waiting["id"]], ["nope"])


async def test_each_mode_of_the_sdk(sandbox: Sandbox, api: Api) -> None:
    client = official(sandbox.url)
    await api.write()
    for body in (
        {"templateId": "order_status", "variables": {"order_id": "1", "status": "out"}},
        {"text": "?", "buttons": [{"type": "reply", "label": "Yes"}], "footer": "f", "header": {"type": "text", "content": "h"}},
        {"text": "?", "list": {"buttonText": "See", "sections": [{"title": "A", "rows": [{"title": "One", "rowId": "1"}]}]}},
        {"media": "https://cdn.example.com/1.jpg"},
        {"text": "book", "flow": {"flowId": "4000", "cta": "Book", "action": "navigate", "screen": "S", "mode": "published"}},
    ):
        assert (await run(client.messages.send, {"destinationNumber": ANA, **body}))["id"]
    assert [row["mode"] for row in await api.rows()] == ["text", "template", "buttons", "list", "media", "flow"]


async def test_templates_and_numbers(sandbox: Sandbox) -> None:
    listed = await run(official(sandbox.url).templates.list)
    assert isinstance(listed, list)
    one = await run(official(sandbox.url).templates.get, "order_status")
    assert (one["name"], one["latestVersion"]["version"]) == ("order_status", 1)
    assert len(await run(official(sandbox.url, "ps_sandbox_tenant").numbers.list)) == 2


@pytest.mark.parametrize(
    ("key", "body", "faults", "kind", "code"),
    [
        ("ps_sandbox_number", {"text": ""}, {}, errors.ValidationError, "VALIDATION_ERROR"),
        ("ps_wrong", {"text": "a"}, {}, errors.AuthenticationError, None),
        ("ps_sandbox_tenant", {"text": "a"}, {}, errors.ForbiddenError, "TENANT_SCOPE_NOT_ALLOWED"),
        ("ps_sandbox_number", {"templateId": "nope"}, {}, errors.NotFoundError, "TEMPLATE_NOT_FOUND"),
        ("ps_sandbox_number", {"text": "a"}, {"numberBlocked": True}, errors.ConflictError, "NUMBER_BLOCKED"),
        ("ps_sandbox_number", {"text": "a"}, {"http429": 1.0}, errors.RateLimitError, None),
        ("ps_sandbox_number", {"text": "a"}, {"http500": 1.0}, errors.ServerError, None),
        (
            "ps_sandbox_number",
            {"media": "https://cdn.example.com/1.jpg"},
            {"subscription": False},
            errors.PilotStatusHttpError,
            "SUBSCRIPTION_REQUIRED_FOR_MEDIA",
        ),
    ],
)
async def test_error_classes(
    sandbox: Sandbox,
    api: Api,
    key: str,
    body: dict[str, Any],
    faults: dict[str, Any],
    kind: type[errors.PilotStatusHttpError],
    code: str | None,
) -> None:
    await api.faults(**faults)
    error = await failure(official(sandbox.url, key).messages.send, {"destinationNumber": ANA, **body})
    assert type(error) is kind
    assert isinstance(error.body, dict)
    assert error.body.get("code") == code
    assert str(error) == error.body["error"]


async def test_media_download(sandbox: Sandbox, api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    uploaded = await api.call("POST", "/sandbox/media", {"data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"})
    await api.write("", media=uploaded.json["url"])
    data = (await receiver.wait(1))[0].data
    client = official(sandbox.url)
    downloaded = await run(client.media.download, data["mediaId"], data["phoneNumberId"])
    assert downloaded == {
        "base64": "data:application/pdf;base64,JVBERi0=", "mimeType": "application/pdf", "fileName": "a.pdf", "mediaId": data["mediaId"],
    }  # fmt: skip


async def test_idempotency_errors(sandbox: Sandbox) -> None:
    client = official(sandbox.url)
    await run(client.messages.send, {"destinationNumber": ANA, "text": "a"}, idempotency_key="k")
    reused = await failure(client.messages.send, {"destinationNumber": ANA, "text": "b"}, idempotency_key="k")
    assert isinstance(reused, errors.ConflictError)
    assert isinstance(reused.body, dict)
    assert reused.body["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_tenant_client_that_names_a_number_reads_history(sandbox: Sandbox) -> None:
    client = official(sandbox.url, "ps_sandbox_tenant", whatsapp_number_id="num_meta")
    assert (await run(client.messages.history))["messages"] == []


async def test_the_sdks_parser_accepts_every_envelope(api: Api, evolution: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await evolution.subscribe(receiver.url)
    here = {"number": "num_evolution"}
    await api.send({"text": "no conversation"})
    await api.write()
    await api.write(name=None, **{"from": "+5521998760002"})
    await api.write("photo", media="https://m.example/1.jpg", mediaType="image/jpeg")
    await api.write("quoting nothing", event="reply")
    await api.send({"text": "?", "buttons": [{"type": "reply", "label": "Yes"}]})
    await receiver.until("message.read")
    for tap_as in ("reply", "received", "interactive", "buttonId"):
        await api.call("POST", "/sandbox/inbound", {"from": ANA, "tap": "Yes", "tapAs": tap_as})
    for kind in ("location", "contacts", "sticker", "reaction"):
        await api.call("POST", "/sandbox/inbound", {"from": ANA, "type": kind})
    shared = {
        "location": {"latitude": 0, "longitude": 0},
        "contacts": [{"name": "Bruno", "phone": "+5521998760002"}],
        "reaction": {"emoji": "👍", "message": (await api.rows())[0]["id"]},
    }
    for kind, what in shared.items():
        await api.call("POST", "/sandbox/inbound", {"from": ANA, "type": kind, kind: what})
    await evolution.write("g", groupId="120363000000000001@g.us", **here)
    await evolution.write("n", newsletterId="120363000000000099@newsletter", **here)
    await evolution.write("echo", fromMe=True, **here)
    await evolution.send({"media": "https://m.example/1.ogg", "mediaType": "voice"})
    await evolution.send({"groupId": "120363000000000001@g.us", "text": "x"})
    hits = await receiver.wait(28)
    for hit in hits:
        parse_customer_webhook(json.loads(hit.raw), unknown_events="raise")
    assert {hit.event for hit in hits} == {
        f"message.{name}" for name in ("sent", "delivered", "read", "failed", "received", "reply", "group", "newsletter")
    }
