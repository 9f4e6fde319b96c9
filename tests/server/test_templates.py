"""Templates at run: what is told of them, once; what is remembered; definitions that a bot cannot start with."""

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pilotbot import Bot, Context, Message, Template
from pilotbot.context import Contact
from pilotbot.engine import Engine
from pilotbot.platform import Family, PlatformError, TemplateInfo
from pilotbot.platform.responses import template
from pilotbot.replies import ContentError, ListWords
from pilotbot.replies.catalogue import Definition, Wording
from pilotbot.server.templates import Listed, Templates, Watch, catalogue_of, folder, troubles
from pilotbot.settings import NumberSettings
from tests.server.conftest import settings

CATALOGUE = {"hello": Definition("hello", "UTILITY", {"pt_BR": Wording("Oi {{name}}."), "en": Wording("Hi {{name}}.")})}
HELLO = Template("hello", name="Ana")
FINE = Listed(None, pending=False, variables=("name",))
PAUSED = Listed("Meta has not approved it (DISABLED)", pending=False, variables=("name",))
WAITS = Listed("Meta has not approved it (PENDING)", pending=True, variables=("name",))
HUNGRY = Listed(None, pending=False, variables=("name", "day"))
APART = "; another language goes in its place"


@pytest.mark.parametrize(
    ("used", "listed", "expected"),
    [
        ([HELLO], {"hello": FINE, "hello_en": FINE}, {}),
        ([HELLO], {"hello": FINE}, {}),
        ([HELLO], {"hello": FINE, "hello_en": WAITS}, {}),
        ([HELLO], {"hello": FINE, "hello_en": PAUSED}, {"hello_en": PAUSED.problem + APART}),  # type: ignore[operator]
        ([HELLO], {"hello": WAITS, "hello_en": FINE}, {"hello": WAITS.problem}),
        ([HELLO], {"hello_en": FINE}, {"hello": "the platform has no such template"}),
        ([HELLO], {"hello": HUNGRY}, {"hello": "its approved text needs day, which the bot does not fill in"}),
        ([], {}, {}),
        ([], {"hello": PAUSED, "hello_en": WAITS}, {"hello": PAUSED.problem}),
        ([Template("other")], {"hello": FINE}, {"other": "the platform has no such template"}),
    ],
)
def test_what_is_trouble(used: list[Template], listed: dict[str, Listed], expected: dict[str, str]) -> None:
    assert troubles(used, CATALOGUE, listed) == expected


class Platform:
    """Gives the templates that it is told to, or refuses."""

    def __init__(self) -> None:
        self.infos: list[TemplateInfo] | PlatformError = []

    async def templates(self) -> tuple[TemplateInfo, ...]:
        if isinstance(self.infos, PlatformError):
            raise self.infos
        return tuple(self.infos)


def info(status: str, name: str = "hello") -> TemplateInfo:
    return template({"id": name, "name": name, "source": "META", "metaStatus": status, "variables": ["name"]})


