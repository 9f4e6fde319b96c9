import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotbot.platform import (
    CallButton,
    CardBlock,
    CardMedia,
    CardReply,
    CardUrl,
    CarouselBlock,
    CopyButton,
    FlowBlock,
    Header,
    ListBlock,
    MarketingOptions,
    ReplyButton,
    Row,
    Section,
    SendRequest,
    UrlButton,
)

ANA = "+5511987650001"
YES = ReplyButton(label="Sim")
PHOTO = "https://cdn.example.com/1.jpg"
PIXEL = "data:image/png;base64,aGVsbG8="


def a_list(rows: int = 1) -> ListBlock:
    return ListBlock(
        button_text="Ver opções",
        sections=(Section(title="Financeiro", rows=tuple(Row(title=f"n{i}", row_id=f"r{i}") for i in range(rows))),),
    )


def test_text_is_sent_with_nothing_else() -> None:
    request = SendRequest(destination_number=ANA, text="Olá, você 😀")
    assert request.mode == "text"
    assert request.to_bytes() == '{"destinationNumber":"+5511987650001","text":"Olá, você 😀"}'.encode()


def test_buttons_with_header_and_footer() -> None:
    request = SendRequest(
        destination_number=ANA,
        text="Seu pedido",
        buttons=(
            YES,
            UrlButton(label="Abrir", url="https://example.com"),
            CallButton(label="Ligar", phone_number="+551140028922"),
        ),
        header=Header(type="image", content=PHOTO),
        footer="Loja",
    )
    assert request.mode == "buttons"
    assert json.loads(request.to_bytes()) == {
        "destinationNumber": ANA,
        "text": "Seu pedido",
        "buttons": [
            {"type": "reply", "label": "Sim"},
            {"type": "url", "label": "Abrir", "url": "https://example.com"},
            {"type": "call", "label": "Ligar", "phoneNumber": "+551140028922"},
        ],
        "header": {"type": "image", "content": PHOTO},
        "footer": "Loja",
    }


def test_copy_button() -> None:
    request = SendRequest(destination_number=ANA, text="x", buttons=(CopyButton(label="Copiar", copy_code="PROMO10"),))
    assert json.loads(request.to_bytes())["buttons"] == [{"type": "copy", "label": "Copiar", "copyCode": "PROMO10"}]


def test_list() -> None:
    request = SendRequest(group_id="120363000000000001@g.us", text="Escolha", list_block=a_list())
    assert request.mode == "list"
    assert json.loads(request.to_bytes()) == {
        "groupId": "120363000000000001@g.us",
        "text": "Escolha",
        "list": {
            "buttonText": "Ver opções",
            "sections": [{"title": "Financeiro", "rows": [{"title": "n0", "rowId": "r0"}]}],
        },
    }


CARD = CardBlock(
    media=CardMedia(type="image", url=PHOTO),
    body="Plano A",
    buttons=(CardReply(text="Quero", payload="plano_a"), CardUrl(text="Ver", url="https://example.com/a")),
)


def test_carousel() -> None:
    request = SendRequest(destination_number=ANA, text="Ofertas", carousel=CarouselBlock(cards=(CARD,)))
    assert request.mode == "carousel"
    assert json.loads(request.to_bytes()) == {
        "destinationNumber": ANA,
        "text": "Ofertas",
        "carousel": {
            "cards": [
                {
                    "media": {"type": "image", "url": PHOTO},
                    "body": "Plano A",
                    "buttons": [
                        {"type": "QUICK_REPLY", "text": "Quero", "payload": "plano_a"},
                        {"type": "URL", "text": "Ver", "url": "https://example.com/a"},
                    ],
                }
            ]
        },
    }


