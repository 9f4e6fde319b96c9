"""On a Cluster: every script keeps to the keys of one slot (design section 7). One node, which refuses what does not."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from redis import Redis
from redis.exceptions import BusyLoadingError, ClusterCrossSlotError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from pilotbot import Bot, Context
from pilotbot.engine import Arrival, Claimed, Consent, Decision, Effects, Engine, Item, Lane, Notice, Place, Timer
from pilotbot.engine.embedded import _find_program
from pilotbot.engine.keys import base
from pilotbot.engine.merge import Move
from pilotbot.engine.scripts import PARTS, script
from pilotbot.events.own import handed_back, handed_over
from pilotbot.sandbox import Sandbox, SandboxSettings
from tests.stage import Stage

SHARDS = 8
EVERYBODY = [f"contact {n}" for n in range(40)]  # some on every shard


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A cluster of one node, which has all slots."""
    place, port = tmp_path_factory.mktemp("cluster"), free_port()
    settings = {
        "port": port, "bind": "127.0.0.1", "cluster-enabled": "yes", "cluster-port": free_port(), "dir": place, "save": "",
        "appendonly": "no", "logfile": place / "log",
    }  # fmt: skip
    process = subprocess.Popen([_find_program(), *(word for name, value in settings.items() for word in (f"--{name}", str(value)))])
    client = Redis(port=port, decode_responses=True)
    try:
        _prepare(client, process)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait()


def _prepare(client: Redis, process: "subprocess.Popen[bytes]") -> None:
    """Wait for the node, give it all slots, and wait until it says that the cluster works."""
    while process.poll() is None:
        with suppress(RedisConnectionError, BusyLoadingError):
            if client.execute_command("CLUSTER INFO")["cluster_state"] == "ok":  # type: ignore[no-untyped-call]
                return
            with suppress(ResponseError):  # it has them already, and does not say that it works yet
                client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)  # type: ignore[no-untyped-call]
    pytest.fail("the node ended")


class Recorded(Engine):
    """An engine that notes which scripts it called."""

    def __init__(self, url: str) -> None:
        super().__init__(url, shards=SHARDS)
        self.called: set[str] = set()
        run = self._calls.script_once

        async def noted(name: str, shard: int, *arguments: Any) -> Any:
            self.called.add(name)
            return await run(name, shard, *arguments)

        self._calls.script_once = noted  # type: ignore[method-assign]  # to be seen from outside


@pytest.fixture
def url(node: Redis) -> str:
    node.flushall()
    node.hset("{pb}:conf", "pepper", "00" * 16)  # the same places in every run
    return f"redis://127.0.0.1:{node.connection_pool.connection_kwargs['port']}"


@pytest.fixture
async def engine(url: str) -> AsyncIterator[Recorded]:
    opened = Recorded(url)
    await opened.open()
    yield opened
    await opened.close()


def place(engine: Engine, who: str) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def write(engine: Engine, who: str, event: str) -> None:
    body = event.encode()
    arrival = Arrival(place=place(engine, who), id=event, message_id=f"w{event}", at=None, mark="r", body=body, name=who, opens_window=True)
    assert (await engine.accept(arrival)).outcome == "ok"


async def turns(engine: Engine) -> list[Claimed]:
    return [turn for shard in range(SHARDS) for turn in await engine.claim(shard, 100)]


async def lanes(engine: Engine) -> list[Lane]:
    return [lane for shard in range(SHARDS) for lane in (await engine.claim_lanes(shard, 100))[0]]


async def an_event_to_its_end(engine: Engine) -> None:
    """Written, put back, run again, something said at once, committed with answers, a state and a notice to somebody far."""
    for who in EVERYBODY:
        await write(engine, who, f"1 {who}")
    for turn in await turns(engine):
        await engine.retry(turn, 0)
    for number, turn in enumerate(await turns(engine)):
        assert turn.tries == 1
        await engine.emit(turn, "0", Item(id=f"now {number}", free=b"x"))
        notice = Notice(place=place(engine, EVERYBODY[-1 - number]), items=(Item(id=f"notice {number}", free=b"x"),))
        answer = Item(id=f"answer {number}", free=b"x", template=b"y", menu=b"{}", enforced=True)
        effects = Effects(sets={"state:a": b"{}"}, items=(answer,), notices=(notice,))
        assert (await engine.commit(turn, effects, keep=True, send=True)).outcome == "ok"
        await engine.relay((notice,), turn.key.shard)
    assert [await engine.relay_leftovers(shard) for shard in range(SHARDS)] == [([], ())] * SHARDS


