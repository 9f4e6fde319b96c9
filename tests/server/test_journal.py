"""The journal: what turns and posts did and why, told at a developer's desk only, and within bounds."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot import Action, Bot, Context, Retry, Template, words
from pilotbot.contacts import canonical
from pilotbot.engine import HOUR, WINDOW, ChatKey, Claimed, Item, Lane, Pin, PutAside
from pilotbot.replies import choose
from pilotbot.server import Runtime
from pilotbot.server import journal as rules
from pilotbot.server.journal import Journal, TurnNote, Why, why
from pilotbot.server.saying import expects
from tests.stage import ANA, Stage

MARGIN = 120_000
NOW = 1_764_000_000_000


class Pick(Action):
    order_id: str


def journal_of(runtime: Runtime) -> Journal:
    assert runtime.journal is not None
    return runtime.journal


def chat_of(runtime: Runtime, who: str = ANA) -> ChatKey:
    return runtime.engine.keys.chat("main", canonical(who))


async def turns(stage: Stage, runtime: Runtime, count: int) -> list[TurnNote]:
    """Wait until Ana's chat has so many turns that came to their end."""

    def enough() -> list[TurnNote] | None:
        notes = [note for note in journal_of(runtime).turns(chat_of(runtime)) if note.end != "running"]
        return notes if len(notes) >= count else None

    found: list[TurnNote] = await stage.until(enough, f"{count} turns")
    assert len(found) == count
    return found


class TestWhy:
    @pytest.mark.parametrize(
        ("inputs", "expected"),
        [
            ({"pin": "free"}, Why("open", NOW + HOUR)),
            ({"pin": "template", "now": NOW + HOUR}, Why("closed", NOW + HOUR)),
            ({"pin": "template", "inbound": None}, Why("never")),
            ({"pin": "free", "enforced": False}, Why("no-window")),
            ({"pin": "free", "enforced": False, "group": True}, Why("group")),
            ({"pin": "template", "has_free": False}, Why("no-free-form", NOW + HOUR)),
            ({"pin": "free", "pinned": True}, Why("pinned", NOW + HOUR)),
            ({"pin": "template", "again": True, "now": NOW + HOUR}, Why("refused-late")),
            ({"pin": "template"}, Why("refused-late")),  # shut by a refusal of another message
            ({"pin": "free", "again": True}, Why("open", NOW + HOUR)),  # the contact wrote since
        ],
    )
    def test_by_example(self, inputs: dict[str, Any], expected: Why) -> None:
        usual = {
            "pinned": False, "has_free": True, "enforced": True, "group": False, "inbound": NOW + HOUR + MARGIN - WINDOW, "now": NOW,
            "margin": MARGIN, "again": False,
        }  # fmt: skip
        assert why(**{**usual, **inputs}) == expected

    @given(
        has_free=st.booleans(), has_template=st.booleans(), enforced=st.booleans(), shut=st.booleans(), again=st.booleans(),
        inbound=st.one_of(st.none(), st.integers(NOW - 2 * WINDOW, NOW)),
    )  # fmt: skip
    def test_it_never_contradicts_the_choice(
        self, has_free: bool, has_template: bool, enforced: bool, shut: bool, again: bool, inbound: int | None
    ) -> None:
        is_open = inbound is not None and not shut and inbound + WINDOW - MARGIN > NOW
        pin = choose(has_free=has_free, has_template=has_template, enforced=enforced, window_open=is_open, closed_policy="defer")
        if pin not in {"free", "template"}:
            return
        chosen: Pin = "free" if pin == "free" else "template"
        told = why(
            pin=chosen,
            pinned=False,
            has_free=has_free,
            enforced=enforced,
            group=False,
            inbound=inbound,
            now=NOW,
            margin=MARGIN,
            again=again,
        )
        assert told.code in ({"open", "no-window"} if pin == "free" else {"closed", "never", "refused-late", "no-free-form"})
        assert (told.code == "open") == (has_free and enforced and is_open)


