"""Every typed call against the local platform, which is written from the contract and shares no code with the client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from pilotbot.platform import (
    FailureFamily,
    Family,
    Header,
    ListBlock,
    PilotStatus,
    PlatformError,
    ReplyButton,
    Row,
    Section,
    SendRequest,
    UrlButton,
)
from pilotbot.sandbox import Sandbox, SandboxSettings

ANA = "+5511987650001"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxSettings(receipt_delay=(0, 0)), port=0) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[PilotStatus]:
    async def no_wait(_seconds: float) -> None: ...

    async with PilotStatus(sandbox.url, api_key="ps_sandbox_number", sleep=no_wait) as ready:
        yield ready


async def control(sandbox: Sandbox, path: str, body: dict[str, object]) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{sandbox.url}{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(
    "request_",
    [
        SendRequest(destination_number=ANA, text="Olá"),
        SendRequest(
            destination_number=ANA,
            text="Olá",
            buttons=(ReplyButton(label="Sim"), UrlButton(label="Abrir", url="https://example.com")),
            header=Header(type="image", content="https://cdn.example.com/1.jpg"),
            footer="Loja",
            labels=("vip",),
            mark_read=False,
        ),
        SendRequest(
            destination_number=ANA,
            text="Escolha",
            list_block=ListBlock(button_text="Ver", sections=(Section(title="A", rows=(Row(title="B", row_id="b", description="c"),)),)),
        ),
        SendRequest(destination_number=ANA, template_id="order_status", variables={"order_id": "7", "status": "on its way"}),
        SendRequest(destination_number=ANA, media="data:image/png;base64,aGVsbG8=", media_type="image", caption="Uma foto"),
        SendRequest(destination_number="BR.123456", text="Olá"),
    ],
    ids=lambda request: request.mode,
)
async def test_every_mode_is_accepted_and_can_be_read_back(client: PilotStatus, request_: SendRequest) -> None:
    accepted = await client.send(request_, idempotency_key="k1")
    assert (accepted.status, accepted.replayed) == ("QUEUED", False)
    assert accepted.correlation_id is not None
    assert accepted.created_at is not None
    assert (await client.get(accepted.id)).id == accepted.id
    assert (await client.get(accepted.correlation_id)).id == accepted.id


async def test_the_same_key_is_replayed_and_refused_for_another_body(client: PilotStatus) -> None:
    body = SendRequest(destination_number=ANA, text="Olá").to_bytes()
    first, again = await client.post(body, "k1"), await client.post(body, "k1")
    assert (first.id, first.replayed, again.id, again.replayed) == (again.id, False, first.id, True)
    with pytest.raises(PlatformError) as reused:
        await client.post(SendRequest(destination_number=ANA, text="Outra").to_bytes(), "k1")
    assert reused.value.family is Family.ALREADY_SENT


async def test_a_send_survives_faults_and_goes_out_once(sandbox: Sandbox, client: PilotStatus) -> None:
    await control(sandbox, "/sandbox/faults", {"acceptThenDrop": {"next": 1}})
    accepted = await client.send(SendRequest(destination_number=ANA, text="Olá"), idempotency_key="k1")
    assert accepted.replayed
    await control(sandbox, "/sandbox/faults", {"http500": {"next": 1}})
    assert not (await client.send(SendRequest(destination_number=ANA, text="Olá"), idempotency_key="k2")).replayed
    await control(sandbox, "/sandbox/faults", {"http429": {"next": 1}})
    with pytest.raises(PlatformError) as limited:
        await client.post(b"{}", "k3")
    assert limited.value.family is Family.THROTTLED
    assert limited.value.retry_after == 1


@pytest.mark.parametrize(
    ("faults", "request_", "family"),
    [
        ({"numberBlocked": True}, SendRequest(destination_number=ANA, text="x"), Family.BLOCKED),
        ({"disconnected": True}, SendRequest(destination_number=ANA, text="x"), Family.BLOCKED),
        (
            {"subscription": False},
            SendRequest(destination_number=ANA, media="https://a.b/c.png", media_type="image"),
            Family.REFUSED,
        ),
        ({}, SendRequest(destination_number=ANA, template_id="nowhere"), Family.REFUSED),
        ({}, SendRequest(destination_number=ANA, template_id="order_status"), Family.REFUSED),
        ({}, SendRequest(group_id="120363000000000001@g.us", text="x"), Family.REFUSED),
        ({}, SendRequest(newsletter_id="120363000000000099@newsletter", text="x"), Family.REFUSED),
    ],
)
async def test_refusals_come_in_families(
    sandbox: Sandbox, client: PilotStatus, faults: dict[str, object], request_: SendRequest, family: Family
) -> None:
    await control(sandbox, "/sandbox/faults", faults)
    with pytest.raises(PlatformError) as refused:
        await client.send(request_, idempotency_key="k1")
    assert refused.value.family is family
    if request_.template_id == "order_status":
        assert sorted(refused.value.keys) == ["order_id", "status"]


async def test_keys_are_judged(sandbox: Sandbox) -> None:
    for key, status in (("ps_unknown", 401), ("ps_sandbox_tenant", 403)):
        async with PilotStatus(sandbox.url, api_key=key) as client:
            with pytest.raises(PlatformError) as refused:
                await client.post(SendRequest(destination_number=ANA, text="x").to_bytes(), "k1")
        assert (refused.value.family, refused.value.status) == (Family.BLOCKED, status)


async def test_a_late_refusal_of_the_window_is_read_back(client: PilotStatus) -> None:
    accepted = await client.send(SendRequest(destination_number="+5511987650002", text="x"), idempotency_key="k1")
    for _ in range(500):
        status = await client.get(accepted.id)
        if status.status != "QUEUED":
            break
    assert (status.status, status.failure) == ("FAILED", FailureFamily.WINDOW)


async def test_scheduled_messages_can_be_cancelled(client: PilotStatus) -> None:
    at = datetime.now(UTC) + timedelta(days=1)
    request = SendRequest(destination_number=ANA, text="x", deliver_at=at, deliver_until=at + timedelta(hours=1))
    accepted = await client.send(request, idempotency_key="k1")
    result = await client.cancel([accepted.id, "nowhere"])
    assert (result.cancelled, result.cancelled_count, result.failed_count) == ((accepted.id,), 1, 1)
    assert (await client.get(accepted.id)).status == "CANCELED"


async def test_history_shows_both_directions(sandbox: Sandbox, client: PilotStatus) -> None:
    await control(sandbox, "/sandbox/inbound", {"from": ANA, "name": "Ana", "text": "oi"})
    await client.send(SendRequest(destination_number=ANA, text="Olá"), idempotency_key="k1")
    now = datetime.now(UTC)
    page = await client.history(now - timedelta(hours=1), now + timedelta(hours=1), page_size=100)
    assert {(row.direction, row.text) for row in page.messages} >= {("INBOUND", "oi")}
    with pytest.raises(PlatformError) as refused:
        await client.history(now, now - timedelta(hours=1))
    assert (refused.value.family, refused.value.code) == (Family.REFUSED, "INVALID_DATE_RANGE")


async def test_templates(client: PilotStatus) -> None:
    found = {template.name: template for template in await client.templates()}
    assert set(found["order_status"].variables) == {"order_id", "status"}
    assert found["follow_up"].variables == ()
    assert found["welcome"].problem(meta=True) is None
    assert found["promo_draft"].problem(meta=True) is not None
    assert (await client.template("welcome")).variables == ("name",)
    created = await client.create_template(
        "shipped", category="UTILITY", language="pt_BR", body="Oi {{name}}, saiu.", examples={"name": "Ana"}
    )
    assert created.meta_status == "PENDING"
    changed = await client.update_template("welcome", body={"body": {"text": "Oi {{name}}!"}}, language="pt_BR", examples={"name": "Ana"})
    assert (changed.id, changed.meta_status, changed.variables) == (found["welcome"].id, "PENDING", ("name",))
    await client.delete_template(created.id)
    assert "shipped" not in {template.name for template in await client.templates()}
    with pytest.raises(PlatformError) as refused:
        await client.template("nowhere")
    assert (refused.value.family, refused.value.code) == (Family.REFUSED, "TEMPLATE_NOT_FOUND")


async def test_webhooks(client: PilotStatus) -> None:
    made = await client.create_webhook("http://127.0.0.1:9/hook", name="bot", events=["message.received"])
    assert [hook.id for hook in await client.webhooks()] == [made.id]
    changed = await client.update_webhook(made.id, events=["*"], active=False)
    assert (changed.events, changed.active) == (("*",), False)
    assert await client.webhook_logs(made.id) == ()
    await client.delete_webhook(made.id)
    assert await client.webhooks() == ()
    with pytest.raises(PlatformError) as refused:
        await client.delete_webhook(made.id)
    assert refused.value.code == "WEBHOOK_NOT_FOUND"


async def test_anything_else_goes_through_httpx(sandbox: Sandbox) -> None:
    async with PilotStatus(sandbox.url, api_key="ps_sandbox_tenant") as client:
        answer = await client.http.get("/v1/numbers")
    assert answer.status_code == 200
    assert {number["id"] for number in answer.json()} == {"num_meta", "num_evolution"}