def test_flow() -> None:
    flow = FlowBlock(flow_id="400", cta="Agendar", action="navigate", screen="START", data={"day": None}, mode="published")
    request = SendRequest(destination_number=ANA, text="Agende aqui", flow=flow)
    assert request.mode == "flow"
    assert json.loads(request.to_bytes())["flow"] == {
        "flowId": "400", "cta": "Agendar", "action": "navigate", "screen": "START", "data": {"day": None}, "mode": "published"
    }  # fmt: skip
    bare = SendRequest(destination_number=ANA, text="x", flow=FlowBlock(flow_id="1", cta="Go", data={}))
    assert json.loads(bare.to_bytes())["flow"] == {"flowId": "1", "cta": "Go"}


def test_template_with_variables_and_media() -> None:
    request = SendRequest(
        destination_number="BR.123456",
        template_id="order_status",
        variables={"order_id": "7", "status": "ok"},
        media=PIXEL,
        media_type="image",
        marketing_options=MarketingOptions(ai_rewrite_enabled=False),
    )
    assert request.mode == "template"
    assert json.loads(request.to_bytes()) == {
        "destinationNumber": "BR.123456",
        "templateId": "order_status",
        "variables": {"order_id": "7", "status": "ok"},
        "media": PIXEL,
        "mediaType": "image",
        "marketingOptions": {"aiRewriteEnabled": False},
    }


def test_media_with_caption_and_the_rest() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=-3)))
    request = SendRequest(
        newsletter_id="120363000000000099@newsletter",
        media=PHOTO,
        media_type="image",
        caption="Foto",
        labels=("vip",),
        deliver_at=noon,
        deliver_until=noon + timedelta(hours=1),
        mark_read=False,
    )
    assert request.mode == "media"
    assert json.loads(request.to_bytes()) == {
        "newsletterId": "120363000000000099@newsletter",
        "media": PHOTO,
        "mediaType": "image",
        "caption": "Foto",
        "labels": ["vip"],
        "deliverAt": "2026-11-20T15:00:00Z",
        "deliverUntil": "2026-11-20T16:00:00Z",
        "markRead": False,
    }


def test_empty_collections_are_not_sent() -> None:
    request = SendRequest(destination_number=ANA, template_id="follow_up", variables={}, labels=())
    assert json.loads(request.to_bytes()) == {"destinationNumber": ANA, "templateId": "follow_up"}


