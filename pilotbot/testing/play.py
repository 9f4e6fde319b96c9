"""Plays a conversation of a `.chat` file on a platform: does what it says, and compares what the bot then said."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never, get_args

import orjson

from pilotbot.bot import Bot
from pilotbot.contacts import canonical
from pilotbot.replies import ContentError, Template, Unsendable
from pilotbot.testing.answers import Answer, Difference, compare
from pilotbot.testing.crash import POINTS
from pilotbot.testing.phone import FileKind, Group, Phone, Row, Screen, arrived
from pilotbot.testing.platform import Platform
from pilotbot.testing.script import (
    NAME,
    PHONE,
    Crashes,
    Delivers,
    Does,
    Doing,
    Misbehaves,
    Notifies,
    Places,
    Quotes,
    Reacts,
    Redelivers,
    Restarts,
    Says,
    Script,
    Sends,
    Shares,
    Shuffles,
    Step,
    Taps,
    Turn,
    Waits,
    pattern,
    plain,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of a step.

    Attributes:
        step: the step; None for what is left at the end of the file, which no step expects.
        values: the variables as they were then.
        rows: the bot's messages that were compared, as the sandbox shows them.
        differences: in what they are not what the file says.
        problem: why the step could not be done, or why the bot gave something up; the conversation ends there.
    """

    step: Step | None
    values: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    differences: tuple[Difference, ...] = ()
    problem: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it was as the file says."""
        return not self.differences and self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A conversation that was played: its steps up to the end or to one that could not be done, and all chats as text."""

    script: Script
    played: tuple[Played, ...]
    transcript: str

    @property
    def passed(self) -> bool:
        """Whether all of it was as the file says."""
        return all(each.passed for each in self.played)


async def play(script: Script, bot: Bot) -> Outcome:
    """Play a conversation with a bot, on a platform of its own.

    Raises:
        RedisUnavailable, SettingsError, WiringError: as `Platform`.
    """
    pilot = Platform(bot, numbers={"main": script.number})
    async with pilot.unchecked():
        played = tuple([each async for each in _played(Cast(pilot, script.values(), script.path.parent), script)])
        return Outcome(script=script, played=played, transcript=pilot.transcript())


async def _played(cast: "Cast", script: Script) -> AsyncIterator[Played]:
    for step in script.steps:
        values = cast.values
        try:
            await cast.do(step.doing)
            problem = await cast.given_up()
        except (AssertionError, ContentError, Unsendable, ValueError, OSError) as error:
            problem = str(error).split("\n\n", 1)[0]
        values = cast.values if isinstance(step.doing, Turn) else values
        if step.answers is None:
            yield Played(step=step, values=values, problem=problem)
        else:
            rows = cast.take()
            expected = [awaited.expected(values) for awaited in step.answers]
            differences = compare(expected, [Answer.read(row) for row in rows])
            yield Played(step=step, values=values, rows=rows, differences=tuple(differences), problem=problem)
        if problem is not None:
            return
    if (point := cast.pilot.armed) is not None:
        yield Played(
            step=script.steps[-1], values=cast.values, problem=f"the crash after: {point} was asked for, but its moment never came"
        )
    if left := cast.left():
        differences = [
            Difference("extra", f"to {who}: {each.text}", None, at)
            for at, (who, row) in enumerate(left) for each in compare([], [Answer.read(row)])
        ]  # fmt: skip
        yield Played(step=None, values=cast.values, rows=tuple(row for _, row in left), differences=tuple(differences))


