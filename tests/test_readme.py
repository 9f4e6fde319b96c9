"""README and the page on handlers say what is so: their code runs, their commands and variables exist."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from pilotbot import Bot, Settings
from pilotbot.cli.main import app
from pilotbot.target import load_module
from tests.stage import Stage

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
HANDLERS = (ROOT / "docs" / "handlers.md").read_text("utf-8")
CODE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory to save code in, and to load it from; classes of that name that other tests know are not in its way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("pilotbot.replies.actions._registry", {})
    monkeypatch.setattr("pilotbot.contacts.state._registry", {})
    yield tmp_path
    sys.modules.pop("readme_bot", None)


def save(desk: Path, code: str) -> ModuleType:
    """Code as somebody saves it, loaded."""
    (desk / "readme_bot.py").write_text(code, "utf-8")
    return load_module("readme_bot.py")


def checked(desk: Path, code: str) -> str:
    """What `pilotbot check` says of code that it finds nothing wrong with."""
    (desk / "readme_bot.py").write_text(code, "utf-8")
    done = subprocess.run([sys.executable, "-m", "pilotbot", "check", "readme_bot.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_first_bot_is_ten_lines_at_most(desk: Path) -> None:
    assert len([line for line in CODE[0].splitlines() if line.strip()]) <= 10
    assert "shop: 1 handler, nothing wrong" in checked(desk, CODE[0])


async def test_both_snippets_in_one_file_are_clean_and_answer_a_tap(desk: Path, stage: Stage) -> None:
    code = "\n".join(CODE)
    assert "shop: 2 handlers, nothing wrong" in await asyncio.to_thread(checked, desk, code)
    bot = save(desk, code).bot
    await stage.work(bot)
    assert [template.name for template in bot.templates()] == ["order_status"]
    await stage.says("where is my order?")
    (shipped,) = await stage.sees(1)
    assert (shipped["mode"], [button["label"] for button in shipped["buttons"]]) == ("buttons", ["Track"])
    await stage.taps("Track")
    assert (await stage.sees(2))[1]["text"] == "Parcel of order 4242: at the depot since 08:10."
    await stage.travel("25h")
    await bot.notify("+5511987650001", "Your parcel is at the depot", template=None)
    await stage.says("pedido")
    assert [row["text"] for row in await stage.sees(4)][2:] == ["Your parcel is at the depot", "Order 4242 is on its way."]


async def test_the_page_on_handlers_is_a_bot(desk: Path, stage: Stage) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", HANDLERS, re.DOTALL))
    assert "nothing wrong" in await asyncio.to_thread(checked, desk, code)
    module = save(desk, code)
    await stage.work(module.bot)
    for text in ("the price?", "return 4242", "a beer with my order", "order"):
        await stage.says(text)
    rows = await stage.sees(3)
    assert [row["text"] for row in rows] == ["From R$ 10.", "Your return 4242 is on its way.", "Hi Ana, order 4242 is on its way."]
    await stage.taps("Track")
    await stage.sees(4)
    await stage.taps("Thanks")
    parcel, thanks = (await stage.sees(5))[3:]
    assert (parcel["mode"], thanks["text"]) == ("media", "You are welcome.")
    await stage.travel("25h")
    await module.shipped("+5511987650001", 4312)
    await module.shipped("+5511987650001", 4312)
    assert (await stage.sees(6, settled=True))[5]["variables"]["order_id"] == "4312"


def test_the_page_on_handlers_names_every_decorator_and_filter() -> None:
    decorators = set(re.findall(r"^\| `@bot\.(\w+)\(", HANDLERS, re.MULTILINE))
    messages = {"message", "received", "reply", "tapped", "unhandled", "stale", "group", "newsletter"}
    known = messages | {"status", "number", "call", "lead", "flow_response", "handed_over", "handed_back", "alert"}
    known |= {"cron", "every", "schedule", "error"}
    assert decorators == known
    assert all(hasattr(Bot, name) for name in known)
    for name in ("words", "exactly", "pattern", "has_text", "has_media", "mentions_me", "status_is", "change_is", "custom"):
        assert f"`{name}(" in HANDLERS


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="it is for a shell with curl and openssl")
async def test_its_signed_webhook_is_taken(stage: Stage) -> None:
    runtime = await stage.work(Bot("shop"), webhook_secret="the-webhook-secret")
    (script,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for secret, status in (("the-webhook-secret", "200"), ("wrong", "401")):
        there = script.replace("http://127.0.0.1:8701", runtime.url).replace("SECRET=the-webhook-secret", f"SECRET={secret}")
        child = await asyncio.create_subprocess_exec(
            "sh", "-c", there, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1"}
        )
        out, _ = await child.communicate()
        assert out.decode().splitlines()[0].split()[1] == status
    await stage.counted(runtime, "unhandled", 1)


def test_its_commands_are_those_of_the_command_line() -> None:
    table = README.split("## The commands")[1].split("##")[0]
    told = set(re.findall(r"^\| `pilotbot (\w+)", table, re.MULTILINE))
    command = get_command(app)
    assert told == set(getattr(command, "commands", {}))


def test_its_variables_are_settings() -> None:
    told = set(re.findall(r"PILOTBOT_[A-Z_]+", README))
    assert told <= {f"PILOTBOT_{name.upper()}" for name in Settings.model_fields}
    examples = set(re.findall(r"PILOTBOT_[A-Z_]+", (ROOT / ".env.example").read_text("utf-8")))
    assert told <= examples


def test_its_files_exist() -> None:
    for path in re.findall(r"`((?:bots|flows|docs|tests|docker)/[\w./-]*)`", README) + re.findall(r"\]\(([\w/.-]+)\)", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w/.-]+)\)", HANDLERS):
        assert (ROOT / "docs" / path).exists(), path
