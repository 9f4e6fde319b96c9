"""What was offered, as it is remembered; `recognise` finds it in what comes back (design 3.14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from pilotbot.replies.actions import Action, Option, action_class
from pilotbot.replies.errors import ContentError
from pilotbot.replies.offers import label_key

PAGE: Final = 9
"""Options of one page, where there are too many for one message: the tenth shows the next page."""

MORE: Final = "\0more"
"""The name of the option that shows the next page; no action can have it."""

ALIVE: Final = 2 * 86_400_000
"""For how many ms a label typed without a quote means an option of a menu that is not the last thing that was said."""

_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """One option as it is stored: its label, and the name and fields of its action, if it has one."""

    label: str = field(repr=False)
    name: str | None = None
    data: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Menu:
    """The options of one sent message, in the order they were numbered.

    Attributes:
        entries: those of all pages.
        id: of the content that offered it: an outbox item; given when it is staged. All pages have the same.
        excerpt: how the text began, to ask "which one?".
        page: which page the message shows, the first is 0.
        more: the label of the option that shows the next page; empty where there is none.
        numbered: whether the message shows the numbers.
        form: what the next page is made of beside the entries, for `render`; JSON-able.
        at: when it was offered, business ms; 0 where that is not known.
    """

    entries: tuple[Entry, ...]
    id: str = ""
    excerpt: str = field(default="", repr=False)
    page: int = 0
    more: str = ""
    numbered: bool = False
    form: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    at: int = 0

    @classmethod
    def of(cls, options: Sequence[Option], text: str) -> Self:
        """The menu of rendered `options` that stand under `text`."""
        short = " ".join(text.split())
        if len(short) > _EXCERPT:
            short = short[: _EXCERPT - 1].rstrip() + "…"
        return cls(tuple(_entry(option) for option in options), excerpt=short)

    def dump(self) -> dict[str, object]:
        """The menu as JSON-able values; `load` reads them back."""
        entries = [[entry.label, entry.name, entry.data] for entry in self.entries]
        whole: dict[str, object] = {"id": self.id, "excerpt": self.excerpt, "entries": entries}
        paged = {"page": self.page, "more": self.more, "form": dict(self.form)} if self.page or self.more else {}
        return whole | paged | ({"numbered": True} if self.numbered else {}) | ({"at": self.at} if self.at else {})

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The options of the page that the message shows, by their numbers there: the first is number 1."""
        if not (self.page or self.more):
            return self.entries
        return (*self.entries[self.page * PAGE : (self.page + 1) * PAGE], *self.further)

    @property
    def further(self) -> tuple[Entry, ...]:
        """The option that shows the next page, where there is one."""
        return (Entry(self.more, MORE),) if self.more else ()

    @property
    def options(self) -> tuple[Option, ...]:
        """What was offered, each with its action where that can still be read."""
        return tuple(Option(choice.label, choice.action) for choice in (choice_of(self, entry) for entry in self.entries) if choice.label)

    @classmethod
    def load(cls, stored: Mapping[str, object]) -> Self:
        """Read what `dump` gave; what is not readable becomes an entry that nothing matches, so numbers stay right."""
        entries = stored.get("entries")
        return cls(
            tuple(map(_load_entry, entries)) if isinstance(entries, list | tuple) else (),
            id=_string(stored.get("id")),
            excerpt=_string(stored.get("excerpt")),
            page=page if isinstance(page := stored.get("page"), int) and page >= 0 else 0,
            more=_string(stored.get("more")),
            numbered=stored.get("numbered") is True,
            form=form if isinstance(form := stored.get("form"), dict) else {},
            at=at if isinstance(at := stored.get("at"), int) else 0,
        )


def alive(menus: Sequence[Menu], *, awaited: bool, now: int) -> list[Menu]:
    """Those of a chat's menus, newest first, that can be answered without a quote: the awaited one, and those that were offered lately.

    `now` is business ms. What is older has to be quoted, or tapped on.
    """
    return [menu for at, menu in enumerate(menus) if (awaited and at == 0) or now - menu.at <= ALIVE]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that the contact chose.

    Attributes:
        label: as it was offered.
        action: what it means; None for a plain label, or when `problem` is set.
        problem: why the stored action could not be read (its class is gone, or its fields have changed).
        menu: id of the menu it was chosen from.
        excerpt: how that menu's text began.
        turned: the menu whose next page is asked for; None for any other option.
    """

    label: str = field(repr=False)
    action: Action | None = None
    problem: str | None = None
    menu: str = ""
    excerpt: str = field(default="", repr=False)
    turned: Menu | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """What may mean several options, newest first: ask which."""

    candidates: tuple[Choice, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """The candidates, told apart by their labels, or by the message they came with where labels are the same.

        A plain label stays as it is, since it is what a handler will be given.
        """
        keys = [label_key(choice.label) for choice in self.candidates]
        shown: dict[str, Option] = {}
        for choice, key in zip(self.candidates, keys, strict=True):
            label = choice.excerpt if choice.excerpt and choice.action is not None and keys.count(key) > 1 else choice.label
            if label_key(label) in shown:
                label = f"{label} ({len(shown) + 1})"
            shown[label_key(label)] = Option(label, choice.action)
        return tuple(shown.values())


def _entry(option: Option) -> Entry:
    action = option.action
    if action is None:
        return Entry(option.label)
    return Entry(option.label, action.action_name, action.model_dump(mode="json"))


def _load_entry(stored: object) -> Entry:
    match stored:
        case [str(label), str(name), dict(data)]:
            return Entry(label, name, data)
        case [str(label), None, None]:
            return Entry(label)
        case _:
            return Entry("")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def choice_of(menu: Menu, entry: Entry) -> Choice:
    """What it means that `entry` of `menu` is chosen."""
    action, problem = None, None
    if entry.name == MORE:
        return Choice(entry.label, menu=menu.id, excerpt=menu.excerpt, turned=menu)
    if entry.name is not None:
        known = action_class(entry.name)
        try:
            action = None if known is None else known.checked(entry.data or {})
            problem = None if known else f"no action is called {entry.name!r} any more: keep old names for stored taps."
        except ContentError as error:
            problem = str(error)
    return Choice(entry.label, action, problem, menu.id, menu.excerpt)
