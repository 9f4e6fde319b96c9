"""What whoever logs in a bot's process lets slip does not come to the log."""

import logging
import time

import pytest

from pilotbot.cli import logs


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the key ps_live_4711abc-X is wrong", "the key ps_*** is wrong"),
        ("POST /webhook?x=1&token=hunter2&y=2", "POST /webhook?x=1&token=***&y=2"),
        ("{'x-api-key': 'hunter2', 'a': 1}", "{'x-api-key': '***', 'a': 1}"),
        ("X-Api-Key: hunter2", "X-Api-Key: ***"),
        ("(b'x-api-key-id', b'hunter2')", "(b'x-api-key-id', b'***')"),
        ("Authorization: hunter2", "Authorization: ***"),
        ("'Authorization': 'Bearer hunter2'", "'Authorization': 'Bearer ***'"),
        ("x-pilot-status-signature=0a1b2c", "x-pilot-status-signature=***"),
        ("redis://user:hunter2@host:6379/0", "redis://user:***@host:6379/0"),
        ("rediss://:hunter2@host", "rediss://:***@host"),
        ("to +5511987650001 and +14155550100.", "to +55***01 and +14***00."),
        ("2026-11-25T10:00:00+00:00, +12 more, 5 + 3, http://127.0.0.1:8701/webhook", None),
    ],
)
def test_secrets_and_phones_are_taken_out_of_every_line(capsys: pytest.CaptureFixture[str], said: str, shown: str | None) -> None:
    logs.set_up("INFO")
    logging.getLogger("of.somebody").info("%s", said)
    assert capsys.readouterr().err.rstrip().endswith(f"of.somebody {shown or said}")


def test_they_are_taken_out_of_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO")
    try:
        raise ValueError("+5511987650001 at redis://:hunter2@host")
    except ValueError:
        logging.getLogger("of.somebody").exception("it went wrong")
    found = capsys.readouterr().err
    assert "ValueError: +55***01 at redis://:***@host" in found


@pytest.mark.parametrize("evil", ["a" * 300_000, "://" * 100_000, "://a:" * 60_000, "+1" * 150_000, "ps_" * 100_000, "x-api-key:" * 30_000])
def test_a_long_line_takes_no_long_time(capsys: pytest.CaptureFixture[str], evil: str) -> None:
    logs.set_up("INFO")
    began = time.monotonic()
    logging.getLogger("of.somebody").info(evil)
    assert time.monotonic() - began < 1
