"""From what is said to what is stored: rendered content becomes outbox items, in the order of sending."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson

from pilotbot.contacts import Window, window
from pilotbot.context import Contact, Outcome
from pilotbot.engine import (
    HOLD,
    Item,
    derived_id,
)
from pilotbot.replies import (
    DEFAULT,
    ClosedPolicy,
    Delivery,
    Destination,
    Menu,
    Message,
    Policy,
    Queued,
    Rendered,
    Saying,
    Skipped,
    forecast,
    next_page,
    render,
    window_enforced,
)
from pilotbot.server.manners import ANSWER, Standing, delivered, manners
from pilotbot.server.templates import Templates
from pilotbot.settings import NumberSettings

LANE_DEPTH = 200  # items that one lane holds, and so a content at most
_NAME = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One content, ready to be stored: its items in the order of sending, and what is expected of it."""

    items: tuple[Item, ...]
    outcome: Outcome
    withheld: bool = False
    """Whether a policy leaves it out, whatever the window."""


class Numbers:
    """The configured numbers by name, and what each may send."""

    def __init__(self, numbers: Sequence[NumberSettings], templates: Templates | None = None) -> None:
        self._by_name = {number.name: number for number in numbers}
        self.templates = templates or Templates()

    def pick(self, name: str | None) -> NumberSettings:
        """The number of that name; the only one without a name. Raises ValueError."""
        if name is None and len(self._by_name) == 1:
            return next(iter(self._by_name.values()))
        if name not in self._by_name:
            raise ValueError(f"no number is called {name!r}: PILOTBOT_NUMBERS has {', '.join(self._by_name)}")
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all numbers."""
        return tuple(self._by_name)


def say(
    saying: Saying, *, to: Destination, number: NumberSettings, contact: Contact | None, seen: Window, now: int, policy: Policy, base: str,
    given: Mapping[str, object], chat: str, standing: Standing | None = None, due: int | None = None, asked: int | None = None,
    leads: bool = False, templates: Templates | None = None,
) -> Said:  # fmt: skip
    """Render what is said into items.

    `contact` is who it goes to, None where nobody is known; `seen` the window as it is now (for the forecast), `policy` what holds where
    the call leaves it out, `base` what the items' ids derive from, `given` the values that Jinja can name beside those of the call.
    `chat` is its name in the engine. `standing` is that of a chat that did not ask for it, None for an answer to what was `asked` then
    (business ms); `due` when it is to be sent, where that is not now. `leads`: what comes after it waits until it was reported sent.
    `templates` says which language of a template goes.
    """
    template = saying.template or (saying.content.template if isinstance(saying.content, Message) else None)
    by_template = Policy(purpose=(templates or Templates()).purpose(template.name)) if template is not None else Policy()
    holds = (saying.policy or Policy()).over(policy).over(by_template).over(DEFAULT)
    closed = holds.closed or "defer"
    rendered = (
        next_page(saying.content, to=to, kind=number.kind, lists=number.lists)
        if isinstance(saying.content, Menu)
        else render(
            saying.content, to=to, kind=number.kind, values={**given, **saying.values}, options=saying.options, media=saying.media,
            template=saying.template, lists=number.lists, naming=(templates or Templates()).naming(number.name, contact),
            words=(templates or Templates()).spoken(contact),
        )
    )  # fmt: skip
    how = ANSWER
    if standing is not None or saying.delivery is not None or holds.answer_within:
        asks = saying.delivery or Delivery()
        rendered = delivered(rendered, asks, meta=number.kind == "meta")
        how = manners(
            holds, asks, business=standing is not None, contact=contact if to.kind == "contact" else None, now=now, due=due or now,
            asked=asked,
        )  # fmt: skip
    enforced = window_enforced(number.kind, to)
    until = datetime.fromtimestamp((now + HOLD) / 1000, UTC)
    outcome = forecast(
        rendered, enforced=enforced, window_open=_free(seen, how.deliver_at), closed_policy=closed, until=until,
        name=f"{chat}-{base}-{len(rendered.parts)}",
    )  # fmt: skip
    items = _items(rendered, base=base, enforced=enforced, closed=closed, whole=how.whole, at=due or now)
    if template is not None and not (templates or Templates()).show_options(template.name):
        items = tuple(replace(item, unshown=item.menu != b"") for item in items)
    if leads:
        items = (*items[:-1], replace(items[-1], leads=True))
    if how is ANSWER:
        return Said(items=items, outcome=outcome)
    expected = how.expected(outcome, standing, now)
    withheld = isinstance(expected, Skipped) and expected is not outcome
    return Said(items=tuple(how.on(item) for item in items), outcome=expected, withheld=withheld)


def _free(seen: Window, deliver_at: int | None) -> bool:
    """Whether free-form content may go, by the window of when it is to be delivered."""
    if deliver_at is None or seen.closes_at is None:
        return seen.free
    return seen.free and deliver_at < seen.closes_at.timestamp() * 1000


def items_of(name: str) -> tuple[str, list[str]]:
    """The chat and the items that an outcome's `id` names. Raises ValueError where it is none."""
    chat, _, rest = name.partition("-")
    base, _, count = rest.partition("-")
    if not (_NAME.fullmatch(chat) and base and count.isdecimal() and int(count) <= LANE_DEPTH):
        raise ValueError(f"{name!r} is no message: give the id of what reply, notify or sequence returned")
    return chat, [derived_id(base, ordinal) for ordinal in range(int(count))]


def _items(rendered: Rendered, *, base: str, enforced: bool, closed: ClosedPolicy, whole: bool, at: int) -> tuple[Item, ...]:
    """`at` is when its options are offered, business ms.

    `whole`: what becomes of the first part decides for all, also where there is no template.
    """
    several = len(rendered.parts) > 1
    together = several and (whole or rendered.parts[0].template is not None)
    items = []
    ids = [derived_id(base, ordinal) for ordinal in range(len(rendered.parts))]
    for name, part in zip(ids, rendered.parts, strict=True):
        menu = part.menu
        if menu is not None:
            menu = replace(menu, id=menu.id or ids[-1], at=at)  # a further page is of the same menu
        items.append(
            Item(
                id=name,
                free=part.free.to_bytes() if part.free else b"",
                template=part.template.to_bytes() if part.template else b"",
                menu=orjson.dumps(menu.dump()) if menu is not None else b"",
                enforced=enforced,
                closed=closed,
                group=base if together else "",
                rest=part.rest and together,
                leads=part.leads,
            )
        )
    return tuple(items)


def destination(to: str) -> Destination:
    """The destination that a normal address means."""
    if to.endswith("@g.us"):
        return Destination("group", to)
    if to.endswith("@newsletter"):
        return Destination("newsletter", to)
    return Destination("contact", to)


def window_of(fields: Mapping[str, bytes], *, enforced: bool, now: int, margin: int) -> Window:
    """A chat's window, from what is stored of it. `enforced`: whether it has one at all."""
    return window(enforced=enforced, last_inbound=whole(fields.get("in")), shut_at=whole(fields.get("shut")), now=now, margin=margin)


def expects(outcome: Outcome) -> str:
    """An outcome in a few words."""
    match outcome:
        case Queued():
            return f"queued, expected as {outcome.expected_mode}"
        case Skipped():
            return f"not sent: {outcome.reason}"
    return "waits until the contact writes" if outcome.why == "window" else f"waits for the end of quiet hours, {outcome.until:%H:%M} UTC"


def whole(value: bytes | None) -> int | None:
    """A stored number, None where there is none."""
    return int(value) if value else None
