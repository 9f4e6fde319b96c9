"""Carousels and WhatsApp Flows, as they are written in a `Message` (contract 3.4); they go to contacts only."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, Literal

from pydantic import ValidationError

from pilotbot.platform.blocks import CardBlock, CardMedia, CardReply, CardUrl, CarouselBlock, FlowBlock
from pilotbot.platform.fields import CARD_BODY_LIMIT, CARD_BUTTON_LIMIT, CARD_LIMIT, LABEL_LIMIT
from pilotbot.replies.actions import Option, holds_jinja, strings
from pilotbot.replies.errors import ContentError
from pilotbot.replies.files import File
from pilotbot.replies.offers import Link, as_offers, as_options

_SHOWN: Final = ("image", "video")
_REFUSED: Final = "VALIDATION_ERROR"


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a carousel.

    Args:
        body: its text, up to 160 characters.
        media: an image or a video that has a public URL.
        options: up to 2 choices and links to pages; what is chosen comes back as from any other options: by its label, so every choice
            of a carousel needs one of its own ("Buy A", "Buy B"), whatever its action.

    Raises:
        ContentError: it has none of these, or too much of them.
    """

    body: str
    media: File
    options: Sequence[Option | Link | str] = ()

    def __post_init__(self) -> None:
        offers = as_offers(self.options)
        object.__setattr__(self, "options", offers)
        if not self.body.strip():
            raise ContentError("a card has no text. Give it one.", code=_REFUSED)
        if not holds_jinja(self.body) and len(self.body) > CARD_BODY_LIMIT:
            long = f"the text of a card has {len(self.body)} characters, {CARD_BODY_LIMIT} at most. Shorten it."
            raise ContentError(long, code=_REFUSED)
        if self.media.kind not in _SHOWN or self.media.address is None:
            raise ContentError("a card shows an image or a video by its public URL. Give it one: media=image('https://...').")
        if len(offers) > CARD_BUTTON_LIMIT:
            raise ContentError(f"a card has {len(offers)} options, {CARD_BUTTON_LIMIT} at most.")
        for offer in offers:
            if not isinstance(offer, Option | Link) or (isinstance(offer, Link) and offer.kind != "url"):
                raise ContentError("a card's options are choices and links to pages.")
            if not holds_jinja(offer.label) and len(offer.label) > LABEL_LIMIT:
                long = f"an option of a card has {len(offer.label)} characters, a button holds {LABEL_LIMIT}. Shorten it."
                raise ContentError(long, code=_REFUSED)


@dataclass(frozen=True, slots=True)
class Carousel:
    """1 to 10 cards beside each other, below the text of their message.

    Raises:
        ContentError: there are none, or too many.
    """

    cards: Sequence[Card]

    def __post_init__(self) -> None:
        object.__setattr__(self, "cards", tuple(self.cards))
        if not 1 <= len(self.cards) <= CARD_LIMIT:
            raise ContentError(f"a carousel has 1 to {CARD_LIMIT} cards, not {len(self.cards)}.")

    @property
    def options(self) -> tuple[Option, ...]:
        """The choices of all cards."""
        return tuple(option for card in self.cards for option in as_options(card.options))


@dataclass(frozen=True, slots=True)
class Flow:
    """A WhatsApp Flow behind a button; what is filled in comes to `@bot.flow_response`.

    Args:
        flow_id: its id at Meta.
        cta: what the button says, up to 20 characters.
        screen: the screen that it begins with.
        data: what that screen is given.
        action: "navigate", or "data_exchange" where your own server gives the screens.
        mode: "draft" for one that is not published.

    Raises:
        ContentError: the id or the button's label is blank, or the label too long.
    """

    flow_id: str
    cta: str
    _: KW_ONLY
    screen: str | None = None
    data: Mapping[str, object] = field(default_factory=dict, repr=False, hash=False)
    action: Literal["navigate", "data_exchange"] | None = None
    mode: Literal["published", "draft"] | None = None

    def __post_init__(self) -> None:
        if not self.flow_id.strip() or not self.cta.strip():
            raise ContentError("a flow needs its id and the label of its button.", code=_REFUSED)
        if not holds_jinja(self.cta) and len(self.cta) > LABEL_LIMIT:
            long = f"the button of a flow has {len(self.cta)} characters, {LABEL_LIMIT} at most. Shorten it."
            raise ContentError(long, code=_REFUSED)

    @property
    def sources(self) -> tuple[str, ...]:
        """The strings that are Jinja in a `Message`."""
        return (self.flow_id, self.cta, self.screen or "", *strings(self.data))


def carousel_block(carousel: Carousel) -> CarouselBlock:
    """A rendered carousel as it is sent. Raises ContentError where it breaks a rule."""
    try:
        return CarouselBlock(cards=tuple(_card(card) for card in carousel.cards))
    except ValidationError as error:
        raise ContentError(f"the carousel: {rule(error)}", code=_REFUSED) from None


def flow_block(flow: Flow) -> FlowBlock:
    """A rendered flow as it is sent. Raises ContentError where it breaks a rule."""
    try:
        return FlowBlock(
            flow_id=flow.flow_id, cta=flow.cta, screen=flow.screen, data=dict(flow.data), action=flow.action, mode=flow.mode
        )  # fmt: skip
    except ValidationError as error:
        raise ContentError(f"the flow: {rule(error)}", code=_REFUSED) from None


def rule(error: ValidationError) -> str:
    """The first broken rule, without the values."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    where, text = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text


def _card(card: Card) -> CardBlock:
    buttons = tuple(_card_button(offer) for offer in as_offers(card.options) if isinstance(offer, Option | Link))
    return CardBlock(
        media=CardMedia.model_validate({"type": card.media.kind, "url": card.media.address}), body=card.body, buttons=buttons or None
    )  # fmt: skip


def _card_button(offer: Option | Link) -> CardReply | CardUrl:
    if isinstance(offer, Link):
        return CardUrl(text=offer.label, url=offer.target)
    return CardReply(text=offer.label, payload=offer.label)
