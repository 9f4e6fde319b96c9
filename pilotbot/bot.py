"""Bot: what a developer creates, hangs handlers on, and runs."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeVar, overload

from pilotbot.contacts import UNASKED, Handover, OptOut, Scope
from pilotbot.context import Contact, Context, FollowUp, Late, Outcome, moment_and_content
from pilotbot.replies import Delivery, File, ListWords, Message, Offer, Planned, Policy, Saying, Skipped, Template
from pilotbot.routing import Factory, Filter, Provided, Router, Routes

T = TypeVar("T")

OPT_OUT = OptOut()
_COMMANDS = {
    "notify": "notify", "follow_up": "followup add", "follow_ups": "followup list", "cancel_follow_up": "followup cancel",
    "cancel_follow_ups": "followup cancel", "handover": "handover start", "hand_back": "handover end",
    "opt_in": "contact opt-in", "opt_out": "contact opt-out", "forget": "contact forget",
}  # fmt: skip
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

    async def notify(self, who: str | Contact, saying: Saying, *, key: str, number: str | None) -> Outcome:
        """Put a message in the lane of a chat, once per key."""

    async def follow_up(
        self, who: str | Contact, when: timedelta | datetime | None, saying: Saying, *, before_window_closes: timedelta | None,
        unless_replied: bool, key: str, if_late: Late, number: str | None,
    ) -> Planned | Skipped:  # fmt: skip
        """Set a follow-up in a chat, in place of one with the same key."""

    async def cancel(self, name: str) -> bool:
        """Take a message back."""

    async def follow_ups(self, who: str | Contact, number: str | None) -> list[FollowUp]:
        """What waits in a chat."""

    async def cancel_follow_ups(self, who: str | Contact, key: str | None, number: str | None) -> int:
        """End one follow-up of a chat, or all."""

    async def handover(self, who: str | Contact, how_long: timedelta, *, queue: str, note: str, number: str | None) -> bool:
        """Give a chat to a person."""

    async def hand_back(self, who: str | Contact, number: str | None) -> bool:
        """Give a chat back to the bot."""

    async def consent(self, who: str | Contact, what: Literal["out", "in"], evidence: str, purpose: Scope) -> None:
        """Enter what somebody decided."""

    async def forget(self, who: str | Contact) -> None:
        """Erase what is kept of somebody."""


class Bot(Router):
    """A bot: the outermost router, with what its handlers are provided with.

    Args:
        name: what logs call it, and what it is mentioned by in groups.
        policy: what holds for all its messages, unless a router or a call says otherwise: see `Policy`.
        which: what is asked when what a contact chose may mean several options.
        list_button: what opens a list of options where a `Message` does not say, up to 20 characters; else "Options", "Opções" or
            "Opciones", as the contact speaks.
        more: the label of the option that shows the next page of a list, up to 24 characters; else "More…", "Mais…" or "Más…".
        opt_out: the words by which contacts opt out of what they did not ask for, and in again; None leaves that to handlers
            (`ctx.opt_out`). See `OptOut`.
        handover: the words by which contacts come to a person and back, and for how long; None leaves that to handlers
            (`ctx.handover`), operators and those who answer from the phone. See `Handover`.

    Example:
        >>> from pilotbot import Bot, Context, words
        >>> bot = Bot("shop")
        >>> @bot.received(words("hi", "oi"))
        ... async def greet(ctx: Context) -> None:
        ...     await ctx.reply("Hello!")
        >>> bot.build().handlers[0].name
        'greet'
    """

    def __init__(
        self, name: str, *, policy: Policy | None = None, which: str = "Which one do you mean?", opt_out: OptOut | None = OPT_OUT,
        handover: Handover | None = None, list_button: str | None = None, more: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, policy=policy)
        self.which = which
        self.list_words = ListWords(list_button, more)
        self.opting_out = opt_out
        self.handing_over = handover or UNASKED
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
            ValueError: as `Router.include`; both bots provide one type; or their `which`, `opt_out`, `handover`, `list_button` or `more`
                differ. Nothing is changed then.
        """
        if not isinstance(router, Bot):
            super().include(router, *filters)
            return
        for name, ours, theirs in (
            ("which", self.which, router.which), ("opt_out", self.opting_out, router.opting_out),
            ("handover", self.handing_over, router.handing_over), ("list_button", self.list_words.button, router.list_words.button),
            ("more", self.list_words.more, router.list_words.more),
        ):  # fmt: skip
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

    def templates(self) -> tuple[Template, ...]:
        """The templates at module level, alone or in messages, of those modules that handlers are written in."""
        modules = {id(found): found for handler in self.handlers if (found := getattr(handler.fn, "__globals__", None)) is not None}
        used = (value.template if isinstance(value, Message) else value for module in modules.values() for value in module.values())
        return tuple(dict.fromkeys(value for value in used if isinstance(value, Template)))

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        key: str | None = None,
        options: Sequence[Offer] | None = None,
        media: File | None = None,
        template: Template | None = None,
        policy: Policy | None = None,
        delivery: Delivery | None = None,
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
            template: what goes while the window is closed, as `Context.reply`. Without one the policy says what happens.
            policy: as `Context.reply`.
            delivery: as `Context.reply`.
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
        outbox = self._outside("notify", key)
        said = Saying(
            content=content, options=options, media=media, template=template, policy=policy, delivery=delivery, values=values
        )  # fmt: skip
        return await outbox.notify(who, said, key=secrets.token_hex(16) if key is None else key, number=number)

    @overload
    async def follow_up(
        self, who: str | Contact, when: timedelta | datetime, content: str | Message, /, *, before_window_closes: None = None,
        unless_replied: bool = False, key: str | None = None, if_late: Late = "run", options: Sequence[Offer] | None = None,
        media: File | None = None, template: Template | None = None, policy: Policy | None = None, delivery: Delivery | None = None,
        number: str | None = None, **values: object,
    ) -> Planned | Skipped: ...  # fmt: skip

    @overload
    async def follow_up(
        self, who: str | Contact, content: str | Message, /, *, before_window_closes: timedelta, unless_replied: bool = False,
        key: str | None = None, if_late: Late = "run", options: Sequence[Offer] | None = None, media: File | None = None,
        template: Template | None = None, policy: Policy | None = None, delivery: Delivery | None = None, number: str | None = None,
        **values: object,
    ) -> Planned | Skipped: ...  # fmt: skip

    async def follow_up(
        self, who: str | Contact, when: timedelta | datetime | str | Message, content: str | Message | None = None, /, *,
        before_window_closes: timedelta | None = None, unless_replied: bool = False, key: str | None = None, if_late: Late = "run",
        options: Sequence[Offer] | None = None, media: File | None = None, template: Template | None = None,
        policy: Policy | None = None, delivery: Delivery | None = None, number: str | None = None, **values: object,
    ) -> Planned | Skipped:  # fmt: skip
        """Write to somebody later, from outside a turn: `bot.follow_up("+5511987650001", days(2), "How is it?", key="care-4242")`.

        Args:
            who: as `notify`.
            when: as `Context.follow_up`, which has the rest, too.
            content: as `Context.follow_up`.
            before_window_closes: as `Context.follow_up`.
            unless_replied: not if the contact writes from now on.
            key: names it; a second one with this key replaces the first. Without one each call is another follow-up.
            if_late: as `Context.follow_up`.
            options: as `Context.reply`.
            media: as `Context.reply`.
            template: as `Context.reply`.
            policy: as `Context.reply`.
            delivery: as `Context.reply`.
            number: as `notify`.
            values: what the Jinja names, beside `contact`.

        Raises:
            RuntimeError, ValueError, ContentError, Unsendable: as `notify`.
            TypeError: the moment has no time zone.
        """
        outbox = self._outside("follow_up", key)
        moment, said = moment_and_content(when, content, before_window_closes)
        saying = Saying(
            content=said, options=options, media=media, template=template, policy=policy, delivery=delivery, values=values
        )  # fmt: skip
        return await outbox.follow_up(
            who, moment, saying, before_window_closes=before_window_closes, unless_replied=unless_replied,
            key=secrets.token_hex(16) if key is None else key, if_late=if_late, number=number,
        )  # fmt: skip

    async def cancel(self, id: str) -> bool:  # noqa: A002 - as the outcome calls it
        """Take a message back, by the `id` of the outcome that `notify` returned: see `Context.cancel`. Raises as that, and `notify`."""
        return await self._outside("cancel").cancel(id)

    async def follow_ups(self, who: str | Contact, *, number: str | None = None) -> list[FollowUp]:
        """The follow-ups that wait for somebody, the soonest first. Raises as `notify`."""
        return await self._outside("follow_ups").follow_ups(who, number)

    async def cancel_follow_up(self, who: str | Contact, key: str, *, number: str | None = None) -> bool:
        """End the follow-up of this key. False where none waits. Raises as `notify`."""
        return await self._outside("cancel_follow_up", key).cancel_follow_ups(who, key, number) > 0

    async def cancel_follow_ups(self, who: str | Contact, *, number: str | None = None) -> int:
        """End all follow-ups of a contact. Returns how many. Raises as `notify`."""
        return await self._outside("cancel_follow_ups").cancel_follow_ups(who, None, number)

    async def handover(
        self, who: str | Contact, queue: str = "", *, note: str = "", for_: timedelta | None = None, number: str | None = None
    ) -> bool:
        """Give a chat to a person, from outside a turn: `await bot.handover("+5511987650001", "sales")`.

        Args:
            who: as `notify`; a contact or a group.
            queue: as `Context.handover`.
            note: as `Context.handover`.
            for_: as `Context.handover`.
            number: as `notify`.

        Returns:
            False where a person has it already, in this queue; the rest is then as given here.

        Raises:
            TypeError, ValueError: as `Context.handover`.
            RuntimeError: as `notify`.
        """
        how_long = self.handing_over.back_after if for_ is None else for_
        return await self._outside("handover").handover(who, how_long, queue=queue, note=note, number=number)

    async def hand_back(self, who: str | Contact, *, number: str | None = None) -> bool:
        """Give a chat back to the bot, from outside a turn. False where the bot has it. Raises as `notify`."""
        return await self._outside("hand_back").hand_back(who, number)

    async def opt_in(self, who: str | Contact, evidence: str, *, purpose: Scope = "all") -> None:
        """Note, from outside a turn, that a contact wants our messages: `await bot.opt_in(phone, "form of 12 May", purpose="marketing")`.

        Args:
            who: as `notify`; a contact.
            evidence: as `Context.opt_out`.
            purpose: as `Context.opt_out`.

        Raises:
            ValueError: as `Context.opt_out`, or `who` is no contact's address.
            RuntimeError: as `notify`.
        """
        await self._outside("opt_in").consent(who, "in", evidence, purpose)

    async def opt_out(self, who: str | Contact, evidence: str, *, purpose: Scope = "all") -> None:
        """Note, from outside a turn, that a contact wants nothing that they did not ask for. As `opt_in`."""
        await self._outside("opt_out").consent(who, "out", evidence, purpose)

    async def forget(self, who: str | Contact) -> None:
        """Erase all that is kept of a contact: chats with all our numbers, messages, what waits. See the page on privacy.

        What stays: that they opted out, if they did, and for eight days when they were forgotten, both without a name or number. A message
        that they wrote before that is not taken in any more; one that they write after it begins anew.

        Raises:
            ValueError: `who` is no contact's address.
            RuntimeError: as `notify`.
        """
        await self._outside("forget").forget(who)

    def _outside(self, verb: str, key: str | None = None) -> Outbox:
        """What carries a message from outside a turn."""
        if key is not None and not key.strip():
            raise ValueError('a key names the occasion, such as "shipped-4242"; leave it out where each call is an occasion of its own')
        if _in_turn.get():
            raise RuntimeError(f"bot.{verb} is for outside a turn: in a handler use ctx.{verb}, which leaves with the turn's commit")
        if self._outbox is None:
            command = f", or `pilotbot {_COMMANDS[verb]}`" if verb in _COMMANDS else ""
            raise RuntimeError(f"the bot is not running here: use it inside `async with running(bot, settings)`{command}")
        return self._outbox

    def bind(self, outbox: Outbox | None) -> None:
        """Say what carries `notify` here and in the included bots, or that nothing does.

        Not for bots' authors: the runtime calls it when it starts and when it stops.
        """
        self._outbox = outbox
        for bot in self._included:
            bot.bind(outbox)
