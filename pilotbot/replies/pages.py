"""Choices as a list, page by page, and as numbered text (contract 3.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Final, Self

from pilotbot.platform.blocks import ListBlock, Row, Section
from pilotbot.platform.fields import LABEL_LIMIT, ROW_DESCRIPTION_LIMIT, ROW_LIMIT, ROW_TITLE_LIMIT
from pilotbot.replies.filling import Filled
from pilotbot.replies.markup import neutral
from pilotbot.replies.menu import PAGE, Menu
from pilotbot.replies.messages import LIST_BUTTON
from pilotbot.replies.offers import label_key
from pilotbot.replies.splitting import split_tail

_TEXT: Final = 120


@dataclass(frozen=True, slots=True)
class Form:
    """What a page is made of beside the options of its menu.

    Attributes:
        text: what further pages stand under: how the text of the first one ended.
        button: what opens the list.
        more: the label of the option that shows the next page.
        titles: of each option, that of its section; empty where none has one.
        descriptions: of each option; empty where none has one.
    """

    text: str = ""
    button: str = LIST_BUTTON
    more: str = ""
    titles: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Filled) -> Self:
        """That of a content."""
        return cls(
            text=split_tail(content.text, _TEXT)[1],
            button=content.list_button,
            more=content.more,
            titles=content.titles if any(content.titles) else (),
            descriptions=tuple(option.description for option in content.choices) if described(content) else (),
        )

    def dump(self) -> dict[str, object]:
        """The form as JSON-able values, without what is empty; `load` reads them back."""
        whole = asdict(self) | {"titles": list(self.titles), "descriptions": list(self.descriptions)}
        return {name: value for name, value in whole.items() if value}

    @classmethod
    def load(cls, stored: Mapping[str, object]) -> Self:
        """Read what `dump` gave, tolerantly: it may be of another version."""
        text, button, more = (_string(stored.get(name)) for name in ("text", "button", "more"))
        titles, descriptions = (_strings(stored.get(name)) for name in ("titles", "descriptions"))
        return cls(text, button or LIST_BUTTON, more, titles, descriptions)


def described(content: Filled) -> bool:
    """Whether a choice has a description."""
    return any(option.description for option in content.choices)


def fits_list(content: Filled) -> bool:
    """Whether the choices can be the rows of a list: short, distinct, and so are the words around them."""
    labels = [option.label for option in content.choices]
    if len(labels) > ROW_LIMIT:
        labels.append(content.more)
    rows = [*labels, *content.titles]
    return (
        bool(content.choices)
        and all(len(label) <= ROW_TITLE_LIMIT for label in rows)
        and len({label_key(label) for label in labels}) == len(labels)
        and 0 < len(content.list_button) <= LABEL_LIMIT
        and all(labels)
    )


def first_page(menu: Menu, form: Form) -> Menu:
    """The menu as the first list shows it: in pages, where one does not hold all."""
    return replace(menu, more=form.more, form=form.dump()) if len(menu.entries) > ROW_LIMIT else menu


def page_after(menu: Menu) -> Menu:
    """The menu as the list after this one shows it."""
    page = menu.page + 1
    further = len(menu.entries) > (page + 1) * PAGE
    return replace(menu, page=page, more=Form.load(menu.form).more if further else "")


def heading(menu: Menu) -> str:
    """The text that a further page stands under."""
    text = Form.load(menu.form).text or menu.excerpt or "…"
    return f"{text} ({menu.page + 1}/{-(-len(menu.entries) // PAGE)})"


def list_block(menu: Menu, form: Form) -> ListBlock:
    """The list of the options that a menu shows. Raises ValidationError where they do not fit one (`fits_list`)."""
    rows = _rows(menu, form)
    return ListBlock(
        button_text=form.button,
        sections=tuple(
            Section(
                title=title or form.button,
                rows=tuple(Row(title=label, row_id=label, description=_short(description) or None) for _, label, description in group),
            )
            for title, group in groupby(rows, key=lambda row: row[0])
        ),
    )


def numbered(menu: Menu, form: Form) -> str:
    """The options that a menu shows, as lines with their numbers, under the titles of their sections."""
    blocks = []
    number = 0
    for title, group in groupby(_rows(menu, form), key=lambda row: row[0]):
        lines = [neutral(title)] if title else []
        for _, label, description in group:
            number += 1
            lines.append(f"{number}. {neutral(label)}" + (f": {neutral(description)}" if description else ""))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) if form.titles else "\n".join(blocks)


def _rows(menu: Menu, form: Form) -> list[tuple[str, str, str]]:
    """Title of the section, label and description of each option shown; what shows the next page stands with the last ones."""
    at = menu.page * PAGE
    rows = [
        (_at(form.titles, at + index), entry.label, _at(form.descriptions, at + index)) for index, entry in enumerate(menu.shown)
    ]  # fmt: skip
    if menu.further:
        rows[-1] = (rows[-2][0] if len(rows) > 1 else "", menu.more, "")
    return rows


def _short(description: str) -> str:
    """A description as a row holds it."""
    fits = len(description) <= ROW_DESCRIPTION_LIMIT
    return description if fits else description[: ROW_DESCRIPTION_LIMIT - 1].rstrip() + "…"


def _at(texts: Sequence[str], index: int) -> str:
    return texts[index] if index < len(texts) else ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(_string, value)) if isinstance(value, list | tuple) else ()
