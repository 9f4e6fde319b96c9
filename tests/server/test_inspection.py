"""What the sandbox is told of a chat: by a bot at a developer's desk, with its signature, and nothing anywhere else."""

import json
from typing import Any

import pytest

from pilotbot import Action, Bot, Context, State, days, words
from pilotbot.contacts import canonical
from pilotbot.engine import Arrival, ChatView, Place
from pilotbot.server import Runtime
from pilotbot.server.inspection import states_of
from tests.stage import ANA, Stage

GROUP = "120363000000000001@g.us"


class Track(Action, name="inspected_track"):
    order_id: str


class Visit(State, name="inspected_visit", ttl=days(2)):
    asked: int = 0


def shop() -> Bot:
    bot = Bot("shop")

    @bot.group()
    @bot.message(words("order"))
    async def order(ctx: Context, visit: Visit) -> None:
        visit.asked += 1
        await ctx.reply("It is packed.", options=[Track(order_id="4242").option("Track"), "Thanks"])

    return bot


def question(contact: str = ANA, **data: Any) -> dict[str, Any]:
    given = {"id": "q1", "numberId": "num_meta", "contact": contact, "createdAt": "2026-11-20T13:00:00.000Z"}
    return {"event": "sandbox.inspect", "data": {**given, **data}}


async def asked(stage: Stage, runtime: Runtime, contact: str = ANA, **data: Any) -> Any:
    status, answer, _ = await stage.deliver(runtime.url, question(contact, **data))
    assert status == 200
    return answer


class TestAnswer:
    async def test_a_chat_is_told_with_state_window_menus_turns_and_posts(self, stage: Stage) -> None:
        runtime = await stage.work(shop(), reveal=True)
        sent = await stage.says("order")
        (row,) = await stage.sees(1)
        await stage.quiet(runtime)
        told = await asked(stage, runtime)
        assert told["bot"] == "shop"
        chat = told["chat"]
        wrote, closes = chat.pop("lastInboundAt"), chat["window"].pop("closesAt")
        assert wrote.endswith("Z")
        assert closes[:11] > wrote[:11]  # the next day
        assert chat == {
            "number": "main",
            "kind": "contact",
            "window": {"state": "open"},
            "states": {"Visit": {"asked": 1}},
            "problems": {},
            "menus": [
                {"labels": ["Track", "Thanks"], "actions": {"Track": {"name": "inspected_track", "values": {"order_id": "4242"}}}},
            ],
            "waiting": {"events": 0, "messages": 0, "held": 0},
        }
        (turn,) = told["turns"]
        assert turn["handler"]["decorator"] == '@bot.message(words("order"))'
        assert turn["handler"]["where"].startswith("tests/server/test_inspection.py:")
        assert {name: turn[name] for name in ("event", "messageId", "text", "choice", "tried", "error", "outcome")} == {
            "event": "message.received", "messageId": sent["messageId"], "text": "order", "choice": None, "tried": [], "error": None,
            "outcome": "committed",
        }  # fmt: skip
        assert [(one["text"], one["outcome"], one["options"]) for one in turn["said"]] == [
            ("It is packed.", "queued, expected as buttons", ["Track", "Thanks"])
        ]
        (post,) = told["posts"]
        assert (post["key"], post["mode"], post["result"], post["tries"]) == (row["idempotencyKey"], "free", "sent", 0)
        assert post["why"] == {"code": "open", "closesAt": closes}
        assert told["aside"] == []

    async def test_a_tap_its_miss_and_an_error_are_told(self, stage: Stage) -> None:
        bot = shop()

        @bot.tapped(Track)
        async def track(ctx: Context, action: Track) -> None:
            raise LookupError(action.order_id)

        runtime = await stage.work(bot, reveal=True)
        await stage.says("order")
        await stage.sees(1)
        await stage.taps("Track")
        await stage.counted(runtime, "turn:retry", 1)
        turn = (await asked(stage, runtime))["turns"][-1]
        assert turn["choice"] == {"label": "Track", "action": "inspected_track"}
        assert (turn["handler"]["name"], turn["error"], turn["outcome"]) == ("track", "LookupError: 4242", "retried")
        assert turn["place"].endswith(" track")

    async def test_what_waits_for_the_window_is_told(self, stage: Stage) -> None:
        bot = shop()
        runtime = await stage.work(bot, reveal=True)
        await bot.notify(ANA, "a word")
        await stage.counted(runtime, "defer:window-closed", 1)
        told = await asked(stage, runtime)
        assert told["chat"]["window"] == {"state": "never", "closesAt": None}
        assert told["chat"]["waiting"] == {"events": 0, "messages": 0, "held": 1}
        assert [(one["what"], one["why"]) for one in told["aside"]] == [("defer", "window-closed")]

    async def test_a_group_has_no_window(self, stage: Stage) -> None:
        evolution = "ps_sandbox_evolution"
        runtime = await stage.work(shop(), keys=(evolution,), reveal=True, api_key=evolution, number_kind="evolution_v2")
        await stage.says("hi", event="group", groupId=GROUP, number="num_evolution")
        await stage.sees(1, contact=GROUP)
        told = await asked(stage, runtime, GROUP)
        assert (told["chat"]["kind"], told["chat"]["window"]) == ("group", {"state": "none", "closesAt": None})
        assert told["posts"][0]["why"] == {"code": "group", "closesAt": None}

    async def test_a_contact_is_known_by_either_spelling_and_by_its_id(self, stage: Stage) -> None:
        runtime = await stage.work(shop(), reveal=True)
        await runtime.engine.learn_alias("BR.77", ANA, canonical(ANA))
        await stage.says("order")
        await stage.sees(1)
        for contact in (ANA, "+551187650001", "BR.77"):
            assert (await asked(stage, runtime, contact))["chat"]["states"] == {"Visit": {"asked": 1}}

    async def test_of_a_chat_or_a_number_that_it_does_not_know_it_tells_nothing(self, stage: Stage) -> None:
        runtime = await stage.work(shop(), reveal=True, numbers=[{"name": "main", "id": "num_meta", "key": "ps_sandbox_number"}])
        for answer in (await asked(stage, runtime), await asked(stage, runtime, numberId="num_evolution")):
            assert answer == {"bot": "shop", "chat": None, "turns": [], "posts": [], "aside": []}

    async def test_asking_changes_nothing(self, stage: Stage, redis: Any) -> None:
        runtime = await stage.work(shop(), reveal=True)
        before = sorted(redis.scan_iter(count=1000))
        await asked(stage, runtime)
        assert sorted(redis.scan_iter(count=1000)) == before


