"""The page on handovers: its blocks are a bot, and do what it says."""

import re
from pathlib import Path
from typing import Any

from pilotbot.server.health import DOWN, SLOW, UP
from pilotbot.testing import Platform

PAGE = (Path(__file__).parent.parent / "docs" / "handover.md").read_text("utf-8")


async def test_the_page_is_a_bot() -> None:
    space: dict[str, Any] = {"__name__": "page"}
    exec(compile("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)), "handover.md", "exec"), space)
    async with Platform(space["bot"]) as pilot:
        ana, sales = pilot.phone(name="Ana Souza"), pilot.phone("+5521998760002")
        await sales.says("hello")
        await ana.says("wholesale")
        assert ana.sees("Our sales people will write to you here.")
        assert [answer.text for answer in sales.answers] == ["Ana waits for you: asks for wholesale prices"]
        await ana.says("anybody?")
        assert ana.answers == []
        await pilot.travel(hours=23)
        await ana.says("still there?")
        await pilot.travel(hours=1)
        assert ana.sees("Nobody could answer you yet; I am here again.")
        await ana.says("Atendente")
        assert ana.sees("One of us will answer you here.")
        await ana.says("back to the bot")
        await pilot.act("/sandbox/calls", {"from": ana.address}, screen=ana)
        assert ana.sees("We missed your call. What is it about?")


def test_the_page_names_every_change_that_counts() -> None:
    for change in (*DOWN, *SLOW, *UP):
        assert f"`number.{change}`" in PAGE
