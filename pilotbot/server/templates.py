"""Templates at run: the definitions beside a bot, which of their languages goes, and what keeps one from being sent (design 3.16)."""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import orjson

from pilotbot.bot import Bot
from pilotbot.context import Contact
from pilotbot.engine import Engine
from pilotbot.platform import PilotStatus, PlatformError, TemplateInfo
from pilotbot.replies import ContentError, ListWords, Purpose, Template
from pilotbot.replies.catalogue import Catalogue, Definition, Flaw, resolve
from pilotbot.replies.definitions import owners, read_catalogue
from pilotbot.settings import NumberSettings, Settings
from pilotbot.target import relative

log = logging.getLogger(__name__)

FOLDER: Final = "templates"
PURPOSES: Final[Mapping[str, Purpose]] = {"MARKETING": "marketing", "UTILITY": "utility", "OTP": "authentication"}
MISSING: Final = "the platform has no such template"
PLATFORM: Final = ""
"""Stands where a template's name would, for trouble with the platform itself."""

Alert = Callable[[str, str, str, int], Awaitable[None]]
"""Raises an alert: number, what, detail, when (ms)."""


def folder(bot: Bot, given: Path | None) -> Path:
    """The directory of a bot's definitions: the one that is `given`, else `templates` beside the code of its handlers, there or not."""
    if given is not None:
        return given
    files = (getattr(handler.fn, "__globals__", {}).get("__file__") for handler in bot.handlers)
    homes = list(dict.fromkeys(Path(file).absolute().parent for file in files if file)) or [Path.cwd()]
    return next((home / FOLDER for home in homes if any((home / FOLDER).glob("*.y*ml"))), homes[0] / FOLDER)


