"""S14: what is stored as state is read as JSON and as nothing else."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pilotbot import Bot, Context, State
from pilotbot.contacts.state import StateError, dump, load
from tests.stage import Stage


class Cart(State, name="cart_of_security"):
    items: list[str] = []
    note: Any = None


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_state_pickle_rejected(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "was here"
    raw = pickle.dumps(Bomb(mark), protocol)
    with pytest.raises(StateError, match="is not a state"):
        load(Cart, raw, 0)
    assert not mark.exists()
    pickle.loads(raw)  # it does what it says
    assert mark.exists()


def test_state_pickle_rejected_in_a_document_is_text(tmp_path: Path) -> None:
    mark = tmp_path / "was here"
    raw = pickle.dumps(Bomb(mark), 0).decode()
    kept = load(Cart, dump(Cart(items=[raw], note={"py/object": "pathlib.Path", "__reduce__": raw}), 0), 0)
    assert kept.items == [raw]
    assert kept.note == {"py/object": "pathlib.Path", "__reduce__": raw}
    assert not mark.exists()


def test_state_pickle_rejected_when_it_is_stored(tmp_path: Path) -> None:
    """What JSON does not hold is not stored some other way."""
    for value in (Bomb(tmp_path), object(), lambda: None, {1, Bomb(tmp_path)}):
        with pytest.raises(StateError, match="JSON cannot hold"):
            dump(Cart(note=value), 0)


async def test_state_pickle_rejected_in_a_turn(stage: Stage, redis: Redis, tmp_path: Path) -> None:
    """Where Redis was written to by somebody else, the event becomes a dead letter, and nothing is run."""
    bot, mark = Bot("shop"), tmp_path / "was here"

    @bot.message()
    async def add(ctx: Context, cart: Cart) -> None:
        cart.items.append(ctx.text)
        await ctx.reply(f"{len(cart.items)} in the cart")

    runtime = await stage.work(bot)
    await stage.says("a")
    await stage.sees(1)
    (chat,) = [key for key in redis.scan_iter("*:chat:*") if redis.hexists(key, "state:cart_of_security")]
    redis.hset(chat, "state:cart_of_security", pickle.dumps(Bomb(mark)))
    await stage.says("b")
    await stage.counted(runtime, "turn:retry", 1)
    await stage.travel("5s")
    await stage.counted(runtime, "dead:StateError", 1)
    assert not mark.exists()
