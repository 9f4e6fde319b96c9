"""`pilotbot handover`: chats that people have, from another terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pilotbot.cli.handover import table
from pilotbot.cli.installation import mark
from pilotbot.contacts import Human
from pilotbot.contacts.consent import OUT_SAID
from pilotbot.engine import ChatKey, Place
from pilotbot.engine.handover import Held

Invoke = Callable[..., Result]
ANA, BRUNO = "+5511987650001", "+5521998760002"


@pytest.fixture
def asleep(desk: Path) -> Path:
    """A dev installation that is not running."""
    data = desk / ".pilotbot"
    data.mkdir()
    mark(data, api_url="http://127.0.0.1:8700", api_key="ps_sandbox_number", webhook_secret="sandbox-webhook-secret")
    return data


def test_beside_a_running_bot_it_is_silent_from_then_on_until_the_end(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    assert invoke("handover", "start", ANA, "--queue", "sales", "--note", "wants 40").stdout.startswith("a person has the chat now")
    dev.phone.write("hi")
    dev.phone.write("stop")  # which is heard all the same, after it
    dev.phone.until("one", OUT_SAID["en"])
    assert invoke("handover", "end", ANA).stdout == "the bot has the chat again\n"
    dev.phone.write("hi")
    dev.phone.until("one", OUT_SAID["en"], "one")


@pytest.mark.usefixtures("asleep")
def test_it_is_listed_by_queue_and_ended_once(invoke: Invoke, left_behind: Callable[[], list[str]]) -> None:
    assert invoke("handover", "list").stdout == "no person has a chat\n"
    assert invoke("handover", "start", ANA, "--queue", "sales", "--note", "wants\n40 pieces", "--for", "3d").exit_code == 0
    assert invoke("handover", "start", BRUNO).exit_code == 0
    assert "already" in invoke("handover", "start", ANA, "--queue", "sales").stdout
    head, bruno, ana = invoke("handover", "list").stdout.splitlines()
    assert head.split() == ["CHAT", "NUMBER", "QUEUE", "BY", "SINCE", "UNTIL", "NOTE"]
    assert bruno.startswith(BRUNO)
    assert ana.startswith(ANA)
    assert len(invoke("handover", "list", "--queue", "sales").stdout.splitlines()) == 2
    assert invoke("handover", "list", "--queue", "other").stdout == "no person has a chat of queue 'other'\n"
    assert [invoke("handover", "end", ANA).exit_code for _ in range(2)] == [0, 1]
    assert left_behind() == []


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("start", ANA, "--for", "40d"), "up to 30 days"),
        (("start", ANA, "--for", "soon"), "--for"),
        (("start", ANA, "--queue", "x" * 61), "a queue has a short name"),
        (("start", ANA, "--number", "none"), "configured: main"),
        (("start", "ana"), "not an address"),
    ],
)
def test_what_makes_no_sense_is_told(invoke: Invoke, words: tuple[str, ...], remedy: str) -> None:
    result = invoke("handover", *words)
    assert result.exit_code != 0
    assert remedy in result.output


def test_what_contacts_wrote_is_not_obeyed_by_a_terminal() -> None:
    place = Place(key=ChatKey(0, "c"), number="main", kind="contact", address="+5511987650001")
    human = Human(queue="", note="help \x1b[31m", since=0, until=1, by="word")
    _, row = table([(Held(place, "Ana\x1b]0;mine\x07\x1b[2J", b""), human)])
    assert row.isprintable()
    assert "Ana" in row