def read_folder(place: Path, *, meta: bool = True) -> tuple[dict[str, Definition], list[Flaw]]:
    """The definitions in the YAML files of a directory, if it is there, and what is wrong with them."""
    files: list[tuple[str, str]] = []
    unreadable: list[Flaw] = []
    for path in sorted(path for path in place.glob("*") if path.suffix in {".yaml", ".yml"}):
        name = relative(str(path))
        try:
            files.append((name, path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            unreadable.append(Flaw(f"{name}:1", f"it cannot be read as text in UTF-8: {type(error).__name__}"))
    catalogue, flaws = read_catalogue(files, meta=meta)
    return catalogue, [*unreadable, *flaws]


def catalogue_of(bot: Bot, settings: Settings) -> dict[str, Definition]:
    """The definitions beside a bot. Raises ContentError with every mistake in them."""
    meta = any(number.kind == "meta" for number in settings.numbers)
    catalogue, flaws = read_folder(folder(bot, settings.templates_dir), meta=meta)
    if wrong := [str(flaw) for flaw in flaws if flaw.sure]:
        raise ContentError("the definitions of templates hold mistakes:\n  " + "\n  ".join(wrong))
    return catalogue


@dataclass(slots=True)
class Templates:
    """Which template goes: the definitions, and by number what the platform would send, once that is known.

    `default` is the language of who speaks none that a template has. `list_words` are the bot's, for what is no template.
    """

    catalogue: Catalogue = field(default_factory=dict)
    default: str | None = None
    sendable: dict[str, frozenset[str]] = field(default_factory=dict)
    list_words: ListWords = field(default_factory=ListWords)

    def spoken(self, contact: Contact | None) -> tuple[str, str]:
        """What opens a list for a contact, and what shows its next page."""
        return self.list_words.spoken((contact.language if contact is not None else None) or self.default)

    def naming(self, number: str, contact: Contact | None) -> Callable[[str], str]:
        """What makes a template's name, as bots say it, the platform's: in the contact's language, see `resolve`."""
        language = contact.language if contact is not None else None
        return lambda name: resolve(name, language, self.catalogue, default=self.default, sendable=self.sendable.get(number))

    def purpose(self, name: str) -> Purpose | None:
        """What a template is about by its category: marketing needs an opt-in, whoever sends it. None where it is not defined here."""
        definition = self.catalogue.get(name)
        return PURPOSES.get(definition.category) if definition is not None else None

    def show_options(self, name: str) -> bool:
        """Whether a template has quick replies, or nobody knows since it is not defined here."""
        definition = self.catalogue.get(name)
        wordings = definition.languages.values() if definition is not None else ()
        return definition is None or any(button.kind == "QUICK_REPLY" for wording in wordings for button in wording.buttons)


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as the platform last listed it: what keeps it from being sent, whether it only waits for approval, what it needs."""

    problem: str | None
    pending: bool
    variables: tuple[str, ...]

    @classmethod
    def of(cls, info: TemplateInfo, *, meta: bool) -> Self:
        """What counts of a template for a number. `meta`: whether that is Meta's."""
        return cls(info.problem(meta=meta), info.meta_status == "PENDING", info.variables)


def troubles(used: Sequence[Template], catalogue: Catalogue, listed: Mapping[str, Listed]) -> dict[str, str]:
    """What keeps templates from being sent, by the platform's names.

    Looked at is what a bot says, in all its languages, and what is defined beside it. What only waits for its first approval, or was not
    pushed yet, is no trouble as long as another language goes in its place, or nothing says it.
    """
    found: dict[str, str] = {}
    for template in used:
        definition = catalogue.get(template.name)
        for at, name in enumerate(definition.variants if definition is not None else (template.name,)):
            known = listed.get(name)
            if at and (known is None or known.pending):
                continue
            if problem := _trouble(template, known):
                found[name] = problem + ("; another language goes in its place" if at else "")
    for name in owners(catalogue):
        known = listed.get(name)
        if name not in found and known is not None and known.problem and not known.pending:
            found[name] = known.problem
    return found


def _trouble(template: Template, known: Listed | None) -> str | None:
    if known is None:
        return MISSING
    if known.problem:
        return known.problem
    missing = [name for name in known.variables if name not in template.variables]
    return f"its approved text needs {', '.join(missing)}, which the bot does not fill in" if missing else None


class Watch:
    """Looks at the platform's templates: what can be sent, and what cannot, which is told once, when it changes."""

    def __init__(
        self, bot: Bot, numbers: Sequence[NumberSettings], engine: Engine, platform: Mapping[str, PilotStatus], templates: Templates, *,
        counts: Counter[str], alert: Alert,
    ) -> None:  # fmt: skip
        self._bot = bot
        self._meta = {number.name: number.kind == "meta" for number in numbers}
        self._engine = engine
        self._platform = platform
        self._templates = templates
        self._counts = counts
        self._alert = alert
        self._known: dict[str, dict[str, str]] = {}
        self.told: dict[str, str] = {}
        """What is wrong at the platform, by number."""

    async def recall(self) -> None:
        """Begin with what was last known. Raises Away."""
        for number in self._platform:
            if (listed := await self._last(number)) is not None:
                self._note(number, listed)

    async def look(self) -> None:
        """Read the platform's lists. Remote mistakes are told, in log and /readyz, and refuse nothing. Raises Away."""
        for number, client in self._platform.items():
            trouble: dict[str, str] = {}
            try:
                infos = await client.templates()
            except PlatformError as error:
                trouble[PLATFORM] = f"the platform does not give its templates: {error}"
                listed = await self._last(number)
            else:
                listed = {info.name: Listed.of(info, meta=self._meta[number]) for info in infos}
                await self._engine.remember(_place(number), orjson.dumps(listed))
            if listed is not None:
                self._note(number, listed)
                trouble |= troubles(self._bot.templates(), self._templates.catalogue, listed)
            await self._tell(number, trouble)

    async def _tell(self, number: str, trouble: dict[str, str]) -> None:
        before = self._known.get(number, {})
        self._known[number] = trouble
        self.told[number] = "; ".join(_of(name) + problem for name, problem in trouble.items()) or "ok"
        for name, problem in trouble.items():
            if before.get(name) == problem:
                continue
            log.error("number %s: %s%s", number, _of(name), problem)
            self._counts["template:trouble"] += 1
            if name != PLATFORM:
                await self._alert(number, "template", f"{name}: {problem}", round(time.time() * 1000))
        for name in before.keys() - trouble.keys():
            log.warning("number %s: %s", number, f"template {name} can be sent again" if name else "the platform gives its templates again")
            self._counts["template:recovered"] += 1

    def _note(self, number: str, listed: Mapping[str, Listed]) -> None:
        self._templates.sendable[number] = frozenset(name for name, one in listed.items() if one.problem is None)

    async def _last(self, number: str) -> dict[str, Listed] | None:
        kept = await self._engine.recall(_place(number))
        return {name: Listed(**{**one, "variables": tuple(one["variables"])}) for name, one in orjson.loads(kept).items()} if kept else None


def _place(number: str) -> str:
    return f"catalogue:{number}"


def _of(name: str) -> str:
    return f"template {name}: " if name else ""
