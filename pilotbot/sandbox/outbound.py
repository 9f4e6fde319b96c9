"""From a valid send request to a message: what the platform refuses at once (contract 3.2 to 3.8)."""

from __future__ import annotations

from dataclasses import replace

from pilotbot.sandbox.clock import parse_iso
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.records import Json, Message, Number, Template
from pilotbot.sandbox.rules import (
    check_variables,
    fill,
    template_buttons,
    template_media,
    template_text,
    template_variables,
    version_to_send,
    window_failure,
)
from pilotbot.sandbox.schemas import BSUID, GROUP, NEWSLETTER, PHONE, CardButton, SendRequest, is_data_uri, is_url
from pilotbot.sandbox.state import new_id


def build(request: SendRequest, number: Number, parts: Parts, key: str | None) -> Message:
    """The message that an accepted request becomes.

    Raises:
        ApiError: 400, 402, 404 or 409, as the contract's section 3.8 lists them.
    """
    contact = destination(request, number)
    check_number(number, parts)
    check_media(request, number, parts)
    template = find_template(request, number, parts)
    check_flow(request, number, parts, contact)
    now = parts.clock.now_ms()
    message = Message(
        id=new_id(),
        seq=parts.state.next_seq(),
        number_id=number.id,
        direction="out",
        contact=contact,
        chat_kind=request.chat_kind,
        mode=request.mode,
        type=request.media_type or "text",
        status="QUEUED",
        created_ms=now,
        correlation_id=new_id("corr_"),
        origin="API",
        text=request.text,
        header=request.header.model_dump() if request.header else None,
        footer=request.footer,
        options=options(request),
        media=request.media,
        media_type=request.media_type,
        caption=request.caption,
        labels=tuple(request.labels),
        deliver_at_ms=parse_iso(request.deliver_at) if request.deliver_at else None,
        deliver_until_ms=parse_iso(request.deliver_until) if request.deliver_until else None,
        idempotency_key=key,
        flow_token=new_id("flow_") if request.flow else None,
        flow=request.flow.model_dump(by_alias=True) if request.flow else None,
        list_block=list_block(request),
        cards=cards(request),
    )
    return message if template is None else with_template(message, template, number, request.variables)


def destination(request: SendRequest, number: Number) -> str:
    """The address to send to, with ``+`` (contract 3.2)."""
    given = request.destination
    if request.group_id is not None:
        if not GROUP.fullmatch(given):
            raise ApiError(400, "groupId must look like 120363000000000001@g.us", "INVALID_DESTINATION")
        if number.kind == "meta" and not number.official:
            raise ApiError(400, "This Meta number may not write to groups", "META_GROUPS_NOT_ELIGIBLE")
        return given
    if request.newsletter_id is not None:
        if not NEWSLETTER.fullmatch(given):
            raise ApiError(400, "newsletterId must look like 120363000000000099@newsletter", "INVALID_DESTINATION")
        if number.kind == "meta":
            raise ApiError(400, "Meta numbers have no newsletters", "NOT_SUPPORTED_FOR_META")
        return given
    if BSUID.fullmatch(given):
        return given
    if not PHONE.fullmatch(given):
        raise ApiError(400, "destinationNumber must be E.164, such as +5511999999999", "INVALID_DESTINATION")
    return "+" + given.lstrip("+")


def check_number(number: Number, parts: Parts) -> None:
    """Whether the number can send at all."""
    if parts.faults.hits("numberBlocked"):
        raise ApiError(409, "Sending from this number is blocked", "NUMBER_BLOCKED", extra={"reason": "extra_charge_unpaid"})
    if parts.faults.hits("disconnected"):
        raise ApiError(409, f"{number.name} is not connected", "WHATSAPP_INSTANCE_NOT_CONNECTED")


