"""Echoes that cannot be judged go in the end, those that are judged go by the name they have, and only the platform says what it knows."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from pilotbot.contacts import Handover, canonical
from pilotbot.contacts.handover import AGAIN
from pilotbot.engine import HOUR, Engine, Item, Lane, Place
from pilotbot.engine.keys import base
from pilotbot.events import Inbound, decode
from pilotbot.platform import MessageStatus
from pilotbot.platform.errors import classify
from pilotbot.server.handover import Handovers
from pilotbot.settings import NumberSettings
from tests.engine.steps import lane_of, queue
from tests.stage import ANA, wire

BSUID = "BR.13491208655302741918"
UNKNOWN = classify(404, b'{"error": "Message not found"}', {}, now=0.0)
MAIN = NumberSettings(name="main", id="num_meta")


class Client:
    """Answers what it is asked about a message."""

    def __init__(self, answer: MessageStatus | Exception = UNKNOWN) -> None:
        self.answer = answer

    async def get(self, name: str) -> MessageStatus:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


Make = Callable[..., Handovers]


@pytest.fixture
def make(engine: Engine) -> Make:
    def made(client: Client, *numbers: NumberSettings) -> Handovers:
        clients: Any = {"main": client}
        return Handovers(
            engine, numbers or (MAIN,), clients, Handover(), counts=Counter(), put_aside=lambda _: None, wake=lambda _: None
        )  # fmt: skip

    return made


async def hear(handovers: Handovers, number: NumberSettings = MAIN, *, to: str = ANA, **data: object) -> None:
    told = wire("e", "It is me.", contact="+551140028922", to=to, fromMe=True, participantName=None, **data)
    event = decode(orjson.dumps(told))
    assert isinstance(event, Inbound)
    await handovers.heard(event, orjson.dumps(told), number)


async def waiting(engine: Engine) -> int:
    counts = [await engine._calls.command("ZCARD", f"{base(shard)}:echoes") for shard in range(engine.shards)]
    payloads = [await engine._calls.command("HLEN", f"{base(shard)}:echoes:payload") for shard in range(engine.shards)]
    assert counts == payloads
    return sum(counts)


async def a_person_has_it(engine: Engine, who: str = ANA) -> bool:
    return "human" in (await engine.chat(engine.keys.chat("main", canonical(who)))).fields


async def test_what_nobody_knows_is_a_persons_after_half_a_minute(engine: Engine, make: Make) -> None:
    handovers = make(Client())
    await hear(handovers)
    await handovers.judge()
    assert not await a_person_has_it(engine)
    await engine.advance(AGAIN + 1000)
    await handovers.judge()
    assert await a_person_has_it(engine)
    assert await waiting(engine) == 0


async def test_what_is_not_the_platforms_answer_says_nothing(engine: Engine, make: Make) -> None:
    handovers = make(Client(classify(404, b"<html>nginx</html>", {"content-type": "text/html"}, now=0.0)))
    await hear(handovers)
    await engine.advance(AGAIN + 1000)
    await handovers.judge()
    assert not await a_person_has_it(engine)
    assert await waiting(engine) == 1


async def test_a_message_of_ours_that_nothing_was_heard_of_may_be_it(engine: Engine, make: Make) -> None:
    handovers, chat = make(Client()), engine.keys.chat("main", canonical(ANA))
    lane = await posted(engine)
    await hear(handovers)
    await engine.advance(AGAIN + 1000)
    await handovers.judge()
    assert not await a_person_has_it(engine)
    await engine.merge_status("p1", "sent", code=None, message_id="wamid.another")
    await engine.advance(2 * AGAIN + 2000)
    await handovers.judge()
    assert await a_person_has_it(engine)
    assert lane.key == chat


async def posted(engine: Engine) -> Lane:
    """A message of ours to Ana that the platform took as p1."""
    await queue(engine, Item(id="i", free=b"{}"), who=canonical(ANA))
    lane = await lane_of(engine, canonical(ANA))
    await engine.record(lane, "p1")
    await engine.sent(lane, "p1")
    return lane


async def test_of_a_number_that_is_not_configured_any_more_none_stays(engine: Engine, make: Make) -> None:
    await hear(make(Client()))
    await make(Client(), NumberSettings(name="other", id="num_other")).judge()
    assert await waiting(engine) == 0
    assert not await a_person_has_it(engine)


async def test_what_could_not_be_judged_for_a_day_does_not_stay(engine: Engine, make: Make) -> None:
    handovers = make(Client(RuntimeError("a defect")))
    await hear(handovers)
    with pytest.raises(RuntimeError):
        await handovers.judge()
    await engine.advance(25 * HOUR)
    await handovers.judge()
    assert await waiting(engine) == 0
    assert not await a_person_has_it(engine)


async def test_it_goes_by_the_name_that_it_waits_under_also_when_its_contact_has_another_by_then(engine: Engine, make: Make) -> None:
    handovers = make(Client())
    await hear(handovers, to=BSUID)
    await engine.learn_alias(BSUID, ANA, ANA)
    await engine.advance(AGAIN + 1000)
    await handovers.judge()
    assert await a_person_has_it(engine)
    assert await waiting(engine) == 0


async def test_a_time_that_is_over_does_not_wait_for_the_platform_to_answer(engine: Engine, make: Make) -> None:
    handovers = make(Client())
    key = engine.keys.chat("main", canonical(ANA))
    await hear(handovers)
    await engine.handovers.take(Place(key=key, number="main", kind="contact", address=ANA), over(), b"{}")
    await handovers.look()
    assert not await a_person_has_it(engine)
    assert await waiting(engine) == 1


def over() -> bytes:
    return b'{"queue":"","note":"","since":0,"until":1,"by":"operator"}'
