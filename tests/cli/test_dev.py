"""`pilotbot dev`: a change is seen at once, a mistake is shown and waited out, and nothing is left behind."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchfiles import Change

from pilotbot.cli.dev import Sources, watched


def test_only_what_a_bot_is_made_of_counts() -> None:
    sources = Sources()
    assert sources(Change.modified, "/shop/bots/orders.py")
    assert sources(Change.modified, "/shop/flows/faq.yaml")
    assert not sources(Change.modified, "/shop/.pilotbot/redis.log")
    assert not sources(Change.modified, "/shop/.venv/lib/module.py")
    assert not sources(Change.modified, "/shop/bots/__pycache__/orders.py")


def test_the_code_and_the_flows_beside_it_are_watched(desk: Path) -> None:
    for name in ("bots", "flows"):
        (desk / name).mkdir()
    assert watched("bots/orders.py") == [desk / "bots", desk / "flows"]


def test_changes_and_mistakes(dev: Any, bot_file: Path, left_behind: Callable[[], list[str]]) -> None:
    dev.phone.write("hi")
    dev.phone.until("one")

    bot_file.write_text(bot_file.read_text().replace('"one"', '"two"'))
    dev.command.until("shop.py changed: starting again")
    dev.command.until("shop listens on")
    dev.phone.write("hi")
    dev.phone.until("one", "two")

    right = bot_file.read_text()
    bot_file.write_text(right.replace("ctx: Context", "ctx: Context, orders: dict"))
    dev.command.until("shop.py:7 answer @bot.message")
    dev.command.until("nobody provides dict")
    dev.command.until("it comes back with the next change")
    dev.phone.write("while it is down")
    bot_file.write_text(right + "x = (\n")
    dev.command.until(r"shop.py:\d+: '\(' was never closed")
    dev.command.until("it comes back with the next change")
    bot_file.write_text(right.replace('"two"', '"three"'))
    dev.command.until("shop listens on")
    dev.phone.until("one", "two", "three")

    assert dev.command.end(signal.SIGTERM) == 0
    assert left_behind() == []
    assert "Traceback" not in dev.command.text


def test_the_bot_ends_with_a_dev_that_is_killed(dev: Any, left_behind: Callable[[], list[str]]) -> None:
    dev.command.end(signal.SIGKILL)
    assert left_behind() == []


def test_a_file_with_the_name_of_a_module_is_refused_and_harms_nothing(
    start: Any, desk: Path, bot_file: Path, free_port: Callable[[], int]
) -> None:
    bot_file.rename(desk / "redis.py")
    command = start("dev", "redis.py", "--sandbox-port", str(free_port()), "--port", str(free_port()), safe=True)
    command.until(r"redis\.py has the name of another module, redis \(.*\), which would be lost: rename the file")
    assert command.end() == 0
    assert "Traceback" not in command.text


def test_a_second_dev_on_the_same_data_is_refused(dev: Any, start: Any, free_port: Callable[[], int]) -> None:
    second = start("dev", "shop.py", "--sandbox-port", str(free_port()), "--port", str(free_port()))
    second.until("another `pilotbot dev` or `demo` works in .pilotbot; stop it, or give another directory with --data")
    assert second.process.wait() == 1
