"""What was accepted is still there after a restart, and after a kill."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pilotbot.sandbox import Number, Sandbox, SandboxSettings
from pilotbot.sandbox.store import Store
from tests.sandbox.conftest import QUICK, Api, Receiver

SERVE = """
import asyncio, sys
from pathlib import Path
from pilotbot.sandbox import Sandbox, SandboxSettings
async def main():
    async with Sandbox(SandboxSettings(data_dir=Path(sys.argv[1]), receipt_delay=(3600, 3600)), port=0) as sandbox:
        print(sandbox.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def kept(tmp_path: Path) -> SandboxSettings:
    return replace(QUICK, data_dir=tmp_path / "data")


async def test_everything_survives_a_restart(kept: SandboxSettings, session: aiohttp.ClientSession, receiver: Receiver) -> None:
    receiver.statuses = [503]
    async with Sandbox(kept) as sandbox:
        api = Api(session, sandbox.url)
        await api.call("POST", "/sandbox/templates/promo_draft/approve", {})
        await api.call("DELETE", "/v1/templates/welcome")
        await api.advance("25h")
        webhook = await api.subscribe(receiver.url, "message.received")
        await api.write()
        await api.send({"text": "a"}, key="k1")
        accepted = await api.send({"text": "a"}, key="k1")
        await receiver.wait(1)
        rows, state = await api.rows(), (await api.call("GET", "/sandbox/state")).json
    async with Sandbox(kept) as sandbox:
        api = Api(session, sandbox.url)
        again = await api.send({"text": "a"}, key="k1")
        assert again.json == accepted.json
        assert again.headers["Idempotent-Replayed"] == "true"
        assert [row["id"] for row in await api.rows()] == [row["id"] for row in rows]
        now = (await api.call("GET", "/sandbox/state")).json
        assert {key: now[key] for key in ("offsetMs", "chats", "templates")} == {
            key: state[key] for key in ("offsetMs", "chats", "templates")
        }
        assert (await api.call("GET", f"/v1/messages/{accepted.json['correlationId']}")).status == 200
        assert (await api.call("GET", f"/v1/webhooks/{webhook}")).status == 200
        await api.advance("1m")
        hits = [hit for hit in await receiver.wait(3) if hit.event == "message.received"]
        assert len(hits) == 2
        assert hits[0].raw == hits[1].raw


async def test_a_kill_loses_nothing_that_was_accepted(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    data = tmp_path / "data"
    process, api = await serve(data, session)
    await api.write()
    accepted = await api.send({"text": "a"}, key="k1")
    process.kill()
    await process.wait()
    process, api = await serve(data, session)
    try:
        again = await api.send({"text": "a"}, key="k1")
        assert again.json == accepted.json
        assert [(row["direction"], row["status"]) for row in await api.rows()] == [("in", "READ"), ("out", "QUEUED")]
        await api.advance("150m")  # the receipts, an hour apart, were still to come
        async with asyncio.timeout(10):
            while (await api.rows())[-1]["status"] != "DELIVERED":
                pass
    finally:
        process.kill()
        await process.wait()


async def serve(data: Path, session: aiohttp.ClientSession) -> tuple[asyncio.subprocess.Process, Api]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(data), stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    return process, Api(session, url)


async def test_a_delivery_that_was_under_way_is_made_after_the_restart(
    kept: SandboxSettings, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    receiver.gate.clear()
    async with Sandbox(kept) as sandbox:
        api = Api(session, sandbox.url)
        await api.subscribe(receiver.url)
        await api.write("one")
        await api.write("two")
        await receiver.wait(1)
    receiver.gate.set()
    async with Sandbox(kept):
        assert [hit.data["content"] for hit in await receiver.wait(3)] == ["one", "one", "two"]


async def test_numbers_may_come_and_go(kept: SandboxSettings, session: aiohttp.ClientSession) -> None:
    async with Sandbox(kept) as sandbox:
        await Api(session, sandbox.url).write()
    fresh = Number("num_new", "+551140028999", "New", "meta")
    async with Sandbox(replace(kept, numbers=(fresh,), keys=())) as sandbox:
        state = (await Api(session, sandbox.url).call("GET", "/sandbox/state")).json
        assert state["chats"] == []
        assert {item["number"] for item in state["templates"]} == {"num_new"}
    async with Sandbox(kept) as sandbox:
        assert len(await Api(session, sandbox.url).rows()) == 1


async def test_without_a_directory_nothing_is_kept(session: aiohttp.ClientSession) -> None:
    for _ in range(2):
        async with Sandbox(QUICK) as sandbox:
            api = Api(session, sandbox.url)
            assert await api.rows() == []
            await api.write()


def test_records_of_a_block_are_saved_together_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def half() -> None:
        with store.together():
            store.put("kind", "1", b"{}")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert store.load("kind") == []
    store.close()


async def test_a_taken_port_is_said_so_and_leaves_nothing_behind(kept: SandboxSettings) -> None:
    async with Sandbox(kept) as sandbox:
        second = Sandbox(QUICK, port=sandbox.port)
        with pytest.raises(OSError, match="address"):
            await second.start()
        await second.stop()


async def test_only_so_many_settled_deliveries_are_kept(session: aiohttp.ClientSession, receiver: Receiver) -> None:
    async with Sandbox(replace(QUICK, kept_deliveries=3)) as sandbox:
        api = Api(session, sandbox.url)
        await api.subscribe(receiver.url)
        for n in range(6):
            await api.write(str(n))
            await receiver.wait(n + 1)
        async with asyncio.timeout(10):
            while len(shown := await deliveries(api)) > 3:
                pass
        assert [row["body"]["data"]["content"] for row in shown] == ["3", "4", "5"]


async def deliveries(api: Api) -> list[dict[str, Any]]:
    return list((await api.call("GET", "/sandbox/deliveries")).json)
