"""The ready-made filters: what the text holds, what came with it, what an event tells.

Texts are a contact's: they are compared, capped, never run as a pattern. A reason holds only what the bot's author wrote.
"""

import inspect
import json
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final, get_args

from pilotbot.contacts.identity import canonical
from pilotbot.events.models import Alert, Call, Event, HandedOver, Inbound, Number, Status, StatusName
from pilotbot.replies import fold
from pilotbot.routing.filters import HELD, Filter, Match, Miss
from pilotbot.routing.turn import Turn

TEXT_LIMIT: Final = 4096
"""Characters of a text that filters look at: WhatsApp's own limit of a message."""

MEDIA_KINDS: Final = ("image", "audio", "video", "document", "sticker")

_MENTION = re.compile(r"@\+?([0-9]{6,15})(?![0-9])")

# --- text ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)  # a turn asks for the fold of one text once per filter
def _folded(text: str) -> str:
    """Return the folded text between spaces, so that whole words are found as ` word `."""
    return f" {fold(text[:TEXT_LIMIT])} "


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)


def _some_texts(name: str, values: tuple[str, ...]) -> None:
    if not values:
        raise ValueError(f"{name}() needs at least one text")
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{name}(): {value!r} is not a text")


class _Words(Filter):
    __slots__ = ("_miss", "_padded", "words")

    def __init__(self, words: tuple[str, ...]) -> None:
        _some_texts("words", words)
        for word in words:
            if not fold(word):
                raise ValueError(f"words({word!r}) holds no letter or digit: use exactly({word!r})")
        self.words = words
        self._padded = tuple(f" {fold(word)} " for word in words)
        self._miss = Miss(f"{self!r}: not in the text")

    async def check(self, turn: Turn) -> Match | Miss:
        text = _folded(turn.text)
        for word in self._padded:
            if word in text:
                return HELD
        return self._miss

    def __repr__(self) -> str:
        return f"words({_quoted(self.words)})"


def words(*words: str) -> Filter:
    """Hold when any of `words` is in the text as a whole word; a phrase counts as its words in that order.

    Case, accents and punctuation make no difference: `words("não")` holds for "Nao!", `words("pedido")` not for
    "pedidos".

    Args:
        words: words or phrases, each with a letter or digit.

    Raises:
        ValueError: there is no word, or one without letters and digits.
    """
    return _Words(words)


class _Exactly(Filter):
    __slots__ = ("_keys", "_miss", "texts")

    def __init__(self, texts: tuple[str, ...]) -> None:
        _some_texts("exactly", texts)
        self.texts = texts
        self._keys = frozenset(fold(text) or text.strip() for text in texts)
        self._miss = Miss(f"{self!r}: not the whole text")

    async def check(self, turn: Turn) -> Match | Miss:
        key = _folded(turn.text).strip() or turn.text.strip()
        return HELD if len(turn.text) <= TEXT_LIMIT and key in self._keys else self._miss

    def __repr__(self) -> str:
        return f"exactly({_quoted(self.texts)})"


def exactly(*texts: str) -> Filter:
    """Hold when the whole text is one of `texts`; case, accents and punctuation make no difference.

    Raises:
        ValueError: there is no text, or a blank one.
    """
    return _Exactly(texts)


class _Pattern(Filter):
    __slots__ = ("_miss", "compiled")

    def __init__(self, regex: str, *, flags: int) -> None:
        try:
            self.compiled = re.compile(regex, flags)
        except (re.error, OverflowError) as error:
            raise ValueError(f"pattern({regex!r}) is not a regular expression: {error}") from error
        self._miss = Miss(f"{self!r}: not in the text")

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.compiled.groupindex)

    async def check(self, turn: Turn) -> Match | Miss:
        found = self.compiled.search(turn.text[:TEXT_LIMIT])
        if found is None:
            return self._miss
        return Match({name: value for name, value in found.groupdict().items() if value is not None})

    def __repr__(self) -> str:
        return f"pattern({self.compiled.pattern!r})"