TO = {"destination_number": ANA}
REFUSED: list[tuple[str, dict[str, object]]] = [
    ("no destination", {"text": "x"}),
    ("two destinations", {**TO, "group_id": "1@g.us", "text": "x"}),
    ("number without +", {"destination_number": "5511987650001", "text": "x"}),
    ("number with a line break", {"destination_number": ANA + "\n", "text": "x"}),
    ("number in other digits", {"destination_number": "+٥٥١١٩٨٧٦٥٠٠٠١", "text": "x"}),
    ("group that is none", {"group_id": "x@g.us", "text": "x"}),
    ("newsletter that is none", {"newsletter_id": "1@g.us", "text": "x"}),
    ("nothing to say", {**TO}),
    ("blank text", {**TO, "text": " \n\ufeff"}),
    ("text of 4097", {**TO, "text": "x" * 4097}),
    ("half a surrogate", {**TO, "text": "\ud83d"}),
    ("text and template", {**TO, "text": "x", "template_id": "t"}),
    ("text and media", {**TO, "text": "x", "media": PHOTO, "media_type": "image"}),
    ("media without type", {**TO, "media": PHOTO}),
    ("type without media", {**TO, "text": "x", "media_type": "image"}),
    ("media of an odd type", {**TO, "media": PHOTO, "media_type": "gif"}),
    ("media that is a path", {**TO, "media": "/etc/passwd", "media_type": "image"}),
    ("media without host", {**TO, "media": "https://", "media_type": "image"}),
    ("media with a broken host", {**TO, "media": "https://[", "media_type": "image"}),
    ("media URL with a space", {**TO, "media": "https://a.b/c d", "media_type": "image"}),
    ("base64 that is none", {**TO, "media": "data:image/png;base64,%%%", "media_type": "image"}),
    ("base64 with something else inside", {**TO, "media": "data:image/png;base64,YWJj%YWJj", "media_type": "image"}),
    ("base64 that is empty", {**TO, "media": "data:image/png;base64,", "media_type": "image"}),
    ("data that is not base64", {**TO, "media": "data:text/plain,hello", "media_type": "document"}),
    ("caption on audio", {**TO, "media": PHOTO, "media_type": "audio", "caption": "x"}),
    ("caption on voice", {**TO, "media": PHOTO, "media_type": "voice", "caption": "x"}),
    ("caption on text", {**TO, "text": "x", "caption": "x"}),
    ("caption on a template", {**TO, "template_id": "t", "media": PHOTO, "media_type": "image", "caption": "x"}),
    ("caption of 1025", {**TO, "media": PHOTO, "media_type": "image", "caption": "x" * 1025}),
    ("variables without template", {**TO, "text": "x", "variables": {"a": "b"}}),
    ("blank variable", {**TO, "template_id": "t", "variables": {"a": " "}}),
    ("variable that is a number", {**TO, "template_id": "t", "variables": {"a": 1}}),
    ("blank template", {**TO, "template_id": " "}),
    ("marketing options on text", {**TO, "text": "x", "marketing_options": {"ai_rewrite_enabled": True}}),
    ("no buttons", {**TO, "text": "x", "buttons": ()}),
    ("four buttons", {**TO, "text": "x", "buttons": tuple(ReplyButton(label=c) for c in "abcd")}),
    ("equal labels", {**TO, "text": "x", "buttons": (YES, ReplyButton(label=" SIM "))}),
    ("buttons on media", {**TO, "media": PHOTO, "media_type": "image", "buttons": (YES,)}),
    ("buttons on a template", {**TO, "template_id": "t", "buttons": (YES,)}),
    ("buttons and list", {**TO, "text": "x", "buttons": (YES,), "list_block": a_list()}),
    ("carousel and list", {**TO, "text": "x", "carousel": CarouselBlock(cards=(CARD,)), "list_block": a_list()}),
    ("flow and buttons", {**TO, "text": "x", "flow": FlowBlock(flow_id="1", cta="Go"), "buttons": (YES,)}),
    ("flow without text", {**TO, "flow": FlowBlock(flow_id="1", cta="Go")}),
    ("flow on a template", {**TO, "template_id": "t", "flow": FlowBlock(flow_id="1", cta="Go")}),
    ("body of 1025 with a flow", {**TO, "text": "x" * 1025, "flow": FlowBlock(flow_id="1", cta="Go")}),
    ("body of 1025 with buttons", {**TO, "text": "x" * 1025, "buttons": (YES,)}),
    ("body of 1025 with list", {**TO, "text": "x" * 1025, "list_block": a_list()}),
    ("list on a template", {**TO, "template_id": "t", "list_block": a_list()}),
    ("header without buttons", {**TO, "text": "x", "header": Header(type="text", content="h")}),
    ("footer without buttons", {**TO, "text": "x", "footer": "f"}),
    ("footer of 61", {**TO, "text": "x", "buttons": (YES,), "footer": "f" * 61}),
    ("time without zone", {**TO, "text": "x", "deliver_at": datetime(2026, 1, 1)}),  # noqa: DTZ001
    (
        "expiry before delivery",
        {**TO, "text": "x", "deliver_at": datetime(2026, 1, 2, tzinfo=UTC), "deliver_until": datetime(2026, 1, 1, tzinfo=UTC)},
    ),
    ("quoting, which has no field", {**TO, "text": "x", "quoted": "wamid.1"}),
]


