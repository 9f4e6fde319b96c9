import orjson
import pytest

from pilotbot.replies import (
    Action,
    Card,
    Carousel,
    ContentError,
    Destination,
    Flow,
    Message,
    Template,
    dial,
    document,
    image,
    link,
    recognise,
    render,
)

ANA = Destination("contact", "+5511987650001")
FIRST, SECOND = image("https://example.com/{{ id }}.jpg"), image("data:image/png;base64,AAAA", url="https://example.com/2.png")


class BlocksBuy(Action):
    plan: str


CARDS = Message(
    "Our plans, {{ name }}:",
    carousel=Carousel([
        Card("Plan *{{ name }}*", FIRST, [BlocksBuy(plan="{{ id }}").option("Buy A"), link("See", "https://example.com/{{ id }}")]),
        Card("Plan B", SECOND, ["Buy B"]),
    ]),
    template=Template("follow_up"),
)  # fmt: skip


def test_a_carousel_goes_with_its_choices_as_a_menu() -> None:
    (part,) = render(CARDS, to=ANA, kind="meta", values={"name": "*Ana*", "id": 7}).parts
    assert part.free is not None
    assert part.mode == "carousel"
    assert orjson.loads(part.free.to_bytes()) == {
        "destinationNumber": ANA.address,
        "text": "Our plans, \u2217Ana\u2217:",
        "carousel": {
            "cards": [
                {
                    "media": {"type": "image", "url": "https://example.com/7.jpg"},
                    "body": "Plan *\u2217Ana\u2217*",
                    "buttons": [
                        {"type": "QUICK_REPLY", "text": "Buy A", "payload": "Buy A"},
                        {"type": "URL", "text": "See", "url": "https://example.com/7"},
                    ],
                },
                {
                    "media": {"type": "image", "url": "https://example.com/2.png"},
                    "body": "Plan B",
                    "buttons": [{"type": "QUICK_REPLY", "text": "Buy B", "payload": "Buy B"}],
                },
            ]
        },
    }
    assert part.template is not None
    assert part.menu is not None
    chosen = recognise([part.menu], "buy a", tapped=True)
    assert getattr(chosen, "action", None) == BlocksBuy(plan="7")


def test_a_flow_goes_as_it_is() -> None:
    flow = Flow("400{{ id }}", "Book {{ id }}", screen="START", data={"day": "{{ day }}", "n": [1, None]}, action="navigate", mode="draft")
    parts = render(Message("Book here.", flow=flow, header="Top", media=image("https://example.com/1.jpg")), to=ANA, kind="meta",
                   values={"id": 7, "day": "*1*"}).parts  # fmt: skip
    assert [part.mode for part in parts] == ["media", "flow"]
    assert [part.leads for part in parts] == [True, False]
    assert parts[1].free is not None
    body = orjson.loads(parts[1].free.to_bytes())
    assert (body["text"], body["flow"]) == (
        "Top\n\nBook here.",
        {
            "flowId": "4007", "cta": "Book 7", "screen": "START", "data": {"day": "*1*", "n": [1, None]}, "action": "navigate",
            "mode": "draft",
        },
    )  # fmt: skip


def test_options_beside_the_call_take_the_place_of_a_carousel() -> None:
    (part,) = render(CARDS, to=ANA, kind="meta", values={"name": "Ana", "id": 7}, options=["Yes"]).parts
    assert part.mode == "buttons"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Card(" ", FIRST), "has no text"),
        (lambda: Card("x" * 161, FIRST), "161 characters, 160 at most"),
        (lambda: Card("A", document("https://example.com/1.pdf")), "an image or a video"),
        (lambda: Card("A", image("data:image/png;base64,AAAA")), "by its public URL"),
        (lambda: Card("A", FIRST, ["a", "b", "c"]), "3 options, 2 at most"),
        (lambda: Card("A", FIRST, [dial("Call", "+551140028922")]), "choices and links to pages"),
        (lambda: Card("A", FIRST, ["x" * 21]), "21 characters, a button holds 20"),
        (lambda: Carousel([]), "1 to 10 cards, not 0"),
        (lambda: Carousel([Card("A", FIRST)] * 11), "1 to 10 cards, not 11"),
        (lambda: Message("Hi", carousel=Carousel([Card("A", FIRST, ["Buy"]), Card("B", FIRST, ["buy"])])), "'buy' is there twice"),
        (lambda: Flow(" ", "Go"), "needs its id"),
        (lambda: Flow("1", "x" * 21), "21 characters, 20 at most"),
    ],
)
def test_mistakes_are_refused_at_creation(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(ContentError, match=says):
        make()


def test_labels_that_become_the_same_are_refused() -> None:
    cards = Carousel([Card("A", FIRST, ["Buy {{ id }}"]), Card("B", FIRST, ["Buy 7"])])
    with pytest.raises(ContentError, match="the carousel: every button of a carousel needs a label of its own"):
        render(Message("Hi", carousel=cards), to=ANA, kind="meta", values={"id": 7})
