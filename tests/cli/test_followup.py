"""`pilotbot followup`: messages for later, from another terminal."""

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


def test_beside_a_running_bot_it_goes_when_it_is_due(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    added = invoke("followup", "add", ANA, "--in", "2h", "--text", "How is it?", "--key", "care")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("planned for ")
    assert added.stdout.endswith("key care\n")
    template = ("--in", "2d", "--template", "order_status", "--var", "order_id=1", "--var", "status=here")
    assert invoke("followup", "add", ANA, *template, "--unless-replied").exit_code == 0
    listed = invoke("followup", "list", ANA).stdout.splitlines()
    assert [line.split("  ")[2:] for line in listed] == [["How is it?"], ["template order_status", "(unless they reply)"]]
    dev.phone.travel("3h")
    dev.phone.until("one", "How is it?")
    dev.phone.travel("46h")
    dev.phone.until("one", "How is it?", "Your order 1 is here now.")


@pytest.mark.usefixtures("asleep")
def test_it_is_listed_replaced_and_ended(invoke: Invoke, left_behind: Callable[[], list[str]]) -> None:
    for text in ("first", "second"):
        assert invoke("followup", "add", ANA, "--at", "2099-01-01T09:00-03:00", "--text", text, "--key", "k").exit_code == 1  # a year ahead
        assert invoke("followup", "add", ANA, "--in", "300d", "--text", text, "--key", "k").exit_code == 0
    listed = invoke("followup", "list", ANA).stdout
    assert "second" in listed
    assert len(listed.splitlines()) == 1
    assert (invoke("followup", "cancel", ANA, "k").stdout, invoke("followup", "cancel", ANA, "k").exit_code) == ("1 ended\n", 1)
    assert invoke("followup", "list", ANA).stdout == "nothing waits to be sent to this contact\n"
    for _ in range(3):
        invoke("followup", "add", ANA, "--in", "3d", "--text", "x")
    assert invoke("followup", "cancel", ANA).stdout == "3 ended\n"
    assert left_behind() == []


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ((), "say when: --in 2d, or --at"),
        (("--in", "2d", "--at", "2026-12-01T09:00Z"), "say when: --in 2d, or --at"),
        (("--in", "2 days", "--text", "x"), "--in 2 days is no span of time"),
        (("--at", "tomorrow", "--text", "x"), "--at tomorrow is no time with its zone"),
        (("--at", "2026-12-01T09:00", "--text", "x"), "is no time with its zone"),
        (("--in", "2d"), "say what: --text, --template or both"),
        (("--in", "2d", "--text", "x", "--var", "a=b"), "name it with --template"),
        (("--in", "2d", "--text", "x", "--key", " "), "a key names a follow-up"),
        (("--in", "2d", "--text", "x", "--number", "other"), "no number is called 'other'; configured: main"),
        (("--in", "400d", "--text", "x"), "within a year"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(invoke: Invoke, words: tuple[str, ...], remedy: str) -> None:
    result = invoke("followup", "add", ANA, *words)
    assert result.exit_code == 1
    assert remedy in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