def pattern(regex: str, *, ignore_case: bool = True) -> Filter:
    r"""Hold when the regular expression is found in the text (its first 4,096 characters); its named groups are captures.

    A handler takes a capture by the parameter's name, converted to its annotation:
    `pattern(r"#(?P<number>\d+)")` with `number: int`. A group that took no part is absent.

    Args:
        regex: the author's expression, compiled here.
        ignore_case: whether upper and lower case are the same.

    Raises:
        ValueError: `regex` does not compile.
    """
    return _Pattern(regex, flags=re.IGNORECASE if ignore_case else 0)


class _HasText(Filter):
    __slots__ = ()

    async def check(self, turn: Turn) -> Match | Miss:
        return HELD if turn.text.strip() else Miss("has_text(): there is no text")

    def __repr__(self) -> str:
        return "has_text()"


def has_text() -> Filter:
    """Hold when there is a text, a caption or the label of a tap, and it is not blank."""
    return _HasText()


class _MentionsMe(Filter):
    __slots__ = ()

    async def check(self, turn: Turn) -> Match | Miss:
        text = turn.text[:TEXT_LIMIT]
        if turn.our_phone and "@" in text:
            ours = canonical(turn.our_phone)
            if any(canonical(f"+{digits}") == ours for digits in _MENTION.findall(text)):
                return HELD
        name = fold(turn.bot_name)
        if name and f" {name} " in _folded(text):
            return HELD
        return Miss("mentions_me(): neither our number nor the bot's name is in the text")

    def __repr__(self) -> str:
        return "mentions_me()"


def mentions_me() -> Filter:
    """Hold when the text has `@` and the digits of our number, or the bot's name as whole words. Meant for groups."""
    return _MentionsMe()


# --- the rest of an event --------------------------------------------------------------------------------------------


