"""The menus that a chat's labels are recognised from: nothing that is said at the same time makes another menu forgotten."""

from dataclasses import replace

import orjson

from pilotbot.engine import Effects, Engine, Item
from tests.engine.steps import HOUR, arrival, claim, lane_of, now_ms, place, queue


def menu(name: str, **more: object) -> bytes:
    return orjson.dumps({"id": name.encode().hex(), "entries": [[name, None, None]], **more})


def said(name: str, *, business: bool = False, **more: object) -> Item:
    return Item(id=name, free=b"x", menu=menu(name, **more), business=business)


def plain(name: str, *, business: bool = False) -> Item:
    return Item(id=name, free=b"x", business=business)


async def menus(engine: Engine) -> bytes | None:
    return (await engine.chat(place(engine).key)).fields.get("menus")


async def answers(engine: Engine, event: str, *items: Item) -> None:
    await engine.accept(arrival(engine, event))
    await engine.commit(await claim(engine), Effects(items=items), keep=False, send=False)


async def test_what_a_business_offers_while_a_turn_runs_is_kept(engine: Engine) -> None:
    await answers(engine, "one", said("first"))
    await engine.sent(await lane_of(engine))
    await engine.accept(arrival(engine, "two"))
    turn = await claim(engine)
    await queue(engine, said("news", business=True))
    await engine.sent(await lane_of(engine))
    await engine.commit(turn, Effects(items=(said("second"),)), keep=False, send=False)
    assert await menus(engine) == b"\n".join([menu("second"), menu("news"), menu("first")])


async def test_it_is_known_from_when_it_goes_and_an_answer_from_its_commit(engine: Engine) -> None:
    await engine.accept(arrival(engine, "one"))
    await queue(engine, said("news", business=True))
    assert await menus(engine) is None
    await engine.commit(await claim(engine), Effects(items=(said("answer"),)), keep=False, send=False)
    assert await menus(engine) == menu("answer")
    assert (await lane_of(engine)).item.id == "news"
    assert await menus(engine) == b"\n".join([menu("news"), menu("answer")])


async def test_what_is_sent_before_the_commit_is_known_from_then(engine: Engine) -> None:
    await engine.accept(arrival(engine, "one"))
    turn = await claim(engine)
    for _ in range(2):
        await engine.emit(turn, "now", said("at-once"))
    assert await menus(engine) == menu("at-once")


async def test_something_without_options_is_noted_once_and_until_there_are_options_again(engine: Engine) -> None:
    await answers(engine, "one", plain("hello"))
    assert await menus(engine) is None
    await answers(engine, "two", said("first"), plain("bye"), plain("bye again"))
    assert await menus(engine) == b"\n" + menu("first")
    await answers(engine, "three", plain("text"), said("second"))
    assert await menus(engine) == b"\n".join([menu("second"), menu("first")])


async def test_a_plain_message_of_a_business_is_noted_too(engine: Engine) -> None:
    await answers(engine, "one", said("first"))
    await engine.sent(await lane_of(engine))
    await queue(engine, plain("news", business=True))
    assert await menus(engine) == menu("first")
    await lane_of(engine)
    assert await menus(engine) == b"\n" + menu("first")


async def test_the_next_page_takes_the_place_of_the_page_before(engine: Engine) -> None:
    await answers(engine, "one", said("cities", page=0), said("other"))
    await answers(engine, "two", said("cities", page=1))
    assert await menus(engine) == b"\n".join([menu("cities", page=1), menu("other")])


async def test_options_that_do_not_go_are_not_offered(engine: Engine) -> None:
    closed = replace(said("closed"), enforced=True, closed="skip")
    later = replace(said("later"), deliver_at=now_ms() + HOUR)
    await engine.accept(arrival(engine, "old", at=now_ms() - 25 * HOUR))
    settled = await engine.commit(await claim(engine), Effects(items=(closed, later)), keep=False, send=True)
    assert [note.why for note in settled.put_aside] == ["window-closed"]
    assert await menus(engine) is None
    await engine.advance(HOUR)
    await lane_of(engine)
    assert await menus(engine) == menu("later")


async def test_what_has_no_place_is_not_offered(engine: Engine) -> None:
    await queue(engine, *(plain(f"p{n}", business=True) for n in range(200)))
    await answers(engine, "one", said("full"))
    assert await menus(engine) is None


async def test_a_template_that_does_not_show_them_offers_none(engine: Engine) -> None:
    for name, unshown in (("hidden", True), ("shown", False)):
        await queue(engine, Item(id=name, template=b"t", menu=menu(name), unshown=unshown, business=True))
        lane = await lane_of(engine)
        assert (lane.pin, lane.item.shown(lane.pin)) == ("template", b"" if unshown else menu(name))
        await engine.sent(lane)
    assert await menus(engine) == menu("shown")


async def test_five_are_kept_and_no_more_than_so_many_bytes(engine: Engine) -> None:
    for n in range(7):
        await answers(engine, f"e{n}", said(f"m{n}"))
    assert await menus(engine) == b"\n".join(menu(f"m{n}") for n in (6, 5, 4, 3, 2))
    await answers(engine, "long", said("long", form="x" * 20_000))
    assert await menus(engine) == b"\n".join(menu(f"m{n}") if n else menu("long", form="x" * 20_000) for n in (0, 6, 5, 4, 3))
    await answers(engine, "after", said("after"))
    assert await menus(engine) == menu("after")