class TestWhoIsTold:
    async def test_a_bot_that_is_not_at_a_developers_desk_tells_nothing(self, stage: Stage) -> None:
        runtime = await stage.work(shop())
        await stage.says("order")
        await stage.sees(1)
        assert await asked(stage, runtime) == {"status": "unknown"}

    async def test_a_bot_of_the_platform_tells_nothing(self, stage: Stage) -> None:
        runtime = await stage.work(shop(), webhook=False, reveal=True, api_key="ps_live_key")
        assert await asked(stage, runtime) == {"status": "unknown"}

    @pytest.mark.parametrize("secret", [None, "another"])
    async def test_without_its_signature_a_question_is_refused(self, stage: Stage, secret: str | None) -> None:
        runtime = await stage.work(shop(), reveal=True)
        assert (await stage.deliver(runtime.url, question(), secret=secret))[0] == 401


def view(**stored: bytes) -> ChatView:
    return ChatView(1_000, {f"state:{name}": raw for name, raw in stored.items()} | {"number": b"main"}, 0, 0, 0)


class TestStates:
    def test_what_cannot_be_read_is_shown_as_it_is_stored_with_what_is_wrong(self) -> None:
        states, problems = states_of(
            view(
                inspected_visit=b'{"v":1,"x":null,"d":{"asked":"many"}}',
                gone=b'{"v":1,"x":null,"d":{"a":[1]}}',
                odd=b"\xffnot json",
            )
        )
        assert states == {"Visit": {"asked": "many"}, "gone": {"a": [1]}, "odd": "\ufffdnot json"}
        assert "does not fit the class" in problems["Visit"]
        assert problems["gone"] == "no class of this bot is stored as 'gone'"
        assert json.dumps(states)

    def test_one_that_ran_out_is_as_the_handlers_would_get_it(self) -> None:
        assert states_of(view(inspected_visit=b'{"v":1,"x":999,"d":{"asked":3}}')) == ({"Visit": {"asked": 0}}, {})


async def test_a_chat_with_events_that_wait_is_known(stage: Stage) -> None:
    """Before anything of it was handled."""
    runtime = await stage.work(shop(), reveal=True)
    await runtime._worker.stop(0)
    place = Place(key=runtime.engine.keys.chat("main", canonical(ANA)), number="main", kind="contact", address=ANA)
    await runtime.engine.accept(Arrival(place=place, id="x", body=b"{}", at=None))
    assert (await asked(stage, runtime))["chat"]["waiting"]["events"] == 1