@pytest.mark.parametrize(("fields"), [fields for _, fields in REFUSED], ids=[name for name, _ in REFUSED])
def test_what_the_contract_forbids_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SendRequest.model_validate(fields)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (ReplyButton, {"label": ""}),
        (ReplyButton, {"label": "x" * 21}),
        (UrlButton, {"label": "x", "url": "ftp://example.com"}),
        (UrlButton, {"label": "x", "url": "javascript:alert(1)"}),
        (CallButton, {"label": "x", "phone_number": "190"}),
        (CopyButton, {"label": "x", "copy_code": ""}),
        (Header, {"type": "text", "content": "x" * 61}),
        (Header, {"type": "image", "content": "not a url"}),
        (Header, {"type": "audio", "content": PHOTO}),
        (Row, {"title": "x" * 25, "row_id": "1"}),
        (Row, {"title": "x", "row_id": "x" * 201}),
        (Row, {"title": "x", "row_id": "1", "description": "x" * 73}),
        (Section, {"title": "x", "rows": ()}),
        (CardBlock, {"media": {"type": "image", "url": PHOTO}, "body": " "}),
        (CardBlock, {"media": {"type": "image", "url": PHOTO}, "body": "x" * 161}),
        (CardBlock, {"media": {"type": "image", "url": PIXEL}, "body": "x"}),
        (CardBlock, {"media": {"type": "audio", "url": PHOTO}, "body": "x"}),
        (CardBlock, {"media": {"type": "image", "url": PHOTO}, "body": "x", "buttons": (CardUrl(text="a", url=PHOTO),) * 3}),
        (CardReply, {"text": "x" * 21, "payload": "1"}),
        (CardUrl, {"text": "x", "url": "javascript:alert(1)"}),
        (CarouselBlock, {"cards": ()}),
        (CarouselBlock, {"cards": (CARD, CARD)}),
        (FlowBlock, {"flow_id": " ", "cta": "x"}),
        (FlowBlock, {"flow_id": "1", "cta": "x" * 21}),
        (FlowBlock, {"flow_id": "1", "cta": "x", "flow_token": "mine"}),
        (ListBlock, {"button_text": "x" * 21, "sections": a_list().sections}),
        (ListBlock, {"button_text": "x", "sections": ()}),
        (ListBlock, {"button_text": "x", "sections": a_list().sections * 2}),
        (ListBlock, {"button_text": "x", "sections": (*a_list(6).sections, *(
            Section(title="s", rows=tuple(Row(title="t", row_id=f"s{i}") for i in range(5))),))}),
    ],
)  # fmt: skip
def test_parts_have_limits(model: type[ReplyButton], fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(fields)


def test_limits_themselves_are_allowed() -> None:
    SendRequest(destination_number=ANA, text="x" * 4096)
    SendRequest(destination_number=ANA, text="x" * 1024, buttons=(ReplyButton(label="x" * 20),), footer="f" * 60)
    SendRequest(destination_number=ANA, text="x", list_block=a_list(10))
    SendRequest(destination_number=ANA, media=PHOTO, media_type="document", caption="x" * 1024)


def test_nothing_personal_is_shown() -> None:
    request = SendRequest(destination_number=ANA, text="segredo", buttons=(YES,), header=Header(type="text", content="segredo"))
    assert repr(request) == "SendRequest(mode='buttons')"
    assert str(request) == "mode='buttons'"
    assert "segredo" not in repr(request.header)
    with pytest.raises(ValidationError) as refused:
        SendRequest(destination_number="segredo", text="segredo" * 1000, footer="segredo")
    assert "segredo" not in str(refused.value)
    with pytest.raises(ValidationError) as refused:
        SendRequest(destination_number=ANA, media="https://segredo\u2100.com", media_type="image")
    assert "segredo" not in str(refused.value)


# --- by property: the rules of contract 3.1 to 3.4 written a second time, over the JSON that leaves ---

words = st.text(max_size=30)
long_words = st.one_of(words, st.integers(1000, 4200).map(lambda n: "x" * n))
Json = dict[str, object]
buttons: st.SearchStrategy[Json] = st.one_of(
    st.builds(dict, type=st.just("reply"), label=words),
    st.builds(dict, type=st.just("url"), label=words, url=st.sampled_from([PHOTO, "x"])),
    st.builds(dict, type=st.just("call"), label=words, phone_number=st.sampled_from([ANA, "1"])),
)
rows: st.SearchStrategy[Json] = st.builds(dict, title=words, row_id=words, description=st.none() | words)
lists: st.SearchStrategy[Json] = st.builds(
    dict,
    button_text=words,
    sections=st.lists(st.builds(dict, title=words, rows=st.lists(rows, max_size=6)), max_size=3),
)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


candidates = st.fixed_dictionaries(
    {},
    optional={
        "destination_number": st.sampled_from([ANA, "BR.12", "123", None]),
        "group_id": maybe(st.sampled_from(["12@g.us", "x"])),
        "template_id": maybe(words),
        "variables": maybe(st.dictionaries(words, words, max_size=2)),
        "text": maybe(long_words),
        "buttons": maybe(st.lists(buttons, max_size=4)),
        "header": maybe(st.builds(dict, type=st.sampled_from(["text", "image"]), content=words | st.just(PHOTO))),
        "footer": maybe(long_words),
        "list_block": maybe(lists),
        "media": maybe(st.sampled_from([PHOTO, PIXEL, "x"])),
        "media_type": maybe(st.sampled_from(["image", "audio", "sticker"])),
        "caption": maybe(long_words),
        "mark_read": maybe(st.booleans()),
    },
)


def in_order(wire: dict[str, object]) -> None:
    assert sum(key in wire for key in ("destinationNumber", "groupId", "newsletterId")) == 1
    assert sum(key in wire for key in ("templateId", "text")) + ("media" in wire and "templateId" not in wire) == 1
    assert ("media" in wire) == ("mediaType" in wire)
    if "variables" in wire:
        assert "templateId" in wire
        assert all(isinstance(v, str) and v.strip() for v in dict(wire["variables"]).values())  # type: ignore[call-overload]
    if "caption" in wire:
        assert wire["mediaType"] in {"image", "video", "document"}
        assert "templateId" not in wire
    if "header" in wire or "footer" in wire:
        assert "buttons" in wire
    if "buttons" in wire or "list" in wire:
        assert len(str(wire["text"])) <= 1024
        assert not ("buttons" in wire and "list" in wire)
    assert 1 <= len(str(wire.get("text", "x"))) <= 4096
    assert len(str(wire.get("footer", ""))) <= 60
    given_buttons = wire.get("buttons", [])
    assert isinstance(given_buttons, list)
    assert len(given_buttons) <= 3
    assert all(1 <= len(button["label"]) <= 20 for button in given_buttons)
    block = wire.get("list")
    if isinstance(block, dict):
        assert 1 <= sum(len(section["rows"]) for section in block["sections"]) <= 10
        assert all(row["rowId"] and len(row["title"]) <= 24 for s in block["sections"] for row in s["rows"])


@settings(max_examples=400)
@given(candidates)
def test_what_constructs_satisfies_the_contract(fields: dict[str, object]) -> None:
    try:
        request = SendRequest.model_validate(fields)
    except ValidationError:
        return
    body = request.to_bytes()
    in_order(json.loads(body))
    assert b"null" not in re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', body)
    again = SendRequest.model_validate_json(body)
    assert again == request
    assert again.to_bytes() == body


valid_text = st.text(min_size=1, max_size=50).filter(lambda text: text.replace("\ufeff", "").strip() != "")


@given(valid_text, st.lists(valid_text.map(lambda t: t[:20]), max_size=3, unique_by=lambda t: t.strip().casefold()))
def test_valid_texts_with_valid_labels_construct(text: str, labels: list[str]) -> None:
    labels = [label for label in labels if label.replace("\ufeff", "").strip()]
    choices = tuple(ReplyButton(label=label) for label in labels) or None
    request = SendRequest(destination_number=ANA, text=text, buttons=choices)
    assert json.loads(request.to_bytes())["text"] == text
    in_order(json.loads(request.to_bytes()))
