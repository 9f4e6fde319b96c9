"""The demo's conversation: how it is printed, and that a wrong or missing answer fails it."""

import httpx
import pytest

from pilotbot.cli import transcript
from pilotbot.cli.failures import Failed
from pilotbot.cli.transcript import Player, Step, columns, entry, unused_contact

ASKED: dict[str, object] = {
    "id": "1", "direction": "in", "contactName": "Ana", "quoted": None, "mode": "text", "text": "order", "status": "READ", "buttons": [],
}  # fmt: skip
ANSWER: dict[str, object] = {
    "id": "2", "direction": "out", "mode": "buttons", "text": "order 4242", "status": "READ", "errorCode": None, "errorMessage": None,
    "buttons": [{"type": "reply", "label": "Track"}, {"type": "reply", "label": "Talk to a person"}],
}  # fmt: skip
STEP = Step(does={"text": "order"}, mode="buttons", says="4242")


def sandbox(*messages: dict[str, object]) -> httpx.AsyncClient:
    """A sandbox that takes everything and has these messages."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/sandbox/state":
            return httpx.Response(200, json={"chats": [{"contact": "+5511987650001"}, {"contact": "+5511987650003"}]})
        return httpx.Response(200, json=list(messages))

    return httpx.AsyncClient(base_url="http://sandbox", transport=httpx.MockTransport(answer))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "PATIENCE", 0.1)
    monkeypatch.setattr(transcript, "POLL", 0)


def test_entries_line_up() -> None:
    lines = [columns("who", "status", "mode", "text"), *entry(ANSWER).splitlines(), entry(ASKED)]
    assert lines == [
        "  who   status     mode      text",
        "  bot   READ       buttons   order 4242",
        "                             [Track] [Talk to a person]",
        "  Ana              text      order",
    ]


def test_long_and_many_lines_go_on_in_their_column() -> None:
    lines = columns("bot", "READ", "text", "word " * 40 + "\n\nend").splitlines()
    assert all(line.startswith(" " * 29) or not line for line in lines[1:])
    assert max(map(len, lines)) <= 100
    assert lines[-1].strip() == "end"


async def test_a_step_shows_the_message_and_its_answer() -> None:
    shown: list[str] = []
    async with sandbox(ASKED, ANSWER) as client:
        await Player(client, "+5511987650001", "Ana", shown.append).act(STEP)
    assert shown == [entry(ASKED), entry(ANSWER)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "the answer to 'order' did not come within"),
        (ANSWER | {"status": "SENT"}, "the answer to 'order' was still SENT"),
        (ANSWER | {"mode": "text"}, "should be of mode buttons"),
        (ANSWER | {"text": "no"}, "say '4242'"),
        (ANSWER | {"status": "FAILED", "errorCode": "META_OUTSIDE_24H_WINDOW"}, "was refused: META_OUTSIDE_24H_WINDOW"),
    ],
)
async def test_an_answer_that_is_wrong_or_missing_fails(answer: dict[str, object] | None, words: str) -> None:
    async with sandbox(ASKED, *([answer] if answer else [])) as client:
        with pytest.raises(Failed, match=words):
            await Player(client, "+5511987650001", "Ana", lambda _: None).act(STEP)


async def test_delivered_is_final_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "PATIENCE", 10)
    monkeypatch.setattr(transcript, "UNREAD", 0)
    async with sandbox(ASKED, ANSWER | {"status": "DELIVERED"}) as client:
        await Player(client, "+5511987650001", "Ana", lambda _: None).act(STEP)


async def test_each_demo_has_a_contact_of_its_own() -> None:
    async with sandbox() as client:
        assert await unused_contact(client) == "+5511987650002"
