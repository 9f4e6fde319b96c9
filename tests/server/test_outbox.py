"""Messages from outside a turn: the sender of this process is told where there is work."""

from pilotbot.contacts import canonical
from pilotbot.engine import Engine
from pilotbot.replies import DEFAULT, Saying
from pilotbot.server.outbox import LaneOutbox
from pilotbot.server.saying import Numbers
from pilotbot.settings import NumberSettings

ANA = "+5511987650001"


async def notify(outbox: LaneOutbox, key: str) -> None:
    await outbox.notify(ANA, Saying(content="hi"), key=key, number=None)


async def test_the_sender_is_woken_for_the_shard_of_the_chat(engine: Engine) -> None:
    woken: list[int] = []
    numbers = Numbers([NumberSettings(name="main", kind="evolution_v2")])
    await notify(LaneOutbox(engine, numbers, policy=DEFAULT, wake=woken.append), "one")
    assert woken == [engine.keys.chat("main", canonical(ANA)).shard]
    await notify(LaneOutbox(engine, numbers, policy=DEFAULT), "two")  # a command beside the bot has no sender to wake
    assert len(woken) == 1
