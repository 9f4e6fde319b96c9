"""Bot: what a developer creates, hangs handlers on, and runs."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

from pilotbot.context import Contact, Context, Outcome
from pilotbot.replies import ClosedPolicy, File, Message, Option, Template
from pilotbot.routing import Factory, Filter, Provided, Router, Routes

T = TypeVar("T")

_in_turn: ContextVar[bool] = ContextVar("pilotbot-turn", default=False)


@contextmanager
def turn() -> Iterator[None]:
    """Mark what runs inside as a turn, where `Bot.notify` is refused: used by the runtime."""
    token = _in_turn.set(True)
    try:
        yield
    finally:
        _in_turn.reset(token)


class Outbox(Protocol):
    """Puts messages in lanes from outside a turn."""

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        key: str,
        options: Sequence[Option | str] | None,
        media: File | None,
        template: Template | None,
        number: str | None,
        values: dict[str, object],
    ) -> Outcome:
        """Put a message in the lane of a chat, once per key."""


class Bot(Router):
    """A bot: the outermost router, with what its handlers are provided with.

    Args:
        name: what logs call it, and what it is mentioned by in groups.
        closed: what happens to content without a template while the window is closed: wait until the contact writes ("defer"),
            drop it with the reason ("skip"), or put it with the dead letters ("fail").
        which: what is asked when a label is alive with several meanings.

    Example:
        >>> from pilotbot import Bot, Context, words
        >>> bot = Bot("shop")
        >>> @bot.received(words("hi", "oi"))
        ... async def greet(ctx: Context) -> None:
        ...     await ctx.reply("Hello!")
        >>> bot.build().handlers[0].name
        'greet'
    """

    def __init__(self, name: str, *, closed: ClosedPolicy = "defer", which: str = "Which one do you mean?") -> None:
        super().__init__(name)
        self.closed: ClosedPolicy = closed
        self.which = which
        self._provided = Provided()
        self._outbox: Outbox | None = None
        self._included: list[Bot] = []

    def provide(self, kind: type[T], factory: Factory[T], *, replace: bool = False) -> None:
        """Have `factory` make every `kind` that a handler asks for by annotation, at most once a turn.

        See `pilotbot.routing.Provided.provide` for what a factory may be, and what is refused.
        """
        self._provided.provide(kind, factory, replace=replace)

    def include(self, router: Router, *filters: Filter) -> None:
        """Nest a router here, or a whole bot with all that it provides. See `Router.include`.

        Raises:
            ValueError: as `Router.include`; both bots provide one type; or their `closed` or `which` differ. Nothing is changed then.
        """
        if not isinstance(router, Bot):
            super().include(router, *filters)
            return
        for name, ours, theirs in (("closed", self.closed, router.closed), ("which", self.which, router.which)):
            if ours != theirs:
                raise ValueError(f"the outer bot's {name} holds, {ours!r}, not the {theirs!r} of {router.name}: give both the same")
        if router.parent is None:  # where it has one, that is what is told
            self._provided.check(router._provided)  # noqa: SLF001 - its own class
        super().include(router, *filters)
        self._provided.update(router._provided)  # noqa: SLF001 - its own class
        self._included.append(router)

    def build(self) -> Routes:
        """Check the wiring of all handlers, and return the routes. Raises WiringError with every problem."""
        return Routes.build(self, context_type=Context, provided=self._provided)

    def templates(self) -> frozenset[str]:
        """Names of the templates in the module-level messages of those modules that handlers are written in."""
        found = (value for handler in self.handlers for value in getattr(handler.fn, "__globals__", {}).values())
        used = (value.template if isinstance(value, Message) else value for value in found)
        return frozenset(value.name for value in used if isinstance(value, Template))

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        key: str | None = None,
        options: Sequence[Option | str] | None = None,
        media: File | None = None,
        template: Template | None = None,
        number: str | None = None,
        **values: object,
    ) -> Outcome:
        """Write to somebody from outside a turn: a web handler, a job, a script.

        Args:
            who: a contact, or an address: a phone with country code, a BSUID, a group or newsletter id.
            content: what to say; a `Message` is rendered with `values`, and `contact`.
            key: names the occasion ("shipped-4242"): a second call with the same key sends nothing, for 30 days. Without one each
                call is an occasion of its own.
            options: as `Context.reply`.
            media: as `Context.reply`.
            template: what goes while the window is closed, as `Context.reply`. Without one the bot's `closed` policy holds.
            number: the configured name of the number to write from; not needed where there is one.
            values: what the Jinja names, beside `contact`.

        Returns:
            What is expected to become of it.

        Raises:
            RuntimeError: inside a turn, where `ctx.notify` commits with it; or the bot is not running here.
            ValueError: `who` is no address, `number` no configured number, or `key` blank.
            ContentError: as `Context.reply`.
            Unsendable: as `Context.reply`.
        """
        if key is not None and not key.strip():
            raise ValueError('a key names the occasion, such as "shipped-4242"; leave it out where each call is an occasion of its own')
        if _in_turn.get():
            raise RuntimeError("bot.notify is for outside a turn: in a handler use ctx.notify, which leaves with the turn's commit")
        if self._outbox is None:
            raise RuntimeError("the bot is not running here: use it inside `async with running(bot, settings)`, or `pilotbot notify`")
        return await self._outbox.notify(
            who,
            content,
            key=secrets.token_hex(16) if key is None else key,
            options=options,
            media=media,
            template=template,
            number=number,
            values=values,
        )

    def bind(self, outbox: Outbox | None) -> None:
        """Say what carries `notify` here and in the included bots, or that nothing does.

        Not for bots' authors: the runtime calls it when it starts and when it stops.
        """
        self._outbox = outbox
        for bot in self._included:
            bot.bind(outbox)
