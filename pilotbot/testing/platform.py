"""Platform: a bot at work on a local Pilot Status, inside a test. Real Redis, real HTTP, simulated contacts, time that can be moved."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pilotbot.bot import Bot
from pilotbot.contacts import State, canonical, load
from pilotbot.context import Outcome
from pilotbot.engine import Letter
from pilotbot.replies import Message
from pilotbot.server.journal import Journal, TurnNote
from pilotbot.settings import NumberKind
from pilotbot.testing.crash import POINTS, Point
from pilotbot.testing.installation import Installation
from pilotbot.testing.phone import Group, Phone, Row, Screen
from pilotbot.testing.transcript import told
from pilotbot.testing.wording import printable

FIRST_PHONE = 5_511_987_650_001
CHANCES = {  # a whole number for one of these is how many times it happens next; for the other faults it is their value
    "http500", "http429", "acceptThenDrop", "dropBefore", "duplicateWebhooks", "shuffleWebhooks", "unsignedWebhooks", "numberBlocked",
    "disconnected",
}  # fmt: skip
S = TypeVar("S", bound=State)
Kind = TypeVar("Kind", Phone, Group)


class Platform:
    """A local Pilot Status with one bot at work on it, as a context manager. Every verb waits until the bot has nothing left to do.

    Args:
        bot: the bot; one platform at a time can run it.
        numbers: the kinds of our WhatsApp numbers, by name or in order (`main`, `number2`, ...): one Meta number by default.
        templates: bodies of approved templates by name ("Order {{id}} is here."), beside the sandbox's own: `order_status`, `follow_up`
            and `welcome`.
        patience: seconds of real time that the bot may be busy before that counts as a failure.
        settings: fields of `Settings` to change, such as `handler_timeout_seconds`. The environment does not count.

    Raises:
        AssertionError: on leaving, where the test itself did not fail: the bot gave something up (a handler that failed, a message that
            was refused for good) and the test did not look at `dead_letters`; or a `crash` was asked for and its moment never came.
        RedisUnavailable, SettingsError, WiringError: on entering, as when the bot is run.

    Example:
        >>> import asyncio
        >>> from pilotbot import Bot, Context
        >>> from pilotbot.testing import Platform
        >>> bot = Bot("echo")
        >>> @bot.message()
        ... async def echo(ctx: Context) -> None:
        ...     await ctx.reply(f"You said {ctx.text}")
        >>> async def test() -> None:
        ...     async with Platform(bot) as pilot:
        ...         ana = pilot.phone("+5511987650001", name="Ana")
        ...         await ana.says("hello")
        ...         assert ana.sees("You said hello")
        >>> asyncio.run(test())
    """

    def __init__(
        self,
        bot: Bot,
        *,
        numbers: Mapping[str, NumberKind] | Sequence[NumberKind] = ("meta",),
        templates: Mapping[str, str] | None = None,
        patience: float = 20.0,
        **settings: Any,
    ) -> None:
        named = numbers if isinstance(numbers, Mapping) else {f"number{at + 1}" if at else "main": kind for at, kind in enumerate(numbers)}
        if not named:
            raise ValueError('a platform needs a number, such as numbers={"main": "meta"}')
        self.bot = bot
        self.rows: list[Row] = []
        """All messages as the sandbox showed them when the bot was last done, in both directions, oldest first."""
        self._house = Installation(
            bot, named, templates=templates or {}, patience=patience, settings=settings
        )  # fmt: skip
        self._screens: dict[tuple[str, str], Screen] = {}
        self._journals: list[Journal] = []
        self._looked = False

    @asynccontextmanager
    async def unchecked(self) -> AsyncIterator[Self]:
        """As `async with` on the platform itself, for tools: nothing is checked at the end, no transcript is added to an error."""
        await self._house.start()
        try:
            yield self
        finally:
            await self._house.stop()

    async def __aenter__(self) -> Self:
        await self._house.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                await self._check_end()
            else:
                error.add_note(self.transcript())
        finally:
            await self._house.stop()

    @property
    def url(self) -> str:
        """Where the sandbox listens: a phone in the browser, and the platform's API under /v1."""
        return self._house.sandbox.url

    # --- who is there -----------------------------------------------------------------------------------------------------------

    def phone(self, address: str | None = None, *, name: str | None = None, number: str | None = None) -> Phone:
        """The phone of a contact; the same one each time it is asked for.

        Args:
            address: the contact's, as `+digits` or a BSUID; without one, the next sample number that nobody has.
            name: what the contact is called; bots see it.
            number: which of our numbers they write to, by its name; the first without it.
        """
        taken = {contact for _, contact in self._screens}
        address = address or next(free for at in range(10_000) if canonical(free := f"+{FIRST_PHONE + at}") not in taken)
        phone = self._screen(Phone, address, number)
        phone.name = name or phone.name
        return phone

    def group(self, address: str = "120363000000000001@g.us", *, name: str = "Group", number: str | None = None) -> Group:
        """A group that our number is in, where contacts write with `ana.says(..., to=group)`. Meta numbers may not write to groups."""
        group = self._screen(Group, address, number)
        group.name = name
        return group

    def _screen(self, cls: type[Kind], address: str, number: str | None) -> Kind:
        chosen = number or next(iter(self._house.numbers))
        self.number_id(chosen)
        screen = self._screens.setdefault((chosen, canonical(address)), cls(self, address, chosen))
        if not isinstance(screen, cls):
            raise ValueError(f"{address} is a {type(screen).__name__.lower()} here")  # noqa: TRY004 - what the file says, not its type
        return screen

    def number_id(self, name: str) -> str:
        """The platform's id of one of our numbers. Raises ValueError for a name that none has."""
        if name not in self._house.numbers:
            raise ValueError(f"no number is called {name!r}: this platform has {', '.join(self._house.numbers)}")
        return self._house.numbers[name].id

    # --- what happens -----------------------------------------------------------------------------------------------------------

    async def travel(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass, for the platform and the bot: windows close, what is due happens. Takes no time of the test's."""
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if span < timedelta(seconds=1):
            raise ValueError("time moves forward only, by a second or more: travel(hours=25)")
        await self._happens("/sandbox/clock", {"advance": f"{-(-span // timedelta(seconds=1))}s"})

    async def notify(self, who: Screen | str, content: str | Message, **more: Any) -> Outcome:
        """Have the bot write to somebody from outside a turn: `bot.notify`, with all that it takes."""
        self._begin()
        to: dict[str, Any] = {"number": who.number} if isinstance(who, Screen) else {}
        outcome = await self.bot.notify(who.address if isinstance(who, Screen) else who, content, **(to | more))
        await self.rest()
        return outcome

    async def person_writes(self, to: Screen, text: str) -> None:
        """Have somebody write in this chat on the phone of our number: the platform tells of it, and the bot falls silent there."""
        body: Row = {"from": to.address, "text": text, "fromMe": True, "number": self.number_id(to.number)}
        if isinstance(to, Group):
            body |= {"from": self._house.numbers[to.number].phone, "groupId": to.address, "groupName": to.name}
        await self.act("/sandbox/inbound", body, screen=to)

    async def event(self, envelope: Mapping[str, Any], *, number: str | None = None) -> None:
        """Deliver any event of the platform, signed as usual: `{"event": "number.disconnected", "data": {...}}`."""
        body = {"body": dict(envelope), **({"number": self.number_id(number)} if number else {})}
        await self._happens("/sandbox/events", body)

    async def restart(self) -> None:
        """Kill the bot and start it again: nothing of what it had in hand is finished or told to anybody."""
        self._begin()
        self._keep_journal()
        await self._house.restart()
        await self.rest()

    def crash(self, *, after: Point) -> None:
        """Have the bot killed, once, the next time it comes to a point, and started again.

        Args:
            after: `accept` (an event is kept, its delivery not answered), `claim` (leased, not begun), `handler` (the handler ran, nothing
                is committed), `commit` (committed, nothing is sent), `post` (the platform took a message, nobody here knows), `record`
                (it is recorded, and still stands in its lane).
        """
        if after not in POINTS:
            raise ValueError(f"there is no {after!r} to crash after: {', '.join(POINTS)}")
        self._house.fuse.armed = after

    @property
    def armed(self) -> Point | None:
        """The point that a crash was asked for after, and that nothing came to yet."""
        return self._house.fuse.armed

    async def redeliver(self, *, last: int | None = None) -> None:
        """Deliver again what contacts wrote, as a platform does that missed the bot's answers: all of it, or the `last` so many."""
        await self._happens("/sandbox/deliveries/resend", {} if last is None else {"last": last})

    async def shuffle(self, on: bool = True) -> None:
        """Deliver webhooks out of order from now on, or in order again."""
        await self.faults(shuffle_webhooks=on)

    async def faults(self, **faults: float | bool) -> None:
        """Have things go wrong from now on, or right again.

        Args:
            faults: as `POST /sandbox/faults` has them, in snake case: `http500`, `http429`, `accept_then_drop`, `duplicate_webhooks`,
                `unsigned_webhooks`, `number_blocked`, `disconnected`, `read_receipts`, `subscription`, `latency_ms`. A whole number is
                how many times it happens next, a fraction a probability, True always and False never.
        """
        named = {_camel(name): value for name, value in faults.items()}
        body = {name: {"next": value} if name in CHANCES and type(value) is int else value for name, value in named.items()}
        await self._house.api("POST", "/sandbox/faults", body)

    # --- what is to be seen -----------------------------------------------------------------------------------------------------

    async def dead_letters(self) -> list[Letter]:
        """What the bot gave up: events whose handler failed, messages that were refused for good. To look is to have meant it."""
        self._looked = True
        return await self._house.runtime.engine.dead_letters()

    async def state(self, screen: Screen, cls: type[S]) -> S:
        """What the bot remembers of a chat under a `State` class; its defaults where there is nothing."""
        engine = self._house.runtime.engine
        chat = await engine.chat(engine.keys.chat(screen.number, canonical(screen.address)))
        return load(cls, chat.fields.get(f"state:{cls.state_name}"), chat.now)

    def transcript(self, *screens: Screen) -> str:
        """Chats as text, with the handlers that took each message and why others did not; all chats without an argument."""
        notes: dict[str, list[TurnNote]] = {}
        for journal in (*self._journals, self._house.runtime.journal):
            for note in journal.latest(1000) if journal is not None else ():
                if note.message_id is not None:
                    notes.setdefault(note.message_id, []).append(note)
        parts = []
        for screen in screens or tuple(self._screens.values()):
            rows = [row for row in self.rows if screen.holds(row)]
            parts.append(f"{screen.name or screen.address} with {screen.number}:\n{told(rows, notes) or '  (nothing)'}")
        return "\n\n".join(parts) or "nobody wrote anything"

    async def chat_file(self, screen: Screen) -> str:
        """A chat as a `.chat` file that plays it again, personal data masked."""
        contact, number = quote(screen.address), quote(self.number_id(screen.number))
        text: str = await self._house.api("GET", f"/sandbox/chatfile?contact={contact}&number={number}")
        return text

    # --- the doing --------------------------------------------------------------------------------------------------------------

    async def rest(self) -> None:
        """Wait until the bot has nothing left to do, as every verb does; for what was set off in another way."""
        try:
            await self._house.rest(before_restart=self._keep_journal)
        except TimeoutError as error:
            self.rows = await self._house.api("GET", "/sandbox/messages")
            journal = self._house.runtime.journal
            running = [str(note.handler) for note in (journal.latest() if journal else ()) if note.end == "running" and note.handler]
            by = f", in {'; '.join(running)}" if running else ""
            raise AssertionError(f"{error}{by}\n\n{self.transcript()}") from None
        finally:
            self.rows = await self._house.api("GET", "/sandbox/messages")

    async def act(self, path: str, body: Row, *, screen: Screen) -> Any:
        """Do something in the sandbox as a contact, and wait until the bot is done. For the verbs of phones."""
        screen.begin()
        answer = await self._house.api("POST", path, body)
        await self.rest()
        return answer

    async def _happens(self, path: str, body: Row) -> None:
        self._begin()
        await self._house.api("POST", path, body)
        await self.rest()

    def _begin(self) -> None:
        for screen in self._screens.values():
            screen.begin()

    def _keep_journal(self) -> None:
        """What a bot that is killed knew of its turns is told in transcripts still."""
        if self._house.runtime.journal is not None:
            self._journals.append(self._house.runtime.journal)

    async def _check_end(self) -> None:
        if self.armed:
            raise AssertionError(f"crash(after={self.armed!r}) was asked for, but that moment never came\n\n{self.transcript()}")
        letters = [] if self._looked else await self.dead_letters()
        if letters:
            lines = [f"  {letter.kind}: {letter.reason}: {letter.detail}" for letter in letters]
            head = "the bot gave something up (where that is meant, look at `await pilot.dead_letters()`):"
            raise AssertionError(printable("\n".join([head, *lines, "", self.transcript()])))

    def excuse(self) -> None:
        """Check nothing at the end: the test has failed already."""
        self._looked, self._house.fuse.armed = True, None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
