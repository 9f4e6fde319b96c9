"""The kit: what a test can do as a contact and with time, and that it is quick, alone, and honest about what failed."""

import asyncio
import subprocess
import sys

import pytest

from pilotbot import Action, Bot, Context, Group, Message, Received, Reply, State, Status, Template, exactly, has_media, mentions_me, words
from pilotbot.target import load_bot
from pilotbot.testing import Platform, Refused
from pilotbot.testing.installation import Installation

ANA = "+5511987650001"


class Pick(Action, name="platform.Pick"):
    what: str


class Visits(State, name="platform_visits"):
    count: int = 0


NEWS = Message(
    "Order {{ order }} is here.", options=["Thanks", "Where?"], template=Template("order_status", order_id="{{ order }}", status="here")
)


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context, visits: Visits) -> None:
        visits.count += 1
        await ctx.reply(NEWS, order=visits.count)

    @bot.message(exactly("menu"))
    async def menu(ctx: Context) -> None:
        await ctx.reply("Choose:", options=[Pick(what=fruit).option(fruit) for fruit in ("Apple", "Pear")])

    @bot.tapped(Pick)
    async def picked(ctx: Context, action: Pick) -> None:
        await ctx.reply(f"One {action.what}, *please*.")

    @bot.message(has_media("image"))
    async def photo(ctx: Context, event: Received | Reply) -> None:
        await ctx.reply(f"A photo: {event.media.filename if event.media else 'none'}")

    @bot.reply()
    async def quoted(ctx: Context) -> None:
        await ctx.reply(f"You quote me: {ctx.text}")

    @bot.message(exactly("two"))
    async def two(ctx: Context) -> None:
        await ctx.reply("first")
        await ctx.reply("second")

    @bot.message(exactly("boom"))
    async def boom(ctx: Context) -> None:
        raise ValueError("the shop is on fire")

    @bot.group(mentions_me())
    async def in_group(ctx: Context, event: Group) -> None:
        await ctx.reply(f"Hello, {event.sender_name}.")

    return bot


async def test_a_contact_writes_and_sees_the_answer() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA, name="Ana")
        await ana.says("my order?")
        assert ana.sees("Order 1 is here", mode="buttons", options=["Thanks", "Where?"])
        assert ana.sees_only("Order 1 is *")
        assert (ana.last.mode, ana.last.options, ana.last.status) == ("buttons", ("Thanks", "Where?"), "READ")
        assert (await ana.state(Visits)).count == 1
        assert pilot.phone(ANA) is ana


async def test_taps_quotes_and_files() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA, name="Ana")
        await ana.says("menu")
        await ana.taps("Pear")
        assert ana.sees_only(r"One Pear, \*please\*.")
        await ana.quotes("Choose", "why?")
        assert ana.sees("You quote me: why?")
        await ana.sends_photo(caption="look")
        assert ana.sees("A photo")
        with pytest.raises(Refused, match='"Apple", "Pear"'):
            await ana.taps("Plum")
        with pytest.raises(AssertionError, match="has no message that says"):
            await ana.quotes("never said", "what?")


async def test_a_file_of_the_disk_keeps_its_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("files") / "receipt.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n")
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.sends_photo(file)
        assert ana.sees_only("A photo: receipt.png")


async def test_25_hours_pass_in_no_time_and_close_the_window() -> None:
    bot = shop()
    async with Platform(bot) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("order")
        began = asyncio.get_running_loop().time()
        await pilot.travel(hours=25)
        assert asyncio.get_running_loop().time() - began < 10  # seconds, not hours
        assert not ana.answers
        await pilot.notify(ana, NEWS, order="4242")
        assert (ana.last.mode, ana.last.template) == ("template", "order_status")
        assert ana.last.variables == {"order_id": "4242", "status": "here"}
        with pytest.raises(ValueError, match="forward only"):
            await pilot.travel(hours=-1)


