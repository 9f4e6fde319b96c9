"""From the record of a message to what handlers and people are shown of it."""

from datetime import UTC, datetime

import orjson

from pilotbot.engine import Record
from pilotbot.platform import MessageStatus
from pilotbot.replies import Menu, Option, SentMessage
from pilotbot.replies.sent import read_posted


def sent_message(record: Record, name: str) -> SentMessage:
    """A message of ours by its record; `name` is the id that the platform gave it."""
    posted = read_posted(record.kept.body(record.pin)) if record.kept is not None and record.pin is not None else read_posted(b"")
    menu = Menu.load(orjson.loads(record.menu)) if record.menu else None
    reached = sorted(record.times.items(), key=lambda one: one[1])
    times = {"accepted": record.known, **dict(reached)} if record.chat is not None else dict(reached)
    return SentMessage(
        id=name, mode=record.mode, template=record.template, text=posted.text, variables=posted.variables,
        options=menu.options if menu is not None else tuple(map(Option, posted.labels)),
        statuses={status: datetime.fromtimestamp(at / 1000, UTC) for status, at in times.items()}, status=record.status,
        error_code=record.code, cause=record.cause or None, cost=record.cost,
    )  # fmt: skip


def as_the_platform_says(found: MessageStatus) -> SentMessage:
    """A message that only the platform knows of."""
    reached = {"accepted": found.created_at, "sent": found.sent_at, "delivered": found.delivered_at, "read": found.read_at}
    status = found.status.lower()
    return SentMessage(
        id=found.id, mode="template" if found.template else "", template=found.template,
        statuses={name: at for name, at in reached.items() if at is not None}, status=None if status == "queued" else status,
        error_code=found.error_code, cost=found.category,
    )  # fmt: skip
