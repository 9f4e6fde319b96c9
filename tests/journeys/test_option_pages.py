"""More options than a list holds are pages; a row of any page, in every shape that the platform gives taps, is the same typed answer."""

from typing import Any

import pytest

from pilotbot import Action, Bot, Context, words
from tests.journeys.test_taps import answer
from tests.stage import ANA, Row, Stage, wire

NAMES = [f"Cidade {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTU"]


class City(Action):
    name: str


def travel(more: str | None = None) -> Bot:
    bot = Bot("travel", more=more)

    @bot.tapped(City)
    async def chosen(ctx: Context, action: City) -> None:
        await ctx.reply(f"Para {action.name}")

    @bot.received(words("viajar"))
    async def cities(ctx: Context) -> None:
        await ctx.reply("Para onde?", options=[City(name=name).option(name) for name in NAMES])

    @bot.unhandled()
    async def other(ctx: Context) -> None:
        await ctx.reply(f"Texto: {ctx.text}")

    return bot


def labels(row: Row) -> list[str]:
    return [button["label"] for button in row["buttons"]]


async def offered(stage: Stage) -> Row:
    await stage.says("viajar")
    (row,) = await stage.sees(1, settled=True)
    return row


async def test_what_shows_the_next_page_is_called_as_the_bot_has_it(stage: Stage) -> None:
    await stage.work(travel(more="Outras"))
    assert labels(await offered(stage))[-1] == "Outras"
    await stage.taps("Outras")
    row = (await stage.sees(2, settled=True))[-1]
    assert labels(row) == [*NAMES[9:18], "Outras"]


async def test_more_shows_the_next_page_until_the_last(stage: Stage) -> None:
    await stage.work(travel())
    row = await offered(stage)
    more = labels(row)[-1]
    assert labels(row) == [*NAMES[:9], more]
    await stage.taps(more)
    row = (await stage.sees(2, settled=True))[-1]
    assert labels(row) == [*NAMES[9:18], more]
    await stage.says("mais")
    row = (await stage.sees(3, settled=True))[-1]
    assert labels(row) == NAMES[18:]
    await stage.taps("Cidade T")
    assert await answer(stage) == "Para Cidade T"


async def test_labels_are_those_of_all_pages_and_numbers_those_of_the_page_that_is_shown(stage: Stage) -> None:
    await stage.work(travel())
    await offered(stage)
    await stage.says("10")
    await stage.sees(2, settled=True)
    await stage.says("a terceira")
    assert await answer(stage) == "Para Cidade L"
    for typed, city in (("cidade u", "U"), ("Cidade A", "A")):
        await stage.says(typed)
        assert await answer(stage) == f"Para Cidade {city}"
    for typed in ("2", "mais"):
        await stage.says(typed)
        assert await answer(stage) == f"Texto: {typed}"


async def test_more_of_an_old_message_works_twice_days_later_and_after_a_restart(stage: Stage) -> None:
    async with stage.at_work(travel()):
        first = await offered(stage)
        await stage.taps(labels(first)[-1])
        await stage.sees(2, settled=True)
    await stage.travel("3d")
    await stage.work(travel())
    for count in (3, 4):
        await stage.taps(labels(first)[-1], quoted=first["messageId"])
        row = (await stage.sees(count, settled=True))[-1]
        assert labels(row)[:9] == NAMES[9:18]
    await stage.says("a primeira", quoted=first["messageId"])
    assert await answer(stage) == "Para Cidade A"


SHAPES: dict[str, dict[str, Any]] = {
    "received": {},
    "without a type": {"type": None},
    "media type interactive": {"mediaType": "interactive"},
    "media type button": {"mediaType": "button"},
    "row id and title": {"rowId": "Cidade C"},
    "row id alone": {"content": "", "rowId": "Cidade C"},
    "number as the id": {"content": "", "rowId": "3"},
    "an id that says nothing": {"buttonId": "btn_3"},
    "payload": {"payload": "Cidade C"},
    "list reply of Meta": {"content": "", "interactive": {"type": "list_reply", "list_reply": {"id": "Cidade C", "title": "Cidade C"}}},
    "button reply of Meta": {"content": "", "interactive": {"type": "button_reply", "button_reply": {"id": "3", "title": "Cidade C"}}},
    "template button of Meta": {"content": "", "button": {"text": "Cidade C", "payload": "x"}},
}


@pytest.mark.parametrize("quotes", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_tap_in_every_shape_is_the_row(stage: Stage, shape: str, quotes: bool) -> None:
    runtime = await stage.work(travel())
    row = await offered(stage)
    body = wire("tap", "Cidade C", **SHAPES[shape])
    if quotes:
        body["event"] = "message.reply"
        body["data"] |= {"quotedMessageId": row["messageId"], "contentReplied": row["text"]}
    assert (await stage.deliver(runtime.url, body))[0] == 200
    rows = await stage.sees(2, settled=True)
    known = quotes or shape != "number as the id"  # of which menu is it the third?
    assert rows[-1]["text"] == ("Para Cidade C" if known else "Texto: ")


async def test_an_older_payload_of_a_tap_is_the_row(stage: Stage) -> None:
    runtime = await stage.work(travel())
    row = await offered(stage)
    data = {
        "from": ANA, "content": row["text"], "replyContent": "Cidade C", "receivedAt": wire("x", "")["data"]["createdAt"],
        "messageId": "old", "quotedMessageId": row["messageId"], "environment": "LIVE", "numberId": "num_meta",
    }  # fmt: skip
    assert (await stage.deliver(runtime.url, {"event": "message.reply", "data": data}))[0] == 200
    rows = await stage.sees(2, settled=True)
    assert rows[-1]["text"] == "Para Cidade C"