async def test_who_blocks_sees_nothing_and_who_unblocks_does() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("order")
        await ana.blocks()
        await pilot.notify(ana, "Are you there?")
        assert not ana.sees("Are you there?")
        with pytest.raises(Refused, match="unblock"):
            await ana.says("hi")
        await ana.unblocks()
        await ana.says("order")
        assert ana.sees("Order 2")


async def test_messages_stay_unread_until_the_contact_reads() -> None:
    bot, read = shop(), []

    @bot.status("read")
    async def seen(ctx: Context, event: Status) -> None:
        read.append(event.id)

    async with Platform(bot) as pilot:
        ana = pilot.phone(ANA)
        await ana.leaves_unread()
        await ana.says("order")
        assert (ana.last.status, read) == ("DELIVERED", [])
        await ana.reads()
        assert (ana.last.status, read) == ("READ", [ana.last.id])


async def test_several_numbers_and_contacts_each_see_their_own() -> None:
    async with Platform(shop(), numbers={"main": "meta", "help": "evolution_v2"}) as pilot:
        ana, bia = pilot.phone(ANA, name="Ana"), pilot.phone(name="Bia")
        ana_at_help = pilot.phone(ANA, name="Ana", number="help")
        assert ana.address != bia.address
        await ana.says("order")
        await ana_at_help.says("menu")
        assert ana.sees_only("Order 1 is here.")
        assert ana_at_help.sees_only("Choose:")
        assert bia.sees_only()
        assert pilot.phone(ANA, number="help") is ana_at_help
        with pytest.raises(ValueError, match="main, help"):
            pilot.phone(ANA, number="sales")


async def test_a_group_sees_what_the_bot_answers_there() -> None:
    async with Platform(shop(), numbers=["evolution_v2"]) as pilot:
        ana, sales = pilot.phone(ANA, name="Ana"), pilot.group(name="Sales")
        await ana.says("shop, are you there?", to=sales)
        assert sales.sees_only("Hello, Ana.")
        assert ana.sees_only()


async def test_reactions_places_and_cards_arrive() -> None:
    bot, seen = Bot("shop"), []

    @bot.message()
    async def anything(ctx: Context, event: Received | Reply) -> None:
        seen.append(event.type)
        await ctx.reply("ok")

    async with Platform(bot) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("hi")
        await ana.reacts("👍", "ok")
        await ana.sends_location(-23.55, -46.63, name="Shop")
        await ana.sends_contacts(("Bia", "+5511987650002"))
        await ana.sends("document", b"%PDF-1.4", caption="bill")
    assert seen[0] == "text"
    assert {"location", "contacts", "document"} <= set(seen)


async def test_events_of_the_platform_reach_their_handlers() -> None:
    bot = Bot("shop")

    @bot.number("disconnected")
    async def offline(ctx: Context) -> None:
        await ctx.notify(ANA, "We are offline.", template=Template("follow_up"))

    async with Platform(bot) as pilot:
        ana = pilot.phone(ANA)
        data = {"numberId": "num_main", "phone": "+551140028922", "displayName": "Shop", "createdAt": "2026-11-20T10:00:00.000Z"}
        await pilot.event({"event": "number.disconnected", "data": data})
        assert ana.last.template == "follow_up"


async def test_templates_of_ones_own() -> None:
    async with Platform(shop(), templates={"shipped": "Order {{id}} left."}) as pilot:
        ana = pilot.phone(ANA)
        await pilot.notify(ana, Message("It left.", template=Template("shipped", id="7")))
        assert ana.sees_only("Order 7 left.")


@pytest.mark.parametrize("point", ["accept", "claim", "handler", "commit", "post", "record"])
async def test_a_crash_loses_and_doubles_nothing(point: str) -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("order")
        pilot.crash(after=point)  # type: ignore[arg-type]
        await ana.says("order")
        assert ana.sees_only("Order 2 is here.")
        assert (await ana.state(Visits)).count == 2


