"""`.chat` files as pytest's tests: one file, one test."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pilotbot.bot import Bot
from pilotbot.target import TargetError, load_bot, split
from pilotbot.testing.chatfile import ChatSyntaxError, read
from pilotbot.testing.play import Outcome, play
from pilotbot.testing.report import told
from pilotbot.testing.script import Script
from pilotbot.testing.update import accept

_bots: dict[str, Bot] = {}


def bot_of(script: Script, target: str | None = None) -> Bot:
    """The bot that a conversation is with: of `target`, else of the file's header, whose path is beside the file or here.

    Each is loaded once a process, since its classes can be defined once.

    Raises:
        TargetError: there is none.
    """
    wanted = target or script.bot
    if wanted is None:
        raise TargetError(f"{script.path}: which bot? Write it at the head of the file, bot: bots/orders.py, or give --bot")
    place, name = split(wanted)
    near = (script.path.parent / place).resolve()
    if target is None and near.is_file():
        wanted = str(near) if name is None else f"{near}:{name}"
    elif Path(place).is_file():
        wanted = str(Path(place).resolve()) if name is None else f"{Path(place).resolve()}:{name}"
    if wanted not in _bots:
        _bots[wanted] = load_bot(wanted)
    return _bots[wanted]


class ChatFile(pytest.File):
    """A `.chat` file."""

    def collect(self) -> Iterable["ChatItem"]:
        """Its one test."""
        yield ChatItem.from_parent(self, name="chat")


class ChatItem(pytest.Item):
    """The conversation of a file, played with its bot."""

    def runtest(self) -> None:
        """Play it; with --update-chats accept what differs."""
        script = read(self.path)
        outcome = asyncio.run(play(script, bot_of(script)))
        if outcome.passed:
            return
        if self.config.getoption("update_chats") and accept(outcome):
            return
        raise Otherwise(outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **more: Any) -> Any:
        """What went otherwise, as people read it."""
        match excinfo.value:
            case Otherwise() as error:
                return f"{told(error.outcome)}\n\n{error.outcome.transcript}"
            case ChatSyntaxError() | TargetError() as error:
                return str(error)
        return super().repr_failure(excinfo, *args, **more)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        return self.path, 0, self.path.name


class Otherwise(AssertionError):
    """A conversation went otherwise than its file says."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(told(outcome))
        self.outcome = outcome