async def messages_to_their_end(engine: Engine) -> None:
    """Posted, refused and repeated, recorded, failed late and decided again, asked for; the leases renewed and given back."""
    for shard in range(SHARDS):
        await engine.let_go(shard, "both")
    for lane in await lanes(engine):
        assert await engine.renew(lane.key.shard, [], [(lane.key.id, lane.token)]) == set()
        assert await engine.unsent(lane, "retry", delay=0, unknown=True) == "ok"
    await engine.pause("main", 1, "a refusal")
    assert set(await engine.pauses(["main"])) <= {"main"}
    await engine.advance(1000)
    failed = 0
    while found := await lanes(engine):
        for lane in found:
            following: Lane | None = lane
            while following is not None:
                name = f"p {following.item.id}"
                await engine.record(following, name)
                await engine.merge_status(name, "sent", code=None, message_id=f"w {name}")
                _, record = await engine.merge_status(name, "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None)
                following = (await engine.sent(following)).lane
                if record.again is not None and record.again.enforced:
                    assert (await engine.decide_again(record))[0] == "ok"
                    failed += 1
    assert failed == len(EVERYBODY)
    assert [await engine.unfinished(shard) for shard in range(SHARDS)] == [[]] * SHARDS
    assert await engine.find_record("w p answer 0") is not None


async def what_fails_for_good(engine: Engine) -> None:
    for who in EVERYBODY:
        await write(engine, who, f"2 {who}")
    for turn in await turns(engine):
        assert await engine.blame(turn, is_to=True)
        await engine.bury(turn, reason="r", detail="d", keep=True)
    letters = await engine.dead_letters(most=100)
    assert len(letters) == len(EVERYBODY)
    for letter in letters[1:]:
        assert await engine.dead_letter(letter.id) == letter
        assert await engine.retry_dead(letter.id)
    assert await engine.drop_dead(letters[0].id)
    assert len(await turns(engine)) == len(EVERYBODY) - 1


async def what_comes_later(engine: Engine) -> None:
    """Follow-ups set in and outside of turns, listed, moved; what people decided."""
    for who in EVERYBODY:
        await engine.timers.set(
            place(engine, who).key.shard, [(place(engine, who), Timer(name="0" * 12, due=1, items=(Item(id="", free=b'{"a":1}'),)))]
        )
        assert [waits.due for waits in await engine.follow_ups(place(engine, who).key)] == [1]
        await engine.decide(
            Decision(
                entry=Consent(what="out", at=1, source="word", evidence="stop"), person=engine.keys.person(who),
                chats=(place(engine, who).key,),
            )
        )  # fmt: skip
        assert await engine.consent(engine.keys.person(who)) == {"all": 1}
    here = [Move(place(engine, who).key, place(engine, f"{who} by phone").key, "+5511987650001") for who in EVERYBODY]
    await engine.join(engine.keys.person("a"), engine.keys.person("b"), here, lambda _, label: label)
    for move in here:
        assert await engine.moved_to(move.source) == move.target
    moved = [await engine.timers.fire(shard) for shard in range(SHARDS)]
    assert sum(due for due, _ in moved) == len(EVERYBODY)


async def what_people_do(engine: Engine) -> None:
    """Chats given to people and back, echoes that wait, a number that is ill and well again, messages taken back, people forgotten."""
    human = orjson.dumps({"queue": "", "note": "", "since": 1, "until": 9_999_999_999_999, "by": "operator"})
    for who in ("one", "two", "three"):
        here = place(engine, who)
        assert (await engine.handovers.take(here, human, handed_over("over", queue="", note="", by="operator", at=1)))[0] == "taken"
        assert await engine.handovers.wait(here.key, "echo", b"{}") == 0
        assert await engine.handovers.over(here.key.shard) is not None
        _, echoes = await engine.handovers.echoes(here.key.shard, 1_000)
        for echo in echoes:
            await engine.handovers.done(echo)
        assert here in [held.place for held in await engine.handovers.all(SHARDS)]
        assert await engine.handovers.back(here.key, handed_back("back", by="operator", at=2))
        await engine.enqueue(Notice(place=here, items=(Item(id=f"taken back {who}", free=b"x"),)))
        assert await engine.cancel(here.key, [f"taken back {who}"]) == [("cancelled", "")]
        await engine.slow_down(here.key, 1_000)
        await engine.traces.erase([here.key], lambda _: False)
    await engine.down("main", None, 1_000, "disconnected")
    await engine.up("main")
    here = place(engine, "four")
    await engine.enqueue(Notice(place=here, items=(Item(id="leads", free=b"x", leads=True), Item(id="follows", free=b"x"))))
    (lane,) = await lanes(engine)
    await engine.record(lane, "p leads")
    assert (await engine.sent(lane)).lane is None
    _, record = await engine.merge_status("p leads", "sent", code=None, message_id=None)
    assert await engine.reported(record)


async def test_every_script_keeps_to_one_slot(engine: Recorded) -> None:
    await an_event_to_its_end(engine)
    await messages_to_their_end(engine)
    await what_fails_for_good(engine)
    await engine.learn_alias("BR.1", "+5511987650001", "+551187650001")
    assert await engine.alias("BR.1") == "+5511987650001"
    await engine.remember("templates:main", b"{}")
    assert await engine.recall("templates:main") == b"{}"
    assert (await engine.schedules.all())[1] == {}
    await engine.seen.saw("main", 1_000)
    await engine.seen.want("main")
    look = await engine.seen.begin("main", "a")
    assert look is not None
    assert await engine.seen.hold("main", "a")
    await engine.seen.done("main", "a", look)
    view = await engine.chat(place(engine, EVERYBODY[0]).key)
    assert view.fields["state:a"] == b"{}"
    await what_people_do(engine)
    assert await engine.busy() > 0
    assert [await engine.sweep(shard) for shard in range(SHARDS)] == [()] * SHARDS
    assert await engine.ready()
    await engine.slow_down(place(engine, EVERYBODY[0]).key, 1)
    await what_comes_later(engine)
    await engine.traces.erase([place(engine, who).key for who in EVERYBODY], lambda _: False)
    assert engine.called == set(PARTS), "a script is missing from this pass"
    assert {place(engine, who).key.shard for who in EVERYBODY} == set(range(SHARDS))


def test_the_shards_lie_in_different_slots(node: Redis) -> None:
    slots = {node.execute_command("CLUSTER KEYSLOT", base(shard)) for shard in range(SHARDS)}  # type: ignore[no-untyped-call]
    assert len(slots) == SHARDS


def test_every_script_is_held_to_its_slot() -> None:
    """Without this line a server lets a script touch any keys, those of a Cluster too as long as they happen to lie on one node."""
    assert all(script(name).source.startswith("#!lua\n") for name in PARTS)


def test_a_script_that_touches_two_shards_would_be_refused(node: Redis) -> None:
    """What makes the tests above able to fail."""
    with pytest.raises(ClusterCrossSlotError):
        node.eval("#!lua\nreturn 1", 2, f"{base(0)}:a", f"{base(1)}:a")
    sly = "#!lua\nredis.call('SET', KEYS[1] .. ':a', 1)\nreturn redis.call('SET', '{pb:1}:a', 1)"
    with pytest.raises(ResponseError, match="same slot"):
        node.eval(sly, 1, base(0))
    assert node.eval(sly.replace("{pb:1}", base(0)), 1, base(0)) is not None


async def test_a_bot_works_on_it(url: str, tmp_path: Path) -> None:
    bot = Bot("shop")

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")
        await ctx.notify("+5521998760002", "Ana wrote.")

    async with (
        Sandbox(SandboxSettings(port=0, receipt_delay=(0, 0))) as sandbox,
        aiohttp.ClientSession() as http,
        Stage(sandbox, http, url, tmp_path) as stage,
    ):
        runtime = await stage.work(bot, shards=SHARDS)
        await asyncio.gather(*(stage.says("hi", contact=f"+55119876500{n:02}") for n in range(20)))
        for n in range(20):
            assert [row["text"] for row in await stage.sees(1, contact=f"+55119876500{n:02}", settled=True)] == ["You said hi"]
        await stage.quiet(runtime)
        assert (await runtime.engine.chat(runtime.engine.keys.chat("main", "+552198760002"))).held_items == 20
