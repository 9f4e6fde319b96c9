"""A conversation written down as a `.chat` file, which `pilotbot test` plays again (docs/testing.md has the grammar)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from pilotbot.sandbox.masking import Mask, sample_name, sample_phone
from pilotbot.sandbox.records import Json

GAP_S = 300  # from which on it is told that time passed
BY_ITSELF_S = 60  # after which a message of the bot is no answer any more
QUOTED = 40  # characters that a quoted message is known by
HEAD = "# Personal data are masked by rule: read it before you keep it, and name your bot below, as in bot: bots/orders.py"
GROUP = "120363000000000001@g.us"
HOUR_S, DAY_S = 3600, 86_400

Escapes = Mapping[int, str]
Say = Callable[[str, Escapes], str]
"""Writes down a text with these characters escaped."""

_CONTACTS = str.maketrans({"\\": r"\\", "[": r"\[", "{": r"\{"})
_CONTACTS_QUOTED = _CONTACTS | str.maketrans({'"': r"\"", "\n": r"\n"})
_BOTS = _CONTACTS | str.maketrans({"*": r"\*"})
_BOTS_QUOTED = _CONTACTS_QUOTED | _BOTS
_LABEL = _CONTACTS | str.maketrans({"]": r"\]", "\n": r"\n"})
_BOTS_LABEL = _LABEL | _BOTS
_FILES = ("image", "video", "document", "audio", "voice", "sticker")
_KEYWORD = re.compile(rf"nothing\s*$|(?:template|{'|'.join(_FILES)})(?:\s|$)")
_COMMAND = re.compile(r"/|tap(?:\s|$)")


def _whole(text: str, escapes: Escapes) -> str:
    return text.translate(escapes)


def answer_lines(row: Json, say: Say = _whole) -> list[str]:
    """A message of the bot as the lines that expect just that.

    Args:
        row: as `message_row` shows it. Where its `buttons` are None, nobody knows which there were.
        say: what writes down the bot's texts; all of them as they are without it.
    """
    labels = "".join(f" [{say(str(option['label']), _BOTS_LABEL)}]" for option in _options(row))
    options = "   [*]" if row["buttons"] is None else f"  {labels}" if labels else ""
    if row["template"]:
        return [f"< template {row['template']}{_variables(row, say, _BOTS_QUOTED)}"]
    kind, text = _kind(row), _text(row)
    if not text:
        return [f"< {kind or '*'}{options}"]
    if not kind and _KEYWORD.match(text):
        return [f'< "{say(text, _BOTS_QUOTED)}"{options}']
    return _lines(f"< {kind} " if kind else "< ", say(text, _BOTS), options)


def chat_file(rows: Sequence[Json], chat: Json, *, kind: str = "meta") -> str:
    """A whole conversation with a contact or in a group, personal data masked.

    Args:
        rows: its messages as `message_row` shows them, in order.
        chat: the chat as `chat_row` shows it.
        kind: the kind of our number.
    """
    return "\n".join([HEAD, *([f"number: {kind}"] if kind != "meta" else []), *_Writer(rows, chat).lines(), ""])


class _Writer:
    def __init__(self, rows: Sequence[Json], chat: Json) -> None:
        self._rows = [row for row in rows if row["direction"] == "in" or _arrives(row)]
        self._group = chat["kind"] == "group"
        people = [] if self._group else [(str(chat["contact"]), _name(chat["name"]))]
        for row in self._rows:
            if row["direction"] == "in":
                people.append((_who(row), _name(row["authorName"])))
                people += [(str(card["phone"]), _name(card["name"])) for card in _dicts(row["contacts"])]
        people += [(str(member["contact"]), _name(member["name"])) for member in _dicts(chat.get("members"))]
        self._people = list(dict.fromkeys(address for address, _ in people))
        self._mask = Mask(people)
        self._acts = 0

    def lines(self) -> Iterator[str]:
        """The lines of the file, but for its head."""
        before: float | None = None
        answered = False  # whether what the bot says now is an answer
        if self._group:
            yield from ("", *self._turn(0))
        for at, row in enumerate(self._rows):
            now = datetime.fromisoformat(str(row["createdAt"])).timestamp()
            waited = 0 if before is None else now - before
            if waited >= GAP_S:
                yield ""
                yield f"... {_span(waited)}"
            answered = answered and waited < BY_ITSELF_S
            if row["direction"] == "in":
                yield ""
                place = self._people.index(_who(row))
                if place != self._acts:
                    yield from self._turn(place)
                done = list(self._act(at, row))
                answered = bool(done)
                yield from done or [f"# the contact sent something that cannot be written here ({row['type']})"]
            elif row["fromMe"]:
                yield "# somebody answered by hand here"
            else:
                lines = answer_lines(row, self._said)
                if not answered and (not _text(row) or _kind(row)):
                    yield "# the bot sent this by itself, which a file cannot have it do"
                    lines = [f"# {line}" for line in lines]
                elif not answered:
                    yield from self._by_itself(row)
                    answered = True
                yield from lines
            before = now

    def _turn(self, place: int) -> Iterator[str]:
        """Who acts from here on."""
        yield f"@ {sample_name(place)} {sample_phone(place)}"
        if self._group:
            yield f"@ group Group {GROUP}"
        self._acts = place

    def _act(self, at: int, row: Json) -> Iterator[str]:
        """What the contact did; nothing where that cannot be said."""
        text = self._mask.heard(_text(row))
        quoted = self._sent(at, row["quoted"])
        labels = [str(option["label"]) for option in _options(quoted)] if quoted else []
        reaction, place, cards = row["reaction"], row["location"], _dicts(row["contacts"])
        if self._group and row["type"] not in {None, "text"}:
            return  # a file can have people only write there
        if isinstance(reaction, dict):
            emoji = "".join(self._mask.heard(str(reaction["emoji"])).split())  # nobody checked that it is one
            yield f"> /react {emoji or '-'}{self._one_of(at, reaction['message'])}"
        elif isinstance(place, dict):
            # Two digits behind the point are a kilometre: enough for a district, too little for a door.
            name = _free(self._mask.heard(str(place.get("name") or "")).strip())
            yield from _lines(f"> /location {place['latitude']:.2f} {place['longitude']:.2f} ", name)
        elif cards:
            places = [self._people.index(str(card["phone"])) for card in cards]
            yield from _lines("> /card ", "\n".join(f"{sample_name(each)} {sample_phone(each)}" for each in places))
        elif row["mode"] == "media":
            yield from _lines(f"> /{row['type'] if row['type'] in _FILES else 'document'} * ", _free(text))
        elif quoted and row["text"] in labels and not self._group:
            yield from _lines("> tap ", _free(text))
        elif quoted and quoted["direction"] == "out" and text and not self._group:
            yield from _lines(f'> /quote "{self._known_by(quoted)}" ', _free(text))
        elif _COMMAND.match(text):
            yield f'> "{text.translate(_CONTACTS_QUOTED)}"'
        elif text:
            yield from _lines("> ", _free(text))

    def _by_itself(self, row: Json) -> Iterator[str]:
        """What has the bot write by itself, as it did."""

        def heard(value: str, escapes: Escapes) -> str:
            return self._mask.heard(value).translate(escapes)

        more = f" template {row['template']}{_variables(row, heard, _CONTACTS_QUOTED)}" if row["template"] else ""
        labels = "" if row["template"] else "".join(f" [{heard(str(option['label']), _LABEL)}]" for option in _options(row))
        yield ""
        yield f'! notify "{heard(_text(row), _CONTACTS_QUOTED)}"{more}{f"  {labels}" if labels else ""}'

    def _said(self, text: str, escapes: Escapes) -> str:
        return self._mask.said(text, lambda part: part.translate(escapes), self._acts)

    def _sent(self, at: int, name: object) -> Json | None:
        """The message before that one with this id, of either kind."""
        return next((row for row in reversed(self._rows[:at]) if name and name in {row["id"], row["messageId"]}), None)

    def _one_of(self, at: int, name: object) -> str:
        """Which message of the bot is meant, where it is not the newest."""
        meant = self._sent(at, name)
        newest = next((row for row in reversed(self._rows[:at]) if row["direction"] == "out" and not row["fromMe"]), None)
        return "" if meant is None or meant is newest or not _text(meant) else f' "{self._known_by(meant)}"'

    def _known_by(self, row: Json) -> str:
        """The beginning of a message, cut at a blank, where nothing is cut in two."""
        said = self._said(_text(row).partition("\n")[0], _BOTS_QUOTED)
        cut = said.rfind(" ", 1, QUOTED) if len(said) > QUOTED else -1
        return said[:cut] if cut > 0 else said


def _free(text: str) -> str:
    """What a contact wrote, where a quote at its beginning would begin a text in quotes."""
    escaped = text.translate(_CONTACTS)
    return f"\\{escaped}" if escaped.startswith('"') else escaped


def _lines(prefix: str, text: str, options: str = "") -> list[str]:
    """A text as lines: each further one after two blanks, an empty one as a backslash; the options end the last."""
    if text.startswith('"') and prefix == "< ":
        text = f"\\{text}"
    first, *more = (line.rstrip() for line in text.split("\n"))
    lines = [f"{prefix}{first}".rstrip(), *(f"  {line or chr(92)}" for line in more)]
    lines[-1] += options
    return lines


def _variables(row: Json, say: Say, escapes: Escapes) -> str:
    found = row["variables"]
    return "".join(f' {name}="{say(str(value), escapes)}"' for name, value in found.items()) if isinstance(found, dict) else ""


def _kind(row: Json) -> str:
    """Which kind of file comes with a message of the bot; empty for none."""
    header = row["header"] if isinstance(row["header"], dict) else {}
    return str(header["type"]) if header.get("type", "text") != "text" else str(row["type"]) if row["media"] else ""


def _text(row: Json) -> str:
    return str(row["text"] or row["caption"] or "").strip()


def _arrives(row: Json) -> bool:
    """Whether the contact sees it: not what failed, was taken back, or waits for its time."""
    return row["status"] not in {"FAILED", "CANCELED"} and not (row["status"] == "QUEUED" and row.get("deliverAt"))


def _options(row: Json) -> list[Json]:
    return _dicts(row["buttons"])


def _dicts(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def _who(row: Json) -> str:
    return str(row["author"] or row["contact"])


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _span(seconds: float) -> str:
    """A span of time: to the minute where a window may close within it, then to the hour, then to the day; never longer than it was."""
    exact = int(seconds)
    unit = 60 if exact < DAY_S + HOUR_S else HOUR_S if exact < 3 * DAY_S else DAY_S
    exact -= exact % unit
    days, rest = divmod(exact, DAY_S) if exact >= 3 * DAY_S else (0, exact)
    parts = ((days, "d"), (rest // HOUR_S, "h"), (rest % HOUR_S // 60, "m"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
