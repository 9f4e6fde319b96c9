"""What a text can have beside buttons: a list, a carousel, a WhatsApp Flow (contract 3.4)."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from pilotbot.platform.fields import (
    CARD_BODY_LIMIT,
    CARD_BUTTON_LIMIT,
    CARD_LIMIT,
    ROW_DESCRIPTION_LIMIT,
    ROW_ID_LIMIT,
    ROW_LIMIT,
    ROW_TITLE_LIMIT,
    Filled,
    Label,
    WebUrl,
    WirePart,
    not_blank,
)


class Row(WirePart):
    """One choice of a list: `row_id` is the caller's (1 to 200 characters) and may come back with the tap."""

    title: Annotated[str, StringConstraints(max_length=ROW_TITLE_LIMIT), AfterValidator(not_blank)]
    row_id: Annotated[str, StringConstraints(max_length=ROW_ID_LIMIT), AfterValidator(not_blank)]
    description: Annotated[str, StringConstraints(max_length=ROW_DESCRIPTION_LIMIT)] | None = None


class Section(WirePart):
    """Rows under a title of up to 24 characters."""

    title: Annotated[str, StringConstraints(max_length=ROW_TITLE_LIMIT), AfterValidator(not_blank)]
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=ROW_LIMIT)]


class ListBlock(WirePart):
    """A single-choice list: 1 to 10 sections, 10 rows in all, behind a button of up to 20 characters."""

    button_text: Label
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=ROW_LIMIT)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        ids = [row.row_id for section in self.sections for row in section.rows]
        if len(ids) > ROW_LIMIT:
            msg = f"a list has at most {ROW_LIMIT} rows in all its sections"
            raise ValueError(msg)
        if len(set(ids)) != len(ids):
            msg = "every row of a list needs a row_id of its own"
            raise ValueError(msg)
        return self


class CardReply(WirePart):
    """A card's button that answers with its `text`; `payload` is the caller's and may come back with the tap."""

    type: Literal["QUICK_REPLY"] = "QUICK_REPLY"
    text: Label
    payload: Annotated[str, StringConstraints(max_length=ROW_ID_LIMIT), AfterValidator(not_blank)]


class CardUrl(WirePart):
    """A card's button that opens `url` (http or https)."""

    type: Literal["URL"] = "URL"
    text: Label
    url: WebUrl


class CardMedia(WirePart):
    """What a card shows: an image or a video, by public URL."""

    type: Literal["image", "video"]
    url: WebUrl


class CardBlock(WirePart):
    """A card: its picture, up to 160 characters, and up to 2 buttons."""

    media: CardMedia
    body: Annotated[str, StringConstraints(max_length=CARD_BODY_LIMIT), AfterValidator(not_blank)]
    buttons: (
        Annotated[
            tuple[Annotated[CardReply | CardUrl, Field(discriminator="type")], ...], Field(min_length=1, max_length=CARD_BUTTON_LIMIT)
        ]
        | None
    ) = None


class CarouselBlock(WirePart):
    """1 to 10 cards beside each other."""

    cards: Annotated[tuple[CardBlock, ...], Field(min_length=1, max_length=CARD_LIMIT)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        replies = [button.text.strip().casefold() for card in self.cards for button in card.buttons or () if button.type == "QUICK_REPLY"]
        if len(set(replies)) != len(replies):
            msg = "every button of a carousel needs a label of its own: a tap comes back as the label"
            raise ValueError(msg)
        return self


class FlowBlock(WirePart):
    """A WhatsApp Flow behind a button, `cta`; the platform mints its token, and refuses one that is given."""

    flow_id: Filled
    cta: Label
    action: Literal["navigate", "data_exchange"] | None = None
    screen: Filled | None = None
    data: dict[str, Any] | None = None
    mode: Literal["published", "draft"] | None = None

    @field_validator("data")
    @classmethod
    def _empty_is_unset(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        return value or None
