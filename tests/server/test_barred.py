"""What may have been posted, and may not be posted first any more: looked up, never posted blindly."""

import pytest

from pilotbot import Bot, Context, Template
from tests.stage import ANA, Stage

FOLLOW_UP = Template("follow_up")


def listener() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def heard(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")

    return bot


@pytest.mark.parametrize("arrived", [True, False])
async def test_after_an_opt_out_it_is_looked_for_and_left_out_where_it_is_not_found(stage: Stage, arrived: bool) -> None:
    bot = listener()
    runtime = await stage.work(bot)
    await stage.says("hello")
    await stage.sees(1)
    await stage.faults(**{"acceptThenDrop" if arrived else "http500": {"next": 1}})
    await bot.notify(ANA, "Sale!")
    await stage.until(lambda: any(name.startswith("post:") for name in runtime.counts), "the post to fail")
    await stage.faults(http500=1)  # until the contact opted out
    turns = runtime.counts["turn:ok"]
    await stage.says("stop")
    await stage.counted(runtime, "turn:ok", turns + 1)
    await stage.faults(http500=0)
    await stage.travel("2m")
    await stage.quiet(runtime)
    texts = [row["text"] for row in await stage.rows(ANA) if row["direction"] == "out"]
    assert texts.count("Sale!") == arrived
    assert texts[-1].startswith("Done: we will not")
    assert runtime.counts["skip:opted-out"] == (not arrived)
    assert await runtime.engine.dead_letters() == []
