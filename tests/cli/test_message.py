"""`pilotbot message`: what became of one sent message, from the bot's records or from the platform."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from typer.testing import Result

from pilotbot.cli.installation import mark
from pilotbot.cli.message import NOT_OURS, described, in_json
from pilotbot.platform import FailureFamily
from pilotbot.replies import Option, SentMessage
from tests.cli.conftest import PATIENCE_S, PHONE, Desk

Invoke = Callable[..., Result]
AT = datetime(2026, 11, 20, 13, 0, 0, 500_000, tzinfo=UTC)
FAILED = SentMessage(
    id="p1", mode="template", template="packed", variables={"order": "4242"}, statuses={"accepted": AT, "failed": AT}, status="failed",
    error_code="META_TEMPLATE_NOT_APPROVED", cause="in-1", cost="utility",
)  # fmt: skip


def test_a_failure_is_told_with_its_meaning_and_remedy() -> None:
    assert described(FAILED, "0/c", show_text=False) == [
        "id:       p1",
        "mode:     template",
        "template: packed",
        "chat:     0/c",
        "cause:    in-1",
        "cost:     utility",
        "status:   failed",
        "  2026-11-20 13:00:00.500Z  accepted",
        "  2026-11-20 13:00:00.500Z  failed",
        f"error:    META_TEMPLATE_NOT_APPROVED: {FAILED.meaning} {FAILED.remedy}",
    ]
    told = json.loads(in_json(FAILED, "0/c", show_text=False))
    assert (told["errorCode"], told["failure"]) == ("META_TEMPLATE_NOT_APPROVED", FailureFamily.PERMANENT)
    assert told["times"] == {"accepted": "2026-11-20T13:00:00.500Z", "failed": "2026-11-20T13:00:00.500Z"}


def test_what_it_says_is_shown_only_where_that_is_asked_for() -> None:
    said = SentMessage(id="p1", mode="buttons", text="Olá", options=(Option("Sim"), Option("Não")))
    assert "Olá" not in "\n".join(described(said, "0/c", show_text=False)) + in_json(said, "0/c", show_text=False)
    assert described(said, "0/c", show_text=True)[-3:] == ["Olá", "[Sim]", "[Não]"]
    assert json.loads(in_json(said, "0/c", show_text=True))["options"] == ["Sim", "Não"]
    assert described(FAILED, "0/c", show_text=True)[-1] == "order = 4242"


def test_what_it_says_is_not_obeyed_by_a_terminal() -> None:
    said = SentMessage(id="p1", mode="template", text="Hi \x1b[2J", variables={"name": "Ana\x1b]0;mine\x07"})
    assert all(line.isprintable() for line in described(said, "0/c", show_text=True))


def test_one_whose_content_is_gone_says_so_and_one_of_others_too() -> None:
    lines = described(SentMessage(id="p1", mode=""), None, show_text=True)
    assert "mode:     not known" in lines
    assert lines[-1] == NOT_OURS
    assert any(line.startswith("what it says is not kept") for line in lines)


def sent(dev: Desk) -> dict[str, Any]:
    """The bot's answer, once it was read."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        rows = httpx.get(f"{dev.phone.url}/sandbox/messages", trust_env=False).raise_for_status().json()
        if found := [row for row in rows if row["direction"] == "out" and row["status"] == "READ"]:
            return dict(found[0])
        assert time.monotonic() < deadline, rows
        time.sleep(0.02)


def test_beside_a_running_bot_by_each_of_its_ids(dev: Desk, invoke: Invoke) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")
    row = sent(dev)
    shown = invoke("message", row["id"])
    assert shown.exit_code == 0, shown.output
    assert f"id:       {row['id']}\nmode:     text\n" in shown.stdout
    assert "one" not in shown.stdout.replace("none", "")
    assert PHONE.removeprefix("+") not in shown.stdout
    for name in (row["messageId"], row["correlationId"]):
        other = json.loads(invoke("message", name, "--json").stdout)
        assert (other["mode"], other["cause"]) == ("text", json.loads(invoke("message", row["id"], "--json").stdout)["cause"])
        assert {"accepted", "sent"} <= set(other["times"])
    unknown = invoke("message", "no-such-message")
    assert unknown.exit_code == 1
    assert "no message is known by 'no-such-message', neither here nor to the platform (main: 404" in unknown.stderr


def test_without_a_platform_what_is_not_known_here_is_told_with_the_reason(desk: Path, invoke: Invoke) -> None:
    data = desk / ".pilotbot"
    data.mkdir()
    mark(data, api_url="http://127.0.0.1:9", api_key="ps_sandbox_number", webhook_secret="sandbox-webhook-secret")
    answer = invoke("message", "cmn8out1")
    assert answer.exit_code == 1
    assert "neither here nor to the platform (main: no answer" in answer.stderr
