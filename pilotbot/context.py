"""Context: what a handler is given of its turn, and what it may ask for. A facade; the doing is elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pilotbot.contacts import Window, is_phone
from pilotbot.events import Event
from pilotbot.replies import Action, Deferred, File, Message, Option, Queued, Skipped, Template

Outcome = Queued | Deferred | Skipped
"""What is expected to become of a message; which it is, is decided when it is sent."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who wrote. `address` is where they were last seen: a phone as `+digits`, or a BSUID."""

    address: str = field(repr=False)
    name: str | None = field(default=None, repr=False)

    @property
    def phone(self) -> str:
        """The phone as `+digits`; empty where only a BSUID is known."""
        return self.address if is_phone(self.address) else ""

    @property
    def first_name(self) -> str:
        """The first word of the name, empty where there is none."""
        return self.name.split()[0] if self.name and self.name.split() else ""


@dataclass(frozen=True, slots=True)
class Chat:
    """Where answers go: a contact, a group or a newsletter, with one of our numbers (by its configured name).

    `last_inbound` is when the contact last wrote (aware, UTC), this event included; None for groups and newsletters.
    """

    number: str
    kind: Literal["contact", "group", "newsletter", "number"]
    address: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    last_inbound: datetime | None = None


class Desk(Protocol):
    """Takes what a turn wants to say. Nothing of it leaves before the turn commits, but what is asked for with `now`."""

    async def reply(
        self,
        content: str | Message,
        *,
        options: Sequence[Option | str] | None,
        media: File | None,
        template: Template | None,
        now: bool,
        values: dict[str, object],
    ) -> Outcome:
        """Stage (or send at once) a message to the turn's chat."""

    async def notify(
        self,
        who: "str | Contact",
        content: str | Message,
        *,
        options: Sequence[Option | str] | None,
        media: File | None,
        template: Template | None,
        number: str | None,
        values: dict[str, object],
    ) -> Outcome:
        """Stage a message to another chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One turn: one event of one chat.

    Attributes:
        event: what began the turn, typed.
        text: what the contact wrote, or the label of the option that was chosen. Data, never code: see design section 5.
        action: the payload of the chosen option, if it has one.
        chat: where answers go.
        window: what may be said there now (contract 7).
        now: business time, aware, UTC.
        bot_name: the bot's name.
        our_phone: our number as `+digits`, where the event says it.
    """

    event: Event
    text: str = field(repr=False)
    action: Action | None
    chat: Chat
    sender: Contact | None
    window: Window
    now: datetime
    bot_name: str
    our_phone: str | None
    desk: Desk = field(repr=False)

    @property
    def contact(self) -> Contact:
        """Who wrote. Raises LookupError for an event that nobody wrote, such as `number.connected`."""
        if self.sender is None:
            raise LookupError(f"{self.event.name} has no contact: nobody wrote it")
        return self.sender

    async def reply(
        self,
        content: str | Message,
        *,
        options: Sequence[Option | str] | None = None,
        media: File | None = None,
        template: Template | None = None,
        now: bool = False,
        **values: object,
    ) -> Outcome:
        """Answer in this chat.

        A plain `str` goes out as it is; a `Message` is rendered with `values`, and with `contact` and `chat`. Whether it goes as free
        text, with buttons, or as its template is decided when it is sent (design section 6). Answers leave with the turn's commit;
        `now=True` ("one moment...") sends before it, once.

        What is given by keyword goes out as it is, Jinja or not: it may hold what a contact wrote.

        Args:
            content: what to say.
            options: what the contact can choose from; replaces the message's own. A label given as a plain `str` goes out as it is.
            media: a file; replaces the message's own. Its address goes out as it is.
            template: what goes while the window is closed; replaces the message's own.
            now: send before the commit.
            values: what the Jinja names.

        Returns:
            What is expected to become of it. Never raises for a policy.

        Raises:
            ContentError: a value is missing, or the content breaks a rule of the platform.
            Unsendable: this number can not send this to this chat, whatever the window.
        """
        return await self.desk.reply(content, options=options, media=media, template=template, now=now, values=values)

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        options: Sequence[Option | str] | None = None,
        media: File | None = None,
        template: Template | None = None,
        number: str | None = None,
        **values: object,
    ) -> Outcome:
        """Write to somebody else, with this turn's commit: once, whatever crashes (design section 3.6).

        Args:
            who: a contact, or an address: a phone with country code, a BSUID, a group or newsletter id.
            content: what to say; see `reply`.
            options: see `reply`.
            media: see `reply`.
            template: see `reply`.
            number: the configured name of the number to write from; this chat's without it.
            values: what the Jinja names, beside `contact`: the one who is written to.

        Raises:
            ValueError: `who` is no address, or `number` no configured number.
            ContentError: as `reply`.
            Unsendable: as `reply`.
        """
        return await self.desk.notify(who, content, options=options, media=media, template=template, number=number, values=values)
