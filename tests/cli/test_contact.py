"""`pilotbot contact`: what contacts decided, shown and noted from another terminal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pilotbot.cli.installation import mark

Invoke = Callable[..., Result]
ANA = "+5511987650001"


@pytest.fixture
def asleep(desk: Path) -> Path:
    """A dev installation that is not running."""
    data = desk / ".pilotbot"
    data.mkdir()
    mark(data, api_url="http://127.0.0.1:8700", api_key="ps_sandbox_number", webhook_secret="sandbox-webhook-secret")
    return data


def test_beside_a_running_bot_it_holds_at_once(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    assert invoke("contact", "opt-out", ANA, "--evidence", "asked on the phone").exit_code == 0
    refused = invoke("notify", ANA, "Sale!")
    assert (refused.exit_code, refused.stdout) == (1, "not sent: the contact opted out of messages that they did not ask for\n")
    shown = invoke("contact", "show", ANA).stdout
    assert shown.startswith("consent: opted out since ")
    assert "command    asked on the phone" in shown
    assert "main: last wrote " in shown
    assert "window open" in shown
    assert invoke("contact", "opt-in", ANA, "--evidence", "wrote an e-mail").stdout == "opted in\n"
    assert invoke("notify", ANA, "Sale!").exit_code == 0
    dev.phone.until("one", "Sale!")
    assert [line.split()[2] for line in invoke("contact", "show", ANA).stdout.splitlines()[1:3]] == ["in", "out"]


@pytest.mark.usefixtures("asleep")
def test_of_a_stranger_nothing_is_known(invoke: Invoke, left_behind: Callable[[], list[str]]) -> None:
    shown = invoke("contact", "show", ANA)
    assert (shown.exit_code, shown.stdout) == (0, "consent: has decided nothing\nmain: never wrote, window never\n")
    assert left_behind() == []


@pytest.mark.usefixtures("asleep")
def test_the_same_person_by_another_spelling(invoke: Invoke) -> None:
    invoke("contact", "opt-out", "+551187650001", "--evidence", "x")
    assert "opted out" in invoke("contact", "show", "+5511987650001").stdout


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("opt-out", ANA, "--evidence", " "), "--evidence is empty"),
        (("opt-out", "987650001", "--evidence", "x"), "no country code"),
        (("show", "120363000000000001@g.us"), "decides nothing"),
        (("show", "nobody"), "not an address"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(invoke: Invoke, words: tuple[str, ...], remedy: str) -> None:
    result = invoke("contact", *words)
    assert result.exit_code == 1
    assert remedy in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_decision_may_be_about_one_purpose(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    done = invoke("contact", "opt-in", ANA, "--purpose", "marketing", "--evidence", "a form")
    assert (done.exit_code, done.stdout) == (0, "opted in to marketing\n")
    assert invoke("contact", "opt-out", ANA, "--purpose", "utility", "--evidence", "a call").stdout.startswith("opted out of utility: ")
    shown = invoke("contact", "show", ANA).stdout
    assert shown.startswith("consent: opted in to marketing since ")
    assert "; opted out of utility since " in shown
    assert "  language: " in shown


def test_all_that_is_kept_is_exported_and_then_forgotten(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    invoke("contact", "opt-out", ANA, "--evidence", "asked on the phone")
    found = json.loads(invoke("contact", "export", ANA).stdout)
    assert found["addresses"] == [ANA]
    assert found["chats"][0]["number"] == "main"
    assert [message["mode"] for message in found["messages"]] == ["text"]
    assert found["consent"][0]["evidence"] == "asked on the phone"
    refused = invoke("contact", "forget", ANA)  # nobody says yes
    assert refused.exit_code == 1
    assert json.loads(invoke("contact", "export", ANA).stdout)["chats"] != []
    forgotten = invoke("contact", "forget", ANA, "--yes")
    assert (forgotten.exit_code, forgotten.stdout) == (0, "forgotten, also on Redis's disk\n")
    found = json.loads(invoke("contact", "export", ANA).stdout)
    assert (found["chats"], found["messages"], [entry["evidence"] for entry in found["consent"]]) == ([], [], [""])