async def test_of_two_who_act_while_it_crashes_one_sees_to_the_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = []
    start = Installation._start_bot

    async def counted(self: Installation) -> None:
        starts.append(1)
        await start(self)

    monkeypatch.setattr(Installation, "_start_bot", counted)
    async with Platform(shop()) as pilot:
        ana, bia = pilot.phone(ANA), pilot.phone()
        pilot.crash(after="accept")
        await asyncio.gather(ana.says("order"), bia.says("order"))
        assert ana.sees_only("Order 1*")
        assert bia.sees_only("Order 1*")
    assert len(starts) == 2


async def test_a_restart_in_mid_conversation_changes_nothing_for_the_contact() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("menu")
        await pilot.restart()
        await ana.taps("Apple")
        assert ana.sees_only("One Apple*")


async def test_redeliveries_shuffles_and_faults_are_not_seen_by_the_contact() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await pilot.shuffle()
        await pilot.faults(http500=2, duplicate_webhooks=1, accept_then_drop=1)
        await ana.says("order")
        assert ana.sees_only("Order 1 is here.")
        await pilot.redeliver()
        assert ana.sees_only()
        with pytest.raises(Refused, match="nonsense"):
            await pilot.faults(nonsense=1)


async def test_a_bot_that_is_loaded_twice_in_a_process_still_knows_its_taps(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a test imports the module that a `.chat` file names by its path."""
    monkeypatch.setattr("pilotbot.replies.actions._registry", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    code = """
from pilotbot import Action, Bot, Context
bot = Bot("twice")
class Yes(Action):
    pass
@bot.tapped(Yes)
async def yes(ctx: Context, action: Yes) -> None:
    await ctx.reply("yes")
@bot.message()
async def ask(ctx: Context) -> None:
    await ctx.reply("Well?", options=[Yes().option("Sure")])
"""
    file = tmp_path_factory.mktemp("twice") / "loaded_twice.py"
    file.write_text(code, "utf-8")
    first, second = load_bot(str(file)), load_bot(str(file))
    for bot in (first, second, first):
        async with Platform(bot) as pilot:
            ana = pilot.phone(ANA)
            await ana.says("hi")
            await ana.taps("Sure")
            assert ana.sees_only("yes")
    sys.modules.pop("loaded_twice")


async def test_two_platforms_at_once_do_not_touch_each_other() -> None:
    async with Platform(shop()) as one, Platform(shop()) as other:
        await one.phone(ANA).says("order")
        assert other.phone(ANA).sees_only()
        await other.phone(ANA).says("order")
        assert one.phone(ANA).sees_only("Order 1*")
        assert other.phone(ANA).sees_only("Order 1*")


async def test_a_platform_begins_empty() -> None:
    for _ in range(2):
        async with Platform(shop()) as pilot:
            ana = pilot.phone(ANA)
            await ana.says("order")
            assert ana.sees_only("Order 1 is here.")


async def test_nothing_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_WEBHOOK_TOKEN", "not-sent")
    monkeypatch.setenv("PILOTBOT_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("PILOTBOT_API_KEY_ID", "other")
    monkeypatch.setenv("PILOTBOT_WORKERS", "a word, which stops a start that reads it")
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("order")
        assert ana.sees("Order 1")


async def test_a_backslash_at_the_end_is_looked_for_as_it_is() -> None:
    bot = Bot("paths")

    @bot.message()
    async def path(ctx: Context) -> None:
        await ctx.reply("in C:\\")

    async with Platform(bot) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("where?")
        assert ana.sees("C:\\")
        assert not ana.sees("D:\\")


async def test_a_snapshot_has_no_times_and_no_ids() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("menu")
        await ana.taps("Apple")
    assert ana.snapshot() == "> menu\n< (buttons) Choose: [Apple] [Pear]\n> Apple\n< (text) One Apple, *please*."


def test_the_kit_leaves_no_process_and_no_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("temporary")
    code = """
import asyncio, os
from pilotbot import Bot
from pilotbot.testing import Platform
async def main():
    async with Platform(Bot("shop")):
        pass
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"TMPDIR": str(place), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(place.iterdir()) == []
