"""From policy and delivery to what items carry of them, and to what is expected of a message because of them; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from pilotbot.contacts import human_of, in_utc, quiet_until, zone_of
from pilotbot.context import Contact, Outcome
from pilotbot.engine import Item, Purpose
from pilotbot.platform import SendRequest
from pilotbot.platform.requests import MarketingOptions
from pilotbot.replies import REASONS, Deferred, Delivery, Part, Policy, Queued, Rendered, Skipped, decided, withheld

FURTHEST = timedelta(days=366)
"""How far ahead the platform may be asked to deliver a message."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a chat may be written to without having asked: its stored fields."""

    fields: Mapping[str, bytes]

    def mark(self, purpose: Purpose) -> int:
        """What the contact decided of messages with a purpose: when (business ms), negative for yes, 0 for nothing."""
        return decided(self._number("consent"), self._number(f"consent:{purpose}"))

    def has_human(self, now: int) -> bool:
        """Whether a person has the chat (at business ms)."""
        return human_of(self.fields, now) is not None

    def _number(self, name: str) -> int:
        return int(self.fields.get(name) or b"0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a content may go, as its items carry it; see `Item`. `business`: nobody asked for it."""

    business: bool
    purpose: Purpose = "utility"
    opt_in: bool = False
    quiet: tuple[int, int] | None = None
    cap: tuple[int, int] | None = None
    expires: int | None = None
    deliver_at: int | None = None

    @property
    def whole(self) -> bool:
        """Whether a content of several messages goes or stays as a whole for one of these."""
        return self.business or self.expires is not None

    def on(self, item: Item) -> Item:
        """An item with these; a cap counts contents, so that the rest of one has none."""
        return replace(
            item, business=self.business, purpose=self.purpose, opt_in=self.opt_in, quiet=self.quiet, expires=self.expires,
            cap=None if item.rest else self.cap, deliver_at=self.deliver_at, leads=item.leads and self.deliver_at is None,
        )  # fmt: skip

    def expected(self, outcome: Outcome, standing: Standing | None, now: int) -> Outcome:
        """What is expected of a message that would become `outcome` by the window alone."""
        why = withheld(
            business=self.business, purpose=self.purpose, opt_in=self.opt_in, mark=standing.mark(self.purpose) if standing else 0,
            human=standing is not None and standing.has_human(now), expires=self.expires, now=now,
        )  # fmt: skip
        if why is not None:
            return Skipped(REASONS[why])
        ends = quiet_until(self.quiet, max(now, self.deliver_at or 0))
        return Deferred(_moment(ends), "quiet", outcome.id) if ends is not None and isinstance(outcome, Queued) else outcome


ANSWER: Final = Manners(business=False)
"""Those of an answer of which nothing is asked."""


def manners(
    holds: Policy, delivery: Delivery, *, business: bool, contact: Contact | None, now: int, due: int, asked: int | None
) -> Manners:  # fmt: skip
    """What items carry of a policy and of what is asked of the platform.

    `due` is when it is to be sent (business ms), for the hours of then; `asked` when the contact wrote what this answers, None where it is
    no answer. Raises ValueError where it is to be delivered more than a year ahead.
    """
    deliver_at = _ms(delivery.at)
    if deliver_at is not None and deliver_at > now + FURTHEST // timedelta(milliseconds=1):
        raise ValueError("Delivery(at=...) is within a year")
    late = None
    if asked is not None and isinstance(holds.answer_within, timedelta):
        late = asked + holds.answer_within // timedelta(milliseconds=1)
    ends = [moment for moment in (late, _ms(delivery.until)) if moment is not None]
    given = Manners(business=business, expires=min(ends) if ends else None, deliver_at=deliver_at)
    if not business:
        return given
    purpose = holds.purpose or "utility"
    quiet = cap = None
    if holds.quiet:
        at = _moment(max(due, deliver_at or 0))
        zone = zone_of(
            contact.address if contact is not None else "", known=contact.timezone if contact is not None else None,
            default=holds.quiet.zone, at=at,
        )  # fmt: skip
        quiet = in_utc(holds.quiet.start, holds.quiet.end, zone=zone, at=at)
    if holds.cap:
        cap = (holds.cap.most, holds.cap.within // timedelta(milliseconds=1))
    to_one = contact is not None  # a group or a newsletter opts in by joining
    return replace(given, purpose=purpose, opt_in=to_one and purpose == "marketing" and holds.opt_in == "required", quiet=quiet, cap=cap)


def delivered(rendered: Rendered, delivery: Delivery, *, meta: bool) -> Rendered:
    """The requests with what the platform is asked to heed, in each variant that can have it (contract 3.3).

    Read marks are Meta's alone (elsewhere they have no effect), and only a template's text may be varied. The labels go with the first
    request: they are put on the contact.
    """
    every: dict[str, object] = {
        "deliver_at": _utc(delivery.at), "deliver_until": _utc(delivery.until), "mark_read": delivery.mark_read if meta else None
    }  # fmt: skip
    every = {name: value for name, value in every.items() if value is not None}
    once = {"labels": delivery.labels} if delivery.labels else {}
    varied = {} if delivery.ai_rewrite is None else {"marketing_options": MarketingOptions(ai_rewrite_enabled=delivery.ai_rewrite)}

    def asked(part: Part, first: bool) -> Part:
        more = every | once if first else every
        return replace(part, free=_with(part.free, more), template=_with(part.template, more | varied))

    return Rendered(tuple(asked(part, index == 0) for index, part in enumerate(rendered.parts)))


def _with(request: SendRequest | None, more: Mapping[str, object]) -> SendRequest | None:
    return request.model_copy(update=dict(more)) if request is not None and more else request


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
