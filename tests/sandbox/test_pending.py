"""What a sandbox still has to do, as those ask who wait for it to be done."""

from __future__ import annotations

from dataclasses import replace

import aiohttp

from pilotbot.sandbox import Pending, Sandbox
from pilotbot.sandbox.clock import parse_iso
from tests.sandbox.conftest import QUICK, Api, Receiver, settle

IDLE = Pending(0, [])


async def test_a_sandbox_that_does_not_run_has_nothing_to_do() -> None:
    sandbox = Sandbox(QUICK)
    assert sandbox.pending() == IDLE
    async with sandbox:
        assert sandbox.pending() == IDLE
    assert sandbox.pending() == IDLE


async def test_deliveries_that_are_queued_or_under_way_count_as_now(sandbox: Sandbox, api: Api, receiver: Receiver) -> None:
    receiver.gate.clear()
    await api.subscribe(receiver.url, "message.received")
    await api.write("one")
    await api.write("two")
    await receiver.wait(1)
    assert sandbox.pending() == Pending(2, [])
    receiver.gate.set()
    await settle(sandbox)
    assert sandbox.pending() == IDLE
    assert len(receiver.hits) == 2


async def test_what_is_tried_again_later_is_said_with_its_time(sandbox: Sandbox, api: Api, receiver: Receiver) -> None:
    receiver.statuses = [503]
    await api.subscribe(receiver.url, "message.received")
    await api.write()
    await settle(sandbox)
    (row,) = (await api.call("GET", "/sandbox/deliveries")).json
    assert sandbox.pending() == Pending(0, [parse_iso(row["nextAttemptAt"])])
    receiver.gate.clear()
    await api.call("POST", "/sandbox/clock", {"advance": "61s"})
    await receiver.until("sandbox.clock")
    assert sandbox.pending() == Pending(1, [])
    receiver.gate.set()
    await settle(sandbox)
    assert sandbox.pending() == IDLE


async def test_steps_of_messages_count_until_the_last(sandbox: Sandbox, api: Api) -> None:
    await api.write()
    await api.send({"text": "a"})
    assert sandbox.pending().later == []
    await settle(sandbox)
    assert (await api.rows())[-1]["status"] == "READ"
    assert sandbox.pending() == IDLE


async def test_receipts_and_scheduled_messages_are_for_later(session: aiohttp.ClientSession) -> None:
    async with Sandbox(replace(QUICK, receipt_delay=(60, 60))) as sandbox:
        api = Api(session, sandbox.url)
        await api.write()
        await api.send({"text": "a"})
        scheduled = await api.send({"text": "b", "deliverAt": "2100-01-01T00:00:00Z"})
        rows = await api.rows()
        a_minute_on = parse_iso(rows[-2]["createdAt"]) + 60_000
        assert sandbox.pending() == Pending(0, [a_minute_on, parse_iso("2100-01-01T00:01:00Z")])
        await api.call("DELETE", "/v1/messages/cancel", {"messageIds": [scheduled.json["id"]]})
        assert sandbox.pending() == Pending(0, [a_minute_on])
        await api.call("POST", "/sandbox/reset", {})
        assert sandbox.pending() == IDLE
