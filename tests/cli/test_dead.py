"""`pilotbot dead`: what failed for good is listed without personal data, shown, tried again, forgotten."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import Result

from pilotbot.cli.dead import described, table
from pilotbot.engine import ChatKey, Item, Letter

Invoke = Callable[..., Result]
SECRET_WORDS = "my very own words"


def letter(kind: str, payload: str, **more: Any) -> Letter:
    place = ChatKey(0, "c")
    return Letter("c-1", 1_700_000_000_000, "send" if kind == "send" else "event", place, "ValueError", "shop.py:7", payload, **more)


def test_the_list_holds_no_payload_and_no_detail() -> None:
    lines = table([letter("event", SECRET_WORDS)])
    assert lines == [
        "ID   TIME                  KIND   REASON      CHAT",
        "c-1  2023-11-14 22:13:20Z  event  ValueError  c",
    ]
    assert table([]) == ["no dead letters"]


def test_a_message_is_shown_with_its_variants() -> None:
    item = Item(id="i", free=orjson.dumps({"text": "olá"}), template=b'{"templateId":"t"}')
    text = described(letter("send", item.pack().decode()))
    assert 'in an open window:\n{\n  "text": "olá"\n}' in text
    assert 'as a template:\n{\n  "templateId": "t"\n}' in text
    assert "detail:  shop.py:7" in text


def test_an_event_that_is_no_json_is_shown_as_it_is() -> None:
    assert described(letter("event", "{broken")).endswith("\n{broken")


TRACE = """Traceback (most recent call last):
  File "shop.py", line 7, in order
    raise ValueError("no such order")
ValueError: no such order
"""


def test_an_event_is_shown_with_how_often_it_ran_and_where_it_failed() -> None:
    assert described(letter("event", "{}", tries=2, crashes=1, trace=TRACE)) == (
        "time:    2023-11-14 22:13:20Z\n"
        "kind:    event\n"
        "reason:  ValueError\n"
        "detail:  shop.py:7\n"
        "chat:    c\n"
        "tries:   2\n"
        "crashes: 1\n"
        "\n"
        f"{TRACE}\n"
        "{}"
    )


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (
            letter("event", "{}"),
            "too many events wait to be handled in the chat of 'c-1', or the contact opted out; it stays a dead letter",
        ),
        (letter("send", "{}"), "too many messages wait to be sent to the chat of 'c-1', or the contact opted out; it stays a dead letter"),
        (None, "there is no dead letter 'c-1'; see `pilotbot dead list`"),
    ],
)
def test_a_letter_that_does_not_go_back_says_why(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, left: Letter | None, expected: str
) -> None:
    class Full:
        async def retry_dead(self, name: str) -> bool:
            return False

        async def dead_letter(self, name: str) -> Letter | None:
            return left

    monkeypatch.setattr("pilotbot.cli.dead._with_engine", lambda data, work: asyncio.run(work(Full())))
    answer = invoke("dead", "retry", "c-1")
    assert answer.exit_code == 1
    assert expected in answer.stderr


def test_from_failure_to_answer(dev: Any, bot_file: Path, invoke: Invoke) -> None:
    right = bot_file.read_text()
    bot_file.write_text(right.replace("await ctx.reply", "raise ValueError(ctx.text)\n    await ctx.reply"))
    dev.command.until("shop listens on")
    for _ in range(2):
        dev.phone.write(SECRET_WORDS)
        dev.command.until("it is a dead letter now")

    listed = invoke("dead", "list", "--data", ".pilotbot")
    assert listed.exit_code == 0
    assert SECRET_WORDS not in listed.output
    assert "98765" not in listed.output
    first, second = (line.split()[0] for line in listed.stdout.splitlines()[1:])
    shown = invoke("dead", "show", first)
    assert shown.exit_code == 0
    assert f'"content": "{SECRET_WORDS}"' in shown.stdout
    assert "reason:  ValueError" in shown.stdout
    assert "tries:   2" in shown.stdout
    assert re.search(
        rf'File ".*shop.py", line \d+, in answer\n    raise ValueError\(ctx.text\)\nValueError: {SECRET_WORDS}\n', shown.stdout
    )
    assert "dispatch.py" not in shown.stdout  # none of the framework's own frames

    bot_file.write_text(right)
    dev.command.until("shop listens on")
    assert invoke("dead", "retry", first).exit_code == 0
    dev.phone.until("one")
    assert invoke("dead", "drop", second).exit_code == 0
    assert invoke("dead", "list").stdout == "no dead letters\n"
    for verb in ("show", "retry", "drop"):
        gone = invoke("dead", verb, first)
        assert gone.exit_code == 1
        assert gone.stderr.endswith("see `pilotbot dead list`\n")
