"""Wire bytes to typed events: every example envelope, the bounds, and whatever else may come."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events import (
    Call,
    Clock,
    Event,
    FlowResponse,
    Group,
    Inbound,
    Inspect,
    Lead,
    Malformed,
    Media,
    Newsletter,
    Number,
    PhoneLine,
    Provider,
    Received,
    Reply,
    Status,
    Tap,
    Unknown,
    decode,
    verify,
)

EXAMPLES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("webhook-examples.json").read_text(encoding="utf-8"))
BODIES: dict[str, dict[str, Any]] = {example["name"]: example["body"] for example in EXAMPLES}
ANA, SHOP = "+5511987650001", "+551140028922"
GROUP, CHANNEL = "120363000000000001@g.us", "120363000000000099@newsletter"
OUT, IN, MENU = "wamid.DEMO0000000000000000OUT", "wamid.DEMO0000000000000000IN", "wamid.DEMO0000000000000000OUT3"
TALK = "Falar com atendente"

EXPECTED: dict[str, tuple[type[Event], dict[str, object]]] = {
    "message.sent/text": (Status, {"id": "cmn8outdemo0001", "status": "sent", "to": ANA, "message_id": f"{OUT}1", "at": 1795179602114}),
    "message.sent/media": (Status, {"id": "cmn8outdemo0002", "correlation_id": "corr_demo_4313"}),
    "message.sent/minimal-required-only": (Status, {"id": "cmn8outdemo0003", "message_id": None, "to": ANA}),
    "message.delivered/text": (Status, {"id": "cmn8outdemo0001", "status": "delivered"}),
    "message.read/text": (Status, {"id": "cmn8outdemo0001", "status": "read"}),
    "message.failed/outside-24h-window": (Status, {"status": "failed", "error_code": "META_OUTSIDE_24H_WINDOW", "message_id": None}),
    "message.failed/not-on-whatsapp": (Status, {"error_code": "WHATSAPP_NOT_EXIST", "to": "+5511900000000"}),
    "message.failed/no-errorCode": (Status, {"error_code": None, "error": "Provider refused the message"}),
    "message.received/text": (
        Received,
        {"id": "cmn9indemo0001", "sender": ANA, "to": SHOP, "sender_name": "Ana Souza", "text": "Oi, quero saber do meu pedido",
         "tap": None,
         "message_id": f"{IN}01", "number_id": "cmn7q1x2y0001demoNumber01", "at": 1795186860000, "type": "text", "media": None},
    ),
    "message.received/text-unicode-multiline": (Received, {"text": "Olá 👋🏽\nmeu CEP é 01310-100 — ok?\u00a0🙏"}),
    "message.received/text-null-name": (Received, {"sender_name": None, "text": "oi"}),
    "message.received/text-with-correlationId": (Received, {"correlation_id": "corr_demo_4312"}),
    "message.received/image": (
        Received, {"text": "comprovante", "type": "image", "media": Media("image", "https://media.example.com/in/6.jpg", "image/jpeg")}
    ),
    "message.received/image-without-link": (Received, {"text": "", "media": Media("image", None, "image/jpeg")}),
    "message.received/audio-voice-note": (
        Received, {"type": "audio", "media": Media("audio", "https://media.example.com/in/9.ogg", "audio/ogg; codecs=opus")}
    ),
    "message.received/video": (Received, {"type": "video", "text": "olha isso"}),
    "message.received/document": (
        Received,
        {"text": "nota", "media": Media("document", "https://media.example.com/in/11.pdf", "application/pdf", "nota-fiscal.pdf")},
    ),
    "message.received/sticker": (Received, {"media": Media("sticker", "https://media.example.com/in/12.webp", "image/webp")}),
    "message.received/location-content-text": (Received, {"type": "location", "text": "-23.561414,-46.655881", "media": None}),
    "message.received/location-no-content": (Received, {"type": "location", "text": ""}),
    "message.received/contacts-content-text": (Received, {"type": "contacts", "text": "Carlos Lima: +55 11 97777-0003"}),
    "message.received/reaction": (Received, {"type": "reaction", "text": "👍"}),
    "message.received/unknown-type-absent": (Received, {"type": "text", "text": "conteúdo de um tipo que a plataforma não mapeia"}),
    "message.received/fromMe-echo": (Received, {"from_me": True, "sender": SHOP, "to": ANA}),
    "message.received/duplicate-delivery-1": (Received, {"id": "cmn9indemo0024", "message_id": f"{IN}24"}),
    "message.received/duplicate-delivery-2": (Received, {"id": "cmn9indemo0024", "message_id": f"{IN}24"}),
    "message.reply/quoted-text": (
        Reply, {"text": "pode ser amanhã?", "quoted_id": f"{OUT}1", "quoted_text": "Seu pedido 4312 saiu para entrega.", "tap": None}
    ),
    "message.reply/quoted-without-original": (Reply, {"text": "isso mesmo", "quoted_id": None, "quoted_text": None}),
    "button-tap/as-message.reply-label-in-content": (Reply, {"text": TALK, "quoted_id": MENU, "tap": None}),
    "button-tap/as-message.reply-with-buttonId": (Reply, {"tap": Tap(TALK, "btn_2"), "quoted_id": MENU}),
    "button-tap/as-message.received-type-absent-mediaType-interactive": (Received, {"tap": Tap(TALK), "type": "text", "media": None}),
    "button-tap/as-message.received-plain-text": (Received, {"tap": None, "text": TALK}),
    "list-tap/as-message.reply-title-in-content": (Reply, {"tap": None, "text": "Segunda via de boleto"}),
    "message.group/text": (Group, {"group_id": GROUP, "group_name": "Time de Vendas", "sender": ANA, "text": "bom dia grupo"}),
    "message.group/image": (Group, {"group_id": GROUP, "text": "quadro", "type": "image"}),
    "message.group/fromMe": (Group, {"from_me": True, "group_id": GROUP}),
    "message.newsletter/text": (Newsletter, {"newsletter_id": CHANNEL, "newsletter_name": "Canal da Loja", "sender": CHANNEL}),
    "message.newsletter/image": (Newsletter, {"newsletter_id": CHANNEL, "newsletter_name": None, "text": "promo"}),
    "number.created": (Number, {"change": "created", "phone": SHOP, "display_name": "Suporte"}),
    "number.connected": (Number, {"change": "connected"}),
    "number.disconnected": (Number, {"change": "disconnected", "error_code": "DEMO_SESSION_CLOSED",
     "error": "Session closed by the phone"}),
    "number.removed": (Number, {"change": "removed"}),
    "number.restored": (Number, {"change": "restored"}),
    "number.recovered": (Number, {"change": "recovered"}),
    "number.health_degraded": (Number, {"change": "health_degraded"}),
    "number.health_blocked": (Number, {"change": "health_blocked", "error": "Number restricted by WhatsApp"}),
    "lead.received/full": (
        Lead,
        {"id": "900000000000001", "lead_id": "cmnleaddemo0001", "phone": "+5521998760002", "full_name": "Bianca Reis",
         "consent_given": True,
         "email": "bianca@example.com", "number_id": "cmn7q1x2y0001demoNumber01",
         "fields": {"full_name": ("Bianca Reis",), "produto": ("Plano B", "Plano C")}},
    ),
    "call.ringing": (Call, {"change": "ringing", "id": "call.ringing:call_demo_1:2026-11-20T17:00:00.000Z", "sender": ANA, "to": SHOP}),
    "call.connected": (Call, {"change": "connected", "status": "ACCEPTED"}),
    "call.ended": (Call, {"change": "ended", "duration": 180, "direction": "INBOUND", "call_id": "call_demo_1", "at": 1795194188000}),
    "call.missed": (Call, {"change": "missed", "duration": None}),
    "calls/raw-meta-envelope": (Provider, {"name": "whatsapp_business_account", "at": 1795190400000}),
    "flow.response_received": (
        FlowResponse,
        {"id": "cmnflowdemo0001", "sender": ANA, "flow_id": "400000000000001", "flow_token": "flow_tok_demo",
         "response": {"data_agendada": "2026-12-01"}},
    ),
    "legacy/message.sent": (Status, {"id": "cmn8outdemo0009", "to": ANA, "status": "sent", "at": 1770724800000}),
    "legacy/message.failed": (Status, {"id": "cmn8outdemo0010", "error": "destination not on WhatsApp", "at": 1770724805000}),
    "legacy/message.received": (
        Received, {"id": "3EB0DEMO00000000IN09", "sender_name": "Ana Souza", "to": SHOP, "text": "oi", "at": 1770724860000}
    ),
    "legacy/message.reply-with-button": (Reply, {"text": TALK, "quoted_text": "Como podemos ajudar?", "tap": Tap(TALK, "btn_2")}),
    "raw-meta/inbound-button-reply": (Provider, {"number_id": None}),
    "raw-meta/status-failed": (Provider, {"number_id": None}),
    "raw-evolution-go/CallOffer": (Provider, {"name": "CallOffer"}),
    "phone_line.purchased": (PhoneLine, {"id": "evt_demo_1", "change": "purchased", "line_id": "line_demo_1", "at": 1795204800000}),
    "phone_line.code_received": (PhoneLine, {"id": "evt_demo_2", "change": "code_received"}),
    "unknown-event/must-be-acked": (Unknown, {"id": "cmnfuture0001", "name": "message.brand_new_kind", "at": 1795208400000}),
    "unsigned-delivery/no-signature-header": (Received, {"text": "entrega sem assinatura"}),
    "bad-signature/must-be-rejected": (Received, {"text": "assinatura errada"}),
}  # fmt: skip


def wire(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def received(**fields: object) -> Event:
    return decode(wire({"event": "message.received", "data": {"id": "in1", "from": ANA, "to": SHOP, "content": "oi"} | fields}))


def test_every_example_is_expected() -> None:
    assert EXPECTED.keys() == BODIES.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_decodes_to_its_type_and_fields(name: str) -> None:
    kind, fields = EXPECTED[name]
    event = decode(wire(BODIES[name]))
    assert type(event) is kind
    assert {field: getattr(event, field) for field in fields} == fields
    assert event.id
    assert event.name == BODIES[name].get("event", "whatsapp_business_account")
    assert event.data


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_the_signatures_of_the_examples(example: dict[str, Any]) -> None:
    right = not example["name"].startswith(("unsigned-delivery", "bad-signature"))
    assert verify(wire(example["body"]), example["headers"].get("x-pilot-status-signature"), ["demo-webhook-secret"]) is right


class TestBounds:
    """What is no event is refused; nothing else is."""

    @pytest.mark.parametrize(
        "raw",
        [b"", b"nonsense", b"[]", b"1", b"null", b'"event"', b"{}", b'{"data":{}}', b'{"event":""}', b'{"event":null}', b'{"event":{}}',
         b'{"event":"message.received"', b'{"event":"x","data":NaN}', b'{"event":"\xff"}', b'{"event":"\xff\\ud83d"}',
          b"[" * 5000 + b"\\ud83d",
         b'{"event":"' + b"x" * 256 + b'"}'],
    )  # fmt: skip
    def test_no_event(self, raw: bytes) -> None:
        with pytest.raises(Malformed):
            decode(raw)

    @pytest.mark.parametrize(("depth", "taken"), [(30, True), (31, False), (900, False), (100_000, False)])
    def test_nesting(self, depth: int, taken: bool) -> None:
        raw = b'{"event":"x","data":{"deep":' + b"[" * depth + b"]" * depth + b"}}"
        assert _is_taken(raw) is taken

    @pytest.mark.parametrize(("keys", "taken"), [(1_998, True), (1_999, False)])
    def test_keys(self, keys: int, taken: bool) -> None:
        assert _is_taken(wire({"event": "x", "data": {str(key): 0 for key in range(keys)}})) is taken

    def test_keys_are_counted_in_all_objects(self) -> None:
        assert not _is_taken(wire({"event": "x", "data": {"list": [{"a": 1, "b": 2}] * 1_000}}))

    def test_an_emoji_cut_in_half_does_not_lose_the_message(self) -> None:
        event = decode(
            b'{"event":"message.received","data":{"id":"1","from":"+5511987650001","to":"+551140028922","content":"oi \\ud83d"}}'
        )
        assert isinstance(event, Received)
        assert event.text == "oi ?"


def _is_taken(raw: bytes) -> bool:
    try:
        decode(raw)
    except Malformed:
        return False
    return True


class TestIdentity:
    """The id that redeliveries share."""

    def test_a_status_tells_when_it_and_those_before_it_were_reached_as_far_as_is_known(self) -> None:
        data = {"id": "m1", "to": ANA, "createdAt": 1_700_000_003_000, "sentAt": 1_700_000_001_000, "deliveredAt": "soon", "readAt": None}
        event = decode(wire({"event": "message.read", "data": {**data, "metaPricing": {"category": "utility"}}}))
        assert isinstance(event, Status)
        assert event.reached == {"sent": 1_700_000_001_000, "read": 1_700_000_003_000}
        assert event.cost == "utility"

    @pytest.mark.parametrize("pricing", [None, [], {}, {"category": None}, {"category": ["x"]}])
    def test_a_cost_that_is_not_told_is_none(self, pricing: object) -> None:
        event = decode(wire({"event": "message.sent", "data": {"id": "m1", "to": ANA, "metaPricing": pricing}}))
        assert isinstance(event, Status)
        assert (event.cost, event.reached) == (None, {})

    def test_the_statuses_of_one_message_share_the_platform_id(self) -> None:
        events = [decode(wire(BODIES[f"message.{status}/text"])) for status in ("sent", "delivered", "read")]
        assert {event.id for event in events} == {"cmn8outdemo0001"}

    @pytest.mark.parametrize(
        ("ids", "expected"),
        [({"id": "a", "internalMessageId": "b", "messageId": "c"}, "a"), ({"internalMessageId": "b", "messageId": "c"}, "b"),
         ({"id": "", "messageId": "c"}, "c"), ({"id": 7}, "7"), ({"id": {"a": 1}, "messageId": "c"}, "c")],
    )  # fmt: skip
    def test_the_order_of_ids(self, ids: dict[str, object], expected: str) -> None:
        assert decode(wire({"event": "message.received", "data": {"from": ANA, "to": SHOP, **ids}})).id == expected

    def test_the_order_of_ids_of_an_unknown_event(self) -> None:
        data = {"internalMessageId": "b", "messageId": "c"}
        assert decode(wire({"event": "message.new", "id": "d", "data": data})).id == "b"
        assert decode(wire({"event": "message.new", "id": "d"})).id == "d"

    @pytest.mark.parametrize("id_", [None, "", "x" * 256])
    def test_a_body_without_an_id_is_known_by_its_hash(self, id_: str | None) -> None:
        raw = wire({"event": "message.received", "data": {"from": ANA, "to": SHOP, "id": id_}})
        assert decode(raw).id == sha256(raw).hexdigest()

    def test_two_permissions_of_one_moment_are_two_events(self) -> None:
        body = {"event": "call.permission_updated", "callId": None, "status": "TEMPORARY", "timestamp": "2026-11-20T17:20:00.000Z"}
        one, other = decode(wire(body | {"from": ANA})), decode(wire(body | {"from": "+5521998760002"}))
        assert isinstance(one, Call)
        assert one.id != other.id


class TestMessages:
    """The details of `message.*`."""

    @pytest.mark.parametrize("sender", [None, "", "  ", [], {}, True, "status@broadcast"])
    def test_a_message_of_nobody_is_unknown(self, sender: object) -> None:
        assert type(received(**{"from": sender})) is Unknown

    def test_a_status_to_nobody_and_a_group_message_of_no_group_are_unknown(self) -> None:
        assert type(decode(wire({"event": "message.sent", "data": {"id": "1"}}))) is Unknown
        assert type(decode(wire({"event": "message.group", "data": {"id": "1", "from": ANA, "to": SHOP}}))) is Unknown
        assert type(decode(wire({"event": "message.received", "data": "gone"}))) is Unknown

    @pytest.mark.parametrize("sender", [5511987650001, "5511987650001", "5511987650001@s.whatsapp.net"])
    def test_the_author_is_in_normal_form(self, sender: object) -> None:
        event = received(**{"from": sender})
        assert isinstance(event, Received)
        assert event.sender == ANA

    @pytest.mark.parametrize(
        ("content", "expected"), [("a", "a"), (5, "5"), (None, ""), ({"a": 1}, ""), ([], ""), ("{{ x }} %s {0}", "{{ x }} %s {0}")]
    )
    def test_text_is_the_content(self, content: object, expected: str) -> None:
        event = received(content=content)
        assert isinstance(event, Received)
        assert event.text == expected

    def test_content_comes_before_the_caption(self) -> None:
        event = received(type="image", content="a", mediaCaption="b")
        assert isinstance(event, Received)
        assert event.text == "a"

    def test_a_group_is_found_where_it_is_not_named(self) -> None:
        event = decode(wire({"event": "message.group", "data": {"fromNumber": ANA, "fromName": "Ana", "to": GROUP, "messageId": "m"}}))
        assert isinstance(event, Group)
        assert (event.group_id, event.sender, event.sender_name) == (GROUP, ANA, "Ana")

    @pytest.mark.parametrize(
        ("fields", "media"),
        [({"mediaType": "audio/ogg", "mediaLink": "https://x.example/1"}, Media("audio", "https://x.example/1", "audio/ogg")),
         ({"mediaType": "video"}, Media("video")), ({"mediaLink": "https://x.example/1"}, Media("document", "https://x.example/1")),
         ({"type": "image", "mediaId": "77"}, Media("image", id="77")),
         ({"mediaType": "interactive", "mediaLink": "https://x.example/1"}, None),
         ({"mediaType": "location"}, None), ({"type": "text"}, None)],
    )  # fmt: skip
    def test_media_without_all_its_fields(self, fields: dict[str, object], media: Media | None) -> None:
        event = received(**fields)
        assert isinstance(event, Received)
        assert event.media == media
        assert event.type == (media.kind if media else "text")

    @pytest.mark.parametrize(
        ("fields", "tap"),
        [({"buttonId": "b1"}, Tap("oi", "b1")), ({"rowId": "r1"}, Tap("oi", "r1")), ({"payload": "p1"}, Tap("oi", "p1")),
         ({"type": "interactive"}, Tap("oi")), ({"mediaType": "button"}, Tap("oi")), ({"type": "button", "buttonId": 3}, Tap("oi", "3")),
         ({"content": "", "interactive": {"list_reply": {"id": "r2", "title": "Plan A"}}}, Tap("Plan A", "r2")),
         ({"content": None, "interactive": {"button_reply": {"id": "b2", "title": "Yes"}}}, Tap("Yes", "b2")),
         ({"content": "", "button": {"payload": "p2", "text": "No"}}, Tap("No", "p2")),
         ({"content": "", "mediaType": "interactive"}, None), ({"payload": {"a": 1}}, None), ({"interactive": "x"}, None),
         ({"buttonId": "b1", "fromMe": True}, None), ({}, None)],
    )  # fmt: skip
    def test_a_tap_is_one_where_the_wire_marks_it(self, fields: dict[str, object], tap: Tap | None) -> None:
        event = received(**fields)
        assert isinstance(event, Received)
        assert event.tap == tap
        if tap:
            assert event.text == tap.label
            assert event.media is None


class TestOthers:
    """Bodies that the examples have not."""

    def test_the_sandbox_clock(self) -> None:
        data = {"id": "c1", "now": "2026-11-20T16:00:01Z", "offsetMs": 90_000_000}
        clock = Clock(name="sandbox.clock", id="c1", at=1795190401000, offset=90_000_000, data=data)
        assert decode(wire({"event": "sandbox.clock", "data": data})) == clock
        assert type(decode(wire({"event": "sandbox.clock", "data": {"id": "c1"}}))) is Unknown

    def test_the_sandbox_asks_about_a_chat(self) -> None:
        data = {"id": "q1", "numberId": "num_meta", "contact": "+55 11 98765-0001", "createdAt": "2026-11-20T16:00:01.000Z"}
        asked = Inspect(name="sandbox.inspect", id="q1", at=1795190401000, number_id="num_meta", data=data, contact=ANA)
        assert decode(wire({"event": "sandbox.inspect", "data": data})) == asked
        assert ANA not in repr(asked).replace(repr(data), "")
        for contact in (None, "", [ANA], {"phone": ANA}):
            assert type(decode(wire({"event": "sandbox.inspect", "data": {**data, "contact": contact}}))) is Unknown
        for contact in (GROUP, CHANNEL, "BR.1234"):
            assert getattr(decode(wire({"event": "sandbox.inspect", "data": {**data, "contact": contact}})), "contact", "") == contact

    @pytest.mark.parametrize("name", ["lead.updated", "flow.other", "sandbox.other", "number", "call.", "other.thing", "Message"])
    def test_unknown_names(self, name: str) -> None:
        assert type(decode(wire({"event": name, "data": {"id": "1", "offsetMs": 1, "leadId": "2"}}))) is Unknown

    def test_a_v3_body_with_a_stray_instance_is_no_provider_body(self) -> None:
        assert type(decode(wire({"instance": "x", **BODIES["message.received/text"]}))) is Received

    def test_other_evolution_bodies_are_recorded(self) -> None:
        event = decode(wire({"event": "messages.upsert", "instance": "suporte", "data": {"key": {"id": "x"}}}))
        assert type(event) is Provider
        assert event.inner == ()


@st.composite
def mutated(draw: st.DrawFn) -> object:
    """An example in which one field at any depth is replaced by random JSON, or removed."""
    body = json.loads(json.dumps(draw(st.sampled_from(list(BODIES.values())))))
    node: Any = body
    while True:
        key = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        if draw(st.booleans()):
            node[key] = draw(JSON)
        else:
            del node[key]
        return body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4),
    max_leaves=12,
)


@given(
    mutated()
    | JSON
    | st.fixed_dictionaries({"event": st.sampled_from(sorted({b.get("event", "x") for b in BODIES.values()})), "data": JSON})
)
def test_whatever_comes_it_is_an_event_or_malformed(body: object) -> None:
    try:
        event = decode(wire(body))
    except Malformed:
        return
    for one in (event, *(event.inner if isinstance(event, Provider) else ())):
        assert one.id
        assert one.name
        assert len(one.id) <= 600
        assert one.at is None or one.at >= 0
        if isinstance(one, Inbound):
            assert one.sender
            assert one.sender == one.sender.strip()
        if isinstance(one, Status):
            assert one.to


@given(st.binary())
def test_whatever_bytes_come_nothing_else_is_raised(raw: bytes) -> None:
    assert isinstance(_is_taken(raw), bool)
