"""All that is given to say something: the content, what replaces parts of it, how it may go, and the values of its Jinja."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pilotbot.replies.files import File
from pilotbot.replies.menu import Menu
from pilotbot.replies.messages import Message, Template
from pilotbot.replies.offers import Offer
from pilotbot.replies.policy import Delivery, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What `ctx.reply`, `ctx.notify`, `ctx.follow_up` and those of a bot were given; see `Context.reply`.

    A menu as the content is its next page.
    """

    content: str | Message | Menu = field(repr=False)
    options: Sequence[Offer] | None = field(default=None, repr=False)
    media: File | None = None
    template: Template | None = None
    policy: Policy | None = None
    delivery: Delivery | None = None
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
