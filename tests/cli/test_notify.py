"""`pilotbot notify`: from another terminal, through the same lanes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pilotbot.cli.failures import Failed
from pilotbot.cli.installation import mark
from pilotbot.cli.notify import check_phone, variables

Invoke = Callable[..., Result]
ANA = "+5511987650001"


@pytest.fixture
def asleep(desk: Path) -> Path:
    """A dev installation that is not running."""
    data = desk / ".pilotbot"
    data.mkdir()
    mark(data, api_url="http://127.0.0.1:8700", api_key="ps_sandbox_number", webhook_secret="sandbox-webhook-secret")
    return data


def test_beside_a_running_bot_without_settings(dev: Any, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    result = invoke("notify", ANA, "Your parcel is here.", "--key", "parcel-1")
    assert (result.exit_code, result.output) == (0, "queued, expected as text\n")
    dev.phone.until("one", "Your parcel is here.")
    again = invoke("notify", ANA, "Your parcel is here.", "--key", "parcel-1")
    assert (again.exit_code, again.stdout) == (0, "a message with this key was taken before; nothing is sent twice\n")
    other = invoke("notify", "+5511987650002", "-", "--template", "order_status", "--var", "order_id=4242", "--var", "status=here")
    assert (other.exit_code, other.stdout) == (0, "queued, expected as template\nIf it does not arrive: pilotbot dead list\n")
    dev.phone.until("one", "Your parcel is here.", "Your order 4242 is here now.")


def test_at_once_after_the_clock_was_moved_it_is_a_template(dev: Any, invoke: Invoke) -> None:
    """The clock answers once the bot follows it, so that another process, too, finds the window closed."""
    dev.phone.write("hi")
    dev.phone.until("one")
    words = ("notify", ANA, "Order 4242 is here.", "--template", "order_status", "--var", "order_id=4242", "--var", "status=here")
    assert invoke(*words).stdout.startswith("queued, expected as text\n")
    dev.phone.until("one", "Order 4242 is here.")
    dev.phone.travel("25h")
    assert invoke(*words).stdout.startswith("queued, expected as template\n")
    dev.phone.until("one", "Order 4242 is here.", "Your order 4242 is here now.")


@pytest.mark.usefixtures("asleep")
def test_with_no_bot_running_it_is_kept_and_said(invoke: Invoke, left_behind: Callable[[], list[str]]) -> None:
    result = invoke("notify", ANA, "-", "--template", "follow_up", "--key", "k")
    assert result.exit_code == 0
    assert result.stdout == "queued, expected as template\nNo bot is running on this data directory; the message goes when one is.\n"
    assert left_behind() == []
    again = invoke("notify", ANA, "-", "--template", "follow_up", "--key", "k")
    assert (again.exit_code, again.stdout) == (0, "a message with this key was taken before; nothing is sent twice\n")


@pytest.mark.usefixtures("asleep")
def test_without_a_template_it_waits_for_the_contact(invoke: Invoke) -> None:
    result = invoke("notify", ANA, "hello", "--data", ".pilotbot")
    assert result.exit_code == 0
    assert result.stdout.startswith("waits until the contact writes\n")
    assert result.stderr == ""


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("+123", "hello"), "write + and 7 to 15 digits"),
        (("98765-0001", "hello"), "no country code; write + and all of it, such as +5511987650001"),
        ((ANA, "hello", "--key", ""), "--key is empty"),
        ((ANA, "hello", "--key", " "), "--key is empty"),
        ((ANA, "hello", "--number", "other"), "no number is called 'other'; configured: main"),
        ((ANA, "hello", "--var", "a=b"), "name it with --template"),
        ((ANA, "hello", "--template", "order_status", "--var", "order_id"), "--var takes NAME=VALUE"),
        ((ANA, "hello", "--template", "order_status", "--var", "order_id="), "is blank, which the platform refuses"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line(invoke: Invoke, words: tuple[str, ...], remedy: str) -> None:
    result = invoke("notify", *words)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("pilotbot: ")
    assert remedy in lines[0]


@pytest.mark.parametrize("phone", ["987650001", "98765-0001", "(11) 98765-00"])
def test_a_phone_without_a_country_code_is_asked_for_one(phone: str) -> None:
    with pytest.raises(Failed, match="country code"):
        check_phone(phone)


@pytest.mark.parametrize("phone", [ANA, "5511987650001", "+4212345678", "BR.1234", "120363000000@g.us", ""])
def test_other_addresses_are_not_taken_for_one(phone: str) -> None:
    check_phone(phone)


def test_a_value_may_hold_anything() -> None:
    assert variables(["a=b=c", "b= "]) == {"a": "b=c", "b": " "}
    with pytest.raises(Failed):
        variables(["=x"])
