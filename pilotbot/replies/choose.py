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

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pilotbot.platform.requests import Mode
from pilotbot.replies.policy import ClosedPolicy
from pilotbot.replies.render import Rendered


@dataclass(frozen=True, slots=True)
class Queued:
    """It will be sent, as `expected_mode` if the window is then as it is now."""

    expected_mode: Mode


@dataclass(frozen=True, slots=True)
class Deferred:
    """It waits until the contact writes, or is given up at `until` (aware; None when that is not known here)."""

    until: datetime | None = None


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


def forecast(
    rendered: Rendered,
    *,
    enforced: bool,
    window_open: bool,
    closed_policy: ClosedPolicy,
    until: datetime | None = None,
) -> Queued | Deferred | Skipped:
    """Say what `choose` would decide now, as `ctx.reply` returns it; never raises for a policy."""
    first = rendered.parts[0]
    goes = choose(
        has_free=first.free is not None,
        has_template=first.template is not None,
        enforced=enforced,
        window_open=window_open,
        closed_policy=closed_policy,
    )
    if goes == "free":
        return Queued(rendered.mode)
    if goes == "template":
        return Queued("template")
    if goes == "defer":
        return Deferred(until)
    return Skipped(first.template_problem or "the window is closed and no template is given: add one.", goes == "fail")