class Cast:
    """Who takes part in a conversation, and who of them acts.

    Args:
        pilot: the platform that it is played on.
        values: the variables.
        folder: where the files lie that contacts send.
        phone: the contact who acts at first.
    """

    def __init__(self, pilot: Platform, values: Mapping[str, str], folder: Path, phone: Phone | None = None) -> None:
        self.pilot = pilot
        self.phone = phone or pilot.phone(PHONE, name=NAME)
        """The contact that acts."""
        self.group: Group | None = None
        """The group that they act in, if not in their own chat."""
        self._values = dict(values)
        self._folder = folder
        self._acted = False
        self._known: dict[str, Screen] = {self.phone.name or NAME: self.phone}
        self._taken: dict[Screen, int] = {}

    @property
    def screen(self) -> Screen:
        """The chat that is acted in."""
        return self.group or self.phone

    @property
    def values(self) -> dict[str, str]:
        """The variables, and those of the contact that acts."""
        return self._values | {"contact.name": self.phone.name or "", "contact.phone": self.phone.address}

    def take(self) -> tuple[Row, ...]:
        """The bot's messages in this chat that nobody has taken yet."""
        rows = [row for row in self.pilot.rows if self.screen.shows(row)]
        before, self._taken[self.screen] = self._taken.get(self.screen, 0), len(rows)
        return tuple(rows[before:])

    def left(self) -> list[tuple[str, Row]]:
        """The bot's messages that nobody took, in any chat, each with who it went to."""
        found = []
        counted: dict[tuple[str, str], int] = {}
        taken = {(self.pilot.number_id(screen.number), canonical(screen.address)): count for screen, count in self._taken.items()}
        names = {canonical(screen.address): screen.name for screen in self._known.values()}
        for row in self.pilot.rows:
            if arrived(row):
                key = (row["number"], canonical(row["contact"]))
                counted[key] = counted.get(key, 0) + 1
                if counted[key] > taken.get(key, 0):
                    found.append((names.get(key[1]) or row["contact"], row))
        return found

    async def given_up(self) -> str | None:
        """What the bot gave up so far, if anything."""
        letters = await self.pilot.dead_letters()
        return "; ".join(f"the bot failed: {letter.detail or letter.reason}" for letter in letters) or None

    async def do(self, doing: Doing) -> None:
        """Do what a step says, and wait until the bot is done.

        Raises:
            AssertionError, ValueError, OSError, ContentError, Unsendable: it cannot be done; the text says why.
        """
        match doing:
            case Turn():
                self._turn(doing)
                self._acted = True
            case Waits():
                await self.pilot.travel(seconds=doing.seconds)
            case Notifies() | Restarts() | Redelivers() | Shuffles() | Misbehaves() | Crashes() | Delivers():
                await self._happens(doing)
            case _:
                self._acted = True
                await self._acts(doing)

    def _turn(self, turn: Turn) -> None:
        known = self._known.get(turn.name)
        if known is not None and turn.address and canonical(known.address) != canonical(turn.address):
            if known is not self.phone or self._acted:
                raise ValueError(f"{turn.name} has another address already: give one of the two another name")
            del self._known[turn.name]  # nobody acted yet: it is the Ana of files that name no one
        if turn.name not in self._known:
            if turn.address is None:
                raise ValueError(f"nobody is called {turn.name}: introduce them with their phone, @ {turn.name} +5511987650002")
            make = self.pilot.group if turn.group else self.pilot.phone
            self._known[turn.name] = make(turn.address, name=turn.name)
        who = self._known[turn.name]
        if isinstance(who, Phone):
            self.phone, self.group = who, None
        elif isinstance(who, Group):
            self.group = who

    async def _acts(self, doing: Says | Taps | Quotes | Sends | Places | Shares | Reacts | Does) -> None:
        phone, group, values = self.phone, self.group, self.values
        match doing:
            case Says():
                await phone.says(plain(doing.text, values), to=group)
            case Taps():
                await phone.taps(plain(doing.label, values), to=group)
            case Quotes():
                await phone.quotes(pattern(doing.message, values), plain(doing.text, values), to=group)
            case Sends():
                file = None if doing.file == "*" else doing.file if "://" in doing.file else self._folder / doing.file
                kind = next(kind for kind in get_args(FileKind) if kind == doing.kind)
                await phone.sends(kind, file, caption=plain(doing.caption, values) or None, to=group)
            case Places():
                await phone.sends_location(doing.latitude, doing.longitude, name=plain(doing.name, values) or None, to=group)
            case Shares():
                await phone.sends_contacts(*doing.cards, to=group)
            case Reacts():
                await phone.reacts(doing.emoji, pattern(doing.message, values) if doing.message else "", to=group)
            case Does():
                await {"block": phone.blocks, "unblock": phone.unblocks, "read": phone.reads}[doing.what]()
            case _:
                assert_never(doing)

    async def _happens(self, doing: Notifies | Restarts | Redelivers | Shuffles | Misbehaves | Crashes | Delivers) -> None:
        pilot, values = self.pilot, self.values
        match doing:
            case Notifies():
                variables: dict[str, str] = {name: plain(value, values) for name, value in doing.variables}
                more: dict[str, Any] = {"template": Template(doing.template, **variables)} if doing.template else {}
                options = [plain(option, values) for option in doing.options]
                await pilot.notify(self.screen, plain(doing.text, values), **more, **({"options": options} if options else {}))
            case Restarts():
                await pilot.restart()
            case Redelivers():
                await pilot.redeliver()
            case Shuffles():
                await pilot.shuffle(doing.on)
            case Misbehaves():
                await pilot.faults(**dict(doing.faults))
            case Crashes():
                point = next((point for point in POINTS if point == doing.after), None)
                if point is None:
                    raise ValueError(f"there is no {doing.after} to crash after: {', '.join(POINTS)}")
                pilot.crash(after=point)
            case Delivers():
                await pilot.event(orjson.loads(doing.body))
            case _:
                assert_never(doing)
