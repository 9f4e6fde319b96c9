"""The typed events: what arrives by webhook, as handlers see it (contract section 8).

Plain frozen values, no validation of their own: `pilotbot.events.decode` is the only place that makes them from wire
bytes. Times are epoch milliseconds, phones are `+digits`, and `data` keeps the body's fields as they came, for whoever
needs one that has no name here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

StatusName = Literal["sent", "delivered", "read", "failed"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Media:
    """A file that came with a message (contract 8.8).

    `kind` is image, audio, video, document or sticker; the rest may be missing. `ctx.download(media)` gives the file; `id` and
    `phone_number_id` are by which the platform has it, on Meta numbers.
    """

    kind: str
    url: str | None = field(default=None, repr=False)
    mime: str | None = None
    filename: str | None = field(default=None, repr=False)
    id: str | None = None
    phone_number_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap on a button or a list row: its label, and its id where the wire had one (contract 8.8, variants c to e)."""

    label: str = field(repr=False)
    choice_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has.

    `id` is its identity for dedupe and is never empty; `at` is the provider's time in epoch milliseconds, None where it is
    missing or unreadable; `number_id` is the platform's id of our number.
    """

    name: str
    id: str
    at: int | None = None
    number_id: str | None = None
    data: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def time(self) -> datetime | None:
        """The provider's time (aware, UTC), None where it is missing or unreadable."""
        try:
            return None if self.at is None else _EPOCH + timedelta(milliseconds=self.at)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound(Event):
    """A message that somebody wrote.

    `sender` is the author, never empty; `text` is the content, the media's caption or the tapped label, maybe empty.
    """

    sender: str = field(repr=False)
    message_id: str | None = None
    sender_name: str | None = field(default=None, repr=False)
    to: str | None = field(default=None, repr=False)
    from_me: bool = False
    type: str = "text"
    text: str = field(default="", repr=False)
    media: Media | None = None
    tap: Tap | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Inbound):
    """`message.received`: a contact wrote to us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Inbound):
    """`message.reply`: a contact quoted one of our messages (or tapped one of its options)."""

    quoted_id: str | None = None
    quoted_text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Inbound):
    """`message.group`: a member wrote in a group that our number is in."""

    group_id: str
    group_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter(Inbound):
    """`message.newsletter`: a post in a channel that our number follows."""

    newsletter_id: str
    newsletter_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Event):
    """`message.sent`, `.delivered`, `.read`, `.failed` of a message of ours.

    `id` is the id that the send answered (contract 3.6), so the statuses of one message share it. `reached` is when each status was, as
    far as that is told (epoch ms); `cost` the category that WhatsApp billed the message as.
    """

    status: StatusName
    to: str = field(repr=False)
    message_id: str | None = None
    correlation_id: str | None = None
    error: str | None = field(default=None, repr=False)
    error_code: str | None = None
    reached: Mapping[StatusName, int] = field(default_factory=dict)
    cost: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Event):
    """`number.*`: something happened to one of our numbers.

    `change` is the part after the dot (connected, disconnected, ...).
    """

    change: str
    phone: str | None = field(default=None, repr=False)
    display_name: str | None = None
    error: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Event):
    """`call.*`, flat on the wire. `change` is ringing, connected, ended, missed or permission_updated.

    `direction` is INBOUND, OUTBOUND or unknown; `sender` and `to` are the phones; `duration` is in seconds.
    """

    change: str
    status: str | None = None
    call_id: str | None = None
    direction: str | None = None
    sender: str | None = field(default=None, repr=False)
    to: str | None = field(default=None, repr=False)
    duration: int | None = None

    @property
    def contact(self) -> str | None:
        """Who called us, or was called by us; None where the event does not say."""
        return self.to if self.direction == "OUTBOUND" else self.sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(Event):
    """`lead.received`: a form of an advertisement was filled in. `fields` maps a field's key to its values.

    `consent_given` is None where nobody knows. Answers go to `phone`, where there is one; the 24-hour window is not open for that.
    """

    lead_id: str
    phone: str | None = field(default=None, repr=False)
    full_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    consent_given: bool | None = None
    form_id: str | None = None
    form_name: str | None = None
    campaign_name: str | None = None
    ad_name: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowResponse(Event):
    """`flow.response_received`: a contact sent a WhatsApp Flow back."""

    sender: str | None = field(default=None, repr=False)
    flow_id: str | None = None
    flow_token: str | None = None
    response: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLine(Event):
    """`phone_line.*`: a rented line changed. `change` is the part after the dot."""

    change: str
    line_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledRun(Event):
    """`schedule.run`: the time of a schedule has come. Made by the bot itself, never taken from outside.

    `due` is the time that the run is for (epoch ms; `time` is the same), `late` how late it was taken in, in ms. `missed` is how many
    earlier times it stands for, at least.
    """

    schedule: str
    due: int
    late: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    """`handover.started`: a person has the chat from now on. Made by the bot itself, never taken from outside.

    `queue` and `note` are for the people, "" for none. `by` says who gave it to them: "handler", "word" (the contact asked), "operator", or
    "phone" (somebody just answered).
    """

    queue: str = ""
    note: str = field(default="", repr=False)
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack(Event):
    """`handover.ended`: the bot has the chat again. Made by the bot itself, never taken from outside.

    `by` says who gave it back: "operator", "word" (the contact asked) or "time".
    """

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Event):
    """`alert.raised`: something that people should know of. Made by the bot itself, never taken from outside.

    `what` is one word, such as "disconnected", "health_blocked" or "refused"; `number` the configured name of the number that it is about,
    `detail` says more, in the platform's words where it gave any.
    """

    what: str
    number: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Event):
    """`sandbox.clock`: the local Pilot Status moved its clock. `offset` is milliseconds ahead of real time."""

    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect(Event):
    """`sandbox.inspect`: the local Pilot Status asks what the bot knows of the chat with `contact`, on the number `number_id`."""

    contact: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Event):
    """A provider's raw body (Meta's or Evolution's own envelope); `inner` is what could be read of it as typed events.

    Inner messages and statuses carry the provider's message id as `id`: the platform's is not in such a body.
    """

    inner: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Event):
    """An event with a name that this version does not know: acknowledged, counted, left alone."""
