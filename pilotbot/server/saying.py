"""From what is said to what is stored: rendered content becomes outbox items, in the order of sending."""

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
    Destination,
    Menu,
    Policy,
    Queued,
    Rendered,
    Saying,
    Skipped,
    forecast,
    render,
    window_enforced,
)
from pilotbot.settings import NumberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One content, ready to be stored: its items in the order of sending, and what is expected of it."""

    items: tuple[Item, ...]
    menu: Menu | None
    outcome: Outcome


class Numbers:
    """The configured numbers by name, and what each may send."""

    def __init__(self, numbers: Sequence[NumberSettings]) -> None:
        self._by_name = {number.name: number for number in numbers}

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
    given: Mapping[str, object],
) -> Said:  # fmt: skip
    """Render what is said into items.

    `contact` is who it goes to, None where nobody is known; `seen` the window as it is now (for the forecast), `policy` what holds where
    the call leaves it out, `base` what the items' ids derive from, `given` the values that Jinja can name beside those of the call.
    """
    holds = (saying.policy or Policy()).over(policy).over(DEFAULT)
    closed = holds.closed or "defer"
    rendered = render(
        saying.content, to=to, kind=number.kind, values={**given, **saying.values}, options=saying.options, media=saying.media,
        template=saying.template,
    )  # fmt: skip
    enforced = window_enforced(number.kind, to)
    until = datetime.fromtimestamp((now + HOLD) / 1000, UTC)
    outcome = forecast(rendered, enforced=enforced, window_open=seen.free, closed_policy=closed, until=until)
    items = _items(rendered, base=base, enforced=enforced, closed=closed)
    menu = replace(rendered.menu, id=items[-1].id) if rendered.menu is not None else None
    return Said(items=items, menu=menu, outcome=outcome)


def _items(rendered: Rendered, *, base: str, enforced: bool, closed: ClosedPolicy) -> tuple[Item, ...]:
    has_template, several = rendered.parts[0].template is not None, len(rendered.parts) > 1
    items = []
    for ordinal, part in enumerate(rendered.parts):
        name = derived_id(base, ordinal)
        items.append(
            Item(
                id=name,
                free=part.free.to_bytes() if part.free else b"",
                template=part.template.to_bytes() if part.template else b"",
                menu=orjson.dumps(replace(part.menu, id=name).dump()) if part.menu else b"",
                enforced=enforced,
                closed=closed,
                group=base if several and has_template else "",
                rest=part.rest and has_template,
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
    return "waits until the contact writes"


def whole(value: bytes | None) -> int | None:
    """A stored number, None where there is none."""
    return int(value) if value else None
