"""`pilotbot templates` and `check --remote`, against a sandbox: push, approval, drift, pull; exit codes for CI."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import Result

from pilotbot.cli import templates
from pilotbot.platform import TemplateInfo
from pilotbot.replies.definitions import read_catalogue
from pilotbot.sandbox import Sandbox, SandboxSettings

Invoke = Callable[..., Result]
Run = Callable[..., Coroutine[Any, Any, Result]]

CODE = """
from pilotbot import Bot, Context, Message, Template

bot = Bot("shop")
ORDER = Message("Order {{ id }}.", template=Template("order_status", order_id="{{ id }}", status="here"))


@bot.message()
async def answer(ctx: Context) -> None:
    await ctx.reply(ORDER, id="1")
"""
FILE = """\
name: order_status
category: UTILITY
languages:
  en:
    body: Your order {{order_id}} is {{status}} now.
  pt_BR:
    header: Pedido {{order_id}}
    body: Seu pedido está {{status}} agora.
    footer: Loja Exemplo
    buttons:
      - {type: QUICK_REPLY, text: Rastrear}
examples: {order_id: "4242", status: aqui}
"""


REFUSED = (
    "  templates/order_status.yaml:5: order_status on number main: its category is UTILITY on the platform for good, "
    "not MARKETING: give the template another name"
)


@pytest.fixture
async def sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxSettings(port=0)) as sandbox:
        monkeypatch.setenv("PILOTBOT_API_URL", sandbox.url)
        monkeypatch.setenv("PILOTBOT_API_KEY", "ps_sandbox_number")
        monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "s")
        monkeypatch.setattr(templates, "LOOK", (0.02, 0.05))
        yield sandbox


@pytest.fixture
def run(invoke: Invoke, desk: Path, sandbox: Sandbox) -> Run:
    """Runs a command beside the sandbox, in a directory with a bot."""
    (desk / "shop.py").write_text(CODE, "utf-8")
    return lambda *words: asyncio.to_thread(invoke, *words)


@pytest.fixture
def file(desk: Path) -> Path:
    path = desk / "templates" / "order_status.yaml"
    path.parent.mkdir()
    path.write_text(FILE, "utf-8")
    return path


async def judge(sandbox: Sandbox, name: str, verdict: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.post(f"{sandbox.url}/sandbox/templates/{name}/{verdict}", json={})).raise_for_status()


async def platform(sandbox: Sandbox, name: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, headers={"x-api-key": "ps_sandbox_number"}) as http:
        found: dict[str, Any] = (await http.get(f"{sandbox.url}/v1/templates/{name}")).raise_for_status().json()
        return found


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1_000):
        if await look():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it did not come to be")


def write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def read(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.mark.usefixtures("file")
class TestPush:
    async def test_it_creates_waits_for_approval_and_ends_with_0(self, run: Run, sandbox: Sandbox) -> None:
        pushing = asyncio.create_task(run("templates", "push", "shop.py"))

        async def pending() -> bool:
            try:
                return bool((await platform(sandbox, "order_status_pt_br"))["metaStatus"] == "PENDING")
            except httpx.HTTPStatusError:
                return False

        await until(pending)
        assert not pushing.done()
        await judge(sandbox, "order_status_pt_br", "approve")
        result = await pushing
        assert result.stdout.splitlines() == [
            "order_status: as it is there", "order_status_pt_br: created, PENDING", "order_status_pt_br: APPROVED",
        ]  # fmt: skip
        assert result.exit_code == 0
        made = await platform(sandbox, "order_status_pt_br")
        assert (made["category"], made["metaLanguage"], made["variables"]) == ("UTILITY", "pt_BR", ["order_id", "status"])
        again = await run("templates", "push", "shop.py")
        assert again.stdout.splitlines() == ["order_status: as it is there", "order_status_pt_br: as it is there"]

    async def test_what_differs_gets_a_new_version(self, run: Run, sandbox: Sandbox, file: Path) -> None:
        write(file, FILE.replace("is {{status}} now", "is now {{status}}"))
        result = await run("templates", "push", "shop.py", "--no-wait")
        assert "order_status: a new version, PENDING" in result.stdout.splitlines()
        assert result.exit_code == 0
        found = await platform(sandbox, "order_status")
        assert (found["body"], found["latestVersion"]["version"]) == ("Your order {{order_id}} is now {{status}}.", 2)

    async def test_one_that_still_waits_after_the_time_is_3(self, run: Run) -> None:
        result = await run("templates", "push", "shop.py", "--timeout", "1")
        assert result.exit_code == 3
        assert result.stderr == (
            "pilotbot: still waiting for approval: order_status_pt_br; `pilotbot templates list` shows how they stand\n"
        )  # fmt: skip

    async def test_one_that_is_rejected_is_1(self, run: Run, sandbox: Sandbox) -> None:
        pushing = asyncio.create_task(run("templates", "push", "shop.py"))

        async def rejected() -> bool:
            try:
                await judge(sandbox, "order_status_pt_br", "reject")
            except httpx.HTTPStatusError:
                return False
            return True

        await until(rejected)
        result = await pushing
        assert result.exit_code == 1
        assert result.stderr == "pilotbot: order_status_pt_br: REJECTED: Meta will not have it so; the dashboard shows why\n"

    async def test_a_dry_run_does_nothing(self, run: Run) -> None:
        result = await run("templates", "push", "shop.py", "--dry-run")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:4] == [
            "order_status: as it is there", "order_status_pt_br: would be created", "--- order_status_pt_br on the platform",
            "+++ templates/order_status.yaml:7",
        ]  # fmt: skip
        assert "order_status_pt_br" in (await run("templates", "push", "shop.py", "--dry-run")).stdout

    async def test_a_changed_category_stops_all_of_it(self, run: Run, file: Path) -> None:
        write(file, FILE.replace("UTILITY", "MARKETING"))
        result = await run("templates", "push", "shop.py")
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.splitlines() == ["pilotbot: nothing is pushed:", REFUSED]

    async def test_mistakes_are_told_before_anything_is_asked(self, run: Run, file: Path) -> None:
        write(file, FILE.replace("footer: Loja Exemplo", "footer: Loja {{status}}"))
        result = await run("templates", "push", "shop.py")
        assert result.exit_code == 1
        assert "templates/order_status.yaml:9: languages.pt_BR.footer: it holds a variable" in result.stderr

    async def test_a_refusal_names_the_file_and_the_platforms_words(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "pilotbot.cli.templates.Step.wording", property(lambda step: step.definition.languages["en"].__class__("{{a}} b"))
        )
        monkeypatch.setattr("pilotbot.cli.templates._pushed", _refused)
        result = await run("templates", "push", "shop.py")
        assert result.exit_code == 1
        assert "templates/order_status.yaml:7: order_status_pt_br is refused: " in result.stderr
        assert "META_TEMPLATE_SUBMIT_FAILED" in result.stderr


async def _refused(client: Any, step: Any) -> Any:
    return await client.create_template(step.name, category="UTILITY", language="en", body="{{a}} b", examples={"a": "b"})


class TestDiff:
    async def test_drift_is_shown_and_is_1(self, run: Run, file: Path) -> None:
        result = await run("templates", "diff", "shop.py")
        assert result.exit_code == 1
        assert "+body: Seu pedido está {{status}} agora." in result.stdout.splitlines()
        write(file, FILE.partition("  pt_BR")[0] + "examples: {}\n")
        result = await run("templates", "diff", "shop.py")
        assert (result.stdout, result.exit_code) == ("", 0)
        assert result.stderr == "number main: only on the platform: follow_up, promo_draft, welcome\n"

    async def test_the_list_shows_both_sides(self, run: Run, file: Path) -> None:
        result = await run("templates", "list", "shop.py")
        assert [line.split() for line in result.stdout.splitlines()] == [
            ["NAME", "LANGUAGE", "CATEGORY", "THERE", "COMPARED", "DEFINED"],
            ["order_status", "en", "UTILITY", "APPROVED", "same", "templates/order_status.yaml:5"],
            ["order_status_pt_br", "pt_BR", "UTILITY", "-", "only", "here", "templates/order_status.yaml:7"],
            ["follow_up", "en", "UTILITY", "APPROVED", "only", "there", "-"],
            ["promo_draft", "en", "MARKETING", "PENDING", "only", "there", "-"],
            ["welcome", "en", "UTILITY", "APPROVED", "only", "there", "-"],
        ]

    async def test_an_unknown_number_and_a_wrong_key_are_told(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "no number is called 'other'; there are main" in (await run("templates", "diff", "shop.py", "--number", "other")).stderr
        monkeypatch.setenv("PILOTBOT_API_KEY", "wrong")
        result = await run("templates", "diff", "shop.py")
        assert result.exit_code == 1
        assert "pilotbot: number main: its templates cannot be read: " in result.stderr


class TestPull:
    async def test_what_is_pulled_reads_back_and_does_not_differ(self, run: Run, desk: Path) -> None:
        result = await run("templates", "pull", "shop.py")
        names = ("follow_up", "order_status", "promo_draft", "welcome")
        assert result.stdout.splitlines() == [f"wrote templates/{name}.yaml" for name in names]
        assert (desk / "templates" / "order_status.yaml").read_text("utf-8") == (
            "name: order_status\ncategory: UTILITY\nlanguage: en\nbody: Your order {{order_id}} is {{status}} now.\n"
        )
        assert (await run("templates", "diff", "shop.py")).exit_code == 0
        assert (await run("templates", "pull", "shop.py")).stdout == "nothing to write: all is here as it is there\n"

    async def test_what_is_there_is_changed_in_its_file(self, run: Run, file: Path) -> None:
        write(file, mine := FILE.replace("Your order", "The order"))
        result = await run("templates", "pull", "shop.py")
        assert (result.exit_code, read(file)) == (1, mine)
        assert "kept templates/order_status.yaml, which says something else than the platform" in result.stderr
        assert "wrote templates/order_status.yaml" in (await run("templates", "pull", "shop.py", "--force")).stdout
        before, after = (read_catalogue([("", text)])[0] for text in (FILE, read(file)))
        assert after == before

    async def test_what_would_not_read_back_is_not_written(self, run: Run, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        given = (("../../evil", "Hi."), ("hi", "{{x}} hi"))
        odd = [TemplateInfo(id=name, name=name, category="UTILITY", body=body) for name, body in given]

        async def listed(_: Any, numbers: Any) -> list[tuple[Any, Any]]:
            return [(numbers[0], tuple(odd))]

        monkeypatch.setattr("pilotbot.cli.templates.listed", listed)
        result = await run("templates", "pull", "shop.py")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.count("not written: ") == 2
        assert list(desk.parent.rglob("*evil*")) == []

    async def test_a_dry_run_writes_nothing(self, run: Run, desk: Path) -> None:
        assert "would write templates/welcome.yaml" in (await run("templates", "pull", "shop.py", "--dry-run")).stdout
        assert not (desk / "templates").exists()

    async def test_a_file_that_defines_another_template_is_left(self, run: Run, desk: Path) -> None:
        other = desk / "templates" / "welcome.yaml"
        other.parent.mkdir()
        other.write_text("name: other\ncategory: OTP\nlanguage: en\nbody: A code.\n", "utf-8")
        result = await run("templates", "pull", "shop.py")
        assert result.exit_code == 1
        assert "templates/welcome.yaml is there, and defines another template: rename it" in result.stderr
        assert other.read_text("utf-8").startswith("name: other")


class TestCheck:
    async def test_a_template_that_is_not_filled_in_as_defined_is_a_mistake(self, run: Run, desk: Path, file: Path) -> None:
        (desk / "shop.py").write_text(CODE.replace(', status="here"', ', state="here"'), "utf-8")
        result = await run("check", "shop.py")
        assert result.exit_code == 1
        assert result.stderr.splitlines()[1] == (
            "  shop.py:5: template order_status needs status, as templates/order_status.yaml defines it: "
            "write Template('order_status', status=...)"
        )

    async def test_definitions_are_checked_with_the_code(self, run: Run, file: Path) -> None:
        write(file, FILE.replace("category: UTILITY", "category: URGENT"))
        assert "templates/order_status.yaml:2: category: give one of" in (await run("check", "shop.py")).stderr

    async def test_remote_is_clean_where_all_can_be_sent(self, run: Run) -> None:
        result = await run("check", "shop.py", "--remote")
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "shop: 1 handler, nothing wrong")

    async def test_remote_finds_what_cannot_be_sent(self, run: Run, sandbox: Sandbox, desk: Path) -> None:
        await judge(sandbox, "order_status", "disable")
        more = 'LATER = Template("promo_draft", name="Ana")\n\n\nasync def other(ctx: Context) -> None:\n'
        more += '    await ctx.reply("a", template=Template("nowhere"))\n    await ctx.reply("b", template=Template("welcome"))\n'
        (desk / "shop.py").write_text(CODE + more, "utf-8")
        result = await run("check", "shop.py", "--remote")
        assert result.exit_code == 1
        assert result.stderr.splitlines() == [
            "pilotbot: 4 mistakes in the bot's templates:",
            "  shop.py:5: template order_status on number main: the platform says it is not sendable (DISABLED)",
            "  shop.py:11: template promo_draft on number main: the platform says it is not sendable (PENDING)",
            "  shop.py:15: template nowhere on number main: there is no such template",
            "  shop.py:16: template welcome needs name, as number main has welcome: write Template('welcome', name=...)",
        ]

    async def test_a_language_that_is_not_there_yet_is_worth_a_look(self, run: Run, file: Path) -> None:
        result = await run("check", "shop.py", "--remote")
        assert result.exit_code == 0
        assert (
            "warning: shop.py:5: template order_status_pt_br on number main: there is no such template; another language goes"
            in result.stdout
        )

    async def test_without_settings_remote_says_what_is_missing(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PILOTBOT_API_KEY")
        result = await run("check", "shop.py", "--remote")
        assert result.exit_code == 1
        assert "PILOTBOT_API_KEY: is not set" in result.stderr
