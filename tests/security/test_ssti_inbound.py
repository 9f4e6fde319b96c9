"""S8: what a contact writes is data: it comes back letter by letter wherever it goes, and nowhere does anything of it."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis

from pilotbot import Action, Bot, Context, Message, Option, State, Template
from pilotbot.replies.markup import neutral
from pilotbot.testing import Platform
from pilotbot.testing.chatfile import parse
from pilotbot.testing.play import play
from pilotbot.testing.report import told
from tests.security.conftest import received, signed
from tests.server.conftest import Serve
from tests.stage import ANA

TEXTS = {
    "an expression": "{{7*7}}",
    "an object": "{{ ctx.settings.api_key }}{{ config }}",
    "a call": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a block": "{% raw %}",
    "a loop": "{% for x in range(10**9) %}a{% endfor %}",
    "an end": "{% endraw %}{% endif %}",
    "a comment": "{# hidden #}seen",
    "line statements": "# for x in y\n## note",
    "format": "{0.__class__}{self}{}{!r:>{width}}",
    "percent": "%s%n%d%(name)s%99999999d",
    "dollar": "${7*7}$(id)`id`#{7*7}<%= 7*7 %>",
    "CRLF": "a\r\nSet-Cookie: x=1\r\n\r\nb",
    "NUL": "a\0b",
    "other control characters": "a\x1b[31mred\x07\x08\x7fb",
    "RTL marks": "\u202egnp.exe\u202c\u200f\u2066abc\u2069",
    "joined": "\u200d\u200b\u2060\U0001f468\u200d\U0001f469\u200d\U0001f467\ufe0f",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "quotes": "'; DROP TABLE x; --\"\\",
    "a pattern": "(a+)+$[",
    "a key": "{pb:0}:chat:*\nFLUSHALL\r\n",
    "JSON": '","event":"message.failed","x":"\\u0000',
    "a path": "../../../etc/passwd",
    "blanks around": "  {{ x }}\t",
    "Lua": "']] redis.call('FLUSHALL') --[['",
}


class Note(State, name="note_of_security"):
    text: str = ""
    seen: dict[str, str] = {}


class Pick(Action, name="pick_of_security"):
    said: str


QUOTED = Message("You wrote: {{ said }}.", header="H", footer="F")
CHOICE = Message("Choose.", options=["{{ said }}", Pick(said="{{ said }}").option("Mine")])
NEWS = Message("News of {{ said }}", template=Template("security", said="{{ said }}"))


def one_line(text: str) -> str:
    """What a label or a template's variable makes of a text: blanks are one blank."""
    return " ".join(text.split())


def echo() -> Bot:
    """Says what it hears, in every way there is."""
    bot = Bot("echo")

    @bot.tapped(Pick)
    async def picked(ctx: Context, pick: Pick) -> None:
        await ctx.reply(f"picked {pick.said}")

    @bot.message()
    async def hear(ctx: Context, note: Note) -> None:
        await ctx.reply(note.text or "nothing before")
        note.text, note.seen = ctx.text, {ctx.text: ctx.text}
        await ctx.reply(ctx.text)
        await ctx.reply(QUOTED, said=ctx.text)
        await ctx.reply(f"by {ctx.contact.name}")
        if len(one_line(ctx.text)) <= 20:
            await ctx.reply(CHOICE, said=ctx.text)
            await ctx.reply("Or:", options=[Option(ctx.text), "No"])
        await ctx.notify("+5511987650009", NEWS, said=ctx.text)

    return bot


@pytest.fixture
async def pilot() -> AsyncIterator[Platform]:
    async with Platform(echo(), templates={"security": "News of {{said}}."}) as pilot:
        yield pilot


@pytest.mark.parametrize("name", TEXTS)
async def test_ssti_inbound(pilot: Platform, name: str) -> None:
    text = TEXTS[name]
    label = one_line(text)
    ana, beto = pilot.phone("+5511987650001", name=label or None), pilot.phone("+5511987650009", name="Beto")
    expected = [text, f"You wrote: {neutral(text)}.", f"by {label}"]  # letter by letter, but for marks that would format
    options = [[label, "Mine"], [label, "No"]] if len(label) <= 20 else []

    await ana.says(text)
    rows = [row for row in pilot.rows if row["contact"] == ana.address]
    assert [row["text"] for row in rows if row["direction"] == "in"] == [text]
    out = [row for row in rows if row["direction"] == "out"]
    assert out[0]["text"] == "nothing before"
    assert [_body(row["text"]) for row in out[1:4]] == expected
    assert [[button["label"] for button in row["buttons"]] for row in out[4:]] == options
    (news,) = [row for row in pilot.rows if row["contact"] == beto.address]
    assert (news["template"]["name"] if isinstance(news["template"], dict) else news["template"]) == "security"
    assert news["text"] == f"News of {label}."

    assert (await pilot.state(ana, Note)).seen == {text: text}
    if options:
        await ana.taps("Mine")
        assert pilot.rows[-1]["text"] == f"picked {text}"
    before = len(pilot.rows)
    await ana.says("next")
    assert next(row["text"] for row in pilot.rows[before:] if row["direction"] == "out") == text


def _body(text: str) -> str:
    return text.removeprefix("H\n\n").removesuffix("\n\nF")


@pytest.mark.parametrize("name", TEXTS)
async def test_ssti_inbound_in_a_chat_file(name: str) -> None:
    """What is written down of it is played again as the same conversation; a file has no blanks around a text."""
    bot = Bot("echo")

    @bot.message()
    async def hear(ctx: Context) -> None:
        await ctx.reply(ctx.text)
        await ctx.reply(QUOTED, said=ctx.text)

    async with Platform(bot) as pilot:
        ana = pilot.phone("+5511987650001", name="Ana")
        await ana.says(TEXTS[name].strip())
        text = await pilot.chat_file(ana)
    assert told(await play(parse(text, Path("kept.chat")), bot)) == "", text


async def test_ssti_inbound_is_no_part_of_a_key(serve: Serve, redis: Redis) -> None:
    """Nor are the ids and addresses that come with it, however they are written."""
    client, _ = await serve(notices())
    for number, text in enumerate(TEXTS.values()):
        name = f"{number}{text}"
        for raw in (
            received(name, content=text, participantName=text, participantUserId=text),
            envelope("message.group", id=f"g{name}", messageId=f"g{name}", groupId=f"{text}@g.us", content=text, **{"from": ANA}),
            envelope("message.newsletter", id=f"n{name}", messageId=f"n{name}", newsletterId=f"{text}@newsletter", content=text),
            envelope("message.delivered", id=f"s{name}", messageId=f"m{name}", to=ANA),
            envelope("message.failed", id=f"f{name}", messageId=f"h{name}", to=ANA, errorCode=text),
            envelope("number.connected", numberId="n", id=text, name=text),
            envelope(f"number.{text}", numberId="n"),
        ):
            async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
                assert answer.status in {200, 503}, await answer.text()  # 503: one contact that writes too fast
    keys = list(redis.scan_iter(count=1000))
    assert len(keys) > 30
    assert [key for key in keys if not re.fullmatch(r"\{pb(:\d+)?\}[a-z0-9:-]*", key)] == []


def notices() -> Bot:
    """A bot that wants to be told of everything."""
    bot = Bot("all")

    @bot.message()
    @bot.group()
    @bot.newsletter()
    @bot.status()
    @bot.number()
    async def take(ctx: Context) -> None:
        await ctx.reply("taken")

    return bot


def envelope(event: str, **data: str) -> bytes:
    return json.dumps({"event": event, "data": {"numberId": "n", **data}}).encode()
