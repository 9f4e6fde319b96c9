"""A conversation written down as a `.chat` file, which `pilotbot test` plays again (docs/testing.md has the grammar)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from pilotbot.sandbox.masking import Mask, sample_name, sample_phone
from pilotbot.sandbox.records import Json

GAP_S = 300  # from which on it is told that time passed
BY_ITSELF_S = 60  # after which a message of the bot is no answer any more
QUOTED = 40  # characters that a quoted message is known by
HEAD = "# Personal data are masked by rule; read it once more before you keep it."

_ESCAPES = str.maketrans({"\\": r"\\", "*": r"\*", "[": r"\[", "{": r"\{"})
_IN_QUOTES = _ESCAPES | str.maketrans({'"': r"\"", "\n": r"\n"})
_LABEL = _ESCAPES | str.maketrans({"]": r"\]", "\n": r"\n"})
_FILES = ("image", "video", "document", "audio", "voice", "sticker")
_KEYWORD = re.compile(rf'"|nothing\s*$|(?:template|{"|".join(_FILES)})(?:\s|$)')
_COMMAND = re.compile(r'"|/|tap(?:\s|$)')


def answer_lines(row: Json, mask: Mask | None = None) -> list[str]:
    """A message of the bot, as `message_row` shows it, as the lines that expect just that. Where `buttons` is None nobody knows them."""
    labels = "".join(f" [{_said(str(option['label']), _LABEL, mask)}]" for option in _options(row))
    options = "   [*]" if row["buttons"] is None else f"  {labels}" if labels else ""
    if row["template"]:
        variables = row["variables"] if isinstance(row["variables"], dict) else {}
        given = "".join(f' {name}="{_said(str(value), _IN_QUOTES, mask)}"' for name, value in variables.items())
        return [f"< template {row['template']}{given}"]
    header = row["header"] if isinstance(row["header"], dict) else {}
    kind = str(header["type"]) if header.get("type", "text") != "text" else str(row["type"]) if row["media"] else ""
    text = str(row["text"] or row["caption"] or "").strip()
    if not text:
        return [f"< {kind or '*'}{options}"]
    if not kind and _KEYWORD.match(text):
        return [f'< "{_said(text, _IN_QUOTES, mask)}"{options}']
    first, *more = _lines(_said(text, _ESCAPES, mask))
    prefix = f"< {kind} " if kind else "< "
    return [*_joined(prefix, first, more, options)]


def chat_file(rows: Sequence[Json], chat: Json, *, kind: str = "meta") -> str:
    """A whole conversation with personal data masked. `rows` as `message_row` shows them, in order; `kind` of our number."""
    return "\n".join([HEAD, *([f"number: {kind}"] if kind != "meta" else []), *_Writer(rows, chat).lines(), ""])


class _Writer:
    def __init__(self, rows: Sequence[Json], chat: Json) -> None:
        self._rows = [row for row in rows if row["status"] not in {"FAILED", "CANCELED"} or row["direction"] == "in"]
        self._chat = chat
        people: dict[str, str | None] = {}
        for row in self._rows:
            if row["direction"] == "in":
                people[str(row["author"] or row["contact"])] = _text(row["authorName"]) or people.get(str(row["author"] or row["contact"]))
        if chat["kind"] == "contact" and not people:
            people[str(chat["contact"])] = _text(chat["name"])
        self._people = list(people)
        self._mask = Mask(people.values())
        self._acts: str | None = None

    def lines(self) -> Iterator[str]:
        before: float | None = None
        heard = False
        for at, row in enumerate(self._rows):
            now = datetime.fromisoformat(str(row["createdAt"])).timestamp()
            if before is not None and now - before >= GAP_S:
                yield ""
                yield f"... {_span(now - before)}"
                heard = False
            if row["direction"] == "in":
                yield ""
                yield from self._turn(row)
                yield from self._act(at, row)
                heard = True
            elif row["fromMe"]:
                yield "# somebody answered by hand here"
            else:
                if not heard or (before is not None and now - before >= BY_ITSELF_S):
                    yield from self._notify(row)
                    heard = True
                yield from answer_lines(row, self._mask)
            before = now

    def _turn(self, row: Json) -> Iterator[str]:
        """Who acts, where that changes."""
        who = str(row["author"] or row["contact"])
        if who == self._acts:
            return
        place = self._people.index(who)
        if self._acts is not None or place or self._chat["kind"] != "contact":
            yield f"@ {sample_name(place)} {sample_phone(place)}"
        if self._chat["kind"] == "group":
            yield f"@ group Group {self._chat['contact']}"
        self._acts = who

    def _act(self, at: int, row: Json) -> Iterator[str]:
        text = self._mask.heard(str(row["text"] or row["caption"] or "")).strip()
        quoted = next((each for each in self._rows[:at] if row["quoted"] and each["messageId"] == row["quoted"]), None)
        reaction, place, cards = row["reaction"], row["location"], row["contacts"]
        if isinstance(reaction, dict):
            yield f"> /react {reaction['emoji'] or '-'}"
        elif isinstance(place, dict):
            yield f"> /location {place['latitude']:g} {place['longitude']:g} {_plain(str(place.get('name') or ''))}".rstrip()
        elif isinstance(cards, list):
            people = [f"{sample_name(card + 4)} {sample_phone(card + 4)}" for card in range(len(cards))]
            yield from _joined("> /card ", people[0], people[1:], "")
        elif row["mode"] == "media":
            file = row["type"] if row["type"] in _FILES else "document"
            first, *more = _lines(_plain(text))
            yield from _joined(f"> /{file} * ", first, more, "")
        elif quoted is not None and row["text"] in [option["label"] for option in _options(quoted)]:
            yield f"> tap {_plain(str(row['text']))}"
        elif quoted is not None and quoted["direction"] == "out":
            known = _said(str(quoted["text"] or quoted["caption"] or "")[:QUOTED], _IN_QUOTES, self._mask)
            first, *more = _lines(_plain(text))
            yield from _joined(f'> /quote "{known}" ', first, more, "")
        elif _COMMAND.match(text):
            yield f'> "{_plain(text, _IN_QUOTES)}"'
        elif text:
            first, *more = _lines(_plain(text))
            yield from _joined("> ", first, more, "")
        else:
            yield f"# the contact sent something that cannot be written here ({row['type']})"

    def _notify(self, row: Json) -> Iterator[str]:
        """What has the bot write by itself, as it did."""
        text = _plain(self._mask.heard(str(row["text"] or row["caption"] or "")), _IN_QUOTES)
        more = f" template {row['template']}" if row["template"] else ""
        variables = row["variables"] if isinstance(row["variables"], dict) else {}
        more += "".join(
            f' {name}="{_plain(self._mask.heard(str(value)), _IN_QUOTES)}"' for name, value in variables.items() if row["template"]
        )
        labels = " ".join(f"[{_plain(str(option['label']), _LABEL)}]" for option in _options(row) if not row["template"])
        yield f'! notify "{text}"{more}{"   " + labels if labels else ""}'


def _said(text: str, escapes: dict[int, str], mask: Mask | None) -> str:
    """What the bot said, as a pattern: what is not told is a star, the contact's name its variable."""
    pieces = mask.said(text) if mask is not None else [text]
    return "".join("*" if piece is None else piece.translate(escapes) if piece else "{contact.name}" for piece in pieces)


def _plain(text: str, escapes: dict[int, str] | None = None) -> str:
    """What a contact wrote: a star in it is a star by itself."""
    kept = dict(escapes if escapes is not None else _ESCAPES)
    del kept[ord("*")]
    return text.translate(kept)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().split("\n")]


def _joined(prefix: str, first: str, more: Sequence[str], options: str) -> Iterator[str]:
    """Lines of one text: each further one after two blanks, an empty one as a backslash; the options end the last."""
    lines = [f"{prefix}{first}".rstrip(), *(f"  {line if line.strip() else chr(92)}" for line in more)]
    lines[-1] += options
    return iter(lines)


def _options(row: Json) -> list[Json]:
    found = row["buttons"]
    return [option for option in found if isinstance(option, dict)] if isinstance(found, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _span(seconds: float) -> str:
    """A span of time, to the minute."""
    minutes = max(1, round(seconds / 60))
    days, hours = divmod(minutes // 60, 24)
    return "".join(f"{count}{unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes % 60, "m")) if count)