def check_media(request: SendRequest, number: Number, parts: Parts) -> None:
    """Whether the media may be sent: its form for this kind of number, and the subscription."""
    in_header = request.header is not None and request.header.type != "text"
    media = request.header.content if request.header and in_header else request.media
    if media is None:
        return
    if media.startswith("data:"):
        if number.kind == "evolution_go":
            raise invalid("This number takes media only as a public http(s) URL")
        if not is_data_uri(media):
            raise invalid("media must be data:<mime>;base64,<data>")
    elif not is_url(media):
        raise invalid("media must be a public http(s) URL or data:<mime>;base64,<data>")
    if not parts.faults.subscription:
        raise ApiError(402, "Media needs an active paid subscription", "SUBSCRIPTION_REQUIRED_FOR_MEDIA")


def find_template(request: SendRequest, number: Number, parts: Parts) -> Template | None:
    """The template to send, with its variables checked (contract 3.5)."""
    if request.template_id is None:
        return None
    template = parts.state.template(number.id, request.template_id)
    version = version_to_send(template, number) if template else None
    if template is None or version is None:
        raise ApiError(404, "Template not found, or none of its versions was approved", "TEMPLATE_NOT_FOUND")
    missing, wrong = check_variables(template_variables(version.components), request.variables)
    if missing:
        raise ApiError(
            400,
            "Template variables are missing: " + ", ".join(missing),
            "MISSING_TEMPLATE_VARIABLES",
            details={"missingKeys": missing},
        )
    if wrong:
        raise ApiError(
            400,
            "Template variables must be strings that are not blank",
            "INVALID_TEMPLATE_VARIABLE_VALUE",
            details={"invalidKeys": wrong},
        )
    return template


def check_flow(request: SendRequest, number: Number, parts: Parts, contact: str) -> None:
    """A flow outside the window is refused at once (contract section 7)."""
    if request.flow is None or request.chat_kind != "contact":
        return
    if window_failure(number, parts.state.last_inbound(number.id, contact), parts.clock.now_ms()):
        raise ApiError(400, "A flow needs an open 24-hour window: use a template", "FLOW_WINDOW_CLOSED")


def options(request: SendRequest) -> tuple[Json, ...]:
    """What the contact can tap."""
    if request.list_block is not None:
        return tuple(
            {"type": "list", "label": row.title, "description": row.description, "rowId": row.row_id}
            for section in request.list_block.sections
            for row in section.rows
        )
    if request.carousel is not None:
        return tuple(card_button(button) for card in request.carousel.cards for button in card.buttons)
    return tuple(button.model_dump(by_alias=True, exclude_none=True) for button in request.buttons)


def list_block(request: SendRequest) -> Json | None:
    """The list as it was sent, with nulls for what it leaves out."""
    return request.list_block.model_dump(by_alias=True) if request.list_block else None


def cards(request: SendRequest) -> tuple[Json, ...]:
    """The cards of a carousel, their buttons in the shape of buttons of a message."""
    return tuple(
        {"media": dict(card.media), "body": card.body, "buttons": [card_button(button) for button in card.buttons]}
        for card in (request.carousel.cards if request.carousel else ())
    )


def card_button(button: CardButton) -> Json:
    """A card's button, in the shape of a button of a message."""
    return {"type": "reply" if button.type == "QUICK_REPLY" else "url", "label": button.text, "url": button.url}


def with_template(message: Message, template: Template, number: Number, variables: Json) -> Message:
    """The message with the template's parts filled in."""
    version = version_to_send(template, number)
    components = version.components if version else {}
    text, media = template_text(components, "header"), template_media(components)
    header: Json | None = {"type": "text", "content": fill(text, variables)} if text else None
    if media is not None and (address := message.media or media[1]):
        header = {"type": media[0], "content": address}
        message = replace(message, media=None, media_type=None)
    return replace(
        message,
        template=template.name,
        template_id=template.id,
        variables=variables,
        text=fill(template_text(components, "body"), variables),
        header=header,
        footer=template_text(components, "footer") or None,
        options=template_buttons(components, variables),
    )
