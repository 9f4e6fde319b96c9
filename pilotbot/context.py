"""Context: what a handler is given of its turn, and what it may ask for. A facade; the doing is elsewhere."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import overload

from pilotbot.contacts import Scope, Window
from pilotbot.desk import Chat, Contact, Desk, FollowUp, Late, Outcome
from pilotbot.events import Event, Inbound, Media
from pilotbot.media import MediaFile
from pilotbot.replies import (
    Action,
    Delivery,
    File,
    Message,
    Offer,
    Planned,
    Policy,
    Saying,
    SentMessage,
    Skipped,
    Template,
)

__all__ = ["Chat", "Contact", "Context", "Desk", "FollowUp", "Late", "Outcome", "moment_and_content"]


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
        late: whether a newer event of this chat was handled before this one.
        old: whether it came so long after it happened that only `stale` handlers see it.
        opted_out: whether the contact wants nothing that they did not ask for.
        message: for a status, the message of ours that it is of; None for any other event, and where nothing is known of that.
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
    late: bool = False
    old: bool = False
    opted_out: bool = False
    message: SentMessage | None = None

    @property
    def contact(self) -> Contact:
        """Who wrote. Raises LookupError for an event that nobody wrote, such as `number.connected`."""
        if self.sender is None:
            raise LookupError(f"{self.event.name} has no contact: nobody wrote it")
        return self.sender

    @property
    def tags(self) -> frozenset[str]:
        """The contact's tags, none where nobody wrote."""
        return self.sender.tags if self.sender is not None else frozenset()

    async def reply(
        self,
        content: str | Message,
        *,
        options: Sequence[Offer] | None = None,
        media: File | None = None,
        template: Template | None = None,
        policy: Policy | None = None,
        delivery: Delivery | None = None,
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
            policy: how it may go; what it leaves out is as the handler's router and the bot have it.
            delivery: what the platform is asked to heed: times, labels, read marks.
            now: send before the commit.
            values: what the Jinja names.

        Returns:
            What is expected to become of it. Never raises for a policy.

        Raises:
            ContentError: a value is missing, or the content breaks a rule of the platform.
            Unsendable: this number can not send this to this chat, whatever the window.
        """
        said = Saying(
            content=content, options=options, media=media, template=template, policy=policy, delivery=delivery, values=values
        )  # fmt: skip
        return await self.desk.reply(said, now=now)

    async def sequence(
        self,
        *contents: str | Message | File,
        policy: Policy | None = None,
        delivery: Delivery | None = None,
        **values: object,
    ) -> list[Outcome]:
        """Answer with several messages that arrive in this order: `await ctx.sequence(image(url), "That is the one.")`.

        Each is posted only once the one before was reported sent, or a while went by (`PILOTBOT_SEQUENCE_WAIT_SECONDS`, 10), so that a
        text does not overtake the file before it. Whatever else is said in this chat keeps its place, and waits as well.

        Args:
            contents: what to say, each as `reply`, or a file.
            policy: see `reply`.
            delivery: see `reply`.
            values: what the Jinja of all of them names.

        Returns:
            What is expected of each.

        Raises:
            ContentError, Unsendable: as `reply`.
        """
        outcomes = []
        for number, content in enumerate(contents, 1):
            said = Saying(
                content="" if isinstance(content, File) else content, media=content if isinstance(content, File) else None,
                policy=policy, delivery=delivery, values=values,
            )  # fmt: skip
            outcomes.append(await self.desk.reply(said, now=False, leads=number < len(contents)))
        return outcomes

    async def typing(self) -> None:
        """Show the contact that the bot is typing: best effort, and only with `PILOTBOT_TYPING=true`. On Meta it marks read, too."""
        await self.desk.typing()

    def download(self, media: Media | None = None) -> AbstractAsyncContextManager[MediaFile]:
        """The file that came with the message, on disk until the block is left: `async with ctx.download() as file: ...`.

        Fetch it at once: a link may not live longer than some minutes. What it is is told by its content, not by who sent it.

        Args:
            media: another one, such as of a kept message; the event's own without it.

        Raises:
            LookupError: the event came without a file.
            MediaExpired: nobody has it any more; ask for it again.
            MediaTooLarge: it is larger than `PILOTBOT_MEDIA_MAX_BYTES` (16 MiB).
            MediaRefused: its link is not to be followed, or the platform refuses for good.
            MediaUnavailable: not now; a handler that lets it through is run again, with growing waits.
        """
        media = media or (self.event.media if isinstance(self.event, Inbound) else None)
        if media is None:
            raise LookupError(f"{self.event.name} came without a file; ask for `has_media()` in the handler's filters")
        return self.desk.download(media)

    async def cancel(self, id: str) -> bool:  # noqa: A002 - as the outcome calls it
        """Take a message back, by the `id` of the outcome that `reply`, `sequence` or `notify` returned.

        What was said in this turn is not said; what was said before is taken back at once, not with the commit: out of what waits here,
        or at the platform, where it waits for its time (`Delivery(at=...)`).

        Returns:
            Whether that was in time; the same where it is asked again.

        Raises:
            ValueError: the id is none.
            PlatformError: the platform could not be asked.
        """
        return await self.desk.cancel(id)

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        options: Sequence[Offer] | None = None,
        media: File | None = None,
        template: Template | None = None,
        policy: Policy | None = None,
        delivery: Delivery | None = None,
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
            policy: see `reply`.
            delivery: see `reply`.
            number: the configured name of the number to write from; this chat's without it.
            values: what the Jinja names, beside `contact`: the one who is written to.

        Raises:
            ValueError: `who` is no address, or `number` no configured number.
            ContentError: as `reply`.
            Unsendable: as `reply`.
        """
        said = Saying(
            content=content, options=options, media=media, template=template, policy=policy, delivery=delivery, values=values
        )  # fmt: skip
        return await self.desk.notify(who, said, number=number)

    @overload
    async def follow_up(
        self, when: timedelta | datetime, content: str | Message, /, *, before_window_closes: None = None,
        unless_replied: bool = False, key: str | None = None, if_late: Late = "run", options: Sequence[Offer] | None = None,
        media: File | None = None, template: Template | None = None, policy: Policy | None = None, delivery: Delivery | None = None,
        **values: object,
    ) -> Planned | Skipped: ...  # fmt: skip

    @overload
    async def follow_up(
        self, content: str | Message, /, *, before_window_closes: timedelta, unless_replied: bool = False, key: str | None = None,
        if_late: Late = "run", options: Sequence[Offer] | None = None,
        media: File | None = None, template: Template | None = None, policy: Policy | None = None, delivery: Delivery | None = None,
        **values: object,
    ) -> Planned | Skipped: ...  # fmt: skip

    async def follow_up(
        self, when: timedelta | datetime | str | Message, content: str | Message | None = None, /, *,
        before_window_closes: timedelta | None = None, unless_replied: bool = False, key: str | None = None, if_late: Late = "run",
        options: Sequence[Offer] | None = None, media: File | None = None, template: Template | None = None,
        policy: Policy | None = None, delivery: Delivery | None = None, **values: object,
    ) -> Planned | Skipped:  # fmt: skip
        """Write in this chat later: set with this turn's commit, sent once, in the mode that the window allows then.

        `ctx.follow_up(hours(20), "Did it arrive?", unless_replied=True)`, or
        `ctx.follow_up("Are you still there?", before_window_closes=minutes(30))`. It is rendered now; a chat has 50 at most.

        Args:
            when: after how long, or at which moment (aware), a year ahead at most; left out with `before_window_closes`.
            content: what to say, see `reply`.
            before_window_closes: in place of a moment: so long before the window closes, also if the contact moves that by writing.
            unless_replied: not if the contact writes before; and never kept until they write, where there is no template.
            key: names it: a second one with this key replaces the first, `cancel_follow_up` ends it.
            if_late: what becomes of it where it could not be sent in time.
            options: see `reply`.
            media: see `reply`.
            template: see `reply`.
            policy: see `reply`.
            delivery: see `reply`.
            values: see `reply`.

        Raises:
            TypeError, ValueError: the moment or the key makes no sense.
            ContentError: as `reply`.
            Unsendable: as `reply`.
        """
        moment, said = moment_and_content(when, content, before_window_closes)
        saying = Saying(
            content=said, options=options, media=media, template=template, policy=policy, delivery=delivery, values=values
        )  # fmt: skip
        return await self.desk.follow_up(
            moment, saying, before_window_closes=before_window_closes, unless_replied=unless_replied, key=key, if_late=if_late
        )

    async def follow_ups(self) -> list[FollowUp]:
        """The follow-ups of this chat that wait, the soonest first, as they will be after this turn."""
        return await self.desk.follow_ups()

    async def cancel_follow_up(self, key: str) -> bool:
        """End the follow-up of this key, with this turn's commit. False where none waits."""
        return await self.desk.cancel_follow_ups(key) > 0

    async def cancel_follow_ups(self) -> int:
        """End all follow-ups of this chat, with this turn's commit. Returns how many."""
        return await self.desk.cancel_follow_ups(None)

    async def opt_out(self, evidence: str, *, purpose: Scope = "all") -> None:
        """Note that the contact wants nothing that they did not ask for, on any of our numbers; answers still go (design 3.13).

        Args:
            evidence: what shows it, for the ledger: the contact's words, a note.
            purpose: "marketing", "utility" or "authentication" where it is about messages of that purpose only. Of that and what was
                decided about all, the latest holds.

        Raises:
            ValueError: the evidence is blank, the purpose none; or nobody can decide in such a chat.
        """
        await self.desk.consent("out", "handler", evidence, purpose)

    async def opt_in(self, evidence: str, *, purpose: Scope = "all") -> None:
        """Note that the contact wants our messages, again or for the first time: marketing needs that. As `opt_out`."""
        await self.desk.consent("in", "handler", evidence, purpose)

    def set_language(self, language: str) -> None:
        """Note the contact's language, such as "pt" or "pt_BR": it holds over what their messages or their country say.

        What `set_language`, `set_timezone`, `tag` and `untag` note is kept with this turn's commit, in this chat; `ctx.contact` shows it
        from the next message on, and what is said after it in this turn heeds it.

        Raises:
            ValueError: it is no code of a language, or this is no chat with a contact.
        """
        self.desk.know(language=language, timezone=None, tagged=None, untagged=None)

    def set_timezone(self, timezone: str) -> None:
        """Note the contact's time zone, such as "America/Sao_Paulo", for quiet hours. Raises ValueError as `set_language`."""
        self.desk.know(language=None, timezone=timezone, tagged=None, untagged=None)

    def tag(self, name: str) -> None:
        """Put a tag of the bot's own on the contact, such as "vip": see `Contact.tags` and the filter `tagged`.

        Raises:
            ValueError: it is no short text, the contact has 50 already, or as `set_language`.
        """
        self.desk.know(language=None, timezone=None, tagged=name, untagged=None)

    def untag(self, name: str) -> None:
        """Take a tag away. Raises ValueError as `set_language`."""
        self.desk.know(language=None, timezone=None, tagged=None, untagged=name)

    async def handover(self, queue: str = "", *, note: str = "", for_: timedelta | None = None) -> None:
        """Give this chat to a person, with this turn's commit: `await ctx.handover("sales", note="wants 40 pieces", for_=hours(12))`.

        While a person has it, what the contact writes is kept and reaches no handler, but for an opt-out; what waits to be sent later is
        cancelled, and nothing new is planned. What is said in this turn still goes. See the page on handovers.

        Args:
            queue: for whom it is, such as "sales"; up to 60 characters.
            note: what they should know; up to 1,000 characters.
            for_: after how long the bot has it back if nobody gives it back; the bot's own (12 hours, see `Handover`) without it.

        Raises:
            TypeError, ValueError: a queue, a note or a span that is none; or nobody answers in such a chat.
        """
        await self.desk.handover(queue, note, for_)

    async def kept_messages(self) -> list[Inbound]:
        """What was written while a person had this chat, the newest 50, the oldest first; for `handed_back` handlers.

        `from_me` says of each whether the person wrote it, as far as that was seen. It is remembered for eight days.
        """
        return await self.desk.kept_messages()


def moment_and_content(
    when: timedelta | datetime | str | Message, content: str | Message | None, before_window_closes: timedelta | None
) -> tuple[timedelta | datetime | None, str | Message]:
    """What `follow_up` was given: when, None where that follows from the window, and what to say. Raises TypeError for anything else."""
    if before_window_closes is None and isinstance(when, timedelta | datetime) and content is not None:
        return when, content
    if before_window_closes is not None and isinstance(when, str | Message) and content is None:
        return None, when
    raise TypeError('give follow_up a moment and a content, `(hours(20), "...")`, or a content and `before_window_closes=minutes(30)`')