class TestTurns:
    async def test_a_turn_tells_its_event_its_way_and_what_it_said(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message(words("invoice"))
        async def invoice(ctx: Context) -> None:
            raise AssertionError

        @bot.message(words("order"))
        async def order(ctx: Context) -> None:
            await ctx.reply("One moment", now=True)
            await ctx.reply("It is packed.", options=["Track", "Thanks"])
            await ctx.notify("+5521998760002", "An order is asked about", template=Template("follow_up"))

        runtime = await stage.work(bot, reveal=True)
        sent = await stage.says("my order?")
        (note,) = await turns(stage, runtime, 1)
        assert (note.event, note.message_id, note.text, note.end) == ("message.received", sent["messageId"], "my order?", "committed")
        assert note.handler is not None
        assert (note.handler.name, note.error, note.choice) == ("order", None, None)
        assert [(one.handler.name, one.reason) for one in note.tried] == [("invoice", 'words("invoice"): not in the text')]
        assert [(one.shown.text, one.emitted, one.to, expects(one.outcome)) for one in note.said] == [
            ("One moment", True, None, "queued, expected as text"),
            ("It is packed.", False, None, "queued, expected as buttons"),
            ("An order is asked about", False, "+5521998760002", "queued, expected as template"),
        ]
        assert (note.said[1].shown.options, note.said[2].shown.template) == (("Track", "Thanks"), "follow_up")
        assert abs(note.at / 1000 - datetime.now(UTC).timestamp()) < 60

    async def test_a_tap_tells_the_option_that_was_meant(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.tapped(Pick)
        async def picked(ctx: Context, action: Pick) -> None:
            await ctx.reply("ok")

        @bot.message()
        async def offer(ctx: Context) -> None:
            await ctx.reply("Which?", options=[Pick(order_id="1").option("First"), "Other"])

        runtime = await stage.work(bot, reveal=True)
        await stage.says("hi")
        await turns(stage, runtime, 1)
        await stage.says("1")
        note = (await turns(stage, runtime, 2))[-1]
        assert note.handler is not None
        assert (note.text, note.handler.name) == ("1", "picked")
        assert note.choice is not None
        assert getattr(note.choice, "label", None) == "First"

    async def test_what_nobody_took_tells_who_was_tried(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message(words("order"))
        async def order(ctx: Context) -> None:
            raise AssertionError

        runtime = await stage.work(bot, reveal=True)
        await stage.says("hello")
        (note,) = await turns(stage, runtime, 1)
        assert (note.handler, [one.handler.name for one in note.tried], note.said, note.end) == (None, ["order"], [], "committed")

    async def test_an_answer_that_cannot_go_tells_why(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.number()
        async def told(ctx: Context) -> None:
            await ctx.reply("hello?")

        runtime = await stage.work(bot, reveal=True)
        body = {"event": "number.connected", "data": {"id": "n1", "numberId": "num_meta", "createdAt": "2026-11-20T13:00:00.000Z"}}
        assert (await stage.deliver(runtime.url, body))[0] == 200
        (note,) = await stage.until(lambda: [one for one in journal_of(runtime).latest() if one.end != "running"], "the turn")
        assert [expects(one.outcome) for one in note.said] == [
            "not sent: nobody wrote this event, so there is nobody to answer: use ctx.notify"
        ]

    async def test_an_error_tells_its_words_and_place_and_that_what_was_staged_is_dropped(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def fail(ctx: Context) -> None:
            await ctx.reply("one moment", now=True)
            await ctx.reply("never")
            raise ValueError("no such order")

        runtime = await stage.work(bot, reveal=True)
        await stage.says("hi")
        (note,) = await turns(stage, runtime, 1)
        assert (note.error, note.end) == ("ValueError: no such order", "retried")
        assert note.place.startswith(__file__)
        assert note.place.endswith(" fail")
        assert [(one.shown.text, one.dropped) for one in note.said] == [("one moment", False), ("never", True)]
        await stage.travel("5s")
        assert [note.end for note in await turns(stage, runtime, 2)] == ["retried", "buried"]

    async def test_an_error_handler_that_settles_it_is_told_too(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def fail(ctx: Context) -> None:
            await ctx.reply("never")
            raise KeyError

        @bot.error(KeyError)
        async def sorry(ctx: Context) -> None:
            await ctx.reply("sorry")

        runtime = await stage.work(bot, reveal=True)
        await stage.says("hi")
        (note,) = await turns(stage, runtime, 1)
        assert (note.error, note.end) == ("KeyError", "committed")
        assert [(one.shown.text, one.dropped) for one in note.said] == [("never", True), ("sorry", False)]

    async def test_a_turn_that_asks_for_another_try_is_told_as_retried(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def later(ctx: Context) -> None:
            raise Retry

        runtime = await stage.work(bot, reveal=True)
        await stage.says("hi")
        assert (await turns(stage, runtime, 1))[0].end == "retried"

    async def test_latest_goes_over_all_chats_in_order(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def echo(ctx: Context) -> None:
            await ctx.reply(ctx.text)

        runtime = await stage.work(bot, reveal=True)
        for number in range(4):
            await stage.says(f"n{number}", contact=f"+551198765000{number % 2}")
            await stage.counted(runtime, "turn:ok", number + 1)
        assert [note.text for note in journal_of(runtime).latest(3)] == ["n1", "n2", "n3"]

    async def test_there_is_none_in_production(self, stage: Stage) -> None:
        assert (await stage.work(Bot("shop"))).journal is None


class TestPosts:
    async def test_a_post_tells_its_key_and_why_it_is_a_template(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def answer(ctx: Context) -> None:
            await ctx.reply("hello")

        runtime = await stage.work(bot, reveal=True)
        await bot.notify(ANA, "first", template=Template("follow_up"))
        await stage.sees(1)
        await stage.says("hi")
        await stage.sees(2)
        await stage.travel("25h")
        await bot.notify(ANA, "later", template=Template("follow_up"))
        rows = await stage.sees(3)
        posts = await posted(stage, runtime, 3)
        assert [(post.pin, post.why.code, post.result, post.tries, post.error) for post in posts] == [
            ("template", "never", "sent", 0, None),
            ("free", "open", "sent", 0, None),
            ("template", "closed", "sent", 0, None),
        ]
        assert [post.key for post in posts] == [row["idempotencyKey"] for row in rows]
        view = await runtime.engine.chat(chat_of(runtime))
        assert posts[2].why.closes_at == int(view.fields["in"]) + WINDOW - runtime.engine.terms.margin < posts[2].at

    async def test_a_retry_tells_the_first_ones_error_and_that_it_is_pinned(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def answer(ctx: Context) -> None:
            await ctx.reply("hello")

        runtime = await stage.work(bot, reveal=True)
        await stage.faults(http500=1)
        await stage.says("hi")
        await posted(stage, runtime, 1)
        await stage.faults(http500=0)
        await stage.travel("1h")
        await stage.sees(1)
        first, *_, last = await posted(stage, runtime, 2)
        assert (first.result, first.why.code, last.result, last.why.code, last.tries > 0) == ("retry", "open", "sent", "pinned", True)
        assert first.error is not None
        assert first.error.startswith("500")
        assert first.key == last.key

    async def test_what_is_put_aside_tells_what_it_said(self, stage: Stage) -> None:
        bot = Bot("shop")

        @bot.message()
        async def answer(ctx: Context) -> None:
            await ctx.notify("+5521998760002", "a word")

        runtime = await stage.work(bot, reveal=True)
        await stage.says("hi")
        chat = chat_of(runtime, "+5521998760002")
        (one,) = await stage.until(lambda: journal_of(runtime).aside(chat), "the notice to be deferred")
        assert (one.what, one.why, one.text) == ("defer", "window-closed", "a word")
        assert abs(one.at / 1000 - datetime.now(UTC).timestamp()) < 60


async def posted(stage: Stage, runtime: Runtime, least: int) -> Any:
    def enough() -> Any:
        posts = journal_of(runtime).posts(chat_of(runtime))
        return posts if len(posts) >= least else None

    return await stage.until(enough, f"{least} posts")


def test_what_is_decided_again_after_a_late_refusal_is_known_by_its_text() -> None:
    journal, posted = Journal(margin=MARGIN), lane(1)
    journal.posted(posted, "sent")
    journal.put_aside(PutAside("defer", posted.item.decided_again().id, "window-closed", KEY, NOW))
    assert [one.text for one in journal.aside(KEY)] == ["text 1"]


class TestBounds:
    def test_a_chat_keeps_its_last_fifty_of_each(self) -> None:
        journal = Journal(margin=MARGIN)
        for number in range(rules.KEPT + 7):
            journal.ended(claimed(number), "committed")
            journal.posted(lane(number), "sent")
            journal.put_aside(PutAside("defer", f"i{number}", "window-closed", KEY, NOW + number))
        assert [note.at for note in journal.turns(KEY)] == [NOW + number for number in range(7, rules.KEPT + 7)]
        assert len(journal.posts(KEY)) == len(journal.aside(KEY)) == rules.KEPT
        assert journal.posts(KEY)[0].item == "i7"

    def test_five_hundred_chats_are_kept_the_oldest_goes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "CHATS", 3)
        journal = Journal(margin=MARGIN)
        for number, name in enumerate("abcad"):
            journal.ended(claimed(number, ChatKey(0, name)), "committed")
        assert [len(journal.turns(ChatKey(0, name))) for name in "abcd"] == [2, 0, 1, 1]
        assert len(journal.latest()) == 4

    def test_the_texts_of_staged_items_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "TEXTS", 4)
        journal = Journal(margin=MARGIN)
        for number in range(5):
            journal.posted(lane(number), "sent")
        for number in (0, 4):
            journal.put_aside(PutAside("defer", f"i{number}", "window-closed", KEY, NOW))
        assert [one.text for one in journal.aside(KEY)] == [None, "text 4"]


KEY = ChatKey(1, "chat")
TOKENS = itertools.count()


def claimed(number: int, key: ChatKey = KEY) -> Claimed:
    return Claimed(key, f"t{next(TOKENS)}", str(number), "0", "r", "", b"{}", {}, NOW + number)


def lane(number: int) -> Lane:
    item = Item(id=f"i{number}", free=b'{"destinationNumber":"%s","text":"text %d"}' % (ANA.encode(), number), enforced=True)
    return Lane(KEY, "t", item, "free", 0, False, NOW, str(NOW), "main", NOW)
