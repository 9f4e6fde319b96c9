"""Values go into content: the strings of a `Message` are rendered, and what only now can be known is checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pilotbot.replies.actions import Option, holds_jinja
from pilotbot.replies.blocks import Card, Carousel, Flow
from pilotbot.replies.errors import ContentError
from pilotbot.replies.files import File
from pilotbot.replies.messages import LIST_BUTTON, MORE, Message
from pilotbot.replies.offers import Link, Offer, titled
from pilotbot.replies.splitting import clean
from pilotbot.replies.templating import MAX_LENGTH, compiled

_Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Filled:
    """Content with its values in: nothing here is Jinja any more.

    `titles` has the title of each choice's section, empty where it is in none.
    """

    text: str
    choices: tuple[Option, ...] = ()
    titles: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    media: File | None = None
    header: str = ""
    footer: str = ""
    list_button: str = LIST_BUTTON
    more: str = MORE
    carousel: Carousel | None = None
    flow: Flow | None = None


def fill(content: str | Message, values: _Values, options: Sequence[Offer] | None, media: File | None, words: tuple[str, str]) -> Filled:
    """Put the values in. What is given beside the content is data, and goes out as it is. Raises ContentError.

    `words`: what opens a list and what shows its next page, where the content does not say.
    """
    replaced = isinstance(content, str) or options is not None
    offered = list(titled(options or ())) if isinstance(content, str) or options is not None else list(_offers(content.options, values))
    filled = (
        Filled(clean(content), media=media, list_button=words[0], more=words[1])
        if isinstance(content, str)
        else _filled(content, values, media, words, replaced=replaced)
    )
    if len(filled.text) + sum(len(offer.label) for _, offer in offered) > MAX_LENGTH:
        raise ContentError(f"the text has more than {MAX_LENGTH} characters. Send a document instead.")
    choices = [(" ".join(clean(title).split()), _checked(offer)) for title, offer in offered if isinstance(offer, Option)]
    if filled.carousel is not None:
        choices = [("", option) for option in filled.carousel.options]
    links = tuple(_linked(offer) for _, offer in offered if isinstance(offer, Link))
    if (choices or links or filled.carousel or filled.flow) and not filled.text.strip():
        blank = "options need a text to stand under, and the text is blank. Give it one."
        raise ContentError(blank, code="VALIDATION_ERROR")
    return replace(filled, choices=tuple(option for _, option in choices), titles=tuple(title for title, _ in choices), links=links)


def _filled(message: Message, values: _Values, media: File | None, words: tuple[str, str], *, replaced: bool) -> Filled:
    """A message's own parts but its options; `replaced`: others take the place of whatever it offers."""
    return Filled(
        clean(_in("the text", message.text, values, prose=True)),
        media=media or (_file(message.media, values) if message.media is not None else None),
        header=_line("the header", message.header or "", values, prose=True),
        footer=_line("the footer", message.footer or "", values, prose=True),
        list_button=words[0] if message.list_button is None else _line("the list_button", message.list_button, values),
        more=words[1] if message.more is None else _line("the label more", message.more, values),
        carousel=_carousel(message.carousel, values) if message.carousel is not None and not replaced else None,
        flow=_flow(message.flow, values) if message.flow is not None and not replaced else None,
    )


def _in(where: str, source: str, values: _Values, *, prose: bool = False) -> str:
    try:
        return compiled(source).render(values, prose=prose)
    except ContentError as error:
        raise error.within(where) from None


def _line(where: str, source: str, values: _Values, *, prose: bool = False) -> str:
    return " ".join(clean(_in(where, source, values, prose=prose)).split())


def _file(file: File, values: _Values) -> File:
    if not any(map(holds_jinja, file.sources)):
        return file  # it was checked when it was made
    address, *url = (_in("the file's address", source, values) for source in file.sources)
    return File(address, file.kind, *url)


def _offers(options: Sequence[Offer], values: _Values) -> Iterator[tuple[str, Option | Link]]:
    """An author's choices and links, filled, each with the title of its section."""
    for title, offer in titled(options):
        if isinstance(offer, Option):
            yield _in(f"the section {title!r}", title, values), _option(offer, values)
        else:
            where = f"the link {offer.label!r}"
            label, target = (_in(where, source, values) for source in offer.sources)
            try:
                yield "", _linked(Link(offer.kind, label, target.strip()))
            except ContentError as error:
                raise error.within(where) from None


def _option(option: Option, values: _Values) -> Option:
    """Fill an author's option: its label, its description, and the strings of its action."""
    action, where = option.action, f"the action of {option.label!r}"
    if action is not None and holds_jinja(action.fields()):
        fields = {name: _deep(where, value, values) for name, value in action.fields().items()}
        try:
            action = action.checked(fields)
        except ContentError as error:
            raise error.within(where) from None
    label = _in(f"the label {option.label!r}", option.label, values)
    return Option(label, action, _in(f"the description of {option.label!r}", option.description, values))


def _checked(option: Option) -> Option:
    """A ready option: one line, not blank, its action validated."""
    label, action, description = (" ".join(clean(option.label).split()), option.action, " ".join(clean(option.description).split()))
    if not label:
        raise ContentError("an option's label is blank. Give it one, or leave the option out.", code="VALIDATION_ERROR")
    if action is not None and action.put_off():
        action = action.checked(action.fields())
    return Option(label, action, description)


def _linked(one: Link) -> Link:
    """A ready link: its label one line, its target checked."""
    ready = Link(one.kind, " ".join(clean(one.label).split()), one.target)
    ready.check()
    return ready


def _carousel(carousel: Carousel, values: _Values) -> Carousel:
    return Carousel([_card(card, values) for card in carousel.cards])


def _card(card: Card, values: _Values) -> Card:
    return Card(
        clean(_in("the text of a card", card.body, values, prose=True)),
        _file(card.media, values),
        [_checked(offer) if isinstance(offer, Option) else _linked(offer) for _, offer in _offers(card.options, values)],
    )


def _flow(flow: Flow, values: _Values) -> Flow:
    data = _deep("the flow", flow.data, values)
    return replace(
        flow,
        flow_id=_in("the flow", flow.flow_id, values).strip(),
        cta=_line("the flow", flow.cta, values),
        screen=_in("the flow", flow.screen, values) if flow.screen is not None else None,
        data=data if isinstance(data, dict) else {},
    )


def _deep(where: str, value: object, values: _Values) -> object:
    """Render the strings in a value, however deep."""
    if isinstance(value, str):
        return _in(where, value, values)
    if isinstance(value, Mapping):
        return {key: _deep(where, item, values) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_deep(where, item, values) for item in value]
    return value