class Seen:
    """A watch with what it tells."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.platform, self.templates = Platform(), Templates(CATALOGUE)
        self.counts: Counter[str] = Counter()
        self.alerts: list[tuple[str, str, str]] = []
        bot = Bot("shop")
        monkeypatch.setattr(bot, "templates", lambda: (HELLO,))
        numbers, clients = [NumberSettings(name="main")], {"main": self.platform}
        self.watch = Watch(bot, numbers, engine, clients, self.templates, counts=self.counts, alert=self._alert)  # type: ignore[arg-type]

    async def _alert(self, number: str, what: str, detail: str, at: int) -> None:
        self.alerts.append((number, what, detail))


@pytest.fixture
def seen(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(engine, monkeypatch)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    found = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "pilotbot.server.templates"]
    caplog.clear()
    return found


async def test_trouble_is_told_once_and_so_is_its_end(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    seen.platform.infos = [info("APPROVED")]
    await seen.watch.look()
    assert (seen.watch.told, told(caplog), seen.templates.sendable) == ({"main": "ok"}, [], {"main": frozenset({"hello"})})

    seen.platform.infos = [info("DISABLED")]
    for _ in range(3):
        await seen.watch.look()
    problem = "Meta has not approved it (DISABLED)"
    assert told(caplog) == [("ERROR", f"number main: template hello: {problem}")]
    assert seen.watch.told == {"main": f"template hello: {problem}"}
    assert seen.alerts == [("main", "template", f"hello: {problem}")]
    assert seen.counts == {"template:trouble": 1}
    assert seen.templates.sendable == {"main": frozenset()}

    seen.platform.infos = [info("REJECTED")]
    await seen.watch.look()
    assert told(caplog) == [("ERROR", "number main: template hello: Meta has not approved it (REJECTED)")]

    seen.platform.infos = [info("APPROVED")]
    for _ in range(2):
        await seen.watch.look()
    assert told(caplog) == [("WARNING", "number main: template hello can be sent again")]
    assert seen.watch.told == {"main": "ok"}
    assert seen.counts == {"template:trouble": 2, "template:recovered": 1}


async def test_while_the_platform_is_silent_what_was_last_known_holds(
    seen: Seen, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen.platform.infos = [info("DISABLED"), info("APPROVED", "hello_en")]
    await seen.watch.look()
    again = Seen(engine, monkeypatch)
    await again.watch.recall()
    assert again.templates.sendable == {"main": {"hello_en"}}
    caplog.clear()
    again.platform.infos = PlatformError(Family.RETRY, remedy="Wait.")
    for _ in range(2):
        await again.watch.look()
    lines = told(caplog)
    assert [level for level, _ in lines] == ["ERROR", "ERROR"]
    assert lines[0][1].startswith("number main: the platform does not give its templates: ")
    assert lines[1][1] == "number main: template hello: Meta has not approved it (DISABLED)"
    assert again.watch.told["main"].startswith("the platform does not give its templates: ")
    again.platform.infos = [info("APPROVED")]
    await again.watch.look()
    assert [line for _, line in told(caplog)] == [
        "number main: the platform gives its templates again", "number main: template hello can be sent again",
    ]  # fmt: skip


async def test_where_nothing_is_known_nothing_is_recalled(seen: Seen) -> None:
    await seen.watch.recall()
    assert seen.templates.sendable == {}


def test_a_list_is_opened_in_the_contacts_language_then_in_the_default_unless_the_bot_says() -> None:
    ana, none = Contact("+5511987650001", language="pt_BR"), Contact("+5511987650001")
    assert Templates().spoken(ana) == ("Opções", "Mais…")
    assert [Templates(default=code).spoken(none) for code in ("es_MX", "de", None)] == [
        ("Opciones", "Más…"), ("Options", "More…"), ("Options", "More…"),
    ]  # fmt: skip
    assert Templates(list_words=ListWords("Abrir")).spoken(ana) == ("Abrir", "Mais…")


def test_the_language_is_the_contacts_then_the_default() -> None:
    templates = Templates(CATALOGUE, "en", {"main": frozenset({"hello", "hello_en"})})
    assert templates.naming("main", Contact("+5511987650001", language="pt"))("hello") == "hello"
    assert templates.naming("main", Contact("+5511987650001", language="de"))("hello") == "hello_en"
    assert templates.naming("main", None)("hello") == "hello_en"
    assert templates.naming("other", Contact("+5511987650001", language="en"))("hello") == "hello"


def bot_in(home: Path) -> Bot:
    """A bot whose handlers stand in a file of this directory."""
    names: dict[str, Any] = {"__file__": str(home / "shop.py"), "__name__": "shop", "Context": Context, "bot": Bot("shop")}
    exec("@bot.message()\nasync def answer(ctx: Context) -> None: ...\n", names)
    bot: Bot = names["bot"]
    return bot


def test_definitions_stand_beside_the_code_or_where_it_is_said(tmp_path: Path) -> None:
    bot = bot_in(tmp_path)
    assert folder(bot, None) == tmp_path / "templates"
    assert folder(bot, tmp_path / "other") == tmp_path / "other"
    assert catalogue_of(bot, settings()) == {}
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.yml").write_text("name: a\ncategory: OTP\nlanguage: en\nbody: A code.\n")
    (tmp_path / "templates" / "page.html").write_text("<p>not ours</p>")
    assert list(catalogue_of(bot, settings())) == ["a"]


def test_a_bot_does_not_start_with_mistakes_in_its_definitions(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.yaml").write_text("name: a\ncategory: OTP\nlanguage: en\nbody: '{{code}} it is.'\n")
    (tmp_path / "templates" / "b.yaml").write_bytes(b"\xff")
    with pytest.raises(ContentError) as error:
        catalogue_of(bot_in(tmp_path), settings())
    lines = str(error.value).splitlines()
    assert lines[0] == "the definitions of templates hold mistakes:"
    assert lines[1].endswith("b.yaml:1: it cannot be read as text in UTF-8: UnicodeDecodeError")
    assert "a.yaml:4: body: it begins with a variable, which Meta refuses" in lines[2]
    assert catalogue_of(bot_in(tmp_path / "nowhere"), settings(number_kind="evolution_v2")) == {}


def test_a_bots_templates_are_those_at_module_level() -> None:
    bot = Bot("shop")
    names: dict[str, Any] = {"T": HELLO, "M": Message("x", template=HELLO), "bot": bot, "Context": Context, "__name__": "shop"}
    exec("@bot.message()\nasync def one(ctx: Context) -> None: ...\n@bot.unhandled()\nasync def two(ctx: Context) -> None: ...\n", names)
    assert bot.templates() == (HELLO,)