class _HasMedia(Filter):
    __slots__ = ("_miss", "kinds")

    def __init__(self, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            if kind not in MEDIA_KINDS:
                raise ValueError(f"has_media({kind!r}): the kinds are {_quoted(MEDIA_KINDS)}")
        self.kinds = kinds
        self._miss = Miss(f"{self!r}: the media is of another kind")

    async def check(self, turn: Turn) -> Match | Miss:
        media = turn.event.media if isinstance(turn.event, Inbound) else None
        if media is None:
            return Miss(f"{self!r}: there is no media")
        return HELD if not self.kinds or media.kind in self.kinds else self._miss

    def __repr__(self) -> str:
        return f"has_media({_quoted(self.kinds)})"


def has_media(*kinds: str) -> Filter:
    """Hold when there is a file of one of `kinds` (image, audio, video, document, sticker), or any file without kinds.

    Raises:
        ValueError: a kind that does not exist.
    """
    return _HasMedia(kinds)


class _StatusIs(Filter):
    __slots__ = ("_miss", "names_wanted")

    def __init__(self, names: tuple[str, ...]) -> None:
        known = get_args(StatusName)
        _some_texts("status_is", names)
        for name in names:
            if name not in known:
                raise ValueError(f"status_is({name!r}): the statuses are {_quoted(known)}")
        self.names_wanted = names
        self._miss = Miss(f"{self!r}: the event is another")

    async def check(self, turn: Turn) -> Match | Miss:
        event = turn.event
        return HELD if isinstance(event, Status) and event.status in self.names_wanted else self._miss

    def __repr__(self) -> str:
        return f"status_is({_quoted(self.names_wanted)})"


def status_is(*names: str) -> Filter:
    """Hold when the event is a delivery status of one of `names`: sent, delivered, read, failed.

    Raises:
        ValueError: no name, or one that does not exist.
    """
    return _StatusIs(names)


class _Tagged(Filter):
    __slots__ = ("_miss", "tags")

    def __init__(self, tags: tuple[str, ...]) -> None:
        _some_texts("tagged", tags)
        self.tags = tags
        self._miss = Miss(f"{self!r}: the contact has none of these tags")

    async def check(self, turn: Turn) -> Match | Miss:
        return HELD if not turn.tags.isdisjoint(self.tags) else self._miss

    def __repr__(self) -> str:
        return f"tagged({_quoted(self.tags)})"


def tagged(*tags: str) -> Filter:
    """Hold when the contact has one of these tags: `@bot.message(tagged("vip"))`. See `ctx.tag`. Raises ValueError without a tag."""
    return _Tagged(tags)


class _NamedSo(Filter):
    """Holds when a field of an event of the bot's own is one of some texts."""

    __slots__ = ("_miss", "cls", "field", "name", "values")

    def __init__(self, name: str, cls: type[Event], field: str, values: tuple[str, ...]) -> None:
        _some_texts(name, values)
        self.name, self.cls, self.field, self.values = name, cls, field, values
        self._miss = Miss(f"{self!r}: the {field} is another")

    async def check(self, turn: Turn) -> Match | Miss:
        held = isinstance(turn.event, self.cls) and getattr(turn.event, self.field) in self.values
        return HELD if held else self._miss

    def __repr__(self) -> str:
        return f"{self.name}({_quoted(self.values)})"


def queue_is(*queues: str) -> Filter:
    """Hold when a chat was given to a person in one of these queues. Raises ValueError without a name."""
    return _NamedSo("queue_is", HandedOver, "queue", queues)


def alert_is(*whats: str) -> Filter:
    """Hold when an alert is of one of these: "disconnected", "refused", ... Raises ValueError without a name."""
    return _NamedSo("alert_is", Alert, "what", whats)


class _ChangeIs(Filter):
    __slots__ = ("_miss", "changes")

    def __init__(self, changes: tuple[str, ...]) -> None:
        _some_texts("change_is", changes)
        for change in changes:
            if not re.fullmatch(r"[a-z][a-z_]*", change):
                raise ValueError(f"change_is({change!r}): write what follows the dot, such as 'connected'")
        self.changes = changes
        self._miss = Miss(f"{self!r}: the change is another")

    async def check(self, turn: Turn) -> Match | Miss:
        event = turn.event
        return HELD if isinstance(event, Number | Call) and event.change in self.changes else self._miss

    def __repr__(self) -> str:
        return f"change_is({_quoted(self.changes)})"


def change_is(*changes: str) -> Filter:
    """Hold when a number's or a call's event is one of `changes`: connected, ringing, ended, ... (contract 8.5).

    Raises:
        ValueError: no change, or one that is not the lower-case part after the dot.
    """
    return _ChangeIs(changes)


class _Custom(Filter):
    __slots__ = ("_fn", "_miss", "name")

    def __init__(self, fn: Callable[[Any], object], name: str) -> None:
        self._fn = fn
        self.name = name
        self._miss = Miss(f"{self!r} said no")

    async def check(self, turn: Turn) -> Match | Miss:
        answer = self._fn(turn)
        if inspect.isawaitable(answer):
            answer = await answer
        if not isinstance(answer, bool):
            raise TypeError(f"{self!r} answered a {type(answer).__name__}: return True or False")
        return HELD if answer else self._miss

    def __repr__(self) -> str:
        return f"custom({self.name})"


# The parameter is Any: authors write their own Context there, which is narrower than Turn.
def custom(fn: Callable[[Any], bool | Awaitable[bool]], name: str | None = None) -> Filter:
    """Make a filter of a plain function, sync or async, from the turn to True or False.

    Args:
        fn: the condition; what it raises fails the turn.
        name: what reasons call it; the function's own name by default.

    Raises:
        TypeError: `fn` is not callable.
    """
    if not callable(fn):
        raise TypeError(f"custom({fn!r}) needs a function")
    return _Custom(fn, name or str(getattr(fn, "__name__", type(fn).__name__)))
