"""The choice of mode at the moment of sending (design section 6), and what is told to whoever sends.

| free-form there | template there | window binds | window open | goes as |
|---|---|---|---|---|
| yes | any | no | any | free |
| yes | any | yes | yes | free |
| no | yes | any | any | template |
| any | yes | yes | no | template |
| yes | no | yes | no | the policy: defer, skip or fail |
| no | no | any | any | fail |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from pilotbot.platform.fields import Mode
from pilotbot.replies.policy import ClosedPolicy, Purpose
from pilotbot.replies.render import Rendered


@dataclass(frozen=True, slots=True)
class Queued:
    """It will be sent, as `expected_mode` if the window is then as it is now. `id` is what `cancel` takes."""

    expected_mode: Mode
    id: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Deferred:
    """It waits until the contact writes, or is given up at `until` (aware; None when that is not known here).

    `why` is "quiet" where it waits for the end of quiet hours, at `until`. `id` is what `cancel` takes.
    """

    until: datetime | None = None
    why: Literal["window", "quiet"] = "window"
    id: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Planned:
    """It is to be sent `at` (aware, UTC), decided then; `key` names it, to be cancelled or replaced."""

    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """It will not be sent: `reason` says why and what to do; `failed` when the policy counts that as a failure."""

    reason: str
    failed: bool = False


def choose(
    *, has_free: bool, has_template: bool, enforced: bool, window_open: bool, closed_policy: ClosedPolicy
) -> Literal["free", "template", "defer", "skip", "fail"]:
    """Decide how an item goes now; the table is this module's docstring.

    Args:
        has_free: the item has a free-form variant.
        has_template: the item has a template variant.
        enforced: the window binds this destination (`window_enforced`).
        window_open: the contact's window is open, margin taken off.
        closed_policy: what to do when only free-form is there and may not go.
    """
    if has_free and (window_open or not enforced):
        return "free"
    if has_template:
        return "template"
    return closed_policy if has_free else "fail"


Withheld = Literal["replied", "opted-out", "too-old", "no-opt-in", "handed-over", "capped"]
"""Why a message is left out, whatever the window: as logs, counts and the journal have it."""

REASONS: Final[Mapping[Withheld, str]] = {
    "replied": "the contact wrote since",
    "opted-out": "the contact opted out of messages that they did not ask for",
    "too-old": "it could not go within the time that it was given",
    "no-opt-in": 'the contact did not opt in to marketing: note it where they do, or say policy=Policy(opt_in="assumed")',
    "handed-over": "a person has this chat: no marketing goes meanwhile",
    "capped": "the chat had as many messages as its cap allows",
}


def decided(everything: int, purpose: int) -> int:
    """Return which of two decisions of a contact holds: the later one, for all messages or for those of a purpose.

    Each is when it was made (business ms), negative where it was a yes, 0 where there is none.
    """
    return purpose if abs(purpose) > abs(everything) else everything


def withheld(
    *, business: bool, purpose: Purpose, opt_in: bool, mark: int, human: bool, expires: int | None, now: int
) -> Withheld | None:  # fmt: skip
    """Say why a message may not be posted first, whatever the window; None where it may.

    The lane does the same (`barred` and `withheld` of engine/scripts/lane.lua), compared with this by a property test; it also knows of
    caps, and of what waits for silence.

    Args:
        business: nobody asked for it.
        purpose: what it is about.
        opt_in: an opt-in is needed for it.
        mark: what the contact decided, see `decided`.
        human: a person has the chat.
        expires: when it is too late to post it, business ms; None for never.
        now: business ms.
    """
    if business and mark > 0:
        return "opted-out"
    if expires is not None and now >= expires:
        return "too-old"
    if not business or purpose != "marketing":
        return None
    if opt_in and mark >= 0:
        return "no-opt-in"
    return "handed-over" if human else None


def forecast(
    rendered: Rendered,
    *,
    enforced: bool,
    window_open: bool,
    closed_policy: ClosedPolicy,
    until: datetime | None = None,
    name: str = "",
) -> Queued | Deferred | Skipped:
    """Say what `choose` would decide now, as `ctx.reply` returns it; never raises for a policy. `name` is the outcome's id."""
    first = rendered.parts[0]
    goes = choose(
        has_free=first.free is not None,
        has_template=first.template is not None,
        enforced=enforced,
        window_open=window_open,
        closed_policy=closed_policy,
    )
    if goes == "free":
        return Queued(rendered.mode, name)
    if goes == "template":
        return Queued("template", name)
    if goes == "defer":
        return Deferred(until, id=name)
    return Skipped(first.template_problem or "the window is closed and no template is given: add one.", goes == "fail")
