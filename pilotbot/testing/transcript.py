"""A chat as people read it, with what the bot made of each message: what a failing test shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pilotbot.server.journal import TurnNote
from pilotbot.testing.answers import Answer
from pilotbot.testing.wording import printable

GAP = timedelta(minutes=5)  # that is told
WHO = 12  # columns
ENDS = {"committed": "", "running": ", and did not come to its commit"}


def told(rows: Sequence[Mapping[str, Any]], turns: Mapping[str, Sequence[TurnNote]]) -> str:
    """Messages of one chat, in order, as lines.

    Args:
        rows: as the sandbox shows them.
        turns: what became of the contact's messages, by their provider's ids; the last one is told with all handlers that were tried.
    """
    asked = [row["messageId"] for row in rows if row["direction"] == "in"]
    lines: list[str] = []
    before: datetime | None = None
    for row in rows:
        at = datetime.fromisoformat(row["createdAt"])
        if before is not None and at - before >= GAP:
            lines.append(f"  ... {_span(at - before)} later")
        before = at
        lines += _message(row)
        if row["direction"] == "in":
            lines += _routed(turns.get(row["messageId"], ()), whole=row["messageId"] == asked[-1])
    return printable("\n".join(lines))


def _message(row: Mapping[str, Any]) -> list[str]:
    if row["direction"] == "in":
        kind = "" if row["mode"] == "text" else f"[{row['type']}] "
        return _said(row["authorName"] or row["author"] or "?", f"{kind}{row['text'] or row['caption'] or ''}")
    answer = Answer.read(row)
    mode = f"[template {answer.template}]" if answer.template else f"[{answer.media_kind or answer.mode}]"
    labels = "".join(f"  [{label}]" for label in answer.options)
    failed = f" {answer.error_code}" if answer.error_code else ""
    return _said("bot", f"{mode} {answer.wording}{labels}  ({answer.status}{failed})")


def _said(who: str, text: str) -> list[str]:
    first, *more = text.split("\n")
    called = who if len(who) < WHO else f"{who[: WHO - 2]}…"
    return [f"  {called:<{WHO}}{first}".rstrip(), *(f"  {'':<{WHO}}{line}".rstrip() for line in more)]


def _routed(notes: Sequence[TurnNote], *, whole: bool) -> list[str]:
    lines: list[str] = []
    for note in notes:
        if note.handler is not None:
            lines.append(f"-> {note.handler.name}  ({note.handler.where})" + ENDS.get(note.end, f", {note.end}"))
        elif note.end == "committed" and not note.said:
            lines.append("-> nobody took it")
        if whole:
            lines += [f"     not {one.handler.name}  ({one.handler.where}): {one.reason}" for one in note.tried]
        if note.error is not None:
            lines.append(f"     raised {note.error}" + (f"  ({note.place})" if note.place else ""))
    return [f"  {'':<{WHO}}{line}" for line in lines]


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    days, hours = divmod(minutes // 60, 24)
    return " ".join(f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes % 60, "min")) if count)
