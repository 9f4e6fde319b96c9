"""What stands after `>`, `!`, `@` and `...` in a `.chat` file: what a contact does, what happens, who acts, time that passes."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from pilotbot.testing.reading import Reader
from pilotbot.testing.script import (
    MEDIA,
    Crashes,
    Delivers,
    Does,
    Doing,
    Misbehaves,
    Notifies,
    Pairs,
    Places,
    Quotes,
    Reacts,
    Redelivers,
    Restarts,
    Says,
    Sends,
    Shares,
    Shuffles,
    Taps,
    Turn,
    Waits,
)

LONGEST: Final = 3650 * 86_400  # seconds

_SPAN = re.compile(r"(?:[0-9]{1,9}[smhd])+")
_PART = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ADDRESS = re.compile(r"\+[0-9]{7,15}|[A-Z]{2}\.[0-9]+|[0-9][0-9-]*@g\.us|[0-9]+@newsletter")


# --- what the contact does ---------------------------------------------------------------------------------------------------------


def act(reader: Reader) -> Doing:
    """What stands after `>`."""
    word = reader.peek_word()
    if word == "tap":
        word = "/tap"
    if not word.startswith("/"):
        text = reader.whole_text()
        return Says(text) if text else reader.fail("the contact says nothing", "write a text after >")
    reader.word()
    make = _ACTS.get(word)
    if make is None:
        reader.fail_at_word(
            f"{word} is nothing that a contact does", f'write one of {" ".join(_ACTS)}, or put a text in quotes: "{word[:20]}"'
        )
    doing = make(reader)
    reader.end()
    return doing


def _tap(reader: Reader) -> Doing:
    label = reader.whole_text()
    return Taps(label) if label else reader.fail("a tap on nothing", "write the label: > tap Track")


def _quote(reader: Reader) -> Doing:
    if reader.peek() != '"':
        reader.fail("what is quoted is missing", 'write > /quote "a part of the message" text')
    message = reader.quoted(pattern=True)
    text = reader.whole_text()
    return Quotes(message, text) if text else reader.fail("the contact says nothing", "write a text after what is quoted")


def _sends(kind: str) -> Callable[[Reader], Doing]:
    def sends(reader: Reader) -> Doing:
        file = reader.plain_word() or reader.fail("a file is missing", f"write its path, a URL or * for a sample: > /{kind} photo.png")
        return Sends(kind, file, reader.whole_text())

    return sends


def _location(reader: Reader) -> Doing:
    latitude, longitude = reader.number(-90, 90), reader.number(-180, 180)
    return Places(latitude, longitude, reader.whole_text())


def _card(reader: Reader) -> Doing:
    cards = []
    for line in reader.lines_to_end():
        name, _, phone = line.rpartition(" ")
        if not name.strip() or not _ADDRESS.fullmatch(phone):
            reader.fail("a card needs a name and a phone", "write > /card Bia +5511987650002")
        cards.append((name.strip(), phone))
    return Shares(tuple(cards))


def _react(reader: Reader) -> Doing:
    emoji = reader.word() or reader.fail("an emoji is missing", "write > /react 👍, or > /react - to take it back")
    message = reader.quoted(pattern=True) if reader.peek() == '"' else None
    return Reacts("" if emoji == "-" else emoji, message)


_ACTS: Final[Mapping[str, Callable[[Reader], Doing]]] = {
    "/tap": _tap,
    "/quote": _quote,
    "/photo": _sends("image"),
    **{f"/{kind}": _sends(kind) for kind in MEDIA},
    "/location": _location,
    "/card": _card,
    "/react": _react,
    **{f"/{what}": lambda _, what=what: Does(what) for what in ("block", "unblock", "read")},  # type: ignore[misc]
}


# --- what happens ------------------------------------------------------------------------------------------------------------------


def turn(reader: Reader) -> Doing:
    """What stands after `@`."""
    words = reader.rest().split()
    reader.skip()
    group = len(words) > 1 and words[0] == "group"
    address = words[-1] if len(words) > 1 and _ADDRESS.fullmatch(words[-1]) else None
    name = " ".join(words[1 if group else 0 : -1 if address else None])
    if not name:
        reader.fail("nobody is named", "write @ Ana, or @ Ana +5511987650001 to introduce her")
    if group and address is None:
        reader.fail("a group needs its id", "write @ group Sales 120363000000000001@g.us")
    return Turn(name, address, group)


def waits(reader: Reader) -> Doing:
    """What stands after `...`."""
    span = reader.rest().replace(" ", "")
    reader.skip()
    if not _SPAN.fullmatch(span):
        reader.fail("this is no span of time", "write one such as ... 90s, 5m, 25h, 3d or 1h30m")
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(span))
    if not 0 < seconds <= LONGEST:
        reader.fail("time goes forward, by ten years at most", "write a span such as ... 25h")
    return Waits(seconds)


def happens(reader: Reader) -> Doing:
    """What stands after `!`."""
    word = reader.word()
    make = _HAPPENINGS.get(word)
    if make is None:
        reader.fail_at_word(f"{word or 'nothing'} is nothing that happens", f"write one of {', '.join(_HAPPENINGS)}")
    doing = make(reader)
    reader.end()
    return doing


def _notify(reader: Reader) -> Doing:
    options = reader.take_options()
    if reader.peek() != '"':
        reader.fail("what the bot writes is missing", 'write ! notify "Did it arrive?"')
    text = reader.quoted()
    template: str | None = None
    variables: Pairs = ()
    if reader.peek_word() == "template":
        reader.word()
        template = reader.word() or reader.fail("a template without a name", "write its name after the word template")
        variables = reader.pairs()
    return Notifies(text, template, variables, options)


def _shuffle(reader: Reader) -> Doing:
    word = reader.word() or "on"
    if word not in {"on", "off"}:
        reader.fail(f"{word} is neither on nor off", "write ! shuffle on")
    return Shuffles(word == "on")


def _faults(reader: Reader) -> Doing:
    faults: list[tuple[str, int | float | bool]] = []
    while (name := reader.name_before("=")) is not None:
        faults.append((name, _value(reader)))
    return Misbehaves(tuple(faults)) if faults else reader.fail("which faults?", "write ! faults http500=1")


def _value(reader: Reader) -> int | float | bool:
    word = reader.word()
    if word in {"true", "false"}:
        return word == "true"
    try:
        return int(word) if word.isascii() and word.isdigit() else float(word)
    except ValueError:
        reader.fail_at_word(f"{word or 'nothing'} is no number", "write a number, true or false")


def _event(reader: Reader) -> Doing:
    body = reader.rest()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        reader.fail("an event is a JSON object", 'write ! event {"event": "number.connected", "data": {}}')
    reader.skip()
    return Delivers(body)


def _crash(reader: Reader) -> Doing:
    return Crashes(reader.word() or reader.fail("after what?", "write ! crash post"))


_HAPPENINGS: Final[Mapping[str, Callable[[Reader], Doing]]] = {
    "notify": _notify,
    "restart": lambda _: Restarts(),
    "redeliver": lambda _: Redelivers(),
    "shuffle": _shuffle,
    "faults": _faults,
    "crash": _crash,
    "event": _event,
}
